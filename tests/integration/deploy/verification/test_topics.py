"""`./hotline verify` on a topic with whatever stands in one: only what is not as in the log is wrong."""

import asyncpg
import pytest

from deploy.verification.findings import Findings
from deploy.verification.topics import check_topic
from shared.store.events import slot_of
from tests.engines.batches import ZSTD, built, checked, produce
from tests.integration.shared.streaming.conftest import flow, module_urls, stores
from tests.integration.shared.streaming.engines import OverTheProtocol
from tests.unit.shared.streaming.flow import Flow

__all__ = ["flow", "module_urls", "stores"]


async def checked_topic(flow: Flow, url: str) -> Findings:
    engines = flow.engines
    assert isinstance(engines, OverTheProtocol)
    findings, connection = Findings(), await asyncpg.connect(url)
    await check_topic(flow.published.own, flow.topic, engines.address(), connection, findings)
    await connection.close()
    return findings


async def test_repetitions_records_of_others_and_unreadable_batches_are_counted(
    flow: Flow, module_urls: tuple[str, str]
) -> None:
    if not isinstance(flow.engines, OverTheProtocol):
        pytest.skip("the broker in memory speaks no protocol")
    subjects = await flow.record_many(subjects=20)
    await flow.relayed()
    await flow.publish((await flow.public_events())[:3])
    garbled = checked(built([b"x"]).replace(b"content-type", b"content\xfftype"))
    await produce(flow.engines.address(), flow.topic, slot_of(subjects[0]) % 12, garbled)
    await produce(flow.engines.address(), flow.topic, 3, built([b"{}"], codec=ZSTD))
    (check,) = (await checked_topic(flow, module_urls[0])).checks
    assert check.holds
    assert check.note == (
        "20 of 20 still held, 3 repetitions, 1 records of others, 1 batches that cannot be read"
    )


async def test_a_signed_record_that_is_not_as_in_the_log_is_wrong(
    flow: Flow, module_urls: tuple[str, str]
) -> None:
    if not isinstance(flow.engines, OverTheProtocol):
        pytest.skip("the broker in memory speaks no protocol")
    await flow.record_many(subjects=20)
    await flow.relayed()
    connection = await asyncpg.connect(module_urls[0])
    await connection.execute("DELETE FROM events WHERE position = 20")
    await connection.execute("UPDATE events SET event_id = gen_random_uuid() WHERE position = 19")
    await connection.close()
    (check,) = (await checked_topic(flow, module_urls[0])).checks
    assert sorted(sentence.partition(": ")[2].split(" ", 5)[5] for sentence in check.wrong) == [
        "differs from the log",
        "is not in the log",
    ]
