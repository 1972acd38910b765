"""Phrases: alternatives, blanks, and what is wrong with a phrase."""

from random import Random

import pytest

from deploy.simulation.phrases import say

WORDS = {"me": "my brother"}


def ways(phrase: str) -> set[str]:
    rng = Random(1)
    return {say(phrase, rng, WORDS) for _ in range(200)}


def test_alternatives_nest_and_blanks_are_filled() -> None:
    said = ways("{rang|phoned} <me> {twice|{again|over} and {again|over}}")
    assert "rang my brother twice" in said
    assert "phoned my brother over and again" in said
    assert len(said) == 2 * 5


def test_an_alternative_may_be_empty_and_a_bar_outside_braces_is_a_bar() -> None:
    assert ways("yes{, I think|}") == {"yes, I think", "yes"}
    assert ways("a|b") == {"a|b"}


@pytest.mark.parametrize("phrase", ["{a|b", "a}", "{a|{b}"])
def test_a_brace_without_its_other_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        say(phrase, Random(1), WORDS)


def test_a_blank_that_nobody_fills_is_refused() -> None:
    with pytest.raises(KeyError):
        say("<her>", Random(1), WORDS)
