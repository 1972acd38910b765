"""Codes of letters and digits that lead to a person: postcode, national insurance, driving licence."""

import re
from collections.abc import Iterator
from typing import Final

from shared.sanitiser.lexicon import words
from shared.sanitiser.numbers import CONTEXT, IS
from shared.sanitiser.reading import Reading, Span

_AREAS: Final = words("""ab al b ba bb bd bf bh bl bn br bs bt bx ca cb cf ch cm co cr ct cv cw da dd de dg dh dl dn dt dy e ec
    eh en ex fk fy g gl gu gy ha hd hg hp hr hs hu hx ig im ip iv je ka kt kw ky l la ld le ll ln ls lu
    m me mk ml n ne ng nn np nr nw ol ox pa pe ph pl po pr rg rh rm s sa se sg sk sl sm sn so sp sr ss
    st sw sy ta td tf tn tq tr ts tw ub w wa wc wd wf wn wr ws wv yo ze""")
_POSTCODE: Final = re.compile(
    r"(?<![A-Za-z0-9])([A-Za-z]{1,2})[0-9][A-Za-z0-9]?[\s.\-]{0,2}"
    r"([0-9O][ABD-HJLNP-UW-Zabd-hjlnp-uw-z]{2})(?![A-Za-z0-9])"
)


def postcodes(reading: Reading) -> Iterator[Span]:
    """Full postcodes."""
    yield from (Span(found.start(), found.end(), "postcode") for found in _postcodes(reading))


def inward_codes(reading: Reading) -> Iterator[Span]:
    """The second half of full postcodes: the first alone is a district of thousands of addresses."""
    yield from (Span(found.start(2), found.end(), "postcode") for found in _postcodes(reading))


def _postcodes(reading: Reading) -> Iterator[re.Match[str]]:
    for found in reading.around_digits(_POSTCODE, 1, 2):
        if found.group(1).lower() in _AREAS:
            yield found


_INSURANCE: Final = re.compile(
    r"(?<![A-Za-z0-9])([A-Z]{2})([\s.\-/]{0,2})[0-9]{2}(?:[\s.\-/]{0,2}[0-9]{2}){2}"
    r"(?:[\s.\-/]{0,2}[A-D])?(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_DIGITS_OF_INSURANCE: Final = 6
_COMPACT: Final = re.compile(r"[A-Za-z]{2}[0-9]{6}[A-Za-z]\Z")
_SAYS_INSURANCE: Final = re.compile(rf"\b(?:national insurance|n\.?i\.?|nino){IS}")
_NEVER_A_PREFIX: Final = words("bg gb kn nk nt tn zz")
_RANKS: Final = words("pc ps cs ci")


def national_insurance_numbers(reading: Reading) -> Iterator[Span]:
    """National insurance numbers; without their label only in capitals or in one piece, for `PC 123456 a`
    or `on 120320 a` are none."""
    if reading.digits < _DIGITS_OF_INSURANCE:
        return
    for found in reading.around_digits(_INSURANCE, 2, 4):
        prefix, gap = found.groups()
        number = found.group()
        labelled = _SAYS_INSURANCE.search(reading.before(found.start(), CONTEXT))
        is_officer = gap and prefix.lower() in _RANKS
        has_suffix = number[-1].isalpha()
        if labelled or (
            has_suffix
            and not is_officer
            and prefix.lower() not in _NEVER_A_PREFIX
            and (number.isupper() or _COMPACT.match(number))
        ):
            yield Span(found.start(), found.end(), "national-insurance")


_DIGITS_OF_LICENCE: Final = 7
_LICENCE: Final = re.compile(
    r"(?<![A-Za-z0-9])[A-Z9]{5}\s?[0-9]{6}\s?[A-Z9]{2}[0-9][A-Z]{2}(?![A-Za-z0-9])", re.IGNORECASE
)


def driving_licences(reading: Reading) -> Iterator[Span]:
    """Numbers of driving licences, which hold surname and date of birth."""
    if reading.digits >= _DIGITS_OF_LICENCE and any(end - start >= 6 for start, end in reading.digit_runs):
        for found in reading.around_digits(_LICENCE, 1, 6):
            yield Span(found.start(), found.end(), "driving-licence")
