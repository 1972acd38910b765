"""The worker of S1 (see `workers`): posts complaints over so many connections, each its next one at once."""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp
import uvloop

WORDS = (
    "He came to my door again that night and said that he would have me arrested if I told anybody about it. "
    "I had met him when he took my statement, and since then he has written to me almost every day. "
)


def body(number: int) -> bytes:
    """About 1 KB of narrative, no two alike, with two traces of the caller in it."""
    told: dict[str, Any] = {
        "channel": "phone",
        "narrative": f"Call {number}. {WORDS * 5}My number is 07700 9{number % 100000:05d}, I am Jane Smith.",
        "subjects": [{"name": f"PC David C{number}", "force": "hampshire", "unit": "roads policing"}],
        "allegations": [{"code": "sexual.abuse_of_position"}],
        "incident": {
            "from": "2020-03-01",
            "to": "2020-03-31",
            "place": "Acacia Avenue",
            "force": "hampshire",
        },
    }
    return json.dumps(told).encode()


async def work() -> None:
    job = json.loads(sys.stdin.readline())
    counted = altogether = number = 0
    headers = {"Authorization": f"Bearer {job['token']}", "Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=job["connections"])
    async with aiohttp.ClientSession(connector=connector) as session:
        print("ready", flush=True)
        sys.stdin.readline()
        begin = time.monotonic() + job["warm_up"]
        end = begin + job["seconds"]

        async def post_until_the_end() -> None:
            nonlocal counted, altogether, number
            while time.monotonic() < end:
                number += 1
                key = {"Idempotency-Key": f"call-{number}"}
                async with session.post(job["url"], data=body(number), headers=headers | key) as answer:
                    await answer.read()
                    if answer.status != 201:
                        raise RuntimeError(f"answered {answer.status}")
                altogether += 1
                if begin <= time.monotonic() < end:
                    counted += 1

        await asyncio.gather(*(post_until_the_end() for _ in range(job["connections"])))
    print(json.dumps({"done": counted, "all": altogether}))


if __name__ == "__main__":
    uvloop.run(work())
