"""Labelled complaints and their scoring without a running system, for training and evaluation.

`labelled_complaints` yields bodies of `POST /v1/complaints` with their truth; `score` measures an answer
against it. Both are pure: the same arguments give the same result in any process and on any day.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from deploy.simulation.evaluation import (
    Answer,
    Member,
    Officers,
    Pair,
    Pairs,
    officers_found,
    recall_at_precision,
    same_incident_pairs,
)
from deploy.simulation.purposes import Purpose
from deploy.simulation.stream import calls_of
from deploy.simulation.truth import Truth

PRECISION: Final = 0.99


class LabelledComplaint(NamedTuple):
    """`officers` has the officer's number for each subject of `body`; None for somebody who takes no part in
    matching officers. Numbers of incidents and officers are those of one stream."""

    body: dict[str, Any]
    incident: int
    officers: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Scores:
    """`pairs` counts pairs of complaints in one incident. `recall_at_precision` is the share of the true
    pairs above the lowest weight at which at least `PRECISION` of the pairs are right; None without weights.
    """

    pairs: Pairs
    recall_at_precision: float | None
    officers: Officers


def labelled_complaints(purpose: Purpose, seed: int, complaints: int) -> Iterator[LabelledComplaint]:
    """So many complaints of one stream, in the order in which they come in.

    Raises:
        ValueError: fewer than one complaint.
    """
    for call in calls_of(complaints, seed, purpose):
        yield LabelledComplaint(orjson.loads(call.body), call.incident, call.officers)


def score(
    labelled: Sequence[LabelledComplaint],
    incidents: Mapping[int, Hashable],
    patterns: Mapping[Member, Hashable],
    weights: Mapping[Pair, float] | None = None,
) -> Scores:
    """
    Args:
        labelled: a whole stream; a complaint is named by its index in it.
        incidents: complaint -> its group; a complaint that is not there is alone.
        patterns: (complaint, subject) -> its group; a subject that is not there is alone.
        weights: (lower complaint, higher complaint) -> weight as accounts of one incident, on any scale, for
            the pairs that were compared.
    """
    truth = Truth(tuple(one.incident for one in labelled), tuple(one.officers for one in labelled), {})
    answer = Answer(incidents, patterns, weights=weights or {})
    return Scores(
        same_incident_pairs(answer, truth),
        None if weights is None else recall_at_precision(answer, truth, PRECISION),
        officers_found(answer, truth),
    )
