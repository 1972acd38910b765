"""What is not as its source has signed it is read by nobody, and any JOSE library tells."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import uuid4

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import OctKey
from jwcrypto.common import base64url_encode
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS, InvalidJWSSignature
from pydantic import BaseModel

from deploy.local.keys import service_keys
from shared.contracts.envelope import CloudEvent
from shared.contracts.events import EVENTS
from shared.sealing.jwe import encode, rewrap, seal
from shared.sealing.jws import derived_key
from shared.sealing.keys import KeyRing, ServiceKeys
from shared.store.events import RecordedEvent, stream_id
from shared.streaming.authentication import FollowedEvents, NotAuthentic, OwnEvents, Signer, canonical
from shared.streaming.cloudevents import UnreadableEnvelope, document, parse, publish

_FILES = service_keys()
INTAKE, DEDUP, REFERRAL = (ServiceKeys.model_validate(_FILES[name]) for name in _FILES)
_HMAC = _FILES["intake"]["hmac"]["keys"]
KEY = DATA_KEY = bytes(range(32))

SIGNER = Signer("intake", INTAKE.follower_keys, INTAKE.hmac)
AT_DEDUP = FollowedEvents("intake", DEDUP.sources["intake"])
AT_REFERRAL = FollowedEvents("intake", REFERRAL.sources["intake"])
AT_INTAKE = OwnEvents("intake", INTAKE)


def event(
    clear: Mapping[str, Any] | None = None, plain: bytes | None = b'{"told":1}', *, is_erased: bool = False
) -> dict[str, Any]:
    """Not signed yet."""
    event_id = uuid4()
    sealed = None if plain is None else seal(plain, event_id, {"own": DATA_KEY})
    logged = RecordedEvent(
        5, stream_id("complaint", uuid4()), 6, event_id, "complaint.recorded", 1, 3, 4,
        {"clear": clear or {"a": 1}, "sealed": sealed}, "why", "cause", date(2026, 11, 23),
    )  # fmt: skip
    return publish(logged, "intake", {} if is_erased else {"own": DATA_KEY}, INTAKE.follower_keys)


def published(*arguments: Any, **options: Any) -> dict[str, Any]:
    return SIGNER.signed(event(*arguments, **options))


def without_signatures(record: Mapping[str, Any]) -> dict[str, Any]:
    """Also of what was changed into something else."""
    if not isinstance(record.get("data"), dict):
        return dict(record)
    data = {name: value for name, value in record["data"].items() if name != "authentication"}
    return {**record, "data": data}


def without_proof(record: Mapping[str, Any]) -> dict[str, Any]:
    return {**record, "data": {name: value for name, value in record["data"].items() if name != "proof"}}


def is_read(events: FollowedEvents | OwnEvents, record: Any) -> bool:
    try:
        events.read(record)
    except UnreadableEnvelope:
        return False
    return True


# Read


def test_each_follower_reads_what_was_signed_for_it() -> None:
    record = published()
    for events in (AT_DEDUP, AT_REFERRAL):
        read = events.read(orjson.dumps(record))
        assert read == events.read(record) == parse(record)
        assert read.proof == record["data"]["proof"]
    assert CloudEvent.model_validate_json(orjson.dumps(record)).data.authentication is not None


def test_what_an_attacker_without_keys_writes_is_read_by_nobody() -> None:
    record = published()
    for forged in (
        without_signatures(record),
        {**record, "data": {**record["data"], "authentication": {}}},
        {**record, "data": {**record["data"], "authentication": {"dedup-1": "e30..AAAA"}}},
        {**record, "data": {**record["data"], "authentication": None}},
        {**record, "data": {**record["data"], "authentication": {"dedup-1": None}, "proof": None}},
        {**record, "data": {**record["data"], "sealed": None, "erased": True}},
    ):
        assert not any(is_read(events, forged) for events in (AT_DEDUP, AT_REFERRAL))
        assert not is_read(AT_INTAKE, without_proof(forged))


def test_one_followers_signature_is_none_for_another() -> None:
    record = published()
    signatures = record["data"]["authentication"]
    swapped = {"dedup-1": signatures["referral-1"], "referral-1": signatures["dedup-1"]}
    forged = {**record, "data": {**record["data"], "authentication": swapped, "proof": signatures["dedup-1"]}}
    assert not any(is_read(events, forged) for events in (AT_DEDUP, AT_REFERRAL, AT_INTAKE))


def test_a_record_of_another_source_passes_for_none_of_this_one_though_they_share_a_key() -> None:
    """Operators may have given two pairs one key: the signing key is the source's all the same."""
    transport = {"dedup-1": bytes(32)}
    forged = Signer("referral", transport, REFERRAL.hmac).signed(event())
    assert not is_read(FollowedEvents("intake", transport), forged)
    with pytest.raises(NotAuthentic, match="of another source"):
        FollowedEvents("intake", transport).read({**forged, "source": "/hotline/referral"})


