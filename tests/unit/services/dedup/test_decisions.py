"""What a person may decide about a match, and what is refused."""

from typing import get_args

import pytest

from services.dedup.domain.decisions import Command, DecisionRefused, MatchState, decide, evolve

BY_RULE = {zone: MatchState(zone) for zone in ("accepted", "review")}
BY_PERSON = {zone: MatchState(zone, decided=True) for zone in ("accepted", "rejected")}


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        (BY_RULE["review"], {"accept", "reject"}),
        (BY_RULE["accepted"], {"accept", "reject", "retract"}),
        (BY_PERSON["accepted"], {"retract"}),
        (BY_PERSON["rejected"], {"accept"}),
    ],
)
def test_a_person_may_confirm_undo_and_undo_again(state: MatchState, commands: set[Command]) -> None:
    allowed = set()
    for command in get_args(Command):
        try:
            decided = evolve(state, decide(command, state))
        except DecisionRefused:
            continue
        assert decided == BY_PERSON["accepted" if command == "accept" else "rejected"]
        allowed.add(command)
    assert allowed == commands
