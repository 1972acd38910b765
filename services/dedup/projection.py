"""Dedup's read models out of its history: the rows of `services.dedup.rows`, many events at a time.

A complaint is indexed again from what the inbox keeps of it, under the index key that it has; of an erased
one there are no keys, and no rows.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final
from uuid import UUID

import asyncpg
import orjson

from services.dedup import read_models
from services.dedup.domain.clusters import Node
from services.dedup.domain.decisions import MatchState, evolve
from services.dedup.domain.facts import (
    COMPLAINT_TAKEN_OUT,
    MATCH_ACCEPTED,
    MATCH_PROPOSED,
    MATCH_REJECTED,
    MATCH_RETRACTED,
    WAITING_CHANGED,
)
from services.dedup.domain.normalising import features_of
from services.dedup.index import blocking_digests, keyed
from services.dedup.keys import index_key_id
from services.dedup.rows import (
    PatternRows,
    incident_rows,
    index_rows,
    match_row,
    proposed_row,
    taken_out_rows,
    unindexed_rows,
    waiting_rows,
)
from shared.contracts.events import COMPLAINT_ERASED, COMPLAINT_RECORDED, INCIDENT_CHANGED, PATTERN_CHANGED
from shared.contracts.match_events import PatternChanged
from shared.sealing.events import log_type
from shared.sealing.jwe import open_sealed
from shared.sealing.keys import DataKey, ServiceKeys, unwrap_data_keys
from shared.store.events import RecordedEvent, identity_of
from shared.store.history import AppliedEntry, Happened
from shared.store.requests import RowChange, Table
from shared.store.sql import READ_DATA_KEYS
from shared.streaming.cloudevents import parse

_DECIDED: Final = {log_type(type_): type_ for type_ in (MATCH_ACCEPTED, MATCH_REJECTED, MATCH_RETRACTED)}
_PROPOSED: Final = log_type(MATCH_PROPOSED)
_WAITING: Final = log_type(WAITING_CHANGED)
_TAKEN_OUT: Final = log_type(COMPLAINT_TAKEN_OUT)
_INCIDENT: Final = log_type(INCIDENT_CHANGED)
_PATTERN: Final = log_type(PATTERN_CHANGED)


class Projection:
    """As `shared.store.rebuilding` asks for it."""

    tables: Sequence[Table] = (
        read_models.INDEXED,
        read_models.BLOCKED,
        read_models.BLOCKING_KEYS,
        read_models.HELD,
        read_models.MATCHES,
        read_models.WAITING_MATCHES,
        read_models.INCIDENT_MEMBERS,
        read_models.PATTERN_MEMBERS,
        read_models.PATTERNS,
    )
    types: Collection[str] = (COMPLAINT_RECORDED.name, COMPLAINT_ERASED.name)
    ahead: Sequence[str] = (read_models.INDEXED_AHEAD,)

    def __init__(self, keys: ServiceKeys) -> None:
        self._kek = keys.kek
        self._blocking = keyed(keys.digest("blocking"))

    async def rows(self, happened: Sequence[Happened], made: asyncpg.Connection) -> list[RowChange]:
        keys = await self._keys(happened, made)
        patterns = {
            event.position: PATTERN_CHANGED.read_clear(event.data["clear"])
            for event in happened
            if isinstance(event, RecordedEvent) and event.type == _PATTERN
        }
        following = await _following(patterns.values(), made)
        indexed = self._indexed(happened, keys)
        rows: list[RowChange] = []
        for each in happened:
            if isinstance(each, AppliedEntry):
                rows += _of_entry(each, indexed)
            elif each.type == _PATTERN:
                rows += following.changed(patterns[each.position])
            else:
                rows += _of_event(each)
        return rows

    async def _keys(self, happened: Iterable[Happened], made: asyncpg.Connection) -> Mapping[str, bytes]:
        """kid -> key of the complaints that are indexed, and of their index rows."""
        recorded = [identity_of(each.subject) for each in _recorded(happened)]
        if not recorded:
            return {}
        ids = [*recorded, *map(index_key_id, recorded)]
        found = await made.fetch(READ_DATA_KEYS, ids)
        return unwrap_data_keys(self._kek, [tuple(row) for row in found])

    def _indexed(self, happened: Iterable[Happened], keys: Mapping[str, bytes]) -> dict[int, list[RowChange]]:
        """applied_no -> rows of each complaint that is indexed.

        Each step for all complaints before the next step: that takes three quarters of the time of one
        complaint after another, for a step finds its code and its tables in the processor's caches.
        """
        complaints = [
            (entry.applied_no, complaint_id, DataKey(key_id, keys[str(key_id)]), entry.event)
            for entry in _recorded(happened)
            for complaint_id in (identity_of(entry.subject),)
            for key_id in (index_key_id(complaint_id),)
            if str(complaint_id) in keys and str(key_id) in keys
        ]
        envelopes = [parse(orjson.loads(event)) for *_, event in complaints]
        plain = [open_sealed(envelope.sealed or {}, keys, envelope.id) for envelope in envelopes]
        told = [COMPLAINT_RECORDED.read_sealed(each) for each in plain]
        features = [features_of(each.body, each.source_group) for each in told]
        digests = [blocking_digests(self._blocking, each) for each in features]
        return {
            number: index_rows(complaint_id, compared, index_key, found_by)
            for (number, complaint_id, index_key, _), compared, found_by in zip(
                complaints, features, digests, strict=True
            )
        }


def _recorded(happened: Iterable[Happened]) -> Iterator[AppliedEntry]:
    for each in happened:
        if isinstance(each, AppliedEntry) and each.type == COMPLAINT_RECORDED.name:
            yield each


def _of_entry(entry: AppliedEntry, indexed: Mapping[int, list[RowChange]]) -> list[RowChange]:
    if entry.type == COMPLAINT_ERASED.name:
        return unindexed_rows(identity_of(entry.subject))
    return indexed.get(entry.applied_no, [])


def _of_event(event: RecordedEvent) -> list[RowChange]:
    clear = event.data["clear"]
    if event.type == _PROPOSED:
        return [proposed_row(MATCH_PROPOSED.read_clear(clear))]
    if (type_ := _DECIDED.get(event.type)) is not None:
        # What a person decides does not depend on what the rule made of it.
        state = evolve(MatchState("review"), type_)
        return [match_row(type_.read_clear(clear), state.zone, is_decided=state.decided)]
    if event.type == _INCIDENT:
        return incident_rows(INCIDENT_CHANGED.read_clear(clear))
    if event.type == _WAITING:
        return waiting_rows(WAITING_CHANGED.read_clear(clear))
    if event.type == _TAKEN_OUT:
        return taken_out_rows(COMPLAINT_TAKEN_OUT.read_clear(clear).complaint_id)
    return []


async def _following(told: Iterable[PatternChanged], made: asyncpg.Connection) -> PatternRows:
    """What the tables have of the patterns and members that these events are about."""
    told = list(told)
    if not told:
        return PatternRows({}, {})
    members = {
        read_models.member_key(member.complaint_id, member.subject)
        for member in chain.from_iterable((*each.added, *each.removed) for each in told)
    }
    pattern_of: dict[Node, UUID] = {
        (UUID(bytes=row[0].bytes), row[1]): UUID(bytes=row[2].bytes)
        for row in await made.fetch(read_models.MEMBERS, list(members))
    }
    patterns = {each.pattern_id for each in told} | set(pattern_of.values())
    stored = await made.fetch(read_models.PATTERNS_BY_ID, list(patterns))
    return PatternRows(pattern_of, {UUID(bytes=row[0].bytes): row[3] for row in stored})
