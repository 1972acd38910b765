"""What every service answers to its followers and operators, over a socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from shared.sealing.events import opened_event
from shared.sealing.keys import unwrap_data_keys
from shared.store.events import identity_of, slot_of
from shared.streaming import routes
from shared.streaming.catchup import HttpOwner
from shared.streaming.cloudevents import parse
from shared.streaming.drops import Drops, ParkedEventAct
from shared.streaming.handling import RecordFault, SurroundingsFault
from shared.streaming.published import PublishedLog
from shared.web.auth import ROLES
from shared.web.pages import Cursors
from tests.integration.shared.web.serving import client_of_routers
from tests.unit.shared.streaming.engines import InMemory
from tests.unit.shared.streaming.flow import DAY, FOLLOWER_KEYS, OWNER, OWNER_KEYS, Flow
from tests.unit.shared.web.issuer import Issuer

WHY = {"reason": "It is a test record of ours."}
FOLLOWER_ROUTES = [("GET", "/v1/events?slot=1"), ("GET", "/v1/events/heads")]
OPERATOR_ROUTES = [
    ("GET", "/v1/parked"),
    ("GET", "/v1/parked/intake-1-1"),
    ("POST", "/v1/parked/intake-1-1/retry"),
    ("DELETE", "/v1/parked/intake-1-1"),
]


@pytest.fixture
async def flow() -> AsyncIterator[Flow]:
    flow = Flow(InMemory())
    yield flow
    await flow.close()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def client(flow: Flow, issuer: Issuer, tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """One service that has the owner's events and the follower's parked ones."""
    parking = flow.parking()
    drops = Drops(parking, flow.engines.follower, FOLLOWER_KEYS.kek, lambda: DAY)
    routers = [
        routes.followers(flow.engines.owner, flow.published),
        routes.parked(parking, drops, Cursors(bytes(32))),
    ]
    async with client_of_routers(routers, issuer, tmp_path) as session:
        yield session


def bearer(issuer: Issuer, *roles: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.token(*roles)}"}


@pytest.fixture
def owner(client: aiohttp.ClientSession, issuer: Issuer, tmp_path: Path) -> HttpOwner:
    """The follower's side of catch-up."""
    token = tmp_path / "token"
    token.write_text(issuer.token("service") + "\n")
    return HttpOwner(client, "", token)


async def parked_flow(flow: Flow, subjects: int = 1, each: int = 1) -> list[str]:
    """So many subjects of which an event is parked, and the others queue."""
    told = await flow.record_many(subjects, each)
    for subject in told:
        flow.listener.faults[subject] = RecordFault("the street is unknown")
    flow.start(flow.relay().run())
    flow.start(flow.follower().run())
    await flow.settled()
    flow.listener.faults.clear()
    return told


async def named(flow: Flow, subject: str) -> str:
    (event, *_) = await flow.events_of(subject)
    return f"intake-{event.slot}-{event.slot_sequence}"


@pytest.mark.parametrize(
    ("role", "asked"),
    [("service", FOLLOWER_ROUTES), ("operator", OPERATOR_ROUTES)],
    ids=["followers", "operators"],
)
async def test_each_route_is_for_its_role_alone(
    client: aiohttp.ClientSession, issuer: Issuer, role: str, asked: list[tuple[str, str]]
) -> None:
    for method, path in asked:
        async with client.request(method, path) as answer:
            assert answer.status == 401, path
        for other in ROLES:
            async with client.request(method, path, headers=bearer(issuer, other)) as answer:
                assert (answer.status == 403) == (other != role), (path, other)


async def test_catch_up_serves_the_records_of_kafka(flow: Flow, owner: HttpOwner) -> None:
    subject = await flow.record()
    for _ in range(4):
        await flow.record(subject)
    slot = slot_of(subject)
    items = await owner.events(slot, after=1, limit=3)
    assert [parse(item).slot_sequence for item in items] == [2, 3, 4]
    assert [parse(item).id for item in items] == [e.event_id for e in (await flow.events_of(subject))[1:4]]
    assert await owner.events(slot, after=5, limit=3) == []
    assert await owner.heads() == {slot: 5}


