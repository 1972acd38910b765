"""What holds for every text: it never raises, twice is once, offsets fit, hostile length costs no more.

Google's own matcher for telephone numbers is asked afterwards whether it still finds one.
"""

import time
import unicodedata

import phonenumbers
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from shared.sanitiser.reading import MARKER, Reading, Span
from shared.sanitiser.text import KINDS, Field, TextKind, sanitise, sanitise_texts

KIND: st.SearchStrategy[TextKind] = st.sampled_from(["narrative", "officer", "unit", "place", "reference"])
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
    *(
        "my wife Priya ",
        "Tom\u00e1s ",
        "Jose\u0301 ",
        "Mr ",
        "Mrs ",
        "Caller: ",
        "\nHandler: ",
        "Hi ",
        "sgt ",
        "called ",
    ),
    *(
        "he's a policeman",
        "mate ",
        "Grace ",
        "Will ",
        "May ",
        "Street ",
        "Leeds ",
        "in ",
        "the ",
        "[name-1]",
        "[name-2] ",
    ),
    *(
        "flat 3, ",
        "number 9 ",
        "School ",
        "I work at ",
        "passport no ",
        "\u200b",
        "\u0301",
        "\ufe0f\u20e3",
        "\uff11",
    ),
    *(
        "b. ",
        "3/4/1981",
        "ref ",
        "4444 ",
        "room ",
        "ward ",
        "wing ",
        "saith ",
        "minus ",
        ".com/",
        "share code ",
        "exp ",
    ),
    *("[", "]", "[name]", "[phone]", "[phone] ", "[address]", " ", ", ", ".", "\n", "-", "\u0130", "\ud800"),
)
TEXT = st.text(st.characters(codec=None), max_size=60) | st.lists(
    st.sampled_from(PIECES) | st.text(max_size=3), max_size=25
).map("".join)


SUBJECTS = st.lists(
    st.sampled_from(["PC David C", "Jane Smith", "Sgt Priest", "", "PC 1234", "Grace"]), max_size=2
)


@given(TEXT, KIND, SUBJECTS)
@example("my Instagram is jane_s99", "narrative", [])
@settings(max_examples=200, deadline=None)
def test_twice_is_once(text: str, kind: TextKind, subjects: list[str]) -> None:
    once = sanitise(text, kind, subjects).text
    again = sanitise(once, kind, subjects)
    assert (again.text, again.redactions) == (once, ())


@given(TEXT, KIND)
@settings(max_examples=150, deadline=None)
def test_the_redactions_tell_how_the_text_was_made(text: str, kind: TextKind) -> None:
    """No marker without its span, and no span without its marker."""
    sanitised = sanitise(text, kind)
    made, position = "", 0
    for one in sanitised.redactions:
        assert position <= one.start < one.end <= len(text)
        assert one.kind in KINDS
        assert MARKER.fullmatch(one.marker)
        made += text[position : one.start] + one.marker
        position = one.end
    assert made + text[position:] == sanitised.text


@given(TEXT)
@settings(max_examples=200, deadline=None)
def test_no_span_parts_a_character_from_its_marks(text: str) -> None:
    for one in sanitise(text).redactions:
        following = text[one.end : one.end + 1]
        assert not (following and unicodedata.category(following) in {"Mn", "Me"} and following > "\u02ff")


@given(st.text(st.characters(codec=None), max_size=80) | TEXT)
@settings(max_examples=300, deadline=None)
def test_the_way_back_is_exact_for_any_text(text: str) -> None:
    """Spans of the reading follow each other in the text as sent as they do in the reading."""
    reading = Reading(text)
    position = 0
    for at in range(len(reading.text)):
        sent = reading.as_sent(Span(at, at + 1, "name"))
        assert 0 <= sent.start < sent.end <= len(text)
        assert sent.start >= position or reading.as_sent(Span(at - 1, at, "name"))[:2] == sent[:2]
        position = max(position, sent.start)
        plain = reading.text[at]
        if plain.isascii() and plain.isalnum() and text[sent.start].isascii() and text[sent.start].isalnum():
            assert text[sent.start] == plain
    assert len(reading.low) == len(reading.text)
    for start, end, word in zip(reading.starts, reading.ends, reading.words, strict=True):
        assert reading.text[start:end] == word


