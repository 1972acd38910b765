"""How strongly two complaints, or two subjects, point to the same: weights, each with its reason.

Pure: the features of two complaints and the model, nothing else. A pair is scored with its lower complaint
first. The evidence that the subjects give for being one officer is a field of the complaints' own comparison.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from services.dedup.domain.bounds import Bounds
from services.dedup.domain.comparing import (
    compare_evidence,
    compare_incidents,
    compare_settings,
    compare_texts,
    overlap,
)
from services.dedup.domain.comparing_officers import Levels, compare_officers, name_level
from services.dedup.domain.facts import Kind
from services.dedup.domain.features import Features, Told
from services.dedup.domain.model import Model
from services.dedup.domain.narratives import is_similar
from services.dedup.domain.weights import ROUNDING, Scored, Weights
from services.dedup.domain.zones import KeptZone, zone_of

_NAME: Final = Told.NAME.value


@dataclass(frozen=True, slots=True)
class Found:
    """A pair that is worth keeping, as complaint A's `subject` and complaint B's `other_subject` (None in
    matches of whole complaints)."""

    kind: Kind
    zone: KeptZone
    scored: Scored
    subject: int | None = None
    other_subject: int | None = None


@dataclass(frozen=True, slots=True)
class _Subjects:
    """Two subjects that can be compared, by their places; `evidence` is without the prior."""

    evidence: float
    i: int
    j: int
    levels: Levels


@dataclass(slots=True)
class _Compared:
    """Two complaints, as far as they are compared without their subjects."""

    nearness: str
    settings: Levels
    texts: Levels | None = None
    is_same_account: bool = False


class Scorer:
    """Scores pairs by one model. The weights are looked up in tables made once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._incident, self._officer = Weights(model.incident), Weights(model.officer)
        self._bounds = Bounds(self._incident, self._officer)
        # An officer match of less is not kept.
        self._least_kept = model.officer.zones.review - self._officer.prior - ROUNDING

    def pairs(self, one: Features, other: Features) -> list[Found]:
        """What is worth keeping of two complaints: at most one match of the whole, and one for every two
        subjects. A subject of `one` is matched with at most one of `other`, the likeliest."""
        compared = _Compared(*compare_settings(one, other))
        least = self._least_of_officers(compared, one, other)
        subjects, is_cut = self._subjects(one, other, min(least, self._least_kept))
        if not is_cut:
            whole = self._whole(one, other, subjects, compared)
        elif subjects and subjects[0].evidence >= least:
            # The second pair of subjects counts too, however little it weighs.
            whole = self._whole(one, other, self._subjects(one, other)[0], compared)
        else:
            whole = None
        return [*([whole] if whole else []), *self._officers(one, other, subjects)]

    def incident(self, one: Features, other: Features) -> Found | None:
        """The match of the whole complaints alone."""
        compared = _Compared(*compare_settings(one, other))
        compared.is_same_account = self._is_same_account(one, other)
        return self._whole(one, other, self._subjects(one, other)[0], compared)

    def score_incident(self, one: Features, other: Features) -> Scored:
        """The score of any pair, however low."""
        return self._incident.scored(compare_incidents(one, other, _best(self._subjects(one, other)[0])))

    def score_officers(self, one: Features, i: int, other: Features, j: int) -> Scored:
        """The score of any two subjects; `i` and `j` count the officers of the features."""
        return self._officer.scored(compare_officers(one.officers[i], other.officers[j], one, other))

    def evidence_of_officers(self, one: Features, other: Features) -> list[float]:
        """What the subjects of two complaints weigh for being the same officers, as `compare_incidents`
        takes it."""
        return _best(self._subjects(one, other)[0])

    def levels_of_officers(self, one: Features, i: int, other: Features, j: int) -> list[tuple[str, float]]:
        """(field, weight) of the fields that both subjects tell."""
        levels = compare_officers(one.officers[i], other.officers[j], one, other)
        return [(level[0], self._officer.evidence((level,))) for level in levels]

    def _subjects(self, one: Features, other: Features, least: float = -inf) -> tuple[list[_Subjects], bool]:
        """The pairs of subjects that can be compared, the heaviest first, and whether pairs are left out that
        cannot weigh `least`: most pairs, and a name alone shows it of most."""
        found = []
        is_cut = False
        bound_of = self._bounds.of_officers
        for i, (x, told) in enumerate(zip(one.officers, one.told, strict=True)):
            for j, (y, other_told) in enumerate(zip(other.officers, other.told, strict=True)):
                if not (both := told & other_told):
                    continue
                name = name_level(x, y) if both & _NAME else ""
                if least > -inf and bound_of(both, x, y, name) < least:
                    is_cut = True
                elif levels := compare_officers(x, y, one, other, name):
                    found.append(_Subjects(self._officer.evidence(levels), i, j, levels))
        if len(found) > 1:
            found.sort(key=lambda pair: (-pair.evidence, pair.i, pair.j))
        return found, is_cut

    def _least_of_officers(self, compared: "_Compared", one: Features, other: Features) -> float:
        """Two complaints whose best subjects weigh less are no match; without any subjects they may be."""
        if self._is_same_account(one, other):
            compared.is_same_account = True
            return -inf
        wanted = self.model.incident.zones.review - ROUNDING - self._incident.prior
        wanted -= self._incident.evidence(compared.settings)
        most_of_texts = self._bounds.of_texts(one, other)
        least = self._bounds.least_of_officers(one, other, compared.nearness, wanted - most_of_texts)
        if least >= self._least_kept:
            return least
        compared.texts = compare_texts(one, other)
        wanted -= self._incident.evidence(compared.texts)
        return self._bounds.least_of_officers(one, other, compared.nearness, wanted)

    def _whole(
        self, one: Features, other: Features, subjects: list[_Subjects], compared: "_Compared"
    ) -> Found | None:
        zones = self.model.incident.zones
        levels = [
            *compared.settings,
            *compare_evidence(one, other, _best(subjects), compared.nearness),
        ]
        if not compared.is_same_account:
            evidence = self._incident.prior + self._incident.evidence(levels)
            # Most pairs end here: whatever the texts have in common is not enough.
            if evidence + self._bounds.of_texts(one, other) < zones.review - ROUNDING:
                return None
        levels += compare_texts(one, other) if compared.texts is None else compared.texts
        if compared.is_same_account:
            scored = self._incident.scored(levels)
            return Found("duplicate", zone_of(scored.weight, zones) or "review", scored)
        if self._incident.prior + self._incident.evidence(levels) < zones.review - ROUNDING:
            return None
        scored = self._incident.scored(levels)
        zone = zone_of(scored.weight, zones)
        return Found("same_incident", zone, scored) if zone else None

    def _officers(self, one: Features, other: Features, subjects: list[_Subjects]) -> list[Found]:
        zones = self.model.officer.zones
        taken_one: set[int] = set()
        taken_other: set[int] = set()
        chosen = []
        for pair in subjects:
            if self._officer.prior + pair.evidence < zones.review - ROUNDING:
                break
            if pair.i in taken_one or pair.j in taken_other:
                continue
            scored = self._officer.scored(pair.levels)
            if zone := zone_of(scored.weight, zones):
                taken_one.add(pair.i)
                taken_other.add(pair.j)
                x, y = one.officers[pair.i], other.officers[pair.j]
                chosen.append(Found("same_officer", zone, scored, x.subject, y.subject))
        return chosen

    def _is_same_account(self, one: Features, other: Features) -> bool:
        rule = self.model.duplicate
        if one.words < rule.words or other.words < rule.words or not overlap(one, other):
            return False
        return is_similar(one.signature, other.signature, rule.similarity)


def _best(subjects: list[_Subjects]) -> list[float]:
    """The evidence of the heaviest pair, and of the heaviest of two other subjects."""
    if not subjects:
        return []
    first = subjects[0]
    second = next((pair.evidence for pair in subjects[1:] if pair.i != first.i and pair.j != first.j), None)
    return [first.evidence] if second is None else [first.evidence, second]