async def test_a_follower_lives_on_catch_up_over_http_alone(flow: Flow, owner: HttpOwner) -> None:
    """The topic is empty: every event is found by the heads and fetched."""
    await flow.record_many(subjects=20, each=3)
    follower = flow.follower(owner=owner)
    flow.start(follower.run())
    await flow.settled()
    await flow.prove()


@pytest.mark.parametrize(
    "query", ["", "slot=240", "slot=-1", "slot=x", "slot=1&after=-1", "slot=1&after=9223372036854775808",
              "slot=1&limit=0", "slot=1&limit=1001"],
)  # fmt: skip
async def test_a_wrong_question_is_422(client: aiohttp.ClientSession, issuer: Issuer, query: str) -> None:
    async with client.get(f"/v1/events?{query}", headers=bearer(issuer, "service")) as answer:
        assert answer.status == 422


async def test_an_owner_that_refuses_or_is_away_is_a_fault_of_the_surroundings(
    client: aiohttp.ClientSession, issuer: Issuer, tmp_path: Path
) -> None:
    token = tmp_path / "wrong"
    refused = HttpOwner(client, "", token)
    with pytest.raises(SurroundingsFault):  # no token file yet
        await refused.heads()
    token.write_text(issuer.token("operator"))
    with pytest.raises(SurroundingsFault, match="403"):
        await refused.heads()
    token.write_text(issuer.token("service"))  # rotated: read anew
    assert await refused.heads() == {}
    async with aiohttp.ClientSession() as session:
        with pytest.raises(SurroundingsFault, match="does not answer"):
            await HttpOwner(session, "http://127.0.0.1:1", token).heads()


async def test_without_its_keys_an_owner_answers_503(flow: Flow, issuer: Issuer, tmp_path: Path) -> None:
    subject = await flow.record()
    kek = OWNER_KEYS.kek.model_copy(update={"current": "x", "keys": {"x": bytes(32)}})
    keyless = PublishedLog(OWNER, flow.engines.owner, OWNER_KEYS.model_copy(update={"kek": kek}))
    routers = [routes.followers(flow.engines.owner, keyless)]
    async with client_of_routers(routers, issuer, tmp_path) as client:
        path = f"/v1/events?slot={slot_of(subject)}"
        async with client.get(path, headers=bearer(issuer, "service")) as answer:
            assert answer.status == 503
            assert "Retry-After" in answer.headers


async def test_parked_events_are_listed_page_by_page_without_their_content(
    flow: Flow, client: aiohttp.ClientSession, issuer: Issuer
) -> None:
    subjects = await parked_flow(flow, subjects=7, each=2)
    listed, cursor = [], ""
    while True:
        path = f"/v1/parked?limit=3{cursor}"
        async with client.get(path, headers=bearer(issuer, "operator")) as answer:
            assert answer.status == 200
            page = await answer.json()
        listed += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert {item["id"] for item in listed} == {await named(flow, subject) for subject in subjects}
    assert [(i["slot"], i["slotsequence"]) for i in listed] == sorted(
        (i["slot"], i["slotsequence"]) for i in listed
    )
    assert {frozenset(item) for item in listed} == {
        frozenset({"id", "source", "slot", "slotsequence", "type", "reason"})
    }
    assert {(item["source"], item["type"], item["reason"]) for item in listed} == {
        ("intake", "hotline.complaint.recorded.v1", "the street is unknown")
    }


async def test_one_is_shown_retried_and_then_gone(
    flow: Flow, client: aiohttp.ClientSession, issuer: Issuer
) -> None:
    (subject,) = await parked_flow(flow, each=3)
    path, headers = f"/v1/parked/{await named(flow, subject)}", bearer(issuer, "operator")
    async with client.get(path, headers=headers) as answer:
        assert (await answer.json())["reason"] == "the street is unknown"
    flow.listener.faults[subject] = RecordFault("still unknown")
    async with client.post(f"{path}/retry", headers=headers) as answer:
        assert await answer.json() == {"applied": 0, "reason": "still unknown"}
    flow.listener.faults[subject] = SurroundingsFault("the map is away")
    async with client.post(f"{path}/retry", headers=headers) as answer:
        assert answer.status == 503
    flow.listener.faults.clear()
    async with client.post(f"{path}/retry", headers=headers) as answer:
        assert await answer.json() == {"applied": 3, "reason": None}
    await flow.prove()
    for method, gone in (("GET", path), ("POST", f"{path}/retry"), ("DELETE", path)):
        async with client.request(method, gone, headers=headers, json=WHY) as answer:
            assert answer.status == 404


