"""Bridges, against what the word means: without one, its ends are not connected."""

from hypothesis import given
from hypothesis import strategies as st

from services.dedup.domain.bridges import Edge, bridges

_COUNT = 8
_ENDS = st.tuples(st.integers(0, _COUNT - 1), st.integers(0, _COUNT - 1)).filter(
    lambda ends: ends[0] != ends[1]
)


def are_connected(a: int, b: int, edges: list[Edge]) -> bool:
    reached = {a}
    while True:
        further = {end for edge in edges if reached & set(edge) for end in edge}
        if further <= reached:
            return b in reached
        reached |= further


@given(st.lists(_ENDS, max_size=14))
def test_a_bridge_is_an_edge_without_which_its_ends_are_apart(edges: list[Edge]) -> None:
    """Two edges between the same ends are none."""
    expected = {
        place
        for place, (a, b) in enumerate(edges)
        if not are_connected(a, b, [edge for other, edge in enumerate(edges) if other != place])
    }
    assert bridges(_COUNT, edges) == expected


def test_a_chain_of_any_length_is_all_bridges() -> None:
    """Once a recursion would have ended at a thousand."""
    chain = [(n, n + 1) for n in range(50_000)]
    assert len(bridges(50_001, chain)) == 50_000
