"""A complaint that leaves a doubt waits for a second person, and nothing of it leaves intake before."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import orjson
import pytest

from deploy.local.keys import ensure_keys, keys_file
from services.intake.day_secrets import DaySecrets
from services.intake.domain.releases import ReleasePolicies
from services.intake.projection import Projection
from services.intake.recording import Recorder
from services.intake.recovering import Consequences
from services.intake.release_watch import ReleaseWatch
from services.intake.releasing import ReleaseDesk
from services.intake.settings import Settings
from services.intake.wiring import PUBLIC, wire
from shared.sealing.keys import load_keys
from shared.service import Context
from shared.store.postgres import PostgresStore
from shared.store.requests import AppendRequest
from shared.streaming.cloudevents import publish
from shared.vocabulary import load_vocabulary
from shared.web.auth import Caller
from shared.web.metrics import Metrics
from shared.web.pages import Cursors
from tests.integration.rebuilding import rebuilt
from tests.integration.services.intake.reviewers import (
    ANOTHER,
    HANDLER,
    REVIEWER,
    SECRET,
    SURE,
    UNSURE,
    answered,
    asked,
    data_keys,
    published,
    recorded,
    rows,
)
from tests.running import Running, running_service


async def queue(intake: Running, subject: str = REVIEWER, **query: Any) -> list[dict[str, Any]]:
    options = "&".join(f"{name}={value}" for name, value in query.items())
    status, page = await asked(intake, "GET", f"/v1/releases?{options}", subject=subject)
    assert status == 200, page
    items: list[dict[str, Any]] = page["items"]
    return items


async def test_only_what_leaves_a_doubt_waits(careful: Running, database_url: str) -> None:
    sure, unsure = await recorded(careful, SURE), await recorded(careful, UNSURE)
    assert (sure["held"], unsure["held"]) == (False, True)
    assert len(unsure["receipt"]) == 16
    assert unsure["redactions"] == [{"kind": "name", "count": 1}, {"kind": "phone", "count": 1}]
    assert [item["complaint_id"] for item in await queue(careful)] == [unsure["complaint_id"]]
    assert await published(database_url) == 1


@pytest.mark.parametrize(
    ("policy", "held"), [("always", (True, True)), ("unsure", (False, True)), ("never", (False, False))]
)
async def test_the_setting_says_what_waits_and_imports_have_their_own(
    policy: str, held: tuple[bool, bool], database_url: str, tmp_path: Path
) -> None:
    other: dict[str, Any] = {"release": policy, "release_imports": "never"}
    async with running_service(Settings, wire, database_url, tmp_path, **other) as intake:
        for body, is_held in zip((SURE, UNSURE), held, strict=True):
            status, preview = await intake.json("POST", "/v1/sanitise", json=body)
            assert (status, preview["held"]) == (200, is_held)
            assert (await recorded(intake, body))["held"] is is_held
            assert "held" not in await imported(intake, body)
    other = {"release": "never", "release_imports": policy}
    async with running_service(Settings, wire, database_url, tmp_path, **other) as intake:
        for body, is_held in zip((SURE, UNSURE), held, strict=True):
            other_body = {**body, "external_reference": "a new one"}
            assert (await recorded(intake, other_body))["held"] is False
            assert (await imported(intake, other_body)).get("held", False) is is_held
            again = await imported(intake, other_body)
            assert (again.get("held", False), again["repeated"]) == (is_held, True)


async def imported(intake: Running, body: dict[str, Any]) -> dict[str, Any]:
    async with intake.ask("POST", "/v1/imports", data=orjson.dumps(body) + b"\n") as answer:
        line: dict[str, Any] = orjson.loads(await answer.read())
    assert "error" not in line
    return line


async def test_a_repeated_request_gets_the_same_answer_while_it_waits_and_after(
    careful: Running, database_url: str
) -> None:
    first = await recorded(careful, UNSURE, key="call-1")
    assert await recorded(careful, UNSURE, key="call-1") == first
    assert len(await queue(careful)) == 1
    path = f"/v1/releases/{first['complaint_id']}"
    assert (await asked(careful, "POST", f"{path}/release", version=1))[0] == 200
    assert await recorded(careful, UNSURE, key="call-1") == first
    assert (len(await queue(careful)), await published(database_url)) == (0, 1)


async def test_a_reviewer_sees_the_sanitised_text_its_marks_and_the_doubts(careful: Running) -> None:
    answer = await recorded(careful, UNSURE)
    path = f"/v1/releases/{answer['complaint_id']}"
    status, headers, shown = await answered(careful, "GET", path, "release_reviewer", REVIEWER)
    assert (status, headers["etag"], shown["version"]) == (200, '"1"', 1)
    narrative = shown["body"]["narrative"]
    assert narrative.startswith("He hit me behind the mill. [name-1] saw it.")
    marks = {narrative[one["start"] : one["end"]]: one for one in shown["redactions"]}
    assert marks.keys() == {"[name-1]", "[phone]"}
    assert (marks["[name-1]"]["person"], marks["[name-1]"]["field"]) == (1, "narrative")
    doubts = {doubt["reason"]: narrative[doubt["start"] : doubt["end"]] for doubt in shown["doubts"]}
    assert "[name-1]" in doubts.values()
    assert set(shown["reasons"]) == doubts.keys()
    assert shown["history"] == []


async def test_a_release_publishes_the_complaint_as_of_the_day_of_the_contact(
    database_url: str, tmp_path: Path
) -> None:
    ensure_keys(tmp_path / "keys")
    keys = load_keys(keys_file(tmp_path / "keys", "intake"))
    async with PostgresStore(database_url, PUBLIC) as store:
        now = await store.day()
        today = recorded_on = now - timedelta(days=9)
        context = Context("intake", store, keys, Cursors(b"-" * 32), Metrics(), lambda: today)
        secrets = DaySecrets(store, keys.kek, context.today)
        vocabulary = load_vocabulary()
        recorder = Recorder(context, vocabulary, secrets, ReleasePolicies("always", "always"))
        made = await recorder.record(orjson.dumps(SURE), HANDLER, "call-1")
        watch = ReleaseWatch(context.metrics, store, context.today)
        await watch.look()
        assert figures(context.metrics) == {"releases": 0, "before_today": 0, "oldest_days": 0}
        today = now
        await watch.look()
        assert figures(context.metrics) == {"releases": 0, "before_today": 1, "oldest_days": 9}
        reviewer = Caller(subject=REVIEWER, roles=frozenset({"release_reviewer"}))
        await ReleaseDesk(context, vocabulary).release(reviewer, made.complaint_id, 1, None)
        await watch.look()
        assert figures(context.metrics) == {"releases": 0, "before_today": 0, "oldest_days": 0}
        (event,) = await store.read_stream(f"complaint-{made.complaint_id}")
        assert (event.recorded_on, event.version) == (recorded_on, 1)
        assert publish(event, "intake", {}, {})["time"] == f"{recorded_on}T00:00:00Z"
        *_, released = await store.read_stream(f"release-{made.complaint_id}")
        assert released.recorded_on == now


def figures(metrics: Metrics) -> dict[str, float]:
    """Of what waits for a reviewer."""
    return {
        name: value
        for name in ("releases", "before_today", "oldest_days")
        if (
            value := metrics.registry.get_sample_value(
                f"hotline_releases_{name}".replace("releases_releases", "releases"), {"state": "waiting"}
            )
        )
        is not None
    }


async def test_a_complaint_whose_lost_release_was_adopted_waits_no_more_and_is_published_once(
    careful: Running, database_url: str, tmp_path: Path
) -> None:
    """What a set-back database adopts is the published event alone: its queue still has the complaint."""
    complaint_id = (await recorded(careful, UNSURE))["complaint_id"]
    saved = {
        table: await rows(database_url, f"SELECT to_json(t)::text AS row FROM {table} t")
        for table in ("releases", "data_keys")
    }
    path = f"/v1/releases/{complaint_id}/release"
    await asked(careful, "POST", path, version=1)
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM events WHERE type = 'release.released'")
            await connection.execute("UPDATE events SET position = 2 WHERE slot IS NOT NULL")
            for table, kept in saved.items():
                await connection.execute(f"DELETE FROM {table}")
                for row in kept:
                    await connection.execute(
                        f"INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, $1)",
                        row["row"],
                    )
        assert len(await queue(careful)) == 1
        async with PostgresStore(database_url, PUBLIC) as store:
            adopted, _ = await store.read_public(0)
            keys = load_keys(keys_file(tmp_path / "keys", "intake"))
            await Consequences(keys).follow(connection, adopted, await store.day(), _append_nothing)
    finally:
        await connection.close()
    assert await queue(careful) == []
    assert (await asked(careful, "POST", path, version=1))[0] == 404
    assert await published(database_url) == 1
    assert await data_keys(database_url) == {complaint_id}


async def _append_nothing(requests: Sequence[AppendRequest]) -> None:
    assert requests == ()


async def test_the_queue_is_rebuilt_from_the_log(careful: Running, database_url: str, tmp_path: Path) -> None:
    ids = [(await recorded(careful, UNSURE))["complaint_id"] for _ in range(4)]
    await recorded(careful, {**UNSURE, "risk": {"immediate_danger": True}})
    await asked(careful, "POST", f"/v1/releases/{ids[0]}/release")
    await asked(careful, "POST", f"/v1/releases/{ids[1]}/return", json={"note": "Who is it?"})
    masks = {"masks": [{"start": 0, "end": 4}]}
    await asked(careful, "POST", f"/v1/releases/{ids[2]}/mask", json=masks)
    keys = load_keys(keys_file(tmp_path / "keys", "intake"))
    report = await rebuilt(database_url, Projection(keys))
    assert (report.differing, [table.rows for table in report.tables]) == (0, [4])
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE releases SET state = 'returned', is_later = NOT is_later")
    await connection.execute("INSERT INTO releases VALUES ($1, 'waiting', true, '2020-01-01')", uuid4())
    await connection.close()
    report = await rebuilt(database_url, Projection(keys))
    assert report.differing == 5
    assert (await rebuilt(database_url, Projection(keys), is_check=True)).differing == 0
    assert len(await queue(careful)) == 3


async def test_before_its_release_the_text_lies_sealed_under_a_key_of_its_own_that_is_destroyed(
    careful: Running, database_url: str
) -> None:
    answer = await recorded(careful, UNSURE)
    complaint_id = answer["complaint_id"]
    (event,) = await rows(database_url, "SELECT * FROM events")
    data = orjson.loads(event["data"])
    assert (event["type"], event["slot"], event["stream_id"]) == (
        "release.held",
        None,
        f"release-{complaint_id}",
    )
    assert data["clear"].keys() == {"complaint_id", "key_id", "state"}
    text_key = data["clear"]["key_id"]
    assert text_key != complaint_id
    assert [one["header"]["kid"] for one in data["sealed"]["recipients"]] == [text_key]
    assert await data_keys(database_url) == {complaint_id, text_key}
    await asked(careful, "POST", f"/v1/releases/{complaint_id}/release", version=1)
    assert await data_keys(database_url) == {complaint_id}


async def test_no_follower_sees_anything_before_the_release(careful: Running, database_url: str) -> None:
    answer = await recorded(careful, UNSURE)
    heads = await asked(careful, "GET", "/v1/events/heads", "service", "dedup")
    assert heads == (200, {"heads": {}})
    await asked(careful, "POST", f"/v1/releases/{answer['complaint_id']}/release", version=1)
    _, after = await asked(careful, "GET", "/v1/events/heads", "service", "dedup")
    assert list(after["heads"].values()) == [1]


async def test_twenty_releases_at_once_by_two_reviewers_publish_it_once(
    careful: Running, database_url: str
) -> None:
    path = f"/v1/releases/{(await recorded(careful, UNSURE))['complaint_id']}/release"
    answers = await asyncio.gather(
        *(asked(careful, "POST", path, subject=(REVIEWER, ANOTHER)[n % 2], version=1) for n in range(20))
    )
    statuses = {status for status, _ in answers}
    assert 200 in statuses
    assert statuses <= {200, 404, 409}
    assert await published(database_url) == 1
    # Only one of the two released it, and gets the same answer again.
    again = [(await asked(careful, "POST", path, subject=who, version=1))[0] for who in (REVIEWER, ANOTHER)]
    assert sorted(again) == [200, 404]
    assert await published(database_url) == 1


async def test_a_version_that_has_passed_is_refused(careful: Running, database_url: str) -> None:
    path = f"/v1/releases/{(await recorded(careful, UNSURE))['complaint_id']}"
    _, shown = await asked(careful, "GET", path)
    start = shown["body"]["narrative"].index("zorbleth")
    masks = {"masks": [{"start": start, "end": start + 8}], "reason": "Jane Hale's, 07700 900123, friend"}
    status, masked = await asked(careful, "POST", f"{path}/mask", version=1, json=masks)
    assert (status, masked["version"]) == (200, 3)
    for command, body in (("release", None), ("return", {"note": "Who?"}), ("mask", masks)):
        status, problem = await asked(
            careful, "POST", f"{path}/{command}", subject=ANOTHER, version=1, json=body
        )
        assert (status, problem["version"]) == (409, 3)
    assert await published(database_url) == 0


async def test_a_reviewer_masks_more_and_what_was_missed_is_gone_for_good(
    careful: Running, database_url: str
) -> None:
    answer = await recorded(careful, UNSURE)
    path = f"/v1/releases/{answer['complaint_id']}"
    before = await data_keys(database_url)
    _, shown = await asked(careful, "GET", path)
    start = shown["body"]["narrative"].index("zorbleth")
    masks = {
        "masks": [{"start": start, "end": start + 8}],
        "reason": "Jane Hale said it, ring 07700 900123",
    }
    status, masked = await asked(careful, "POST", f"{path}/mask", version=1, json=masks)
    assert status == 200
    assert "zorbleth" not in orjson.dumps(masked).decode()
    assert "They call it [name-2] there." in masked["body"]["narrative"]
    (entry,) = masked["history"]
    assert (entry["act"], entry["by"]) == ("masked", REVIEWER)
    assert "07700" not in entry["reason"]
    assert "[phone]" in entry["reason"]
    # The text with the name was sealed under a key that is gone.
    assert len(await data_keys(database_url)) == len(before) == 2
    assert before - await data_keys(database_url) != set()
    await asked(careful, "POST", f"{path}/release", version=3)
    seen = await asked(careful, "GET", f"/v1/complaints/{answer['complaint_id']}", "call_handler", HANDLER)
    assert "They call it [name-2] there." in seen[1]["body"]["narrative"]
    assert {"field": "narrative", "kind": "name", "count": 2} in seen[1]["redactions"]
    assert (seen[1]["held"], seen[1]["note"]) == (False, None)


@pytest.mark.parametrize(
    ("mask", "field"),
    [
        ({"start": 0, "end": 9_999}, "masks.0.end"),
        ({"start": 0, "end": 1, "field": "subjects.7.name"}, "masks.0.field"),
        ({"start": 4, "end": 4}, "masks.0.end"),
    ],
)
async def test_a_mask_that_is_of_no_text_is_named(careful: Running, mask: dict[str, Any], field: str) -> None:
    path = f"/v1/releases/{(await recorded(careful, UNSURE))['complaint_id']}"
    status, problem = await asked(careful, "POST", f"{path}/mask", version=1, json={"masks": [mask]})
    assert status == 422
    assert problem["errors"][0]["field"].removeprefix("body.") == field


async def test_what_was_sent_back_is_corrected_by_its_handler_and_waits_again(
    careful: Running, database_url: str
) -> None:
    answer = await recorded(careful, UNSURE)
    complaint_id, receipt = answer["complaint_id"], answer["receipt"]
    path = f"/v1/releases/{complaint_id}"
    note = {"note": "Is [name-1] police? Jane Hale asks, 07700 900123."}
    text_keys = await data_keys(database_url)
    status, returned = await asked(careful, "POST", f"{path}/return", version=1, json=note)
    assert (status, returned["state"], returned["version"]) == (200, "returned", 3)
    assert len(text_keys - await data_keys(database_url)) == 1
    assert await queue(careful) == []
    assert [item["complaint_id"] for item in await queue(careful, state="returned")] == [complaint_id]

    own = ("call_handler", HANDLER)
    _, page = await asked(careful, "GET", "/v1/returns", *own)
    (item,) = page["items"]
    assert (item["complaint_id"], item["version"]) == (complaint_id, 3)
    assert item["note"].startswith("Is [name-1] police?")
    assert "07700" not in item["note"]
    assert (await asked(careful, "GET", "/v1/returns", "call_handler", "somebody"))[1]["items"] == []
    _, headers, seen = await answered(careful, "GET", f"/v1/complaints/{complaint_id}", *own)
    assert (seen["held"], seen["note"], headers["etag"]) == (True, item["note"], '"3"')

    # The handler knows that he is a sergeant.
    narrative = seen["body"]["narrative"].replace("[name-1]", "PS Tom Ward")
    body = {**UNSURE, "narrative": narrative}
    send = f"/v1/complaints/{complaint_id}"
    assert (await asked(careful, "PUT", send, "call_handler", "somebody", version=3, json=body))[0] == 404
    assert (await asked(careful, "PUT", send, *own, json=body))[0] == 422
    status, problem = await asked(careful, "PUT", send, *own, version=3, json={**body, "continues": receipt})
    assert (status, problem["errors"][0]["field"]) == (422, "continues")
    status, corrected = await asked(careful, "PUT", send, *own, version=3, json=body)
    assert (status, corrected["state"], corrected["version"]) == (200, "waiting", 5)
    assert (await asked(careful, "PUT", send, *own, version=3, json=body))[0] == 409
    assert await published(database_url) == 0

    _, shown = await asked(careful, "GET", path)
    assert "PS Tom Ward" in shown["body"]["narrative"]
    assert [entry["act"] for entry in shown["history"]] == ["returned", "corrected"]
    assert (await asked(careful, "POST", f"{path}/release", version=5))[0] == 200
    assert await published(database_url) == 1
    continued = await recorded(careful, {**SURE, "continues": receipt})
    assert continued["held"] is False


async def test_what_nobody_corrects_can_be_released_all_the_same(careful: Running, database_url: str) -> None:
    path = f"/v1/releases/{(await recorded(careful, UNSURE))['complaint_id']}"
    await asked(careful, "POST", f"{path}/return", version=1, json={"note": "Who is it?"})
    assert (await asked(careful, "POST", f"{path}/return", json={"note": "Who is it?"}))[0] == 409
    assert (await asked(careful, "POST", f"{path}/release"))[0] == 200
    assert await published(database_url) == 1


async def test_nobody_releases_what_they_recorded(careful: Running, database_url: str) -> None:
    own = (await recorded(careful, UNSURE, subject=REVIEWER))["complaint_id"]
    other = (await recorded(careful, UNSURE))["complaint_id"]
    assert [item["complaint_id"] for item in await queue(careful)] == [other]
    for method, command, body in (
        ("GET", "", None),
        ("POST", "/release", None),
        ("POST", "/return", {"note": "Who?"}),
        ("POST", "/mask", {"masks": [{"start": 0, "end": 4}]}),
    ):
        status, problem = await asked(careful, method, f"/v1/releases/{own}{command}", json=body)
        assert (status, "another person" in problem["detail"]) == (409, True)
    assert await published(database_url) == 0
    assert (await asked(careful, "POST", f"/v1/releases/{own}/release", subject=ANOTHER))[0] == 200


@pytest.mark.parametrize("holder", [{"name": "David Ward"}, {"collar_number": "7743", "force": "hampshire"}])
async def test_who_is_accused_finds_what_waits_as_if_it_were_not_there(
    careful: Running, holder: dict[str, Any]
) -> None:
    """The world with the complaint and the one without differ in no answer to this reviewer."""
    nowhere = uuid4()
    without = await _everything(careful, str(nowhere), holder)
    answer = await recorded(careful, UNSURE)
    complaint_id = answer["complaint_id"]
    assert await _everything(careful, complaint_id, holder) == without
    await asked(careful, "POST", f"/v1/releases/{complaint_id}/return", json={"note": "Who is it?"})
    assert await _everything(careful, complaint_id, holder) == without
    assert (await asked(careful, "GET", f"/v1/releases/{complaint_id}", holder={"name": "Ann Lee"}))[0] == 200
    # Not the handler either, to whom it came back.
    own = ("call_handler", HANDLER)
    assert (await asked(careful, "GET", "/v1/returns", *own, holder=holder))[1]["items"] == []
    path = f"/v1/complaints/{complaint_id}"
    assert (await asked(careful, "PUT", path, *own, version=3, json=SURE, holder=holder))[0] == 404
    await asked(careful, "POST", f"/v1/releases/{complaint_id}/release")
    assert await _everything(careful, complaint_id, holder) == without


async def _everything(intake: Running, complaint_id: str, holder: dict[str, Any]) -> list[Any]:
    asks: list[tuple[str, str, Any]] = [
        ("GET", "/v1/releases", None),
        ("GET", "/v1/releases?state=returned", None),
        ("GET", f"/v1/releases/{complaint_id}", None),
        ("POST", f"/v1/releases/{complaint_id}/release", None),
        ("POST", f"/v1/releases/{complaint_id}/return", {"note": "Who?"}),
        ("POST", f"/v1/releases/{complaint_id}/mask", {"masks": [{"start": 0, "end": 4}]}),
    ]
    return [
        await answered(
            intake, method, path, "release_reviewer", REVIEWER, version=1, json=body, holder=holder
        )
        for method, path, body in asks
    ]


async def test_immediate_danger_comes_first_and_pages_leave_nothing_out(careful: Running) -> None:
    made = [
        (await recorded(careful, {**UNSURE, "risk": {"immediate_danger": n % 3 == 0}}))["complaint_id"]
        for n in range(7)
    ]
    urgent = set(made[::3])
    found: list[str] = []
    cursor = ""
    while True:
        _, page = await asked(careful, "GET", f"/v1/releases?limit=2{cursor}")
        found += [item["complaint_id"] for item in page["items"]]
        assert all(item["immediate_danger"] == (item["complaint_id"] in urgent) for item in page["items"])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert (sorted(found), set(found[:3])) == (sorted(made), urgent)


async def test_what_is_put_right_at_recording_is_kept_so_and_a_kept_name_waits(careful: Running) -> None:
    narrative = "A zorbleth saw it. My name is Jane Smith."
    masks = [{"start": 2, "end": 10, "kind": "name"}]
    masked = await recorded(careful, {**SURE, "narrative": narrative, "masks": masks})
    status, shown = await asked(
        careful, "GET", f"/v1/complaints/{masked['complaint_id']}", "call_handler", HANDLER
    )
    assert (status, shown["body"]["narrative"]) == (200, "A [name-2] saw it. My name is [name-1].")
    keep = [{"start": 30, "end": 40, "kind": "name", "person": 1}]
    kept = await recorded(careful, {**SURE, "narrative": narrative, "keep": keep})
    assert kept["held"] is True
    _, shown = await asked(careful, "GET", f"/v1/releases/{kept['complaint_id']}")
    assert "Jane Smith" in shown["body"]["narrative"]
    assert "kept_by_handler" in shown["reasons"]


async def test_nothing_that_was_sent_lies_anywhere_in_the_clear(careful: Running, database_url: str) -> None:
    answer = await recorded(careful, UNSURE)
    path = f"/v1/releases/{answer['complaint_id']}"
    await asked(careful, "POST", f"{path}/return", version=1, json={"note": "Is he police?"})
    tables = await rows(database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    everything = ""
    for (table,) in tables:
        for (row,) in await rows(database_url, f"SELECT t::text FROM {table} t"):
            everything += row
    for secret in (SECRET, "Ward", "mill", "zorbleth", "07700", "7743", "stalking", HANDLER, "police"):
        assert secret not in everything, secret
