"""Bridges of a graph: the edges on which a connection hangs alone (Tarjan's low-link rule, linear time)."""

from collections.abc import Sequence
from itertools import chain

Edge = tuple[int, int]


def bridges(count: int, edges: Sequence[Edge]) -> set[int]:
    """The places in `edges` of those without which their two ends are not connected any more.

    Two edges between the same ends are no bridges. There is no recursion, so a long chain is no limit.

    Args:
        count: the vertices are 0 to `count` - 1.
    """
    touching: list[list[int]] = [[] for _ in range(count)]
    for place, (a, b) in enumerate(edges):
        touching[a].append(place)
        touching[b].append(place)
    entered, low = [0] * count, [0] * count
    clock = 0
    found: set[int] = set()
    for start in dict.fromkeys(chain.from_iterable(edges)):
        if entered[start]:
            continue
        clock += 1
        entered[start] = low[start] = clock
        path = [(start, -1, iter(touching[start]))]
        while path:
            at, came_by, ahead = path[-1]
            for place in ahead:
                if place == came_by:
                    continue
                a, b = edges[place]
                other = b if at == a else a
                if not entered[other]:
                    clock += 1
                    entered[other] = low[other] = clock
                    path.append((other, place, iter(touching[other])))
                    break
                low[at] = min(low[at], entered[other])
            else:
                path.pop()
                if path:
                    before = path[-1][0]
                    low[before] = min(low[before], low[at])
                    if low[at] > entered[before]:
                        found.add(came_by)
    return found
