"""The read models of referral, made anew: equal to the live ones, also while events arrive."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.data_directory import ROOT
from deploy.simulation import simulate
from services.referral.projection import Projection
from shared.contracts.complaint import SanitisedComplaint
from shared.store import history
from shared.store.pools import Pool
from shared.store.sql import LOCK_KEY
from tests.integration.rebuilding import catalogue, contents, differing, leftovers, rebuilt
from tests.integration.services.referral.feeding import Referral, complaint
from tests.integration.services.referral.test_desk import NO_ACTION, REFER, Asked
from tests.running import Running

PLANTED = (
    "UPDATE cases SET force = 'essex' WHERE case_id IN (SELECT case_id FROM cases ORDER BY case_id LIMIT 2)",
    "UPDATE placements SET force = NULL WHERE complaint_id IN ("
    " SELECT complaint_id FROM placements WHERE force IS NOT NULL ORDER BY complaint_id LIMIT 1)",
    "DELETE FROM case_complaints WHERE complaint_id IN ("
    " SELECT complaint_id FROM case_complaints ORDER BY complaint_id LIMIT 1)",
    "INSERT INTO contacts VALUES (1, 1000000, '2026-01-01', 7)",
    "UPDATE complaint_counts SET present = present + 1 WHERE force = ''",
    "DELETE FROM case_figures WHERE case_id IN (SELECT case_id FROM case_figures ORDER BY case_id LIMIT 2)",
    "DELETE FROM case_counts WHERE figure LIKE 'step %' AND force = ''",
    "DELETE FROM pattern_figures WHERE force = ''",
)
_TRIGGERS = "; ".join(
    f"ALTER TABLE {table} {{0}} TRIGGER USER" for table in ("cases", "placements", "pattern_members")
)


async def _mixed_history(referral: Referral, asked: Asked) -> list[UUID]:
    """Cases that merge and split, decisions, patterns, releases, follow-ups, erasures."""
    feed, chance = referral.feed, random.Random(7)
    bodies = [
        SanitisedComplaint.model_validate(
            {name: value for name, value in body.items() if name in SanitisedComplaint.model_fields},
            strict=False,
        )
        for body in simulate(50, 5).complaints
    ]
    ids = [uuid4() for _ in bodies]
    incidents = [uuid4() for _ in range(6)]
    patterns = [uuid4() for _ in range(3)]
    for number, (complaint_id, body) in enumerate(zip(ids, bodies, strict=True)):
        await referral.receive(feed.recorded(body, complaint_id))
        if number % 5 == 4:  # members of any age, some of which have not arrived
            together = chance.sample(ids, 3)
            await referral.receive(feed.incident(chance.choice(incidents), together))
            await referral.receive(feed.pattern(chance.choice(patterns), chance.sample(ids, 4), together[:1]))
        if number % 10 == 9:
            await referral.receive(feed.followed_up(ids[number - 1], "He came back."), feed.contact(number))
            for decision in (REFER | {"recipient": "iopc"}, NO_ACTION):
                open_cases = await referral.read.fetch(
                    "SELECT case_id, version FROM cases WHERE status = 'open' ORDER BY case_id"
                )
                case_id, version = chance.choice(open_cases)
                status, changed = await asked.decide(case_id, decision, version)
                assert status == 200
                if changed["needs_approval"]:
                    assert (await asked.approve(case_id, "berta"))[0] == 200
        if number % 10 == 7:
            await referral.receive(feed.erased(ids[number - 3]))
    await referral.receive(feed.incident(incidents[0], [], removed=ids[:2]), feed.erased(uuid4()))
    await referral.check()
    return ids


@pytest.mark.parametrize("window", [1, 7, history.WINDOW])
async def test_rebuilt_tables_equal_the_live_ones(
    window: int,
    referral: Referral,
    desk: Running,
    referral_database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However much of the history is read at a time."""
    monkeypatch.setattr(history, "WINDOW", window)
    await _mixed_history(referral, Asked(desk, referral))
    pool, projection = referral.store.pool, Projection(referral.context.keys)
    before = await contents(pool, projection.tables)
    assert all(before[table.name] for table in projection.tables)
    statuses = {row["status"] for row in await referral.read.fetch("SELECT status FROM cases")}
    assert statuses >= {"open", "merged", "referred", "closed"}
    assert await referral.read.fetch("SELECT FROM placements WHERE is_erased")
    shape = await catalogue(pool, projection.tables)
    assert differing(await rebuilt(referral_database, projection)) == {}
    assert await contents(pool, projection.tables) == before
    assert await catalogue(pool, projection.tables) == shape
    assert not await leftovers(pool)
    # And it goes on with the new tables.
    await referral.receive(referral.feed.recorded(complaint("hate.racist")))
    await referral.check()
    assert differing(await rebuilt(referral_database, projection, is_check=True)) == {}


