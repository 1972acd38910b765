"""Complaints that wait for their release: which ones do, and what a person may do with one.

    held --> waiting --(mask)--> waiting --(release)--> released
                |                                          ^
                +--(return)--> returned --(mask, release)--+
                                   +--(correct)--> waiting

Whoever recorded a complaint never releases, masks or returns it, and nobody else corrects it. One that was
returned can be released all the same, for its call handler may not come back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from services.intake.domain.complaints import SanitisedTexts, counted, with_texts
from services.intake.domain.marking import Moved, markers_in, mask_more
from services.intake.internal_events import (
    RELEASE_CORRECTED,
    RELEASE_MASKED,
    RELEASE_RETURNED,
    RELEASED,
    HeldComplaint,
    HeldDoubt,
    ReleaseAct,
    ReleaseKey,
    ReleaseState,
)
from shared.contracts.complaint import ComplaintBody
from shared.contracts.complaint_events import RedactionCount
from shared.contracts.events import EventType
from shared.contracts.spans import TextSpan
from shared.errors import HotlineError
from shared.sanitiser.doubts import Doubt

ReleasePolicy = Literal["always", "unsure", "never"]
"""When a complaint waits for a release reviewer: each one, one with a reason for doubt, or none."""

ActType = EventType[ReleaseKey, ReleaseAct]
Command = Literal["mask", "return", "correct", "release"]

NEEDS_ANOTHER: Final = "this needs another person than the one who recorded it"
MOST_DOUBTS: Final = 500
"""Of one complaint that are kept: an event has to fit into a record, and nobody reads more."""


class ReleaseRefused(HotlineError):
    """The command is not for this person, or not for the state that the complaint is in."""


class OwnComplaint(ReleaseRefused):
    """Its recorder may not do this."""


@dataclass(frozen=True, slots=True)
class Release:
    """A complaint that was held, as far as its events tell."""

    state: ReleaseState
    recorded_by: str


_TYPES: Final[Mapping[Command, ActType]] = {
    "mask": RELEASE_MASKED,
    "return": RELEASE_RETURNED,
    "correct": RELEASE_CORRECTED,
    "release": RELEASED,
}
_AFTER: Final[Mapping[str, ReleaseState]] = {
    RELEASE_RETURNED.name: ReleaseState.RETURNED,
    RELEASE_CORRECTED.name: ReleaseState.WAITING,
    RELEASED.name: ReleaseState.RELEASED,
}


@dataclass(frozen=True, slots=True)
class ReleasePolicies:
    """The policy for what call handlers record, and the one for imports of partner bodies."""

    complaints: ReleasePolicy
    imports: ReleasePolicy


def must_wait(policy: ReleasePolicy, doubts: Sequence[object]) -> bool:
    """Whether a complaint with these doubts waits for a release reviewer."""
    return policy == "always" or (policy == "unsure" and bool(doubts))


def decide(command: Command, release: Release, by: str) -> ActType:
    """The event of a command.

    Raises:
        OwnComplaint, ReleaseRefused
    """
    if release.state is ReleaseState.RELEASED:
        raise ReleaseRefused("it was released already")
    if (command == "correct") != (by == release.recorded_by):
        if command == "correct":
            raise ReleaseRefused("who recorded it corrects it, and nobody else")
        raise OwnComplaint(NEEDS_ANOTHER)
    if command == "correct" and release.state is not ReleaseState.RETURNED:
        raise ReleaseRefused("it was not returned")
    if command == "return" and release.state is not ReleaseState.WAITING:
        raise ReleaseRefused("it was returned already")
    return _TYPES[command]


def evolve(state: ReleaseState, act: ActType) -> ReleaseState:
    """The state after an act; masks change none."""
    return _AFTER.get(act.name, state)


def held(
    body: ComplaintBody, sanitised: SanitisedTexts, source_group: str, recorded_by: str, recorded_on: date
) -> HeldComplaint:
    """A complaint as it waits; doubts are moved to where their text is in what is kept."""
    ways = {path: Moved(text.redactions) for path, text in sanitised.texts.items()}
    doubts = [_moved(path, doubt, ways[path]) for path, doubt in sanitised.doubts[:MOST_DOUBTS]]
    return HeldComplaint(
        body=with_texts(body, sanitised),
        source_group=source_group,
        redactions=counted(sanitised),
        doubts=tuple(doubts),
        doubts_left_out=max(0, len(sanitised.doubts) - MOST_DOUBTS),
        recorded_by=recorded_by,
        recorded_on=recorded_on,
    )


def corrected(waiting: HeldComplaint, body: ComplaintBody, sanitised: SanitisedTexts) -> HeldComplaint:
    """What its call handler sent in the place of a returned complaint; the source stays as it was recorded.

    The marks of the text before, which the handler had in front of them, count as what was taken out.
    """
    after = held(body, sanitised, waiting.source_group, waiting.recorded_by, waiting.recorded_on)
    return after.model_copy(update={"redactions": _marks(after)})


def masked(waiting: HeldComplaint, masks: Iterable[TextSpan]) -> HeldComplaint:
    """With more taken out. The masks lie within the texts (see `require_spans_within`)."""
    changed = mask_more(waiting.body.texts(), masks)
    doubts = tuple(
        doubt.model_copy(update=dict(zip(("start", "end"), way.span(doubt.start, doubt.end), strict=True)))
        if (way := changed.get(doubt.field, ("", None))[1])
        else doubt
        for doubt in waiting.doubts
    )
    body = waiting.body.with_texts({path: text for path, (text, _) in changed.items()})
    after = waiting.model_copy(update={"body": body, "doubts": doubts})
    return after.model_copy(update={"redactions": _marks(after)})


def _moved(path: str, doubt: Doubt, way: Moved) -> HeldDoubt:
    start, end = way.span(doubt.start, doubt.end)
    return HeldDoubt(reason=doubt.reason, field=path, start=start, end=end)


def _marks(complaint: HeldComplaint) -> tuple[RedactionCount, ...]:
    counts = Counter(
        (path, marker.kind) for path, text in complaint.body.texts().items() for marker in markers_in(text)
    )
    return tuple(
        RedactionCount(field=path, kind=kind, count=count) for (path, kind), count in sorted(counts.items())
    )
