"""`recover`: a log that lost its tail gets it back, from the topic and from what its followers consumed.

What the reader gets: every public event of the lost tail that the topic or a follower still has is in the
log again, under the position, id, version and slot number that it had, so that followers see what they know.
All of it is written in one transaction under the store's lock, or nothing.

Only an event that the service has signed for itself is believed (`shared.streaming.authentication`), whoever
shows it: what others wrote into the topic, and what a version published that did not sign, is passed over.

What becomes of the rest:
- A payload comes sealed under transport keys. It is rewrapped under its complaint's data key; where that was
  made after the copy, and is lost, under a new one.
- What was erased stays erased: an erasure in the tail is carried out again, and what is known only without
  its payload is kept so.
- A position between, whose event nobody has (an internal one, or one that was never published), is filled
  with an internal `log.gap_adopted`, for positions have no gaps. What was lost above the last known event
  nobody can know of: its numbers are given anew.
- Claims are lost: receipts are kept nowhere but with their holders and as keyed hashes, so those given out
  in the lost time open nothing any more, and a request or an import that is sent again from that time is
  recorded a second time.
- Cursors and inbox went back with the log: what was consumed from others is consumed again by itself, and
  internal events that follow from it are appended anew, with other ids, which nobody outside ever saw. That
  no public one follows a second time is the service's own part (`Consequences`), in the same transaction.
- Whoever led the relay or anything else leads anew: what it remembers may lie above the adopted tail.

Topic and inboxes are read page by page, and compared with the log in its database: held in memory is the
lost tail alone, some 5 KB an event.

How it fails: `RecoveryFailed`, with nothing changed; above all where numbers were given twice already, or
where neither the topic nor every follower answers (`--without` goes on with those that do).
"""

import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol
from uuid import UUID, uuid4

import asyncpg
import orjson

from shared.errors import HotlineError
from shared.sealing.jwe import PROTECTED, BrokenSealError, NoKeyError, SealingError, open_sealed, rewrap
from shared.sealing.keys import DataKey, ServiceKeys, new_data_key, unwrap_data_keys
from shared.store import sql
from shared.store.append_queue import BATCH_LIMIT
from shared.store.asking import columns
from shared.store.committer import write
from shared.store.connections import AWAY, connect
from shared.store.events import SLOTS, RecordedEvent, category_of, identity_of, slot_of, stream_id
from shared.store.postgres import recorded
from shared.store.requests import AppendRequest
from shared.streaming.authentication import OwnEvents
from shared.streaming.broker import BrokerUnavailable, Record
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope
from shared.streaming.handling import SurroundingsFault
from shared.streaming.inbox import ERASURE, TOMBSTONE
from shared.streaming.returning import ConsumedPage, Reached

GAP = "log.gap_adopted"
PAGE = 500
TOPIC_PAGE = 2000

# Other events than these under their numbers. Relies on events_slot_slot_sequence_key.
_OTHERS = """
SELECT slot, slot_sequence FROM unnest($1::smallint[], $2::bigint[], $3::uuid[]) AS _(of, at, id)
JOIN events ON slot = of AND slot_sequence = at WHERE event_id <> id
"""
_TOMBSTONES = "SELECT key FROM claims WHERE kind = $1"
_CLAIM = "INSERT INTO claims (kind, key, value) VALUES ($1, $2, '') ON CONFLICT DO NOTHING"
_DESTROY = "DELETE FROM data_keys WHERE key_id = ANY($1::uuid[])"
_END_LEADING = """
UPDATE leases SET epoch = epoch + 1, expires = '-infinity';
UPDATE relay SET epoch = epoch + 1;
"""
_NEW_KEYS = "INSERT INTO data_keys (key_id, kek_id, wrapped) VALUES ($1, $2, $3)"

# What is told to be adopted is on the synchronous standbys too, and a statement takes as long as it takes.
_SETTINGS = {"synchronous_commit": "on", "statement_timeout": "0"}

Tell = Callable[[int, int], None]
"""(done, total) of what is looked at."""


class RecoveryFailed(HotlineError):
    """Nothing was changed; the message says why, and what to do."""


class Topics(Protocol):
    """What a recovery needs of a broker."""

    def everything(self, topic: str) -> AsyncGenerator[Record, None]:
        """All records that it holds now, those of a partition in their order.

        Raises:
            BrokerUnavailable
        """


