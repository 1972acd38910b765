"""Child processes that are started again when they end.

`Child.start()` returns when the child is ready, and fails with a `ChildError` that shows the end of its log
where it ended before. From then on a child that ends, however it ends, is started again after a delay
(`Backoff`), until `stop()`. Children lie in sessions of their own, so that a Ctrl-C at the terminal reaches
the launcher alone, which stops them in order; they get a signal when the launcher dies (`deploy.local.tied`).
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.data_directory import ROOT
from deploy.local.errors import ChildError, LaunchError

Say = Callable[[str], None]

_LAST_LINES = 15
_POLL_SECONDS = 0.05
_LARGEST_LOG = 10_000_000


@dataclass
class Backoff:
    """How long to wait before the next start: doubled each time, up to a cap; anew after a long run."""

    first: float = 0.2
    cap: float = 30.0
    reset_after: float = 60.0
    _next: float = 0.0

    def delay(self, ran_for: float) -> float:
        """The delay in seconds, after a run of `ran_for` seconds."""
        if ran_for >= self.reset_after or self._next == 0.0:
            self._next = self.first
        delay = self._next
        self._next = min(delay * 2, self.cap)
        return delay


def _nothing() -> None:
    return


@dataclass(frozen=True)
class Program:
    """What is run as a child, and how one sees that it is ready. Callables may block: they get a thread."""

    name: str
    command: Callable[[], list[str]]
    """Asked at each start, on the event loop: see `deploy.local.process.tied_command`."""
    log: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] | None = None
    before: Callable[[], None] = _nothing
    """Called before each start."""
    announced: Callable[[str], None] | None = None
    """Called with the first line of standard output; the child also gets a standard input to see close."""
    explained: Callable[[str], LaunchError] | None = None
    """Turns what the log tells of a failed first start into an error, in place of its last lines."""
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds from the stop signal to SIGKILL."""
    start_timeout: float = 60.0


class Child:
    """One program and, one after the other, the processes that run it."""

    def __init__(self, program: Program, say: Say, backoff: Backoff | None = None) -> None:
        self.program = program
        self._say = say
        self._backoff = backoff or Backoff()
        self._process: asyncio.subprocess.Process | None = None
        self._started_at = 0.0
        self._supervision: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Starts it for the first time, and returns when it is ready."""
        set_aside_long_log(self.program.log)
        begin = self.program.log.stat().st_size if self.program.log.exists() else 0
        await self._spawn()
        if not await self._becomes_ready():
            raise self._failed(begin)
        self._supervision = asyncio.create_task(self._supervise(), name=f"supervise {self.program.name}")

    async def stop(self) -> None:
        """Asks it to end, waits for its grace, then kills it. Returns when it is gone."""
        if self._supervision:
            self._supervision.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervision
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin:
            process.stdin.close()
        _signal(process, self.program.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), self.program.grace)
        except TimeoutError:
            self._say(f"{self.program.name} did not stop within {self.program.grace:.0f} s and is killed")
            _signal(process, signal.SIGKILL)
            await process.wait()

    def kill(self) -> None:
        """For those in a hurry: SIGKILL, now, and for good."""
        if self._supervision:
            self._supervision.cancel()
        if self._process:
            _signal(self._process, signal.SIGKILL)

    async def _supervise(self) -> None:
        while True:
            assert self._process is not None  # noqa: S101  (for the type checker: start() was there before)
            code = await self._process.wait()
            delay = self._backoff.delay(time.monotonic() - self._started_at)
            self._say(f"{self.program.name} {how_it_ended(code)}; it is started again in {delay:g} s")
            await asyncio.sleep(delay)
            try:
                await self._spawn()
                if await self._becomes_ready():
                    self._say(f"{self.program.name} is ready again")
            except (OSError, LaunchError) as error:
                # The process is over and stays over; the next round waits longer and tries once more.
                self._say(f"{self.program.name} could not be started: {error}")

    async def _spawn(self) -> None:
        program = self.program
        await asyncio.to_thread(program.before)
        speaks = program.announced is not None
        with program.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *program.command(),
                stdin=asyncio.subprocess.PIPE if speaks else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if speaks else log,
                stderr=log,
                env=dict(program.environment) if program.environment is not None else None,
                cwd=ROOT,
                start_new_session=True,
            )
        self._started_at = time.monotonic()
        if program.announced and self._process.stdout and (line := await self._process.stdout.readline()):
            program.announced(line.decode())

    async def _becomes_ready(self) -> bool:
        """True when it is; False when it ended first. A first start that takes for ever is an error."""
        assert self._process is not None  # noqa: S101  (for the type checker: _spawn() was there before)
        deadline = time.monotonic() + self.program.start_timeout
        while self._process.returncode is None:
            if await asyncio.to_thread(self.program.ready):
                # Somebody else may answer in place of a child that is just about to fail.
                return self._process.returncode is None
            if time.monotonic() > deadline and self._supervision is None:
                raise ChildError(
                    f"{self.program.name} was not ready within {self.program.start_timeout:.0f} s; its log is"
                    f" {self.program.log}."
                )
            await asyncio.sleep(_POLL_SECONDS)
        return False

    def _failed(self, begin: int) -> LaunchError:
        told = read_from(self.program.log, begin)
        if self.program.explained:
            return self.program.explained(told)
        code = self._process.returncode if self._process else None
        return ended_at_once(self.program.name, code, self.program.log, told)


def ended_at_once(name: str, code: int | None, log: Path, told: str) -> ChildError:
    last = told.rstrip().splitlines()[-_LAST_LINES:]
    lines = "\n  ".join(last) if last else "(nothing)"
    how = how_it_ended(code) if code is not None else "did not start"
    return ChildError(f"{name} {how} before it was ready. The end of its log, {log}:\n  {lines}")


def how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def set_aside_long_log(log: Path) -> None:
    """One earlier log is kept, so that logs do not grow over the years."""
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))


def read_from(path: Path, begin: int) -> str:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
