"""Schools and workplaces that come with a person: the pupil's school, the place where the caller works."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import (
    ENGLISH,
    GIVEN,
    HARMLESS,
    KIN,
    ORG,
    PLACE,
    POLICE,
    RANK,
    ROLE,
    SCHOOL,
    lexicon,
    words,
)
from shared.sanitiser.reading import Reading, Span, folded

_NAME: Final = r"(?:[A-Z][\w'.\-]{0,30}\s(?:(?:of|the|and|&)\s)?){1,4}"
_SCHOOL: Final = re.compile(
    rf"({_NAME})(?:(?:Primary|High|Secondary|Junior|Infant|Grammar|Comprehensive|Church|Community|Academy|C of E|CofE|RC|Catholic|Special)\s){{0,4}}"
    r"(?:Academy|Primary|School|College|Infants|Juniors|Nursery|Pre-School|Preschool|Grammar|Playgroup|Kindergarten|Sixth Form|Comprehensive)\b"
    r"|\bYsgol\s(?:[A-Z][\w'\-]{0,30}\s?){1,3}"
)
_SCHOOL_HINTS: Final = words(
    "academy primary school college infants juniors nursery pre-school preschool grammar playgroup kindergarten form comprehensive ysgol"
)
_FOR_CHILDREN: Final = words("primary infants juniors infant junior nursery preschool pre-school playgroup")
_NO_SCHOOL: Final = words(
    "police training staff detective sunday law business medical driving royal army national hendon bramshill"
)
_LOWER_SCHOOL: Final = re.compile(
    r"\b(?:goes to|go to|pupil at|student at|teacher at|teach at|works at|at|attends|in year [0-9]+ at|reception at) ((?:st\.? )?[a-z']{3,20}(?: [a-z']{3,20})? (?:primary|academy|infants|juniors|high school|primary school|grammar|nursery))\b"
    r"|\bschool[.,:;]? (st\.? [a-z]+'?s)\b"
)
_EMPLOYED: Final = re.compile(
    r"(?:i|we|i'm|clr|caller|complainant|informant|who|ip|my [a-z\-]+(?: \[name-[0-9]+\])?)"
    r" (?:also |still |only |just |both |used to )?(?:work|works|worked|working|clean|cleans|teach|teaches|volunteer|volunteers|nurse|nurses|manage|manages|run|runs|am a \w+|am an \w+|'m a \w+|is a \w+|am employed|is employed"
    r"|a \w+)(?: (?:part[ -]time|full[ -]time|nights|days|evenings|weekends|there|as an? [a-z ]{3,24})){0,3} (?:at|for|in) (?:the )?"
    r"|(?:my|her|his|their|clr's|caller's) (?:boss|manager|work|workplace|job|employer|employers|shop|salon|cafe|office|firm|line manager) (?:at|is at|is|\(|in|,)+\s?(?:the )?"
)
_WORKERS: Final = words("i we i'm clr caller complainant informant who ip my her his their")
_WORK: Final = words("""work works worked working clean cleans teach teaches volunteer volunteers nurse nurses manage manages run runs employed boss manager
    workplace job employer employers shop salon cafe office firm i'm""")
