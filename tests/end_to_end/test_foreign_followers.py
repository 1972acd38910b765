"""Followers that nobody here wrote get what the logs hold: Apache Kafka's console consumer, kcat, the
CloudEvents SDK, a JOSE library, and a late one that puts catch-up and Kafka together while calls come in.

All on one system with a Kafka of its own; what a log holds is read out of its database. The late one comes
last: it needs topics that have lost records.
"""

import json
import random
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, time
from typing import NamedTuple
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from jwcrypto.common import base64url_encode
from jwcrypto.jwe import InvalidJWEData
from jwcrypto.jws import InvalidJWSSignature

from deploy.simulation import simulate
from deploy.simulation.stream import write_simulation
from tests.conditions import wait_until
from tests.end_to_end.late_follower import LateFollower
from tests.end_to_end.test_readme import python_example
from tests.failure.callers import Callers
from tests.failure.cluster import Cluster, running_cluster
from tests.failure.evidence import (
    TOPICS,
    Event,
    OfService,
    of_services,
    opened,
    payloads,
    wait_until_settled,
)

COUNT = 400
PACE = 10.0
SEAM = 20
"""Events that a late follower lacks when it turns to Kafka, half of them no longer there."""
SEAMS = {"owner", "kafka", "repetition", "gap"}
"""All that can come in a late follower's way."""
SECONDS = 180.0
CONTENT_TYPE = "application/cloudevents+json"
ENTITLED = {"intake": "dedup", "dedup": "referral", "referral": "intake"}
"""owner -> one of those who share a transport key with it."""

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]


class Record(NamedTuple):
    """As a program printed it."""

    headers: str
    key: str
    value: str

    @property
    def told(self) -> tuple[str, str, int, int]:
        """Its key; id, slot and number of the event."""
        event = json.loads(self.value)
        return self.key, event["id"], event["slot"], event["slotsequence"]


def records_of(told: subprocess.CompletedProcess[str]) -> list[Record]:
    """From lines of headers, key and value with tabs between."""
    assert told.returncode == 0, told.stderr
    return [Record(*line.split("\t")) for line in told.stdout.splitlines()]


def each_once(records: list[Record]) -> list[tuple[str, str, int, int]]:
    """What they tell. A relay that lost its lease may have repeated a record, as it was."""
    told = {record.told: record.value for record in records}
    assert {record.value for record in records} == set(told.values())
    return sorted(told)


def public(of: OfService) -> list[Event]:
    """What a service has to publish."""
    return [event for event in of.log if event.slot is not None]


def in_topic(log: list[Event]) -> list[tuple[str, str, int | None, int]]:
    """What `Record.told` has to be for each."""
    return sorted((event.stream, str(event.id), event.slot, event.number) for event in log)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def seed() -> int:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    return seed


@pytest.fixture(scope="module")
def logs(cluster: Cluster, seed: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Event]]:
    """At rest, with calls gone all the way through the three services."""
    file = tmp_path_factory.mktemp("calls") / "complaints.ndjson"
    write_simulation(simulate(COUNT, seed), file)
    assert cluster.hotline("import", str(file)).returncode == 0
    wait_until_settled(cluster.database_urls, SECONDS)
    held = of_services(cluster.database_urls, cluster.kafka.address)
    logs = {service: public(of) for service, of in held.items()}
    assert min(map(len, logs.values())) > 0
    print({service: len(log) for service, log in logs.items()})
    return logs


@pytest.fixture(scope="module")
def records(cluster: Cluster, logs: dict[str, list[Event]]) -> dict[str, list[Record]]:
    """Each topic, as Apache Kafka's console consumer reads it from its beginning."""

    def read(topic: str) -> list[Record]:
        options = ["--topic", topic, "--from-beginning", "--timeout-ms", "10000"]
        for part in ("headers", "key"):
            options += ["--formatter-property", f"print.{part}=true"]
        return records_of(cluster.kafka.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *options))

    with ThreadPoolExecutor() as threads:
        return dict(zip(TOPICS, threads.map(read, TOPICS.values()), strict=True))


@pytest.mark.parametrize("owner", TOPICS)
def test_apache_kafkas_console_consumer_reads_what_the_log_holds(
    logs: dict[str, list[Event]], records: dict[str, list[Record]], owner: str
) -> None:
    assert each_once(records[owner]) == in_topic(logs[owner])
    assert {record.headers for record in records[owner]} == {f"content-type:{CONTENT_TYPE}"}


