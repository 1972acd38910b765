"""What follows for intake from the events of a lost tail that it has adopted.

A complaint whose release was lost waits in the older copy, and was published: it waits no more, and its text
is sealed under its data key alone again. That somebody released it, and why, was internal, and is lost.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg

from services.intake import read_models
from services.intake.holding import release_stream
from services.intake.wiring import PUBLIC
from shared.contracts.events import COMPLAINT_RECORDED
from shared.sealing.events import log_type
from shared.sealing.keys import ServiceKeys
from shared.store.events import RecordedEvent, identity_of
from shared.streaming.recovery import Append, Owner

_RECORDED = log_type(COMPLAINT_RECORDED)


class Consequences:
    """As `shared.streaming.recovery` asks for them."""

    sources = ()
    public = PUBLIC

    def __init__(self, keys: ServiceKeys) -> None:
        pass

    async def ask(self, connection: asyncpg.Connection, owners: Mapping[str, Owner]) -> None:
        """There is nothing to ask."""

    async def follow(
        self,
        connection: asyncpg.Connection,
        tail: Sequence[RecordedEvent],
        today: date,  # noqa: ARG002  (the other services' part of the protocol)
        append: Append,  # noqa: ARG002
    ) -> None:
        published = [identity_of(event.stream_id) for event in tail if event.type == _RECORDED]
        streams = [release_stream(complaint_id) for complaint_id in published]
        await connection.execute(read_models.DESTROY_TEXTS, streams)
        await connection.execute(read_models.END_WAITING, published)
