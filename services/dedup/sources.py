"""How many independent sources stand behind some complaints."""

from collections.abc import Collection
from uuid import UUID

from services.dedup.index import IndexReader

_OPENED_AT_ONCE = 500


async def sources(index: IndexReader, complaints: Collection[UUID]) -> tuple[int, int]:
    """The least and the most that there can be. Two complaints share a source where the caller said so;
    otherwise nobody knows: the most is one for each group, the least is one."""
    groups: set[str] = set()
    asked = list(complaints)
    for place in range(0, len(asked), _OPENED_AT_ONCE):
        opened = await index.get(asked[place : place + _OPENED_AT_ONCE])
        groups |= {each.features.source_group for each in opened.values()}
    return min(len(groups), 1), len(groups)
