"""The complaints that are worth a comparison, out of those that share a blocking key.

A key that leads to few complaints is more evidence than one that leads to many: it counts log2(N / df),
where df is to how many it leads. Where more complaints share a key than are compared, those with the most
evidence are taken; of equals those that a hash of both ids puts first, so that not all complaints of a group
choose the same few.
"""

from collections.abc import Collection, Hashable, Mapping
from heapq import nsmallest
from math import log2
from typing import Final, TypeVar

KEY_CAP: Final = 64
"""Complaints that one blocking key leads to at most."""
CANDIDATE_CAP: Final = 40
"""Complaints that one complaint is compared with at most: of 12,000 simulated ones 32, 48 and 80 find .931,
.935 and .936 of the pairs of one incident, and each costs 35 us."""
_HISTORY: Final = 1 << 17
"""N: a history of about 130,000 complaints. Its size hardly matters, for it is the same for all keys."""

Key = TypeVar("Key", bound=Hashable)

_PARTS_OF_A_BIT: Final = 1_000_000
# Whole numbers, whose sum is the same in any order.
_EVIDENCE = [0, *(round(log2(_HISTORY / count) * _PARTS_OF_A_BIT) for count in range(1, KEY_CAP + 2))]


def best_candidates(found: Mapping[Key, Collection[int]], own: int, most: int) -> list[int]:
    """The candidates of complaint `own`, at most `most`, in no order.

    Args:
        found: blocking key -> the numbers of the complaints that it leads to, perhaps with `own` among them.
    """
    shared: dict[int, int] = {}
    for of_key in found.values():
        evidence = _EVIDENCE[min(len(of_key), KEY_CAP + 1)]
        for other in of_key:
            shared[other] = shared.get(other, 0) + evidence
    shared.pop(own, None)
    if len(shared) <= most:
        return list(shared)
    least = sorted(shared.values(), reverse=True)[most - 1]
    chosen = [other for other, evidence in shared.items() if evidence > least]
    equals = [other for other, evidence in shared.items() if evidence == least]
    return chosen + nsmallest(most - len(chosen), equals, key=lambda other: _mixed(own ^ other))


def _mixed(difference: int) -> int:
    """A hash of what both numbers have different, so the same whoever asks (Knuth's multiplicative one)."""
    return difference * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
