"""What belongs together is a function of the set of links, whatever their order."""

from collections.abc import Sequence
from itertools import combinations
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dedup.domain.clusters import (
    WHOLE,
    Cluster,
    Link,
    Node,
    Verdict,
    clusters,
    of_one_complaint,
    partition,
)
from services.dedup.domain.model import PairModel, load_model

MODEL = load_model().incident
ACCEPT, AVERAGE, SEEN = MODEL.zones.accept, MODEL.clustering.average, MODEL.clustering.seen
STRONG = ACCEPT + 5


def node(number: int, subject: int = WHOLE) -> Node:
    return UUID(int=number), subject


def link(a: int, b: int, weight: float, *, verdict: Verdict | None = None) -> Link:
    a, b = sorted((a, b))
    return Link(node(a), node(b), weight, verdict)


def groups(count: int, *links: Link, model: PairModel = MODEL) -> set[frozenset[int]]:
    found = clusters({node(number) for number in range(count)}, links, model)
    return {frozenset(member[0].int for member in cluster.members) for cluster in found}


def singles(*numbers: int) -> set[frozenset[int]]:
    return {frozenset({number}) for number in numbers}


def test_an_accepted_link_joins_two_and_a_grey_one_does_not() -> None:
    assert groups(2, link(0, 1, ACCEPT)) == {frozenset({0, 1})}
    assert groups(2, link(0, 1, ACCEPT - 0.1)) == singles(0, 1)


def test_one_link_does_not_join_two_groups_whose_average_is_low() -> None:
    pairs = [link(0, 1, STRONG + 1), link(2, 3, STRONG + 1)]
    assert groups(4, *pairs, link(1, 2, STRONG)) == {frozenset({0, 1}), frozenset({2, 3})}
    others = [link(a, b, AVERAGE) for a, b in ((0, 2), (0, 3), (1, 3))]
    assert groups(4, *pairs, link(1, 2, STRONG), *others) == {frozenset(range(4))}


def test_a_pair_that_was_not_kept_counts_against_a_join() -> None:
    """A report that resembles one of two others, and not the other one, is not of their incident."""
    assert groups(3, link(0, 1, STRONG), link(1, 2, ACCEPT + 1)) == {frozenset({0, 1}), *singles(2)}
    assert groups(3, link(0, 1, STRONG), link(1, 2, ACCEPT + 1), link(0, 2, ACCEPT)) == {frozenset({0, 1, 2})}


def test_what_a_person_rejected_stays_apart_whatever_leads_around_it() -> None:
    around = [link(0, 1, STRONG + 9), link(1, 2, STRONG + 8)]
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
        {node(0), node(1), node(2)}, [link(0, 1, STRONG), link(1, 2, ACCEPT + 1), link(0, 2, ACCEPT)], MODEL
    )
    assert found == Cluster((node(0), node(1), node(2)), ACCEPT + 1)


@pytest.mark.parametrize("count", [2, SEEN, SEEN + 1, 5 * SEEN])
def test_no_number_of_reports_dissolves_a_group(count: int) -> None:
    """Once the 51st report of an incident left 51 groups of one."""
    everything = [link(a, b, ACCEPT + (a * b) % 7) for a, b in combinations(range(count), 2)]
    assert groups(count, *everything) == {frozenset(range(count))}


def test_pairs_that_nobody_could_compare_take_no_large_group_apart() -> None:
    """Of a thousand reports about one officer each is compared with some dozens of the others."""
    random = Random(1)
    count = 1000
    met = {
        tuple(sorted((a, b))) for a in range(count) for b in random.sample(range(count), 2 * SEEN) if a != b
    }
    assert groups(count, *(link(a, b, STRONG) for a, b in met)) == {frozenset(range(count))}


def test_a_person_joins_what_no_rule_would() -> None:
    decided = [link(n, n + 1, 0.0, verdict="accepted") for n in range(2 * SEEN)]
    assert groups(2 * SEEN + 1, *decided) == {frozenset(range(2 * SEEN + 1))}


