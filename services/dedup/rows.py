"""The rows that follow from each event, for whoever appends it and for a rebuild: pure.

A complaint's index rows follow from its features; matches, incidents and patterns from dedup's own events.
Nothing else writes these tables, so what a rebuild makes is what the service keeps.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson

from services.dedup.domain.clusters import WHOLE, Node
from services.dedup.domain.facts import MatchProposed, Pair, WaitingChanged, incident_id
from services.dedup.domain.facts import pattern_id as own_pattern_id
from services.dedup.domain.features import ONLY_WITH_ANOTHER, Features, dump
from services.dedup.domain.zones import Zone
from services.dedup.keys import seal_features
from services.dedup.read_models import (
    BLOCKED,
    BLOCKING_KEYS,
    HELD,
    INCIDENT_MEMBERS,
    INDEXED,
    MATCHES,
    PATTERN_MEMBERS,
    PATTERNS,
    WAITING_MATCHES,
    member_key,
    number_of,
)
from shared.contracts.match_events import IncidentChanged, PatternChanged, PatternMember
from shared.sealing.keys import DataKey
from shared.store.requests import Put, Remove, RowChange


def index_rows(
    complaint_id: UUID, features: Features, index_key: DataKey, digests: list[int]
) -> list[RowChange]:
    """A complaint that is indexed.

    Args:
        digests: its blocking keys, hashed.
    """
    forces = {str(officer.subject): officer.force for officer in features.officers if officer.force}
    row = {
        "complaint_id": complaint_id,
        "key_id": index_key.key_id,
        "own_incident": incident_id(complaint_id),
        "features": seal_features(index_key.key, complaint_id, dump(features)),
        "forces": orjson.dumps(forces).decode(),
        "number": number_of(complaint_id),
    }
    rows: list[RowChange] = [Put(INDEXED, row)]
    if features.wish == ONLY_WITH_ANOTHER:
        rows.append(Put(HELD, {"complaint_id": complaint_id}))
    if digests:
        rows.append(Put(BLOCKED, {"key": digests, "complaint": number_of(complaint_id)}))
    return rows


def unindexed_rows(complaint_id: UUID) -> list[RowChange]:
    """An erased complaint is found by nobody; what it belongs to is the resolver's to change."""
    return [
        *(Remove(table, "complaint_id", complaint_id) for table in (INDEXED, BLOCKING_KEYS, HELD)),
        Remove(BLOCKED, "complaint", number_of(complaint_id)),
    ]


def proposed_row(proposed: MatchProposed) -> Put:
    return match_row(proposed, proposed.zone, is_decided=False)


def match_row(pair: Pair, zone: Zone, *, is_decided: bool) -> Put:
    """A match as its last event left it; `is_decided`: by a person."""
    row = {
        "match_id": pair.match_id,
        "complaint_id": pair.complaint_id,
        "subject": WHOLE if pair.subject is None else pair.subject,
        "other_complaint_id": pair.other_complaint_id,
        "other_subject": WHOLE if pair.other_subject is None else pair.other_subject,
        "kind": pair.kind,
        "zone": zone,
        "decided": is_decided,
    }
    return Put(MATCHES, row)


def incident_rows(told: IncidentChanged) -> list[RowChange]:
    """Who left for another incident stands in that one's `added`; who was erased goes by `taken_out_rows`."""
    return [
        Put(INCIDENT_MEMBERS, {"complaint_id": complaint_id, "incident_id": told.incident_id})
        for complaint_id in told.added
    ]


def taken_out_rows(complaint_id: UUID) -> list[RowChange]:
    """The resolver has taken an erased complaint out of all that it belonged to."""
    return [
        Remove(INCIDENT_MEMBERS, "complaint_id", complaint_id),
        Remove(PATTERN_MEMBERS, "complaint_id", complaint_id),
        Remove(MATCHES, "complaint_id", complaint_id),
        Remove(MATCHES, "other_complaint_id", complaint_id),
        Remove(WAITING_MATCHES, "complaint_id", complaint_id),
        Remove(WAITING_MATCHES, "other_complaint_id", complaint_id),
    ]


def waiting_rows(told: WaitingChanged) -> list[RowChange]:
    """Matches begin to wait for a person, or end it."""
    rows: list[RowChange] = [Remove(WAITING_MATCHES, "match_id", match_id) for match_id in told.ended]
    for pair in told.began:
        row = {
            "match_id": pair.match_id,
            "kind": pair.kind,
            "complaint_id": pair.complaint_id,
            "subject": WHOLE if pair.subject is None else pair.subject,
            "other_complaint_id": pair.other_complaint_id,
            "other_subject": WHOLE if pair.other_subject is None else pair.other_subject,
        }
        rows.append(Put(WAITING_MATCHES, row))
    return rows


class PatternRows:
    """The rows of patterns, which follow from their events one after another.

    Args:
        pattern_of: the pattern of each member, of all members that the events are about.
        reached: the most incidents that each of these patterns ever had.
    """

    def __init__(self, pattern_of: Mapping[Node, UUID], reached: Mapping[UUID, int]) -> None:
        self._pattern_of, self._reached = dict(pattern_of), dict(reached)

    def reached(self, pattern_id: UUID, added: Iterable[Node]) -> int:
        """The most incidents that the pattern ever had, or one from which its new members come."""
        origins = {pattern_id, *(self._pattern_of[node] for node in added if node in self._pattern_of)}
        return max(self._reached.get(origin, 0) for origin in origins)

    def changed(self, told: PatternChanged) -> list[RowChange]:
        """What the next event does."""
        added = [_node(member) for member in told.added]
        reached = max(self.reached(told.pattern_id, added), told.incidents)
        rows: list[RowChange] = [Remove(HELD, "complaint_id", complaint_id) for complaint_id in told.released]
        for node in map(_node, told.removed):
            # Whoever moved may be in its new pattern already, by an event before this one.
            if self._pattern_of.get(node) == told.pattern_id:
                del self._pattern_of[node]
                rows.append(Remove(PATTERN_MEMBERS, "member", member_key(*node)))
        for node in added:
            self._pattern_of[node] = told.pattern_id
            rows.append(_member_row(node, told.pattern_id))
        if not told.complaints:
            self._reached.pop(told.pattern_id, None)
            return [*rows, Remove(PATTERNS, "pattern_id", told.pattern_id)]
        self._reached[told.pattern_id] = reached
        row = {
            "pattern_id": told.pattern_id,
            "complaints": told.complaints,
            "incidents": told.incidents,
            "reached": reached,
        }
        return [*rows, Put(PATTERNS, row)]


def _node(member: PatternMember) -> Node:
    return member.complaint_id, member.subject


def _member_row(node: Node, pattern_id: UUID) -> Put:
    row = {
        "member": member_key(*node),
        "complaint_id": node[0],
        "subject": node[1],
        "pattern_id": pattern_id,
        "own_pattern": own_pattern_id(*node),
    }
    return Put(PATTERN_MEMBERS, row)
