"""Dedup on a real database without Kafka and HTTP: complaints are handed to its inbox as intake would."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from deploy.local.keys import ensure_keys, keys_file
from services.dedup.conflicts import Conflicts
from services.dedup.domain.model import load_model
from services.dedup.domain.scoring import Scorer
from services.dedup.handlers import handlers
from services.dedup.index import ComplaintIndex
from services.dedup.resolver import Resolver
from services.dedup.reviewing import Reviewing
from services.dedup.steps import SOURCE
from services.dedup.views import Views
from services.dedup.wiring import PUBLIC
from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.complaint_events import ComplaintRecorded
from shared.sealing.jwe import seal
from shared.sealing.keys import ServiceKeys, load_keys
from shared.service import Context
from shared.store.events import slot_of, stream_id
from shared.store.leases import Lease
from shared.store.postgres import PostgresStore
from shared.store.requests import InboxState
from shared.streaming.cloudevents import Envelope, document
from shared.streaming.handling import SurroundingsFault
from shared.streaming.inbox import Inbox
from shared.web.auth import Caller
from shared.web.metrics import Metrics
from shared.web.pages import Cursors
from tests.logs import whole_log

DAY = date(2026, 11, 23)
REVIEWER = Caller(subject="reviewer", roles=frozenset({"match_reviewer"}))


class Intake:
    """Numbers and seals events as intake does. `sent` are all of them, in order."""

    def __init__(self, keys: ServiceKeys) -> None:
        self.sent: list[Envelope] = []
        self.is_away = False
        self._recipients = keys.sources["intake"]
        self._slots: Counter[int] = Counter()
        self._versions: Counter[str] = Counter()
        self._position = 0

    def recorded(
        self, body: Mapping[str, Any], complaint_id: UUID | None = None, source_group: str = ""
    ) -> Envelope:
        complaint_id = complaint_id or uuid4()
        event_id = uuid4()
        recorded = ComplaintRecorded(
            body=SanitisedComplaint.model_validate(
                {"channel": "web", "narrative": "-", **body}, strict=False
            ),
            source_group=source_group or str(uuid4()),
        )
        plain = recorded.model_dump_json(exclude_none=True).encode()
        sealed = seal(plain, event_id, self._recipients)
        clear = {"complaint_id": str(complaint_id), "key_id": str(complaint_id)}
        return self._numbered(complaint_id, event_id, "complaint.recorded", clear, sealed)

    def erased(self, complaint_id: UUID) -> Envelope:
        clear = {"complaint_id": str(complaint_id), "reason_code": "request"}
        return self._numbered(complaint_id, uuid4(), "complaint.erased", clear, None)

    async def heads(self) -> dict[int, int]:
        if self.is_away:
            raise SurroundingsFault("intake does not answer")
        return dict(self._slots)

    async def events(self, slot: int, after: int, limit: int) -> list[dict[str, Any]]:
        sent = [one for one in self.sent if one.slot == slot and one.slot_sequence > after]
        return [document(one) for one in sent[:limit]]

    def _numbered(
        self, complaint_id: UUID, event_id: UUID, type_: str, clear: Mapping[str, Any], sealed: Any
    ) -> Envelope:
        stream = stream_id("complaint", complaint_id)
        slot = slot_of(stream)
        self._slots[slot] += 1
        self._versions[stream] += 1
        self._position += 1
        envelope = Envelope(
            source="intake",
            id=event_id,
            type=type_,
            schema_version=1,
            subject=stream,
            day=DAY.isoformat(),
            slot=slot,
            slot_sequence=self._slots[slot],
            position=self._position,
            version=self._versions[stream],
            correlation_id="",
            causation_id="",
            clear=clear,
            sealed=sealed,
        )
        self.sent.append(envelope)
        return envelope


@dataclass
class Desk:
    """One process of dedup, and an intake that feeds it."""

    context: Context
    index: ComplaintIndex
    inbox: Inbox
    resolver: Resolver
    views: Views
    reviewing: Reviewing
    intake: Intake
    lease: Lease | None = field(default=None)

    @property
    def store(self) -> PostgresStore:
        return self.context.store

    async def record(
        self, body: Mapping[str, Any], complaint_id: UUID | None = None, source_group: str = ""
    ) -> UUID:
        envelope = self.intake.recorded(body, complaint_id, source_group)
        assert await self.inbox.receive(envelope) is InboxState.APPLIED
        return UUID(envelope.clear["complaint_id"])

    async def erase(self, complaint_id: UUID) -> None:
        assert await self.inbox.receive(self.intake.erased(complaint_id)) is InboxState.APPLIED

    async def resolve(self) -> None:
        """Let the resolver come to rest."""
        if self.lease is None:
            self.lease = await self.store.leases.take(SOURCE)
        assert self.lease is not None
        while await self.resolver.step(self.lease):
            pass

    async def incidents(self) -> set[frozenset[UUID]]:
        """The incidents of more than one complaint."""
        rows = await self.store.pool.fetch("SELECT incident_id, complaint_id FROM incident_members")
        return {group for group in _groups(rows) if len(group) > 1}

    async def patterns(self) -> set[frozenset[tuple[UUID, int]]]:
        rows = await self.store.pool.fetch("SELECT pattern_id, (complaint_id, subject) FROM pattern_members")
        return {frozenset((UUID(bytes=c.bytes), int(s)) for c, s in group) for group in _groups(rows)}

    async def events(self, *types: str) -> list[tuple[str, Mapping[str, Any]]]:
        """(stream id, clear part) of the events of these types, in order."""
        return [
            (event.stream_id, event.data["clear"])
            for event in await whole_log(self.store)
            if event.type in types
        ]


def _groups(rows: Any) -> list[frozenset[Any]]:
    groups: dict[Any, set[Any]] = {}
    for group, member in rows:
        groups.setdefault(group, set()).add(UUID(bytes=member.bytes) if hasattr(member, "bytes") else member)
    return [frozenset(members) for members in groups.values()]


@asynccontextmanager
async def opened(database_url: str, keys: ServiceKeys, intake: Intake | None = None) -> AsyncIterator[Desk]:
    """A process of dedup on a migrated database."""
    async with PostgresStore(database_url, PUBLIC) as store:
        context = Context("dedup", store, keys, Cursors(b"-" * 32), Metrics(), today=lambda: DAY)
        index, scorer = ComplaintIndex(context), Scorer(load_model())
        conflicts = Conflicts(context)
        of_source = handlers(context, index, scorer)
        yield Desk(
            context,
            index,
            Inbox("intake", store, keys, of_source["intake"]),
            Resolver(context, index, scorer),
            Views(context, index, scorer, conflicts),
            Reviewing(context, index, conflicts),
            intake or Intake(keys),
        )


def dedup_keys(directory: Path) -> ServiceKeys:
    ensure_keys(directory)
    return load_keys(keys_file(directory, "dedup"))