def test_a_payload_under_another_subject_is_refused() -> None:
    record, other = published(), published()
    assert not is_read(AT_DEDUP, {**record, "subject": other["subject"], "partitionkey": other["subject"]})
    moved = {**other["data"], "sealed": record["data"]["sealed"]}
    assert not is_read(AT_DEDUP, {**other, "id": record["id"], "data": moved})


def test_of_what_others_add_to_the_signatures_nothing_is_kept() -> None:
    """They are the one part that is not signed; the owner's own is."""
    record = published()
    signatures = {**record["data"]["authentication"], "\0": ["\0"], "intake-hmac-1": "e30..AAAA"}
    added = {**record, "data": {**record["data"], "authentication": signatures}}
    assert AT_DEDUP.read(added) == AT_DEDUP.read(record)
    for proof in ({}, {"proof": None}, {"proof": "e30..AAAA"}):
        data = {name: value for name, value in record["data"].items() if name != "proof"}
        assert not is_read(AT_DEDUP, {**record, "data": {**data, **proof}})


def test_keys_rotate_with_an_overlap() -> None:
    older, newer = {"dedup-1": bytes(32)}, {"dedup-2": b"\1" * 32}
    before, after = (Signer("intake", ring, INTAKE.hmac).signed(event()) for ring in (older, newer))
    overlapping = FollowedEvents("intake", {**older, **newer})
    assert is_read(overlapping, before) and is_read(overlapping, after)
    assert not is_read(FollowedEvents("intake", newer), before)
    ring = KeyRing.model_validate({"current": "new", "keys": {"new": encode(b"\2" * 32), **_HMAC}})
    rotated = OwnEvents("intake", INTAKE.model_copy(update={"hmac": ring}))
    assert is_read(rotated, published())
    assert is_read(rotated, Signer("intake", INTAKE.follower_keys, ring).signed(event()))
    assert not is_read(AT_INTAKE, Signer("intake", INTAKE.follower_keys, ring).signed(event()))


def test_what_its_owner_really_has_in_a_form_that_we_do_not_know_is_authentic() -> None:
    later = SIGNER.signed({**event(), "specversion": "9"})
    with pytest.raises(UnreadableEnvelope) as refused:
        AT_DEDUP.read(later)
    assert not isinstance(refused.value, NotAuthentic)
    assert is_read(AT_DEDUP, SIGNER.signed({**event(), "newer": [1]}))


# Every change


SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
CHANGES = st.sampled_from(["change", "drop", "add", "nest"])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All keys and indices within the record, but for the signatures' own."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        if key != "authentication":
            yield (*path, key)
            if isinstance(inner, dict | list):
                yield from places(inner, (*path, key))


