"""The tables change under a follower: a migration of a newer version was early, or took something away.

Every event that writes there fails then, and none of them is at fault. A column that the software does not
know and that must not be null parked good complaints once, twenty of them, and then the follower stopped.
"""

from collections.abc import AsyncIterator

import pytest

from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest, Put, SchemaFault
from shared.streaming.handling import Incoming
from tests.integration.shared.streaming.engines import PostgresAndFakeBroker
from tests.unit.shared.store.examples import NOTES
from tests.unit.shared.streaming.flow import TYPE, Flow, until


def obliging(table: str) -> str:
    """A column that software which does not know it leaves out, and may not."""
    return (
        f"ALTER TABLE {table} ADD COLUMN mood text NOT NULL DEFAULT 'x';"
        f" ALTER TABLE {table} ALTER COLUMN mood DROP DEFAULT"
    )


CHANGES = {
    "a column that must not be null": (
        obliging("notes"),
        "ALTER TABLE notes DROP COLUMN mood",
    ),
    "a check": (
        "ALTER TABLE notes ADD CONSTRAINT a_check CHECK (topic <> 't') NOT VALID",
        "ALTER TABLE notes DROP CONSTRAINT a_check",
    ),
    "a unique topic": ("CREATE UNIQUE INDEX one ON notes (topic)", "DROP INDEX one"),
    "a column less": ("ALTER TABLE notes DROP COLUMN body", "ALTER TABLE notes ADD COLUMN body jsonb"),
    "no such table": ("ALTER TABLE notes RENAME TO papers", "ALTER TABLE papers RENAME TO notes"),
    "another type": (
        "ALTER TABLE notes ALTER COLUMN body TYPE uuid USING null",
        "ALTER TABLE notes ALTER COLUMN body TYPE jsonb USING null",
    ),
    "an inbox with a column more": (
        obliging("inbox"),
        "ALTER TABLE inbox DROP COLUMN mood",
    ),
    "a log with a column more": (
        obliging("events"),
        "ALTER TABLE events DROP COLUMN mood",
    ),
    "no primary key": (
        "ALTER TABLE notes DROP CONSTRAINT notes_pkey",
        "ALTER TABLE notes ADD PRIMARY KEY (author, number)",
    ),
}


@pytest.fixture
async def flow(stores: tuple[PostgresStore, PostgresStore]) -> AsyncIterator[Flow]:
    flow = Flow(PostgresAndFakeBroker(*stores))
    yield flow
    await flow.close()


@pytest.mark.parametrize(("change", "back"), CHANGES.values(), ids=CHANGES.keys())
async def test_good_events_wait_until_the_tables_fit_again(flow: Flow, change: str, back: str) -> None:
    async def noted(incoming: Incoming) -> AppendRequest:
        row = {"author": incoming.envelope.subject, "number": 1, "topic": "t", "body": "{}"}
        told = await flow.listener(incoming)
        return AppendRequest(events=told.events, rows=(Put(NOTES, row),))

    store = flow.engines.follower
    assert isinstance(store, PostgresStore)
    flow.handlers = {(TYPE, 1): noted}
    flow.start(flow.relay().run())
    follower = flow.follower()
    flow.start(follower.run())
    await flow.record()
    await flow.settled()
    await store.pool.execute(change)
    try:
        await flow.record_many(subjects=30)

        async def waits() -> bool:
            return bool(follower.waiting_for)

        await until(waits, "it waits for the right tables")
        assert [row.state for row in await flow.engines.inbox()] == ["applied"]
    finally:
        await store.pool.execute(back)
    await flow.settled()
    await flow.prove()
    assert not follower.is_stopped


async def test_the_fault_names_things_and_nothing_of_the_row(
    stores: tuple[PostgresStore, PostgresStore],
) -> None:
    store = stores[1]
    await store.fetch("ALTER TABLE notes ADD COLUMN mood text NOT NULL")
    try:
        row = {"author": "Jane Smith", "number": 1, "topic": "t", "body": "{}"}
        with pytest.raises(SchemaFault) as fault:
            await store.append(AppendRequest(rows=(Put(NOTES, row),)))
        assert str(fault.value) == "NotNullViolationError notes mood"
        with pytest.raises(SchemaFault, match=r"^UndefinedTableError$"):
            await store.fetch("SELECT 'Jane Smith' FROM papers")
    finally:
        await store.fetch("ALTER TABLE notes DROP COLUMN mood")
