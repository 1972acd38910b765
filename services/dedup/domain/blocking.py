"""Blocking keys: complaints that share one are compared, others are not.

A complaint is indexed under `indexed` keys and looks for others under `asked` keys; the two differ where a
key has a tolerance (weeks next to each other). The relation is symmetric: if A asks for what B is indexed
under, B asks for what A is. Keys are texts here; they are stored as keyed hashes alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.dedup.domain.features import Features, Officer
from services.dedup.domain.narratives import bands

MOST_DAYS = 3
"""An incident of up to so many days has a key for each of them; a longer time has none by the day."""
_MOST_OFFICERS = 12
_MOST_PLACES = 3
_MOST_CATEGORIES = 3


@dataclass(frozen=True, slots=True)
class BlockingKeys:
    indexed: tuple[str, ...]
    asked: tuple[str, ...]


def blocking_keys(features: Features) -> BlockingKeys:
    """The keys of one complaint, each once, in a stable order."""
    both = dict.fromkeys([*_by_day(features), *_of_officers(features), *_of_narrative(features)])
    weeks = list(_by_week(features))
    indexed = dict.fromkeys(key for key, _ in weeks)
    asked = dict.fromkeys(near for _, nearby in weeks for near in nearby)
    return BlockingKeys((*both, *indexed), (*both, *asked))


def _days(features: Features) -> range:
    last = features.last_day
    if not features.first_day or last - features.first_day >= MOST_DAYS:
        return range(0)
    return range(features.first_day, last + 1)


def _by_day(features: Features) -> Iterator[str]:
    units = dict.fromkeys(officer.unit for officer in _officers(features) if officer.unit)
    for day in _days(features):
        for unit in units:
            yield f"unit day|{unit}|{day}"
        for place in features.places[:_MOST_PLACES]:
            yield f"place day|{place}|{day}"
        if features.force:
            for category in features.categories[:_MOST_CATEGORIES]:
                yield f"force category day|{features.force}|{category}|{day}"


def _by_week(features: Features) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(indexed, asked): a surname in a force within a week, more or less."""
    if not features.is_dated or features.last_day - features.first_day > 31:
        return
    first, last = features.first_day // 7, features.last_day // 7
    sounds = {(officer.sound, officer.force) for officer in _officers(features) if officer.sound}
    for sound, force in sorted(sounds):
        for week in range(first, last + 1):
            nearby = tuple(f"sound force week|{sound}|{force}|{near}" for near in (week - 1, week, week + 1))
            yield nearby[1], nearby


def _of_officers(features: Features) -> Iterator[str]:
    for officer in _officers(features):
        if officer.collar_number:
            yield f"collar|{officer.force}|{officer.collar_number}"
        if officer.sound and officer.unit:
            yield f"sound unit|{officer.sound}|{officer.unit}"
        if officer.sound and officer.initials:
            yield f"sound initial force|{officer.sound}|{officer.initials[0]}|{officer.force}"
        if officer.surname and officer.forename:
            # Without the force: who moved to another one is the same officer.
            yield f"name|{officer.surname}|{officer.forename}"
        if officer.vehicle:
            yield f"vehicle|{officer.vehicle}"


def _of_narrative(features: Features) -> Iterator[str]:
    for band in bands(features.signature):
        yield f"narrative|{band}"


def _officers(features: Features) -> tuple[Officer, ...]:
    return features.officers[:_MOST_OFFICERS]
