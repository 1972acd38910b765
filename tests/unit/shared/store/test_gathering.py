"""Look-ups that gather while one is under way."""

import asyncio
from collections.abc import Mapping

import pytest

from shared.store.gathering import Gathered
from shared.store.requests import StoreUnavailable


class Table:
    """Rows that are read by statements; each waits until it is let through."""

    def __init__(self) -> None:
        self.rows: dict[int, str] = {}
        self.asked: list[list[int]] = []
        self.fault: Exception | None = None
        self._passing = asyncio.Event()

    def let_through(self) -> None:
        self._passing.set()

    async def ask(self, keys: list[int]) -> Mapping[int, str]:
        self.asked.append(keys)
        seen = dict(self.rows)  # a statement sees what was committed before it was sent
        await self._passing.wait()
        if self.fault is not None:
            raise self.fault
        return {key: seen[key] for key in keys if key in seen}

    async def is_asked(self, times: int) -> None:
        while len(self.asked) < times:
            await asyncio.sleep(0)


async def test_what_is_asked_meanwhile_is_one_statement_and_each_gets_its_own() -> None:
    table = Table()
    table.rows = {1: "one", 2: "two", 3: "three"}
    gathered = Gathered(table.ask)
    first = asyncio.create_task(gathered.of([1]))
    await table.is_asked(1)
    others = [asyncio.create_task(gathered.of(keys)) for keys in ([2, 3], [3, 4], [])]
    await asyncio.sleep(0)
    table.let_through()
    assert await first == {1: "one"}
    assert await asyncio.gather(*others) == [{2: "two", 3: "three"}, {3: "three"}, {}]
    assert table.asked == [[1], [2, 3, 4]]


async def test_what_was_committed_before_is_seen_though_the_same_key_is_being_asked() -> None:
    table = Table()
    gathered = Gathered(table.ask)
    before = asyncio.create_task(gathered.of([1]))
    await table.is_asked(1)
    table.rows[1] = "committed"
    after = asyncio.create_task(gathered.of([1]))
    await asyncio.sleep(0)
    table.let_through()
    assert (await before, await after) == ({}, {1: "committed"})


async def test_a_fault_is_told_to_each_that_it_met_and_to_nobody_later() -> None:
    table = Table()
    table.fault = StoreUnavailable("away")
    table.let_through()
    gathered = Gathered(table.ask)
    met = await asyncio.gather(gathered.of([1]), gathered.of([2]), return_exceptions=True)
    assert [type(fault) for fault in met] == [StoreUnavailable, StoreUnavailable]
    table.rows, table.fault = {1: "one"}, None
    assert await gathered.of([1]) == {1: "one"}


async def test_who_asked_first_may_be_cancelled() -> None:
    table = Table()
    table.rows = {1: "one", 2: "two"}
    gathered = Gathered(table.ask)
    first, second = asyncio.create_task(gathered.of([1])), asyncio.create_task(gathered.of([2]))
    await table.is_asked(1)
    first.cancel()
    table.let_through()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == {2: "two"}
