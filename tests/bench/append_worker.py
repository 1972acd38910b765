"""A worker of S2 (see `workers`): concurrent appenders on one `PostgresStore`, each event a new stream.

The ids are drawn before the start: they are the caller's business, and in Python they cost more than the
store does. The requests are made as they go.
"""

import asyncio
import gc
import json
import sys
import time
from datetime import date
from uuid import uuid4

import uvloop

from shared.store.events import NewEvent, stream_id
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest

TYPE = "hotline.complaint.recorded.v1"
DAY = date(2026, 1, 1)


async def work() -> None:
    job = json.loads(sys.stdin.readline())
    counted = altogether = 0
    async with PostgresStore(job["url"], frozenset({"complaint"})) as store:
        await store.head()
        ids = [(stream_id("complaint", uuid4()), uuid4()) for _ in range(job["ids"])]
        gc.freeze()  # the collector would go through all of them, again and again
        print("ready", flush=True)
        sys.stdin.readline()
        begin = time.monotonic() + job["warm_up"]
        end = begin + job["seconds"]

        async def append_until_the_end() -> None:
            nonlocal counted, altogether
            while time.monotonic() < end:
                stream, event_id = ids.pop() if ids else (stream_id("complaint", uuid4()), uuid4())
                event = NewEvent(stream, event_id, TYPE, job["payload"], DAY)
                await store.append(AppendRequest(events=(event,), expected={stream: 0}))
                altogether += 1
                if begin <= time.monotonic() < end:
                    counted += 1

        await asyncio.gather(*(append_until_the_end() for _ in range(job["appenders"])))
    print(json.dumps({"done": counted, "all": altogether}))


if __name__ == "__main__":
    uvloop.run(work())
