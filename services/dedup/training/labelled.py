"""Complaints with their truth, of whatever origin."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MATCHED = ("channel", "narrative", "subjects", "allegations", "incident")
"""The members of a complaint's body that matching reads."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One complaint and its truth.

    Attributes:
        body: as the sanitised complaint of `complaint.recorded`, without what matching does not read.
        incident: the number of its incident.
        officers: of each subject the number of the officer, None for somebody who is none.
    """

    body: Mapping[str, Any]
    incident: int
    officers: tuple[int | None, ...]


def read_labelled(lines: Iterable[bytes]) -> Iterator[Labelled]:
    """From NDJSON: `{"body", "incident", "officers"}`, as the members of `Labelled`.

    Raises:
        ValueError: a line is none; the message has its number.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            told = orjson.loads(line)
            body = {name: told["body"][name] for name in MATCHED if name in told["body"]}
            yield Labelled(body, int(told["incident"]), tuple(told["officers"]))
        except (KeyError, TypeError, ValueError) as fault:
            raise ValueError(f"line {number} is no labelled complaint") from fault
