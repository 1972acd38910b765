"""Recording a complaint: read, sanitised, sealed and appended; once, however often it is sent.

Nothing of a complaint is written before it is sanitised. A request that is repeated with the same key gets
the same answer, the receipt too, until the end of the next day; a line of an import for ever.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from services.intake.day_secrets import DaySecrets
from services.intake.domain.claims import (
    IDEMPOTENCY,
    IMPORT_LINE,
    RECEIPT,
    ReceiptClaim,
    RequestClaim,
)
from services.intake.domain.complaints import SanitisedTexts, sanitise_body, sanitise_complaint
from services.intake.domain.receipts import derive_receipt
from services.intake.shift import recorder_claim
from shared.contracts.admission import Admission
from shared.contracts.complaint import ComplaintBody, PreviewBody, read_complaint
from shared.contracts.complaint_events import ComplaintKey, ComplaintRecorded, RedactionCount
from shared.contracts.events import COMPLAINT_RECORDED
from shared.errors import Conflict, Unprocessable
from shared.sealing.events import sealed_event
from shared.sealing.keys import new_data_key
from shared.service import Context
from shared.store.events import stream_id
from shared.store.requests import AppendRequest, Claim, ClaimTaken
from shared.vocabulary import Vocabulary

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """A complaint that is kept now. `is_repeated`: it was already."""

    complaint_id: UUID
    receipt: str
    recorded_on: date
    redactions: tuple[RedactionCount, ...]
    is_repeated: bool


@dataclass(frozen=True, slots=True)
class RecordedLine:
    complaint_id: UUID
    is_repeated: bool


class Recorder:
    """Records complaints for the routes of intake."""

    def __init__(self, context: Context, vocabulary: Vocabulary, day_secrets: DaySecrets) -> None:
        self._context, self._vocabulary, self._day_secrets = context, vocabulary, day_secrets
        self._store, self._keys = context.store, context.keys
        self._in_flight: set[bytes] = set()

    async def record(self, raw: bytes, caller: str, idempotency_key: str) -> Recorded:
        """Record the complaint in a request's body.

        Raises:
            Unprocessable: the body is wrong, or the key was used with another one.
            Conflict: a request with this key is under way.
            StoreUnavailable: nothing is kept; send it again.
        """
        today = self._context.today()
        body = read_complaint(raw, Admission(today, self._vocabulary))
        request_key = self._keys.digest(IDEMPOTENCY, caller.encode(), idempotency_key.encode())
        if request_key in self._in_flight:
            raise Conflict("A request with this Idempotency-Key is under way; wait for its answer.")
        self._in_flight.add(request_key)
        try:
            return await self._record(body, caller, request_key, today)
        finally:
            self._in_flight.discard(request_key)

    async def record_line(self, body: ComplaintBody, caller: str, occurrence: int) -> RecordedLine:
        """Record one line of an import; `occurrence` counts equal lines of the file from 0.

        Raises:
            Unprocessable: `continues` names no complaint.
            StoreUnavailable: it is not kept; send the file again.
        """
        key = self._keys.digest(IMPORT_LINE, canonical(body), occurrence.to_bytes(8))
        complaint_id, today = uuid4(), self._context.today()
        claims = (
            Claim(IMPORT_LINE, key, str(complaint_id)),
            recorder_claim(self._keys, caller, complaint_id, today),
        )
        try:
            request, _ = self._request(body, complaint_id, await self._source_group(body), today, claims)
            await self._store.append(request)
        except ClaimTaken as taken:
            return RecordedLine(UUID(taken.value), is_repeated=True)
        return RecordedLine(complaint_id, is_repeated=False)

    def read_line(self, raw: bytes) -> ComplaintBody:
        """
        Raises:
            Unprocessable: names the fields that are wrong.
        """
        return read_complaint(raw, Admission(self._context.today(), self._vocabulary))

    def preview(self, raw: bytes) -> SanitisedTexts:
        """What recording would take out of the texts in a request's body, and the doubts. Nothing is stored.

        Raises:
            Unprocessable: names the fields that are wrong.
        """
        return sanitise_body(
            read_complaint(raw, Admission(self._context.today(), self._vocabulary), PreviewBody)
        )

    async def _record(self, body: ComplaintBody, caller: str, request_key: bytes, today: date) -> Recorded:
        told = canonical(body)
        fingerprint = self._keys.digest("fingerprint", told)
        source_group = await self._source_group(body)
        secret = await self._day_secrets.of(today)
        if secret is None:
            raise Conflict("The day has just ended; send it again.")
        for attempt in range(_ATTEMPTS):
            complaint_id = uuid4()
            receipt = derive_receipt(secret, request_key, told, attempt)
            claims = (
                Claim(IDEMPOTENCY, request_key, str(RequestClaim(today, complaint_id, attempt, fingerprint))),
                Claim(RECEIPT, self._receipt_key(receipt), str(ReceiptClaim(complaint_id, source_group))),
                recorder_claim(self._keys, caller, complaint_id, today),
            )
            request, redactions = self._request(body, complaint_id, source_group, today, claims)
            try:
                await self._store.append(request)
            except ClaimTaken as taken:
                if taken.kind == RECEIPT:
                    continue
                earlier = RequestClaim.parse(taken.value)
                if earlier.is_over(today) and earlier.day < await self._day_secrets.tidy():
                    continue
                return await self._repeated(earlier, fingerprint, request_key, told, redactions)
            return Recorded(complaint_id, receipt, today, redactions, is_repeated=False)
        raise Conflict("No receipt could be given; send it again.")

    async def _repeated(
        self,
        earlier: RequestClaim,
        fingerprint: bytes,
        request_key: bytes,
        told: bytes,
        redactions: tuple[RedactionCount, ...],
    ) -> Recorded:
        if earlier.fingerprint != fingerprint:
            raise Unprocessable.field("Idempotency-Key", "was used with another body")
        secret = await self._day_secrets.of(earlier.day)
        receipt = derive_receipt(secret, request_key, told, earlier.attempt) if secret else ""
        # A database that was set back may have lost the secret, and another one have taken its place.
        if not await self._opens(receipt, earlier.complaint_id):
            raise Conflict("This complaint is recorded already; its receipt cannot be given again.")
        return Recorded(earlier.complaint_id, receipt, earlier.day, redactions, is_repeated=True)

    async def _opens(self, receipt: str, complaint_id: UUID) -> bool:
        for key in self._keys.digests(RECEIPT, receipt.encode()):
            if (claimed := await self._store.claimed(RECEIPT, key)) is not None:
                return ReceiptClaim.parse(claimed).complaint_id == complaint_id
        return False

    def _request(
        self,
        body: ComplaintBody,
        complaint_id: UUID,
        source_group: UUID,
        today: date,
        claims: Iterable[Claim],
    ) -> tuple[AppendRequest, tuple[RedactionCount, ...]]:
        sanitised, redactions = sanitise_complaint(body)
        data_key, key_row = new_data_key(self._keys.kek, complaint_id)
        stream = stream_id("complaint", complaint_id)
        event = sealed_event(
            stream,
            COMPLAINT_RECORDED,
            ComplaintKey(complaint_id=complaint_id, key_id=str(complaint_id)),
            ComplaintRecorded(body=sanitised, source_group=str(source_group), redactions=redactions),
            data_key,
            today,
        )
        request = AppendRequest(events=(event,), expected={stream: 0}, claims=tuple(claims), rows=(key_row,))
        return request, redactions

    async def _source_group(self, body: ComplaintBody) -> UUID:
        """That of the complaint which this one continues, else a new one."""
        if body.continues is None:
            return uuid4()
        for key in self._keys.digests(RECEIPT, body.continues.encode()):
            if (claimed := await self._store.claimed(RECEIPT, key)) is not None:
                return ReceiptClaim.parse(claimed).source_group
        raise Unprocessable.field(
            "continues", "is not the receipt of a complaint; leave it out or correct it"
        )

    def _receipt_key(self, receipt: str) -> bytes:
        return self._keys.digest(RECEIPT, receipt.encode())


def canonical(body: ComplaintBody) -> bytes:
    """The complaint in one form, however it was spaced and ordered."""
    return body.model_dump_json(exclude_defaults=True).encode()
