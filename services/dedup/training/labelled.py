"""Complaints with their truth, of whatever origin."""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

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


class Simulated(NamedTuple):
    """A stream out of files, and where it comes from."""

    labelled: list[Labelled]
    purpose: str
    seed: int


def read_simulated(path: Path) -> Simulated:
    """Complaints and truth as `./hotline simulate --out FILE` writes them: NDJSON (`.gz`: compressed), and
    `FILE.truth.ndjson`.

    Raises:
        OSError: one of the two is not there.
        ValueError: they do not belong together, or a line is none; the message has file and number.
    """
    truth = path.with_name(f"{path.name}.truth.ndjson")
    with truth.open("rb") as told:
        try:
            head = orjson.loads(next(told, b""))
            origin = str(head["purpose"]), int(head["seed"])
        except (KeyError, TypeError, ValueError) as fault:
            raise ValueError(f"{truth}: line 1 does not tell seed and purpose") from fault
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as bodies:
            labelled = [
                _labelled(*each, f"{path}: line {n}") for n, each in enumerate(_both(bodies, told), 1)
            ]
    return Simulated(labelled, *origin)


def _both(bodies: Iterable[bytes], told: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for body, truth in zip_longest(bodies, told):
        yield body or b"", truth or b""


def _labelled(body: bytes, truth: bytes, where: str) -> Labelled:
    try:
        told, true = orjson.loads(body), orjson.loads(truth)
        matched = {name: told[name] for name in MATCHED if name in told}
        return Labelled(matched, int(true["incident"]), tuple(true["officers"]))
    except (KeyError, TypeError, ValueError) as fault:
        raise ValueError(f"{where} is no complaint with its truth") from fault