@pytest.mark.skipif(not shutil.which("kcat"), reason="needs kcat: apt-get install kcat")
@pytest.mark.parametrize("owner", TOPICS)
def test_kcat_reads_what_the_log_holds(cluster: Cluster, logs: dict[str, list[Event]], owner: str) -> None:
    # Without -q it would remark on each partition's end.
    options = ["-C", "-q", "-o", "beginning", "-e", "-f", r"%h\t%k\t%s\n"]
    read = records_of(
        subprocess.run(
            ["kcat", "-b", cluster.kafka.address, "-t", TOPICS[owner], *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    )
    assert each_once(read) == in_topic(logs[owner])
    assert {record.headers for record in read} == {f"content-type={CONTENT_TYPE}"}


@pytest.mark.parametrize("owner", TOPICS)
def test_the_cloudevents_sdk_parses_every_record(
    logs: dict[str, list[Event]], records: dict[str, list[Record]], owner: str
) -> None:
    parsed = {}
    for record in records[owner]:
        name, _, value = record.headers.partition(":")
        # Without the key, which would stand in for the record's own `partitionkey`.
        message = KafkaMessage({name: value.encode()}, None, record.value.encode())
        event = from_structured(message, JSONFormat())
        parsed[UUID(event.get_id())] = event
    assert parsed.keys() == {event.id for event in logs[owner]}
    for logged in logs[owner]:
        event = parsed[logged.id]
        attributes = dict(event.get_attributes())
        day, correlation = attributes.pop("time"), attributes.pop("correlationid")
        assert day == datetime.combine(day.date(), time.min, UTC)
        assert isinstance(correlation, str)
        assert attributes == {
            "specversion": "1.0",
            "id": str(logged.id),
            "source": f"/hotline/{owner}",
            "type": f"hotline.{logged.type}.v1",
            "subject": logged.stream,
            "datacontenttype": "application/json",
            "dataschema": f"urn:hotline:hotline.{logged.type}.v1",
            "partitionkey": logged.stream,
            "sequence": str(logged.position),
            "slot": logged.slot,
            "slotsequence": logged.number,
            "streamversion": logged.version,
            "causationid": logged.cause,
        }
        data = event.get_data()
        assert isinstance(data, dict)
        assert data.keys() == {"clear", "sealed", "proof", "authentication"}


@pytest.mark.parametrize("owner", TOPICS)
def test_a_jose_library_opens_the_payloads_with_one_followers_transport_key(
    cluster: Cluster, records: dict[str, list[Record]], owner: str
) -> None:
    keys = json.loads((cluster.data.keys / f"{ENTITLED[owner]}.json").read_text())["sources"][owner]
    (key,) = keys.values()
    events = [json.loads(record.value) for record in records[owner]]
    sealed = {UUID(event["id"]): event["data"]["sealed"] for event in events if event["data"]["sealed"]}
    held = payloads(cluster.database_url(owner), cluster.data.keys / f"{owner}.json")
    assert {event: opened(payload, key) for event, payload in sealed.items()} == held
    # Dedup tells ids and counts alone.
    assert bool(sealed) == (owner != "dedup")
    for payload in sealed.values():
        with pytest.raises(InvalidJWEData):
            opened(payload, base64url_encode(secrets.token_bytes(32)))


@pytest.mark.parametrize("owner", TOPICS)
def test_a_jose_library_checks_every_record_with_one_followers_transport_key(
    cluster: Cluster, records: dict[str, list[Record]], owner: str
) -> None:
    check = python_example("check")
    keys = json.loads((cluster.data.keys / f"{ENTITLED[owner]}.json").read_text())["sources"][owner]
    ((kid, key),) = keys.items()
    for record in records[owner]:
        event = json.loads(record.value)
        assert check(event, kid, key)["id"] == event["id"]
        with pytest.raises(InvalidJWSSignature):
            check({**event, "slotsequence": event["slotsequence"] + 1}, kid, key)


def test_a_late_follower_gets_exactly_the_log_from_catch_up_and_kafka_together(
    cluster: Cluster, seed: int, logs: dict[str, list[Event]]
) -> None:
    """Kafka has lost most of what was before it came, and half of what comes between its catch-up and its
    first look at Kafka."""
    takers = [replica.url for replica in cluster.of("intake") if replica.takes_calls]
    handler, service = cluster.issuer.mint("call_handler"), cluster.issuer.mint("service")
    with ExitStack() as stack:
        # The same complaints told by second callers: so dedup too has news all the time.
        with Callers(lambda: takers, handler, pace=PACE, most=COUNT, seed=seed) as calls:
            wait_until(lambda: len(calls.accepted) > 20, what="calls are accepted")
            for topic in TOPICS.values():
                cluster.kafka.topics.forget(topic, range(cluster.partitions), but=3)
            followers = {
                owner: stack.enter_context(
                    closing(LateFollower(cluster.first(owner).url, topic, cluster.kafka.address, service))
                )
                for owner, topic in TOPICS.items()
            }
            for follower in followers.values():
                follower.catch_up()
            wait_until(
                lambda: all(follower.behind() > SEAM for follower in followers.values()),
                what="something happens between catch-up and Kafka",
            )
            for topic in TOPICS.values():
                cluster.kafka.topics.forget(topic, range(0, cluster.partitions, 2))
            for follower in followers.values():
                follower.turn_to_kafka()
                follower.read_while(lambda: not follower.came.keys() >= SEAMS, SECONDS)
        assert calls.wrong == []
        wait_until_settled(cluster.database_urls, SECONDS)
        for follower in followers.values():
            follower.read_to_the_ends(SECONDS)
            # What was lost in the seam and had no successor in its slot: no gap showed it.
            follower.catch_up()
        held = of_services(cluster.database_urls, cluster.kafka.address)
        for owner, follower in followers.items():
            of, came = held[owner], dict(follower.came)
            print(f"{owner}: {len(public(of))} events, {len(of.published)} records left in Kafka, {came}")
            told = [
                (each["subject"], each["id"], each["slot"], each["slotsequence"]) for each in follower.applied
            ]
            assert sorted(told) == in_topic(public(of))
            assert len({id_ for _, id_, _ in of.published}) < len(public(of)), "Kafka alone would be enough"