async def test_one_is_dropped_by_two_operators_and_what_queued_behind_it_applied(
    flow: Flow, client: aiohttp.ClientSession, issuer: Issuer
) -> None:
    """A drop had left no trace: no actor, no reason, no second person."""
    (subject,) = await parked_flow(flow, each=3)
    path = f"/v1/parked/{await named(flow, subject)}"
    ada, bob = ({"Authorization": f"Bearer {issuer.token('operator', sub=name)}"} for name in ("ada", "bob"))
    async with client.delete(path, headers=ada, json=WHY) as answer:
        assert (answer.status, await answer.json()) == (
            202, {"dropped": False, "applied": 0, "reason": None},
        )  # fmt: skip
    async with client.get(path, headers=bob) as answer:
        assert (await answer.json())["drop_requested"] is True
    async with client.delete(path, headers=ada, json=WHY) as answer:
        assert (answer.status, (await answer.json())["detail"]) == (
            409, "You have asked for this drop: another operator has to confirm it.",
        )  # fmt: skip
    assert [row.state for row in await flow.engines.inbox()] == ["parked", "queued", "queued"]
    async with client.delete(path, headers=bob, json={"reason": "Ask 07700 900123, I agree."}) as answer:
        assert (answer.status, await answer.json()) == (
            200, {"dropped": True, "applied": 2, "reason": None},
        )  # fmt: skip
    assert [row.state for row in await flow.engines.inbox()] == ["dropped", "applied", "applied"]

    store = flow.engines.follower
    events = [event for event in await store.read_log(0) if event.stream_id.startswith("parked_event-")]
    keys = unwrap_data_keys(FOLLOWER_KEYS.kek, await store.data_keys([identity_of(events[0].stream_id)]))
    acts = [ParkedEventAct.model_validate_json(opened_event(event, keys)) for event in events]
    assert [event.type for event in events] == ["parked_event.drop_requested", "parked_event.dropped"]
    assert [(act.by, act.reason) for act in acts] == [
        ("ada", WHY["reason"]),
        ("bob", "Ask [phone], I agree."),
    ]
    clear = [event.data["clear"] for event in events]
    assert "ada" not in str(clear) and clear[0] == clear[1]


async def test_two_operators_at_the_same_moment_ask_once(
    flow: Flow, client: aiohttp.ClientSession, issuer: Issuer
) -> None:
    (subject,) = await parked_flow(flow, each=1)
    path = f"/v1/parked/{await named(flow, subject)}"

    async def drop(name: str) -> int:
        headers = {"Authorization": f"Bearer {issuer.token('operator', sub=name)}"}
        async with client.delete(path, headers=headers, json=WHY) as answer:
            return answer.status

    assert sorted(await asyncio.gather(drop("ada"), drop("bob"))) in ([200, 202], [202, 409])


async def test_a_drop_without_a_reason_is_refused(
    flow: Flow, client: aiohttp.ClientSession, issuer: Issuer
) -> None:
    (subject,) = await parked_flow(flow, each=1)
    path, headers = f"/v1/parked/{await named(flow, subject)}", bearer(issuer, "operator")
    for body in (None, {}, {"reason": " "}):
        async with client.delete(path, headers=headers, json=body) as answer:
            assert answer.status == 422
    assert [row.state for row in await flow.engines.inbox()] == ["parked"]


@pytest.mark.parametrize("name", ["intake-1-1", "nobody-1-1", "dedup-1-1", "intake-999-999999999999999999"])
async def test_what_is_not_parked_is_404(client: aiohttp.ClientSession, issuer: Issuer, name: str) -> None:
    for method, path in (("GET", ""), ("POST", "/retry"), ("DELETE", "")):
        async with client.request(
            method, f"/v1/parked/{name}{path}", headers=bearer(issuer, "operator"), json=WHY
        ) as answer:
            assert answer.status == 404


async def test_a_name_of_another_form_is_422(client: aiohttp.ClientSession, issuer: Issuer) -> None:
    for name in ("intake", "intake-1", "Intake-1-1", "intake-1000-1", "intake-1-x"):
        async with client.get(f"/v1/parked/{name}", headers=bearer(issuer, "operator")) as answer:
            assert answer.status == 422
