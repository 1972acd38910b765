"""The store on PostgreSQL keeps its promises."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.store.leases import Lease, take_lease
from shared.store.port import Store
from shared.store.postgres import PostgresStore
from shared.store.requests import Table
from tests.unit.shared.store.conformance import StoreConformance, Subject, together
from tests.unit.shared.store.examples import new_stream, one_event

_STORE: type[Store] = PostgresStore  # the type checker compares every method


class PostgresSubject:
    def __init__(self, store: PostgresStore) -> None:
        self.store = store

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        columns = ", ".join(table.columns)
        return [dict(row) for row in await self.store.pool.fetch(f"SELECT {columns} FROM {table.name}")]

    async def applied(self) -> list[tuple[int, int, UUID]]:
        rows = await self.store.pool.fetch(
            "SELECT applied_no, after_position, event_id FROM inbox"
            " WHERE state = 'applied' ORDER BY applied_no"
        )
        return [tuple(row) for row in rows]

    async def take_lease(self, name: str) -> Lease | None:
        return await take_lease(self.store.pool, name, uuid4())

    async def expire_lease(self, name: str) -> None:
        await self.store.pool.execute("UPDATE leases SET expires = clock_timestamp() WHERE name = $1", name)


class TestPostgresStore(StoreConformance):
    @pytest.fixture
    async def subject(self, postgres_store: PostgresStore) -> AsyncIterator[PostgresSubject]:
        yield PostgresSubject(postgres_store)

    async def unreadable(self, subject: Subject) -> list[tuple[str, int, int, int]]:
        assert isinstance(subject, PostgresSubject)
        rows = await subject.store.pool.fetch(
            "SELECT topic, partition, at_offset, length(record) FROM unreadable ORDER BY id"
        )
        return [tuple(row) for row in rows]


async def test_what_arrives_together_is_committed_together(postgres_store: PostgresStore) -> None:
    """The batches that the conformance tests speak of do happen."""
    await together(postgres_store, *(one_event(new_stream()) for _ in range(20)))
    assert list(postgres_store.batch_sizes) == [20]


async def test_closing_commits_what_was_accepted(store_url: str) -> None:
    async with PostgresStore(store_url, frozenset()) as closing:
        pending = [asyncio.create_task(closing.append(one_event(new_stream()))) for _ in range(30)]
        await asyncio.sleep(0)
    assert [(await task).positions[0] for task in pending] == list(range(1, 31))
