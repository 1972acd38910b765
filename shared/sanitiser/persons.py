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
    CALLER,
    KIN,
    NICKNAME,
    ORG,
    PLACE,
    POLICE,
    RANK,
    ROLE,
    TITLE,
    lexicon,
    words,
)
from shared.sanitiser.mentions import POLICE_WORD, Mention, find_mentions
from shared.sanitiser.reading import Reading, folded

PRIVATE, UNKNOWN, LIKELY_POLICE, IS_POLICE = -1, 0, 1, 2


@dataclass(slots=True)
class Person:
    """One person: the tokens of all their names, where they are mentioned, and whether they stay."""

    names: set[str]
    given: set[str]
    mentions: list[tuple[int, Mention]] = field(default_factory=list)
    evidence: int = UNKNOWN
    is_private: bool = False
    is_subject: bool = False
    is_doubtful: bool = False
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


def find_persons(
    readings: Sequence[Reading], subjects: Sequence[Subject]
) -> tuple[list[Person], list[list[int]]]:
    """All persons of the texts in the order of their first mention, each placed; and for each text the tokens that
    were left though they may be names."""
    known = frozenset(name for subject in subjects for name in subject.names)
    read = [find_mentions(reading, known) for reading in readings]
    found = [(at, mention) for at, (mentions, _) in enumerate(read) for mention in mentions]
    for at, mention in found:
        i = mention.title - 1
        if i >= 0 and readings[at].lows[i] in _BLOOD and readings[at].seps[i + 1] in {" ", ", "}:
            mention.is_kin = True
    evidence = [_evidence(readings[at], mention, found, n, at) for n, (at, mention) in enumerate(found)]
    return _grouped(found, evidence, subjects), [left for _, left in read]


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
    if mention.titled in {"mrs", "ms", "miss", "mr", "mx", "dr"} and person.evidence == IS_POLICE:
        return mention.titled == "mr"
    return True


def _place(person: Person, mention: Mention, evidence: int) -> None:
    if mention.is_self or evidence == PRIVATE:
        person.is_private = True
    person.evidence = max(person.evidence, evidence)
    if not mention.is_sure:
        person.is_doubtful = True


def _match_subjects(person: Person, subjects: Sequence[Subject]) -> None:
    """Whether the person is a subject of the form: no name that the subject lacks, and a part that fits."""
    for subject in subjects:
        if _is_subject(person, subject):
            person.is_subject = True
            return


def _is_subject(person: Person, subject: Subject) -> bool:
    names = person.names
    known = set(subject.names)
    if person.is_private:
        return False
    unknown = names - known
    if not unknown:
        return not (
            any(m.titled in {"mrs", "miss", "ms"} for _, m in person.mentions) and len(subject.names) > 1
        )
    return all(
        any(is_short_for(name, whole) or name == whole[:1] for whole in known) for name in unknown
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
    "becky": ("rebecca",), "becks": ("rebecca",), "gabby": ("gabrielle",), "ollie": ("oliver",), "olly": ("oliver",),
}  # fmt: skip


def _long_forms(short: str) -> tuple[str, ...]:
    return _SHORT_FORMS.get(short, ())


# Evidence: the words beside one mention

_BRIDGE: Final = words("""a an the my our your his her their is was who s he she he's she's hes shes that's and also in at of with for from by
    serving retired former ex new local same other duty on traffic response neighbourhood community beat firearms custody
    special acting temporary senior young old big tall female male lady lad man bloke woman works worked working now then
    as been being said i'm it it's me says well still actually is's not really both are were be to called named one custody
    full time part day a's trainee probationary probationer student cid off plain clothes plainclothes uniform uniformed
    nights london met officer's wee undercover armed off-duty on-duty off duty known only bent so-called another
    boy girl guy chap fella kid chief scene call calls him her them name name's surname names our""")
_NOT_POLICE: Final = words("not isn't isnt no wasn't never")
_SAYS_POLICE: Final = words("job force forces met")
_RELATED: Final = words(
    "'s wife husband partner ex friend mate brother sister mother father mum dad son daughter"
)
_MOST_BRIDGE: Final = 7


def _evidence(reading: Reading, mention: Mention, found: list[tuple[int, Mention]], n: int, at: int) -> int:
    """What the words beside a mention say of the person."""
    if mention.is_self:
        return PRIVATE
    if mention.rank:
        return IS_POLICE
    if _is_caller(reading, mention):
        return PRIVATE
    if _collar_beside(reading, mention):
        return IS_POLICE
    if labelled := _labelled(reading, mention):
        return labelled
    following = found[n + 1][1] if n + 1 < len(found) and found[n + 1][0] == at else None
    return (
        _said_before(reading, mention)
        or _said_after(reading, mention, following)
        or _said_later(reading, mention, following)
    )


