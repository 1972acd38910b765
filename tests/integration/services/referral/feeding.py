"""Referral on a real database, fed with the events of intake and dedup as they travel."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from services.referral.docket import Docket
from services.referral.domain.policy import Policy
from services.referral.domain.rules.table import load_rules
from services.referral.handlers import handlers
from services.referral.read_models import ReadModel
from services.referral.wiring import PUBLIC
from shared.clock import today
from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.complaint_events import (
    ComplaintErased,
    ComplaintFollowedUp,
    ComplaintKey,
    ComplaintRecorded,
    ContactClosed,
)
from shared.contracts.contract import Contract
from shared.contracts.events import (
    COMPLAINT_ERASED,
    COMPLAINT_FOLLOWED_UP,
    COMPLAINT_RECORDED,
    CONTACT_CLOSED,
    INCIDENT_CHANGED,
    PATTERN_CHANGED,
    EventType,
)
from shared.contracts.match_events import IncidentChanged, PatternChanged, PatternMember
from shared.sealing.events import log_type
from shared.sealing.jwe import seal
from shared.sealing.keys import ServiceKeys, load_keys
from shared.service import Context
from shared.store.events import slot_of, stream_id
from shared.store.postgres import PostgresStore
from shared.store.requests import InboxState
from shared.streaming.cloudevents import Envelope
from shared.streaming.inbox import Inbox
from shared.vocabulary import load_vocabulary
from shared.web.metrics import Metrics
from shared.web.pages import Cursors
from tests.running import emptied

DAY = today()
"""The day on which everything happens, for the routes have their own clock."""


def complaint(*codes: str, **members: Any) -> SanitisedComplaint:
    """A complaint with one allegation for each category code."""
    body = {"channel": "phone", "narrative": "He did it.", "allegations": [{"code": code} for code in codes]}
    return SanitisedComplaint.model_validate_json(json.dumps({**body, **members}))


@dataclass
class Feed:
    """Makes events as intake and dedup would. An event gets the numbers of its slot when it is received, so
    events of different slots may be received in any order. `sent` are those that have theirs, in order."""

    keys: ServiceKeys
    day: date = DAY
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    positions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    sequences: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    sent: list[Envelope] = field(default_factory=list)

    def numbered(self, event: Envelope) -> Envelope:
        """With the next number of its slot."""
        at = (event.source, event.slot)
        self.sequences[at] += 1
        self.sent.append(replace(event, slot_sequence=self.sequences[at]))
        return self.sent[-1]

    def recorded(self, body: SanitisedComplaint, complaint_id: UUID | None = None) -> Envelope:
        complaint_id = complaint_id or uuid4()
        clear = ComplaintKey(complaint_id=complaint_id, key_id=str(complaint_id))
        sealed = ComplaintRecorded(body=body, source_group=str(uuid4()))
        return self._event("intake", COMPLAINT_RECORDED, "complaint", complaint_id, clear, sealed)

    def followed_up(self, complaint_id: UUID, text: str) -> Envelope:
        clear = ComplaintKey(complaint_id=complaint_id, key_id=str(complaint_id))
        sealed = ComplaintFollowedUp(text=text)
        return self._event("intake", COMPLAINT_FOLLOWED_UP, "complaint", complaint_id, clear, sealed)

    def erased(self, complaint_id: UUID) -> Envelope:
        clear = ComplaintErased(complaint_id=complaint_id, reason_code="asked")
        return self._event("intake", COMPLAINT_ERASED, "complaint", complaint_id, clear)

    def contact(self, count: int = 1, contact_id: UUID | None = None) -> Envelope:
        clear = ContactClosed(channel="phone", disposition="abandoned", count=count)
        return self._event("intake", CONTACT_CLOSED, "contact", contact_id or uuid4(), clear)

    def incident(
        self, incident_id: UUID, members: Iterable[UUID], removed: Iterable[UUID] = (), **more: Any
    ) -> Envelope:
        told = tuple(members)
        clear = IncidentChanged(
            incident_id=incident_id,
            members=told,
            removed=tuple(removed),
            count=len(told),
            sources_min=1,
            sources_max=len(told),
            **more,
        )
        return self._event("dedup", INCIDENT_CHANGED, "incident", incident_id, clear)

    def pattern(self, pattern_id: UUID, members: Iterable[UUID], released: Iterable[UUID] = ()) -> Envelope:
        """Subject 0 of each complaint."""
        told = tuple(PatternMember(complaint_id=member, subject=0) for member in members)
        clear = PatternChanged(
            pattern_id=pattern_id,
            members=told,
            complaints=len(told),
            incidents=len(told),
            sources_min=1,
            sources_max=len(told),
            released=tuple(released),
        )
        return self._event("dedup", PATTERN_CHANGED, "pattern", pattern_id, clear)

    def _event(
        self,
        source: str,
        type_: EventType[Contract, Contract],
        category: str,
        identity: UUID,
        clear: Contract,
        sealed: Contract | None = None,
    ) -> Envelope:
        stream, event_id = stream_id(category, identity), uuid4()
        self.versions[stream] += 1
        self.positions[source] += 1
        payload = None
        if sealed is not None:
            plain = sealed.model_dump_json(exclude_none=True).encode()
            payload = seal(plain, event_id, self.keys.sources[source])
        return Envelope(
            source=source,
            id=event_id,
            type=log_type(type_),
            schema_version=1,
            subject=stream,
            day=self.day.isoformat(),
            slot=slot_of(stream),
            slot_sequence=0,
            position=self.positions[source],
            version=self.versions[stream],
            correlation_id="",
            causation_id="",
            clear=clear.model_dump(mode="json", exclude_none=True),
            sealed=payload,
        )


@dataclass
class Referral:
    """The service without HTTP and Kafka: its store and inboxes."""

    store: PostgresStore
    context: Context
    read: ReadModel
    docket: Docket
    inboxes: Mapping[str, Inbox]
    feed: Feed

    async def receive(self, *events: Envelope) -> None:
        """Apply the events, one after another."""
        for event in events:
            assert await self._receive(event) is InboxState.APPLIED

    async def _receive(self, event: Envelope) -> InboxState:
        return await self.inboxes[event.source].receive(self.feed.numbered(event))

    async def partition(self) -> set[frozenset[UUID]]:
        """The complaints of each live case, by the placements."""
        rows = await self.read.fetch(
            "SELECT case_id, array_agg(complaint_id) AS ids FROM placements"
            " WHERE case_id IS NOT NULL GROUP BY case_id"
        )
        return {frozenset(row["ids"]) for row in rows}

    async def case_of(self, complaint_id: UUID) -> UUID:
        placement = (await self.read.placements([complaint_id]))[complaint_id]
        assert placement.case_id is not None
        return placement.case_id

    async def check(self) -> None:
        """Rows, logs and placements tell the same: each complaint in the one case that lists it."""
        rows = await self.read.fetch("SELECT case_id, version, status FROM cases")
        listed: dict[UUID, UUID] = {}
        for row in rows:
            opened = (await self.docket.cases([row["case_id"]]))[row["case_id"]]
            assert (opened.case.version, opened.case.status) == (row["version"], row["status"])
            for complaint_id in opened.case.complaint_ids:
                assert complaint_id not in listed
                listed[complaint_id] = row["case_id"]
        placed = await self.read.fetch("SELECT complaint_id, case_id, version FROM placements")
        assert listed == {r["complaint_id"]: r["case_id"] for r in placed if r["case_id"] is not None}
        for row in placed:
            events = await self.store.read_stream(f"placement-{row['complaint_id']}")
            assert len(events) == row["version"]


@asynccontextmanager
async def referral_on(database_url: str, keys_file: Path) -> AsyncIterator[Referral]:
    """A referral with nothing in it, whatever the database held."""
    await emptied("referral", database_url)
    async with referral_with(database_url, Feed(load_keys(keys_file))) as running:
        yield running


@asynccontextmanager
async def referral_with(database_url: str, feed: Feed) -> AsyncIterator[Referral]:
    """A process of referral on the database as it is."""
    keys = feed.keys
    vocabulary = load_vocabulary()
    async with PostgresStore(database_url, PUBLIC) as store:
        context = Context(
            "referral", store, keys, Cursors(keys.digest("page cursors")), Metrics(), lambda: DAY
        )
        read = ReadModel(store)
        docket = Docket(keys, read)
        own = handlers(context, read, docket, Policy(load_rules(vocabulary), vocabulary))
        inboxes = {source: Inbox(source, store, keys, of_source) for source, of_source in own.items()}
        yield Referral(store, context, read, docket, inboxes, feed)
