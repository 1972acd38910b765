"""Lists of cases: every filter and order, page by page, each by an index that has its order.

At a million cases the list by status and force took 3.6 s: it went through all cases in the order of their
priority until it had found a page of those that were asked for.
"""

import random
from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection

from services.referral.migrations.online import INDEXES
from services.referral.read_models import CaseRow, Order, list_statement
from shared.store.migrate import migrate
from tests.integration.services.referral.feeding import Referral

STATUSES = ("open", "assessed", "decided", "closed", "merged")
FORCES = ("kent", "essex", "unknown")
HOLDER = b"\x01"
ORDERS: tuple[Order, ...] = ("priority", "due_on")
_INSERT = """
INSERT INTO cases SELECT $1, 1, 1, $2, $3, $4, $5, '2026-01-01', NULL, '[]', '[]', '[]', '[]'
"""


async def _fill(referral: Referral, count: int) -> set[UUID]:
    """So many cases; those that are hidden from the holder. Every fifth one has a verdict of before."""
    chosen, hidden = random.Random(4), set()
    async with referral.store.pool.acquire() as connection:
        for number in range(count):
            case_id = UUID(int=chosen.getrandbits(128))
            due_on = chosen.choice([None, date(2026, 3, 1) + timedelta(chosen.randrange(4))])
            await connection.execute(
                _INSERT, case_id, chosen.choice(STATUSES), chosen.choice(FORCES), chosen.randrange(3), due_on
            )
            if number % 3:
                is_current, is_in_conflict = bool(number % 5), bool(number % 2)
                await connection.execute(
                    "INSERT INTO verdicts VALUES ($1, $2, $3, $4)",
                    HOLDER, case_id, 1 if is_current else 0, is_in_conflict,
                )  # fmt: skip
                if is_current and is_in_conflict:
                    hidden.add(case_id)
    return hidden


def _place(order: Order) -> Callable[[CaseRow], tuple[Any, UUID]]:
    if order == "priority":
        return lambda row: (-row.priority, row.case_id)
    return lambda row: (row.due_on or date.max, row.case_id)


async def test_pages_of_every_list_are_the_whole_list_in_its_order(referral: Referral) -> None:
    hidden = await _fill(referral, 300)
    ids = [row["case_id"] for row in await referral.read.fetch("SELECT case_id FROM cases")]
    everything = (await referral.read.cases(ids)).values()
    seen = set()
    for order, status, force, holder in product(ORDERS, (None, *STATUSES), (None, *FORCES), (None, HOLDER)):
        wanted = [
            row
            for row in everything
            if (row.status == status or (status is None and row.status != "merged"))
            and (force is None or row.force == force)
            and (holder is None or row.case_id not in hidden)
        ]
        listed: list[CaseRow] = []
        after: list[Any] | None = None
        while page := await referral.read.listed(order, status, force, holder, after, 7):
            listed += [row for row, _ in page]
            last = page[-1][0]
            first: Any = last.priority if order == "priority" else (last.due_on or date.max).isoformat()
            after = [first, str(last.case_id)]
        assert listed == sorted(wanted, key=_place(order)), (order, status, force)
        seen.add(len(listed))
    assert len(seen) > 10


@pytest.fixture
async def planning(referral: Referral) -> AsyncIterator["Connection"]:
    """With as many rows as there are here a table is read whole; it is asked how else."""
    await _fill(referral, 50)
    async with referral.store.pool.acquire() as connection, connection.transaction():
        await connection.execute("ANALYZE cases; SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        await connection.execute("SET LOCAL enable_bitmapscan = off")
        yield connection


@pytest.mark.parametrize(("order", "of_force", "is_first"), [*product(ORDERS, (True, False), (True, False))])
async def test_a_list_is_read_from_the_index_that_has_its_order(
    order: Order, of_force: bool, is_first: bool, planning: "Connection"
) -> None:
    statement = list_statement(order, of_force=of_force, is_first=is_first)
    parameters: list[Any] = [["open", "closed"], HOLDER, 10]
    if of_force:
        parameters.append("kent")
    if not is_first:
        parameters += [-1 if order == "priority" else date(2026, 3, 2), UUID(int=5)]
    plan = [row[0] for row in await planning.fetch(f"EXPLAIN (COSTS off) {statement}", *parameters)]
    index = f"cases_status_{'force_' if of_force else ''}{order}"
    (scan,) = [at for at, line in enumerate(plan) if "on cases c" in line]
    assert f"using {index} " in plan[scan]
    assert ("ROW(" in plan[scan + 1]) is not is_first
    assert "Index Cond" in plan[scan + 1]


async def test_an_index_that_is_missing_is_built_with_the_next_migrate(
    referral: Referral, referral_database: str
) -> None:
    there = "SELECT count(*) FROM pg_indexes WHERE indexname = ANY($1)"
    assert await referral.store.pool.fetchval(there, list(INDEXES)) == len(INDEXES)
    await referral.store.pool.execute("DROP INDEX cases_status_priority, verdicts_case_id")
    await migrate("referral", referral_database)
    assert await referral.store.pool.fetchval(there, list(INDEXES)) == len(INDEXES)
