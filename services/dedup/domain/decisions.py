"""What people may decide about a match, in the decider form: state and command in, an event's type out.

A person's word stands above a rule's, and a later word above an earlier one: a match that a rule accepted can
be confirmed, one that was rejected or retracted can be accepted after all. What a person accepted is undone
by a retraction alone, so that nobody undoes it by answering an old list.
"""

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
    """`decided`: by a person."""

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
    if command == "accept":
        if state.zone == "accepted" and state.decided:
            raise DecisionRefused("A person has accepted this match already.")
        return MATCH_ACCEPTED
    if state.zone == "rejected":
        raise DecisionRefused("A person has rejected this match already.")
    if state.decided:
        raise DecisionRefused("A person has accepted this match; it can be retracted.")
    return MATCH_REJECTED


def evolve(_: MatchState, event: EventType[Pair, MatchDecided]) -> MatchState:
    return MatchState("accepted" if event is MATCH_ACCEPTED else "rejected", decided=True)
