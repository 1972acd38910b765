"""A store into whose commits a test can step: just before COMMIT is sent, and just after it was answered."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import asyncpg

from shared.store.committer import Committer
from shared.store.postgres import PostgresStore
from tests.unit.shared.store.examples import PUBLIC

Step = Callable[[asyncpg.Connection], Awaitable[None]]


async def nothing(_: asyncpg.Connection) -> None:
    pass


class InterposedStore(PostgresStore):
    """`before` and `after` get the committer's connection, and may raise what a network raises."""

    def __init__(
        self, database_url: str, *, before: Step = nothing, after: Step = nothing, outcome_limit: float = 10.0
    ) -> None:
        super().__init__(database_url, PUBLIC, outcome_limit=outcome_limit)
        self._committer = _InterposedCommitter(database_url, self._slot, outcome_limit)
        self._committer.before, self._committer.after = before, after


class _InterposedCommitter(Committer):
    before: Step
    after: Step

    async def _connected(self) -> asyncpg.Connection:
        return cast(asyncpg.Connection, _Interposed(await super()._connected(), self))


class _Interposed:
    def __init__(self, connection: asyncpg.Connection, steps: _InterposedCommitter) -> None:
        self._connection, self._steps = connection, steps

    async def execute(self, query: str, *parameters: object, **limits: float) -> str:
        if not query.lstrip().startswith("COMMIT"):
            return await self._connection.execute(query, *parameters, **limits)
        await self._steps.before(self._connection)
        answer = await self._connection.execute(query, *parameters)
        await self._steps.after(self._connection)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
