"""Events as they travel: what is published is read back, and nothing else is."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import CloudEvent
from shared.sealing.jwe import open_sealed, seal
from shared.store.events import SLOTS, RecordedEvent, stream_id
from shared.streaming.cloudevents import Envelope, UnreadableEnvelope, document, parse, publish, serialise

KEY, FOLLOWER_KEY = bytes(range(32)), bytes(range(32, 64))
NUMBERS = st.integers(1, 2**63 - 1)
WORDS = st.from_regex(r"[a-z]{1,8}(_[a-z]{1,8}){0,2}", fullmatch=True)
CLEAR: st.SearchStrategy[Any] = st.dictionaries(
    st.text(max_size=10),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    event_id, erased = draw(st.uuids()), draw(st.booleans())
    has_seal = draw(st.booleans()) and not erased
    return Envelope(
        source=draw(st.sampled_from(["intake", "dedup", "referral"])),
        id=event_id,
        type=f"{draw(WORDS)}.{draw(WORDS)}",
        schema_version=draw(st.integers(1, 999)),
        subject=stream_id(draw(WORDS), draw(st.uuids())),
        day=draw(st.dates(min_value=date(1900, 1, 1))).isoformat(),
        slot=draw(st.integers(0, SLOTS - 1)),
        slot_sequence=draw(NUMBERS),
        position=draw(NUMBERS),
        version=draw(NUMBERS),
        correlation_id=draw(st.text(max_size=20)),
        causation_id=draw(st.text(max_size=20)),
        clear=draw(CLEAR),
        sealed=seal(b"{}", event_id, {"dedup-1": KEY}) if has_seal else None,
        erased=erased,
    )


@given(envelopes())
def test_what_is_written_is_read_back(envelope: Envelope) -> None:
    assert parse(document(envelope)) == envelope
    assert parse(serialise(envelope).encode()) == envelope


@given(envelopes())
def test_the_contract_agrees_with_what_is_written(envelope: Envelope) -> None:
    """A follower that was given the contract alone reads what we publish, and finds the same in it."""
    read = CloudEvent.model_validate_json(serialise(envelope))
    assert (read.id, read.subject, read.slot, read.slotsequence, read.streamversion) == (
        envelope.id,
        envelope.subject,
        envelope.slot,
        envelope.slot_sequence,
        envelope.version,
    )
    assert read.type == f"hotline.{envelope.type}.v{envelope.schema_version}"
    assert (read.data.erased, read.data.sealed is None) == (envelope.erased, envelope.sealed is None)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text()
    | st.sampled_from(["1.0", "/hotline/intake", "hotline.complaint.recorded.v1", str(UUID(int=1))]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(["clear"]), inner, max_size=3)
    ),
    max_leaves=10,
)
GOOD = document(
    Envelope(
        "intake", UUID(int=1), "complaint.recorded", 1, str(stream_id("complaint", UUID(int=2))),
        "2026-11-23", 3, 4, 5, 6, "", "", {}, None,
    )
)  # fmt: skip


def read_or_refuse(record: Any) -> None:
    try:
        envelope = parse(record)
    except UnreadableEnvelope:
        return
    # Whatever was read can be kept: PostgreSQL takes its text and numbers, and it is read again.
    kept = serialise(envelope)
    assert parse(kept.encode()) == envelope
    assert "\0" not in envelope.subject + envelope.type + envelope.source + envelope.day
    assert len(envelope.subject) <= 100
    assert len(envelope.type) <= 250
    assert max(envelope.slot_sequence, envelope.version, envelope.position) < 2**63


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read_or_refused(record: bytes) -> None:
    read_or_refuse(record)


@given(JSON)
def test_any_json_is_read_or_refused(record: Any) -> None:
    read_or_refuse(record)
    read_or_refuse(
        orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS) if _fits(record) else b""
    )


@given(
    st.dictionaries(st.sampled_from(sorted(GOOD)), JSON, max_size=3), st.sets(st.sampled_from(sorted(GOOD)))
)
def test_an_envelope_with_anything_in_place_of_attributes_is_read_or_refused(
    changed: dict[str, Any], removed: set[str]
) -> None:
    read_or_refuse({name: value for name, value in {**GOOD, **changed}.items() if name not in removed})


def _fits(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("specversion", "0.3"),
        ("source", "/elsewhere/intake"),
        ("source", "/hotline/"),
        ("id", "not a uuid"),
        ("type", "hotline.complaint.recorded"),
        ("type", "hotline.complaint.recorded.v0"),
        ("type", "hotline.complaint.recorded.v\u0663"),
        ("type", "another.complaint.recorded.v1"),
        ("subject", "complaint"),
        ("subject", None),
        ("time", "2026-11-23T13:45:00Z"),
        ("slot", SLOTS),
        ("slot", -1),
        ("slot", True),
        ("slot", "3"),
        ("slotsequence", 0),
        ("slotsequence", 2**63),
        ("sequence", 5),
        ("sequence", "05"),
        ("sequence", " 5 "),
        ("sequence", "\u0665"),
        ("streamversion", 0.5),
        ("data", []),
        ("data", {"clear": {}}),
        ("data", {"clear": [], "sealed": None}),
        ("data", {"clear": {}, "sealed": "text"}),
    ],
)
def test_what_no_service_of_ours_writes_is_refused(attribute: str, value: Any) -> None:
    with pytest.raises(UnreadableEnvelope):
        parse({**GOOD, attribute: value})


def test_attributes_of_later_versions_are_passed_over() -> None:
    assert parse({**GOOD, "newer": 1}) == parse(GOOD)


def test_absent_and_null_causes_are_the_same() -> None:
    without = {name: value for name, value in GOOD.items() if name != "causationid"}
    assert parse(without) == parse({**GOOD, "causationid": None}) == parse(GOOD)


def recorded(sealed: dict[str, Any] | None, event_id: UUID) -> RecordedEvent:
    subject = stream_id("complaint", UUID(int=2))
    return RecordedEvent(
        5, subject, 6, event_id, "complaint.recorded", 1, 3, 4, {"clear": {"a": 1}, "sealed": sealed}, "why",
        "cause", date(2026, 11, 23),
    )  # fmt: skip


def test_what_is_published_opens_with_the_followers_key_alone() -> None:
    event_id = uuid4()
    event = recorded(seal(b'{"told":1}', event_id, {"own": KEY}), event_id)
    read = parse(publish(event, "intake", {"own": KEY}, {"dedup-1": FOLLOWER_KEY}))
    assert read.sealed is not None
    assert open_sealed(read.sealed, {"dedup-1": FOLLOWER_KEY}, event_id) == b'{"told":1}'
    assert [recipient["header"]["kid"] for recipient in read.sealed["recipients"]] == ["dedup-1"]
    assert not read.erased


def test_what_has_no_key_any_more_is_published_as_erased() -> None:
    event_id = uuid4()
    event = recorded(seal(b"{}", event_id, {"own": KEY}), event_id)
    published = publish(event, "intake", {}, {"dedup-1": FOLLOWER_KEY})
    assert published["data"] == {"clear": {"a": 1}, "sealed": None, "erased": True}
    assert parse(published).erased


def test_what_was_never_sealed_is_not_erased() -> None:
    assert not parse(publish(recorded(None, uuid4()), "intake", {}, {})).erased
