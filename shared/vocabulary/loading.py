"""Reads and checks the vocabulary files. See the package's docstring for what that guarantees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from shared.contracts.words import Channel, SubjectRole, Wish
from shared.errors import HotlineError
from shared.vocabulary.entries import (
    Category,
    Criterion,
    Force,
    NationalCategory,
    OversightBody,
    Phrase,
    Word,
)

SHIPPED: Final = Path(__file__).parent / "data"

# Words that the code itself decides by: a deployment may rename them for its people, not drop or add one.
_SPOKEN: Final[Mapping[str, frozenset[str]]] = {
    "channels": frozenset(get_args(Channel)),
    "subject_roles": frozenset(get_args(SubjectRole)),
    "wishes": frozenset(get_args(Wish)),
    "staff_roles": frozenset(
        {
            "call_handler",
            "release_reviewer",
            "match_reviewer",
            "assessor",
            "approver",
            "recipient",
            "auditor",
            "operator",
            "service",
        }
    ),
    "national_categories": frozenset("ABCDEFGHJKL"),
}

_Entry = TypeVar("_Entry")


class VocabularyError(HotlineError):
    """A vocabulary file is missing, unreadable or wrong; the message names file and entry."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words by code, in the order of their files; `versions` by file name without its ending."""

    forces: Mapping[str, Force]
    strands: Mapping[str, Word]
    categories: Mapping[str, Category]
    national_categories: Mapping[str, NationalCategory]
    criteria: Mapping[str, Criterion]
    oversight_bodies: Mapping[str, OversightBody]
    channels: Mapping[str, Word]
    dispositions: Mapping[str, Word]
    subject_roles: Mapping[str, Word]
    staff_roles: Mapping[str, Word]
    wishes: Mapping[str, Word]
    versions: Mapping[str, str]


class _Document(BaseModel):
    """The frame of a file; entries are checked one by one, so that an error can name its entry."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: Phrase
    entries: tuple[dict[str, object], ...]


def load_vocabulary(directory: Path | None = None) -> Vocabulary:
    """The words of a deployment, or our own. Read once per directory and process.

    Raises:
        VocabularyError: `directory` is none, or a file in it is wrong.
    """
    return _load(directory.resolve() if directory else SHIPPED)


@lru_cache(maxsize=8)
def _load(directory: Path) -> Vocabulary:
    if not directory.is_dir():
        raise VocabularyError(f"{directory}: no such directory of vocabulary files")
    versions: dict[str, str] = {}

    def read(name: str, kind: type[_Entry], code: Callable[[_Entry], str]) -> Mapping[str, _Entry]:
        versions[name], entries = _read(directory, name, kind, code)
        return entries

    def words(name: str) -> Mapping[str, Word]:
        return read(name, Word, lambda word: word.code)

    vocabulary = Vocabulary(
        forces=read("forces", Force, lambda force: force.slug),
        strands=words("strands"),
        categories=read("categories", Category, lambda category: category.code),
        national_categories=read("national_categories", NationalCategory, lambda category: category.code),
        criteria=read("criteria", Criterion, lambda criterion: criterion.code),
        oversight_bodies=read("oversight_bodies", OversightBody, lambda body: body.code),
        channels=words("channels"),
        dispositions=words("dispositions"),
        subject_roles=words("subject_roles"),
        staff_roles=words("staff_roles"),
        wishes=words("wishes"),
        versions=MappingProxyType(versions),
    )
    _check_references(vocabulary)
    return vocabulary


def _read(
    directory: Path, name: str, kind: type[_Entry], code: Callable[[_Entry], str]
) -> tuple[str, Mapping[str, _Entry]]:
    path = directory / f"{name}.json"
    if not path.exists():
        path = SHIPPED / path.name
    try:
        document = _Document.model_validate_json(path.read_bytes())
    except OSError as error:
        raise VocabularyError(f"{path.name}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise VocabularyError(f"{path.name}: {_first(error)}") from error

    one_entry = TypeAdapter[_Entry](kind)
    entries: dict[str, _Entry] = {}
    for number, raw in enumerate(document.entries, start=1):
        place = f"{path.name}: entry {number} ({next(iter(raw.values()), 'empty')!s:.60})"
        try:
            entry = one_entry.validate_python(raw, extra="forbid")
        except ValidationError as error:
            raise VocabularyError(f"{place}: {_first(error)}") from error
        if code(entry) in entries:
            raise VocabularyError(f"{place}: stands there twice")
        entries[code(entry)] = entry
    spoken = _SPOKEN.get(name)
    if spoken is not None and spoken != entries.keys():
        raise VocabularyError(
            f"{path.name}: must have exactly the codes {', '.join(sorted(spoken))};"
            f" differs in {', '.join(sorted(spoken ^ entries.keys()))}"
        )
    return document.version, MappingProxyType(entries)


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in found["loc"])
    return f"{where}: {found['msg']}" if where else found["msg"]


def _check_references(vocabulary: Vocabulary) -> None:
    def check(file: str, entry: str, member: str, code: str, known: Mapping[str, object]) -> None:
        if code not in known:
            raise VocabularyError(f"{file}.json: entry {entry}: {member}: there is no {code}")

    for force in vocabulary.forces.values():
        bodies = vocabulary.oversight_bodies
        check("forces", force.slug, "oversight_body", force.oversight_body, bodies)
        if force.crime_oversight_body is not None:
            check("forces", force.slug, "crime_oversight_body", force.crime_oversight_body, bodies)
    for category in vocabulary.categories.values():
        check("categories", category.code, "strand", category.strand, vocabulary.strands)
        if not category.code.startswith(category.strand + "."):
            raise VocabularyError(f"categories.json: entry {category.code}: belongs to its code's strand")
        for criterion in category.indicates:
            check("categories", category.code, "indicates", criterion, vocabulary.criteria)
    if "unknown" not in vocabulary.forces:
        raise VocabularyError("forces.json: must have the force 'unknown'")
