"""How strongly two complaints, or two subjects, point to the same: weights, each with its reason.

A pair's weight is the sum of its waterfall, exactly (`math.fsum`, so in whatever order): the prior, a level
of each field that both sides have, what the surname's frequency adds, and what a cap takes away. Pure: the
features of two complaints and the model, nothing else. A pair is scored with its lower complaint first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, log2
from typing import NamedTuple

from services.dedup.domain.comparing import (
    compare_incidents,
    compare_officers,
    officers_in_common,
)
from services.dedup.domain.facts import Kind
from services.dedup.domain.features import Features
from services.dedup.domain.model import Model, Observed, PairModel, Population
from services.dedup.domain.narratives import similarity
from services.dedup.domain.zones import KeptZone, zone_of


class Step(NamedTuple):
    """One step of a waterfall; weights are in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Scored:
    """The weight of one pair and how it came about.

    `rests_on_one`: without its strongest identifier hardly anything is left; such a pair joins no groups.
    """

    weight: float
    waterfall: tuple[Step, ...]
    rests_on_one: bool

    @property
    def probability(self) -> float:
        return probability_of(self.weight)


@dataclass(frozen=True, slots=True)
class Found:
    """A pair that is worth keeping, as complaint A's `subject` and complaint B's `other_subject` (None in
    matches of whole complaints)."""

    kind: Kind
    zone: KeptZone
    scored: Scored
    subject: int | None = None
    other_subject: int | None = None


def probability_of(weight: float) -> float:
    """The probability that odds of two to the power of `weight` stand for."""
    return float(1.0 / (1.0 + 2.0 ** -max(min(weight, 1000.0), -1000.0)))


Common = Sequence[tuple[int, int, str]]
"""What `officers_in_common` finds: (place in one, place in other, level)."""


class Scorer:
    """Scores pairs by one model. The weights are looked up in tables made once."""

    def __init__(self, model: Model, population: Population) -> None:
        self.model = model
        self._population = population
        self._incident, self._officer = _Weights(model.incident), _Weights(model.officer)

    def pairs(self, one: Features, other: Features) -> Iterator[Found]:
        """What is worth keeping of two complaints: at most one match of the whole, and one for every two
        subjects. A subject of `one` is matched with at most one of `other`, the likeliest."""
        common = officers_in_common(one.officers, other.officers)
        whole = self.incident(one, other, common)
        if whole is not None:
            yield whole
        yield from self._officers(one, other)

    def incident(self, one: Features, other: Features, common: Common | None = None) -> Found | None:
        if self._is_same_account(one, other):
            scored = self.score_incident(one, other, common)
            return Found("duplicate", zone_of(scored.weight, self.model.incident.zones) or "review", scored)
        likely = self._scored_incident(one, other, common, self.model.incident.zones.review)
        zone = zone_of(likely.weight, self.model.incident.zones) if likely else None
        return Found("same_incident", zone, likely) if likely and zone else None

    def score_incident(self, one: Features, other: Features, common: Common | None = None) -> Scored:
        """The score of any pair, however low."""
        scored = self._scored_incident(one, other, common)
        assert scored is not None  # noqa: S101  (there is no least weight)
        return scored

    def _scored_incident(
        self, one: Features, other: Features, common: Common | None, least: float | None = None
    ) -> Scored | None:
        if common is None:
            common = officers_in_common(one.officers, other.officers)
        observed = compare_incidents(one, other, common)
        surnames = {
            one.officers[i].surname
            for i, j, level in common
            if level in _BY_SURNAME and one.officers[i].surname == other.officers[j].surname
        }
        rarest = min((self._population.share(surname) for surname in surnames if surname), default=None)
        return self._incident.scored(observed, "officers", self._frequency(rarest), least)

    def score_officers(self, one: Features, i: int, other: Features, j: int) -> Scored:
        """The score of any two subjects; `i` and `j` count the officers of the features."""
        scored = self._scored_officers(one, i, other, j)
        assert scored is not None  # noqa: S101  (there is no least weight)
        return scored

    def _scored_officers(
        self, one: Features, i: int, other: Features, j: int, least: float | None = None
    ) -> Scored | None:
        x, y = one.officers[i], other.officers[j]
        observed = compare_officers(x, y, one, other)
        share = self._population.share(x.surname) if observed.get("surname") == "same" else None
        return self._officer.scored(observed, "surname", self._frequency(share), least)

    def _officers(self, one: Features, other: Features) -> Iterator[Found]:
        found = []
        for i, j, _ in officers_in_common(one.officers, other.officers, at_least_similar=True):
            scored = self._scored_officers(one, i, other, j, self.model.officer.zones.review)
            if scored and (zone := zone_of(scored.weight, self.model.officer.zones)):
                found.append((-scored.weight, i, j, zone, scored))
        taken_one: set[int] = set()
        taken_other: set[int] = set()
        for _, i, j, zone, scored in sorted(found, key=lambda pair: pair[:3]):
            if i not in taken_one and j not in taken_other:
                taken_one.add(i)
                taken_other.add(j)
                yield Found("same_officer", zone, scored, one.officers[i].subject, other.officers[j].subject)

    def _is_same_account(self, one: Features, other: Features) -> bool:
        rule = self.model.duplicate
        if min(one.words, other.words) < rule.words:
            return False
        if one.is_dated and other.is_dated and not _overlap(one, other):
            return False
        shared = similarity(one.signature, other.signature)
        return shared is not None and shared >= rule.similarity

    def _frequency(self, share: float | None) -> float | None:
        """What the frequency of a surname adds to a level made for an unlisted one."""
        return None if share is None else log2(self._population.other / share)