def _is_caller(reading: Reading, mention: Mention) -> bool:
    """`Caller Jane Hale`, `Complainant: J. Hale`, `IP is her sister Ann`; not what a caller says in a transcript."""
    i = mention.title - 1
    if i < 0 or not reading.flags[i] & CALLER:
        return False
    sep = reading.seps[i + 1]
    if sep == ": " and len(reading.tokens(_SPEAKERS)) > 1:
        return False
    return sep in {" ", ": ", ", ", " (", " - ", " = ", "="}


_SPEAKERS: Final = words("caller handler operator interviewer listener volunteer worker")


def _labelled(reading: Reading, mention: Mention) -> int:
    """`OFFICER Surname: Brightman First name: Lee`: a label of a form, whose section says whose name it is."""
    i = mention.title - 1
    if i < 0 or reading.seps[i + 1] not in {": ", ":", " = "} or reading.lows[i] not in _NAME_LABELS:
        return UNKNOWN
    for k in range(i - 1, max(-1, i - 24), -1):
        if reading.flags[k] & POLICE_WORD:
            return IS_POLICE
        if reading.flags[k] & CALLER or reading.lows[k] in {"your", "yourself", "about", "contact", "my"}:
            return PRIVATE
    return UNKNOWN


_NAME_LABELS: Final = words("name surname forename forenames names first last")


def _collar_beside(reading: Reading, mention: Mention) -> bool:
    """`44172 Harris`, `Simone Achterberg (14472)`."""
    i = mention.title
    if (
        i
        and reading.seps[i] == " "
        and _is_collar(reading.words[i - 1])
        and not reading.words[mention.first].islower()
    ):
        before = reading.lows[i - 2] if i > 1 else ""
        if before not in _TIMES and not (i > 1 and reading.words[i - 2][0].isdecimal()):
            return True
    after = mention.last + 1
    return (
        after < len(reading.words)
        and reading.seps[after] in {" (", ", ", " "}
        and _is_collar(reading.words[after])
        and len(reading.words[after]) >= 4
        and (reading.seps[after] == " (" or not _is_year(reading.words[after]))
    )


_TIMES: Final = words(
    "in since until from of by january february march april may june july august september october november december"
)


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdecimal() and word[:2] in {"19", "20"}


def _is_collar(word: str) -> bool:
    digits = sum(map(str.isdecimal, word))
    return 3 <= digits <= 6 and len(word) - digits <= 3 and word.isalnum() and not _is_year(word)


def _said_before(reading: Reading, mention: Mention) -> int:
    """A police word before the name in the same sentence, with nothing but a few words of no weight between."""
    i, steps, named = mention.title - 1, 0, False
    while i >= 0 and steps < _MOST_BRIDGE:
        sep = reading.seps[i + 1]
        if any(c in ".!?;\n" for c in sep):
            return UNKNOWN
        f, low = reading.flags[i], reading.lows[i]
        if f & POLICE_WORD:
            if i and reading.seps[i] == " " and reading.lows[i - 1] in _OTHER_OFFICERS:
                return UNKNOWN
            if steps == 0:
                if sep == ", " and i and reading.lows[i - 1] in {"a", "an"} and _owns(reading, mention):
                    return UNKNOWN
                return IS_POLICE if sep in {" ", ", ", ": ", " (", " - ", " '", ' "'} else UNKNOWN
            if steps == 2 and reading.lows[i + 1] in _CALLS and reading.lows[i + 2] in {"me", "my", "us"}:
                return UNKNOWN
            named = named or any(reading.lows[k] in _NAMING for k in range(i + 1, mention.title))
            return IS_POLICE if named else UNKNOWN
        if low in _THEM and i and reading.lows[i - 1] in _CALLS:
            return LIKELY_POLICE if not _is_kin_near(reading, i) else UNKNOWN
        if f & (PLACE | ORG) and reading.words[i][0].isupper() and reading.seps[mention.title] == ", ":
            named = True  # `a PC from Thames Valley, Ian Fenn`
        elif low not in _BRIDGE and not f & NICKNAME and not low.endswith("ly"):
            return UNKNOWN
        i -= 1
        steps += 1
    return UNKNOWN


def _owns(reading: Reading, mention: Mention) -> bool:
    after = mention.last + 1
    return after < len(reading.words) and reading.seps[after] == "'" and reading.lows[after] == "s"


def _is_kin_near(reading: Reading, i: int) -> bool:
    return any(reading.flags[k] & (KIN | ROLE) for k in range(max(0, i - 10), i))


# `welfare officer`, `our officer`: of another body.
_OTHER_OFFICERS: Final = words(
    """welfare housing probation support immigration press medical enforcement parking returning planning benefits prison border
    safeguarding education attendance youth wellbeing our project casework outreach visiting church army"""
)
_CALLS: Final = words("call calls called calling")
_THEM: Final = words("him her himself herself")
_NAMING: Final = words("called named is was were are name name's names s as known call calls")


