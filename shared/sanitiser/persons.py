"""Persons: the mentions of all fields of a complaint, grouped into one person each, and placed once.

A person is kept only where the text or the form makes them police: a rank, a police word or a collar number
beside the name, the name of a subject of the form, or a sentence that says so. Everybody else is masked, and so
is whoever says it of themselves or is named as a caller, a victim or a relative of the caller. The safe default
is to mask, for the officers stand in the form.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.sanitiser.lexicon import (
    POLICE,
    RANK,
    TITLE,
    lexicon,
    words,
)
from shared.sanitiser.mentions import find_mentions
from shared.sanitiser.placing import IS_POLICE, LIKELY_POLICE, PRIVATE, UNKNOWN, evidence_beside
from shared.sanitiser.reading import Reading, folded
from shared.sanitiser.walk import Mention


@dataclass(slots=True)
class Person:
    """One person: the tokens of all their names, where they are mentioned, and whether they stay."""

    names: set[str]
    given: set[str]
    mentions: list[tuple[int, Mention]] = field(default_factory=list)
    evidence: int = UNKNOWN
    is_private: bool = False
    is_subject: bool = False
    whole: frozenset[str] = frozenset()

    @property
    def is_unplaced(self) -> bool:
        """Whether the person stays without it being sure that they are police."""
        return self.stays and self.evidence == LIKELY_POLICE and not self.is_subject

    @property
    def stays(self) -> bool:
        return not self.is_private and (self.is_subject or self.evidence > UNKNOWN)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject of the form, by the tokens of the name."""

    names: tuple[str, ...]
    initials: tuple[str, ...]

    @property
    def surname(self) -> str:
        return self.names[-1] if self.names else ""


def subjects_of(names: Iterable[str | None]) -> tuple[Subject, ...]:
    """The subjects of a form by what stands in its field for the name, without ranks and numbers."""
    flags = lexicon()
    subjects = []
    for name in names:
        if not name:
            continue
        tokens = [folded(word) for word in Reading(name[:200]).lows]
        tokens = [word for word in tokens if word.isalpha() or "-" in word or "'" in word]
        kept = [
            word for word in tokens if not flags.get(word, 0) & (RANK | POLICE | TITLE) or len(tokens) == 1
        ]
        # `Sgt Priest`, `DC Di Marsh`: a name that is a rank or title too.
        if not kept and tokens:
            kept = tokens[-1:]
        whole = tuple(word for word in kept if len(word) > 1 and word not in _NO_NAMES)
        if whole:
            subjects.append(Subject(whole, tuple(word for word in kept if len(word) == 1)))
    return tuple(subjects)


_NO_NAMES: Final = words(
    "unknown officer not known name unnamed male female man woman the a an of from and or one two some called"
)


def find_persons(readings: Sequence[Reading], subjects: Sequence[Subject]) -> list[Person]:
    """All persons of the texts in the order of their first mention, each placed."""
    known = frozenset(name for subject in subjects for name in subject.names)
    found = [
        (at, mention) for at, reading in enumerate(readings) for mention in find_mentions(reading, known)
    ]
    for at, mention in found:
        i = mention.title - 1
        if i >= 0 and readings[at].lows[i] in _BLOOD and readings[at].seps[i + 1] in {" ", ", "}:
            mention.is_kin = True
    evidence = [evidence_beside(readings[at], mention, found, n, at) for n, (at, mention) in enumerate(found)]
    return _grouped(found, evidence, subjects)


_BLOOD: Final = words(
    """son daughter lad boy girl brother sister mum mam mom dad mother father nan grandson granddaughter nephew niece stepson
    stepdaughter bro sis dtr uncle aunt auntie cousin"""
)


def _grouped(
    found: list[tuple[int, Mention]], evidence: list[int], subjects: Sequence[Subject]
) -> list[Person]:
    """Whole names first, so that a given name alone finds its bearer wherever that stands."""
    persons: list[Person] = []
    by_name: dict[str, list[Person]] = {}
    of_mention: dict[int, Person] = {}
    officers: list[Person] = []
    order = sorted(range(len(found)), key=lambda n: (not found[n][1].is_whole, n))
    for n in order:
        at, mention = found[n]
        person = _bearer(mention, evidence[n], n, by_name, of_mention) or _officer_for_short(
            mention, officers
        )
        if person and mention.titled in _OF_OTHERS and any(_is_subject(person, one) for one in subjects):
            person = None  # `mrs haynes` is not the officer Curtis Haynes
        if person is None:
            person = Person(set(mention.names), set(mention.names[:1]) if len(mention.names) > 1 else set())
            if mention.is_whole:
                person.whole = frozenset(mention.names)
            persons.append(person)
        of_mention[n] = person
        person.names.update(mention.names)
        for name in mention.names:
            bearers = by_name.setdefault(name, [])
            if person not in bearers[:8] and len(bearers) < 8:
                bearers.append(person)
        person.mentions.append((at, mention))
        _place(person, mention, evidence[n])
        if (
            person.evidence == IS_POLICE
            and person.given
            and len(officers) < _MOST_OFFICERS
            and person not in officers
        ):
            officers.append(person)
    for person in persons:
        person.mentions.sort(key=lambda one: (one[0], one[1].first))
        _match_subjects(person, subjects)
    persons.sort(key=lambda person: (person.mentions[0][0], person.mentions[0][1].first))
    return persons


