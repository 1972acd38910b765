"""What may befall a system, at random moments from a seed: the same seed is the same series of blows, as far
as it does not depend on time who is there to be struck.

Each blow falls under load and is put right at once, as an orchestrator would: what was killed is started
again, what was stopped goes on after a time. The times are chosen around the limits that they are to pass:
1.5 s of the store's lock, 5 s of a lease, 10 s of a consumer's session.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.streaming.topics import TOPICS
from tests.failure.cluster import SERVICES, Cluster, Replica

PAUSES = (0.5, 2.0, 6.0, 12.0)
"""Seconds that a process stands still."""
PARTITIONS = (24, 48)
"""What topics grow to, one after the other."""
MOST_REPLICAS = 4

# What befalls a system -> how often, beside the others.
WEIGHTS = {
    "kill a service": 38,
    "kill a relay": 14,
    "kill PostgreSQL": 8,
    "kill the broker": 8,
    "stop a service": 14,
    "stop a relay": 6,
    "wipe the broker": 2,
    "add partitions": 1,
    "add a replica": 4,
    "remove a replica": 5,
}


@dataclass(slots=True)
class Blows:
    """What has befallen it: each kind, how often; and one by one, with the second it happened."""

    counts: Counter[str] = field(default_factory=Counter)
    each: list[tuple[float, str, str]] = field(default_factory=list)

    def note(self, second: float, kind: str, whom: str) -> None:
        self.counts[kind] += 1
        self.each.append((round(second, 2), kind, whom))


class Chaos:
    """`run(points)` strikes so often, and leaves a system in which everything runs."""

    def __init__(self, cluster: Cluster, seed: int, tell: Callable[[str], None]) -> None:
        self._cluster, self._tell = cluster, tell
        self._chance = random.Random(seed)
        self._waking: list[tuple[float, Replica]] = []
        self._leaving: list[Replica] = []
        self._to_grow = list(PARTITIONS)
        self.blows = Blows()

    def run(self, points: int, least: float = 0.1, most: float = 1.0) -> Blows:
        """`least` to `most` seconds lie between two blows."""
        begin = time.monotonic()
        kinds = self._kinds(points)
        for number, drawn in enumerate(kinds, 1):
            kind = drawn
            self._wait(self._chance.uniform(least, most))
            whom = self._strike(kind)
            if not whom:  # every point is a blow
                kind = "kill a service"
                whom = self._strike(kind)
            self.blows.note(time.monotonic() - begin, kind, whom)
            self._tell(f"{number}/{points} {kind}: {whom}")
        self._put_right()
        return self.blows

    def _kinds(self, points: int) -> Iterator[str]:
        """Every kind at least once, as far as there are so many; in any order."""
        kinds = list(WEIGHTS)
        chosen = self._chance.choices(kinds, list(WEIGHTS.values()), k=max(points - len(kinds), 0))
        every = (kinds + chosen)[:points]
        self._chance.shuffle(every)
        return iter(every)

    def _strike(self, kind: str) -> str:
        """Whom it befell; empty where there is nobody whom it could."""
        match kind:
            case "kill a service" | "kill a relay":
                replica = self._victim(of_relays=kind == "kill a relay")
                replica.kill()
                replica.start()
                return replica.name
            case "stop a service" | "stop a relay":
                replica = self._victim(of_relays=kind == "stop a relay")
                seconds = self._chance.choice(PAUSES)
                replica.pause()
                self._waking.append((time.monotonic() + seconds, replica))
                return f"{replica.name} for {seconds:g} s"
            case "kill PostgreSQL":
                self._cluster.postgres.kill()
                self._cluster.postgres.start()
                return "postgres"
            case "kill the broker":
                self._cluster.kafka.kill()
                self._cluster.kafka.start()
                return "kafka"
            case "wipe the broker":
                self._cluster.kafka.wipe()
                self._cluster.kafka.start()
                self._cluster.make_topics()
                return "kafka"
            case "add partitions":
                return self._add_partitions()
            case "add a replica":
                service = self._chance.choice(SERVICES)
                if len(self._cluster.of(service)) >= MOST_REPLICAS + (service == "intake") * 2:
                    return ""
                return self._cluster.add_replica(service).name
            case _:
                return self._remove_replica()

    def _victim(self, *, of_relays: bool) -> Replica:
        chosen = [
            replica
            for replica in self._cluster.replicas
            if not (replica.is_paused or replica in self._leaving)
            and (not of_relays or "relay" in replica.parts)
        ]
        return self._chance.choice(chosen or self._cluster.replicas)

    def _add_partitions(self) -> str:
        if not self._to_grow:
            return ""
        self._cluster.partitions = self._to_grow.pop(0)
        for topic in TOPICS.values():
            self._cluster.kafka.add_partitions(topic, self._cluster.partitions)
        return f"{self._cluster.partitions} of each topic"

    def _remove_replica(self) -> str:
        """One that was added: what the others ask for catch-up stays."""
        added = [
            replica
            for service in SERVICES
            for replica in self._cluster.of(service)[4 if service == "intake" else 2 :]
            if not replica.is_paused and replica not in self._leaving
        ]
        if not added:
            return ""
        replica = self._chance.choice(added)
        replica.ask_to_stop()
        self._leaving.append(replica)
        return replica.name

    def _wait(self, seconds: float) -> None:
        """Until the next blow; what is due meanwhile is done."""
        until = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            for due, replica in list(self._waking):
                if due <= now:
                    replica.resume()
                    self._waking.remove((due, replica))
            for replica in list(self._leaving):
                if not replica.is_running:
                    self._cluster.replicas.remove(replica)
                    self._leaving.remove(replica)
            if now >= until:
                return
            time.sleep(min(0.02, until - now))

    def _put_right(self) -> None:
        for _, replica in self._waking:
            replica.resume()
        self._waking.clear()
        for replica in self._leaving:
            replica.stop()
            self._cluster.replicas.remove(replica)
        self._leaving.clear()
