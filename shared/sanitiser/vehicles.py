"""Registrations of vehicles that are not the officer's.

A registration stays only where its sentence says that the vehicle is the police's or the officer's own: `police
van`, `marked BMW`, `his car`, `driven by the sergeant`. The nearest word that says whose it is decides. Where
nothing says, it goes.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.languages import is_other_language
from shared.sanitiser.lexicon import words
from shared.sanitiser.reading import Reading, Span

_PLATE: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{2}[ \-]?[0-9]{2}[ \-.]{0,2}[A-Z]{3}|[A-Za-z]{2}[0-9]{2}[ \-]?[A-Za-z]{3}|[A-Z][0-9]{1,3}[\s\-][A-Z]{3}|[A-Z][0-9]{2,3}[A-Z]{3}"
    r"|[a-z][0-9]{1,3} [a-z]{3}|[A-Z]{3}[\s\-]?[0-9]{1,3}[A-Z]|[A-Z]{1,3}\s?[0-9]{3,4})(?![A-Za-z0-9])"
)
_NEW_FORM: Final = re.compile(r"(?:[A-Za-z]{2}[ \-]?[0-9]{2}[ \-.]{0,2}[A-Za-z]{3})\Z")
_OLD_FORM: Final = re.compile(r"[A-Z]{1,3}\s?[0-9]{1,4}\Z")
_SAYS_PLATE: Final = re.compile(
    r"\b(?:reg|registration|plate|plates|vrm|index)\W{1,4}(?:(?:number|no|num|is|was)\W{1,4}){0,4}\Z"
)
_VEHICLE: Final = (
    r"(?:car|cars|van|bike|motorbike|motor|vehicle|veh|lorry|truck|taxi|cab|hackney|minicab|scooter|moped|minibus|bus|caravan|trailer|campervan"
    r"|plate|plates|reg|registration|vrm|index|number)"
)
_OWNERS: Final = re.compile(
    r"\b(?:(?P<mine>my|mine|our|ours|own reg|clr|clrs|caller|callers|complainant|victim|client|resident|tenant|ip|informant|her|hers"
    r"|mum's|mam's|mom's|dad's|da's|nan's|gran's|son's|daughter's|sister's|brother's|mate's|friend's|neighbour's|partner's|wife's|husband's"
    r"|girlfriend's|boyfriend's|auntie's|aunt's|uncle's|cousin's|ex's|boss's|landlord's|hackney|taxi|cab|motability|courtesy car|hire car"
    r"|(?:i|we|i'm|we're) (?:was |were )?(?:drive|drove|driving|own|owned|had|have|in)|\[name-[0-9]+\](?:'s)?)"
    r"|(?P<theirs>(?:police|patrol|marked|unmarked|undercover|undercover's|panda|job|cruiser|response|traffic|carrier|riot|plainclothes|armed|firearms|dog|bilays|heddlu|siren|anpr)\b"
    rf"|his|their|theirs|he|he's|hes|they|(?:officer|officers|ofcr|ofcrs|offr|pc|cop|cops|copper|coppers|sgt|sergeant|inspector|constable|policeman|bobby)(?:'s|s'|')(?= (?:\w+ ){{0,3}}{_VEHICLE})"
    r"|(?:officer|pc|sgt|sergeant|inspector|constable|policeman|copper|cop)(?:\s[\w'\-]+){0,3}? (?:drives|drove|driving|was driving|was in|came in|turned up in|pulled up in|parked|owns)))(?![\w'])"
)
_NEAR: Final = 90
_AFTER: Final = 60
_IS_MINE_AFTER: Final = re.compile(
    r"[\s,)(]*(?:(?:is|was|belongs|it's|its|which is|that's|thats)\s(?:to )?(?:mine|my|ours|our|me)\b|mine\))"
)
_IS_THEIRS_AFTER: Final = re.compile(
    r"[\s,)(]*(?:is|was|that is|it's|which|that's|thats|the one)?\s?(?:what |the one )?(?:he|they|his|police|(?<=what )(?:pc|dc|ps|ds|di|sgt|sergeant|insp|officer)|(?<=which )(?:pc|dc|ps|ds|di|sgt|sergeant|insp|officer)|the police|(?:driven|used|owned|registered) (?:by|to) (?:the |an? )?(?:he|him|pc|dc|ps|ds|sgt|sergeant|officer|constable|inspector|police))\b"
)
_POLICE_AFTER: Final = re.compile(
    r"\b(?:police|riot|unmarked|marked|patrol|bilays|polis|heddlu)\b|\bjob (?:car|van|vehicle|bike|motor)\b"
)
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s)|\n")
_FEMALE: Final = words("her hers")
_RANKED: Final = re.compile(
    r"\b(?:pc|dc|ps|ds|di|wpc|sgt|sergeant|inspector|insp|constable|officer|policewoman|pcso)\b"
)


_ALPHABET: Final = (
    "alpha|alfa|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform"
    "|victor|whiske?y|x-?ray|yankee|zulu"
)
_ONE: Final = rf"(?:{_ALPHABET}|zero|oh|o|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|sixty|seventy|[0-9]{{1,3}})"
_SAID: Final = re.compile(rf"(?:{_ALPHABET})(?:,? {_ONE}){{3,8}}\b")
_SAID_LETTERS: Final = words(" ".join(_ALPHABET.replace("?", "").split("|"))) | {"juliet", "whisky", "xray"}


def vehicles(reading: Reading) -> Iterator[Span]:
    """Registrations of private vehicles, by the words around them, also spelled with `papa oscar six nine`."""
    if reading.has_any(_SAID_LETTERS):
        for found in reading.matches(_SAID, _SAID_LETTERS):
            letters = sum(word in _SAID_LETTERS for word in re.split(r",? ", found.group()))
            if (
                letters >= 3
                and letters < len(found.group().split())
                and _is_private(reading.low, *found.span(), reading)
            ):
                yield Span(found.start(), found.end(), "vehicle")
    if not reading.digits:
        return
    low = reading.low
    for found in reading.around_digits(_PLATE, 1, 3):
        start, end = found.span()
        if not _NEW_FORM.match(found.group()):
            before = reading.before(start, _NEAR)
            if _OLD_FORM.match(found.group()) and not _SAYS_PLATE.search(before):
                continue
            if not re.search(rf"\b{_VEHICLE}\b", before[-50:]):
                continue
        if _is_private(low, start, end, reading):
            yield Span(start, end, "vehicle")


def _is_private(low: str, start: int, end: int, reading: Reading) -> bool:
    after = _SENTENCE_END.split(low[end : end + _AFTER], maxsplit=1)[0]
    if _IS_MINE_AFTER.match(after):
        return True
    if _IS_THEIRS_AFTER.match(after) or _POLICE_AFTER.search(after):
        return False
    sentence = _SENTENCE_END.split(low[max(0, start - _NEAR) : start])[-1]
    owner = None
    for found in _OWNERS.finditer(sentence):
        owner = found
    if owner is None:
        return not is_other_language(reading)  # of another language a person looks at it
    if owner.group() in _FEMALE:
        return not _RANKED.search(sentence, 0, owner.start())
    return owner.lastgroup == "mine"
