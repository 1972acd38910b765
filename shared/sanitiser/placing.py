"""Police or private: what the words beside one mention say of the person.

Police: a rank, a collar number or a police word beside the name, a label of a form's section on the officer, or a
sentence that says so of the person (`Shane. He's a police officer`). Private: who says it of themselves, and who is
named as the caller or a victim. A police word of another body (`welfare officer`), of another person (`the
inspector's lad`) or of a thing (`the police van`) says nothing.
"""

import re
from typing import Final

from shared.sanitiser.lexicon import CALLER, KIN, NICKNAME, ORG, PLACE, POLICE, RANK, ROLE, words
from shared.sanitiser.reading import Reading
from shared.sanitiser.walk import POLICE_WORD, Mention

PRIVATE: Final = -1
UNKNOWN: Final = 0
LIKELY_POLICE: Final = 1
IS_POLICE: Final = 2


_BRIDGE: Final = words("""a an the my our your his her their is was who s he she he's she's hes shes that's and also in at of with for from by
    serving retired former ex new local same other duty on traffic response neighbourhood community beat firearms custody
    special acting temporary senior young old big tall female male lady lad man bloke woman works worked working now then
    as been being said i'm it it's me says well still actually is's not really both are were be to called named one custody
    full time part day a's trainee probationary probationer student cid off plain clothes plainclothes uniform uniformed
    nights london met officer's wee undercover armed off-duty on-duty off duty known only bent so-called another
    they boy girl guy chap fella kid chief scene call calls him her them name name's surname names our""")
_NOT_POLICE: Final = words("not isn't isnt no wasn't never")
_SAYS_POLICE: Final = words("job force forces met")
_MOST_BRIDGE: Final = 7


def evidence_beside(
    reading: Reading, mention: Mention, found: list[tuple[int, Mention]], n: int, at: int
) -> int:
    """What the words beside a mention say of the person."""
    if mention.is_self:
        return PRIVATE
    if mention.rank:
        return PRIVATE if _is_victim(reading, mention) else IS_POLICE
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
        or _answers(reading, mention)
    )


_VICTIM: Final = "(?:the |our |also the |a )?(?:victim|complainant|caller|informant|ip|aggrieved|injured party|survivor|referrer|one he assaulted)"
_IS_VICTIM: Final = re.compile(
    rf"(?:,? \(?[0-9]{{2}}\)?)?[,\s\-(:]{{1,3}}(?:that(?:'s| is)? me\b|thats me\b|myself\b|i am (?:her|him)\b|self[ \-]?(?:id|ref|rep)"
    rf"|(?:who|she|he)(?:'s| is| was)? {_VICTIM}\b|is {_VICTIM}\b|as {_VICTIM}\b|{_VICTIM}(?=[,.)])"
    r"|whom? (?:he|she|they)(?: has| had)? (?:assault|groped?|touch|harass|rape|stalk|hit|hurt|bull|target|abus|attack|message|text)"
    r"|(?:my|the caller's|clr's) (?:wife|husband|partner|daughter|son|girlfriend|boyfriend|sister|brother|mum|dad|mother|father)\b)"
)
_VICTIM_BEFORE: Final = re.compile(
    rf"(?:\A|[^\w]){_VICTIM}(?: is| was| =|,)? (?:[a-z/]{{2,12}}\.? |[a-z]?[0-9]{{2,6}} ){{1,3}}\Z"
)


def _is_victim(reading: Reading, mention: Mention) -> bool:
    """`PC Izzy Tranter, 22, who is the victim`, `PC 4471 McAusland - that's me`: an officer whom the text tells as harmed
    or as calling."""
    start, end = reading.starts[mention.title], reading.ends[mention.last]
    return bool(_IS_VICTIM.match(reading.low, end) or _VICTIM_BEFORE.search(reading.before(start, 48)))


def _answers(reading: Reading, mention: Mention) -> int:
    """`The officer is an ex of mine. Matt Hale.`: a name that is a sentence by itself, after one on an officer."""
    i, after = mention.title, mention.last + 1
    if not i or mention.is_kin or reading.seps[i] not in {". ", "? "}:
        return UNKNOWN
    if after < len(reading.words) and reading.seps[after][0] not in ".,":
        return UNKNOWN
    begin = i - 1
    while begin and i - begin < _LONGEST_SENTENCE and not any(c in ".!?;\n" for c in reading.seps[begin]):
        begin -= 1
    is_of_officer = reading.lows[begin] in {"the", "officer", "he's", "she's", "it's", "this"} and any(
        f & POLICE_WORD for f in reading.flags[begin : begin + 3]
    )
    return LIKELY_POLICE if is_of_officer and "called" not in reading.lows[begin:i] else UNKNOWN


_LONGEST_SENTENCE: Final = 14


def _is_caller(reading: Reading, mention: Mention) -> bool:
    """`Caller Jane Hale`, `Complainant: J. Hale`, `IP is her sister Ann`; not what a caller says in a transcript."""
    i = mention.title - 1
    if i < 0 or not reading.flags[i] & CALLER or (i and reading.lows[i - 1] in {"of", "to", "by"}):
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
        if low == "rep" and not {"fed", "federation"}.isdisjoint(reading.lows[max(0, i - 4) : i]):
            return IS_POLICE
        if low == "shift" and "there's" in reading.lows[i : mention.title]:
            return LIKELY_POLICE
        if low == "ch" and not reading.flags[i + 1] & RANK:
            return UNKNOWN  # a child
        if low == "special" and steps < 2 and i and reading.lows[i - 1] == "a":
            return IS_POLICE
        if f & POLICE_WORD:
            if steps and _ON_DUTY.issuperset(reading.lows[i + 1 : mention.title]):
                return IS_POLICE
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
        elif (
            f & (PLACE | ORG) and reading.words[i][0].isupper() and reading.lows[mention.title - 1] in _CALLS
        ):
            pass  # `a sergeant from Grantham called Amos`
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
_ON_DUTY: Final = words("on at the scene duty attending present involved arresting responding in attendance")
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
        if low in {"shift", "relief"} and i > 1 and reading.lows[i - 2] in {"on", "from"} and steps < 4:
            return IS_POLICE
        if f & KIN and i and reading.lows[i - 1] in {"her", "his", "my", "their"}:
            return UNKNOWN  # `Sandra, her fella is a detective`
        if f & POLICE_WORD:
            if _belongs_to_another(reading, i):
                return UNKNOWN
            if (
                f & RANK
                and following
                and not {"called", "named"}.isdisjoint(reading.lows[i + 1 : min(following.title, i + 6)])
            ):
                return UNKNOWN  # `Ann, a sergeant from Leeds called Amos`
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
