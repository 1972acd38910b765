"""The resolver: from pair facts and people's decisions to incidents and patterns. One leader by lease.

It follows its own log in the order of positions and computes every component anew that something touched. A
component's changes are appended as one step, under the lease, so a resolver that was stopped and wakes is
refused, and one that takes over begins where the last step ended. The cursor moves when the batch is done.
Groups are a function of the set of facts alone, so at rest it does not matter in which order or batches the
facts came.

The more facts wait, the more are taken at a time: a component that each of them touches is computed once for
all. Large ones are computed aside from the event loop.
"""

import asyncio
from collections.abc import Collection, Iterable
from contextlib import suppress
from uuid import UUID

from services.dedup.adopted_tail import AdoptedTail
from services.dedup.domain.facts import COMPLAINT_TAKEN_OUT, TAIL_ADOPTED, ComplaintTakenOut
from services.dedup.domain.scoring import Scorer
from services.dedup.incidents import Incidents
from services.dedup.index import ComplaintIndex, withdrawal_stream
from services.dedup.links import Matches
from services.dedup.patterns import Patterns
from services.dedup.rows import taken_out_rows
from services.dedup.steps import SOURCE, Step, Steps
from services.dedup.touched import Touched
from shared.sealing.events import log_type, sealed_event
from shared.service import Context
from shared.store.events import RecordedEvent
from shared.store.leases import Lease
from shared.streaming.leader import Leader

READ_AT_ONCE = 1000
MOST_FACTS = 20 * READ_AT_ONCE
"""Positions of the log that are worked through at a time."""
POLL_SECONDS = 1.0
MOST_REST_SECONDS = 0.25
"""After a step it rests for as long as the step took, but no longer than this: what arrives meanwhile in the
same components is computed with the next step, and the handlers have half of the process at least."""
_TAIL_ADOPTED = log_type(TAIL_ADOPTED)


class Resolver:
    """`run` goes on until it is cancelled.

    Attributes:
        position: how far the log was read.
    """

    def __init__(self, context: Context, index: ComplaintIndex, scorer: Scorer) -> None:
        self._context, self._store, self._index = context, context.store, index
        matches = Matches(context, index)
        self._incidents = Incidents(context, index, matches, scorer.model)
        self._patterns = Patterns(context, index, matches, scorer)
        self._tail = AdoptedTail(context.store)
        self._leader = Leader(SOURCE, context.store.leases)
        self._is_new = True
        self.position = 0

    @property
    def is_leader(self) -> bool:
        """Whether it is this process that resolves."""
        return self._leader.is_leading

    @property
    def missing(self) -> Collection[UUID]:
        """Complaints that an adopted tail names and that were not consumed again yet."""
        return self._tail.missing

    async def run(self) -> None:
        await self._leader.run(self._follow)

    async def _follow(self, lease: Lease) -> None:
        self._is_new = True
        clock = asyncio.get_running_loop().time
        while True:
            news, begin = self._store.news(), clock()
            if await self.step(lease):
                await asyncio.sleep(min(clock() - begin, MOST_REST_SECONDS))
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):  # `wait_for` may swallow a cancellation
                        await news.wait()

    async def step(self, lease: Lease) -> int:
        """Work through the next facts, at most `MOST_FACTS` of the log; how many positions were read.

        Raises:
            LeaseLost, CursorMoved: another one leads.
            StoreUnavailable
        """
        at = (await self._store.cursors(SOURCE)).get(0, 0)
        steps = Steps(self._context, lease, at)
        touched, to = Touched(), at
        while to - at < MOST_FACTS and (events := await self._store.read_log(to, READ_AT_ONCE)):
            if (adopted := events[0]).type == _TAIL_ADOPTED:
                if to > at:
                    break  # what lies before it first
                if not await self._resolve_again(adopted, lease):
                    return 0
                to = adopted.position
                break
            known = next((n for n, event in enumerate(events) if event.type == _TAIL_ADOPTED), len(events))
            touched.add(events[:known])
            to = events[:known][-1].position
        if to > at:
            await steps.move(to, await self._resolve(touched, steps))
            self._is_new = False
        self.position = to
        return to - at

    async def _resolve(self, touched: Touched, steps: Steps) -> Step:
        """Append what follows, but for the last step."""
        moved, seen = await self._incidents.resolve(touched, steps)
        # An earlier leader may have appended how incidents changed, and not yet what patterns make of it.
        await self._patterns.resolve(touched, seen if self._is_new else moved, steps)
        self._index.forget(touched.withdrawn)
        return self._taken_out(sorted(touched.withdrawn))

    async def _resolve_again(self, adopted: RecordedEvent, lease: Lease) -> bool:
        """Resolve what was adopted by the facts that were found again, and what had waited before; False
        where they are still to come. Parts that were done before a crash come out the same again."""
        if not await self._tail.is_consumed_again(adopted):
            return False
        async for touched in self._tail.parts(adopted):
            steps = Steps(self._context, lease, adopted.position - 1)
            await steps.append([await self._resolve(touched, steps)])
        return True

    def _taken_out(self, complaints: Iterable[UUID]) -> Step:
        step = Step()
        for complaint in complaints:
            told, day = ComplaintTakenOut(complaint_id=complaint), self._context.today()
            stream = withdrawal_stream(complaint)
            step.events.append(sealed_event(stream, COMPLAINT_TAKEN_OUT, told, None, None, day))
            step.rows += taken_out_rows(complaint)
        return step
