"""The vocabulary files: what ships is whole, what a deployment brings is checked."""

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from shared.vocabulary import Country, Duty, VocabularyError, load_vocabulary
from shared.vocabulary.loading import SHIPPED

Rewrite = Callable[[list[dict[str, Any]]], None]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[str, Rewrite], Path]:
    """A deployment's directory with one file: ours, rewritten."""

    def change(name: str, rewrite: Rewrite) -> Path:
        document = json.loads((SHIPPED / f"{name}.json").read_text())
        rewrite(document["entries"])
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
        return tmp_path

    return change


def test_all_forces_of_the_domain_ship() -> None:
    forces = load_vocabulary().forces
    assert len(forces) == 49
    assert forces["police-scotland"].oversight_body == "pirc"
    assert forces["police-scotland"].crime_oversight_body == "copfs"
    assert forces["northern-ireland"].oversight_body == "poni"
    assert forces["hampshire"].oversight_body == "iopc"
    assert forces["unknown"].country is Country.UNKNOWN


def test_all_categories_of_the_domain_ship_under_their_strands() -> None:
    vocabulary = load_vocabulary()
    count = dict.fromkeys(vocabulary.strands, 0)
    for category in vocabulary.categories.values():
        count[category.strand] += 1
    assert count == {"influence": 3, "advantage": 3, "sexual": 6, "partner_abuse": 4, "hate": 7, "other": 11}


def test_criteria_carry_their_duty_and_source_in_law() -> None:
    criteria = load_vocabulary().criteria
    by_duty: dict[Duty, set[str]] = {duty: set() for duty in Duty}
    for criterion in criteria.values():
        by_duty[criterion.duty].add(criterion.code)
    assert by_duty[Duty.RECORD] == {"GRAVITY"}
    assert by_duty[Duty.MAY] == {"VOLUNTARY"}
    assert by_duty[Duty.NOTIFY] == {"VETTING"}
    assert len(by_duty[Duty.MUST]) == 10
    assert criteria["SERIOUS_CORRUPTION"].source.endswith("reg. 4(1)(a)(iii)")


def test_a_vocabulary_is_read_once_and_cannot_be_changed() -> None:
    vocabulary = load_vocabulary()
    assert load_vocabulary() is vocabulary
    with pytest.raises(FrozenInstanceError):
        vocabulary.forces["kent"].name = "x"  # type: ignore[misc]  # what is tested
    with pytest.raises(TypeError):
        vocabulary.forces["atlantis"] = vocabulary.forces["kent"]  # type: ignore[index]  # what is tested


def test_a_deployment_replaces_one_file_and_keeps_the_others(
    changed: Callable[[str, Rewrite], Path],
) -> None:
    atlantis = {"slug": "atlantis", "name": "Atlantis Police", "country": "england", "oversight_body": "iopc"}
    vocabulary = load_vocabulary(changed("forces", lambda entries: entries.append(atlantis)))
    assert vocabulary.forces["atlantis"].local_policing_body is None
    assert vocabulary.categories == load_vocabulary().categories


@pytest.mark.parametrize(
    ("name", "rewrite", "message"),
    [
        (
            "forces",
            lambda e: e[2].update(country="france"),
            r"forces\.json: entry 3 \(cambridgeshire\): country",
        ),
        ("forces", lambda e: e[2].update(colour="red"), r"forces\.json: entry 3 .*colour"),
        ("forces", lambda e: e[2].pop("name"), r"forces\.json: entry 3 .*name"),
        (
            "forces",
            lambda e: e.append(e[0]),
            r"forces\.json: entry 50 \(avon-and-somerset\): stands there twice",
        ),
        ("forces", lambda e: e[0].update(slug="Avon"), r"forces\.json: entry 1 \(Avon\): slug"),
        (
            "forces",
            lambda e: e[0].update(oversight_body="fifa"),
            r"avon-and-somerset: oversight_body: .*fifa",
        ),
        ("forces", lambda e: e.pop(), r"must have the force 'unknown'"),
        (
            "categories",
            lambda e: e[0].update(indicates=["NOTHING"]),
            r"influence\.disclosure: indicates: .*NOTHING",
        ),
        (
            "categories",
            lambda e: e[0].update(strand="hate"),
            r"influence\.disclosure: belongs to its code's strand",
        ),
        ("categories", lambda e: e[0].update(strand="x"), r"influence\.disclosure: strand: there is no x"),
        ("criteria", lambda e: e[0].update(duty="PERHAPS"), r"criteria\.json: entry 1 \(DSI\): duty"),
        ("wishes", lambda e: e.pop(), r"wishes\.json: must have exactly .*differs in only_with_another"),
        (
            "national_categories",
            lambda e: e[0].update(code="I"),
            r"national_categories\.json: .*differs in A, I",
        ),
    ],
)
def test_a_wrong_entry_is_named_with_its_file(
    changed: Callable[[str, Rewrite], Path], name: str, rewrite: Rewrite, message: str
) -> None:
    directory = changed(name, rewrite)
    with pytest.raises(VocabularyError, match=message):
        load_vocabulary(directory)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "channels.json").write_text("{")
    with pytest.raises(VocabularyError, match=r"channels\.json: Invalid JSON"):
        load_vocabulary(tmp_path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="nowhere: no such directory"):
        load_vocabulary(tmp_path / "nowhere")
