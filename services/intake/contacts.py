"""Contacts that made no complaint: counted by their day, for the charity must know its own numbers."""

from uuid import uuid4

from services.intake.domain.claims import CONTACT
from shared.contracts.complaint_events import ContactClosed
from shared.contracts.events import CONTACT_CLOSED
from shared.errors import Unprocessable
from shared.sealing.events import sealed_event
from shared.service import Context
from shared.store.events import stream_id
from shared.store.requests import AppendRequest, Claim, ClaimTaken
from shared.vocabulary import Vocabulary


class Contacts:
    """Closes contacts."""

    def __init__(self, context: Context, vocabulary: Vocabulary) -> None:
        self._context, self._dispositions = context, vocabulary.dispositions

    async def close(self, contact: ContactClosed, caller: str, idempotency_key: str) -> bool:
        """Note the contacts; whether they were noted before under the same key.

        Raises:
            Unprocessable: an unknown disposition, or the key was used for other contacts.
            StoreUnavailable: nothing was noted; send it again.
        """
        if contact.disposition not in self._dispositions:
            known = ", ".join(self._dispositions)
            raise Unprocessable.field("disposition", f"must be one of {known}")
        keys = self._context.keys
        key = keys.digest(CONTACT, caller.encode(), idempotency_key.encode())
        told = keys.digest("fingerprint", contact.model_dump_json().encode()).hex()
        stream = stream_id("contact", uuid4())
        event = sealed_event(stream, CONTACT_CLOSED, contact, None, None, self._context.today())
        request = AppendRequest(events=(event,), expected={stream: 0}, claims=(Claim(CONTACT, key, told),))
        try:
            await self._context.store.append(request)
        except ClaimTaken as taken:
            if taken.value != told:
                raise Unprocessable.field("Idempotency-Key", "was used for other contacts") from taken
            return True
        return False
