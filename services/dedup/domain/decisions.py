"""What people may decide about a match, in the decider form: state and command in, an event's type out."""

from dataclasses import dataclass
from typing import Literal

from services.dedup.domain.facts import (
    MATCH_ACCEPTED,
    MATCH_REJECTED,
    MATCH_RETRACTED,
    MatchDecided,
    Pair,
)
from services.dedup.domain.zones import Zone
from shared.contracts.events import EventType

Command = Literal["accept", "reject", "retract"]


class DecisionRefused(Exception):
    """The match is not in a state in which this may be decided; the message says why."""


@dataclass(frozen=True, slots=True)
class MatchState:
    zone: Zone
    decided: bool = False


def decide(command: Command, state: MatchState) -> EventType[Pair, MatchDecided]:
    """
    Raises:
        DecisionRefused: there is nothing to decide, or nothing to undo.
    """
    if command == "retract":
        if state.zone != "accepted":
            raise DecisionRefused("Only an accepted match can be retracted.")
        return MATCH_RETRACTED
    if state.decided:
        raise DecisionRefused("This match does not wait for a review (any more).")
    return MATCH_ACCEPTED if command == "accept" else MATCH_REJECTED


def evolve(_: MatchState, event: EventType[Pair, MatchDecided]) -> MatchState:
    return MatchState("accepted" if event is MATCH_ACCEPTED else "rejected", decided=True)
