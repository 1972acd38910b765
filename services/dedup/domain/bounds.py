"""Bounds of weights: whether a pair can still reach a weight, before all of it is compared.

Most candidates are no match, and their first fields show it. A bound is never below the weight itself, so
whoever stops at it loses nothing.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import inf
from typing import Final

from services.dedup.domain.comparing import BANDS_OF_OFFICERS, NEARNESSES, band_of_officers, kinds_of_texts
from services.dedup.domain.features import Features, Officer, Told
from services.dedup.domain.weights import ROUNDING, Weights

_FIELDS: Final = {
    Told.NUMBER: "collar number",
    Told.UNIT: "unit",
    Told.RANK: "rank",
    Told.VEHICLE: "vehicle",
    Told.LOOKS: "looks",
    Told.WORDS: "description",
}
"""The fields that are bounded by their heaviest level; of names and forces the level is known."""
_FORCE: Final = Told.FORCE.value
_ALWAYS_COMPARED: Final = 255 - Told.NAME.value - Told.UNIT.value
"""A place is not compared with a duty, nor an initial with a surname's."""
_LIMITS: Final = (-inf, *BANDS_OF_OFFICERS)


class Bounds:
    """The bounds of one model."""

    def __init__(self, incident: Weights, officer: Weights) -> None:
        self._name_weighs = officer.levels("name")
        self._same_force = officer.of("force", "same")
        self._other_force = officer.of("force", "different")
        most = {flag: officer.most(field) for flag, field in _FIELDS.items()}
        self._most = [
            ROUNDING + sum(weight for flag, weight in most.items() if flag & told)
            for told in range(2 * max(Told))
        ]
        self._most_of_narratives = {
            kinds: max([0.0, *(weight for level, weight in narratives.items() if level.endswith(kinds))])
            for narratives in (incident.levels("narrative"),)
            for kinds in ("same kind", "other kind")
        }
        self._phrases, self._names = incident.most("phrases"), incident.most("names in the text")
        self._both_one = incident.of("number of officers", "both one")
        self._one_and_more = incident.of("number of officers", "one and more")
        self._most_of_second = max(self._one_and_more, incident.most("other officers"))
        # Of each band the most that it and those below it weigh.
        self._up_to_band: dict[str, Sequence[float]] = {
            nearness: list(
                accumulate(
                    (incident.of("officers", f"{band_of_officers(least)}, {nearness}") for least in _LIMITS),
                    max,
                )
            )
            for nearness in NEARNESSES
        }

    def of_officers(self, told: int, x: Officer, y: Officer, name: str) -> float:
        """The most that two subjects can weigh; infinity where they may have no field to compare.

        Args:
            told: the fields that both have, as `Told`.
            name: their `name_level`.
        """
        most = self._most[told]
        if name:
            most += self._name_weighs.get(name, 0.0)
        elif not told & _ALWAYS_COMPARED:
            return inf
        if told & _FORCE:
            most += self._same_force if x.force == y.force else self._other_force
        return most

    def of_texts(self, one: Features, other: Features) -> float:
        """The most that the texts of two complaints can weigh."""
        most = self._most_of_narratives[kinds_of_texts(one, other)] + self._phrases + ROUNDING
        return most + self._names if one.mentions and other.mentions else most

    def least_of_officers(self, one: Features, other: Features, nearness: str, wanted: float) -> float:
        """The least that the best pair of subjects must weigh, where the subjects together are to add
        `wanted` to the weight of two complaints; minus infinity where any will do, infinity where none will.
        """
        fewer, more = sorted((len(one.officers), len(other.officers)))
        wanted -= self._both_one if more == 1 else self._one_and_more if fewer < 2 else self._most_of_second
        band = bisect_left(self._up_to_band[nearness], wanted)
        return _LIMITS[band] if band < len(_LIMITS) else inf
