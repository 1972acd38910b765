"""Which nodes some facts of the log are about."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from services.dedup.domain.clusters import Node
from services.dedup.domain.facts import (
    COMPLAINT_TAKEN_OUT,
    COMPLAINT_WITHDRAWN,
    MATCH_ACCEPTED,
    MATCH_PROPOSED,
    MATCH_REJECTED,
    MATCH_RETRACTED,
    OF_INCIDENTS,
    TAIL_ADOPTED,
    WAITING_CHANGED,
    Pair,
)
from services.dedup.regions import wholes
from shared.contracts.events import INCIDENT_CHANGED, PATTERN_CHANGED
from shared.sealing.events import log_type, own_type
from shared.store.events import RecordedEvent
from shared.streaming.drops import DROP_EVENTS
from shared.streaming.recovery import GAP

_PAIR_TYPES = {
    log_type(type_): type_ for type_ in (MATCH_PROPOSED, MATCH_ACCEPTED, MATCH_REJECTED, MATCH_RETRACTED)
}
_DECISIONS = frozenset({log_type(MATCH_ACCEPTED), log_type(MATCH_REJECTED), log_type(MATCH_RETRACTED)})
_WITHDRAWN = log_type(COMPLAINT_WITHDRAWN)
_OWN = {
    type_.name: type_
    for type_ in (
        *_PAIR_TYPES.values(),
        COMPLAINT_TAKEN_OUT,
        COMPLAINT_WITHDRAWN,
        TAIL_ADOPTED,
        WAITING_CHANGED,
        INCIDENT_CHANGED,
        PATTERN_CHANGED,
        *DROP_EVENTS,
    )
}
"""All that dedup's log holds, beside the positions that a recovery has filled."""
_INCIDENT, _PATTERN = log_type(INCIDENT_CHANGED), log_type(PATTERN_CHANGED)


@dataclass(slots=True)
class Touched:
    """
    Attributes:
        complaints, subjects: of pairs that were found or decided, in incidents and in patterns.
        decided: the subjects of pairs that a person decided.
        withdrawn: complaints that were erased.
    """

    complaints: set[Node] = field(default_factory=set)
    subjects: set[Node] = field(default_factory=set)
    decided: set[Node] = field(default_factory=set)
    withdrawn: set[UUID] = field(default_factory=set)

    @property
    def named(self) -> set[UUID]:
        """All complaints."""
        return {node[0] for node in self.complaints | self.subjects} | self.withdrawn

    def add(self, events: Iterable[RecordedEvent], *, told: bool = False) -> None:
        """
        Args:
            told: what incidents and patterns were told to be is touched, too.

        Raises:
            UnknownVersionError: newer software wrote one of them.
        """
        for event in events:
            # An event that newer software knows is not to be passed over.
            if event.type != GAP:
                own_type(event.type, event.schema_version, _OWN)
            if event.type == _WITHDRAWN:
                self.withdrawn.add(COMPLAINT_WITHDRAWN.read_clear(event.data["clear"]).complaint_id)
            elif event.type in _PAIR_TYPES:
                pair: Pair = _PAIR_TYPES[event.type].read_clear(event.data["clear"])
                self._pair(pair, is_decided=event.type in _DECISIONS)
            elif told and event.type == _INCIDENT:
                incident = INCIDENT_CHANGED.read_clear(event.data["clear"])
                self.complaints |= wholes((*incident.added, *incident.removed))
            elif told and event.type == _PATTERN:
                pattern = PATTERN_CHANGED.read_clear(event.data["clear"])
                self.subjects |= {
                    (member.complaint_id, member.subject) for member in (*pattern.added, *pattern.removed)
                }

    def _pair(self, pair: Pair, *, is_decided: bool) -> None:
        if pair.kind in OF_INCIDENTS:
            self.complaints |= wholes((pair.complaint_id, pair.other_complaint_id))
        elif pair.subject is not None and pair.other_subject is not None:
            nodes = {(pair.complaint_id, pair.subject), (pair.other_complaint_id, pair.other_subject)}
            self.subjects |= nodes
            if is_decided:
                self.decided |= nodes