_JOBS: Final = (
    "cleaner|chef|cook|waiter|waitress|nurse|carer|driver|teacher|clerk|guard|bouncer|receptionist|porter|manager|student|students|pupil|pupils|apprentice"
    "|barista|hairdresser|barber|mechanic|lecturer|solicitor|doctor|dentist|warden|caretaker|volunteer|trustee|barmaid|barman|doorman|steward|packer|picker"
    "|postman|owner|landlord|landlady|supervisor|boss|employee|employed|keyworker|key worker|worker|chaplain|imam|vicar|lifeguard|technician|engineer|consultant"
    "|surgeon|gp|midwife|paramedic|accountant|secretary|treasurer|governor|head|headteacher|deputy head|ta|assistant|operative|operator|shop assistant"
    "|security|shift|placement|internship|kp|baker|butcher|jeweller|florist|bartender|librarian|coach|captain|chair|chairman|director|partner|agent"
)
# `a chef at the Royal`, `her keyworker at Tuke`, `employed by Sparkle`, `goes to school at Elm`
_AT_WORK: Final = re.compile(
    rf"(?:{_JOBS})(?: there)?,? (?:at|for|with|of|to|by|in) (?:the |packhouse |a place called )?"
    r"|(?:works?|worked|working|clean|cleans|cleaning|teach|teaches|taught|volunteers?|nights|days|shifts?|moonlights) (?:as an? \w+ |nights |days |part[ -]time |full[ -]time |shifts |down |over |up |now |still ){0,2}(?:at|for|with) (?:the |packhouse |a place called )?"
    r"|(?:occupation|employer|workplace|place of work|school|college|university|uni|nursery|employed by|employed at|studies at|studying at|enrolled at|study at|studied at"
    r"|pupil at|goes to school at|go to school at|at school at|at nursery at|in school at|at college at|job at|job with)(?: is| was| called|:| =| \(|,|\.){0,2} (?:the )?(?:\w+, (?=[A-Z]))?"
    r"|(?:my|her|his|their|our|clr's|caller's|child's|ip's|son's|daughter's|at) (?:work|workplace|depot|school|college|nursery|uni|university|office|salon|employer|agency|shop|cafe|restaurant|takeaway|garage|surgery|unit|warehouse|choir|club|gym|mosque|church|dry cleaners|business|stall)"
    r"(?: is| called| at|:|,|\.| =)? ?\(?(?:the )?",
    re.IGNORECASE,
)
_AT_WORK_CUES: Final = frozenset(word for job in _JOBS.split("|") for word in job.split()[:1]) | words(
    """work works worked working clean cleans cleaning teach teaches taught volunteer volunteers nights days shift shifts moonlights occupation employer
    workplace place school college university uni nursery employed studies studying enrolled study studied pupil goes go job my her his their
    our clr's caller's clr caller child ip son daughter at"""
)
_WORK_HINTS: Final = _AT_WORK_CUES - words(
    "my her his their our clr's caller's clr caller child ip son daughter at goes go days nights place head"
) | words(
    "depot office salon agency shop cafe restaurant takeaway garage surgery unit warehouse choir club gym mosque church business stall dry"
)
_EMPLOYER: Final = re.compile(
    r"[A-Z][\w'&\-]{0,30}(?:\s(?:(?:and|&|of|the|on|in)\s)?[A-Z][\w'&\-]{0,30}){0,5}(?:(?<=[a-z])\s(?:canteen|library|depot|shop|store|cafe|branch"
    r"|warehouse|kitchen|surgery|school|nursery|office|site|centre|hospital|garage|pub|bar|hotel|restaurant|takeaway|club|gym)\b)?(?:,\s[A-Z][\w'\-]{2,30}(?=\)))?"
)
_NO_EMPLOYER: Final = words(
    "i i'm english maths science law art history music french spanish german physics chemistry monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december mr mrs ms miss dr"
)
_RUN: Final = re.compile(
    r"[A-Z](?:[\w'&\-]|\.(?=\w)){0,30}(?:\s(?:(?:and|&|of|the|on|in)\s)?[A-Z](?:[\w'&\-]|\.(?=\w)){0,30}){0,5}"
)


def schools(reading: Reading) -> Iterator[Span]:
    """Named schools; a college of the police is none."""
    if not reading.has_any(_SCHOOL_HINTS):
        return
    for found in _SCHOOL.finditer(reading.text):
        start = found.start()
        words = found.group().split()
        while words and (_is_sentence_word(words[0]) and len(words) > 2):
            start += len(words[0]) + 1
            words = words[1:]
        lows = {word.lower().strip("'.") for word in words}
        if (
            (lows & _NO_SCHOOL and lows.isdisjoint(_FOR_CHILDREN))
            or len(words) < 2
            or (words[0].lower() in {"the", "my", "his", "her"} and len(words) == 2)
        ):
            continue
        yield Span(start, found.start() + len(found.group().rstrip()), "school")
    for found in _LOWER_SCHOOL.finditer(reading.low):
        group = 1 if found.group(1) else 2
        if not set(found.group(group).split()) & (
            _NO_SCHOOL | {"the", "my", "his", "her", "their", "our", "a", "same", "local", "that"}
        ):
            yield Span(found.start(group), found.end(group), "school")


