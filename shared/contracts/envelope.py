"""The envelope of an event: CloudEvents 1.0, structured JSON mode, with our extension attributes.

What is clear is listed in the payload models; everything else travels in one JWE. `time` is a day, never
a time. A reader ignores attributes it does not know: ``CloudEvent.model_validate_json(raw, extra="ignore")``.
"""

from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.contract import Contract

MEDIA_TYPE: Final = "application/cloudevents+json"
SCHEMA_PREFIX: Final = "urn:hotline:"
SLOTS: Final = 240

Base64Url = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$")]
KeyId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
StreamId = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z]+(_[a-z]+)*-[0-9a-f-]{36}$")]
TypeName = Annotated[
    str,
    StringConstraints(max_length=100, pattern=r"^hotline\.[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\.v[1-9][0-9]*$"),
]
Positive = Annotated[int, Field(ge=1)]
DetachedJws = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$")]


class RecipientHeader(Contract):
    alg: Literal["A256KW"]
    kid: KeyId


class JweRecipient(Contract):
    """The content key, wrapped for one follower."""

    header: RecipientHeader
    encrypted_key: Base64Url


class Jwe(Contract):
    """RFC 7516 in general JSON form. `protected` is ``{"enc":"A256GCM"}``; `aad` is the event id."""

    protected: Literal["eyJlbmMiOiJBMjU2R0NNIn0"]
    aad: Base64Url
    recipients: Annotated[tuple[JweRecipient, ...], Field(min_length=1)]
    iv: Base64Url
    ciphertext: Base64Url
    tag: Base64Url


class EventData(Contract):
    """`clear` by allow-list, the rest sealed. Of what was erased nothing sealed is left.

    `authentication` has, by key id, signatures of the event's canonical form (RFC 8785) without this member:
    a follower believes no event that is not signed under its own key. `proof` is the owner's signature for
    itself: keep it with the event. Events of before there were signatures have neither.
    """

    clear: dict[str, Any]
    sealed: Jwe | None = None
    erased: bool = False
    proof: DetachedJws | None = None
    authentication: dict[KeyId, DetachedJws] | None = None

    @model_validator(mode="after")
    def _nothing_is_left_of_what_was_erased(self) -> Self:
        if self.erased and self.sealed is not None:
            raise ValueError("an erased event has nothing sealed")
        return self


class CloudEvent(Contract):
    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: Literal["/hotline/intake", "/hotline/dedup", "/hotline/referral"]
    type: TypeName
    subject: StreamId
    time: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00Z$")]
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    partitionkey: StreamId
    sequence: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,18}$")]
    slot: Annotated[int, Field(ge=0, lt=SLOTS)]
    slotsequence: Positive
    streamversion: Positive
    correlationid: str | None = None
    causationid: str | None = None
    data: EventData

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.dataschema != SCHEMA_PREFIX + self.type:
            raise ValueError("dataschema must name the type")
        if self.partitionkey != self.subject:
            raise ValueError("partitionkey must be the subject")
        return self