async def test_wrong_rows_are_found_and_mended(
    referral: Referral, desk: Running, referral_database: str
) -> None:
    await _mixed_history(referral, Asked(desk, referral))
    pool, projection = referral.store.pool, Projection(referral.context.keys)
    right = await contents(pool, projection.tables)
    removed = await pool.fetchval(
        "SELECT count(*) FROM case_complaints WHERE complaint_id IN"
        " (SELECT complaint_id FROM case_complaints ORDER BY complaint_id LIMIT 1)"
    )
    counts = {
        name: await pool.fetchval(f"SELECT count(*) FROM {name} WHERE {condition}")
        for name, condition in (
            ("complaint_counts", "force = ''"),
            ("case_counts", "figure LIKE 'step %' AND force = ''"),
            ("pattern_figures", "force = ''"),
        )
    }
    # Else the counts would follow.
    await pool.execute(_TRIGGERS.format("DISABLE"))
    for statement in PLANTED:
        await pool.execute(statement)
    await pool.execute(_TRIGGERS.format("ENABLE"))
    planted = {
        "cases": 2,
        "case_figures": 2,
        "placements": 1,
        "case_complaints": removed,
        "contacts": 1,
        **counts,
    }
    wrong = await contents(pool, projection.tables)
    assert differing(await rebuilt(referral_database, projection, is_check=True)) == planted
    assert await contents(pool, projection.tables) == wrong
    assert differing(await rebuilt(referral_database, projection)) == planted
    assert await contents(pool, projection.tables) == right
    await referral.check()


async def test_events_arrive_while_the_tables_are_made(
    referral: Referral, desk: Running, referral_database: str
) -> None:
    await _mixed_history(referral, Asked(desk, referral))
    projection = Projection(referral.context.keys)
    arrived: list[UUID] = []
    is_done = asyncio.Event()

    async def arrive() -> None:
        feed, incident = referral.feed, uuid4()
        while not is_done.is_set():
            arrived.append(uuid4())
            await referral.receive(feed.recorded(complaint("hate.racist"), arrived[-1]))
            await referral.receive(feed.incident(incident, arrived[-3:]))
            if len(arrived) % 7 == 0:
                await referral.receive(feed.erased(arrived[-5]))

    arriving = asyncio.create_task(arrive())
    try:
        for _ in range(3):
            head = len(arrived)
            assert differing(await rebuilt(referral_database, projection)) == {}
            assert len(arrived) > head
    finally:
        is_done.set()
        await arriving
    assert differing(await rebuilt(referral_database, projection, is_check=True)) == {}
    await referral.check()


def _command(database_url: str, keys_file: Path, *options: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "services.referral", "rebuild", *options],
        cwd=ROOT,
        env={**os.environ, "HOTLINE_DATABASE_URL": database_url, "HOTLINE_KEYS_FILE": str(keys_file)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_a_killed_rebuild_leaves_all_as_it_was_and_the_next_clears_away(
    referral: Referral, referral_database: str, tmp_path: Path
) -> None:
    """It is killed at its last step, where everything is made and it waits for the store's lock."""
    for _ in range(5):
        await referral.receive(referral.feed.recorded(complaint("hate.racist")))
    pool = referral.store.pool
    await pool.execute("UPDATE cases SET force = 'essex'")
    wrong = await contents(pool, Projection.tables)
    keys_file = tmp_path / "keys" / "referral.json"
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        process = _command(referral_database, keys_file)
        try:
            async with asyncio.timeout(30):
                while not await _is_waited_for(pool):
                    await asyncio.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert await contents(pool, Projection.tables) == wrong
        assert await leftovers(pool)
    # It has made nothing of it, and the service goes on.
    await referral.receive(referral.feed.recorded(complaint("hate.racist")))
    assert await pool.fetchval("SELECT count(*) FROM cases WHERE force = 'essex'") == 5
    process = await asyncio.to_thread(_command, referral_database, keys_file)
    said, _ = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0
    assert "cases: 6 rows, 5 differed: 0 too many, 0 missing, 5 other than they should be" in said
    assert await pool.fetchval("SELECT count(*) FROM cases WHERE force = 'essex'") == 0
    assert not await leftovers(pool)
    await referral.check()


async def _is_waited_for(pool: Pool) -> bool:
    waiting: bool = await pool.fetchval(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        LOCK_KEY,
    )
    return waiting


async def test_a_check_says_by_its_exit_code_whether_rows_differ(
    referral: Referral, referral_database: str, tmp_path: Path
) -> None:
    await referral.receive(referral.feed.recorded(complaint("hate.racist")))
    keys_file = tmp_path / "keys" / "referral.json"
    for code, statement in ((0, "SELECT"), (1, "UPDATE placements SET version = 9")):
        await referral.store.pool.execute(statement)
        process = await asyncio.to_thread(_command, referral_database, keys_file, "--check")
        said, _ = await asyncio.to_thread(process.communicate)
        assert process.returncode == code
        assert "checked, nothing was changed" in said
