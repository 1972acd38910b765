"""Careers over forces and years, in the world of each purpose."""

from collections import defaultdict

import pytest

from deploy.simulation.careers import RANKS
from deploy.simulation.purposes import PURPOSES
from deploy.simulation.stream import world_of
from deploy.simulation.world import END, World


@pytest.fixture(scope="module", params=PURPOSES)
def world(request: pytest.FixtureRequest) -> World:
    return world_of(4_000, 2, request.param)


def test_a_collar_number_belongs_to_one_officer_of_a_force(world: World) -> None:
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    for officer in world.officers:
        for posting in officer.postings:
            holders[posting.unit.force, posting.collar_number].add(officer.number)
    assert all(len(of) == 1 for of in holders.values())


def test_who_moves_to_another_force_gets_another_number_and_keeps_the_name(world: World) -> None:
    moves = 0
    for officer in world.officers:
        for last, next_ in zip(officer.postings, officer.postings[1:], strict=False):
            assert last.since < next_.since <= END
            if last.unit.force != next_.unit.force:
                moves += 1
                assert last.collar_number != next_.collar_number
            if not officer.is_female:
                assert last.surname == next_.surname
    assert moves > 100


def test_some_marry_and_many_are_promoted_and_nobody_is_demoted(world: World) -> None:
    married = promoted = 0
    for officer in world.officers:
        ranks = [RANKS.index(posting.rank) for posting in officer.postings]
        assert ranks == sorted(ranks)
        promoted += ranks[-1] > 0
        married += len({posting.surname for posting in officer.postings}) > 1
    assert married > 10
    assert promoted > 200


def test_persistent_officers_have_served_for_most_of_the_years_and_some_in_two_forces(world: World) -> None:
    middle = (world.begin + END) // 2
    assert all(officer.postings[0].since <= middle for officer in world.persistent)
    forces = [len({posting.unit.force for posting in officer.postings}) for officer in world.persistent]
    assert sum(count > 1 for count in forces) >= len(forces) / 10


def test_every_force_has_officers_units_and_a_town_of_its_own(world: World) -> None:
    towns = [town for of in world.towns.values() for town in of]
    assert len({town.name for town in towns}) == len(towns)
    assert len(world.towns) == len(world.units) == 48
