"""Topics and groups of any broker, for tests: made, grown, deleted, looked at.

Calls return when the broker has done what they ask for; not coroutines, for the stories that kill processes
are none either. In an event loop: `await asyncio.to_thread(topics.create, ...)`.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it has no __all__
    AdminClient,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

from tests.conditions import wait_until

_ANSWER_SECONDS = 30.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Topics:
    """Of the broker at `address`, or at several with commas between."""

    def __init__(self, address: str) -> None:
        self.address = address
        # It would remark on standard error that a broker is not there, which is often what is asked.
        settings: dict[str, Any] = {"bootstrap.servers": address, "log_level": 0, "error_cb": lambda _: None}
        self._admin = AdminClient(settings)

    def answers(self, seconds: float) -> bool:
        """Whether the broker tells its topics within so many seconds."""
        try:
            self._admin.list_topics(timeout=seconds)
        except KafkaException:
            return False
        return True

    def cluster_id(self) -> str:
        return str(self._admin.list_topics(timeout=_ANSWER_SECONDS).cluster_id)

    def partitions(self, topic: str) -> int:
        """How many of them have a leader; 0 where there is no such topic."""
        known = self._admin.list_topics(timeout=_ANSWER_SECONDS).topics.get(topic)
        leaders = [partition.leader for partition in known.partitions.values()] if known else []
        return sum(leader >= 0 for leader in leaders)

    def create(self, *names: str, partitions: int = 12) -> None:
        """Topics with as many replicas as the broker gives by default."""
        self._done(self._admin.create_topics([NewTopic(name, partitions, -1) for name in names]))
        for name in names:
            self._wait_for(name, partitions)

    def add_partitions(self, topic: str, total: int) -> None:
        """The topic has so many from now on; what was published stays where it is."""
        self._done(self._admin.create_partitions([NewPartitions(topic, total)]))
        self._wait_for(topic, total)

    def delete(self, *names: str) -> None:
        self._done(self._admin.delete_topics(list(names)))
        for name in names:
            self._wait_for(name, 0)

    def forget(self, topic: str, partitions: Iterable[int], *, but: int = 0) -> None:
        """What retention does at some time: of these partitions the newest `but` records stay, if any."""
        asked = {TopicPartition(topic, partition): _LATEST for partition in partitions}
        ends = {at: future.result(_ANSWER_SECONDS) for at, future in self._admin.list_offsets(asked).items()}
        lows = [TopicPartition(topic, at.partition, max(0, end.offset - but)) for at, end in ends.items()]
        self._done(self._admin.delete_records(lows))

    def members(self, group: str) -> int:
        """Of a consumer group, at this moment; 0 where there is no such group."""
        described = self._admin.describe_consumer_groups([group])[group]
        try:
            return len(described.result(_ANSWER_SECONDS).members)
        except KafkaException as fault:
            if fault.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return 0
            raise

    def _wait_for(self, topic: str, partitions: int) -> None:
        what = f"{topic} has {partitions} partitions"
        wait_until(lambda: self.partitions(topic) == partitions, what=what)

    @staticmethod
    def _done(asked: Mapping[Any, "Future[Any]"]) -> None:
        for future in asked.values():
            future.result(_ANSWER_SECONDS)


def wait_until_answers(topics: Topics, seconds: float, is_lost: Callable[[], bool] = lambda: False) -> bool:
    """Waits for a broker that is starting; False when it is lost or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not is_lost():
        if topics.answers(1.0):
            return True
    return False
