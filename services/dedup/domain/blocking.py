"""Blocking keys: complaints that share one may be compared, others are not.

A complaint is indexed under `indexed` keys and looks for others under `asked` keys; the two differ where a
key has a tolerance. The relation is symmetric: if A asks for what B is indexed under, B asks for what A is.
Keys are texts here; they are stored as keyed hashes alone. Which keys, and why these: 7-matching.md, point
4. A pair that shares rare keys, or many, stands before others where there are too many candidates
(`services.dedup.index`).

Times are of three kinds. An exact one (up to `MOST_DAYS`) is indexed by its period of four days and asks the
neighbouring ones too, so that three days more or less are met. It is indexed by its season of 64 days as
well, for other exact times (callers err by weeks) and for longer ones, which are indexed by their seasons
under keys of their own. A complaint without a time, or of one longer than `LONGEST_TIME`, asks by place, and
by kind with force: in a history of many years and forces these alone single out a few, and in a dense one
the caps of `services.dedup.domain.candidates` hold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from services.dedup.domain.features import Features, Officer
from services.dedup.domain.narratives import BANDS, bands
from services.dedup.domain.phonetics import sound_of
from services.dedup.domain.words import SHORT_FORMS

MOST_DAYS: Final = 8
"""An incident of up to so many days counts as exact."""
LONGEST_TIME: Final = 100
"""A longer time says too little about nearness to look for it season by season."""
_MOST_SINGLE_DAYS: Final = 3
_PERIOD: Final = 4
_SEASON: Final = 64
_MOST_OFFICERS: Final = 12
_MOST_PLACES: Final = 3
_MOST_KINDS: Final = 2
_MOST_LOOKS: Final = 3
_FRAGMENT: Final = 2
_PLATE: Final = 4
_BEGINNING: Final = 4


@dataclass(frozen=True, slots=True)
class BlockingKeys:
    indexed: tuple[str, ...]
    asked: tuple[str, ...]


def blocking_keys(features: Features) -> BlockingKeys:
    """The keys of one complaint, each once, in a stable order."""
    indexed = dict.fromkeys([*_of_officers(features), *_of_narrative(features)])
    asked = dict(indexed)
    near = list(dict.fromkeys(_beside_a_time(features)))
    far = list(dict.fromkeys(_without_a_time(features)))
    first, last = features.first_day, features.last_day
    length = last - first
    if not features.is_dated or length > LONGEST_TIME:
        indexed |= dict.fromkeys(f"no time|{key}" for key in far)
        asked |= dict.fromkeys(f"{when}|{key}" for key in far for when in ("no time", "some time"))
        return BlockingKeys(tuple(indexed), tuple(asked))
    indexed |= dict.fromkeys(f"some time|{key}" for key in far)
    asked |= dict.fromkeys(f"no time|{key}" for key in far)
    if length < _MOST_SINGLE_DAYS:
        days = range(first, last + 1)
        indexed |= dict.fromkeys(f"day {day}" for day in days)
        asked |= dict.fromkeys(f"day {day}" for day in range(first - 1, last + 2))
        if features.force:
            of_force = dict.fromkeys(f"day {day}|{features.force}" for day in days)
            indexed |= of_force
            asked |= of_force
    seasons = range(first // _SEASON, last // _SEASON + 1)
    when = "in season" if length <= MOST_DAYS else "long, in season"
    indexed |= dict.fromkeys(f"{when} {season}|{key}" for key in near for season in seasons)
    asked |= dict.fromkeys(
        f"{when} {season}|{key}"
        for key in near
        for season in seasons
        for when in ("in season", "long, in season")
    )
    if length <= MOST_DAYS:
        periods = range(first // _PERIOD, last // _PERIOD + 1)
        around = range(periods.start - 1, periods.stop + 1)
        indexed |= dict.fromkeys(f"{period}|{key}" for key in near for period in periods)
        asked |= dict.fromkeys(f"{period}|{key}" for key in near for period in around)
    return BlockingKeys(tuple(indexed), tuple(asked))


def _beside_a_time(features: Features) -> Iterator[str]:
    """What two complaints of about the same time share."""
    if features.force:
        yield f"force|{features.force}"
    for place in _whereabouts(features):
        yield f"place|{place}"
    for kind in features.categories[:_MOST_KINDS]:
        yield f"kind|{kind}|{features.force}"
        yield f"kind|{kind}"
    for officer in _officers(features):
        if officer.sound:
            yield f"sound|{officer.sound}"
        for forename in _forenames(officer):
            yield f"forename|{forename}"
        for fragment in _fragments(officer):
            yield f"number|{fragment}|{officer.force}"
        for look in officer.looks[:_MOST_LOOKS]:
            yield f"look|{look}|{officer.force}"


def _whereabouts(features: Features) -> Iterable[str]:
    """The words of places and of units, for a station is told as either."""
    units = [word for officer in _officers(features) for word in officer.unit.split()]
    return dict.fromkeys((*features.places[:_MOST_PLACES], *units[:_MOST_PLACES]))


def _without_a_time(features: Features) -> Iterator[str]:
    """What two complaints share of which one has no time."""
    force = features.force
    beside = [*features.categories[:_MOST_KINDS]]
    for officer in _officers(features):
        beside += [
            officer.sound,
            *_forenames(officer),
            *_fragments(officer),
            officer.duty,
            *officer.looks[:_MOST_LOOKS],
        ]
    for place in _whereabouts(features):
        if " " in place:
            yield f"street|{place}|{force}"
        yield f"place|{place}"
        for each in beside:
            if each:
                yield f"place|{place}|{each}"
    for kind in features.categories[:_MOST_KINDS]:
        if force:
            yield f"kind|{kind}|{force}"
        for look in dict.fromkeys(look for officer in _officers(features) for look in officer.looks):
            yield f"kind look|{kind}|{look}|{force}"


def _of_officers(features: Features) -> Iterator[str]:
    """What two complaints about one officer share, at whatever times."""
    for officer in _officers(features):
        force = officer.force
        if officer.sound:
            yield f"sound force|{officer.sound}|{force}"
            if officer.unit:
                yield f"sound unit|{officer.sound}|{officer.unit}"
            for forename in _forenames(officer):
                # Without the force: who moved to another one is the same officer.
                yield f"name|{officer.sound}|{forename}"
        if officer.surname:
            # Beginnings agree where a slip throws the code of sounds off; and names are told turned round.
            yield f"beginning force|{officer.surname[:_BEGINNING]}|{force}"
            if officer.forename:
                both = sorted((officer.sound, sound_of(officer.forename)))
                yield f"both names|{both[0]}|{both[1]}"
        for forename in _forenames(officer):
            if officer.unit:
                yield f"forename unit|{forename}|{officer.unit}"
            yield f"forename force|{forename}|{force}"
        for fragment in _fragments(officer):
            yield f"number force|{fragment}|{force}"
        if len(officer.looks) > 1 and officer.unit:
            for look in officer.looks[:_MOST_LOOKS]:
                yield f"look unit|{look}|{officer.unit}"
        if officer.vehicle:
            yield f"vehicle|{officer.vehicle[:_PLATE]}"


def _forenames(officer: Officer) -> Iterable[str]:
    """The forenames that a told one may stand for: Mick is met by Michael."""
    told = officer.forename or officer.either
    if not told:
        return ()
    return sorted(SHORT_FORMS[told])[:2] if told in SHORT_FORMS else (told,)


def _fragments(officer: Officer) -> Iterable[str]:
    """Callers see the beginning of a collar number or its end."""
    digits = "".join(c for c in officer.collar_number if c.isdigit())
    if len(digits) < _FRAGMENT:
        return ()
    return f"{digits[:_FRAGMENT]}-", f"-{digits[-_FRAGMENT:]}"


def _of_narrative(features: Features) -> Iterator[str]:
    # One band alone is met by stock sentences; two neighbouring ones by a text that was sent again.
    of = {band[0]: band for band in bands(features.signature)}
    for n in range(0, BANDS, 2):
        if n in of and n + 1 in of:
            yield f"narrative|{of[n]}|{of[n + 1]}"


def _officers(features: Features) -> tuple[Officer, ...]:
    return features.officers[:_MOST_OFFICERS]
