"""The scoring model as data: comparisons with their levels, thresholds, and how common surnames are.

A Fellegi-Sunter model: each comparison of two records falls into one level; a level weighs
``log2(m / u)``, m being its probability among true matches and u among others. A comparison may stand
several times with different conditions (`when`), for then its levels have other probabilities: the same
officer on another night is no sign of the same incident. The first whose conditions hold counts.
"""

from collections.abc import Mapping
from functools import cache
from math import log2
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

_DATA: Final = Path(__file__).parent / "data"

Probability = Annotated[float, Field(gt=0, lt=1)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(_Data):
    m: Probability
    u: Probability

    @property
    def weight(self) -> float:
        return log2(self.m / self.u)


class Comparison(_Data):
    """`when`: field -> levels; the comparison counts where every named field has one of its levels
    ("missing" stands for a field that could not be compared)."""

    field: str
    when: dict[str, tuple[str, ...]] = {}
    levels: dict[str, Level]


class Cap(_Data):
    """The fields say partly the same: together they weigh at most `most`."""

    fields: tuple[str, ...]
    most: float


class Zones(_Data):
    """Least weights. What lies below `review` is rejected and not kept."""

    review: float
    accept: float

    @model_validator(mode="after")
    def _in_order(self) -> "Zones":
        if self.review > self.accept:
            raise ValueError("review must not be above accept")
        return self


class Clustering(_Data):
    """How pairs become groups, in bits.

    `average`: the least average weight on which two groups are joined; a pair that was not kept counts
    `unseen`. No more than `most_members` come together by single links: who is left waits for a person beside
    the group.
    """

    average: float
    unseen: float
    most_members: Annotated[int, Field(ge=2)]


class PairModel(_Data):
    """The model of one kind of pair; `prior` is the probability that two records taken at random match.

    `identifiers` are the groups of fields that may each carry a match alone; without the strongest of them
    a pair must have `corroboration` bits left, else it rests on one and joins no groups.
    """

    prior: Probability
    comparisons: tuple[Comparison, ...]
    caps: tuple[Cap, ...] = ()
    identifiers: tuple[tuple[str, ...], ...]
    corroboration: float
    zones: Zones
    clustering: Clustering

    @property
    def prior_weight(self) -> float:
        return log2(self.prior / (1 - self.prior))


class Duplicate(_Data):
    """When an account counts as the same one again: so much of the text, and so many words of it."""

    similarity: Probability
    words: Annotated[int, Field(ge=8)]


class Model(_Data):
    version: str
    incident: PairModel
    officer: PairModel
    duplicate: Duplicate


class Population(_Data):
    """How common surnames are among everybody, not among those complained about: otherwise an officer who
    is named often would weaken the evidence of his own name. `other` stands for any that is not listed."""

    version: str
    other: Probability
    shares: dict[str, Probability]

    def share(self, surname: str) -> float:
        return self.shares.get(surname, self.other)


@cache
def load_model() -> Model:
    """The model that comes with the software.

    Raises:
        ValidationError: the file is wrong; the process does not start with it.
    """
    return Model.model_validate_json((_DATA / "model.json").read_bytes())


@cache
def load_population() -> Population:
    return Population.model_validate_json((_DATA / "surnames.json").read_bytes())


Observed = Mapping[str, str]
"""field -> level of one pair; a field that could not be compared is absent."""