class Follower(Protocol):
    """What it needs of a follower; each raises `SurroundingsFault` where it does not answer."""

    async def reached(self, source: str) -> Mapping[int, Reached]: ...

    async def consumed(self, source: str, slot: int, after: int, limit: int) -> ConsumedPage: ...


class Owner(Protocol):
    """What it needs of a followed service; each raises `SurroundingsFault` where it does not answer."""

    async def heads(self) -> Mapping[int, int]: ...

    async def events(self, slot: int, after: int, limit: int) -> list[dict[str, Any]]: ...


Append = Callable[[Sequence[AppendRequest]], Awaitable[None]]
"""Writes behind the tail, in the recovery's transaction. Raises `AppendRefused`."""


class Consequences(Protocol):
    """What a service does about the events that it has adopted.

    Attributes:
        sources: those whom it has to ask.
        public: the categories of the service's public streams.
    """

    @property
    def sources(self) -> Collection[str]: ...

    @property
    def public(self) -> Collection[str]: ...

    async def ask(self, connection: "asyncpg.Connection", owners: Mapping[str, Owner]) -> None:
        """Find out what `follow` has to know of the sources; nothing is adopted or locked yet.

        Raises:
            SurroundingsFault: one of them does not answer.
        """

    async def follow(
        self,
        connection: "asyncpg.Connection",
        tail: Sequence[RecordedEvent],
        today: date,
        append: Append,
    ) -> None:
        """Bring its tables to where the tail left them.

        Args:
            tail: what was adopted; it is in the log, whose last event is the last of these.

        Raises:
            RecoveryFailed: what followed from the tail cannot be told.
        """


@dataclass(frozen=True, slots=True)
class Report:
    """What was adopted.

    Attributes:
        adopted: events, from `first` to `last` position.
        filled: positions between whose event nobody has.
        new_keys: complaints whose data key was lost.
        erased: events that stay without payload.
        unreadable: batches of the topic, and events that followers keep, which nobody can read any more.
        passed_over: who was not asked, or did not answer.
    """

    adopted: int = 0
    filled: int = 0
    first: int = 0
    last: int = 0
    new_keys: int = 0
    erased: int = 0
    unreadable: int = 0
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Log:
    """How far the log reaches: its newest position, and slot -> newest number."""

    head: int
    heads: Mapping[int, int]


class _Search:
    """Looks for events that the log does not have, page by page, and holds nothing but these.

    Attributes:
        found: by slot and number, the events that somebody has.
        kept_unread: by slot and number, the followers that have consumed it and cannot read it any more.
    """

    def __init__(self, connection: "asyncpg.Connection", log: _Log) -> None:
        self._connection, self._log = connection, log
        self._twice: set[tuple[int, int]] = set()
        self.found: dict[tuple[int, int], Envelope] = {}
        self.kept_unread: dict[tuple[int, int], str] = {}
        self.unreadable = 0

    async def take(self, envelopes: Sequence[Envelope]) -> None:
        known: list[tuple[int, int, UUID]] = []
        for envelope in envelopes:
            at = (envelope.slot, envelope.slot_sequence)
            if envelope.slot_sequence <= self._log.heads.get(envelope.slot, 0):
                known.append((*at, envelope.id))
                continue
            other = self.found.get(at)
            if other and other.id != envelope.id:
                self._twice.add(at)
            elif other is None or other.sealed is None:
                self.found[at] = envelope
        self._twice |= await self.strangers(known)

    async def strangers(self, told: Sequence[tuple[int, int, UUID]]) -> set[tuple[int, int]]:
        """Slot and number of those (slot, number, event id) under whose number the log has another event."""
        rows = await self._connection.fetch(_OTHERS, *columns(told, 3)) if told else []
        return {(row[0], row[1]) for row in rows}

    def require_one_history(self) -> None:
        """
        Raises:
            RecoveryFailed: two events have one number.
        """
        if self._twice:
            raise RecoveryFailed(
                f"{len(self._twice)} numbers were given twice: events were appended after the tail was lost."
                " The two histories cannot be joined; restore a newer copy of the database. Nothing was"
                " changed."
            )

    def require_all_read(self) -> None:
        """
        Raises:
            RecoveryFailed: a follower has an event that it cannot read, and nobody else has it.
        """
        for (slot, number), name in sorted(self.kept_unread.items()):
            if number > self._log.heads.get(slot, 0) and (slot, number) not in self.found:
                raise RecoveryFailed(
                    f"{name} has consumed number {number} of slot {slot}, cannot read it any more, and nobody"
                    f" else has it: mend its inbox, or go on with `--without {name}`. Nothing was changed."
                )


