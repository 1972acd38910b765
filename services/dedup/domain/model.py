"""The scoring model as data: what each level weighs, thresholds, and how common surnames are.

An additive model: each comparison of two records falls into one level of its field, a level weighs so many
bits, and a pair weighs their sum. The file is made by `services.dedup.training` and has its version; weights
that were made on other features than the present ones are none that the process starts with.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

_DATA: Final = Path(__file__).parent / "data"

Probability = Annotated[float, Field(gt=0, lt=1)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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

    `average`: the least average weight on which two groups are joined, not below the accepted weight of a
    link: no group goes beyond what accepted links connect. A pair that was not kept counts `unseen`, but for
    complaints with `seen` kept links and more: they were not compared with all. `fit`: the least fit of the
    profiles of two groups of officers.
    """

    average: float
    fit: float
    unseen: float
    seen: Annotated[int, Field(ge=2)]


class PairModel(_Data):
    """The model of one kind of pair.

    `prior` is what a pair weighs that tells nothing, in bits. `identifiers` are the groups of fields that
    may each carry a match alone; without the strongest of them a pair must have `corroboration` bits left,
    else it rests on one, and is shown so.
    """

    prior: float
    weights: dict[str, dict[str, float]]
    identifiers: tuple[tuple[str, ...], ...]
    corroboration: float
    zones: Zones
    clustering: Clustering


class Duplicate(_Data):
    """When an account counts as the same one again: so much of the text, and so many words of it."""

    similarity: Probability
    words: Annotated[int, Field(ge=8)]


class Provenance(_Data):
    """Streams that a model was trained on: one for each seed, of so many complaints each. For people, and
    for training the model again; no score depends on it."""

    origin: str
    seeds: tuple[int, ...]
    complaints: int


class Model(_Data):
    """`form` is the form of features (`features.FORM`) that the weights were made on."""

    version: str
    form: int
    incident: PairModel
    officer: PairModel
    duplicate: Duplicate
    provenance: tuple[Provenance, ...] = ()


class Population(_Data):
    """How common surnames are among everybody, not among those complained about: otherwise an officer who
    is named often would weaken the evidence of his own name. `other` stands for any that is not listed."""

    version: str
    other: Probability
    shares: dict[str, Probability]

    def share(self, surname: str) -> float:
        return self.shares.get(surname, self.other)


MODEL_FILE: Final = _DATA / "model.json"


@cache
def load_model() -> Model:
    """The model that comes with the software.

    Raises:
        ValidationError: the file is wrong; the process does not start with it.
    """
    return Model.model_validate_json(MODEL_FILE.read_bytes())


@cache
def load_population() -> Population:
    return Population.model_validate_json((_DATA / "surnames.json").read_bytes())