def _is_sentence_word(word: str) -> bool:
    f = lexicon().get(folded(word.lower()), 0)
    return bool(f & ENGLISH and not f & GIVEN and word.lower() in _BEGINNINGS)


_BEGINNINGS: Final = words(
    "the at in when my she he they his her our and but then i to from a year so also on"
)


_BUSINESS: Final = re.compile(
    rf"({_NAME})(?:Ltd|Limited|LLP|plc|PLC|Nails|Opticians|Dental(?: Practice)?|Surgery|Medical Centre|Medical Practice|Tyres|Roofing|Cakes|Barbers"
    r"|Hairdressers|Hair|Salon|Lettings|Solicitors|Plumbing|Builders|Scaffolding|Taxis|Cars|Motors|Autos|Cleaning|Care Home|Nursing Home|Cleaners|Launderette|Florists|Vets)\b"
)
_BUSINESSES: Final = words("""ltd limited llp plc nails opticians dental surgery centre practice tyres roofing cakes barbers hairdressers hair salon lettings solicitors plumbing
    builders scaffolding taxis cars motors autos cleaning home cleaners launderette florists vets""")


def businesses(reading: Reading) -> Iterator[Span]:
    """Small firms by the last word of their names: whoever works or shops there is soon found."""
    if not reading.has_any(_BUSINESSES):
        return
    for found in _BUSINESS.finditer(reading.text):
        words = found.group().split()
        start = found.start()
        while len(words) > 2 and words[0].lower() in _BEGINNINGS:
            start += len(words[0]) + 1
            words = words[1:]
        if words[0].lower() not in _BEGINNINGS:
            yield Span(start, found.end(), "workplace")


def workplaces(reading: Reading) -> Iterator[Span]:
    """Where the caller works, by name. A town or a police station stays."""
    if reading.has_any(_WORK_HINTS) and not reading.is_caseless:
        yield from _at_work(reading)
    if not reading.has_any(_WORK):
        return
    for found in reading.matches(_EMPLOYED, _WORKERS):
        run = _RUN.match(reading.text, found.end())
        if run is None:
            continue
        words = run.group().split()
        flags = [lexicon().get(folded(word.lower().strip(",.'")), 0) for word in words]
        if any(f & (POLICE | RANK) for f in flags) or all(f & (PLACE | HARMLESS) for f in flags):
            continue
        if len(words) == 1 and not reading.low[found.start() : found.end()].rstrip().endswith(
            (" at", "(", " for")
        ):
            continue
        yield Span(run.start(), run.start() + len(run.group().rstrip(" .,")), "workplace")


def _at_work(reading: Reading) -> Iterator[Span]:
    """The capitals after a job, a school or a shift at a place; a town, a police station or a person is none."""
    for found in reading.matches(_AT_WORK, _AT_WORK_CUES):
        run = _EMPLOYER.match(reading.text, found.end())
        if run is None:
            continue
        name = run.group().rstrip(" .,")
        parts = [folded(part.lower().strip(",.'")) for part in name.split()]
        flags = [lexicon().get(part, 0) for part in parts]
        if parts[0] in _NO_EMPLOYER or any(f & (POLICE | RANK) for f in flags):
            continue
        if all(
            f & (PLACE | HARMLESS | GIVEN) or part in {"and", "of", "the"}
            for f, part in zip(flags, parts, strict=True)
        ):
            continue
        if _is_of_officer(reading, found.start()):
            continue
        if len(parts) == 1 and not (flags[0] & (ORG | SCHOOL) or not flags[0]) and not name.endswith("'s"):
            continue
        yield Span(run.start(), run.start() + len(name), "workplace")


def _is_of_officer(reading: Reading, position: int) -> bool:
    """`the wee polis on nights at Bell Street`: where an officer works is a station."""
    i = bisect_left(reading.starts, position)
    for k in range(i - 1, max(-1, i - 7), -1):
        if any(c in ".!?\n" for c in reading.seps[k + 1]) or reading.flags[k] & (KIN | ROLE):
            return False
        if reading.flags[k] & (POLICE | RANK):
            return True
    return False
