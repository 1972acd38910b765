"""The queue of requests that wait to be written: bounded, in order, and only for callers that still wait."""

import pytest

from shared.store import append_queue
from shared.store.append_queue import BATCH_BYTES, BATCH_LIMIT, QUEUE_BYTES, QUEUE_LIMIT, AppendQueue, Waiting
from shared.store.requests import AppendRequest, StoreBusy

MIB = 2**20


def waiting(size: int = 0) -> Waiting:
    return Waiting(AppendRequest(), size)


def queue_of(*put: Waiting) -> AppendQueue:
    queue = AppendQueue()
    for one in put:
        queue.put(one)
    return queue


async def test_a_batch_ends_where_its_number_or_its_bytes_do() -> None:
    small = [waiting(1) for _ in range(BATCH_LIMIT + 1)]
    assert queue_of(*small).take() == small[:-1]
    large = [waiting(BATCH_BYTES // 2) for _ in range(3)]
    queue = queue_of(*large)
    assert queue.take() == large[:2]
    assert queue.take() == large[2:]
    assert queue.take() == []


async def test_a_request_larger_than_a_batch_is_one_of_its_own() -> None:
    one, two = waiting(BATCH_BYTES + 1), waiting(1)
    queue = queue_of(one, two)
    assert queue.take() == [one]
    assert queue.take() == [two]


async def test_the_queue_is_bounded_in_number_and_in_bytes() -> None:
    queue = queue_of(*(waiting() for _ in range(QUEUE_LIMIT)))
    with pytest.raises(StoreBusy):
        queue.put(waiting())
    queue.take()
    queue.put(waiting())
    queue = queue_of(*(waiting(MIB) for _ in range(QUEUE_BYTES // MIB)))
    with pytest.raises(StoreBusy):
        queue.put(waiting(1))
    assert len(queue) == QUEUE_BYTES // MIB


async def test_a_request_larger_than_the_queue_waits_alone() -> None:
    queue = queue_of(waiting(QUEUE_BYTES + 1))
    with pytest.raises(StoreBusy):
        queue.put(waiting(0))


async def test_whose_caller_is_gone_makes_room_at_once_and_is_not_taken() -> None:
    one, two = waiting(QUEUE_BYTES), waiting(QUEUE_BYTES)
    queue = queue_of(one)
    one.future.cancel()
    queue.give_up(one)
    queue.give_up(one)
    assert len(queue) == 0
    queue.put(two)
    assert queue.take() == [two]
    assert len(queue) == 0


async def test_whoever_waited_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = waiting()
    queue = queue_of(one)
    monkeypatch.setattr(append_queue, "QUEUE_SECONDS", -1.0)
    assert queue.take() == []
    with pytest.raises(StoreBusy):
        await one.future


async def test_what_is_put_back_comes_first_in_its_order() -> None:
    all_ = [waiting() for _ in range(4)]
    queue = queue_of(*all_)
    taken = queue.take()
    last = waiting()
    queue.put(last)
    queue.put_back(taken)
    assert len(queue) == 5
    assert queue.take() == [*all_, last]
    assert queue.drain() == []