def test_the_one_accepted_link_of_two_groups_waits_and_of_parted_ones_none() -> None:
    pairs = [link(0, 1, STRONG + 1), link(2, 3, STRONG + 1)]
    between = [link(1, 2, STRONG), link(0, 3, ACCEPT - 1)]
    nodes = {node(n) for n in range(4)}
    found = partition(nodes, [*pairs, *between], MODEL)
    assert len(found.clusters) == 2
    assert found.waiting == [between[0]]
    two_ways = [*pairs, between[0], link(0, 3, ACCEPT)]
    assert len(partition(nodes, two_ways, MODEL).clusters) == 1
    parted = link(0, 2, 1.0, verdict="rejected")
    assert partition(nodes, [*pairs, *between, parted], MODEL).waiting == []


def test_groups_that_fit_by_their_profiles_are_joined_and_no_others() -> None:
    inside = [link(a, b, STRONG + 1) for a, b in ((0, 1), (0, 2), (1, 2), (3, 4), (5, 6))]
    between = [link(2, 3, ACCEPT), link(4, 5, ACCEPT - 2)]
    nodes = {node(n) for n in range(7)}
    asked: list[set[Node]] = []

    def fit(one: Sequence[Node], other: Sequence[Node]) -> float:
        asked.append({*one, *other})
        return 10.0

    assert [len(cluster.members) for cluster in clusters(nodes, [*inside, *between], MODEL)] == [3, 2, 2]
    found = clusters(nodes, [*inside, *between], MODEL, fit=fit)
    assert [len(cluster.members) for cluster in found] == [5, 2]
    assert asked == [{node(n) for n in range(5)}], "no link that is not accepted leads to another group"


def test_a_small_group_that_two_others_fit_joins_neither() -> None:
    inside = [link(0, 1, STRONG + 1), link(3, 4, STRONG + 1)]
    between = [link(1, 2, ACCEPT), link(2, 3, ACCEPT)]
    nodes = {node(n) for n in range(5)}

    def fit(one: Sequence[Node], other: Sequence[Node]) -> float:
        return ACCEPT + 1 if node(2) in {*one, *other} else -9.0

    def fit_one(one: Sequence[Node], other: Sequence[Node]) -> float:
        return ACCEPT + 1 if {node(2), node(3), node(4)} == {*one, *other} else -9.0

    sizes = [len(cluster.members) for cluster in clusters(nodes, [*inside, *between], MODEL, fit=fit)]
    assert sizes == [2, 1, 2]
    sizes = [len(cluster.members) for cluster in clusters(nodes, [*inside, *between], MODEL, fit=fit_one)]
    assert sizes == [2, 3]


_WEIGHTS = st.sampled_from([0.0, 1.0, AVERAGE, ACCEPT, ACCEPT + 1, STRONG])
_VERDICTS: list[Verdict | None] = [None, None, None, "accepted", "rejected"]
_SMALL = MODEL.model_copy(update={"clustering": MODEL.clustering.model_copy(update={"seen": 2})})


@st.composite
def _links(draw: st.DrawFn) -> list[Link]:
    pairs = draw(st.lists(st.sampled_from(list(combinations(range(8), 2))), unique=True, max_size=20))
    verdicts = st.sampled_from(_VERDICTS)
    return [link(a, b, draw(_WEIGHTS), verdict=draw(verdicts)) for a, b in pairs]


def _sum_of_numbers(one: Sequence[Node], other: Sequence[Node]) -> float:
    """Some symmetric function of two sets."""
    return float(sum(each[0].int for each in (*one, *other)) % 7 - 3)


