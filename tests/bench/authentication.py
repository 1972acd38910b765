"""`python -m tests.bench.authentication`: what signing an event costs its owner, and checking it a follower.

In microseconds of processor time an event, the least of several series. An event of intake has two followers,
so its owner makes three signatures. Exits with 1 where a side costs 20 or more.
"""

import sys
import time
from collections.abc import Callable
from datetime import date
from uuid import uuid4

import orjson

from deploy.local.keys import service_keys
from shared.sealing.jwe import seal
from shared.sealing.keys import ServiceKeys
from shared.store.events import RecordedEvent, stream_id
from shared.streaming.authentication import FollowedEvents, Signer
from shared.streaming.cloudevents import loaded, parse, publish

LIMIT_US = 20.0
_SIZES = (500, 1000, 2000)
_TIMES, _SERIES = 100, 400


def measured(plain_bytes: int) -> tuple[int, float, float]:
    """Bytes of the record, and what signing and checking cost."""
    files = service_keys()
    intake, dedup = (ServiceKeys.model_validate(files[name]) for name in ("intake", "dedup"))
    event_id, complaint_id, key = uuid4(), uuid4(), {"own": bytes(32)}
    clear = {"complaint_id": str(complaint_id), "key_id": str(complaint_id)}
    data = {"clear": clear, "sealed": seal(b"x" * plain_bytes, event_id, key)}
    logged = RecordedEvent(
        5, stream_id("complaint", complaint_id), 1, event_id, "complaint.recorded", 1, 3, 4, data, "", "",
        date(2026, 11, 23),
    )  # fmt: skip
    unsigned = publish(logged, "intake", key, intake.follower_keys)
    signer = Signer("intake", intake.follower_keys, intake.hmac)
    record = orjson.dumps(signer.signed(unsigned))
    events = FollowedEvents("intake", dedup.sources["intake"])
    signing = _least(lambda: signer.signed(unsigned))
    checking = _least(lambda: events.read(record)) - _least(lambda: parse(loaded(record)))
    return len(record), signing, checking


def _least(call: Callable[[], object]) -> float:
    def once() -> float:
        began = time.thread_time()
        for _ in range(_TIMES):
            call()
        return (time.thread_time() - began) / _TIMES * 1e6

    return min(once() for _ in range(_SERIES))


def main() -> int:
    results = [measured(size) for size in _SIZES]
    for size, signing, checking in results:
        print(f"{size} bytes: signing {signing:.1f} µs, checking {checking:.1f} µs")
    return int(max(signing for _, signing, _ in results[:2]) >= LIMIT_US)


if __name__ == "__main__":
    sys.exit(main())
