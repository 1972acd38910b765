"""Numbers by which a body knows a person: passports, permits, prisoners, staff, patients, accounts of members.

What names an event and not a person stays: crime, CAD, custody, log and case references, GUIDs of videos.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import words
from shared.sanitiser.numbers import DATES
from shared.sanitiser.reading import Reading, Span

_CODE: Final = r"([a-z]{0,4}[ /\-]?[0-9][0-9 /\-]{1,14}[0-9](?:[ /\-]?[a-z]{1,2}\b)?|[a-z]{0,4}[0-9]{2,12}[a-z]{0,3})(?![0-9])"
_WORDS: Final = (
    "passport|visa|brp|biometric residence permit|residence permit|arc|asylum|home office|pnc|pncid|cro|prison|prisoner"
    "|inmate|hmp|payroll|staff|employee|personnel|patient|hospital|student|membership|member|ticket|tenancy|rent"
    "|universal credit|benefit|claim|policy|licence|license|badge|library|loyalty|gym|driver|taxi|council tax"
    "|dbs|crn|operator|soldier|housing|council|port|ho|nass|nmc|gmc|gdc|hcpc|sia|ucas|pass|id|id card|identity|blue badge|army|service"
)
_LABELLED: Final = re.compile(
    rf"(?:{_WORDS})(?: (?:card|form|pass|badge|account|reference|ref|holder)){{0,3}}"
    r"(?:(?:'s)? (?:no|number|numbers|num|nr|id|pin|ref|reference)\b\.?| (?:no|nr)\b\.?){1,3}(?:\s?[:=#\-]| is| was| as|,| it's){0,4}\s?"
    + _CODE
)
_STRAIGHT: Final = re.compile(
    r"(?:passport|visa(?: form)?|brp|arc(?: card)?|pnc(?: ?id)?|cro|prison|nomis|gwf|nino)(?:\s?[:=#\-]| is| was| no){0,4}\s?"
    r"([a-z]{0,4}[ /\-]?[0-9](?=[0-9a-z /\-]{0,12}[0-9]{2})[0-9a-z/\-]{2,14}(?: [0-9]{2,6}){0,3})"
)
_MINE: Final = re.compile(
    r"(?:my|caller's|clr's|complainant's) (?:own )?(?:collar|warrant|shoulder|staff|badge|payroll|service|force|pay|employee|officer"
    r"|epaulette|licence|taxi|plate|union|pin)(?: card)?(?: (?:no|number|num|id)\b\.?)?(?:\s?[:=\-]| is| was|,){0,4}\s?"
    + _CODE
)
_OWN_NUMBER: Final = re.compile(
    r"(?:i'm|im)(?: a)?(?: (?:pc|dc|ps|sgt|number|no|officer|police constable|sergeant|constable)\.?)?(?:[^.\n\d]{0,60}\b(?:warrant|collar|shoulder) (?:no|number)\.?)? ?([0-9]{3,6}[a-z]{0,2})\b(?! (?:years|weeks|miles|months|days|times|quid|pounds))"
)
_EXTENSION: Final = re.compile(
    r"(?:ext|extension|crn|payroll|dx)\.?(?:'s| is|:)? ?((?:[a-z]{1,2} ?)?[0-9]{3,7})\b"
)
_BEFORE: Final = re.compile(
    r"\b([a-z]{0,3} ?[0-9]{3} ?[0-9]{3,6})\b,? (?:this |that |it |that's )?(?:is |was )?(?:my |the )?(?:passport|visa|brp)"
)
_FORMATS: Final = re.compile(
    r"(?<![A-Za-z0-9/\-])(?:[A-Z]{2}[0-9]{7}|GWF[0-9]{9}|[A-Z]{3}/[0-9]{2}/[0-9]{4,6}(?:/[A-Z])?|A[0-9]{4}[A-Z]{2}"
    r"|[0-9]{2,4}/[0-9]{5,7}[A-Z])(?![A-Za-z0-9/\-])"
)


_LABELS: Final = frozenset(word for label in _WORDS.split("|") for word in label.split()[:1])
_DIRECT: Final = words("passport visa brp arc pnc pncid cro prison nomis gwf nino")
_BADGES: Final = words(
    "collar warrant shoulder staff badge payroll service force pay employee officer epaulette licence taxi plate union pin"
)
_OWN: Final = frozenset(("my", "caller", "clr", "complainant"))
_SELF: Final = frozenset(("i'm", "im"))
_EXTENSIONS: Final = frozenset(("ext", "extension", "crn", "payroll", "dx"))
_PAPERS: Final = frozenset(("passport", "visa", "brp"))


def identity_numbers(reading: Reading) -> Iterator[Span]:
    """Numbers of passports, permits, prisoners, staff and patients, by their label or their form."""
    if reading.digits < 3:
        return
    low = reading.low
    found_all = [
        *reading.matches(_LABELLED, _LABELS),
        *reading.matches(_STRAIGHT, _DIRECT),
        *(reading.matches(_MINE, _OWN) if reading.has_any(_BADGES) else ()),
        *reading.matches(_OWN_NUMBER, _SELF),
        *reading.matches(_EXTENSION, _EXTENSIONS),
        *(_BEFORE.finditer(low) if reading.has_any(_PAPERS) else ()),
    ]
    if found_all:
        for found in found_all:
            code = found.group(1)
            if sum(map(str.isdecimal, code)) >= 3 and not DATES.search(code):
                start = found.start(1) + len(code) - len(code.lstrip(" /-"))
                yield Span(start, found.start(1) + len(code.rstrip(" /-")), "identity-number")
    if any(end - start > 3 for start, end in reading.digit_runs):
        for found in reading.around_digits(_FORMATS, 0, 4):
            yield Span(found.start(), found.end(), "identity-number")
