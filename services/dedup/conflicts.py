"""Conflicts of interest in dedup: complaints, and whole incidents, that a holder may not know of.

A complaint is judged by its body, which the inbox keeps, by the one rule of all services
(`shared.conflict`). An incident is one case: who may be a subject of one of its complaints learns of none. A
body never changes, so verdicts are kept, in memory and a bounded number of them. Where there is no body,
because it is not consumed yet or was just erased, the complaint is hidden.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Collection
from uuid import UUID

import orjson

from services.dedup import read_models
from shared.conflict import Holder, is_in_conflict
from shared.contracts.complaint import SanitisedComplaint
from shared.contracts.events import COMPLAINT_RECORDED
from shared.sealing.jwe import open_sealed
from shared.sealing.keys import unwrap_data_keys
from shared.service import Context
from shared.store.events import stream_id
from shared.streaming.cloudevents import parse
from shared.web.auth import Caller

_REMEMBERED = 500_000
_AT_ONCE = 200


class Conflicts:
    """What the holder of an account may not know of."""

    def __init__(self, context: Context) -> None:
        self._store, self._kek = context.store, context.keys.kek
        self._verdicts: OrderedDict[tuple[Holder, UUID], bool] = OrderedDict()

    async def hidden(self, caller: Caller, complaints: Collection[UUID]) -> frozenset[UUID]:
        """Those of the complaints that the caller may not know of; none for an account without a police past.

        Raises:
            StoreUnavailable: the database is away.
        """
        if caller.holder is None or not complaints:
            return frozenset()
        incidents = await self._incidents(complaints)
        members = {member for of_one in incidents.values() for member in of_one}
        conflicting = await self._in_conflict(caller.holder, members)
        return frozenset(each for each in complaints if not conflicting.isdisjoint(incidents[each]))

    async def _incidents(self, complaints: Collection[UUID]) -> dict[UUID, set[UUID]]:
        """complaint -> all complaints of its incident, itself among them."""
        rows = await self._store.fetch(read_models.FELLOWS, list(complaints))
        members: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for complaint, incident in rows:
            members[UUID(bytes=incident.bytes)].add(UUID(bytes=complaint.bytes))
        of = {complaint: of_one for of_one in members.values() for complaint in of_one}
        return {complaint: of.get(complaint, {complaint}) for complaint in complaints}

    async def _in_conflict(self, holder: Holder, complaints: Collection[UUID]) -> set[UUID]:
        unknown = [each for each in complaints if (holder, each) not in self._verdicts]
        without_body: set[UUID] = set()
        for start in range(0, len(unknown), _AT_ONCE):
            asked = unknown[start : start + _AT_ONCE]
            bodies = await self._bodies(asked)
            without_body |= set(asked) - bodies.keys()
            for complaint, body in bodies.items():
                self._verdicts[holder, complaint] = is_in_conflict(holder, [body])
        found = {each for each in complaints if each in without_body or self._verdicts[holder, each]}
        while len(self._verdicts) > _REMEMBERED:
            self._verdicts.popitem(last=False)
        return found

    async def _bodies(self, complaints: Collection[UUID]) -> dict[UUID, SanitisedComplaint]:
        """The bodies of those that were consumed and not erased."""
        streams = [stream_id("complaint", complaint) for complaint in complaints]
        rows = await self._store.fetch(read_models.BODIES, list(complaints), streams, COMPLAINT_RECORDED.name)
        bodies = {}
        for key_id, event, kek_id, wrapped in rows:
            envelope = parse(orjson.loads(event))
            keys = unwrap_data_keys(self._kek, [(key_id, kek_id, wrapped)])
            plain = open_sealed(envelope.sealed or {}, keys, envelope.id)
            bodies[UUID(bytes=key_id.bytes)] = COMPLAINT_RECORDED.read_sealed(plain).body
        return bodies
