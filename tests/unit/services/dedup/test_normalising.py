"""Numbers, units, places, plates, looks and days come into one spelling."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dedup.domain.features import FORM, Officer, dump, load
from services.dedup.domain.normalising import (
    collar_number_of,
    description_of,
    features_of,
    places_of,
    rank_of,
    unit_of,
    vehicle_of,
)
from services.dedup.domain.phonetics import sound_of
from shared.contracts.complaint import SanitisedComplaint, SanitisedIncident, SanitisedSubject
from tests.unit.services.dedup.examples import features


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234 AB", "1234ab"),
        ("1234-ab", "1234ab"),
        ("QX 44716", "qx44716"),
        ("00417", "417"),
        ("PC 4471", "4471"),
        ("PC4471", "4471"),
        ("collar 4471", "4471"),
        ("no. 4471", "4471"),
        ("44??", "44"),
        ("44..", "44"),
        ("**71", "71"),
        ("44xx", "44"),
        ("ends in 71", "71"),
        ("starts with 44", "44"),
        ("4471 or 4477", "4471"),
        ("unknown", ""),
        ("not seen", ""),
        ("N/A", ""),
        ("[number removed]", ""),
        ("0000", ""),
        ("999", ""),
        ("-", ""),
        (None, ""),
    ],
)
def test_a_collar_number_has_a_digit(text: str | None, expected: str) -> None:
    assert collar_number_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Basingstoke Police Station, 007 Team", ("7 basingstoke", "")),
        ("7 team of basingstoke", ("7 basingstoke", "")),
        ("Hove nick", ("hove", "")),
        ("Hove Police Station", ("hove", "")),
        ("Basingstoke response", ("basingstoke", "response")),
        ("999 team Basingstoke", ("basingstoke", "response")),
        ("CID Leeds", ("leeds", "detectives")),
        ("Leeds Criminal Investigation Department", ("leeds", "detectives")),
        ("roads policing unit", ("", "roads")),
        ("Traffic", ("", "roads")),
        ("PaDP", ("", "protection")),
        ("Parliamentary and Diplomatic Protection", ("", "protection")),
        ("not known", ("", "")),
        ("police", ("", "")),
        ("police car", ("", "")),
        ("[unit]", ("", "")),
        (None, ("", "")),
    ],
)
def test_a_unit_is_its_place_and_its_duties(text: str | None, expected: tuple[str, str]) -> None:
    assert unit_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Station Road, Leeds", ("station road", "leeds")),
        ("Leeds Station Rd", ("station road", "leeds")),
        ("14 High St., Hove", ("high street", "hove")),
        ("outside the Tesco in Winton Street", ("winton street", "tesco")),
        ("Winton Str", ("winton street",)),
        ("beat 0713, 60636-1234", ("beat-713", "60636")),
        ("Kempton Yard, Basingstoke", ("kempton yard", "basingstoke")),
        ("somewhere in Hove", ("hove",)),
        ("the road", ()),
        ("in the street", ()),
        ("the police station", ()),
        ("not sure", ()),
        ("N/A", ()),
        (None, ()),
    ],
)
def test_a_place_is_its_streets_and_its_other_telling_words(
    text: str | None, expected: tuple[str, ...]
) -> None:
    assert places_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AB12 CDE", "ab12cde"),
        ("ab12cde", "ab12cde"),
        ("AB12-CDE", "ab12cde"),
        ("white Transit, AB12 CDE", "ab12cde"),
        ("ABO2 CDE", "ab02cde"),
        ("K123 ABC", "k123abc"),
        ("AB12", "ab12"),
        ("police car", ""),
        ("marked BMW", ""),
        ("unknown", ""),
        (None, ""),
    ],
)
def test_a_vehicle_is_its_plate(text: str | None, expected: str) -> None:
    assert vehicle_of(text) == expected


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("tall, shaved head", ("hair none", "height tall")),
        ("bald", ("hair none",)),
        ("stocky, ginger, Scottish accent", ("accent scottish", "build heavy", "hair red")),
        ("heavy-set, limped", ("build heavy", "mark limp")),
        ("tattooed arm", ("mark tattoo",)),
        ("in uniform", ()),
        ("not sure", ()),
        (None, ()),
    ],
)
def test_a_description_is_its_traits(text: str | None, looks: tuple[str, ...]) -> None:
    assert description_of(text)[0] == looks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PC", "constable"),
        ("A/Sgt", "sergeant"),
        ("Acting Inspector", "inspector"),
        ("DCI", "inspector"),
        ("Chief Constable", "chief officer"),
        ("PCSO", "staff"),
        ("unknown", ""),
    ],
)
def test_a_rank_is_its_grade(text: str, expected: str) -> None:
    assert rank_of(text) == expected


def test_a_rank_and_a_number_in_the_name_count() -> None:
    (officer,) = features(subjects=[{"name": "Sgt 4471 Brockway"}]).officers
    assert (officer.rank, officer.collar_number, officer.either) == ("sergeant", "4471", "brockway")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("smith", "smyth"),
        ("philips", "fillips"),
        ("knight", "night"),
        ("wright", "rite"),
        ("thompson", "thomson"),
        ("clarke", "clark"),
        ("reade", "reid"),
        ("stephens", "stevens"),
    ],
)
def test_names_that_sound_alike_share_a_code(one: str, other: str) -> None:
    assert sound_of(one) == sound_of(other)


def test_names_that_sound_different_do_not() -> None:
    assert len({sound_of(name) for name in ("smith", "jones", "patel", "brown", "okonjo", "begum")}) == 6


def test_only_who_is_accused_or_failed_to_act_is_matched() -> None:
    roles = ("accused", "failed_to_act", "witness", "mentioned")
    found = features(subjects=[{"role": role, "name": "Ann Other"} for role in roles])
    assert [officer.subject for officer in found.officers] == [0, 1]


def test_an_officer_without_a_force_is_of_the_incidents() -> None:
    found = features(subjects=[{"name": "Ann Other"}], incident={"force": "kent"})
    assert found.officers[0].force == "kent"
    assert features(incident={"force": "unknown"}).force == ""


@given(
    name=st.text(max_size=30),
    place=st.text(max_size=60),
    narrative=st.text(min_size=1, max_size=300),
    description=st.text(max_size=60),
)
def test_any_text_has_features_and_they_survive_storing(
    name: str, place: str, narrative: str, description: str
) -> None:
    body = SanitisedComplaint.model_construct(
        channel="web",
        narrative=narrative,
        subjects=(
            SanitisedSubject.model_construct(
                name=name, unit=place, description=description, collar_number=name, vehicle=name, rank=place
            ),
        ),
        incident=SanitisedIncident.model_construct(place=place),
        allegations=(),
        wish="pass_on",
    )
    found = features_of(body, "group")
    assert load(dump(found)) == found


def test_features_of_the_form_before_are_still_read() -> None:
    """An index that was not rebuilt yet, or that an older process writes to beside this one."""
    officer = [0, "brockway", "alan", "a", "brkw", "4471", "kent", "dover", "constable", "", ["tall"], 0, 0]
    before = [
        1,
        "group",
        "pass_on",
        "kent",
        737000,
        737000,
        ["dover"],
        ["other.drugs"],
        [officer],
        9,
        [],
        [7],
    ]
    read = load(orjson.dumps(before))
    assert read.officers == (
        Officer(
            0, "brockway", "alan", "a", sound="brkw", collar_number="4471", force="kent", unit="dover",
            rank="constable", words=("tall",),
        ),
    )  # fmt: skip
    assert (read.first_day, list(read.mentions), list(read.content)) == (737000, [7], [])
    assert load(dump(read)) == read


def test_features_of_another_form_are_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="form 99"):
        load(f"[{FORM + 97}]".encode())
