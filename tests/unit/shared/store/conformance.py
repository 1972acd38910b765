"""What every event store promises; `PostgresStore` and `FakeStore` both run it.

`together` appends requests at the same time: the group commit numbers them as one batch, in their order.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.store.events import SLOTS, NewEvent, slot_of
from shared.store.halts import Halt
from shared.store.inbox import UnreadableRecord
from shared.store.leases import Lease
from shared.store.port import Store
from shared.store.requests import (
    EVENT_LIMIT,
    Appended,
    AppendRefused,
    AppendRequest,
    Claim,
    ClaimTaken,
    CursorMove,
    CursorMoved,
    DuplicateEvent,
    EventTooLarge,
    InboxEntry,
    InboxState,
    InboxStateChanged,
    InboxTransition,
    LeaseHeld,
    LeaseLost,
    Put,
    QueueChanged,
    Remove,
    RowExists,
    StoreHalted,
    Table,
    VersionConflict,
    merged,
)
from shared.store.tables import CLAIMS, DATA_KEYS
from tests.unit.shared.store.examples import DAY, NOTES, TAGS, new_event, new_stream, one_event

SOURCE = "intake"


class Subject(Protocol):
    """A store under test, and what its tests need to see of it."""

    @property
    def store(self) -> Store: ...

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        """All rows; a jsonb value as its text."""

    async def applied(self) -> list[tuple[int, int, UUID]]:
        """(applied_no, after_position, event id) of the applied inbox entries, in this order."""

    async def take_lease(self, name: str) -> Lease | None: ...

    async def expire_lease(self, name: str) -> None: ...


async def together(store: Store, *requests: AppendRequest) -> list[Appended | BaseException]:
    """The outcomes of requests that are appended at once."""
    return await asyncio.gather(*(store.append(request) for request in requests), return_exceptions=True)


def entry(
    sequence: int, subject: str, state: InboxState = InboxState.APPLIED, *, slot: int = 7, reason: str = ""
) -> InboxEntry:
    return InboxEntry(
        SOURCE, slot, sequence, UUID(int=sequence), subject, "complaint.recorded", "{}", state, reason
    )


def move(sequence: int, slot: int = 7) -> CursorMove:
    """The cursor that an event of this slot sequence finds, and where it leaves it."""
    return CursorMove(SOURCE, slot, sequence - 1, sequence)


def step(
    sequence: int, subject: str, expected: InboxState, to: InboxState, reason: str = ""
) -> InboxTransition:
    return InboxTransition(SOURCE, 7, sequence, subject, expected, to, reason)


def note(author: str, number: int, topic: str, body: str = "{}") -> Put:
    return Put(NOTES, {"author": author, "number": number, "topic": topic, "body": body})


def rows_only(*changes: Put | Remove) -> AppendRequest:
    return AppendRequest(rows=changes)


class StoreConformance:
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Subject]:
        raise NotImplementedError
        yield

    @pytest.fixture
    def store(self, subject: Subject) -> Store:
        return subject.store

    # The log

    async def test_an_event_is_read_back_as_it_was_appended(self, store: Store) -> None:
        stream = new_stream()
        event = NewEvent(
            stream, uuid4(), "complaint.recorded", '{"clear":{"é":1},"sealed":null}', DAY, 3, "why", "cause"
        )
        assert await store.append(AppendRequest((event,))) == Appended((1,), (1,))
        (read,) = await store.read_stream(stream)
        assert (read.position, read.version, read.slot, read.slot_sequence) == (1, 1, slot_of(stream), 1)
        assert (read.stream_id, read.event_id, read.type) == (stream, event.event_id, "complaint.recorded")
        assert (read.data, read.schema_version) == ({"clear": {"é": 1}, "sealed": None}, 3)
        assert (read.correlation_id, read.causation_id) == ("why", "cause")
        assert type(read.event_id) is UUID
        assert read.recorded_on == DAY
        assert not hasattr(read.recorded_on, "hour"), "a day, never a time"
        assert await store.read_log(0) == [read]

    async def test_a_request_without_anything_is_nothing(self, store: Store) -> None:
        assert await store.append(AppendRequest()) == Appended((), ())
        assert await store.head() == 0

    async def test_events_of_a_request_are_numbered_in_their_order(self, store: Store) -> None:
        one, other = new_stream(), new_stream()
        events = (new_event(one), new_event(other), new_event(one))
        assert await store.append(AppendRequest(events)) == Appended((1, 2, 3), (1, 1, 2))
        assert [event.event_id for event in await store.read_log(0)] == [event.event_id for event in events]
        assert [event.version for event in await store.read_stream(one)] == [1, 2]
        assert [event.version for event in await store.read_stream(one, after=1)] == [2]
        assert await store.read_stream(new_stream()) == []

    async def test_the_log_is_read_in_windows(self, store: Store) -> None:
        await store.append(AppendRequest(tuple(new_event(new_stream()) for _ in range(5))))
        assert [event.position for event in await store.read_log(0, 2)] == [1, 2]
        assert [event.position for event in await store.read_log(2, 2)] == [3, 4]
        assert [event.position for event in await store.read_log(4, 2)] == [5]
        assert await store.read_log(5) == []
        assert await store.head() == 5

    async def test_odd_characters_in_a_cause_do_not_stop_readers(self, store: Store) -> None:
        odd = replace(new_event(new_stream()), causation_id="\0\x7f\\'\"", correlation_id="\u2028")
        await store.append(AppendRequest((odd,)))
        (read,) = await store.read_log(0)
        assert (read.causation_id, read.correlation_id) == (odd.causation_id, odd.correlation_id)

    # Expected versions

    async def test_a_conflict_names_stream_expected_and_actual(self, store: Store) -> None:
        stream = new_stream()
        await store.append(AppendRequest((new_event(stream), new_event(stream))))
        with pytest.raises(VersionConflict) as refused:
            await store.append(one_event(stream, expected=1))
        assert (refused.value.stream, refused.value.expected, refused.value.actual) == (stream, 1, 2)
        with pytest.raises(VersionConflict):
            await store.append(one_event(stream, expected=3))
        with pytest.raises(VersionConflict):
            await store.append(one_event(stream, expected=0))
        assert (await store.append(one_event(stream, expected=2))).versions == (3,)
        assert (await store.append(one_event(stream))).versions == (4,), "without one: at any version"

    async def test_a_version_can_be_checked_without_writing_to_the_stream(self, store: Store) -> None:
        read, written = new_stream(), new_stream()
        await store.append(one_event(read))
        with pytest.raises(VersionConflict):
            await store.append(AppendRequest((new_event(written),), {read: 0}))
        await store.append(AppendRequest((new_event(written),), {read: 1}))
        assert len(await store.read_stream(read)) == 1

    async def test_only_the_conflicting_request_of_a_batch_is_refused(self, store: Store) -> None:
        contested = new_stream()
        requests = [one_event(contested, 0), one_event(new_stream(), 0), one_event(contested, 0)]
        requests += [one_event(new_stream(), 0), one_event(contested, 1)]
        outcomes = await together(store, *requests)
        assert isinstance(outcomes[2], VersionConflict)
        assert (outcomes[2].stream, outcomes[2].expected, outcomes[2].actual) == (contested, 0, 1)
        accepted = [outcome.positions for outcome in outcomes if isinstance(outcome, Appended)]
        assert accepted == [(1,), (2,), (3,), (4,)]
        ids = [request.events[0].event_id for request in requests]
        assert [event.event_id for event in await store.read_log(0)] == [*ids[:2], *ids[3:]]

    async def test_a_refused_request_leaves_no_trace(self, subject: Subject) -> None:
        store, contested, other = subject.store, new_stream(), new_stream()
        await store.append(one_event(contested))
        whole = AppendRequest(
            (new_event(other),),
            {contested: 0},
            (Claim("receipt", b"k", "v"),),
            (move(1),),
            inbox=(entry(1, "s"),),
            rows=(note("a", 1, "t"),),
        )
        refused, follows = await together(store, whole, one_event(new_stream()))
        assert isinstance(refused, VersionConflict)
        assert follows == Appended((2,), (1,))
        assert await store.read_stream(other) == []
        assert await store.claimed("receipt", b"k") is None
        assert await store.cursors(SOURCE) == {}
        assert await subject.applied() == []
        assert await subject.rows(NOTES) == []

    # Slots

    async def test_public_events_are_numbered_without_gaps_in_their_slot(self, store: Store) -> None:
        streams = [new_stream() for _ in range(20)]
        await together(store, *(one_event(stream) for stream in streams))
        # By the definition in the architecture: crc32(stream_id) mod 240.
        counted: dict[int, int] = {}
        for event in await store.read_log(0):
            assert event.slot is not None
            assert event.slot == slot_of(event.stream_id) < SLOTS
            counted[event.slot] = counted.get(event.slot, 0) + 1
            assert event.slot_sequence == counted[event.slot]
        assert await store.slot_heads() == counted

    async def test_a_slot_is_read_alone(self, store: Store) -> None:
        stream = new_stream()
        same_slot = next(s for s in iter(new_stream, "") if slot_of(s) == slot_of(stream) and s != stream)
        await store.append(AppendRequest((new_event(stream), new_event(same_slot), new_event(stream))))
        events = await store.read_slot(slot_of(stream), 0)
        assert [(event.slot_sequence, event.stream_id) for event in events] == [
            (1, stream),
            (2, same_slot),
            (3, stream),
        ]
        assert [event.slot_sequence for event in await store.read_slot(slot_of(stream), 1, 1)] == [2]
        assert await store.read_slot((slot_of(stream) + 1) % SLOTS, 0) == []

    async def test_internal_streams_have_no_slot(self, store: Store) -> None:
        internal, public = new_stream("draft"), new_stream()
        await store.append(AppendRequest((new_event(internal), new_event(public), new_event(internal))))
        (first, _) = await store.read_stream(internal)
        assert (first.slot, first.slot_sequence) == (None, None)
        assert await store.slot_heads() == {slot_of(public): 1}
        events, up_to = await store.read_public(0)
        assert ([event.stream_id for event in events], up_to) == ([public], 3)

    async def test_reading_public_events_goes_on_where_none_is(self, store: Store) -> None:
        await store.append(AppendRequest(tuple(new_event(new_stream("draft")) for _ in range(3))))
        await store.append(one_event(new_stream()))
        assert await store.read_public(0, 2) == ([], 2)
        events, up_to = await store.read_public(2, 2)
        assert ([event.position for event in events], up_to) == ([4], 4)
        assert await store.read_public(4) == ([], 4)
        assert await store.read_public(9) == ([], 9), "never back"

    # Claims

    async def test_a_claim_is_taken_once_and_tells_what_is_stored_with_it(self, store: Store) -> None:
        claim = Claim("idempotency", b"\x00\xff", "complaint 1")
        await store.append(AppendRequest(claims=(claim,)))
        with pytest.raises(ClaimTaken) as refused:
            await store.append(
                merged(one_event(new_stream()), AppendRequest(claims=(replace(claim, value=""),)))
            )
        assert (refused.value.kind, refused.value.key) == ("idempotency", b"\x00\xff")
        assert refused.value.value == "complaint 1"
        assert await store.head() == 0
        assert await store.claimed("idempotency", b"\x00\xff") == "complaint 1"
        assert await store.claimed("receipt", b"\x00\xff") is None, "another kind"
        await store.append(AppendRequest(claims=(Claim("receipt", b"\x00\xff"),)))
        assert await store.claimed("receipt", b"\x00\xff") == ""

    async def test_of_a_batch_the_first_claims(self, store: Store) -> None:
        outcomes = await together(store, *(AppendRequest(claims=(Claim("k", b"k", v),)) for v in "abc"))
        assert outcomes[0] == Appended((), ())
        assert [getattr(outcome, "value", None) for outcome in outcomes[1:]] == ["a", "a"]

    async def test_a_claim_that_an_erasure_removes_is_free_again(self, store: Store) -> None:
        def claim(value: str) -> AppendRequest:
            return AppendRequest(claims=(Claim("k", b"k", value),))

        await store.append(claim("one"))
        erasure = rows_only(Remove(CLAIMS, "value", "one"))
        outcomes = await together(store, erasure, claim("two"), claim("three"))
        assert [type(outcome) for outcome in outcomes] == [Appended, Appended, ClaimTaken]
        assert await store.claimed("k", b"k") == "two"
        outcomes = await together(store, rows_only(Remove(CLAIMS, "value", "two")), claim("two"))
        assert [type(outcome) for outcome in outcomes] == [Appended, Appended]
        assert await store.claimed("k", b"k") == "two", "claimed after the removal"

    # Cursors

    async def test_a_cursor_moves_with_its_effects_once(self, store: Store) -> None:
        stream = new_stream()
        request = merged(one_event(stream), AppendRequest(cursors=(move(1),)))
        await store.append(request)
        assert await store.cursors(SOURCE) == {7: 1}
        with pytest.raises(CursorMoved) as refused:
            await store.append(merged(one_event(stream), AppendRequest(cursors=(move(1),))))
        error = refused.value
        assert (error.source, error.slot, error.expected, error.actual) == (SOURCE, 7, 0, 1)
        assert len(await store.read_stream(stream)) == 1
        await store.append(AppendRequest(cursors=(move(2), move(1, slot=8))))
        assert await store.cursors(SOURCE) == {7: 2, 8: 1}
        assert await store.cursors("dedup") == {}

    async def test_a_cursor_is_checked_without_moving(self, store: Store) -> None:
        await store.append(AppendRequest(cursors=(move(1),)))
        await store.append(AppendRequest(cursors=(CursorMove(SOURCE, 7, 1, 1),)))
        assert await store.cursors(SOURCE) == {7: 1}
        with pytest.raises(CursorMoved):
            await store.append(AppendRequest(cursors=(CursorMove(SOURCE, 7, 0, 0),)))
        await store.append(AppendRequest(cursors=(CursorMove(SOURCE, 9, 0, 0),)))
        assert await store.cursors(SOURCE) == {7: 1}

    async def test_a_guard_beside_a_move_does_not_put_the_cursor_back(self, store: Store) -> None:
        """A handler that merges its guard into what the inbox appends: the event would be applied twice."""
        guard = CursorMove(SOURCE, 7, 0, 0)
        await store.append(AppendRequest(cursors=(move(1), guard)))
        assert await store.cursors(SOURCE) == {7: 1}

    async def test_cursors_of_a_batch_follow_each_other(self, store: Store) -> None:
        outcomes = await together(store, *(AppendRequest(cursors=(move(n),)) for n in (1, 2, 4, 3)))
        assert [type(outcome) for outcome in outcomes] == [Appended, Appended, CursorMoved, Appended]
        assert await store.cursors(SOURCE) == {7: 3}

    # Leases

    async def test_an_append_is_refused_after_its_lease_was_taken_over(self, subject: Subject) -> None:
        lease = await subject.take_lease("relay")
        assert lease is not None
        assert await subject.take_lease("relay") is None, "it is held"
        guarded = AppendRequest((new_event(new_stream()),), leases=(lease.guard,))
        await subject.store.append(guarded)
        await subject.expire_lease("relay")
        successor = await subject.take_lease("relay")
        assert successor is not None
        assert successor.epoch == lease.epoch + 1
        with pytest.raises(LeaseLost) as refused:
            await subject.store.append(AppendRequest((new_event(new_stream()),), leases=(lease.guard,)))
        assert (refused.value.name, refused.value.epoch, refused.value.actual) == ("relay", 1, 2)
        await subject.store.append(AppendRequest((new_event(new_stream()),), leases=(successor.guard,)))
        assert await subject.store.head() == 2

    async def test_a_lease_that_nobody_took_guards_nothing(self, store: Store) -> None:
        with pytest.raises(LeaseLost):
            await store.append(AppendRequest(leases=(LeaseHeld("resolver", 1),)))

    # The inbox

    async def test_applied_entries_are_numbered_in_one_order_with_the_log(self, subject: Subject) -> None:
        def consumed(n: int, events: int) -> AppendRequest:
            effects = tuple(new_event(new_stream("draft")) for _ in range(events))
            return AppendRequest(effects, cursors=(move(n),), inbox=(entry(n, f"s{n}"),))

        requests = [consumed(1, 2), one_event(new_stream()), consumed(9, 1), consumed(2, 0), consumed(3, 1)]
        outcomes = await together(subject.store, *requests)
        assert isinstance(outcomes[2], CursorMoved)
        assert await subject.applied() == [(1, 0, UUID(int=1)), (2, 3, UUID(int=2)), (3, 3, UUID(int=3))]
        await subject.store.append(consumed(4, 1))
        assert (await subject.applied())[-1] == (4, 4, UUID(int=4))

    async def test_nothing_overtakes_a_parked_event_of_its_subject(self, subject: Subject) -> None:
        store = subject.store
        await store.append(AppendRequest(inbox=(entry(1, "s", InboxState.PARKED, reason="no"),)))
        for state in (InboxState.APPLIED, InboxState.PARKED):
            with pytest.raises(QueueChanged) as refused:
                await store.append(AppendRequest((new_event(new_stream()),), inbox=(entry(2, "s", state),)))
            assert (refused.value.source, refused.value.subject, refused.value.waiting) == (SOURCE, "s", 1)
        await store.append(AppendRequest(inbox=(entry(2, "s", InboxState.QUEUED),)))
        await store.append(AppendRequest(inbox=(entry(3, "other"), entry(4, "s", InboxState.DROPPED))))
        assert [number for number, _, _ in await subject.applied()] == [1]
        waiting = await store.waiting(SOURCE, "s")
        assert [(w.slot_sequence, w.state, w.reason) for w in waiting] == [
            (1, "parked", "no"),
            (2, "queued", ""),
        ]
        assert waiting[0].event == "{}"
        assert await store.head() == 0

    async def test_nothing_queues_behind_nothing(self, store: Store) -> None:
        with pytest.raises(QueueChanged):
            await store.append(AppendRequest(inbox=(entry(1, "s", InboxState.QUEUED),)))
        assert await store.waiting(SOURCE, "s") == []

    async def test_within_a_batch_and_a_request_the_queue_holds_too(self, subject: Subject) -> None:
        outcomes = await together(
            subject.store,
            AppendRequest(inbox=(entry(1, "s", InboxState.PARKED),)),
            AppendRequest(inbox=(entry(2, "s"),)),
            AppendRequest(inbox=(entry(2, "s", InboxState.QUEUED),)),
            AppendRequest(inbox=(entry(3, "t", InboxState.PARKED), entry(4, "t"))),
            AppendRequest(inbox=(entry(3, "t", InboxState.PARKED), entry(4, "t", InboxState.QUEUED))),
        )
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds == [Appended, QueueChanged, Appended, QueueChanged, Appended]
        assert await subject.applied() == []

    async def test_a_retry_drains_the_queue(self, subject: Subject) -> None:
        store, parked, queued, applied = subject.store, *_STATES
        await store.append(AppendRequest(inbox=(entry(1, "s", parked, reason="no"),)))
        await store.append(AppendRequest(inbox=(entry(2, "s", queued),)))
        retried = AppendRequest(one_event(new_stream()).events, transitions=(step(1, "s", parked, applied),))
        outcomes = await together(store, retried, retried)
        assert outcomes[0] == Appended((1,), (1,))
        assert isinstance(outcomes[1], InboxStateChanged)
        error = outcomes[1]
        assert (error.source, error.slot, error.slot_sequence, error.actual) == (SOURCE, 7, 1, applied)
        with pytest.raises(QueueChanged):
            await store.append(AppendRequest(inbox=(entry(3, "s"),)))
        await store.append(AppendRequest(transitions=(step(2, "s", queued, InboxState.DROPPED, "gone"),)))
        assert await store.waiting(SOURCE, "s") == []
        await store.append(AppendRequest(inbox=(entry(3, "s"),)))
        assert await subject.applied() == [(1, 0, UUID(int=1)), (2, 1, UUID(int=3))]

    async def test_an_event_may_enter_as_the_last_waiting_one_leaves(self, subject: Subject) -> None:
        store, parked, _, applied = subject.store, *_STATES
        await store.append(AppendRequest(inbox=(entry(1, "s", parked),)))
        both = AppendRequest(transitions=(step(1, "s", parked, applied),), inbox=(entry(2, "s"),))
        await store.append(both)
        assert {event_id for _, _, event_id in await subject.applied()} == {UUID(int=1), UUID(int=2)}

    async def test_an_absent_entry_makes_no_step(self, store: Store) -> None:
        with pytest.raises(InboxStateChanged) as refused:
            await store.append(
                AppendRequest(transitions=(step(1, "s", InboxState.PARKED, InboxState.APPLIED),))
            )
        assert refused.value.actual is None

    async def test_an_event_is_kept_once_in_the_inbox(self, subject: Subject) -> None:
        await subject.store.append(AppendRequest(inbox=(entry(1, "s"),)))
        refused, other = await together(
            subject.store, AppendRequest(inbox=(entry(1, "t"),)), AppendRequest(inbox=(entry(2, "t"),))
        )
        assert isinstance(refused, RowExists)
        assert isinstance(other, Appended)
        assert [number for number, _, _ in await subject.applied()] == [1, 2]

    async def test_parked_entries_are_listed_by_page(self, store: Store) -> None:
        states = [InboxState.PARKED, InboxState.APPLIED, InboxState.PARKED, InboxState.PARKED]
        entries = tuple(entry(n, f"s{n}", state) for n, state in enumerate(states, 1))
        await store.append(AppendRequest(inbox=(*entries, entry(1, "u", InboxState.PARKED, slot=2))))
        first = await store.parked(limit=2)
        assert [(e.source, e.slot, e.slot_sequence) for e in first] == [(SOURCE, 2, 1), (SOURCE, 7, 1)]
        rest = await store.parked(after=(SOURCE, 7, 1))
        assert [(e.slot, e.slot_sequence, e.subject) for e in rest] == [(7, 3, "s3"), (7, 4, "s4")]

    # Read-model rows

    async def test_a_row_is_replaced_whole_and_removed_by_any_column(self, subject: Subject) -> None:
        await subject.store.append(rows_only(note("a", 1, "x", "[1]"), note("a", 2, "x"), note("b", 1, "y")))
        await subject.store.append(rows_only(note("a", 1, "z", "[2]"), Remove(NOTES, "topic", "x")))
        assert await _notes(subject) == {("a", 1): ("z", "[2]"), ("b", 1): ("y", "{}")}
        await subject.store.append(rows_only(Remove(NOTES, "author", "b"), Remove(NOTES, "number", 7)))
        assert await _notes(subject) == {("a", 1): ("z", "[2]")}

    async def test_of_a_batch_the_last_writer_of_a_row_wins(self, subject: Subject) -> None:
        await together(subject.store, *(rows_only(note("a", 1, topic)) for topic in "xyz"))
        assert await _notes(subject) == {("a", 1): ("z", "{}")}
        await together(
            subject.store,
            rows_only(Remove(NOTES, "author", "a"), note("a", 2, "kept")),
            rows_only(note("a", 3, "gone")),
            rows_only(Remove(NOTES, "topic", "gone")),
        )
        assert await _notes(subject) == {("a", 2): ("kept", "{}")}

    async def test_a_row_replaced_and_removed_in_one_batch_does_not_come_back(self, subject: Subject) -> None:
        """The table's old row has not the value by which the new one is removed."""
        await subject.store.append(rows_only(note("a", 1, "old")))
        await together(
            subject.store, rows_only(note("a", 1, "new")), rows_only(Remove(NOTES, "topic", "new"))
        )
        assert await subject.rows(NOTES) == []

    async def test_rows_stand_or_fall_with_their_request(self, subject: Subject) -> None:
        stream = new_stream()
        one, other = (
            replace(one_event(stream, 0), rows=(note("a", number, "t"), Remove(NOTES, "topic", "x")))
            for number in (1, 2)
        )
        await together(subject.store, one, other)
        assert await _notes(subject) == {("a", 1): ("t", "{}")}

    async def test_a_listed_row_stands_for_many_and_goes_as_one(self, subject: Subject) -> None:
        tags = {1: [5, -7, 1 << 62], 2: [5], 3: [9]}
        await together(subject.store, *(rows_only(_tagged(note, of)) for note, of in tags.items()))
        assert await _tags(subject) == {(tag, note) for note, of in tags.items() for tag in of}
        outcomes = await together(
            subject.store, rows_only(Remove(TAGS, "note", 1), _tagged(4, [5])), rows_only(_tagged(4, [6]))
        )
        assert [type(outcome) for outcome in outcomes] == [Appended, RowExists]
        assert await _tags(subject) == {(5, 2), (9, 3), (5, 4)}
        outcomes = await together(
            subject.store, rows_only(_tagged(5, [1, 2])), rows_only(Remove(TAGS, "note", 5))
        )
        assert [type(outcome) for outcome in outcomes] == [Appended, Appended]
        with pytest.raises(RowExists):
            await subject.store.append(merged(one_event(new_stream()), rows_only(_tagged(2, [5]))))
        assert await subject.store.head() == 0
        assert await _tags(subject) == {(5, 2), (9, 3), (5, 4)}

    # Data keys

    async def test_a_data_key_is_never_replaced(self, store: Store) -> None:
        key_id = uuid4()
        await store.append(rows_only(_data_key(key_id, b"one")))
        with pytest.raises(RowExists):
            await store.append(merged(one_event(new_stream()), rows_only(_data_key(key_id, b"two"))))
        assert await store.head() == 0
        assert await store.data_keys([key_id, uuid4()]) == [(key_id, "kek-1", b"one")]
        assert await store.data_keys([]) == []

    async def test_a_data_key_is_not_replaced_within_a_batch_either(self, store: Store) -> None:
        """Both requests sealed events under the key that they bring; one of them could never be opened."""
        key_id = uuid4()
        one, other = (
            merged(one_event(new_stream()), rows_only(_data_key(key_id, key))) for key in (b"one", b"two")
        )
        outcomes = await together(store, one, other)
        assert [type(outcome) for outcome in outcomes] == [Appended, RowExists]
        assert await store.data_keys([key_id]) == [(key_id, "kek-1", b"one")]
        assert await store.head() == 1

    async def test_a_destroyed_data_key_is_gone(self, store: Store) -> None:
        one, other = uuid4(), uuid4()
        await store.append(rows_only(_data_key(one, b"1"), _data_key(other, b"2")))
        await store.append(rows_only(Remove(DATA_KEYS, "key_id", one)))
        assert await store.data_keys([one, other]) == [(other, "kek-1", b"2")]

    async def test_a_data_key_is_rewrapped_by_removing_it_first(self, store: Store) -> None:
        key_id = uuid4()
        rewrapped = rows_only(Remove(DATA_KEYS, "key_id", key_id), _data_key(key_id, b"new"))
        outcomes = await together(store, rows_only(_data_key(key_id, b"old")), rewrapped)
        assert [type(outcome) for outcome in outcomes] == [Appended, Appended]
        assert await store.data_keys([key_id]) == [(key_id, "kek-1", b"new")]

    async def test_a_key_that_is_there_is_refused_though_the_batch_destroys_it(self, store: Store) -> None:
        key_id = uuid4()
        await store.append(rows_only(_data_key(key_id, b"first")))
        second = merged(one_event(new_stream()), rows_only(_data_key(key_id, b"second")))
        outcomes = await together(store, second, rows_only(Remove(DATA_KEYS, "key_id", key_id)))
        assert [type(outcome) for outcome in outcomes] == [RowExists, Appended]
        assert await store.data_keys([key_id]) == []
        assert await store.head() == 0

    # Requests that fail alone

    async def test_a_duplicate_event_id_fails_alone(self, store: Store) -> None:
        event_id, stream = uuid4(), new_stream()
        again = AppendRequest((new_event(stream, event_id),))
        outcomes = await together(store, one_event(new_stream()), again, one_event(new_stream()), again)
        assert [type(outcome) for outcome in outcomes] == [Appended, Appended, Appended, DuplicateEvent]
        with pytest.raises(DuplicateEvent):
            await store.append(AppendRequest((new_event(new_stream()), new_event(stream, event_id))))
        assert [event.position for event in await store.read_log(0)] == [1, 2, 3]
        assert len(await store.read_stream(stream)) == 1

    @pytest.mark.parametrize(
        "data",
        ['{"clear": "\0"}', "{", "", "NaN", '{"clear": 1}}'],
        ids=["nul", "open", "empty", "nan", "more"],
    )
    async def test_a_value_that_is_no_json_fails_alone(self, store: Store, data: str) -> None:
        bad = AppendRequest((new_event(new_stream(), data=data),))
        outcomes = await together(store, one_event(new_stream()), bad, one_event(new_stream()))
        assert isinstance(outcomes[1], asyncpg.DataError)
        assert [outcomes[0], outcomes[2]] == [Appended((1,), (1,)), Appended((2,), (1,))]
        assert await store.append(one_event(new_stream())) == Appended((3,), (1,))

    async def test_a_row_that_lacks_a_column_fails_alone(self, subject: Subject) -> None:
        """It fails in mid-transaction; nothing of it may be committed with what comes next."""
        bad = AppendRequest((new_event(new_stream()),), rows=(Put(NOTES, {"author": "a", "number": 1}),))
        outcomes = await together(subject.store, one_event(new_stream()), bad, one_event(new_stream()))
        assert isinstance(outcomes[1], KeyError)
        assert [outcomes[0], outcomes[2]] == [Appended((1,), (1,)), Appended((2,), (1,))]
        assert await subject.store.append(one_event(new_stream())) == Appended((3,), (1,))
        assert bad.events[0].event_id not in [event.event_id for event in await subject.store.read_log(0)]
        assert await subject.rows(NOTES) == []

    async def test_an_event_too_large_for_kafka_is_refused(self, store: Store) -> None:
        def sized(size: int, letter: str = "x") -> AppendRequest:
            data = f'"{letter * ((size - 2) // len(letter.encode()))}"'
            return AppendRequest((new_event(new_stream(), data=data),))

        await store.append(sized(EVENT_LIMIT))
        with pytest.raises(EventTooLarge):
            await store.append(sized(EVENT_LIMIT + 1))
        with pytest.raises(EventTooLarge):
            await store.append(sized(EVENT_LIMIT + 2, "é"))  # it is the bytes that count
        assert await store.head() == 1

    # The rest

    async def test_every_refusal_of_a_request_is_one_kind_of_error(self) -> None:
        kinds = (VersionConflict, ClaimTaken, CursorMoved, LeaseLost, QueueChanged, InboxStateChanged)
        assert all(issubclass(kind, AppendRefused) for kind in (*kinds, DuplicateEvent, RowExists))

    async def test_a_halted_store_appends_nothing_until_every_halt_is_lifted(self, store: Store) -> None:
        await store.append(one_event(new_stream()))
        halts = [Halt(witness, 3, 7, uuid4(), "the log lost its tail") for witness in ("dedup", "topic")]
        for halt in halts:
            await store.halt(halt)
        assert await store.halts() == halts
        for halt in halts:
            with pytest.raises(StoreHalted, match="lost its tail"):
                await store.append(one_event(new_stream()))
            assert await store.head() == 1
            await store.lift([halt])
        await store.append(one_event(new_stream()))
        assert await store.halts() == []

    async def test_a_witness_has_one_halt_and_an_older_one_lifts_no_newer_one(self, store: Store) -> None:
        older, newer = (Halt("topic", 3, number, uuid4(), "the log lost its tail") for number in (7, 8))
        await store.halt(older)
        await store.halt(newer)
        await store.lift([older])
        assert await store.halts() == [newer]

    async def test_an_event_that_the_log_has_halts_nothing_and_halts_no_longer(self, store: Store) -> None:
        request = one_event(new_stream())
        await store.append(request)
        (event,) = await store.read_log(0)
        await store.halt(Halt("topic", event.slot or 0, event.slot_sequence or 0, event.event_id, "lost"))
        assert await store.halts() == []

    async def test_readers_are_woken_by_an_append(self, store: Store) -> None:
        await _settled(store)
        news = store.news()
        assert not news.is_set()
        await store.append(one_event(new_stream()))
        async with asyncio.timeout(10):
            await news.wait()
        assert store.news() is not news

    async def test_unreadable_records_are_kept_once_and_cut(self, subject: Subject) -> None:
        kept = UnreadableRecord("t", 3, 17, "no envelope", b"x" * 300_000)
        await subject.store.keep_unreadable(kept)
        await subject.store.keep_unreadable(kept)
        assert await self.unreadable(subject) == [("t", 3, 17, 256 * 1024)]
        await subject.store.keep_unreadable(replace(kept, offset=18))
        assert [offset for _, _, offset, _ in await self.unreadable(subject)] == [17, 18]

    async def unreadable(self, subject: Subject) -> list[tuple[str, int, int, int]]:
        """(topic, partition, offset, bytes kept)"""
        raise NotImplementedError


_STATES = (InboxState.PARKED, InboxState.QUEUED, InboxState.APPLIED)


def _data_key(key_id: UUID, wrapped: bytes) -> Put:
    return Put(DATA_KEYS, {"key_id": key_id, "kek_id": "kek-1", "wrapped": wrapped})


def _tagged(note: int, tags: list[int]) -> Put:
    return Put(TAGS, {"tag": tags, "note": note})


async def _tags(subject: Subject) -> set[tuple[int, int]]:
    rows = [(row["tag"], row["note"]) for row in await subject.rows(TAGS)]
    assert len(set(rows)) == len(rows)
    return set(rows)


async def _notes(subject: Subject) -> dict[tuple[str, int], tuple[str, str]]:
    return {(row["author"], row["number"]): (row["topic"], row["body"]) for row in await subject.rows(NOTES)}


async def _settled(store: Store) -> None:
    """Returns when the store hears of appends: its listener may connect later than the first one."""
    news = store.news()
    async with asyncio.timeout(10):
        while not news.is_set():
            await store.append(one_event(new_stream("draft")))
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), 0.2)
