"""What belongs together is a function of the set of links, whatever their order."""

from itertools import combinations
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.dedup.domain.clusters import WHOLE, Cluster, Link, Node, Verdict, clusters, of_one_complaint
from services.dedup.domain.model import PairModel, load_model

MODEL = load_model().incident
ACCEPT, AVERAGE, CAP = MODEL.zones.accept, MODEL.clustering.average, MODEL.clustering.most_members


def node(number: int, subject: int = WHOLE) -> Node:
    return UUID(int=number), subject


def link(a: int, b: int, weight: float, *, one: bool = False, verdict: Verdict | None = None) -> Link:
    a, b = sorted((a, b))
    return Link(node(a), node(b), weight, one, verdict)


def groups(count: int, *links: Link, model: PairModel = MODEL) -> set[frozenset[int]]:
    found = clusters({node(number) for number in range(count)}, links, model)
    return {frozenset(member[0].int for member in cluster.members) for cluster in found}


def singles(*numbers: int) -> set[frozenset[int]]:
    return {frozenset({number}) for number in numbers}


STRONG = ACCEPT + 5


def test_an_accepted_link_joins_two_and_a_grey_one_does_not() -> None:
    assert groups(2, link(0, 1, ACCEPT)) == {frozenset({0, 1})}
    assert groups(2, link(0, 1, ACCEPT - 0.1)) == singles(0, 1)


def test_one_link_does_not_join_two_groups_whose_average_is_low() -> None:
    pairs = [link(0, 1, STRONG + 1), link(2, 3, STRONG + 1)]
    assert groups(4, *pairs, link(1, 2, STRONG)) == {frozenset({0, 1}), frozenset({2, 3})}
    others = [link(a, b, AVERAGE) for a, b in ((0, 2), (0, 3), (1, 3))]
    assert groups(4, *pairs, link(1, 2, STRONG), *others) == {frozenset(range(4))}


def test_one_identifier_alone_joins_no_group() -> None:
    assert groups(2, link(0, 1, STRONG, one=True)) == {frozenset({0, 1})}
    assert groups(3, link(0, 1, STRONG), link(1, 2, STRONG - 1, one=True)) == {frozenset({0, 1}), *singles(2)}


def test_what_a_person_rejected_stays_apart_whatever_leads_around_it() -> None:
    around = [link(0, 1, STRONG), link(1, 2, STRONG - 1)]
    assert groups(3, *around) == {frozenset({0, 1, 2})}
    assert groups(3, *around, link(0, 2, STRONG, verdict="rejected")) == {frozenset({0, 1}), *singles(2)}


def test_what_a_person_accepted_is_joined_first() -> None:
    assert groups(2, link(0, 1, 0.0, verdict="accepted")) == {frozenset({0, 1})}
    pairs = [link(0, 1, STRONG), link(2, 3, STRONG)]
    assert groups(4, *pairs, link(1, 2, 0.0, verdict="accepted")) == {frozenset(range(4))}


def test_two_subjects_of_one_complaint_are_never_one_officer() -> None:
    nodes = {node(1, 0), node(1, 1), node(2, 0)}
    links = [Link(node(1, 0), node(2, 0), STRONG), Link(node(1, 1), node(2, 0), STRONG - 1)]
    found = clusters(nodes, links, load_model().officer, of_one_complaint)
    assert [cluster.members for cluster in found] == [(node(1, 0), node(2, 0)), (node(1, 1),)]


def test_the_weakest_link_is_the_least_that_joined() -> None:
    (found,) = clusters(
        {node(0), node(1), node(2)}, [link(0, 1, STRONG), link(1, 2, ACCEPT + 1), link(0, 2, 1.0)], MODEL
    )
    assert found == Cluster((node(0), node(1), node(2)), ACCEPT + 1)


def test_no_group_is_larger_than_the_cap() -> None:
    chain = [link(n, n + 1, ACCEPT + n / 1000) for n in range(3 * CAP)]
    found = groups(3 * CAP + 1, *chain)
    assert max(map(len, found)) <= CAP
    decided = [link(n, n + 1, 0.0, verdict="accepted") for n in range(2 * CAP)]
    assert max(map(len, groups(2 * CAP + 1, *decided))) <= CAP


_WEIGHTS = st.sampled_from([0.0, 1.0, AVERAGE, ACCEPT, ACCEPT + 1, STRONG])
_VERDICTS: list[Verdict | None] = [None, None, None, "accepted", "rejected"]
_SMALL = MODEL.model_copy(update={"clustering": MODEL.clustering.model_copy(update={"most_members": 4})})


@st.composite
def _links(draw: st.DrawFn) -> list[Link]:
    pairs = draw(st.lists(st.sampled_from(list(combinations(range(8), 2))), unique=True, max_size=20))
    verdicts = st.sampled_from(_VERDICTS)
    return [link(a, b, draw(_WEIGHTS), one=draw(st.booleans()), verdict=draw(verdicts)) for a, b in pairs]


@given(_links(), st.randoms(use_true_random=False), st.sampled_from([MODEL, _SMALL]))
@settings(max_examples=100)
def test_the_order_of_arrival_changes_nothing(links: list[Link], random: Random, model: PairModel) -> None:
    nodes = {node(number) for number in range(8)}
    shuffled = links[:]
    random.shuffle(shuffled)
    found = clusters(nodes, links, model)
    assert clusters(nodes, shuffled, model) == found
    # A partition, within the cap, with nothing together that a person parted.
    assert sorted(member for cluster in found for member in cluster.members) == sorted(nodes)
    assert all(len(cluster.members) <= model.clustering.most_members for cluster in found)
    parted = [(link.a, link.b) for link in links if link.verdict == "rejected"]
    assert not any(a in cluster.members and b in cluster.members for a, b in parted for cluster in found)


@given(_links())
def test_a_component_does_not_depend_on_what_lies_elsewhere(links: list[Link]) -> None:
    """What the resolver relies on when it recomputes touched components alone."""
    elsewhere = [Link(node(100), node(101), STRONG), Link(node(101), node(102), ACCEPT)]
    nodes = {node(number) for number in range(8)}
    others = {node(number) for number in range(100, 103)}
    together = clusters(nodes | others, [*elsewhere, *links], MODEL)
    assert together == clusters(nodes, links, MODEL) + clusters(others, elsewhere, MODEL)