def _bearer(
    mention: Mention,
    evidence: int,
    n: int,
    by_name: dict[str, list[Person]],
    of_mention: dict[int, Person],
) -> Person | None:
    candidates: list[Person] = []
    for name in mention.names[-1:] + mention.names[:1]:
        candidates += [one for one in by_name.get(name, ()) if one not in candidates]
    if not candidates and len(mention.names) == 1:
        for short in _long_forms(mention.names[0]):
            candidates += [
                one for one in by_name.get(short, ()) if short in one.given and one not in candidates
            ]
    fitting = [one for one in candidates if _fits(mention, one, evidence)]
    if len(fitting) <= 1:
        return fitting[0] if fitting else None
    # Two of that name: the one mentioned last before, if any.
    for back in range(n - 1, max(-1, n - 60), -1):
        if of_mention.get(back) in fitting:
            return of_mention[back]
    return fitting[0]


_OF_OTHERS: Final = words(
    """mrs ms miss mx dr prof professor rev reverend revd fr father lady dame rabbi imam pastor bishop canon deacon uncle auntie
    aunty aunt nan nana gran granny grandma grandad grandpa nain taid matron nurse"""
)
_MOST_OFFICERS: Final = 20


def _officer_for_short(mention: Mention, officers: list[Person]) -> Person | None:
    """`Kev` after `PC Kevin Aldridge`."""
    if len(mention.names) != 1 or mention.is_self or mention.is_kin or mention.initials:
        return None
    short = mention.names[0]
    return next((one for one in officers if any(is_short_for(short, given) for given in one.given)), None)


def _fits(mention: Mention, person: Person, evidence: int) -> bool:
    if evidence == IS_POLICE and person.evidence <= UNKNOWN and any(one.is_kin for _, one in person.mentions):
        return False  # `PC Curtis's own lad Joey Curtis`
    if (mention.is_self and person.evidence == IS_POLICE) or (evidence == IS_POLICE and person.is_private):
        return False
    names = set(mention.names)
    if len(mention.names) > 1:
        if names <= person.names:
            return True
        # `Bryony`, `Bryony Cole` and `Bryony Tamsin Cole` are one; `Piers` and `Gerald` of one surname are two.
        return person.names <= names or (
            mention.names[0] in person.given and mention.names[-1] in person.names
        )
    if mention.initials and person.given:
        return mention.names[0] in person.names and any(
            given[0] == mention.initials[0] for given in person.given
        )
    if mention.titled and person.evidence == IS_POLICE:
        return mention.titled == "mr" or mention.titled not in _OF_OTHERS
    return True


def _place(person: Person, mention: Mention, evidence: int) -> None:
    if mention.is_self or evidence == PRIVATE:
        person.is_private = True
    person.evidence = max(person.evidence, evidence)


def _match_subjects(person: Person, subjects: Sequence[Subject]) -> None:
    """Whether the person is a subject of the form: no name that the subject lacks, and a part that fits."""
    for subject in subjects:
        if _is_subject(person, subject):
            person.is_subject = True
            return


def _is_subject(person: Person, subject: Subject) -> bool:
    names = person.names
    known = set(subject.names)
    if person.is_private or not names:
        return False
    unknown = names - known
    if not unknown:
        return not (any(m.titled in _OF_OTHERS for _, m in person.mentions) and len(subject.names) > 1)
    return all(
        any(is_short_for(name, whole) or is_short_for(whole, name) or name == whole[:1] for whole in known)
        for name in unknown
    ) and (len(names) == len(unknown) or bool(names & known))


