"""Child processes that append to a store, run as `python -m tests.integration.shared.store.children NAME`.

A test talks to them by lines of JSON: it writes a line to let them go on, they write what became of it.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import asyncpg

from deploy.local.data_directory import ROOT
from deploy.local.process import tied_command
from shared.store.leases import take_lease
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRefused, AppendRequest
from tests.integration.shared.store.interposed import InterposedStore
from tests.unit.shared.store.examples import PUBLIC, new_event, new_stream


class Child:
    """One of the processes below, tied to this one."""

    def __init__(self, name: str, *arguments: object) -> None:
        module = "tests.integration.shared.store.children"
        self._process = subprocess.Popen(
            tied_command([sys.executable, "-m", module, name, *map(str, arguments)]),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def tells(self, seconds: float = 20.0) -> Any:
        """The next thing it has to say."""
        try:
            return json.loads(self._lines.get(timeout=seconds))
        except Empty:
            raise AssertionError(f"the child said nothing for {seconds:.0f} s") from None

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("{}\n")
        self._process.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def is_stopped(self) -> bool:
        """Whether SIGSTOP has taken effect."""
        answer = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        return answer is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._reader.join()


def tell(message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def wait_for_the_test() -> None:
    await asyncio.to_thread(sys.stdin.readline)


async def writers(url: str, count: str, appends: str, seed: str) -> None:
    """Many writers over two stores; tells what was appended: [event id, position]."""
    chosen = random.Random(int(seed))
    streams = [new_stream(chosen.choice(["complaint", "draft"])) for _ in range(10)]
    appended: list[tuple[str, int]] = []

    async def write(store: PostgresStore) -> None:
        for _ in range(int(appends)):
            events = tuple(new_event(chosen.choice(streams)) for _ in range(chosen.randint(1, 3)))
            outcome = await store.append(AppendRequest(events))
            appended.extend(
                (str(event.event_id), at) for event, at in zip(events, outcome.positions, strict=True)
            )

    async with PostgresStore(url, PUBLIC) as one, PostgresStore(url, PUBLIC) as other:
        tell("ready")
        await wait_for_the_test()
        await asyncio.gather(*(write(one if n % 2 else other) for n in range(int(count))))
    tell(appended)


async def stops_holding_the_lock(url: str) -> None:
    """Stops itself (SIGSTOP) between numbering and COMMIT, once; tells what became of its append."""
    stops = iter([True])

    async def stop(_: asyncpg.Connection) -> None:
        if next(stops, False):
            tell("holding")
            os.kill(os.getpid(), signal.SIGSTOP)

    event_id = uuid4()
    async with InterposedStore(url, before=stop) as store:
        tell(str(event_id))
        outcome = await store.append(AppendRequest((new_event(new_stream(), event_id),)))
        tell(outcome.positions)


async def leads(url: str, seconds: str) -> None:
    """Takes a lease; when told to go on, appends under it and tells the outcome, and again."""
    async with PostgresStore(url, PUBLIC) as store:
        lease = await take_lease(store.pool, "relay", uuid4(), float(seconds))
        assert lease is not None
        tell(lease.epoch)
        for _ in range(2):
            await wait_for_the_test()
            try:
                await store.append(AppendRequest((new_event(new_stream()),), leases=(lease.guard,)))
                tell("appended")
            except AppendRefused as refused:
                tell(type(refused).__name__)


_CHILDREN: dict[str, Callable[..., Awaitable[None]]] = {
    "writers": writers,
    "stops_holding_the_lock": stops_holding_the_lock,
    "leads": leads,
}


async def _main(name: str, *arguments: str) -> None:
    await _CHILDREN[name](*arguments)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
