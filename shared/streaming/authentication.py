"""The authenticity of events: signed by their owner for each follower, checked wherever one is read.

Anybody who reaches the broker may write records. So each event carries signatures (`shared.sealing.jws`):

- `data.authentication`, `{kid: JWS}`, one for each entitled follower under the kid of its transport key, of
  the event's canonical form: all of it but `data.authentication`, as RFC 8785 (JCS) has it. The key is
  derived from the transport key for this source and kid: no record of another source passes for this one's.
- `data.proof`, a JWS of the owner for itself, with a key of its keyed-hash ring, which no follower has. It
  alone is evidence that the owner has published an event, for a follower could make the others itself.
  Followers keep it with the event and give it back. It survives that they wrap the payload's key anew, and
  that they erase the payload: it covers the payload by a digest in its header.

A record that is not authentic is a record without a readable envelope. Keys rotate as the rings do: what was
signed under a key that is no longer in the ring is not authentic any more.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from operator import itemgetter
from typing import Any

import orjson

from shared.sealing.jwe import decode
from shared.sealing.jws import SigningKey, derived_key, encoded, protected_header
from shared.sealing.keys import KeyRing, ServiceKeys
from shared.streaming.cloudevents import (
    AUTHENTICATION,
    PROOF,
    Envelope,
    UnreadableEnvelope,
    loaded,
    parse,
    source_path,
)
from shared.streaming.handling import SurroundingsFault

Event = Mapping[str, Any]

_FOR_FOLLOWERS = "hotline event authentication"
_FOR_OWNER = "hotline event evidence"
_attributes = itemgetter(
    "source", "id", "type", "subject", "time", "slot", "slotsequence", "sequence", "streamversion",
    "correlationid", "causationid",
)  # fmt: skip
"""The attributes that a log gets back from an event."""


class NotAuthentic(UnreadableEnvelope):
    """A record that its source has not signed for us, or that is not as it was signed."""


def canonical(event: Event) -> bytes:
    """The event in the canonical form of RFC 8785, given that it has no `data.authentication`.

    That is what orjson writes with sorted keys, for all keys are ASCII and integers stay below 2^53; other
    numbers stand directly in `data.clear` alone, and get their form here.
    """
    data = event["data"]
    clear = data["clear"]
    if float in map(type, clear.values()):
        clear = {name: _number(value) if type(value) is float else value for name, value in clear.items()}
        event = {**event, "data": {**data, "clear": clear}}
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def _number(value: float) -> orjson.Fragment:
    """As ECMAScript writes a number."""
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return orjson.Fragment(f"{Decimal(repr(value + 0.0)):f}".removesuffix(".0"))  # -0 is 0
    return orjson.Fragment(repr(value).replace("e-0", "e-"))


class Signer:
    """Signs the events of one service, for its followers and for itself.

    Args:
        followers: kid -> transport key of each entitled follower.
        ring: the service's own keyed-hash ring.
    """

    def __init__(self, service: str, followers: Mapping[str, bytes], ring: KeyRing) -> None:
        self._followers = [(kid, _follower_key(service, kid, key)) for kid, key in followers.items()]
        self._kid = ring.current
        self._own = _owner_key(service, ring.current, ring.current_key)

    def signed(self, event: Event) -> dict[str, Any]:
        """The event with its `data.proof` and `data.authentication`."""
        data, header = event["data"], None
        if data["sealed"] is not None:
            header = protected_header(self._kid, sealed=_digest(data["sealed"]))
        elif data.get("erased"):
            header = protected_header(self._kid, erased=True)
        signed = {**event, "data": {**data, PROOF: self._own.signature(_proved(event), header)}}
        payload = encoded(canonical(signed))
        signed["data"][AUTHENTICATION] = {kid: key.signature(payload) for kid, key in self._followers}
        return signed


class FollowedEvents:
    """Reads what another service has published for us, wherever it comes from.

    Args:
        keys: kid -> transport key; those that we share with the source.
    """

    def __init__(self, source: str, keys: Mapping[str, bytes]) -> None:
        self.source, self._path = source, source_path(source)
        self._keys = [(kid, _follower_key(source, kid, key)) for kid, key in keys.items()]

    def read(self, record: bytes | Event) -> Envelope:
        """
        Raises:
            NotAuthentic: the source has not signed it for us, or it is not as it was signed; no more is known
                of it then.
            UnreadableEnvelope: authentic, and of a form that we do not know.
        """
        event = loaded(record)
        if not self._is_authentic(event):
            raise NotAuthentic(_why_not(event, self.source))
        return parse(event)

    def read_served(self, item: Event) -> Envelope:
        """One that the source itself has served.

        Raises:
            SurroundingsFault: not authentic. Its source has another key, is of a version that signs nothing,
                or is somebody else: that tells nothing of what it has, and may change.
            UnreadableEnvelope: as `read`.
        """
        try:
            return self.read(item)
        except NotAuthentic as fault:
            raise SurroundingsFault(f"{self.source} serves what is not authentic: {fault}") from fault

    def _is_authentic(self, event: Event) -> bool:
        try:
            rest = dict(event["data"])
            signatures = rest.pop(AUTHENTICATION)
            payload = encoded(canonical({**event, "data": rest}))
            return event["source"] == self._path and any(
                key.has_signed(payload, signatures[kid]) for kid, key in self._keys if kid in signatures
            )
        except (LookupError, TypeError, ValueError, AttributeError):  # not even of that form
            return False


class OwnEvents:
    """Reads what a service has published itself, when others show it: its evidence of a lost tail."""

    def __init__(self, service: str, keys: ServiceKeys) -> None:
        self.service = service
        self._keys = {kid: _owner_key(service, kid, key) for kid, key in keys.hmac.keys.items()}

    def read(self, record: bytes | Event) -> Envelope:
        """One without its payload, which a follower has erased, is read as erased. Whether a payload opens is
        not proved: its content is, and not how its key is wrapped, for each holder wraps it anew.

        Raises:
            NotAuthentic: this service has not published it, or it is not as it was published.
            UnreadableEnvelope: no event at all.
        """
        event = loaded(record)
        envelope = parse(event)
        if envelope.source != self.service:
            raise NotAuthentic("of another source")
        try:
            header = self._header(event, envelope)
            if envelope.sealed is None:
                return replace(envelope, erased="sealed" in header or "erased" in header)
            if header.get("sealed") == _digest(envelope.sealed):
                return replace(envelope, erased=False)
        except (LookupError, TypeError, ValueError, AttributeError):
            pass
        raise NotAuthentic("not authentic")

    def _header(self, event: Event, envelope: Envelope) -> Mapping[str, Any]:
        """The header of the proof.

        Raises:
            LookupError, TypeError, ValueError: it is none of ours.
        """
        encoded_header = envelope.proof.partition(".")[0]
        header: Mapping[str, Any] = orjson.loads(decode(encoded_header))
        if not self._keys[header["kid"]].has_signed(_proved(event), envelope.proof, encoded_header.encode()):
            raise ValueError
        return header


def _follower_key(source: str, kid: str, key: bytes) -> SigningKey:
    signing = derived_key(key, f"{_FOR_FOLLOWERS}:{source_path(source)}:{kid}")
    return SigningKey(signing, protected_header(kid))


def _owner_key(source: str, kid: str, key: bytes) -> SigningKey:
    signing = derived_key(key, f"{_FOR_OWNER}:{source_path(source)}:{kid}")
    return SigningKey(signing, protected_header(kid))


def _proved(event: Event) -> bytes:
    return encoded(canonical({"event": _attributes(event), "data": {"clear": event["data"]["clear"]}}))


def _digest(sealed: Event) -> str:
    """Of all of a payload but its recipients."""
    parts = (sealed["protected"], sealed["aad"], sealed["iv"], sealed["ciphertext"], sealed["tag"])
    return encoded(sha256(".".join(parts).encode()).digest()).decode()


def _why_not(event: Event, source: str) -> str:
    """Why a record that is not authentic is none; never its content."""
    try:
        envelope = parse(event)
    except UnreadableEnvelope as fault:
        return str(fault)
    return "not authentic" if envelope.source == source else "of another source"
