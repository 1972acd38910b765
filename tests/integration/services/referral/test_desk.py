"""What assessors, approvers and auditors are answered."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.clock import today
from shared.contracts.complaint import SanitisedComplaint
from tests.integration.services.referral.feeding import DAY, Referral, complaint
from tests.running import Running

NO_ACTION = {"outcome": "no_further_action", "reason_code": "no_evidence", "reason": "Nothing was found."}
REFER = {"outcome": "refer", "reason_code": "criteria", "reason": "It must be."}


class Asked:
    """The desk with tokens of any account."""

    def __init__(self, desk: Running, referral: Referral) -> None:
        self.desk, self.referral = desk, referral

    async def __call__(
        self, method: str, path: str, role: str = "assessor", *, version: Any = None, **more: Any
    ) -> tuple[int, Any]:
        claims = {key: more.pop(key) for key in ("subject", "holder") if key in more}
        headers = {"Authorization": f"Bearer {self.desk.token(role, **claims)}"}
        if version is not None:
            headers["If-Match"] = str(version)
        return await self.desk.json(method, path, None, headers=headers, **more)

    async def case(self, body: SanitisedComplaint) -> UUID:
        complaint_id = uuid4()
        await self.referral.receive(self.referral.feed.recorded(body, complaint_id))
        return await self.referral.case_of(complaint_id)

    async def decide(
        self, case_id: UUID, decision: dict[str, Any], version: Any, **more: Any
    ) -> tuple[int, Any]:
        return await self(
            "POST", f"/v1/cases/{case_id}/decision", json=decision, version=version, subject="anna", **more
        )

    async def approve(
        self, case_id: UUID, subject: str, *, approve: bool = True, reason: str = "I looked."
    ) -> tuple[int, Any]:
        body = {"approve": approve, "reason": reason}
        return await self("POST", f"/v1/cases/{case_id}/approval", "approver", json=body, subject=subject)


@pytest.fixture
def asked(desk: Running, referral: Referral) -> Asked:
    return Asked(desk, referral)


async def test_a_case_is_shown_with_all_that_a_decision_needs(asked: Asked) -> None:
    body = complaint("sexual.rape_or_assault", subjects=[{"name": "PC David C", "force": "metropolitan"}])
    case_id = await asked.case(body)
    (complaint_id,) = next(iter(await asked.referral.partition()))
    await asked.referral.receive(asked.referral.feed.followed_up(complaint_id, "He came back."))
    headers = {"Authorization": f"Bearer {asked.desk.token('assessor')}"}
    async with asked.desk.ask("GET", f"/v1/cases/{case_id}", None, headers=headers) as answer:
        shown = await answer.json()
        assert (answer.status, answer.headers["ETag"]) == (200, '"1"')
    assert (shown["status"], shown["version"], shown["force"]) == ("open", 1, "metropolitan")
    (told,) = shown["complaints"]
    assert told["body"]["narrative"] == "He did it."
    assert told["follow_ups"] == ["He came back."]
    assert {(c["code"], c["allegation"], c["complaint_id"]) for c in shown["criteria"]} == {
        (code, 0, str(complaint_id)) for code in ("SERIOUS_SEXUAL", "RELEVANT_OFFENCE", "VETTING")
    }
    assert shown["deadline"]["due_on"] == (DAY + timedelta(days=1)).isoformat()
    assert shown["recommendation"]["recipient"] == "professional_standards:metropolitan"
    assert [entry["type"] for entry in shown["history"]] == ["hotline.case.opened.v1"]


async def test_the_list_is_filtered_ordered_and_paged(asked: Asked) -> None:
    grave = await asked.case(complaint("sexual.images", incident={"force": "kent"}))
    light = await asked.case(complaint("other.incivility", incident={"force": "kent"}))
    await asked.case(complaint("other.incivility", incident={"force": "essex"}))
    path = "/v1/cases?force=kent&status=open&order=priority&limit=1"
    status, page = await asked("GET", path)
    assert status == 200
    assert [item["case_id"] for item in page["items"]] == [str(grave)]
    _, rest = await asked("GET", f"{path}&cursor={page['next_cursor']}")
    assert ([item["case_id"] for item in rest["items"]], rest["next_cursor"]) == ([str(light)], None)
    _, urgent = await asked("GET", "/v1/cases?order=due_on&limit=2")
    assert urgent["items"][0]["case_id"] == str(grave)
    _, more = await asked("GET", f"/v1/cases?order=due_on&limit=2&cursor={urgent['next_cursor']}")
    assert len({item["case_id"] for item in urgent["items"] + more["items"]}) == 3


async def test_a_referral_needs_no_second_person(asked: Asked) -> None:
    case_id = await asked.case(complaint("hate.racist", incident={"force": "kent"}))
    status, changed = await asked.decide(case_id, REFER, '"1"')
    assert (status, changed["status"], changed["needs_approval"]) == (200, "referred", False)
    assert len(changed["referral_ids"]) == 1
    _, shown = await asked("GET", f"/v1/cases/{case_id}")
    assert [entry["type"] for entry in shown["history"][1:]] == [
        "hotline.case.decided.v1",
        "hotline.case.referred.v1",
    ]
    assert (shown["deadline"], shown["version"]) == (None, changed["version"])
    assert (await asked.decide(case_id, REFER, changed["version"]))[0] == 409
    await asked.referral.check()


async def test_reasons_are_kept_without_what_leads_to_the_caller(asked: Asked) -> None:
    case_id = await asked.case(complaint("hate.racist"))
    typed = "Caller Jane Hale, 07700 900123, was drunk. PC Smith was not there."
    body = {**NO_ACTION, "outcome": "signpost", "recipient": "a friend, 07700 900123", "reason": typed}
    assert (await asked.decide(case_id, body, 1))[0] == 200
    assert (await asked.approve(case_id, "berta", reason=typed))[0] == 200
    _, shown = await asked("GET", f"/v1/cases/{case_id}")
    kept = "Caller [name-1], [phone], was drunk. PC Smith was not there."
    assert [e["details"]["reason"] for e in shown["history"] if "reason" in e["details"]] == [kept, kept]
    assert "07700" not in str(shown)


async def test_what_asks_to_be_asked_first_is_not_sent_by_one_person(asked: Asked) -> None:
    case_id = await asked.case(complaint("hate.racist", wish="ask_me_first", incident={"force": "kent"}))
    status, changed = await asked.decide(case_id, REFER, 1)
    assert (status, changed["status"], changed["referral_ids"]) == (200, "decided", [])
    assert (await asked.decide(case_id, REFER, 2))[0] == 409
    assert (await asked.approve(case_id, "anna"))[0] == 409
    status, changed = await asked.approve(case_id, "berta")
    assert (status, changed["status"], len(changed["referral_ids"])) == (200, "referred", 1)
    _, shown = await asked("GET", f"/v1/cases/{case_id}")
    assert shown["history"][1]["details"]["approval_grounds"] == ["ask_me_first"]
    await asked.referral.check()


async def test_what_must_be_referred_is_not_ended_by_one_person(asked: Asked) -> None:
    case_id = await asked.case(complaint("hate.racist"))
    status, changed = await asked.decide(case_id, NO_ACTION, 1)
    assert (status, changed["status"], changed["needs_approval"]) == (200, "decided", True)
    assert (await asked.decide(case_id, NO_ACTION, 2))[0] == 409
    assert (await asked.approve(case_id, "anna"))[0] == 409
    status, changed = await asked.approve(case_id, "berta")
    assert (status, changed["status"]) == (200, "closed")
    assert (await asked.approve(case_id, "berta"))[0] == 409
    await asked.referral.check()


async def test_a_refused_approval_leaves_the_decision_to_be_made(asked: Asked) -> None:
    case_id = await asked.case(complaint("partner_abuse.coercive_control"))
    await asked.decide(case_id, NO_ACTION, 1)
    status, changed = await asked.approve(case_id, "berta", approve=False)
    assert (status, changed["status"], changed["needs_approval"]) == (200, "assessed", False)
    _, shown = await asked("GET", f"/v1/cases/{case_id}")
    assert shown["deadline"] is not None
    assert (await asked.decide(case_id, REFER | {"recipient": "iopc"}, changed["version"]))[0] == 200


async def test_asking_for_more_stops_no_clock(asked: Asked) -> None:
    case_id = await asked.case(complaint("hate.racist"))
    _, before = await asked("GET", f"/v1/cases/{case_id}")
    more = {"outcome": "more_information", "reason_code": "unclear", "reason": "Where was it?"}
    status, changed = await asked.decide(case_id, more, 1)
    assert (status, changed["status"]) == (200, "assessed")
    _, after = await asked("GET", f"/v1/cases/{case_id}")
    assert after["deadlines"] == before["deadlines"]


async def test_without_a_criterion_one_person_may_end_a_case(asked: Asked) -> None:
    case_id = await asked.case(complaint("other.incivility"))
    assert (await asked.decide(case_id, NO_ACTION, 1))[1]["status"] == "closed"


async def test_within_a_pattern_it_needs_two(asked: Asked) -> None:
    case_id = await asked.case(complaint("other.incivility"))
    await asked.case(complaint("other.incivility"))
    ids = [complaint_id for together in await asked.referral.partition() for complaint_id in together]
    await asked.referral.receive(asked.referral.feed.pattern(uuid4(), ids))
    assert (await asked.decide(case_id, NO_ACTION, 1))[1]["status"] == "decided"


async def test_another_report_on_the_officer_opens_a_closed_case_again(asked: Asked) -> None:
    case_id = await asked.case(complaint("other.incivility"))
    await asked.decide(case_id, NO_ACTION, 1)
    (first,) = next(iter(await asked.referral.partition()))
    second = uuid4()
    feed = asked.referral.feed
    await asked.referral.receive(feed.pattern(uuid4(), [first, second]), feed.recorded(complaint(), second))
    _, shown = await asked("GET", f"/v1/cases/{case_id}")
    assert shown["status"] == "open"
    assert "REFER_AGAIN" in {c["code"] for c in shown["criteria"]}
    assert shown["deadline"]["rule"] == "mandatory_referral"
    await asked.referral.check()


async def test_a_complaint_that_joins_a_referred_case_is_to_be_referred_again(asked: Asked) -> None:
    case_id = await asked.case(complaint("hate.racist", incident={"force": "kent"}))
    (first,) = next(iter(await asked.referral.partition()))
    await asked.decide(case_id, REFER, 1)
    second = uuid4()
    feed = asked.referral.feed
    await asked.referral.receive(
        feed.recorded(complaint("other.incivility"), second), feed.incident(uuid4(), [first, second])
    )
    _, shown = await asked("GET", f"/v1/cases/{case_id}")
    assert (shown["status"], len(shown["complaints"]), len(shown["referrals"])) == ("open", 2, 1)
    assert {c["code"] for c in shown["criteria"]} >= {"DISCRIMINATION", "SAME_INCIDENT", "REFER_AGAIN"}


async def test_a_follow_up_opens_a_closed_case_again(asked: Asked) -> None:
    case_id = await asked.case(complaint("other.incivility"))
    (first,) = next(iter(await asked.referral.partition()))
    await asked.decide(case_id, NO_ACTION, 1)
    await asked.referral.receive(asked.referral.feed.followed_up(first, "It was worse."))
    assert (await asked("GET", f"/v1/cases/{case_id}"))[1]["status"] == "open"


async def test_a_stale_decision_is_refused_with_the_version(asked: Asked) -> None:
    case_id = await asked.case(complaint("other.incivility"))
    await asked.decide(case_id, NO_ACTION, 1)
    status, problem = await asked.decide(case_id, REFER, 1)
    assert (status, problem["version"]) == (409, 2)


async def test_a_decision_on_a_merged_case_names_the_survivor(asked: Asked) -> None:
    one = await asked.case(complaint("hate.racist"))
    two = await asked.case(complaint("hate.racist"))
    ids = [complaint_id for together in await asked.referral.partition() for complaint_id in together]
    await asked.referral.receive(asked.referral.feed.incident(uuid4(), ids))
    survivor = await asked.referral.case_of(ids[0])
    merged = two if survivor == one else one
    status, problem = await asked.decide(merged, REFER, 2)
    assert (status, problem["case_id"]) == (409, str(survivor))
    _, shown = await asked("GET", f"/v1/cases/{merged}")
    assert (shown["status"], shown["merged_into"]) == ("merged", str(survivor))
    _, shown = await asked("GET", f"/v1/cases/{survivor}")
    assert (shown["merged_cases"], len(shown["complaints"])) == ([str(merged)], 2)
    _, page = await asked("GET", "/v1/cases")
    assert [item["case_id"] for item in page["items"]] == [str(survivor)]


@pytest.mark.parametrize(
    ("decision", "field"),
    [
        ({"reason": "x"}, "outcome"),
        ({"outcome": "refer", "reason_code": "x"}, "reason"),
        ({"outcome": "refer", "reason_code": "x", "reason": "x", "recipient": "nobody"}, "recipient"),
        ({"outcome": "refer", "reason_code": "x", "reason": "x"} | {"dispositions": []}, "dispositions"),
        ({"outcome": "acquit", "reason_code": "x", "reason": "x"}, "outcome"),
        ({"outcome": "refer", "reason_code": "No!", "reason": "x"}, "reason_code"),
        ({**REFER, "more": 1}, "more"),
    ],
)
async def test_a_wrong_field_is_named(asked: Asked, decision: dict[str, Any], field: str) -> None:
    case_id = await asked.case(complaint("hate.racist"))
    status, problem = await asked.decide(case_id, decision, 1)
    assert status == 422
    assert field in [error["field"] for error in problem["errors"]]


async def test_a_decision_for_each_allegation(asked: Asked) -> None:
    body = complaint("hate.racist", "other.incivility", incident={"force": "kent"})
    case_id = await asked.case(body)
    (told,) = next(iter(await asked.referral.partition()))

    def made(*outcomes: tuple[Any, str]) -> dict[str, Any]:
        return {
            "reason": "Seen.",
            "dispositions": [
                {"complaint_id": str(told), "allegation": number, "outcome": outcome, "reason_code": "seen"}
                for number, outcome in outcomes
            ],
        }

    for wrong, field in (
        (made((0, "refer")), "dispositions"),
        (made((0, "refer"), (0, "refer"), (1, "refer")), "dispositions.1.allegation"),
        (made((0, "refer"), (2, "refer")), "dispositions.1.allegation"),
    ):
        status, problem = await asked.decide(case_id, wrong, 1)
        assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])
    status, changed = await asked.decide(case_id, made((0, "refer"), (1, "signpost")), 1)
    assert (status, changed["status"]) == (200, "decided")  # an end without referral, in a case with a MUST
    status, changed = await asked.approve(case_id, "berta")
    assert (status, changed["status"], len(changed["referral_ids"])) == (200, "referred", 1)


async def test_a_decision_names_the_version_it_was_made_on(asked: Asked) -> None:
    case_id = await asked.case(complaint())
    for version in (None, "x", ""):
        status, problem = await asked.decide(case_id, REFER, version)
        assert status == 422
        assert [error["field"] for error in problem["errors"]] == ["If-Match"]


HOLDER = {"force": "kent", "name": "David Carrick", "collar_number": "1234AB", "unit": "roads policing"}


@pytest.mark.parametrize(
    "subject",
    [
        {"name": "PC Carrick", "force": "kent"},
        {"collar_number": "1234", "force": "kent"},
        {"name": "Jane Doe", "unit": "Roads Policing Unit", "force": "kent"},
        {"name": "DC"},
        {"name": "Dave Carrick", "force": "essex"},
    ],
)
async def test_who_may_be_a_subject_does_not_learn_of_the_case(asked: Asked, subject: dict[str, str]) -> None:
    hidden = await asked.case(complaint("hate.racist", subjects=[subject]))
    shown = await asked.case(complaint(subjects=[{"name": "Ann Other", "force": "kent"}]))
    for order in ("priority", "due_on"):
        _, page = await asked("GET", f"/v1/cases?order={order}", holder=HOLDER)
        assert [item["case_id"] for item in page["items"]] == [str(shown)]
    none = await asked("GET", f"/v1/cases/{uuid4()}", holder=HOLDER)
    assert none[0] == 404
    assert await asked("GET", f"/v1/cases/{hidden}", holder=HOLDER) == none
    assert await asked.decide(hidden, REFER, 1, holder=HOLDER) == none
    _, counted = await asked("GET", "/v1/statistics", "auditor", holder=HOLDER)
    assert (counted["cases"]["total"], counted["complaints"]) == (1, 1)
    assert (await asked("GET", f"/v1/cases/{hidden}"))[0] == 200


async def test_new_material_hides_a_case_from_who_is_named_in_it(asked: Asked) -> None:
    case_id = await asked.case(complaint(subjects=[{"name": "Ann Other", "force": "kent"}]))
    (first,) = next(iter(await asked.referral.partition()))
    assert len((await asked("GET", "/v1/cases", holder=HOLDER))[1]["items"]) == 1
    second, feed = uuid4(), asked.referral.feed
    named = complaint(subjects=[{"name": "Carrick", "force": "kent"}])
    await asked.referral.receive(feed.recorded(named, second), feed.incident(uuid4(), [first, second]))
    assert (await asked("GET", "/v1/cases", holder=HOLDER))[1]["items"] == []
    assert (await asked("GET", f"/v1/cases/{case_id}", holder=HOLDER))[0] == 404


async def test_the_numbers(asked: Asked) -> None:
    feed = asked.referral.feed
    feed.day = today()
    await asked.referral.receive(feed.contact(5))
    referred = await asked.case(complaint("hate.racist", incident={"force": "kent"}))
    await asked.case(complaint("other.incivility", incident={"force": "kent"}))
    await asked.case(complaint("other.incivility"))
    ids = [complaint_id for together in await asked.referral.partition() for complaint_id in together]
    await asked.referral.receive(feed.pattern(uuid4(), ids[:2]))
    await asked.decide(referred, REFER, 1)
    status, counted = await asked("GET", "/v1/statistics", "auditor")
    assert status == 200
    assert counted.pop("time_in_step").keys() == {"decided", "open"}
    assert counted == {
        "contacts": 8,
        "complaints": 3,
        "incidents": 3,
        "patterns": 1,
        "cases": {"total": 3, "by_status": {"open": 2, "referred": 1}},
        "referred": {
            "total": 1,
            "by_criterion": {"DISCRIMINATION": 1, "VETTING": 1},
            "by_recipient": {"professional_standards:kent": 1},
        },
        "deadlines": {"met": 2, "missed": 0},
    }
    _, of_kent = await asked("GET", "/v1/statistics?force=kent", "auditor")
    assert (of_kent["contacts"], of_kent["complaints"], of_kent["cases"]["total"]) == (2, 2, 2)
    yesterday = today() - timedelta(days=1)
    _, before = await asked("GET", f"/v1/statistics?as_of={yesterday}", "auditor")
    assert (before["contacts"], before["cases"]["total"], before["incidents"]) == (0, 0, 0)
    assert (await asked("GET", f"/v1/statistics?from={today()}&to={yesterday}", "auditor"))[0] == 422
    readings = [e for e in await asked.referral.store.read_log(0) if e.type == "statistics.read"]
    assert len(readings) == 3


async def test_the_rules_in_force_are_told_to_everybody_with_a_role(asked: Asked) -> None:
    for role in ("operator", "recipient", "call_handler"):
        status, policy = await asked("GET", "/v1/policy", role)
        assert status == 200
    assert {rule["code"] for rule in policy["criteria"]} >= {"DSI", "CALL_IN", "VETTING"}
    assert all(rule["source"] and rule["duty"] for rule in policy["criteria"])


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("GET", "/v1/cases", {"assessor", "approver"}),
        ("GET", f"/v1/cases/{UUID(int=1)}", {"assessor", "approver"}),
        ("POST", f"/v1/cases/{UUID(int=1)}/decision", {"assessor"}),
        ("POST", f"/v1/cases/{UUID(int=1)}/approval", {"approver"}),
        ("GET", "/v1/statistics", {"auditor"}),
    ],
)
async def test_other_roles_are_refused(asked: Asked, method: str, path: str, roles: set[str]) -> None:
    for role in ("assessor", "approver", "auditor", "operator", "recipient", "match_reviewer"):
        status, _ = await asked(method, path, role, json={}, version=1)
        assert (status == 403) == (role not in roles)