class Recovery:
    """
    Args:
        followers: by name, those that can be asked.
        without: names (or ``topic``) that may be passed over where they do not answer.
        consequences: None for a service without read models of its own events.
        owners: by name, those that the service follows.
    """

    def __init__(
        self,
        service: str,
        topic: str,
        keys: ServiceKeys,
        broker: Topics,
        followers: Mapping[str, Follower],
        without: Iterable[str] = (),
        consequences: Consequences | None = None,
        owners: Mapping[str, Owner] | None = None,
    ) -> None:
        self._service, self._topic, self._keys = service, topic, keys
        self._own = OwnEvents(service, keys)
        self._transport = {kid: key for ring in keys.followers.values() for kid, key in ring.keys.items()}
        self._broker, self._followers, self._without = broker, followers, frozenset(without)
        self._consequences, self._owners = consequences, owners or {}
        self._passed_over: list[str] = []

    async def run(self, database_url: str, today: date, tell: Tell = lambda _, __: None) -> Report:
        """Adopt what is missing.

        Raises:
            RecoveryFailed: nothing was changed.
        """
        try:
            connection = await connect(database_url, timeout=5, server_settings=_SETTINGS)
        except AWAY as fault:
            raise RecoveryFailed(f"the database does not answer ({type(fault).__name__}).") from fault
        try:
            log = await _read_log(connection)
            search = await self._searched(connection, log, tell)
            tail = _checked(log, list(search.found.values()))
            report = await self._write(connection, log, tail, today) if tail else Report()
            # The witnesses were asked for all that they have, or given up.
            await connection.execute(sql.END_HALTS)
            return replace(report, unreadable=search.unreadable, passed_over=tuple(self._passed_over))
        finally:
            await connection.close()

    async def _write(
        self, connection: "asyncpg.Connection", log: _Log, tail: Sequence[Envelope], today: date
    ) -> Report:
        await self._ask_sources(connection)
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", sql.LOCK_KEY)
            if await connection.fetchval(sql.HEAD) != log.head:
                raise RecoveryFailed("events were appended meanwhile: stop the service, and try again.")
            return await self._adopt(connection, log, tail, today)

    # What others have

    async def _searched(self, connection: "asyncpg.Connection", log: _Log, tell: Tell) -> _Search:
        """Every event of ours that somebody has and the log does not."""
        search, steps = _Search(connection, log), len(self._followers) * SLOTS + 1
        try:
            await self._search_topic(search)
        except BrokerUnavailable as fault:
            self._pass_over("topic", str(fault))
        tell(1, steps)
        for number, (name, follower) in enumerate(self._followers.items()):
            try:
                reached = await follower.reached(self._service)
                strangers = await search.strangers(
                    [(slot, last.at, last.event_id) for slot, last in reached.items()]
                )
                for slot in range(SLOTS):
                    if slot in reached:
                        # Of one that the log has under another id the follower shows the event: its word
                        # alone is no evidence.
                        is_stranger = (slot, reached[slot].at) in strangers
                        after = reached[slot].at - 1 if is_stranger else log.heads.get(slot, 0)
                        await self._search_slot(search, name, slot, after, reached[slot].at)
                    tell(1 + number * SLOTS + slot + 1, steps)
            except SurroundingsFault as fault:
                self._pass_over(name, str(fault))
        search.require_one_history()
        search.require_all_read()
        return search

    async def _search_topic(self, search: _Search) -> None:
        page: list[Envelope] = []
        async with aclosing(self._broker.everything(self._topic)) as records:
            async for record in records:
                search.unreadable += bool(record.fault)
                if (envelope := self._ours(record.value)) is not None:
                    page.append(envelope)
                if len(page) >= TOPIC_PAGE:
                    await search.take(page)
                    page.clear()
        await search.take(page)

    async def _search_slot(self, search: _Search, name: str, slot: int, after: int, up_to: int) -> None:
        """What a follower has consumed of one slot, above `after`."""
        follower = self._followers[name]
        while after < up_to:
            page = await follower.consumed(self._service, slot, after, PAGE)
            events = [self._ours(item) for item in page.events]
            await search.take([event for event in events if event is not None])
            search.kept_unread |= {
                (slot, number): name for number in page.unreadable if name not in self._without
            }
            # One that we have not signed is no event of ours, and no reason to refuse.
            search.unreadable += len(page.unreadable) + events.count(None)
            if page.last is None or page.last <= after:
                return
            after = page.last

    async def _ask_sources(self, connection: "asyncpg.Connection") -> None:
        if self._consequences is None:
            return
        if unknown := [source for source in self._consequences.sources if source not in self._owners]:
            raise RecoveryFailed(f"{' and '.join(unknown)} cannot be asked: HOTLINE_PEERS has no address.")
        try:
            await self._consequences.ask(connection, self._owners)
        except SurroundingsFault as fault:
            raise RecoveryFailed(
                f"{fault}: what is to be consumed again is not known. Start it. Nothing was changed."
            ) from fault

    def _pass_over(self, name: str, why: str) -> None:
        if name not in self._without:
            raise RecoveryFailed(
                f"{name} does not answer ({why}): what it alone has would be lost for good. Start it, or go"
                f" on with `--without {name}`. Nothing was changed."
            )
        self._passed_over.append(name)

    def _ours(self, record: bytes | Mapping[str, Any]) -> Envelope | None:
        try:
            envelope = self._own.read(record)
        except UnreadableEnvelope:
            return None
        return envelope if self._may_open(envelope) else replace(envelope, sealed=None, erased=True)

    def _may_open(self, envelope: Envelope) -> bool:
        """False where the payload's key is wrapped wrongly, which no proof covers: another may have it."""
        try:
            if envelope.sealed is not None:
                open_sealed(envelope.sealed, self._transport, envelope.id)
        except BrokenSealError:
            return False
        except NoKeyError:  # `_line` asks for the key
            return True
        return True

    # Into the log

    async def _adopt(
        self, connection: asyncpg.Connection, log: _Log, tail: Sequence[Envelope], today: date
    ) -> Report:
        buried = {bytes(row[0]) for row in await connection.fetch(_TOMBSTONES, TOMBSTONE)}
        erased = {identity_of(one.subject) for one in tail if one.type == ERASURE}
        erased |= {identity_of(one.subject) for one in tail if identity_of(one.subject).bytes in buried}
        await connection.execute(_DESTROY, list(erased))
        await connection.executemany(
            _CLAIM, [(TOMBSTONE, key_id.bytes) for key_id in sorted(erased, key=str)]
        )

        wanted = {identity_of(one.subject) for one in tail if one.sealed} - erased
        rows = [tuple(row) for row in await connection.fetch(sql.READ_DATA_KEYS, list(wanted))]
        known = unwrap_data_keys(self._keys.kek, rows)
        data_keys = {key_id: DataKey(key_id, known[str(key_id)]) for key_id in wanted if str(key_id) in known}
        for key_id in wanted - data_keys.keys():
            data_keys[key_id], row = new_data_key(self._keys.kek, key_id)
            await connection.execute(_NEW_KEYS, *(row.row[name] for name in ("key_id", "kek_id", "wrapped")))

        lines = (self._line(one, data_keys.get(identity_of(one.subject))) for one in tail)
        gaps = _gap_lines(tail, log.head, today)
        records = heapq.merge(lines, gaps, key=_position)  # made as they are written
        await connection.copy_records_to_table("events", records=records, columns=sql.COLUMNS)
        if self._consequences is not None:
            written, at, last = list[RecordedEvent](), log.head, tail[-1].position
            while page := recorded(await connection.fetch(sql.READ_PUBLIC, at, last)):
                written += page
                at = page[-1].position
            public = self._consequences.public

            async def append(requests: Sequence[AppendRequest]) -> None:
                for begin in range(0, len(requests), BATCH_LIMIT):
                    some = requests[begin : begin + BATCH_LIMIT]
                    await write(connection, some, lambda s: slot_of(s) if category_of(s) in public else None)

            await self._consequences.follow(connection, written, today, append)
        await connection.execute(_END_LEADING)
        without_payload = sum(
            one.erased or (one.sealed is not None and identity_of(one.subject) in erased) for one in tail
        )
        return Report(
            adopted=len(tail),
            filled=len(gaps),
            first=tail[0].position,
            last=tail[-1].position,
            new_keys=len(wanted) - len(known),
            erased=without_payload,
        )

    def _line(self, envelope: Envelope, data_key: DataKey | None) -> tuple[Any, ...]:
        """A row of the log, as `sql.COLUMNS` has them."""
        sealed: Mapping[str, Any] | None = None
        if envelope.sealed is not None and data_key is not None:
            try:
                sealed = rewrap(envelope.sealed, self._transport, data_key.recipient)
            except SealingError as fault:
                raise RecoveryFailed(
                    f"number {envelope.slot_sequence} of slot {envelope.slot} does not open: {fault}. Put the"
                    " transport key that sealed it back into the keys file. Nothing was changed."
                ) from fault
        elif envelope.sealed is not None or envelope.erased:
            sealed = _emptied(envelope)
        metadata = {"correlation": envelope.correlation_id, "causation": envelope.causation_id}
        return (
            envelope.position,
            envelope.subject,
            envelope.version,
            envelope.id,
            envelope.type,
            envelope.schema_version,
            envelope.slot,
            envelope.slot_sequence,
            orjson.dumps({"clear": envelope.clear, "sealed": sealed}).decode(),
            orjson.dumps(metadata).decode() if any(metadata.values()) else "{}",
            date.fromisoformat(envelope.day),
        )


