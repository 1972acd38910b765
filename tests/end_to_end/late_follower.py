"""A follower as an outsider writes one: from the README, with librdkafka, and no code of the product."""

import json
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

PAGE = 3
"""So small that catch-up turns pages."""
_ANSWER_SECONDS = 30.0
_POLL_SECONDS = 0.1


class LateFollower:
    """Of one owner: a cursor for each slot, records from Kafka, and from the owner what Kafka does not bring.

    Attributes:
        applied: the events, in the order in which they were.
        came: where records came from: `owner` and `kafka` were applied, a `repetition` was dropped, and
            a `gap` was filled.
    """

    def __init__(self, owner_url: str, topic: str, broker: str, token: str) -> None:
        self._url, self._topic = owner_url, topic
        self._headers = {"Authorization": f"Bearer {token}"}
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "late",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",  # for what retention takes while it is read
                "fetch.wait.max.ms": 50,  # a question for the ends waits behind a fetch
                "log_level": 0,
            }
        )
        self._partitions = list(self._consumer.list_topics(topic, _ANSWER_SECONDS).topics[topic].partitions)
        self._next: dict[int, int] = {}
        self._cursors: defaultdict[int, int] = defaultdict(int)
        self._known: dict[str, dict[str, Any]] = {}
        self.applied: list[dict[str, Any]] = []
        self.came: Counter[str] = Counter()

    def behind(self) -> int:
        """How many events the owner has that were not applied."""
        return sum(head - self._cursors[slot] for slot, head in self._heads().items())

    def catch_up(self) -> None:
        """Everything that the owner has now."""
        for slot in self._heads():
            self._fill(slot)

    def turn_to_kafka(self) -> None:
        """From the oldest record that is left."""
        self._consumer.assign(
            [TopicPartition(self._topic, each, OFFSET_BEGINNING) for each in self._partitions]
        )

    def read_while(self, condition: Callable[[], bool], seconds: float) -> None:
        """Follow Kafka as long as `condition()` holds, and fail where that is longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while condition():
            assert time.monotonic() < deadline, f"{self._topic} brought {dict(self.came)}, and no more"
            if (message := self._consumer.poll(_POLL_SECONDS)) is not None:
                self._receive(message)

    def read_to_the_ends(self, seconds: float) -> None:
        """Follow Kafka to its ends of now."""
        ends = {}
        for each in self._partitions:
            at = TopicPartition(self._topic, each)
            begin, end = self._consumer.get_watermark_offsets(at, _ANSWER_SECONDS)
            if begin < end:
                ends[each] = end
        self.read_while(lambda: any(self._next.get(each, 0) < end for each, end in ends.items()), seconds)

    def close(self) -> None:
        self._consumer.close()

    def _receive(self, message: Message) -> None:
        assert message.error() is None, message.error()
        partition, offset = message.partition(), message.offset()
        assert partition is not None and offset is not None
        self._next[partition] = offset + 1
        event = json.loads(message.value() or b"")
        slot, number = event["slot"], event["slotsequence"]
        if number > self._cursors[slot] + 1:
            self.came["gap"] += 1
            self._fill(slot)
        if number <= self._cursors[slot]:
            assert event == self._known.get(event["id"]), "Kafka and the owner tell one event differently"
            self.came["repetition"] += 1
            return
        self._apply(event, "kafka")

    def _fill(self, slot: int) -> None:
        while page := self._ask("/v1/events", slot=slot, after=self._cursors[slot], limit=PAGE)["items"]:
            for event in page:
                self._apply(event, "owner")

    def _apply(self, event: dict[str, Any], origin: str) -> None:
        slot, number = event["slot"], event["slotsequence"]
        assert number == self._cursors[slot] + 1, f"slot {slot} goes from {self._cursors[slot]} to {number}"
        self._cursors[slot] = number
        self._known[event["id"]] = event
        self.applied.append(event)
        self.came[origin] += 1

    def _heads(self) -> dict[int, int]:
        return {int(slot): head for slot, head in self._ask("/v1/events/heads")["heads"].items()}

    def _ask(self, path: str, **parameters: int) -> Any:
        request = urllib.request.Request(  # noqa: S310  (our own address)
            f"{self._url}{path}?{urlencode(parameters)}", headers=self._headers
        )
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310  (our own address)
            return json.load(answer)