@given(_links(), st.randoms(use_true_random=False), st.sampled_from([MODEL, _SMALL]))
@settings(max_examples=200, deadline=None)
def test_the_order_of_arrival_changes_nothing(links: list[Link], random: Random, model: PairModel) -> None:
    nodes = {node(number) for number in range(8)}
    shuffled = links[:]
    random.shuffle(shuffled)
    for fit in (None, _sum_of_numbers):
        found = clusters(nodes, links, model, fit=fit)
        again = partition(nodes, shuffled, model, fit=fit)
        assert again == partition(nodes, links, model, fit=fit)
        # A partition, with nothing together that a person parted.
        assert sorted(member for cluster in found for member in cluster.members) == sorted(nodes)
        parted = [(link.a, link.b) for link in links if link.verdict == "rejected"]
        assert not any(a in cluster.members and b in cluster.members for a, b in parted for cluster in found)


@given(_links())
@settings(deadline=None)
def test_a_component_does_not_depend_on_what_lies_elsewhere(links: list[Link]) -> None:
    """What the resolver relies on when it recomputes touched components alone."""
    elsewhere = [Link(node(100), node(101), STRONG), Link(node(101), node(102), ACCEPT)]
    nodes = {node(number) for number in range(8)}
    others = {node(number) for number in range(100, 103)}
    together = clusters(nodes | others, [*elsewhere, *links], MODEL)
    assert together == clusters(nodes, links, MODEL) + clusters(others, elsewhere, MODEL)


@given(_links())
@settings(deadline=None)
def test_who_were_joined_by_a_person_stay_joined_whatever_else_is_found(links: list[Link]) -> None:
    told = [each for each in links if each.verdict is not None]
    alone = clusters({node(number) for number in range(8)}, told, MODEL)
    all_of_them = clusters({node(number) for number in range(8)}, links, MODEL)
    for cluster in alone:
        assert any(set(cluster.members) <= set(other.members) for other in all_of_them)


@st.composite
def _more_and_more(draw: st.DrawFn) -> tuple[list[Link], list[Link]]:
    """Links that nobody rejected, and these with further ones: those of one more complaint, whatever they
    are, and some that are accepted."""
    count = draw(st.integers(3, 9))
    pairs = list(combinations(range(count), 2))
    before = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=24))
    known = [link(a, b, draw(_WEIGHTS), verdict=draw(st.sampled_from(_LENIENT))) for a, b in before]
    of_new = [(n, count) for n in draw(st.lists(st.integers(0, count - 1), unique=True))]
    missing = sorted(set(pairs) - set(before))
    added = draw(st.lists(st.sampled_from(missing), unique=True, max_size=3)) if missing else []
    further = [link(a, b, draw(_WEIGHTS)) for a, b in of_new]
    for a, b in added:
        verdict = draw(st.sampled_from(_LENIENT))
        weight = draw(st.sampled_from([ACCEPT, ACCEPT + 1, STRONG]))
        further.append(link(a, b, weight, verdict=verdict))
    return known, [*known, *further]


_LENIENT: list[Verdict | None] = [None, None, "accepted"]


def _are_connected(a: Node, b: Node, links: Sequence[Link]) -> bool:
    reached = {a}
    while True:
        ends = {node for each in links if {each.a, each.b} & reached for node in (each.a, each.b)}
        if ends <= reached:
            return b in reached
        reached |= ends


@given(_more_and_more())
@settings(max_examples=300, deadline=None)
def test_more_never_takes_apart_what_more_than_one_accepted_path_holds_together(
    links: tuple[list[Link], list[Link]],
) -> None:
    """No look-alike that is filed on purpose takes an incident apart, and no cap does."""
    before, after = links
    known = {node(number) for number in range(9)}
    accepted = [each for each in before if each.verdict == "accepted" or each.weight >= ACCEPT]
    together = [
        pair for cluster in clusters(known, before, MODEL) for pair in combinations(cluster.members, 2)
    ]
    group_of = {
        member: place
        for place, cluster in enumerate(clusters({*known, node(9)}, after, MODEL))
        for member in cluster.members
    }
    for a, b in together:
        if all(_are_connected(a, b, [each for each in accepted if each is not cut]) for cut in accepted):
            assert group_of[a] == group_of[b]
