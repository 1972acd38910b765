"""A rule table that is wrong does not get as far as a case."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.referral.domain.rules.table import NEWEST, RulesError, load_rules
from shared.vocabulary import load_vocabulary

VOCABULARY = load_vocabulary()


def test_the_table_that_ships_has_every_criterion_of_the_vocabulary() -> None:
    assert {rule.code for rule in load_rules(VOCABULARY).criteria} == set(VOCABULARY.criteria)


def test_what_a_category_can_indicate_has_a_rule() -> None:
    """What the vocabulary allows for and no rule uses would be a rule that was forgotten."""
    named = {
        (rule.code, entry.code)
        for rule in load_rules(VOCABULARY).criteria
        for entry in rule.indicated_by.categories
    }
    left_out = {
        (code, category.code)
        for category in VOCABULARY.categories.values()
        for code in category.indicates
        if (code, category.code) not in named
    }
    # Death and injury are told by their own answer, for any category; the others are left to people.
    assert {pair for pair in left_out if pair[0] != "DSI"} == {
        ("SERIOUS_CORRUPTION", "advantage.other"),
        ("SERIOUS_CORRUPTION", "other.failure_to_act_on_report"),
        ("VOLUNTARY", "other.property"),
        ("VOLUNTARY", "other.other"),
        ("GRAVITY", "other.other"),
    }


def _without_dsi(table: dict[str, Any]) -> None:
    table["criteria"] = [rule for rule in table["criteria"] if rule["code"] != "DSI"]


def _first(**members: Any) -> Any:
    def change(table: dict[str, Any]) -> None:
        table["criteria"][0] |= members

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_without_dsi, "criteria"),
        (_first(duty="MAY"), "DSI: has another duty"),
        (_first(source="somewhere"), "DSI: has another source"),
        (_first(deadline=None), "DSI: what must be referred needs a deadline"),
        (_first(deadline="some_day"), "DSI: there is no deadline some_day"),
        (_first(weight=-1), "weight"),
        (_first(more=1), "more"),
        (_first(indicated_by={}), "DSI: nothing indicates it"),
        (_first(indicated_by={"categories": [{"code": "hate.racist"}]}), "DSI: hate.racist cannot"),
        (_first(indicated_by={"categories": [{"code": "no.such"}]}), "DSI: there is no category"),
        (_first(indicated_by={"risk": ["rain"]}), "risk"),
        (_first(indicated_by={"ranks": [{"rank": "PC"}]}), "small letters"),
        (lambda table: table["approval"]["strands"].append("none"), "approval"),
        (lambda table: table["deadlines"].append(table["deadlines"][0]), "deadlines"),
    ],
)
def test_a_wrong_table_is_refused_by_name(tmp_path: Path, change: Any, named: str) -> None:
    table = json.loads(NEWEST.read_text())
    change(table)
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(table))
    with pytest.raises(RulesError, match=named):
        load_rules(VOCABULARY, path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="cannot be read"):
        load_rules(VOCABULARY, tmp_path / "none.json")
