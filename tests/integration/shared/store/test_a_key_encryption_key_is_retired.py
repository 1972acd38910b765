"""A key-encryption key could be rotated and never retired: what it had wrapped needed it for ever."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from services.intake.__main__ import projecting, recovering, wiring
from services.intake.day_secrets import DaySecrets
from services.intake.settings import Settings
from shared.sealing.jwe import NoKeyError, encode
from shared.sealing.keys import DataKey, KeyRing, destroy_data_key, new_data_key, unwrap_data_keys
from shared.store import key_retirement
from shared.store.key_retirement import Report, rewrap
from shared.store.migrate import migrate
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest
from shared.web.process import main
from tests.engines import Databases
from tests.running import emptied

DAY = date(2026, 11, 27)


def ring(current: str, *older: str) -> KeyRing:
    return KeyRing(
        current=current, keys={name: encode(name.encode().ljust(32)) for name in (current, *older)}
    )


OLD, BOTH, NEW = ring("old"), ring("new", "old"), ring("new")


def nothing(_: int, __: int) -> None:
    pass


@pytest.fixture
async def url(databases: Databases) -> AsyncIterator[str]:
    with databases.new() as url:
        await migrate("intake", url)
        yield url


@pytest.fixture
async def store(url: str) -> AsyncIterator[PostgresStore]:
    async with PostgresStore(url, frozenset()) as store:
        yield store


@pytest.fixture
async def connection(url: str) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def wrapped(store: PostgresStore, kek: KeyRing, count: int) -> list[DataKey]:
    made = [new_data_key(kek, uuid4()) for _ in range(count)]
    await store.append(AppendRequest(rows=tuple(row for _, row in made)))
    return [key for key, _ in made]


async def opened(store: PostgresStore, kek: KeyRing, keys: list[DataKey]) -> bool:
    rows = await store.data_keys([key.key_id for key in keys])
    return dict(unwrap_data_keys(kek, rows)) == {str(key.key_id): key.key for key in keys}


async def test_what_the_old_key_wrapped_opens_without_it(
    store: PostgresStore, connection: "asyncpg.Connection", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_retirement, "_PAGE", 7)
    keys = await wrapped(store, OLD, 50) + await wrapped(store, BOTH, 5)
    secret = await DaySecrets(store, OLD, lambda: DAY).of(DAY)
    assert not await _opens_alone(store, keys)
    told: list[tuple[int, int]] = []
    report = await rewrap(connection, BOTH, lambda *progress: told.append(progress))
    assert report == Report("new", rewrapped=51, left={})
    assert told[-1] == (51, 51)
    assert await _opens_alone(store, keys)
    assert await DaySecrets(store, NEW, lambda: DAY).of(DAY) == secret
    assert await rewrap(connection, BOTH, nothing) == Report("new", rewrapped=0, left={})


async def _opens_alone(store: PostgresStore, keys: list[DataKey]) -> bool:
    try:
        return await opened(store, NEW, keys)
    except NoKeyError:
        return False


async def test_a_key_that_is_erased_meanwhile_stays_erased(
    store: PostgresStore, connection: "asyncpg.Connection", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are read before they are written: an update that made them again would undo an erasure."""
    monkeypatch.setattr(key_retirement, "_PAGE", 5)
    keys = await wrapped(store, OLD, 60)
    erased, kept = keys[:30], keys[30:]

    async def erase() -> None:
        for key in erased:
            await store.append(AppendRequest(rows=(destroy_data_key(key.key_id),)))

    erasing = asyncio.create_task(erase())
    reports = [await rewrap(connection, BOTH, nothing)]
    await erasing
    reports.append(await rewrap(connection, BOTH, nothing))
    assert reports[-1].left == {}
    assert not await store.data_keys([key.key_id for key in erased])
    assert await opened(store, NEW, kept)


async def test_a_row_that_somebody_holds_is_left_and_counted(
    url: str, store: PostgresStore, connection: "asyncpg.Connection"
) -> None:
    (key,) = await wrapped(store, OLD, 1)
    holder = await asyncpg.connect(url)
    async with holder.transaction():
        await holder.execute("SELECT FROM data_keys WHERE key_id = $1 FOR UPDATE", key.key_id)
        assert await rewrap(connection, BOTH, nothing) == Report("new", rewrapped=0, left={"old": 1})
    await holder.close()
    assert await rewrap(connection, BOTH, nothing) == Report("new", rewrapped=1, left={})


async def test_a_key_that_is_not_in_the_ring_is_named(
    store: PostgresStore, connection: "asyncpg.Connection"
) -> None:
    await wrapped(store, ring("lost"), 1)
    with pytest.raises(NoKeyError, match="lost"):
        await rewrap(connection, BOTH, nothing)


def test_the_program_says_what_may_be_done_next(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with databases.new() as url:
        asyncio.run(emptied("intake", url))
        asyncio.run(_prepared(url))
        keys = {"kek": BOTH.model_dump(), "hmac": ring("h").model_dump()}
        document = json.dumps(keys, default=encode)
        (tmp_path / "keys.json").write_text(document)
        monkeypatch.setenv("HOTLINE_DATABASE_URL", url)
        monkeypatch.setenv("HOTLINE_KEYS_FILE", str(tmp_path / "keys.json"))
        arguments = ["rewrap"]
        assert main("intake", Settings, wiring, arguments, projecting=projecting, recovering=recovering) == 0
    assert capsys.readouterr().out.startswith(
        "intake: 3 keys were wrapped anew under new. Nothing is wrapped"
    )


async def _prepared(url: str) -> None:
    async with PostgresStore(url, frozenset()) as store:
        await wrapped(store, OLD, 3)
