"""What holds for every text: it never raises, twice is once, offsets fit, hostile length costs no more.

Google's own matcher for telephone numbers is asked afterwards whether it still finds one.
"""

import re
import time
from collections.abc import Iterator, Mapping

import phonenumbers
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.sanitiser.reading import Reading
from shared.sanitiser.text import KINDS, Sanitised, TextKind, sanitise
from shared.sanitiser.words import words

KIND: st.SearchStrategy[TextKind] = st.sampled_from(["narrative", "officer", "place"])
PIECES = (
    *("my name is ", "I'm ", "I am ", "this is ", "i live at ", "my address is ", "regards,\n", "my son "),
    *("Jane", "jane", "Smith", "van ", "PC ", "David C", " and ", " calling", "12 ", "Acacia ", "Avenue"),
    *("07700", "900123", "+44", "(0)", "1", "12/03/2020", "2019 ", "AB", "12 34 56 ", "C", "SW1A ", "1AA"),
    *(
        "seven ",
        "double ",
        "oh ",
        "@",
        "jane@",
        "example",
        ".com",
        " at ",
        " dot ",
        "https://",
        "www.",
        "::1",
    ),
    *(
        "i go by ",
        "my house is at ",
        "yours truly, ",
        "i, ",
        "caller, ",
        "please call me ",
        "surname: ",
        "\u00e9",
    ),
    *("my car ", "AB12 CDE", "crime ref ", "cad ", "born on ", "dob ", "my insta is ", "call me on "),
    *("[", "]", "[name]", "[phone]", "[phone] ", "[address]", " ", ", ", ".", "\n", "-", "\u0130", "\ud800"),
)
TEXT = st.text(st.characters(codec=None), max_size=60) | st.lists(
    st.sampled_from(PIECES) | st.text(max_size=3), max_size=25
).map("".join)


@given(TEXT, KIND)
@example("my Instagram is jane_s99", "narrative")
@settings(max_examples=200)
def test_twice_is_once(text: str, kind: TextKind) -> None:
    once = sanitise(text, kind).text
    assert sanitise(once, kind) == Sanitised(once, ())


@given(TEXT, KIND)
@settings(max_examples=150)
def test_the_redactions_tell_how_the_text_was_made(text: str, kind: TextKind) -> None:
    sanitised = sanitise(text, kind)
    made, position = "", 0
    for one in sanitised.redactions:
        assert position <= one.start < one.end <= len(text)
        assert one.kind in KINDS
        made += f"{text[position : one.start]}[{one.kind}]"
        position = one.end
    assert made + text[position:] == sanitised.text


def sanitised_everywhere(text: str, kind: TextKind) -> Sanitised:
    """With every pattern tried at every character, whatever words the text has."""

    def after(reading: Reading, phrases: Mapping[str, frozenset[str]]) -> Iterator[int]:
        for phrase in phrases:
            yield from (
                found.end(1) for found in re.finditer(rf"(?<![\w'\u2019])(?=({phrase}))", reading.low)
            )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reading, "has_any", lambda *_: True)
        patch.setattr(Reading, "mine", lambda self, pattern: pattern.finditer(self.low))
        patch.setattr(Reading, "after", after)
        return sanitise(text, kind)


@given(TEXT, KIND)
@settings(max_examples=200)
def test_looking_only_where_its_words_are_misses_nothing(text: str, kind: TextKind) -> None:
    assert sanitise(text, kind) == sanitised_everywhere(text, kind)


LIVE = words("live lives lived living reside resides resided residing stay stays stayed staying")
HOMES = (
    *("house", "home", "flat", "apartment", "bungalow", "bedsit", "room", "place", "property", "hostel"),
    *("front door", "doorstep", "parents' house", "parents\u2019 home", "own house"),
)
NAMES = ("name", "names", "full name", "surname", "surnames", "forename", "forenames", "maiden-name")
SITES = (
    *("facebook", "fb", "instagram", "twitter", "tiktok", "linkedin", "snapchat", "threads", "youtube"),
    *("reddit", "onlyfans", "pinterest", "tumblr", "telegram", "discord"),
)
SPEAKING = ("calling", "speaking", "here", "ringing", "phoning", "writing")
WITH_ONE_TRACE = (
    *(f"He knows that I {verb} at 12 Acacia Avenue." for verb in sorted(LIVE)),
    *(f"He came to my {home} at 12 Acacia Avenue." for home in HOMES),
    *(f"My {name} is Jane." for name in NAMES),
    *(f"{label}: Jane" for label in ("Name", "Surname", "Full name")),
    *(f"I am {called} Jane." for called in ("called", "named", "known as")),
    *("I go by Jane.", "People call me Jane.", "Everyone calls me Jane.", "My address is 12 Acacia Avenue."),
    *(
        f"{opening} Jane Smith, {word}."
        for word in SPEAKING
        for opening in ("This is", "Hello. It's", "It is")
    ),
    *(f"Jane Smith {word}." for word in SPEAKING),
    *(f"He wrote to {site}.com/jane.smith there." for site in SITES),
    *(
        f"He wrote to {short}/jane there."
        for short in ("x.com", "t.me", "wa.me", "fb.me", "youtu.be", "linktr.ee")
    ),
    *("He wrote to http://a.b there.", "He wrote to zhttps://a.b there.", "He wrote to zwww.a there."),
    *(f"He wrote to jane at example.{top}." for top in ("com", "net", "org", "co.uk", "uk", "co")),
    *(f"He wrote to jane[at]example dot {top} there." for top in ("info", "me", "io", "ie", "eu", "fr")),
    *(f"He wrote to jane @ example dot {top} there." for top in ("de", "us", "gov", "ac")),
    *("zero one two three four five eight", "hundred hundred hundred hundred seventy"),
    *("I'm Jane Smith.", "I\u2019m Jane.", "Im Jane.", "I am Jane.", "I, Jane Smith, was there."),
    *(f"The {caller}, Jane Smith, was there." for caller in ("caller", "complainant", "informant")),
    *(
        f"He left.\n{closing}\nJane"
        for closing in ("Regards,", "Yours truly,", "Many thanks,", "Signed by:", "Love,")
    ),
    *(
        "My sister Ann saw it.",
        "Our son Tom saw it.",
        "My insta is jane_s99.",
        "It is my snapchat: jane_s99.",
    ),
)


