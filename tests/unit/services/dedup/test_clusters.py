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


def test_single_links_bring_no_more_together_than_the_cap() -> None:
    chain = [link(n, n + 1, ACCEPT + n / 1000) for n in range(3 * CAP)]
    found = groups(3 * CAP + 1, *chain)
    assert max(map(len, found)) <= CAP


def test_a_person_goes_beyond_the_cap() -> None:
    decided = [link(n, n + 1, 0.0, verdict="accepted") for n in range(2 * CAP)]
    assert groups(2 * CAP + 1, *decided) == {frozenset(range(2 * CAP + 1))}


@pytest.mark.parametrize("count", [CAP, CAP + 1, 2 * CAP])
def test_the_report_above_the_cap_dissolves_nothing(count: int) -> None:
    """Once the 51st report of an incident left 51 groups of one."""
    everything = [link(a, b, ACCEPT + (a * b) % 7) for a, b in combinations(range(count), 2)]
    assert groups(count, *everything) == {frozenset(range(count))}


def test_reports_above_the_cap_wait_beside_the_group() -> None:
    """All of them resemble one report, and not one another."""
    star = [link(0, n, STRONG + n / 1000) for n in range(1, CAP + 3)]
    found = partition({node(n) for n in range(CAP + 3)}, star, MODEL)
    assert [len(cluster.members) for cluster in found.clusters] == [CAP, 1, 1, 1]
    assert found.waiting == star[:3], "the lightest"
    accepted = [link(0, 1, STRONG, verdict="accepted"), *star[1:]]
    (group, *_) = partition({node(n) for n in range(CAP + 3)}, accepted, MODEL).clusters
    assert len(group.members) == CAP + 1, "a person lets it in, and nobody has to leave for it"
    assert node(1) in group.members


def test_of_two_groups_the_heaviest_link_waits_and_of_parted_ones_none() -> None:
    pairs = [link(0, 1, STRONG + 1), link(2, 3, STRONG + 1)]
    between = [link(1, 2, STRONG, one=True), link(0, 3, ACCEPT, one=True)]
    nodes = {node(n) for n in range(4)}
    found = partition(nodes, [*pairs, *between], MODEL)
    assert len(found.clusters) == 2
    assert found.waiting == [between[0]]
    parted = link(0, 2, 1.0, verdict="rejected")
    assert partition(nodes, [*pairs, *between, parted], MODEL).waiting == []


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
    assert partition(nodes, shuffled, model) == partition(nodes, links, model)
    # A partition, with nothing together that a person parted.
    assert sorted(member for cluster in found for member in cluster.members) == sorted(nodes)
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


@st.composite
def _more_and_more(draw: st.DrawFn) -> tuple[list[Link], list[Link]]:
    """Links that nobody rejected, and these with further ones: those of one more complaint, whatever they
    are, and some that are accepted."""
    count = draw(st.integers(3, 9))
    pairs = list(combinations(range(count), 2))
    before = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=24))
    known = [
        link(a, b, draw(_WEIGHTS), one=draw(st.booleans()), verdict=draw(st.sampled_from(_LENIENT)))
        for a, b in before
    ]
    of_new = [(n, count) for n in draw(st.lists(st.integers(0, count - 1), unique=True))]
    missing = sorted(set(pairs) - set(before))
    added = draw(st.lists(st.sampled_from(missing), unique=True, max_size=3)) if missing else []
    further = [link(a, b, draw(_WEIGHTS), one=draw(st.booleans())) for a, b in of_new]
    for a, b in added:
        verdict = draw(st.sampled_from(_LENIENT))
        weight = draw(st.sampled_from([ACCEPT, ACCEPT + 1, STRONG]))
        further.append(link(a, b, weight, one=draw(st.booleans()), verdict=verdict))
    return known, [*known, *further]


_LENIENT: list[Verdict | None] = [None, None, "accepted"]


def _are_connected(a: Node, b: Node, links: Sequence[Link]) -> bool:
    reached = {a}
    while True:
        ends = {node for each in links if {each.a, each.b} & reached for node in (each.a, each.b)}
        if ends <= reached:
            return b in reached
        reached |= ends


@given(_more_and_more(), st.sampled_from([MODEL, _SMALL]))
@settings(max_examples=300, deadline=None)
def test_more_never_takes_apart_what_more_than_one_accepted_path_holds_together(
    links: tuple[list[Link], list[Link]], model: PairModel
) -> None:
    """No look-alike that is filed on purpose takes an incident apart, and no cap does."""
    before, after = links
    known = {node(number) for number in range(9)}
    accepted = [each for each in before if each.verdict == "accepted" or each.weight >= ACCEPT]
    together = [
        pair for cluster in clusters(known, before, model) for pair in combinations(cluster.members, 2)
    ]
    group_of = {
        member: place
        for place, cluster in enumerate(clusters({*known, node(9)}, after, model))
        for member in cluster.members
    }
    for a, b in together:
        if all(_are_connected(a, b, [each for each in accepted if each is not cut]) for cut in accepted):
            assert group_of[a] == group_of[b]
