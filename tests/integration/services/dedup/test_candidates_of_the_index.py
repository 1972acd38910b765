"""The index leads from each complaint to those that share a blocking key with it, and to no others."""

from collections import defaultdict
from uuid import UUID, uuid4

import pytest

from deploy.simulation import simulate
from services.dedup.domain.blocking import blocking_keys
from services.dedup.domain.candidates import CANDIDATE_CAP, KEY_CAP, best_candidates
from services.dedup.domain.features import Features
from services.dedup.domain.normalising import features_of
from services.dedup.read_models import number_of
from shared.contracts.complaint import SanitisedComplaint
from shared.sealing.keys import ServiceKeys
from shared.store.requests import AppendRequest
from tests.integration.services.dedup.desk import Desk, opened

_KNOWN = SanitisedComplaint.model_fields


@pytest.mark.parametrize("is_remembered", [True, False])
async def test_the_candidates_are_those_that_the_keys_themselves_lead_to(
    desk: Desk, dedup_url: str, keys: ServiceKeys, is_remembered: bool
) -> None:
    """With keys that lead to more than are compared among them."""
    complaints = {uuid4(): features for features in _simulated(150)}
    complaints |= {uuid4(): next(iter(_simulated(1))) for _ in range(KEY_CAP + 10)}
    for complaint_id, features in complaints.items():
        await desk.index.add(complaint_id, features, desk.index.blocked(features), AppendRequest())
    async with opened(dedup_url, keys) as another:
        index = (desk if is_remembered else another).index
        for complaint_id, features in complaints.items():
            own = (await index.get([complaint_id]))[complaint_id]
            assert own.features == features
            found = await index.candidates(own, index.blocked(features))
            assert sorted(one.complaint_id for one in found) == _expected(complaint_id, complaints)
            assert all(one.features == complaints[one.complaint_id] for one in found)


async def test_an_index_that_somebody_else_fills_is_read_as_it_is_now(
    desk: Desk, dedup_url: str, keys: ServiceKeys
) -> None:
    features = next(iter(_simulated(1)))
    own, late, erased = uuid4(), uuid4(), uuid4()
    async with opened(dedup_url, keys) as another:
        for complaint_id in (own, erased):
            await desk.index.add(complaint_id, features, desk.index.blocked(features), AppendRequest())
        await another.index.add(late, features, another.index.blocked(features), AppendRequest())
        await another.store.append(another.index.removal(erased))
        one = (await desk.index.get([own]))[own]
        desk.index.forget([erased])
        found = await desk.index.candidates(one, desk.index.blocked(features))
    assert [each.complaint_id for each in found] == [late]


@pytest.mark.parametrize("ids", [[UUID(int=n) for n in range(500)], [uuid4() for _ in range(500)]])
def test_each_id_has_a_number_of_its_own_that_a_bigint_holds(ids: list[UUID]) -> None:
    numbers = {number_of(complaint_id) for complaint_id in ids}
    assert len(numbers) == len(ids)
    assert all(-(1 << 63) <= number < 1 << 63 for number in numbers)


def _simulated(complaints: int) -> list[Features]:
    bodies = simulate(complaints, 4).complaints
    return [
        features_of(
            SanitisedComplaint.model_validate(
                {name: body[name] for name in body if name in _KNOWN}, strict=False
            ),
            "",
        )
        for body in bodies
    ]


def _expected(complaint_id: UUID, complaints: dict[UUID, Features]) -> list[UUID]:
    """Out of the keys as texts, in memory."""
    index: dict[str, list[int]] = defaultdict(list)
    for other, features in complaints.items():
        for key in blocking_keys(features).indexed:
            index[key].append(number_of(other))
    asked = blocking_keys(complaints[complaint_id]).asked
    found = {key: sorted(index[key])[: KEY_CAP + 2] for key in asked if key in index}
    ids = {number_of(other): other for other in complaints}
    return sorted(ids[number] for number in best_candidates(found, number_of(complaint_id), CANDIDATE_CAP))
