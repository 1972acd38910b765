"""Streams of three purposes have nothing in common, and nothing of a scorer's in them."""

import ast
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import deploy.simulation
from deploy.simulation.names import PART, names_of
from deploy.simulation.places import towns_of
from deploy.simulation.purposes import DATA, PURPOSES, Purpose, read_table
from deploy.simulation.rates import SLICES, draw_rates, table

PAIRS = list(combinations(PURPOSES, 2))


def phrases(table: Any) -> Iterator[str]:
    """Every text in a table that is no code, name of a kind, or unit."""
    if isinstance(table, str):
        yield table.casefold()
    elif isinstance(table, list):
        for entry in table:
            yield from phrases(entry)
    elif isinstance(table, dict):
        for name, entry in table.items():
            if name not in ("about", "code", "units", "categories", "rare_endings"):
                yield from phrases(entry)


def surnames(purpose: Purpose) -> set[str]:
    listed = read_table(purpose, "names")["surnames"].values()
    return {name.casefold() for of in listed for surname, row in of.items() for name in (surname, *row[1:])}


def forenames(purpose: Purpose) -> set[str]:
    return {
        name.casefold()
        for of in read_table(purpose, "names")["forenames"].values()
        for forename, row in of.items()
        for name in (forename, *row.get("spellings", ()), *row.get("short", ()))
    }


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_purposes_share_no_name_in_any_spelling(one: Purpose, other: Purpose) -> None:
    assert not surnames(one) & surnames(other)
    assert not forenames(one) & forenames(other)
    beginnings = [set(read_table(purpose, "names")["rare_beginnings"]) for purpose in (one, other)]
    assert not beginnings[0] & beginnings[1]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_purposes_share_no_town_and_no_street(one: Purpose, other: Purpose) -> None:
    towns = [{town for of in towns_of(purpose).values() for town in of} for purpose in (one, other)]
    assert not towns[0] & towns[1]
    assert not set(read_table(one, "places")["streets"]) & set(read_table(other, "places")["streets"])


@pytest.mark.parametrize("name", ["narratives", "police"])
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_purposes_share_no_phrase(name: str, one: Purpose, other: Purpose) -> None:
    tables = read_table(one, name), read_table(other, name)
    if name == "police":
        for content in tables:
            content["units"] = list(content["units"].values())  # under this name the kinds are left out
            content["words_of_units"] = content.pop("units")
    said = [{phrase for phrase in phrases(content) if phrase} for content in tables]
    assert min(map(len, said)) > 100
    assert not said[0] & said[1]


def test_every_purpose_has_every_force_and_every_strand() -> None:
    forces = json.loads((DATA / "forces.json").read_text())["forces"]
    for purpose in PURPOSES:
        assert set(towns_of(purpose)) == set(forces)
        families = read_table(purpose, "narratives")["families"]
        strands = {code.split(".")[0] for family in families for code in family["categories"]}
        assert strands == {"influence", "advantage", "sexual", "partner_abuse", "hate", "other"}


def test_the_sealed_half_is_half_of_the_names() -> None:
    counts = {purpose: len(names_of(purpose).spellings) for purpose in PURPOSES}
    for purpose, count in counts.items():
        assert abs(count / sum(counts.values()) - PART[purpose]) < 0.05


def test_a_rate_of_one_purpose_is_never_one_of_another() -> None:
    numbers = [number for slices in SLICES.values() for number in slices]
    assert sorted(numbers) == list(range(8))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_rates_are_drawn_from_the_purposes_slices_of_the_table(purpose: Purpose) -> None:
    drawn = [draw_rates(purpose, seed) for seed in range(60)]
    for name, row in table().items():
        slices = row.slices(purpose)
        of_slice = [0] * len(slices)
        for rates in drawn:
            value = getattr(rates, name)
            inside = [low <= value <= high for low, high in slices]
            assert any(inside)
            of_slice[inside.index(True)] += 1
        assert all(of_slice)


def test_every_rate_has_a_meaning_and_a_source() -> None:
    for row in table().values():
        assert row.lowest < row.highest
        assert row.meaning
        assert row.source


def test_the_mean_of_a_rate_is_the_same_for_every_purpose() -> None:
    for purpose in PURPOSES:
        for row in table().values():
            slices = row.slices(purpose)
            mean = sum(low + high for low, high in slices) / 2 / len(slices)
            assert mean == pytest.approx((row.lowest + row.highest) / 2)


def test_the_simulator_imports_nothing_that_a_scorer_reads() -> None:
    """Of the project it imports the words of the API alone: no list of names, no sanitiser, no service."""
    allowed = {"shared.vocabulary", "shared.contracts", "deploy.local.errors", "deploy.simulation"}
    sources = list(Path(deploy.simulation.__file__).parent.glob("*.py"))
    assert len(sources) > 10
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            modules = (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for module in modules:
                if module.split(".")[0] in ("shared", "services", "deploy", "tests"):
                    assert any(module == name or module.startswith(f"{name}.") for name in allowed), source
