"""`number` judges a batch as one request after another would be judged.

The model below knows no batches: it keeps the whole database in dictionaries and takes one request at a
time. `Database` does with a numbered batch what PostgreSQL does, unique constraints included, and repeats
a batch that breaks one request by request, as the committer does. Whatever the requests and however they
are cut into batches, both end the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from hypothesis import given, note, settings
from hypothesis import strategies as st

from shared.store.numbering import Batch, Heads, Row, RowKey, number, waiting_limits
from shared.store.requests import (
    WAITING,
    Appended,
    AppendRefused,
    AppendRequest,
    Claim,
    ClaimTaken,
    CursorMove,
    CursorMoved,
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
    Table,
    VersionConflict,
)
from shared.store.tables import CLAIMS
from tests.unit.shared.store.examples import NOTES, new_event

KEYS = Table("keys", {"id": "int", "topic": "text"}, ("id",), insert_only=True)
SLOTS_OF_STREAMS = {"complaint-a": 1, "complaint-b": 2, "complaint-c": 1, "draft-d": None}
EPOCH = 3

Tables = dict[str, dict[RowKey, Row]]


@dataclass
class State:
    """All that is stored, comparable."""

    log: list[tuple[int, str, int, int | None, int | None, UUID]] = field(default_factory=list)
    cursors: dict[tuple[str, int], int] = field(default_factory=dict)
    inbox: dict[tuple[str, int, int], tuple[InboxState, str, int | None, int | None]] = field(
        default_factory=dict
    )
    subjects: dict[tuple[str, int, int], str] = field(default_factory=dict)
    tables: Tables = field(default_factory=lambda: {"notes": {}, "keys": {}, "claims": {}})

    def versions(self) -> dict[str, int]:
        return {stream: version for _, stream, version, _, _, _ in self.log}

    def slots(self) -> dict[int, int]:
        return {slot: n for _, _, _, slot, n, _ in self.log if slot is not None and n is not None}

    def claims(self) -> dict[tuple[str, bytes], str]:
        return {(row["kind"], row["key"]): row["value"] for row in self.tables["claims"].values()}

    def waiting(self, subject: str) -> int:
        return sum(entry[0] in WAITING and self.subjects[key] == subject for key, entry in self.inbox.items())

    def applied_no(self) -> int:
        return max((no for _, _, no, _ in self.inbox.values() if no is not None), default=0)


class UniqueViolation(Exception):
    pass


class Model(State):
    """One request at a time; what is refused raises before anything is written."""

    def append(self, request: AppendRequest) -> Appended:
        self._judge(request)
        tables = self._changed(request)
        log, positions, versions = list(self.log), [], []
        head = len(log)
        for event in request.events:
            version = 1 + sum(stream == event.stream_id for _, stream, *_ in log)
            slot = SLOTS_OF_STREAMS[event.stream_id]
            sequence = None if slot is None else 1 + sum(of == slot for _, _, _, of, _, _ in log)
            log.append((len(log) + 1, event.stream_id, version, slot, sequence, event.event_id))
            positions.append(len(log))
            versions.append(version)
        for entry in request.inbox:
            key = (entry.source, entry.slot, entry.slot_sequence)
            self.subjects[key] = entry.subject
            self.inbox[key] = (entry.state, entry.reason, *self._application(entry.state, head))
        for step in request.transitions:
            key = (step.source, step.slot, step.slot_sequence)
            self.inbox[key] = (step.to, step.reason, *self._application(step.to, head))
        self.cursors |= {(m.source, m.slot): m.to for m in request.cursors if m.to != m.expected}
        self.log, self.tables = log, tables
        return Appended(tuple(positions), tuple(versions))

    def _application(self, state: InboxState, head: int) -> tuple[int | None, int | None]:
        return (self.applied_no() + 1, head) if state is InboxState.APPLIED else (None, None)

    def _judge(self, request: AppendRequest) -> None:
        for stream, expected in request.expected.items():
            if (actual := self.versions().get(stream, 0)) != expected:
                raise VersionConflict(stream, expected, actual)
        for claim in request.claims:
            if (value := self.claims().get((claim.kind, claim.key))) is not None:
                raise ClaimTaken(claim.kind, claim.key, value)
        for move in request.cursors:
            if (at := self.cursors.get((move.source, move.slot), 0)) != move.expected:
                raise CursorMoved(move.source, move.slot, move.expected, at)
        for lease in request.leases:
            if lease.epoch != EPOCH:
                raise LeaseLost(lease.name, lease.epoch, EPOCH)
        arrived: list[InboxEntry] = []
        for entry in request.inbox:
            waiting = self.waiting(entry.subject)
            waiting += sum(other.subject == entry.subject and other.state in WAITING for other in arrived)
            waiting -= sum(
                step.subject == entry.subject and step.expected in WAITING and step.to not in WAITING
                for step in request.transitions
            )
            if {
                InboxState.APPLIED: waiting > 0,
                InboxState.PARKED: waiting > 0,
                InboxState.QUEUED: waiting <= 0,
                InboxState.DROPPED: False,
            }[entry.state]:
                raise QueueChanged(entry.source, entry.subject, waiting)
            arrived.append(entry)
        for step in request.transitions:
            state = self.inbox.get((step.source, step.slot, step.slot_sequence), (None,))[0]
            if state is not step.expected:
                raise InboxStateChanged(step.source, step.slot, step.slot_sequence, state)
        keys = [(entry.source, entry.slot, entry.slot_sequence) for entry in request.inbox]
        if not self.inbox.keys().isdisjoint(keys):
            raise RowExists("")

    def _changed(self, request: AppendRequest) -> Tables:
        tables = {name: dict(rows) for name, rows in self.tables.items()}
        tables["claims"] |= {
            (claim.kind, claim.key): {"kind": claim.kind, "key": claim.key, "value": claim.value}
            for claim in request.claims
        }
        for change in request.rows:
            rows = tables[change.table.name]
            if isinstance(change, Remove):
                gone = [key for key, row in rows.items() if row[change.column] == change.value]
                for key in gone:
                    del rows[key]
            elif change.table.insert_only and change.table.key_of(change.row) in rows:
                raise RowExists("")
            else:
                rows[change.table.key_of(change.row)] = dict(change.row)
        return tables


class Database(State):
    """Commits numbered batches."""

    def commit(self, requests: Sequence[AppendRequest]) -> list[Appended | AppendRefused]:
        heads, counted = self._heads(), self._heads()
        numbering = number(requests, heads, SLOTS_OF_STREAMS.__getitem__)
        limits = waiting_limits(requests)
        counted.waiting = {queue: min(n, limits.get(queue, 0)) for queue, n in counted.waiting.items()}
        enough = number(requests, counted, SLOTS_OF_STREAMS.__getitem__)
        assert [*map(type, enough.outcomes)] == [*map(type, numbering.outcomes)], "more need not be counted"
        try:
            self._write(numbering.batch)
        except UniqueViolation:
            if len(requests) == 1:
                return [RowExists("")]
            return [outcome for request in requests for outcome in self.commit([request])]
        assert heads == self._heads(advanced=heads), "the heads it leaves are those of what it wrote"
        return numbering.outcomes

    def _heads(self, advanced: Heads | None = None) -> Heads:
        """What is stored; entries that stand for nothing are as good as absent, and then left out."""
        subjects = {("intake", subject): self.waiting(subject) for subject in ("s0", "s1")}
        heads = Heads(
            position=len(self.log),
            applied_no=self.applied_no(),
            versions=self.versions(),
            slots=self.slots(),
            claims=self.claims(),
            cursors=dict(self.cursors),
            leases={"relay": EPOCH},
            waiting=subjects,
            inbox={key: entry[0] for key, entry in self.inbox.items()},
        )
        if advanced is not None:
            advanced.waiting = {**subjects, **advanced.waiting}
        return heads

    def _write(self, batch: Batch) -> None:
        tables = {name: dict(rows) for name, rows in self.tables.items()}
        for table, run in ((table, run) for table, runs in batch.tables.values() for run in runs):
            rows = tables[table.name]
            _upsert(table, rows, run.passing)
            for column, values in run.removals.items():
                for key in [key for key, row in rows.items() if row[column] in values]:
                    del rows[key]
            _upsert(table, rows, run.puts)
        keys = [(e.entry.source, e.entry.slot, e.entry.slot_sequence) for e in batch.inbox]
        if len(set(keys)) < len(keys) or not self.inbox.keys().isdisjoint(keys):
            raise UniqueViolation
        self.tables = tables
        for numbered in batch.inbox:
            key = (numbered.entry.source, numbered.entry.slot, numbered.entry.slot_sequence)
            self.subjects[key] = numbered.entry.subject
            self.inbox[key] = (
                numbered.entry.state, numbered.entry.reason, numbered.applied_no, numbered.after_position
            )  # fmt: skip
        for step in batch.transitions.values():
            self.inbox[step.key] = (step.state, step.reason, step.applied_no, step.after_position)
        self.cursors |= batch.cursors
        self.log += [
            (e.position, e.event.stream_id, e.version, e.slot, e.slot_sequence, e.event.event_id)
            for e in batch.events
        ]


def _upsert(table: Table, rows: dict[RowKey, Row], put: Mapping[RowKey, Row]) -> None:
    if table.insert_only and not rows.keys().isdisjoint(put):
        raise UniqueViolation
    rows |= put


streams = st.sampled_from(sorted(SLOTS_OF_STREAMS))
events = st.lists(streams.map(new_event), max_size=3).map(tuple)
claims = st.lists(
    st.builds(Claim, st.just("k"), st.sampled_from([b"1", b"2"]), st.sampled_from("uv")),
    max_size=2,
    unique_by=lambda claim: claim.key,
).map(tuple)
moves = st.lists(
    st.builds(
        lambda slot, at, on: CursorMove("intake", slot, at, at + on),
        st.integers(0, 1),
        st.integers(0, 2),
        st.integers(0, 1),
    ),
    max_size=1,
).map(tuple)
sequences = st.integers(0, 5)
states = st.sampled_from(InboxState)
entries = st.lists(
    st.builds(
        lambda n, state: InboxEntry("intake", 0, n, UUID(int=n), f"s{n % 2}", "t", "{}", state),
        sequences,
        states,
    ),
    max_size=2,
    unique_by=lambda entry: entry.slot_sequence,
).map(tuple)
steps = st.lists(
    st.builds(
        lambda n, before, after: InboxTransition("intake", 0, n, f"s{n % 2}", before, after, "moved"),
        sequences,
        st.sampled_from(sorted(WAITING)),
        states,
    ),
    max_size=2,
    unique_by=lambda step: step.slot_sequence,
).map(tuple)
topics = st.sampled_from("xy")
changes = st.one_of(
    st.builds(
        lambda author, number, topic: Put(
            NOTES, {"author": author, "number": number, "topic": topic, "body": ""}
        ),
        st.sampled_from("ab"),
        st.integers(1, 2),
        topics,
    ),
    st.builds(lambda id_, topic: Put(KEYS, {"id": id_, "topic": topic}), st.integers(1, 2), topics),
    st.builds(lambda topic: Remove(NOTES, "topic", topic), topics),
    st.builds(lambda author: Remove(NOTES, "author", author), st.sampled_from("ab")),
    st.builds(lambda topic: Remove(KEYS, "topic", topic), topics),
    st.builds(lambda id_: Remove(KEYS, "id", id_), st.integers(1, 2)),
    st.builds(lambda value: Remove(CLAIMS, "value", value), st.sampled_from("uv")),
)


rows = st.lists(changes, max_size=4).map(tuple)
# Two rows and two topics: a few changes of them soon meet in every way.
few_rows = st.lists(
    st.one_of(
        st.builds(
            lambda author, topic: Put(NOTES, {"author": author, "number": 1, "topic": topic, "body": ""}),
            st.sampled_from("ab"),
            topics,
        ),
        st.builds(lambda topic: Remove(NOTES, "topic", topic), topics),
    ),
    min_size=1,
    max_size=2,
).map(tuple)
leases = st.sampled_from([(), (), (LeaseHeld("relay", EPOCH),), (LeaseHeld("relay", EPOCH - 1),)])
# Most requests ask for one or two things, so that most are accepted.
requests = st.one_of(
    st.builds(AppendRequest, events, st.dictionaries(streams, st.integers(0, 2), max_size=1)),
    st.builds(AppendRequest, events, claims=claims, rows=rows),
    st.builds(AppendRequest, events, cursors=moves, inbox=entries, transitions=steps),
    st.builds(AppendRequest, events, rows=rows),
    st.builds(AppendRequest, events, leases=leases, claims=claims, cursors=moves, inbox=entries),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(requests, max_size=6), max_size=5))
def test_a_batch_ends_as_its_requests_one_by_one(batches: list[list[AppendRequest]]) -> None:
    _agree(batches)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.builds(AppendRequest, rows=few_rows), max_size=4), min_size=1, max_size=3))
def test_a_batch_leaves_the_rows_that_its_requests_leave_one_by_one(
    batches: list[list[AppendRequest]],
) -> None:
    """Last writer wins, removals hit what was put before them and nothing else."""
    _agree(batches)


def _agree(batches: Iterable[Sequence[AppendRequest]]) -> None:
    model, database = Model(), Database()
    for batch in batches:
        got = database.commit(batch)
        for request, outcome in zip(batch, got, strict=True):
            note(f"{request} -> {outcome!r}")
            try:
                expected: Appended | AppendRefused = model.append(request)
            except AppendRefused as refused:
                expected = refused
            assert _comparable(outcome) == _comparable(expected)
    assert [entry[0] for entry in database.log] == list(range(1, len(database.log) + 1))
    applied = sorted(no for _, _, no, _ in database.inbox.values() if no is not None)
    assert len(set(applied)) == len(applied)
    assert vars(database) == vars(model)


def _comparable(outcome: Appended | AppendRefused) -> object:
    if isinstance(outcome, RowExists):
        return RowExists
    return outcome if isinstance(outcome, Appended) else (type(outcome), str(outcome))


@settings(max_examples=100, deadline=None)
@given(st.lists(requests, max_size=10), st.data())
def test_what_is_refused_might_as_well_not_have_been_asked(
    asked: list[AppendRequest], data: st.DataObject
) -> None:
    whole, accepted_only = Database(), Database()
    outcomes = whole.commit(asked)
    accepted_only.commit(
        [request for request, outcome in zip(asked, outcomes, strict=True) if isinstance(outcome, Appended)]
    )
    assert vars(whole) == vars(accepted_only)
