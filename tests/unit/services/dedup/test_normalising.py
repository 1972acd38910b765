"""Names, numbers, units, places and days come into one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dedup.domain.features import dump, load
from services.dedup.domain.normalising import collar_number_of, features_of, name_of, places_of, unit_of
from services.dedup.domain.phonetics import sound_of
from shared.contracts.complaint import SanitisedComplaint, SanitisedIncident, SanitisedSubject
from tests.unit.services.dedup.examples import features


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PC David C", ("", "david", "dc")),
        ("DC", ("", "", "dc")),
        ("J. K.", ("", "", "jk")),
        ("Det. Sgt Smith", ("smith", "", "")),
        ("SMITH, John Paul", ("smith", "john", "jp")),
        ("Inspector Ann van der Berg", ("vanderberg", "ann", "a")),
        ("Siobhán O'Brien", ("obrien", "siobhan", "s")),
        ("James Bailey Jr.", ("bailey", "james", "j")),
        ("[name removed]", ("", "", "")),
        ("PC", ("", "", "pc")),
        ("the officer", ("", "", "")),
        ("", ("", "", "")),
        (None, ("", "", "")),
    ],
)
def test_a_name_is_taken_apart(text: str | None, expected: tuple[str, str, str]) -> None:
    assert name_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1234 AB", "1234ab"), ("00417", "417"), ("unknown", ""), ("[number removed]", ""), (None, "")],
)
def test_a_collar_number_has_a_digit(text: str | None, expected: str) -> None:
    assert collar_number_of(text) == expected


def test_units_and_places_are_their_telling_words() -> None:
    assert unit_of("Basingstoke Police Station, 007 Team") == unit_of("7 team of basingstoke")
    assert places_of("beat 0713, 60636-1234") == ("60636", "beat 713")
    assert places_of("outside the Tesco in Winton Street") == ("winton", "tesco")
    assert places_of("the road") == ()


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
        subjects=(SanitisedSubject.model_construct(name=name, unit=place, description=description),),
        incident=SanitisedIncident.model_construct(place=place),
        allegations=(),
        wish="pass_on",
    )
    found = features_of(body, "group")
    assert load(dump(found)) == found


def test_features_of_another_form_are_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="form 99"):
        load(b"[99]")
