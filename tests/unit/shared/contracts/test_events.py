"""The registry of events: everything that the contract names, clear what it lists, sealed the rest."""

import json
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.complaint_events import ComplaintRecorded
from shared.contracts.envelope import CloudEvent
from shared.contracts.events import COMPLAINT_ERASED, COMPLAINT_RECORDED, EVENTS, PATTERN_CHANGED

CASE = {"case_id", "complaint_ids", "status"}
REFERRAL = {"referral_id", "case_id"}
SUBJECT = {"complaint_id", "subject"}
CLEAR = {
    "complaint.recorded": {"complaint_id", "key_id"},
    "complaint.followed_up": {"complaint_id", "key_id"},
    "complaint.erased": {"complaint_id", "reason_code"},
    "contact.closed": {"channel", "disposition", "count"},
    "incident.changed": {
        *("incident_id", "members", "members_url", "added", "removed", "count", "sources_min", "sources_max"),
        *("merged_into", "split_from", "weakest_probability"),
    },
    "pattern.changed": {
        *("pattern_id", "members", "members_url", "added", "removed", "complaints", "incidents"),
        *("sources_min", "sources_max", "crossed", "released"),
    },
    "case.opened": CASE,
    "case.assessed": CASE,
    "case.decided": CASE,
    "case.approved": CASE,
    "case.referred": CASE,
    "case.deadline_missed": CASE,
    "case.outcome_recorded": CASE,
    "case.reopened": CASE,
    "case.merged": CASE,
    "case.split": CASE,
    "referral.dispatched": REFERRAL,
    "referral.acknowledged": REFERRAL,
    "referral.question_asked": REFERRAL,
    "referral.corrected": REFERRAL,
    "referral.withdrawn": REFERRAL,
    "subject.identified": SUBJECT,
    "subject.excluded": SUBJECT,
}
NOTHING_SEALED = {"complaint.erased", "contact.closed", "incident.changed", "pattern.changed"}

COMPLAINT = "0f4f1c2e-8a55-4c53-9d1f-0a4b0c6d7e8f"
ENVELOPE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "3a9a1f4e-31a0-4a63-8a55-6d6a3b1b2c3d",
    "source": "/hotline/intake",
    "type": "hotline.complaint.recorded.v1",
    "subject": f"complaint-{COMPLAINT}",
    "time": "2026-11-23T00:00:00Z",
    "datacontenttype": "application/json",
    "dataschema": "urn:hotline:hotline.complaint.recorded.v1",
    "partitionkey": f"complaint-{COMPLAINT}",
    "sequence": "1234",
    "slot": 17,
    "slotsequence": 5,
    "streamversion": 1,
    "correlationid": "c",
    "causationid": "c",
    "data": {
        "clear": {"complaint_id": COMPLAINT, "key_id": "k"},
        "sealed": {
            "protected": "eyJlbmMiOiJBMjU2R0NNIn0",
            "aad": "M2E5YQ",
            "recipients": [{"header": {"alg": "A256KW", "kid": "dedup-1"}, "encrypted_key": "AA"}],
            "iv": "AA",
            "ciphertext": "AA",
            "tag": "AA",
        },
    },
}


def envelope(**changes: object) -> CloudEvent:
    return CloudEvent.model_validate_json(json.dumps(ENVELOPE | changes))


def test_every_event_of_the_contract_is_there_and_no_other() -> None:
    assert set(EVENTS) == {f"hotline.{name}.v1" for name in CLEAR}


@pytest.mark.parametrize("name", CLEAR)
def test_what_is_clear_is_what_the_contract_lists(name: str) -> None:
    event = EVENTS[f"hotline.{name}.v1"]
    assert set(event.clear.model_fields) == CLEAR[name]
    assert (event.sealed is None) == (name in NOTHING_SEALED)
    assert event.dataschema == f"urn:hotline:hotline.{name}.v1"


def test_an_envelope_is_read_and_written_as_the_contract_shows_it() -> None:
    assert json.loads(envelope().model_dump_json(exclude_unset=True)) == ENVELOPE


def test_what_was_erased_has_nothing_sealed() -> None:
    erased = envelope(data={"clear": {}, "sealed": None, "erased": True})
    assert erased.data.sealed is None
    with pytest.raises(ValidationError, match="an erased event has nothing sealed"):
        envelope(data=ENVELOPE["data"] | {"erased": True})


@pytest.mark.parametrize(
    "changes",
    [
        {"time": "2026-11-23T14:05:00Z"},
        {"time": "2026-11-23"},
        {"slot": 240},
        {"slotsequence": 0},
        {"sequence": 1234},
        {"sequence": "0"},
        {"source": "/somewhere/else"},
        {"type": "other.thing"},
        {"dataschema": "urn:hotline:hotline.complaint.erased.v1"},
        {"partitionkey": f"complaint-{'0' * 36}"},
        {"subject": "complaint"},
    ],
)
def test_an_envelope_that_breaks_the_contract_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        envelope(**changes)


def test_a_reader_ignores_what_a_newer_writer_added_and_a_writer_cannot_add_it() -> None:
    clear = {"complaint_id": COMPLAINT, "key_id": "k", "colour": "red"}
    assert COMPLAINT_RECORDED.read_clear(clear).complaint_id == UUID(COMPLAINT)
    with pytest.raises(ValidationError):
        COMPLAINT_RECORDED.clear.model_validate_json(json.dumps(clear))
    sealed = {
        "body": {
            "channel": "web",
            "narrative": "x",
            "mood": "y",
            "subjects": [{"name": "PC X", "hair": "z"}],
        },
        "source_group": "g",
        "weather": "w",
    }
    assert COMPLAINT_RECORDED.read_sealed(json.dumps(sealed).encode()).body.subjects[0].name == "PC X"


def test_a_recorded_complaint_goes_through_json_unchanged() -> None:
    body = SanitisedComplaint.model_validate_json(
        '{"channel": "web", "narrative": "x", "incident": {"from": "2020-01-02"}}'
    )
    recorded = ComplaintRecorded(body=body, source_group="g")
    assert COMPLAINT_RECORDED.read_sealed(recorded.model_dump_json().encode()) == recorded
    assert '"from":"2020-01-02"' in recorded.model_dump_json()


def test_an_event_without_sealed_part_has_none_to_read() -> None:
    with pytest.raises(LookupError, match=r"complaint\.erased"):
        COMPLAINT_ERASED.read_sealed(b"{}")


def test_more_members_than_an_event_may_hold_are_refused() -> None:
    member = {"complaint_id": COMPLAINT, "subject": 0}
    counts = {"complaints": 1, "incidents": 1, "sources_min": 1, "sources_max": 1, "pattern_id": COMPLAINT}
    assert PATTERN_CHANGED.read_clear({**counts, "members": [member] * 500}).members is not None
    with pytest.raises(ValidationError):
        PATTERN_CHANGED.read_clear({**counts, "members": [member] * 501})
