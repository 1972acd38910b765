"""The topics in Apache Kafka: `python -m deploy.topics apply --bootstrap HOST:PORT`, `./hotline topics`.

The reader gets the topics of the three services as `Shape` has them: made where they are not there, grown
and set otherwise where they differ, and left alone where they do not, so that the command may run at every
deployment. Settings of a topic which this does not know stay as they are. It tells each change; `--check`
(or `--dry-run`) tells what it would change.

How it fails: one sentence on standard error and exit code 1, with nothing changed where the whole cannot be:
a topic that has more partitions than asked for (none ever shrinks), or another number of replicas. Exit
code 1 of `--check` means that something would change; 2 are wrong arguments.

Time in the topics is a day: a record's timestamp is midnight UTC of the day on which it was published.
`retention.ms` counts from there, so that a record is gone up to a day earlier than it was sent plus the
retention; what was lost so is caught up from the owner. Three settings follow from it:
- `segment.ms` is half a day, so that each day begins a segment of its own. Only whole segments expire, and
  with four contacts a day the default of a week would keep travelling keys for two weeks.
- `message.timestamp.after.max.ms` is a day. Its default of an hour is just what London's summer time is
  ahead of UTC: in the hour after London's midnight a broker whose clock is a second late would refuse all.
- `message.timestamp.before.max.ms` is without limit: after a topic was wiped, a relay publishes again.

`compression.type` is `uncompressed`: relays compress nothing, for what is sealed does not shrink. The broker
unpacks what others send, and refuses what is longer than a batch may be: a megabyte of zstd can be gigabytes
in the memory of every follower.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError, for_code

from deploy.local.errors import LaunchError
from shared.store.events import SLOTS
from shared.streaming.kafka import RECORD_LIMIT
from shared.streaming.topics import TOPICS

WAIT_SECONDS = 60.0
EMBEDDED = "The embedded broker makes its topics itself at each start: there is nothing to apply."

_DAY_MS = 86_400_000
_REQUEST_MS = 15_000
_PAUSE_SECONDS = 1.0
_UNKNOWN_TOPIC = 3
_SET_FOR_THIS_TOPIC = 1  # where a setting comes from, in Kafka's protocol: not from broker or default


class TopicsFailed(LaunchError):
    """The topics are not as asked for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What each topic should be. The defaults are those of production.

    Attributes:
        partitions: a divisor of 240, for a slot's events must stay in one partition.
        min_insync: replicas that must have a record before it is acknowledged.
        retention_days: counted from the midnight that is a record's timestamp.

    Raises:
        TopicsFailed: they do not go together.
    """

    partitions: int = 12
    replication: int = 3
    min_insync: int = 2
    retention_days: int = 7

    def __post_init__(self) -> None:
        if not 1 <= self.partitions <= SLOTS or SLOTS % self.partitions:
            raise TopicsFailed(f"--partitions must be a divisor of {SLOTS}, not {self.partitions}.")
        if not 1 <= self.min_insync <= self.replication:
            raise TopicsFailed(
                f"--min-insync must be from 1 to --replication ({self.replication}), not {self.min_insync}."
            )
        if self.retention_days < 1:
            raise TopicsFailed(f"--retention-days must be 1 or more, not {self.retention_days}.")

    @property
    def settings(self) -> dict[str, str]:
        """Kafka's settings for the topic."""
        return {
            "cleanup.policy": "delete",
            "compression.type": "uncompressed",
            "max.message.bytes": str(RECORD_LIMIT + 64 * 1024),  # the batch around a record needs room
            "message.timestamp.after.max.ms": str(_DAY_MS),
            "message.timestamp.before.max.ms": str(2**63 - 1),
            "message.timestamp.type": "CreateTime",
            "min.insync.replicas": str(self.min_insync),
            "retention.bytes": "-1",
            "retention.ms": str(self.retention_days * _DAY_MS),
            "segment.ms": str(_DAY_MS // 2),
            "unclean.leader.election.enable": "false",
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is.

    Attributes:
        settings: those in force, wherever they come from.
        own: those that were set for this topic, which altering one of them must not lose.
    """

    partitions: int
    replication: int
    settings: Mapping[str, str]
    own: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to one topic: `told` says it to a person.

    Attributes:
        is_new: it is to be made.
        partitions: how many it gets, None where it has them.
        settings: all that are to be set for the topic from now on, None where they stay.
    """

    topic: str
    told: tuple[str, ...]
    is_new: bool = False
    partitions: int | None = None
    settings: Mapping[str, str] | None = None


def changes(shape: Shape, found: Mapping[str, Found], topics: Iterable[str]) -> list[Change]:
    """What makes `topics` as `shape` says, nothing for those that are.

    Raises:
        TopicsFailed: one can never be so. Nothing should be done to the others either.
    """
    planned = []
    for topic in topics:
        if (is_now := found.get(topic)) is None:
            told = f"{topic}: created with {shape.partitions} partitions and {shape.replication} replicas"
            planned.append(Change(topic, (told,), is_new=True))
        elif change := _change(shape, topic, is_now):
            planned.append(change)
    return planned


def _change(shape: Shape, topic: str, found: Found) -> Change | None:
    if found.partitions > shape.partitions:
        raise TopicsFailed(
            f"{topic} has {found.partitions} partitions and no topic can shrink to {shape.partitions}: "
            f"ask for --partitions {found.partitions}. Nothing was changed."
        )
    if found.replication != shape.replication:
        raise TopicsFailed(
            f"{topic} has {found.replication} replicas, not {shape.replication}: move them with Kafka's "
            f"kafka-reassign-partitions, or ask for --replication {found.replication}. Nothing was changed."
        )
    told = []
    grows = found.partitions < shape.partitions
    if grows:
        told.append(f"{topic}: partitions from {found.partitions} to {shape.partitions}")
    differing = {name: to for name, to in shape.settings.items() if found.settings.get(name) != to}
    told += [
        f"{topic}: {name} from {found.settings.get(name, 'nothing')} to {to}"
        for name, to in differing.items()
    ]
    if not told:
        return None
    return Change(
        topic,
        tuple(told),
        partitions=shape.partitions if grows else None,
        settings={**found.own, **shape.settings} if differing else None,
    )


async def apply(
    bootstrap: str,
    shape: Shape,
    *,
    is_check: bool = False,
    wait: float = WAIT_SECONDS,
    topics: Sequence[str] = tuple(TOPICS.values()),
) -> list[str]:
    """Make the topics as `shape` says, or with `is_check` only look.

    Args:
        bootstrap: addresses of brokers, ``host:port`` with commas between them.
        wait: seconds to wait for a broker that is still starting.

    Returns:
        A sentence for each change; none where all was so already.

    Raises:
        TopicsFailed: the broker does not answer, or refuses.
        EmbeddedBroker: it is that of `make run`.
    """
    async with _admin(bootstrap, wait) as admin:
        try:
            found = await _found(admin, topics)
        except IncompatibleBrokerVersion:  # librdkafka's broker has no administration
            raise EmbeddedBroker(EMBEDDED) from None
        planned = changes(shape, found, topics)
        if not is_check:
            for change in planned:
                await _carry_out(admin, shape, change)
            if planned:
                await _shown(admin, shape, topics)
        return [sentence for change in planned for sentence in change.told]


class EmbeddedBroker(Exception):
    """The broker is that of `make run`, whose topics are its own affair."""


@asynccontextmanager
async def _admin(bootstrap: str, wait: float) -> AsyncIterator[AIOKafkaAdminClient]:
    until = asyncio.get_running_loop().time() + wait
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=_REQUEST_MS)
        try:
            await admin.start()
            break
        except (KafkaError, OSError, TimeoutError) as fault:
            await admin.close()
            if asyncio.get_running_loop().time() > until:
                raise TopicsFailed(
                    f"no broker answers at {bootstrap} ({type(fault).__name__}): start it, or correct "
                    "--bootstrap."
                ) from fault
            await asyncio.sleep(_PAUSE_SECONDS)
    try:
        yield admin
    except (KafkaError, OSError, TimeoutError) as fault:
        raise TopicsFailed(f"the broker at {bootstrap} failed: {type(fault).__name__}.") from fault
    finally:
        await admin.close()


async def _found(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, Found]:
    """Those of `topics` that are there."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    settings: dict[str, tuple[dict[str, str], dict[str, str]]] = {}
    for answer in await admin.describe_configs(asked):
        for code, message, _, topic, entries in answer.resources:
            if code == _UNKNOWN_TOPIC:
                continue
            _require(code, message, topic)
            in_force = {name: value for name, value, *_ in entries if value is not None}
            own = {name for name, _, _, origin, *_ in entries if origin == _SET_FOR_THIS_TOPIC}
            settings[topic] = in_force, {name: in_force[name] for name in own & in_force.keys()}
    found = {}
    # All are asked for: a broker may make, by accident, a topic that is asked for by its name.
    for described in await admin.describe_topics():
        if (topic := described["topic"]) in settings:
            partitions = described["partitions"]
            replicas = min(len(partition["replicas"]) for partition in partitions)
            found[topic] = Found(len(partitions), replicas, *settings[topic])
    return found


async def _carry_out(admin: AIOKafkaAdminClient, shape: Shape, change: Change) -> None:
    if change.is_new:
        new = NewTopic(change.topic, shape.partitions, shape.replication, topic_configs=shape.settings)
        answer = await admin.create_topics([new])
        for topic, code, message in answer.topic_errors:
            _require(code, message, topic)
    if change.settings is not None:
        # Kafka replaces all that is set for the topic by what it is sent.
        altered = ConfigResource(ConfigResourceType.TOPIC, change.topic, dict(change.settings))
        for answer in await admin.alter_configs([altered]):
            for code, message, _, topic in answer.resources:
                _require(code, message, topic)
    if change.partitions is not None:
        await admin.create_partitions({change.topic: NewPartitions(change.partitions)})


async def _shown(admin: AIOKafkaAdminClient, shape: Shape, topics: Sequence[str]) -> None:
    """Brokers show what the controller did a moment later; whoever comes next shall find it."""
    until = asyncio.get_running_loop().time() + _REQUEST_MS / 1000
    while left := changes(shape, await _found(admin, topics), topics):
        if asyncio.get_running_loop().time() > until:
            raise TopicsFailed(f"the broker took it and does not show it: {left[0].told[0]}.")
        await asyncio.sleep(0.1)


def _require(code: int, message: str | None, topic: str) -> None:
    if code:
        raise TopicsFailed(
            f"{topic}: the broker refuses ({for_code(code).__name__}): {message or 'no reason'}"
        )


def tell(bootstrap: str, shape: Shape, *, is_check: bool, wait: float = WAIT_SECONDS) -> int:
    """Apply, print what was done, and answer the exit code.

    Raises:
        TopicsFailed: see `apply`.
    """
    try:
        told = asyncio.run(apply(bootstrap, shape, is_check=is_check, wait=wait))
    except EmbeddedBroker as embedded:
        print(embedded)
        return 0
    for sentence in told:
        print(f"would be changed: {sentence}" if is_check else sentence)
    if not told:
        print("The topics are as they should be: nothing was changed.")
    return 1 if told and is_check else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.topics", description="The topics in Apache Kafka."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    applying = commands.add_parser("apply", help="make the topics, or bring them into their shape")
    applying.add_argument("--bootstrap", required=True, metavar="HOST:PORT", help="with commas between them")
    shape = Shape()
    applying.add_argument("--partitions", type=int, default=shape.partitions, help="a divisor of 240")
    applying.add_argument("--replication", type=int, default=shape.replication, help="replicas of each")
    applying.add_argument("--min-insync", type=int, default=shape.min_insync, help="min.insync.replicas")
    applying.add_argument("--retention-days", type=int, default=shape.retention_days, help="days kept")
    applying.add_argument("--wait", type=float, default=WAIT_SECONDS, help="seconds to wait for the broker")
    applying.add_argument("--check", "--dry-run", action="store_true", help="only tell: change nothing")
    chosen = parser.parse_args(arguments)
    try:
        asked = Shape(chosen.partitions, chosen.replication, chosen.min_insync, chosen.retention_days)
        return tell(chosen.bootstrap, asked, is_check=chosen.check, wait=chosen.wait)
    except TopicsFailed as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