def is_short_for(short: str, whole: str) -> bool:
    """`Dan` for `Daniel`, `Tasha` for `Natasha`, `Kev` for `Kevin`, `Bill` for `William`, `V-R` for `Volkova-Reid`."""
    if short == whole:
        return True
    if "-" in whole:
        parts = whole.split("-")
        if short in parts or short.replace("-", "") == "".join(part[:1] for part in parts):
            return True
    stem = (
        short[:-1]
        if len(short) > 3 and short[-1] in "yi"
        else short[:-2]
        if len(short) > 4 and short.endswith("ie")
        else short
    )
    if len(stem) > 2 and stem[-1] == stem[-2]:
        stem = stem[:-1]
    if len(stem) >= 2 and len(short) >= 3 and whole.startswith(stem):
        return True
    if len(short) >= 4 and whole.endswith(short):
        return True
    return whole in _SHORT_FORMS.get(short, ())


_SHORT_FORMS: Final = {
    "bill": ("william",), "billy": ("william",), "will": ("william",), "bob": ("robert",), "bobby": ("robert",),
    "rob": ("robert",), "robbie": ("robert",), "dick": ("richard",), "rick": ("richard",), "ted": ("edward",),
    "ed": ("edward", "edwin"), "eddie": ("edward",), "ned": ("edward",), "jack": ("john",), "johnny": ("john", "jonathan"),
    "jim": ("james",), "jimmy": ("james",), "jamie": ("james",), "harry": ("henry", "harold"), "hal": ("henry",),
    "mick": ("michael",), "mike": ("michael",), "mikey": ("michael",), "mickey": ("michael",), "tony": ("anthony", "antony"),
    "bev": ("beverley", "beverly"), "daz": ("darren",), "gaz": ("gary", "gareth"), "baz": ("barry",), "chaz": ("charles",),
    "charlie": ("charles", "charlotte"), "chuck": ("charles",), "kath": ("catherine", "katherine", "kathryn"),
    "kate": ("catherine", "katherine", "kathryn"), "katie": ("catherine", "katherine"), "liz": ("elizabeth",),
    "beth": ("elizabeth", "bethan", "bethany"), "lizzie": ("elizabeth",), "betty": ("elizabeth",), "libby": ("elizabeth",),
    "peggy": ("margaret",), "maggie": ("margaret",), "meg": ("margaret", "megan"), "sally": ("sarah",), "sadie": ("sarah",),
    "molly": ("mary",), "polly": ("mary",), "nell": ("eleanor", "helen"), "nelly": ("eleanor",), "trish": ("patricia",),
    "pat": ("patricia", "patrick"), "paddy": ("patrick",), "patsy": ("patricia",), "tina": ("christina",),
    "andy": ("andrew",), "drew": ("andrew",), "sandy": ("alexander", "sandra"), "alex": ("alexander", "alexandra"),
    "lex": ("alexander",), "geoff": ("geoffrey",), "jeff": ("jeffrey",), "greg": ("gregory",), "hugh": ("hubert",),
    "kit": ("christopher",), "topher": ("christopher",), "larry": ("lawrence",), "len": ("leonard",), "lenny": ("leonard",),
    "nick": ("nicholas", "nicola"), "nicky": ("nicholas", "nicola"), "phil": ("philip", "phillip"), "pip": ("philip", "philippa"),
    "ron": ("ronald",), "steve": ("stephen", "steven"), "stevie": ("stephen", "steven"), "sue": ("susan", "suzanne"),
    "suzie": ("susan", "suzanne"), "tel": ("terence", "terry"), "terry": ("terence",), "tess": ("theresa", "teresa"),
    "tash": ("natasha",), "val": ("valerie",), "viv": ("vivien", "vivienne"), "wes": ("wesley",), "shaz": ("sharon", "shahzad"),
    "trev": ("trevor",), "kaz": ("karen",), "caz": ("caroline", "carol"), "jez": ("jeremy",), "jezza": ("jeremy",),
    "jacqui": ("jacqueline",), "jackie": ("jacqueline",), "macca": ("mcdonald", "mackenzie", "mccartney"), "moh": ("mohammed",),
    "mo": ("mohammed", "mohamed", "maureen"), "imi": ("imran",), "gus": ("angus", "augustus"), "dave": ("david",),
    "davey": ("david",), "vicky": ("victoria",), "tori": ("victoria",), "debs": ("deborah", "debra"), "debbie": ("deborah", "debra"),
    "jonty": ("jonathan",), "jono": ("jonathan",), "ste": ("stephen", "steven"),
    "becky": ("rebecca",), "becks": ("rebecca",), "gabby": ("gabrielle",), "ollie": ("oliver",), "olly": ("oliver",),
}  # fmt: skip


def _long_forms(short: str) -> tuple[str, ...]:
    return _SHORT_FORMS.get(short, ())