def _number(item: Mapping[str, Any]) -> int:
    """Where the next page begins; the item may be anything."""
    number = item.get("slotsequence")
    return number if isinstance(number, int) else 0


def _position(line: tuple[Any, ...]) -> int:
    return int(line[0])


def _emptied(envelope: Envelope) -> dict[str, Any]:
    """In the place of an erased payload: sealed under a key that is nowhere (its subject's may be in the copy
    still), so that it is published as erased, as it was."""
    kid = str(uuid4())
    recipients = [{"header": {"alg": "A256KW", "kid": kid}, "encrypted_key": ""}]
    nothing = dict.fromkeys(("iv", "ciphertext", "tag"), "")
    return {"protected": PROTECTED, "aad": str(envelope.id), "recipients": recipients, **nothing}


def is_emptied(event: RecordedEvent) -> bool:
    """Whether an adopted event is known without its payload alone, for its key was destroyed."""
    sealed = event.data["sealed"]
    return sealed is not None and any(not one["encrypted_key"] for one in sealed["recipients"])


def _gap_lines(tail: Sequence[Envelope], head: int, today: date) -> list[tuple[Any, ...]]:
    """What stood between two events that one event caused was caused by it, too: what follows from an
    event is appended in one piece."""
    stream, at, cause = stream_id("recovery", uuid4()), head, ""
    lines: list[tuple[Any, ...]] = []
    for one in tail:
        between = {"causation": cause} if cause and cause == one.causation_id else {}
        for position in range(at + 1, one.position):
            data = orjson.dumps({"clear": {"position": position}, "sealed": None}).decode()
            metadata = orjson.dumps(between).decode()
            lines.append(
                (position, stream, len(lines) + 1, uuid4(), GAP, 1, None, None, data, metadata, today)
            )
        at, cause = one.position, one.causation_id
    return lines


async def _read_log(connection: asyncpg.Connection) -> _Log:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await connection.fetchval(sql.HEAD)
        heads = {row["slot"]: row["head"] for row in await connection.fetch(sql.SLOT_HEADS, SLOTS)}
    return _Log(head, heads)


def _checked(log: _Log, found: Sequence[Envelope]) -> list[Envelope]:
    """The tail in the order of positions.

    Raises:
        RecoveryFailed: it does not fit onto the log.
    """
    tail = sorted(found, key=lambda one: one.position)
    heads, last = dict(log.heads), log.head
    for one in sorted(tail, key=lambda one: (one.slot, one.slot_sequence)):
        if one.slot_sequence != heads.get(one.slot, 0) + 1:
            raise RecoveryFailed(
                f"number {heads.get(one.slot, 0) + 1} of slot {one.slot} is nowhere, and later ones are:"
                " restore a newer copy of the database. Nothing was changed."
            )
        heads[one.slot] = one.slot_sequence
    for one in tail:
        if one.position <= last or one.slot != slot_of(one.subject):
            raise RecoveryFailed(
                f"position {one.position} was given twice: events were appended after the tail was lost."
                " Restore a newer copy of the database. Nothing was changed."
            )
        last = one.position
    return tail
