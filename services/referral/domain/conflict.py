"""Conflict of interest: may the holder of an account learn that a case exists?

Not who is a subject of it, who serves in the unit of one, or who cannot be told apart from a subject by
what is known. Too much said of nobody: where little is known of a subject, many cannot be told apart.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import JaroWinkler

from services.referral.domain.facts import UNKNOWN, ComplaintFacts
from services.referral.domain.wording import contains_words, plain_words
from shared.contracts.complaint import SanitisedSubject

_SIMILAR: Final = 0.88
_HONORIFICS: Final = frozenset(
    {
        *("mr", "mrs", "ms", "miss", "dr", "sir", "dame", "lord", "lady"),
        *("pc", "dc", "wpc", "ds", "ps", "sgt", "sergeant", "di", "insp", "inspector", "dci", "ci"),
        *("supt", "superintendent", "dsupt", "chief", "constable", "officer", "detective", "police"),
        *("acting", "temporary", "special", "pcso", "commander", "commissioner", "deputy", "assistant"),
    }
)


@dataclass(frozen=True, slots=True)
class Holder:
    """The police past or present of the person behind an account, as far as the account says."""

    force: str | None = None
    unit: str | None = None
    name: str | None = None
    collar_number: str | None = None


def is_in_conflict(holder: Holder, complaints: Iterable[ComplaintFacts]) -> bool:
    """Whether the holder may be a subject of one of the complaints, or serves in the unit of one."""
    return any(
        _serves_beside(holder, subject, force) or _may_be(holder, subject, force)
        for complaint in complaints
        for subject, force in _described(complaint)
    )


def _described(complaint: ComplaintFacts) -> Iterator[tuple[SanitisedSubject, str]]:
    """Every subject with its force, or the incident's: another subject's tells nothing about this one.
    Where nobody is accused, somebody unknown is."""
    incident = complaint.body.incident
    force = incident.force if incident is not None and incident.force is not None else UNKNOWN
    for subject in complaint.body.subjects:
        yield subject, subject.force or force
    if not any(subject.role in {"accused", "failed_to_act"} for subject in complaint.body.subjects):
        yield SanitisedSubject(), force


def _serves_beside(holder: Holder, subject: SanitisedSubject, force: str) -> bool:
    if not _may_be_equal(holder.force, force):
        return False
    mine, theirs = plain_words(holder.unit), plain_words(subject.unit)
    if not mine or not theirs:
        return False
    return contains_words(mine, theirs) or contains_words(theirs, mine) or sorted(mine) == sorted(theirs)


def _may_be(holder: Holder, subject: SanitisedSubject, force: str) -> bool:
    """Whether they cannot be told apart. Another force alone does it, but for a bearer of the whole name:
    people move. Within a force a number tells apart only where no name speaks against it: numbers change."""
    mine, theirs = _name(holder.name), _name(subject.name)
    if not _may_be_equal(holder.force, force):
        return _is_full(mine) and _is_full(theirs) and _all_fit(mine, theirs)
    if mine and theirs and (_all_fit(mine, theirs) or _similar(mine[-1], theirs[-1])):
        return True
    same_number = _number_fits(holder.collar_number, subject.collar_number)
    return same_number if same_number is not None else not (mine and theirs)


def _may_be_equal(one: str | None, other: str | None) -> bool:
    return one in {None, UNKNOWN} or other in {None, UNKNOWN} or one == other


def _number_fits(one: str | None, other: str | None) -> bool | None:
    """Half a number fits a whole one. None where one is not known."""
    mine, theirs = "".join(plain_words(one)), "".join(plain_words(other))
    if not mine or not theirs:
        return None
    return mine in theirs or theirs in mine


def _name(text: str | None) -> list[str]:
    """The parts of a name without ranks and honorifics; two capital letters are initials."""
    if text is not None and len(text.strip()) == 2 and text.strip().isalpha():
        return list(text.strip().casefold())
    return [word for word in plain_words(text) if word not in _HONORIFICS]


def _is_full(name: Sequence[str]) -> bool:
    """A surname and at least an initial."""
    return len(name) > 1 and len(name[-1]) > 1


def _all_fit(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether every part of the shorter name fits a part of the other."""
    shorter, longer = sorted((mine, theirs), key=len)
    return all(any(_part_fits(part, other) for other in longer) for part in shorter)


def _part_fits(one: str, other: str) -> bool:
    """An initial, a short form (Dave, David), or nearly the same."""
    if len(one) == 1 or len(other) == 1:
        return one[0] == other[0]
    return (len(one) > 2 and one[:3] == other[:3]) or _similar(one, other)


def _similar(one: str, other: str) -> bool:
    return len(one) > 1 and JaroWinkler.normalized_similarity(one, other) >= _SIMILAR