@given(st.data())
def test_whatever_is_changed_added_dropped_or_moved_is_noticed(data: st.DataObject) -> None:
    plain = data.draw(st.sampled_from([b'{"told":1}', None]))
    record = published({"a": 1, "b": ["x", {"c": None}], "p": 0.25}, plain)
    forged = orjson.loads(orjson.dumps(record))
    *path, last = data.draw(st.sampled_from(sorted(places(forged), key=repr)))
    holder = forged
    for key in path:
        holder = holder[key]
    match data.draw(CHANGES):
        case "change":
            holder[last] = data.draw(SCALARS)
        case "drop":
            del holder[last]
        case "add" if isinstance(holder, dict):
            holder[data.draw(st.text(max_size=5))] = data.draw(SCALARS)
        case _:
            holder[last] = [holder[last]]
    if not is_same(without_signatures(forged), without_signatures(record)):
        assert not is_read(AT_DEDUP, forged)
        assert not is_read(AT_REFERRAL, orjson.dumps(forged))


def is_same(one: Any, other: Any) -> bool:
    """As JSON: there, true is not 1, and 1.0 is."""
    try:
        return rfc8785.dumps(one) == rfc8785.dumps(other)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return False


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_of_any_json_nothing_is_read(record: Any) -> None:
    in_data = {**published(), "data": {"clear": {}, "sealed": None, "authentication": record}}
    for events in (AT_DEDUP, AT_INTAKE):
        assert not is_read(events, record if isinstance(record, dict) else {"data": record})
        assert not is_read(events, in_data)
        assert not is_read(events, {**in_data, "data": record})


# The canonical form, and what others make of it


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), inner, max_size=4)
            ),
            max_leaves=10,
        )
        | st.floats(allow_nan=False, allow_infinity=False),
        max_size=6,
    )
)
def test_the_canonical_form_is_that_of_rfc_8785(clear: dict[str, Any]) -> None:
    # Written and read again, as it comes to a follower.
    unsigned = event(clear)
    assert canonical(unsigned) == rfc8785.dumps(unsigned)
    assert canonical(orjson.loads(orjson.dumps(unsigned))) == rfc8785.dumps(unsigned)


def test_no_contract_has_anything_clear_that_would_be_written_otherwise() -> None:
    """Names are ASCII, and a number that is no integer stands directly in `clear`."""
    for type_ in EVENTS.values():
        for model in {type_.clear} | set(_inner_models(type_.clear)):
            for name, field in model.model_fields.items():
                assert (field.alias or name).isascii()
                is_nested = model is not type_.clear or len(list(_parts(field.annotation))) > 2
                assert not (is_nested and float in _parts(field.annotation)), f"{type_.name}: {name}"
                assert dict not in [get_origin(part) or part for part in _parts(field.annotation)]


def _parts(annotation: Any) -> Iterator[Any]:
    """The types within an annotation."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, type(int | None), tuple, list):
        for part in get_args(annotation):
            yield from _parts(part)
    else:
        yield annotation


def _inner_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for field in model.model_fields.values():
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield part
                yield from _inner_models(part)


@pytest.mark.parametrize(("kid", "keys"), [("dedup-1", DEDUP), ("referral-1", REFERRAL)])
def test_jwcrypto_and_joserfc_check_a_signature(kid: str, keys: ServiceKeys) -> None:
    record = published({"a": 1, "weakest_probability": 1.0})
    signature = record["data"]["authentication"][kid]
    payload = rfc8785.dumps(without_signatures(record))
    key = derived_key(keys.sources["intake"][kid], f"hotline event authentication:/hotline/intake:{kid}")

    checked = JWS()
    checked.deserialize(signature.replace("..", f".{base64url_encode(payload)}."))
    checked.verify(JWK(kty="oct", k=base64url_encode(key)))
    assert checked.payload == payload

    compact = joserfc_jws.deserialize_compact(signature, OctKey.import_key(key), payload=payload)
    assert compact.payload == payload
    assert compact.headers() == {"alg": "HS256", "kid": kid}

    with pytest.raises(InvalidJWSSignature):
        checked.verify(JWK(kty="oct", k=base64url_encode(bytes(32))))


# Evidence for the owner


def returned(record: Mapping[str, Any], *, is_erased: bool = False) -> dict[str, Any]:
    """As dedup gives it back: the payload's key wrapped anew, what was erased without it."""
    kept = AT_DEDUP.read(record)
    if is_erased:
        kept = replace(kept, sealed=None, erased=True)
    elif kept.sealed is not None:
        own = rewrap(kept.sealed, DEDUP.sources["intake"], {"dedup's own": bytes(32)})
        transport = DEDUP.sources["intake"]
        kept = replace(kept, sealed=rewrap(own, {"dedup's own": bytes(32)}, transport))
    kept = parse(orjson.dumps(document(kept)))  # as the inbox has it
    return document(kept)


