"""Wake-ups are told apart from the commits, and fewer of them: none may be missing after the last."""

import asyncio

from shared.store.postgres import PostgresStore
from shared.store.requests import StoreUnavailable
from tests.integration.shared.store.waiting import until
from tests.unit.shared.store.examples import PUBLIC, new_stream, one_event


async def test_the_last_commit_of_a_burst_is_announced(postgres_store: PostgresStore, store_url: str) -> None:
    """A reader that reads on at every wake-up, and never else, has the whole log in the end."""
    heads: list[int] = []

    async def follow() -> None:
        while True:
            news = postgres_store.news()
            heads.append(await postgres_store.head())
            await news.wait()

    async def is_listening() -> bool:
        """It asks for the day on the same connection, after it has begun to listen."""
        try:
            return bool(postgres_store.today())
        except StoreUnavailable:
            return False

    await until(is_listening, what="the store listened")
    reader = asyncio.create_task(follow())
    async with PostgresStore(store_url, PUBLIC) as writer:
        for _ in range(50):
            await writer.append(one_event(new_stream()))

    async def has_read_all() -> bool:
        return heads[-1] == 50

    await until(has_read_all, what="the reader was woken after the last commit")
    reader.cancel()
    assert len(heads) < 50, "not at every commit"