_BY_SURNAME = frozenset({"number and name", "full name", "surname"})


def _overlap(one: Features, other: Features) -> bool:
    return one.first_day <= other.last_day and other.first_day <= one.last_day


class _Weights:
    """A pair model's weights, ready to be looked up."""

    def __init__(self, model: PairModel) -> None:
        self._prior = Step("prior", "", model.prior_weight)
        self._identifiers = [frozenset(group) for group in model.identifiers]
        self._corroboration = model.corroboration
        self._caps = [(cap.most, " and ".join(cap.fields)) for cap in model.caps]
        self._cap_of = {field: n for n, cap in enumerate(model.caps) for field in cap.fields}
        self._comparisons = model.comparisons
        self._conditions = {
            comparison.field: tuple(
                sorted(
                    {
                        name
                        for other in model.comparisons
                        if other.field == comparison.field
                        for name in other.when
                    }
                )
            )
            for comparison in model.comparisons
        }
        self._known: dict[tuple[str, ...], float | None] = {}

    def scored(
        self, observed: Observed, named: str, frequency: float | None, least: float | None = None
    ) -> Scored | None:
        """The weight and its waterfall; None where it is below `least`, most of all pairs.

        `frequency` is added beside the field `named`, where that weighs anything for a match.
        """
        terms, total = self._terms(observed, named, frequency)
        if least is not None and total < least - _ROUNDING:
            return None
        steps = sorted((Step(*term) for term in terms), key=lambda step: step.field)
        steps.insert(0, self._prior)
        weight = fsum(step.weight for step in steps)
        strongest = max(
            fsum(step.weight for step in steps if step.field in group) for group in self._identifiers
        )
        rest = weight - self._prior.weight - strongest
        return Scored(weight, tuple(steps), rest < self._corroboration)

    def _terms(
        self, observed: Observed, named: str, frequency: float | None
    ) -> tuple[list[tuple[str, str, float]], float]:
        """The steps after the prior, and the sum with it, but for rounding."""
        terms: list[tuple[str, str, float]] = []
        total = self._prior.weight
        capped = [0.0] * len(self._caps)
        for field, level in observed.items():
            weight = self._weight(field, level, observed)
            if weight is None:
                continue
            terms.append((field, level, weight))
            total += weight
            if (cap := self._cap_of.get(field)) is not None:
                capped[cap] += weight
            if field == named and frequency and weight > 0:
                # A common name can take a name's evidence away, and does not turn it round.
                common = max(frequency, -weight)
                terms.append((f"{named} frequency", "", common))
                total += common
        for (most, label), reached in zip(self._caps, capped, strict=True):
            if reached > most:
                terms.append((label, "cap", most - reached))
                total += most - reached
        return terms, total

    def _weight(self, field: str, level: str, observed: Observed) -> float | None:
        """That of the first comparison of `field` whose conditions hold. There are few combinations."""
        conditions = self._conditions.get(field)
        if conditions is None:
            return None
        key = (field, level, *[observed.get(name, "missing") for name in conditions])
        if key not in self._known:
            self._known[key] = self._looked_up(field, level, observed)
        return self._known[key]

    def _looked_up(self, field: str, level: str, observed: Observed) -> float | None:
        for comparison in self._comparisons:
            if comparison.field == field and all(
                observed.get(name, "missing") in levels for name, levels in comparison.when.items()
            ):
                found = comparison.levels.get(level)
                return found.weight if found else None
        return None


_ROUNDING = 1e-6
"""More than what a plain sum may differ from the exact one."""
