"""Places that somebody belongs to by the words before: `works weekends down at Rocket Kitchen`, `her nan's in Tuke Villas`.

The nearest word that ties a person to a place decides: a word for working, living, learning, playing or praying, or a
relative right before it. An officer's word in between ties the place to the officer, and it stays. So does a town.
"""

from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import (
    CALLER,
    ENGLISH,
    GIVEN,
    HARMLESS,
    KIN,
    MONTH,
    PLACE,
    ROLE,
    TITLE,
    places,
    public_names,
    words,
)
from shared.sanitiser.reading import Reading, Span
from shared.sanitiser.walk import AFTER_A_PLACE, ANY_GIVEN, POLICE_WORD, STOP

_BEFORE: Final = words(
    "at in for with from to of on by near behind above below over opposite outside off inside round around up down @ yn ym w na la chez"
)
_HOME: Final = words(
    """halls live lives lived living reside resides resided residing stay stays staying lodge lodges lodging moved moves moving rent rents
    renting rented dwell kip kips sleeps crashes crashing housed placed refuge hostel shelter moored mooring pitch byw mieszka mieszkam
    mieszkamy locuieste locuiesc vive habite oturuyor"""
)
_TIES: Final = _HOME | words(
    """work works worked working job jobs shift shifts nights earlies lates employed employer boss gaffer manager supervisor apprentice
    apprenticed clean cleans cleaning cook cooks waitress waitressing barmaid barman volunteer volunteers volunteering teach teaches
    taught teacher lecturer nurse nurses carer chef cook porter receptionist attend attends attending attended pupil student studies
    studying study enrolled schooled sings sing sang dances dance dancing plays playing trains training worships prays praying
    member congregation choir elder trustee owner owns own runs run manages manage managing founder partner pastor minister imam vicar
    priest mechanic stall farm farms crofts barber hairdresser groom deckhand skipper postman postie driver placement placements
    secretary treasurer caretaker governor patient resident tenant pracuje pracuja lucreaza lucrez trabaja trabalha travaille calisiyor
    wkg wks wrks play played collects delivers deliver packs picks packing volunteered captains coaches coach referees umpires doors"""
)
_LINKS: Final = words(
    "is s was are were now back still who currently also just 's both all off sick up down over out away there her his the"
)
_HERE: Final = words("i'm im we're i we me")
_FARTHEST: Final = 7
_EXACTLY: Final = words("at for with @ from in")
_JOINS: Final = words("of the and on in y yr o'")


def whereabouts(reading: Reading) -> Iterator[Span]:
    """Named places, firms and clubs that a private person belongs to."""
    if reading.is_caseless or not (reading.has_any(_HINTS) or "[name-" in reading.low):
        return
    done = -1
    for i in _begins(reading):
        if i <= done or not reading.words[i][0].isupper() or reading.lows[i] in STOP - {"the"}:
            continue
        before = i - 1
        if reading.lows[before] == "the" and reading.seps[i] == " ":
            before -= 1
        if before < 0 or not _leads(reading, before, i):
            continue
        end = _end(reading, i)
        done = end
        home = _tie(reading, before)
        if (
            home is None
            or not _is_exact(reading, i, end)
            or (i == end and reading.lows[before] not in _EXACTLY)
        ):
            continue
        yield Span(reading.starts[i], reading.ends[end], "address" if home else "workplace")


_HINTS: Final = _TIES | _HERE


def _begins(reading: Reading) -> list[int]:
    """The tokens after a preposition, with or without `the`, after a verb of running and after a sign for `at`."""
    count = len(reading.words)
    found: set[int] = set()
    for at in reading.tokens(_BEFORE_NAME):
        found.update(i for i in (at + 1, at + 2) if i < count)
    if "@" in reading.low or "=" in reading.low:
        found.update(i for i in range(1, count) if reading.seps[i] in _SIGNS)
    return sorted(found)


def _leads(reading: Reading, before: int, i: int) -> bool:
    """Whether a preposition, a sign for `at` or a verb of running stands before the name."""
    if reading.seps[i] in _SIGNS:
        return True
    return reading.seps[before + 1] == " " and (
        reading.lows[before] in _BEFORE or (reading.lows[before] in _RUNNING and before + 1 <= i)
    )


_SIGNS: Final = frozenset((" @ ", " = "))
_RUNNING: Final = words(
    "run runs ran running manage manages managed managing own owns owned owning attend attends attended attending"
)


_BEFORE_NAME: Final = _BEFORE | _RUNNING


