"""A complaint's whole way on a system as a user starts it, and what verification says of it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from confluent_kafka import Producer

from deploy.command.verifying import TOPICS
from tests.end_to_end.complaints import write_complaints
from tests.end_to_end.system import System, running_system

COUNT = 400


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system() as running:
        yield running


@pytest.fixture(scope="module")
def imported(system: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = write_complaints(tmp_path_factory.mktemp("import") / "complaints.ndjson.gz", COUNT)
    told = system.hotline("import", str(file))
    assert told.returncode == 0, told.stderr
    assert f"{COUNT} accepted, 0 known from before, 0 refused" in told.stderr
    return file


def fetch(system: System, service: str, query: str, *parameters: object) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(system.database_url(service, as_owner=True))
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *parameters)
        finally:
            await connection.close()
        return rows

    return asyncio.run(run())


def test_an_import_is_verified(system: System, imported: Path) -> None:
    told = system.hotline("verify")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "verified" in told.stdout


def test_the_same_import_again_changes_nothing(system: System, imported: Path) -> None:
    before = fetch(system, "intake", "SELECT count(*) FROM events")
    told = system.hotline("import", str(imported))
    assert told.returncode == 0, told.stderr
    assert f"0 accepted, {COUNT} known from before, 0 refused" in told.stderr
    assert fetch(system, "intake", "SELECT count(*) FROM events") == before


def test_records_that_somebody_else_wrote_into_the_topics_change_nothing(
    system: System, imported: Path, tmp_path: Path
) -> None:
    """For every slot the next number, as erased; one that nobody gave; and bytes."""
    assert system.run_file is not None
    producer = Producer({"bootstrap.servers": system.run_file["broker"]})
    for service, topic in TOPICS.items():
        newest = fetch(
            system,
            service,
            "SELECT DISTINCT ON (slot) slot, slot_sequence, stream_id, type FROM events"
            " WHERE slot IS NOT NULL ORDER BY slot, slot_sequence DESC",
        )
        for slot, head, subject, type_ in newest:
            name = f"hotline.{type_}.v1"
            forged: dict[str, object] = {
                "specversion": "1.0", "source": f"/hotline/{service}", "type": name, "subject": subject,
                "time": "2026-11-23T00:00:00Z", "datacontenttype": "application/json",
                "dataschema": f"urn:hotline:{name}", "partitionkey": subject, "sequence": "100000",
                "slot": slot, "streamversion": 9, "correlationid": "", "causationid": "",
                "data": {"clear": {}, "sealed": None, "erased": True},
            }  # fmt: skip
            for number in (head, head + 1, head + 999):
                event = json.dumps({**forged, "id": str(uuid4()), "slotsequence": number})
                producer.produce(topic, event.encode(), subject.encode(), partition=slot % 12)
        producer.produce(topic, b"\xff", partition=3)
    assert producer.flush(30) == 0
    told = system.hotline("import", str(write_complaints(tmp_path / "more.ndjson.gz", COUNT + 200)))
    assert f"200 accepted, {COUNT} known from before, 0 refused" in told.stderr
    told = system.hotline("verify")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "records of others" in told.stdout
    kept = fetch(system, "dedup", "SELECT reason, count(*) AS count FROM unreadable GROUP BY reason")
    assert {row["reason"] for row in kept} == {"not authentic", "not JSON"}


def row_taken_out(table: str, where: str) -> tuple[str, str]:
    """SQL that takes one row out and answers it, and SQL that puts it back."""
    return (
        f"DELETE FROM {table} WHERE {where} RETURNING row_to_json({table}.*)::text",
        f"INSERT INTO {table} SELECT * FROM json_populate_record(null::{table}, $1::json)",
    )


ONE = "(SELECT ctid FROM {} ORDER BY ctid LIMIT 1)"
PLANTED = {
    "a loss in the log": ("intake", *row_taken_out("events", "ctid = " + ONE.format("events"))),
    "a loss in an inbox": ("dedup", *row_taken_out("inbox", "ctid = " + ONE.format("inbox"))),
    "a double": (
        "referral",
        "UPDATE inbox SET event_id = (SELECT event_id FROM inbox ORDER BY event_id LIMIT 1)"
        " WHERE ctid = (SELECT ctid FROM inbox ORDER BY event_id DESC LIMIT 1)"
        " RETURNING json_build_array(source, slot, slot_sequence, (SELECT event_id FROM inbox"
        " ORDER BY event_id DESC LIMIT 1))::text",
        "UPDATE inbox SET event_id = ($1::json->>3)::uuid WHERE source = $1::json->>0"
        " AND slot = ($1::json->>1)::int AND slot_sequence = ($1::json->>2)::bigint",
    ),
    "a disagreement": (
        "referral",
        # Of the case that the complaint is in now, not of one that was merged.
        *row_taken_out(
            "case_complaints",
            "ctid = (SELECT c.ctid FROM case_complaints c JOIN placements USING (complaint_id, case_id)"
            " LIMIT 1)",
        ),
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_turns_verification_red(system: System, imported: Path, fault: str) -> None:
    service, plant, mend = PLANTED[fault]
    planted = fetch(system, service, plant)[0][0]
    try:
        told = system.hotline("verify", "--wait", "3")
    finally:
        fetch(system, service, mend, planted)
    assert told.returncode == 1, told.stdout
    assert "WRONG" in told.stdout
    assert system.hotline("verify").returncode == 0


def test_read_models_are_rebuilt_while_the_system_runs(system: System, imported: Path) -> None:
    for service, options, said in (
        ("dedup", (), "no row differed; the rebuilt tables are in place"),
        ("referral", (), "no row differed; the rebuilt tables are in place"),
        ("referral", ("--check",), "no row differed; nothing was changed"),
        ("intake", (), "no row differed; the rebuilt tables are in place"),
    ):
        told = system.hotline("rebuild", service, *options)
        assert told.returncode == 0, told.stdout + told.stderr
        assert said in told.stdout
    assert system.hotline("verify").returncode == 0


def test_a_rebuild_of_an_unknown_service_is_one_sentence(system: System) -> None:
    told = system.hotline("rebuild", "kafka")
    assert (told.returncode, told.stderr) == (
        1,
        "hotline: kafka is no service: intake, dedup, referral are.\n",
    )
