"""The store in memory keeps the promises of the real one."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.store.leases import Lease
from shared.store.port import Store
from shared.store.requests import AppendRequest, StoreUnavailable, Table
from tests.fakes.store import FakeStore
from tests.unit.shared.store.conformance import StoreConformance, Subject
from tests.unit.shared.store.examples import PUBLIC, new_stream, one_event

_STORE: type[Store] = FakeStore  # the type checker compares every method


class FakeSubject:
    def __init__(self) -> None:
        self.store = FakeStore(PUBLIC)

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        return self.store.rows(table)

    async def applied(self) -> list[tuple[int, int, UUID]]:
        return sorted(
            (row.applied_no, row.after_position, row.entry.event_id)
            for row in self.store.inbox.values()
            if row.applied_no is not None and row.after_position is not None
        )

    async def take_lease(self, name: str) -> Lease | None:
        return self.store.take_lease(name, uuid4())

    async def expire_lease(self, name: str) -> None:
        self.store.expire_lease(name)


class TestFakeStore(StoreConformance):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[FakeSubject]:
        yield FakeSubject()

    async def unreadable(self, subject: Subject) -> list[tuple[str, int, int, int]]:
        assert isinstance(subject, FakeSubject)
        kept = subject.store.unreadable
        return [(record.topic, record.partition, record.offset, len(record.value)) for record in kept]


async def test_its_database_can_be_away() -> None:
    store = FakeStore(PUBLIC)
    await store.append(one_event(new_stream()))
    store.away = True
    with pytest.raises(StoreUnavailable):
        await store.append(AppendRequest())
    with pytest.raises(StoreUnavailable):
        await store.read_log(0)
    store.away = False
    assert await store.head() == 1


async def test_a_lease_is_renewed_while_it_runs() -> None:
    store = FakeStore()
    lease = store.take_lease("relay", uuid4())
    assert lease is not None
    assert store.renew_lease(lease)
    store.expire_lease("relay")
    assert not store.renew_lease(lease)
