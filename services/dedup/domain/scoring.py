"""How strongly two complaints, or two subjects, point to the same: weights, each with its reason.

A pair's weight is the sum of its waterfall, exactly (`math.fsum`, so in whatever order): the prior, a level
of each field that both sides have, what the surname's frequency adds, and what a cap takes away. Pure: the
features of two complaints and the model, nothing else. A pair is scored with its lower complaint first.
"""

from dataclasses import dataclass
from math import log2

from services.dedup.domain.comparing import (
    MISSING,
    compare_incidents,
    compare_officers,
    day_level,
    officers_in_common,
    officers_level,
    overlap,
)
from services.dedup.domain.facts import Kind
from services.dedup.domain.features import UNIT, VEHICLE, Features
from services.dedup.domain.model import Model, Population
from services.dedup.domain.narratives import similarity
from services.dedup.domain.weights import ROUNDING, Scored, Weights
from services.dedup.domain.zones import KeptZone, zone_of


@dataclass(frozen=True, slots=True)
class Found:
    """A pair that is worth keeping, as complaint A's `subject` and complaint B's `other_subject` (None in
    matches of whole complaints)."""

    kind: Kind
    zone: KeptZone
    scored: Scored
    subject: int | None = None
    other_subject: int | None = None


class Scorer:
    """Scores pairs by one model. The weights are looked up in tables made once."""

    def __init__(self, model: Model, population: Population) -> None:
        self.model = model
        self._population = population
        self._incident, self._officer = Weights(model.incident), Weights(model.officer)
        self._rarest = max(0.0, log2(population.other / min(population.shares.values(), default=1.0)))
        self._ceilings: dict[tuple[str, bool, int], float] = {}

    def pairs(self, one: Features, other: Features) -> list[Found]:
        """What is worth keeping of two complaints: at most one match of the whole, and one for every two
        subjects. A subject of `one` is matched with at most one of `other`, the likeliest."""
        are_strangers = one.is_strange_to(other)
        whole = self._whole(one, other, are_strangers)
        found = [whole] if whole else []
        if not are_strangers:
            found += self._officers(one, other)
        return found

    def incident(self, one: Features, other: Features) -> Found | None:
        """The match of the whole complaints alone."""
        return self._whole(one, other, one.is_strange_to(other))

    def _whole(self, one: Features, other: Features, are_strangers: bool) -> Found | None:
        zones = self.model.incident.zones
        day = day_level(one, other)
        if day != "apart" and self._is_same_account(one, other):
            scored = self.score_incident(one, other)
            return Found("duplicate", zone_of(scored.weight, zones) or "review", scored)
        # Most pairs end here: by what is seen at once they cannot weigh enough any more.
        seen = (day, are_strangers, one.told & other.told)
        if (ceiling := self._ceilings.get(seen)) is None:
            ceiling = self._ceilings[seen] = self._ceiling(*seen)
        if ceiling < zones.review - ROUNDING:
            return None
        likely = self._scored_incident(one, other, zones.review)
        zone = zone_of(likely.weight, zones) if likely else None
        return Found("same_incident", zone, likely) if likely and zone else None

    def score_incident(self, one: Features, other: Features) -> Scored:
        """The score of any pair, however low."""
        scored = self._scored_incident(one, other)
        assert scored is not None  # noqa: S101  (there is no least weight)
        return scored

    def _ceiling(self, day: str, are_strangers: bool, told: int) -> float:
        """The most that an incident's pair can weigh. Strangers have no officer in common; `told` is what
        both tell of officers."""
        seen = {"day": day}
        if are_strangers:
            seen["officers"] = officers_level(told, ())
        if not told & UNIT:
            seen["unit"] = MISSING
        if not told & VEHICLE:
            seen["vehicle"] = MISSING
        return self._incident.ceiling(seen, "officers", self._rarest)

    def _scored_incident(self, one: Features, other: Features, least: float | None = None) -> Scored | None:
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

    def _officers(self, one: Features, other: Features) -> list[Found]:
        found = []
        for i, j, _ in officers_in_common(one.officers, other.officers, at_least_similar=True):
            scored = self._scored_officers(one, i, other, j, self.model.officer.zones.review)
            if scored and (zone := zone_of(scored.weight, self.model.officer.zones)):
                found.append((-scored.weight, i, j, zone, scored))
        taken_one: set[int] = set()
        taken_other: set[int] = set()
        chosen = []
        for _, i, j, zone, scored in sorted(found, key=lambda pair: pair[:3]):
            if i not in taken_one and j not in taken_other:
                taken_one.add(i)
                taken_other.add(j)
                x, y = one.officers[i], other.officers[j]
                chosen.append(Found("same_officer", zone, scored, x.subject, y.subject))
        return chosen

    def _is_same_account(self, one: Features, other: Features) -> bool:
        rule = self.model.duplicate
        if one.words < rule.words or other.words < rule.words or not overlap(one, other):
            return False
        shared = similarity(one.signature, other.signature)
        return shared is not None and shared >= rule.similarity

    def _frequency(self, share: float | None) -> float | None:
        """What the frequency of a surname adds to a level made for an unlisted one."""
        return None if share is None else log2(self._population.other / share)


_BY_SURNAME = frozenset({"number and name", "full name", "surname"})