@pytest.mark.parametrize("plain", [b'{"told":1}', None])
def test_the_owner_knows_its_own_event_again_that_a_follower_gives_back(plain: bytes | None) -> None:
    record = published({"a": 1, "weakest_probability": 1.0}, plain)
    shown = AT_INTAKE.read(returned(record))
    own = AT_INTAKE.read(record)
    assert replace(shown, sealed=None) == replace(own, sealed=None)
    assert (shown.sealed is None) == (plain is None)
    assert not shown.erased


def test_an_event_whose_payload_its_follower_erased_is_evidence_without_it() -> None:
    shown = AT_INTAKE.read(returned(published(), is_erased=True))
    assert (shown.sealed, shown.erased) == (None, True)


def test_a_follower_cannot_have_an_event_erased_that_has_no_payload() -> None:
    shown = AT_INTAKE.read(returned(published(plain=None), is_erased=True))
    assert not shown.erased


def test_what_was_published_as_erased_is_evidence_as_such() -> None:
    record = published(is_erased=True)
    assert AT_DEDUP.read(record).erased
    assert AT_INTAKE.read(returned(record)).erased


def test_a_follower_alone_makes_no_evidence() -> None:
    """It has all that dedup has: its transport keys, and every event that it was sent."""
    record, other = published(), published()
    forged = without_signatures({**record, "slotsequence": 999, "sequence": "5000"})
    for proof in (
        Signer("intake", DEDUP.sources["intake"], DEDUP.hmac).signed(forged)["data"]["proof"],
        Signer(
            "intake",
            DEDUP.sources["intake"],
            KeyRing.model_validate({"current": "intake-hmac-1", "keys": {"intake-hmac-1": encode(KEY)}}),
        ).signed(forged)["data"]["proof"],
        record["data"]["proof"],
        record["data"]["proof"].partition(".")[0] + "..",
        "",
    ):
        assert not is_read(AT_INTAKE, {**forged, "data": {**forged["data"], "proof": proof}})
    moved = {**record["data"], "sealed": other["data"]["sealed"]}
    assert not is_read(AT_INTAKE, {**record, "data": moved})


@given(st.data())
def test_whatever_of_its_evidence_is_changed_is_noticed(data: st.DataObject) -> None:
    record = published({"a": 1, "b": ["x", {"c": None}], "p": 0.25})
    forged = orjson.loads(orjson.dumps(record))
    proved = [
        path
        for path in places(forged)
        if path[0] not in {"specversion", "datacontenttype", "dataschema", "partitionkey"}
        and path[:3] != ("data", "sealed", "recipients")
        and path != ("data", "sealed")
    ]
    *path, last = data.draw(st.sampled_from(sorted(proved, key=repr)))
    holder = forged
    for key in path:
        holder = holder[key]
    holder[last] = data.draw(SCALARS)
    if not is_same(without_signatures(forged), without_signatures(record)):
        assert not is_read(AT_INTAKE, forged)


def test_what_a_version_published_that_did_not_sign_is_no_evidence() -> None:
    with pytest.raises(NotAuthentic):
        AT_INTAKE.read(event())