@pytest.mark.parametrize("text", WITH_ONE_TRACE)
def test_every_word_that_a_trace_is_found_by_is_looked_for(text: str) -> None:
    sanitised = sanitise(text)
    assert sanitised == sanitised_everywhere(text, "narrative")
    assert len(sanitised.redactions) == 1, sanitised


FORMATS = [
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.NATIONAL,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
]


def numbers_found(text: str, leniency: int) -> list[str]:
    """What Google's matcher takes for a telephone number, of the length that we take out anywhere."""
    found = phonenumbers.PhoneNumberMatcher(text, "GB", leniency=leniency)
    return [one.raw_string for one in found if sum(c.isdecimal() for c in one.raw_string) >= 9]


@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.integers(0, 10**6 - 1),
    st.sampled_from(FORMATS),
    st.sampled_from(["{}", "ring {}.", "ask ({}) or", "it is:{},", "PC 1234 rang {} at 10:30", "{}\n{}"]),
)
@settings(max_examples=200)
def test_no_number_of_any_country_is_left_in_any_common_form(
    region: str, last: int, form: int, sentence: str
) -> None:
    model = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if model is None or model.national_number is None:
        return
    model.national_number = model.national_number // 10**6 * 10**6 + last
    international = region != "GB" and form == phonenumbers.PhoneNumberFormat.NATIONAL
    written = phonenumbers.format_number(
        model, phonenumbers.PhoneNumberFormat.INTERNATIONAL if international else form
    ).removeprefix("tel:")
    kept = sanitise(sentence.format(written, written)).text
    if sum(c.isdecimal() for c in written) >= 9:
        assert str(model.national_number)[-6:] not in "".join(c for c in kept if c.isdecimal())
        assert numbers_found(kept, phonenumbers.Leniency.POSSIBLE) == []


@given(st.text(alphabet="0123456789 +-.()/\n", max_size=60))
@settings(max_examples=200)
def test_no_valid_number_is_left_among_digits(text: str) -> None:
    assert numbers_found(sanitise(text).text, phonenumbers.Leniency.VALID) == []


LONGEST = 20_000
SECONDS = 5  # takes a tenth of a second; what grows with the square takes minutes
HOSTILE = [
    *(
        "a",
        "1",
        "1 ",
        "1-",
        "1,1,",
        "(1",
        "07",
        "a.",
        "a@",
        "a-",
        "a'",
        "[",
        "[phone]",
        "1[phone] ",
        "\ud800",
    ),
    *("my name is ", "my name is Aa ", "I am ", "I'm Jane ", "Aa ", "van der ", "Jane [name] ", "regards,\n"),
    *("my address is ", "my address is 99999", "i live at 1 ", "i live at a b c d e ", "9 a street "),
    *("seven ", "double ", "zero seven ", "a dot ", "a at b dot ", "a (at) b (dot) ", "http://", "www."),
    *("ab 12 34 56 c ", "SW1A 1AA ", "99999", "1.1.1.1.", "a:", "::1 ", "my car AB12 CDE ", "dob 1 "),
    *("crime ref number ", "cad 123 ", "my insta is ab ", "@jane", "my son Tom ", "this is Jane ", "\u0130"),
]
PREFIXES = ["", "my name is ", "my address is ", "my insta is "]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_hostile_text_takes_no_longer_than_its_length_accounts_for(prefix: str) -> None:
    # Each unit by itself, and behind one of the others: a text of this length takes its time.
    units = HOSTILE[PREFIXES.index(prefix) :: len(PREFIXES) - 1] if prefix else HOSTILE
    for unit in units:
        text = (prefix + unit * LONGEST)[:LONGEST]
        started = time.perf_counter()
        sanitise(text)
        assert time.perf_counter() - started < SECONDS, (prefix, unit)


@given(st.lists(st.sampled_from((*HOSTILE, *PREFIXES)), min_size=500, max_size=1500).map("".join))
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_mixture_of_hostile_text_is_read_in_the_same_time(text: str) -> None:
    started = time.perf_counter()
    kept = sanitise(text)
    assert time.perf_counter() - started < SECONDS
    assert sanitise(kept.text).text == kept.text