@given(TEXT, st.lists(st.integers(0, 200), max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_reading_with_markers_is_the_reading_of_the_text_with_markers(text: str, cuts: list[int]) -> None:
    """The second reading is put together from the first; a token more or less would part the two for ever."""
    reading = Reading(text)
    places = sorted({*reading.starts[:2], *reading.ends[:2], *(cut for cut in cuts if cut <= len(text))})
    replacements = [
        (start, end, "[name-1]")
        for start, end in zip(places[0::2], places[1::2], strict=False)
        if start < end
    ]
    assume(reading.text == text)
    put_together = reading.replaced(replacements)
    anew = Reading(put_together.sent)
    for name in (
        "text",
        "low",
        "words",
        "lows",
        "flags",
        "seps",
        "starts",
        "ends",
        "digit_runs",
        "is_caseless",
    ):
        assert getattr(put_together, name) == getattr(anew, name), name


NAMES = ("Priya Nair", "Siobhan Keane", "Kwame Mensah", "Agnieszka Pawlak", "Gurpreet Sandhu")
SAID = (
    "My name is {}.",
    "My neighbour {} saw it.",
    "{} rang me.",
    "He hit {}.",
    "I told {} and Ann.",
    "It was the kids of {}.",
)


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(SAID)), min_size=1, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
@settings(max_examples=100, deadline=None)
def test_one_person_has_one_number_in_all_fields(sentences: list[tuple[str, str]], apart: list[bool]) -> None:
    fields = [Field("")]
    for (name, sentence), is_new in zip(sentences, apart, strict=False):
        told = sentence.format(name)
        fields = [*fields, Field(told)] if is_new else [*fields[:-1], Field(f"{fields[-1].text} {told}")]
    numbers: dict[str, set[int]] = {}
    for field, sanitised in zip(fields, sanitise_texts(fields), strict=True):
        for one in sanitised.redactions:
            if (name := field.text[one.start : one.end]) in NAMES:
                numbers.setdefault(name, set()).add(one.person)
        assert not any(name in sanitised.text for name in NAMES)
    assert all(len(of_one) == 1 for of_one in numbers.values()), (fields, numbers)
    assert len({number for of_one in numbers.values() for number in of_one}) == len(numbers), (
        fields,
        numbers,
    )


@given(TEXT, TEXT)
@settings(max_examples=60, deadline=None)
def test_the_same_texts_give_the_same_answer(one: str, other: str) -> None:
    fields = (Field(one), Field(other, "place"))
    assert sanitise_texts(fields) == sanitise_texts(fields)


HIDDEN = (
    ("My name is Jose\u0301 Garci\u0301a.", "Garci"),
    ("I live at 12\nHigh Street.", "High"),
    ("at \uff33\uff37\uff11\uff21 \uff11\uff21\uff21 now", "\uff21\uff21"),
    ("near S\u200bW1A 1\u200bAA now", "1\u200bAA"),
    (
        "ring " + "".join(f"{digit}\ufe0f\u20e3" for digit in "07700900123"),
        "9",
    ),
    ("My n\u0430me is Pauline Kerr.", "Pauline"),
    ("my name is J\u0336a\u0336n\u0336e\u0336 Smith", "J\u0336"),
    ("I live at 12\u00a0\u00a0High\u00a0Street.", "High"),
    ("my name is \U0001d40f\U0001d42b\U0001d422\U0001d432\U0001d41a", "\U0001d40f"),
)


@pytest.mark.parametrize(("text", "hidden"), HIDDEN)
def test_nothing_hides_behind_typography(text: str, hidden: str) -> None:
    assert hidden not in sanitise(text).text


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
@example("NC", 290100, phonenumbers.PhoneNumberFormat.INTERNATIONAL, "{}")
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
    *(
        "Priya Nair, ",
        "Mrs ",
        "PC ",
        "sgt dave ",
        "a policeman called ",
        "12 High ",
        "flat 3, ",
        "number 9 ",
        "School ",
        "passport ",
    ),
    *(
        "\u0301",
        "e\u0301",
        "\u200b",
        "\uff11 ",
        "\n",
        "\u00a0",
        "my name is",
        "Jane and ",
        "called ",
        "I work at ",
        "St ",
    ),
    *(
        "K.W.",
        "p r y ",
        "Fred, ",
        "4444 ",
        "papa oscar ",
        "a chef at ",
        "Elm Farm ",
        "forty two ",
        "[name-1], The ",
        "نام ",
    ),
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