def _said_after(reading: Reading, mention: Mention, following: Mention | None) -> int:
    """`Lee B., who is in the job`, `Shane. He's a police officer`, `Kenny, a sergeant`, `Dave, sgt at Moss Side`."""
    i, steps, sentences = mention.last + 1, 0, 0
    limit = following.title if following else len(reading.words)
    linked = False
    while i < len(reading.words) and steps < _MOST_BRIDGE + 2:
        sep, low, f = reading.seps[i], reading.lows[i], reading.flags[i]
        if sep == "'" and low == "s" and i == mention.last + 1:
            # `Tracey's husband is a PC`: said of somebody else.
            return (
                UNKNOWN
                if not (i + 1 < len(reading.words) and reading.lows[i + 1] in {"a", "an", "the", "in"})
                else _rest(reading, i + 1, limit)
            )
        if any(c in ".!?;\n" for c in sep):
            sentences += 1
            if sentences > 2 or low not in {"he", "she", "he's", "she's", "hes", "shes"}:
                return UNKNOWN
        if i >= limit:
            return UNKNOWN
        if low in _NOT_POLICE:
            return UNKNOWN
        if (
            low in {"is", "was", "s", "he's", "she's", "who", "he", "she", "hes", "shes", "a", "an", "the"}
            or "," in sep
            or "(" in sep
            or "-" in sep
        ):
            linked = True
        if f & POLICE_WORD:
            if _belongs_to_another(reading, i):
                return UNKNOWN
            if (
                i + 1 < len(reading.words)
                and reading.seps[i + 1] == " "
                and reading.flags[i + 1] & POLICE_WORD == 0
                and i + 1 == limit
                and reading.flags[i] & RANK
            ):
                # `my son Tom and PC Hale`: the rank is the next one's.
                return UNKNOWN
            if following is not None and following.rank and i + 2 >= following.first:
                return UNKNOWN
            return IS_POLICE if linked or steps == 0 else LIKELY_POLICE
        if low in _SAYS_POLICE and linked:
            return IS_POLICE
        if low not in _BRIDGE:
            return UNKNOWN
        if low in {"and", "with", "by", "for", "to"}:
            return UNKNOWN
        i += 1
        steps += 1
    return UNKNOWN


def _said_later(reading: Reading, mention: Mention, following: Mention | None) -> int:
    """`Graham is the one you want, he's an inspector`: said of him a few words on, with nobody between."""
    limit = min(following.title if following else len(reading.words), mention.last + _FAR)
    if _owns(reading, mention):
        return UNKNOWN
    sentences = 0
    for i in range(mention.last + 1, limit):
        sep, low = reading.seps[i], reading.lows[i]
        if any(c in ".!?;\n" for c in sep):
            sentences += 1
            if sentences > 1 or (low not in _HE_IS and low not in {"he", "she"}):
                return UNKNOWN
        elif sentences and low not in {"is", "s", "was", "joined"}:
            return UNKNOWN
        if reading.flags[i] & (KIN | ROLE) or (
            low in {"him", "her", "she", "he"} and "," not in sep and not sentences
        ):
            return UNKNOWN
        if low in _HE_IS or (
            low in {"he", "she"} and i + 1 < limit and reading.lows[i + 1] in {"is", "s", "was"}
        ):
            k = i + (1 if low in _HE_IS else 2)
            return _rest(reading, k, limit)
        if low == "joined" and i + 1 < limit and reading.flags[i + 1] & (PLACE | POLICE):
            return IS_POLICE
    return UNKNOWN


_FAR: Final = 24
_HE_IS: Final = words("he's she's hes shes")


def _belongs_to_another(reading: Reading, i: int) -> bool:
    """`the inspector's lad`, `in the police van`: a police word that says something of another or of a thing."""
    after = i + 1
    if after >= len(reading.words):
        return False
    if reading.seps[after] == "'" and reading.lows[after] == "s":
        return True
    return (
        reading.lows[i] in {"police", "polis"}
        and reading.seps[after] == " "
        and reading.lows[after] not in _AFTER_POLICE
        and not reading.flags[after] & (POLICE_WORD | PLACE)
    )


_AFTER_POLICE: Final = words(
    """man woman force service and at in for since now who but so as he she too himself herself staff community here there
    on from with or down up over by to yn yng"""
)


def _rest(reading: Reading, i: int, limit: int) -> int:
    for k in range(i, min(i + 6, limit, len(reading.words))):
        if any(c in ".!?;\n" for c in reading.seps[k]):
            break
        if reading.flags[k] & POLICE_WORD or reading.lows[k] in _SAYS_POLICE:
            return UNKNOWN if _belongs_to_another(reading, k) else IS_POLICE
        if reading.lows[k] not in _BRIDGE:
            break
    return UNKNOWN


__all__ = ["Person", "Subject", "find_persons", "is_short_for", "subjects_of"]
