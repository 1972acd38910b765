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
    r"(?:(?:'s)? (?:no|number|numbers|num|nr|id|pin|ref|reference)\b\.?| (?:no|nr)\b\.?){1,3}(?:\s?[:=#\-]| is\b| was\b| as\b|,| it's\b){0,4}\s?"
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
    r"(?:i'm|im|i am)(?: a)?(?: (?:serving|police))?(?: (?:pc|dc|ps|sgt|number|no|officer|police constable|sergeant|constable)\.?)?(?:[^.\n\d]{0,60}\b(?:warrant|collar|shoulder|force|badge|epaulette)(?: (?:no|number)\b\.?)?(?: is|:|,)?)? ?((?:[a-z] )?[0-9]{3,6}[a-z]{0,2})\b(?! (?:years|weeks|miles|months|days|times|quid|pounds))"
)
# `my clinic number RX 4451 09`: whatever the caller calls a number of the caller's own, but for those of the event.
_CALLERS_OWN: Final = re.compile(
    r"(?:my|our|clr's|caller's|complainant's|client's|patient's|her mum's|my mum's|my son's|my daughter's) "
    r"(?!(?:[\w'\-]+ ){0,2}(?:crime|incident|cad|log|custody|case|complaint|police|court|report|ref|reference|event|call)\b)"
    r"(?:[\w'\-]{2,20} ){0,2}(?:number|no|id|card|account|membership|tenancy|policy|permit|pin|code)\b\.?(?: (?:number|no|id)\b\.?)?"
    r"(?:\s?[:=#\-]| is\b| was\b|,| it's\b){0,3}\s?([a-z]{0,4}[ /\-]?[0-9][0-9a-z]{0,9}(?:[ /\-][0-9][0-9a-z]{0,9}){0,4}(?:[/\-][a-z]{1,2}\b)?)(?![\w])"
)
_EXTENSION: Final = re.compile(
    r"(?:ext|extension|crn|payroll|dx)\.?(?:'s| is|:)? ?((?:[a-z]{1,2} ?)?[0-9]{1,7})\b"
)
# Papers and things of a person in several languages, whose code has letters, digits, blanks and slashes.
_THINGS: Final = (
    "passport|paszport|paszportu|pasaport|pasaportul|pasaportum|passeport|passaporte|pasaporte|reisepass|visa|brp|arc|booking|reservation|order|parcel"
    "|tracking|invoice|frame|chassis|vin|serial|imei|sim|microchip|chip|share|council|port|housing|tenancy|rent|policy|claim|pension|widow|student"
    "|enrolment|payslip|wristband|cph|holding|seaman's|seafarer's|seaman|discharge|nmc|gmc|gdc|sia|hcpc|ofsted|swe|cscs|oyster|railcard|season|membership|loyalty|hackney"
    "|plate|lic|licence|asylum|sığınma|dosya|uan|ucas|uln|utr|cis|charity|k"
)
_CODE_OF_THING: Final = r"((?:[a-z]{1,5}[ /\-]){0,2}[a-z]{0,5}[0-9][a-z0-9]{0,14}(?:[ /\-](?=[a-z0-9]{0,8}[0-9])[a-z0-9]{1,10}){0,5}(?:[/\-][a-z]{1,2}\b)?)(?![\w])"
_OF_THING: Final = re.compile(
    rf"(?:{_THINGS})(?:(?:'s)? (?:no|nr|number|numbers|num|ref|reference|code|id|pin|book|card|badge|pass|lic|licence|form|account|permit)\b\.?){{1,3}}"
    r"(?:\s?[:=#,\-]| is\b| was\b| as\b| it's\b| he has\b| she has\b| i have\b| mera\b| hai\b){0,3}\s?"
    + _CODE_OF_THING
    + r"|(?:passport|paszport|paszportu|pasaport|pasaportul|pasaportum|passeport|passaporte|pasaporte|reisepass|brp|arc|cph|vin|imei|nmc|gmc|gdc|hcpc|sia)(?: [\w\-]{3,20})?"
    r"(?:\s?[:=#,\-]| is| was){0,3}\s?" + _CODE_OF_THING
)
_THING_WORDS: Final = frozenset(_THINGS.split("|"))
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
_WHOSE: Final = frozenset(("my", "our", "clr", "caller", "complainant", "client", "patient", "her"))
_OWN: Final = frozenset(("my", "caller", "clr", "complainant"))
_SELF: Final = frozenset(("i'm", "im", "i"))
_EXTENSIONS: Final = frozenset(("ext", "extension", "crn", "payroll", "dx"))
_PAPERS: Final = frozenset(("passport", "visa", "brp"))


def identity_numbers(reading: Reading) -> Iterator[Span]:
    """Numbers of passports, permits, prisoners, staff and patients, by their label or their form."""
    if not reading.digits:
        return
    low = reading.low
    found_all = [
        *reading.matches(_LABELLED, _LABELS),
        *reading.matches(_STRAIGHT, _DIRECT),
        *reading.matches(_OF_THING, _THING_WORDS),
        *(reading.matches(_MINE, _OWN) if reading.has_any(_BADGES) else ()),
        *reading.matches(_OWN_NUMBER, _SELF),
        *reading.matches(_EXTENSION, _EXTENSIONS),
        *reading.matches(_CALLERS_OWN, _WHOSE),
        *(_BEFORE.finditer(low) if reading.has_any(_PAPERS) else ()),
    ]
    if found_all:
        for found in found_all:
            group = found.lastindex or 1
            code = found.group(group)
            digits = sum(map(str.isdecimal, code))
            is_extension = found.re is _EXTENSION
            is_code = digits >= 3 or is_extension or (digits == 2 and len(code) >= 6 and " " not in code)
            if is_code and not DATES.search(code):
                start = found.start(group) + len(code) - len(code.lstrip(" /-"))
                yield Span(start, found.start(group) + len(code.rstrip(" /-")), "identity-number")
    if any(end - start > 3 for start, end in reading.digit_runs):
        for found in reading.around_digits(_FORMATS, 0, 4):
            yield Span(found.start(), found.end(), "identity-number")
