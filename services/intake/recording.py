"""Recording a complaint: read, sanitised, sealed and appended; once, however often it is sent.

Nothing of a complaint is written before it is sanitised. A request that is repeated with the same key gets
the same answer, the receipt too, until the end of the next day; a line of an import for ever.
"""

from dataclasses import dataclass, replace
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
from services.intake.domain.complaints import SanitisedTexts, counted, sanitise_body, with_texts
from services.intake.domain.receipts import derive_receipt
from services.intake.domain.releases import ReleasePolicies, ReleasePolicy, held, must_wait
from services.intake.holding import HeldTexts, release_stream, text_held
from services.intake.internal_events import ReleaseState
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
    """A complaint that is kept now. `is_held`: it waits, or waited, for a release reviewer. `is_repeated`: it
    was kept already."""

    complaint_id: UUID
    receipt: str
    recorded_on: date
    redactions: tuple[RedactionCount, ...]
    is_held: bool
    is_repeated: bool


@dataclass(frozen=True, slots=True)
class RecordedLine:
    complaint_id: UUID
    is_held: bool
    is_repeated: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What recording would do with a complaint; `is_held`: it would wait for a release reviewer."""

    texts: SanitisedTexts
    is_held: bool


@dataclass(frozen=True, slots=True)
class _Made:
    request: AppendRequest
    redactions: tuple[RedactionCount, ...]
    is_held: bool


class Recorder:
    """Records complaints for the routes of intake."""

    def __init__(
        self, context: Context, vocabulary: Vocabulary, day_secrets: DaySecrets, policies: ReleasePolicies
    ) -> None:
        self._context, self._vocabulary, self._day_secrets = context, vocabulary, day_secrets
        self._store, self._keys, self._policies = context.store, context.keys, policies
        self._held = HeldTexts(context)
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
            source_group = await self._source_group(body)
            made = self._made(body, complaint_id, source_group, today, caller, self._policies.imports)
            await self._store.append(replace(made.request, claims=claims))
        except ClaimTaken as taken:
            earlier = UUID(taken.value)
            return RecordedLine(earlier, await self._held.was_held(earlier), is_repeated=True)
        return RecordedLine(complaint_id, made.is_held, is_repeated=False)

    def read_line(self, raw: bytes) -> ComplaintBody:
        """
        Raises:
            Unprocessable: names the fields that are wrong.
        """
        return read_complaint(raw, Admission(self._context.today(), self._vocabulary))

    def preview(self, raw: bytes) -> Preview:
        """What recording would take out of the texts in a request's body, the doubts, and whether it would
        wait for a release reviewer. Nothing is stored.

        Raises:
            Unprocessable: names the fields that are wrong.
        """
        body = read_complaint(raw, Admission(self._context.today(), self._vocabulary), PreviewBody)
        sanitised = sanitise_body(body)
        return Preview(sanitised, must_wait(self._policies.complaints, sanitised.doubts))

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
            made = self._made(body, complaint_id, source_group, today, caller, self._policies.complaints)
            try:
                await self._store.append(replace(made.request, claims=claims))
            except ClaimTaken as taken:
                if taken.kind == RECEIPT:
                    continue
                earlier = RequestClaim.parse(taken.value)
                if earlier.is_over(today) and earlier.day < await self._day_secrets.tidy():
                    continue
                return await self._repeated(earlier, fingerprint, request_key, told, made.redactions)
            return Recorded(complaint_id, receipt, today, made.redactions, made.is_held, is_repeated=False)
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
        is_held = await self._held.was_held(earlier.complaint_id)
        return Recorded(earlier.complaint_id, receipt, earlier.day, redactions, is_held, is_repeated=True)

    async def _opens(self, receipt: str, complaint_id: UUID) -> bool:
        for key in self._keys.digests(RECEIPT, receipt.encode()):
            if (claimed := await self._store.claimed(RECEIPT, key)) is not None:
                return ReceiptClaim.parse(claimed).complaint_id == complaint_id
        return False

    def _made(
        self,
        body: ComplaintBody,
        complaint_id: UUID,
        source_group: UUID,
        today: date,
        caller: str,
        policy: ReleasePolicy,
    ) -> "_Made":
        """What appends a complaint, to be published or to wait, but for its claims."""
        sanitised = sanitise_body(body)
        redactions = counted(sanitised)
        data_key, key_row = new_data_key(self._keys.kek, complaint_id)
        stream = stream_id("complaint", complaint_id)
        if must_wait(policy, sanitised.doubts):
            waiting = held(body, sanitised, str(source_group), caller, today)
            text, rows = text_held(self._keys.kek, complaint_id, waiting, ReleaseState.WAITING, today)
            expected: dict[str, int] = {release_stream(complaint_id): 0, stream: 0}
            request = AppendRequest(events=(text,), expected=expected, rows=(key_row, *rows))
            return _Made(request, redactions, is_held=True)
        event = sealed_event(
            stream,
            COMPLAINT_RECORDED,
            ComplaintKey(complaint_id=complaint_id, key_id=str(complaint_id)),
            ComplaintRecorded(
                body=with_texts(body, sanitised), source_group=str(source_group), redactions=redactions
            ),
            data_key,
            today,
        )
        request = AppendRequest(events=(event,), expected={stream: 0}, rows=(key_row,))
        return _Made(request, redactions, is_held=False)

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