def _end(reading: Reading, i: int) -> int:
    """The last token of the name that begins there."""
    end = i
    while end + 1 < len(reading.words) and end - i < 6:
        after = end + 1
        word, sep = reading.words[after], reading.seps[after]
        if (
            sep in {" ", " & ", "-"}
            and word[0].isupper()
            and not reading.flags[after] & POLICE_WORD
            and word != "I"
        ) or (sep == "'" and reading.lows[after] == "s"):
            end = after
        elif (
            sep == " "
            and reading.lows[after] in _JOINS
            and after + 1 < len(reading.words)
            and reading.seps[after + 1] == " "
            and reading.words[after + 1][0].isupper()
            and reading.words[after + 1] != "I"
        ):
            end = after + 1
        else:
            break
    after = end + 1
    if (
        after < len(reading.words)
        and reading.seps[after] == " "
        and reading.flags[after] & AFTER_A_PLACE & ~POLICE_WORD
    ):
        end += not reading.flags[after] & POLICE_WORD
    return end


def _tie(reading: Reading, before: int) -> bool | None:
    """Whether the nearest word before that ties somebody to a place is one for a home; None if there is none."""
    linked = True
    crosses = reading.words[before][0].isupper()  # `I groom his horses. At Plumpton Stables`
    for k in range(before, max(-1, before - _FARTHEST), -1):
        if k != before and any(c in ".!?;\n" for c in reading.seps[k + 1]):
            if not crosses:
                return None
            crosses = False
        low, f = reading.lows[k], reading.flags[k]
        if f & POLICE_WORD or (low in {"he's", "she's", "hes", "shes"} and not linked):
            return None
        if low in _TIES:
            is_loose = reading.lows[before] == "on" and k < before - 1  # `runs the cafe on the Golden Mile`
            return None if is_loose or _is_officers(reading, k) else low in _HOME
        if low.startswith("[name-"):
            return False if linked and _is_subject(reading, k) else None
        if k == before:
            if low == "for" and "i" in reading.lows[max(0, k - 4) : k]:
                return False  # `I do it for Hestia House`
            if reading.seps[k + 1] not in _SIGNS:
                continue
        if (
            linked
            and reading.lows[before] in {"at", "@", "of"}
            and (low in {"i'm", "im", "we're"} or f & (KIN | ROLE | CALLER))
        ):
            return None if _is_officers(reading, k) else False
        # `[name-1] sails at Polvellan`: at most one word of a habit, right before the preposition.
        linked = linked and (low in _LINKS or (k == before - 1 and low.endswith("s") and len(low) > 4))
    return None


def _is_subject(reading: Reading, i: int) -> bool:
    """`Her cousin [name-1] sails at`, `[name-1], at`; not `he hit [name-1] at`, which is where it happened."""
    return (
        not i
        or reading.seps[i] not in {" ", " ("}
        or bool(reading.flags[i - 1] & (KIN | ROLE | CALLER))
        or reading.lows[i - 1] in {"and", "is", "s", "who", "but", "so", "because"}
    )


def _is_officers(reading: Reading, i: int) -> bool:
    """`the sergeant works at Leigh`: an officer is nearer than anybody else."""
    for k in range(i - 1, max(-1, i - 7), -1):
        if any(c in ".!?\n" for c in reading.seps[k + 1]):
            return False
        low, f = reading.lows[k], reading.flags[k]
        if f & (KIN | ROLE | CALLER) or low in _HERE or low == "my":
            return False
        if f & POLICE_WORD:
            return True
    return False


def _is_exact(reading: Reading, i: int, end: int) -> bool:
    """Whether the name is more exact than a town, and none of the police, of a brand or of a day."""
    flags, lows = reading.flags[i : end + 1], reading.lows[i : end + 1]
    joined = " ".join(lows)
    if joined in places() or joined in public_names() or any(f & POLICE_WORD for f in flags):
        return False
    if (
        end + 1 < len(reading.words)
        and reading.seps[end + 1] == " "
        and (reading.flags[end + 1] & POLICE_WORD or reading.lows[end + 1] in _POLICE_AFTER)
    ):
        return False
    if reading.words[end].isdecimal() or any(f & MONTH and not f & GIVEN for f in flags):
        return False
    if flags[0] & ANY_GIVEN and not flags[-1] & AFTER_A_PLACE and lows[-1] != "s":
        return False  # a person, who is masked as one
    if lows[0] in {"op", "operation"} or flags[0] & TITLE or lows[-1] in _POLICE_AFTER:
        return False
    named = [f for f, low in zip(flags, lows, strict=True) if low not in _JOINS and low != "s"]
    if all(f & (PLACE | HARMLESS) for f in named):
        return False
    return not (len(named) == 1 and named[0] & ENGLISH and lows[-1] != "s")


_POLICE_AFTER: Final = words("station nick stn cells custody response cid team section division")
