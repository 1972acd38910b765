"""A stream of calls, as hard to match as a real one.

Its world, happenings, callers and words follow rates that are drawn for this stream alone (`data/rates.toml`
has their ranges with sources). Some officers have nine incidents and more over years and forces; some
incidents have a neighbour on the same night, or on another night by the same officer, that is *not* the same
incident; some callers call again, with or without the receipt of their first call. No officer is in more than
1.5 % of the complaints.
"""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

from deploy.simulation.accounts import Account, Teller, tell_again
from deploy.simulation.callers import Caller, new_caller
from deploy.simulation.careers import build_world
from deploy.simulation.evaluation import MANY_INCIDENTS
from deploy.simulation.happenings import Happening, happenings
from deploy.simulation.names import Names, names_of
from deploy.simulation.narratives import Narrator
from deploy.simulation.places import towns_of
from deploy.simulation.police_words import police_words_of
from deploy.simulation.purposes import Purpose
from deploy.simulation.rates import Rates, draw_rates
from deploy.simulation.subjects import Describer
from deploy.simulation.truth import Truth
from deploy.simulation.weighted import Weighted, pick
from deploy.simulation.world import Officer, World

MOST_OF_ONE_OFFICER: Final = 0.015
_OFFICERS_PER_CALL: Final = 1.1
_LEAST_OFFICERS: Final = 500
_MOST_OFFICERS: Final = 250_000
"""Who served in the United Kingdom within twenty years, roughly."""
_MOST_ACCOUNTS: Final = 12
_TRIES: Final = 20

_CLOSED_CONTACTS = Weighted(
    [("abandoned", 50.0), ("silent", 25.0), ("out_of_scope", 15.0), ("advice_only", 10.0)]
)
_CLOSED_SHARE: Final = 0.15


@dataclass(frozen=True, slots=True)
class Simulation:
    """`complaints` are bodies of `POST /v1/complaints`, without `continues` (that takes a receipt: see
    `truth.continues`); `contacts` are bodies of `POST /v1/contacts`, for those who called and made none."""

    seed: int
    purpose: Purpose
    complaints: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    truth: Truth


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One account of an incident. `body` is its JSON, which takes a third of the memory of its object;
    `officers` has the officer's number for each subject, None for whom nobody is to match; `earlier` is the
    call that its caller names by a receipt."""

    body: bytes
    officers: tuple[int | None, ...]
    incident: int
    earlier: "Call | None" = None


def simulate(calls: int, seed: int, purpose: Purpose = "tuning") -> Simulation:
    """So many complaints, the same for the same seed and purpose.

    Raises:
        ValueError: fewer than one call.
    """
    ordered = calls_of(calls, seed, purpose)
    places = {id(call): place for place, call in enumerate(ordered)}
    truth = Truth(
        incidents=tuple(call.incident for call in ordered),
        officers=tuple(call.officers for call in ordered),
        continues={
            place: places[id(call.earlier)] for place, call in enumerate(ordered) if call.earlier is not None
        },
    )
    contacts = _contacts(calls, _random(seed, purpose))
    return Simulation(seed, purpose, [orjson.loads(call.body) for call in ordered], contacts, truth)


def calls_of(calls: int, seed: int, purpose: Purpose) -> list[Call]:
    """The complaints of `simulate` in their order, for streams that are too long for memory as objects.

    Raises:
        ValueError: fewer than one call.
    """
    if calls < 1:
        raise ValueError("a stream has one call at least")
    rng = _random(seed, purpose)
    world = _world(calls, purpose, draw_rates(purpose, seed), rng)
    return _in_order(_Stream(world, calls, rng).calls(), rng)


def world_of(calls: int, seed: int, purpose: Purpose = "tuning") -> World:
    """The world in which `simulate(calls, seed, purpose)` happens; its officers are those of the truth."""
    return _world(calls, purpose, draw_rates(purpose, seed), _random(seed, purpose))


def describer_of(purpose: Purpose, rates: Rates) -> Describer:
    """Describes officers as the callers of a stream with these rates do."""
    return Describer(names_of(purpose), police_words_of(purpose), rates, tuple(towns_of(purpose)))


def write_simulation(simulation: Simulation, file: Path) -> None:
    """The bodies as NDJSON, compressed where the name ends in `.gz`."""
    lines = b"".join(orjson.dumps(body) + b"\n" for body in simulation.complaints)
    file.write_bytes(gzip.compress(lines, 6, mtime=0) if file.suffix == ".gz" else lines)


def _random(seed: int, purpose: Purpose) -> Random:
    return Random(f"{purpose} {seed}")  # noqa: S311  (a seeded stream, no secret)


def _world(calls: int, purpose: Purpose, rates: Rates, rng: Random) -> World:
    is_enough = _most_of_one_officer(calls) >= MANY_INCIDENTS
    persistent = round(calls * rates.persistent_officers) if is_enough else 0
    officers = min(max(_LEAST_OFFICERS, round(calls * _OFFICERS_PER_CALL)), _MOST_OFFICERS)
    return build_world(officers, persistent, purpose, rates, rng)


def _most_of_one_officer(calls: int) -> int:
    return max(1, int(calls * MOST_OF_ONE_OFFICER))


class _Stream:
    """The calls of one stream, incident by incident."""

    def __init__(self, world: World, wanted: int, rng: Random) -> None:
        self._world, self._wanted, self._rng = world, wanted, rng
        self._rates: Rates = world.rates
        self._names: Names = names_of(world.purpose)
        describer = describer_of(world.purpose, self._rates)
        narrator = Narrator(world.purpose, self._rates)
        self._teller = Teller(describer, narrator, police_words_of(world.purpose), self._rates)
        self._most = _most_of_one_officer(wanted)
        self._complaints: Counter[int] = Counter()
        self._incidents: defaultdict[int, set[int]] = defaultdict(set)

    def calls(self) -> list[Call]:
        made: list[Call] = []
        incident = 0
        for happening in happenings(self._world, self._leads(), self._rng):
            accounts = min(self._accounts(), self._wanted - len(made))
            if any(self._complaints[one.officer.number] + accounts > self._most for one in happening.accused):
                continue
            for call in self._told(happening, incident, accounts):
                made.append(call)
                for officer in {number for number in call.officers if number is not None}:
                    self._complaints[officer] += 1
                    self._incidents[officer].add(incident)
            incident += 1
            if len(made) == self._wanted:
                break
        return made

    def _accounts(self) -> int:
        rng, rates = self._rng, self._rates
        if rng.random() >= rates.told_more_than_once:
            return 1
        count = 2
        while count < _MOST_ACCOUNTS and rng.random() < rates.further_account:
            count += 1
        return count

    def _leads(self) -> Iterator[Officer]:
        """First the persistent ones until each has the incidents that are meant for them, then any officer, a
        few of them more often than others."""
        world, rng = self._world, self._rng
        for officer in world.persistent:
            beyond = int(rng.expovariate(1 / self._rates.incidents_beyond_nine))
            meant = min(self._most, MANY_INCIDENTS + beyond)
            for _ in range(_TRIES * meant):
                if len(self._incidents[officer.number]) >= meant:
                    break
                yield officer
        others = world.officers[len(world.persistent) :]
        weighted = Weighted([(officer, 0.4 + rng.paretovariate(2.5)) for officer in others])
        while True:
            yield weighted.draw(rng)

    def _told(self, happening: Happening, incident: int, accounts: int) -> Iterator[Call]:
        rng, rates = self._rng, self._rates
        calls: list[tuple[Caller, Account, Call]] = []
        for _ in range(accounts):
            earlier: Call | None = None
            if calls and rng.random() < rates.same_caller:
                caller, told, first = pick(calls, rng)
                earlier = first if rng.random() < rates.with_receipt else None
                is_copy = rng.random() < rates.sent_again
                account = tell_again(told, rng) if is_copy else self._teller.tell(happening, caller, rng)
            else:
                caller = new_caller(happening.bystander, self._names, rates, rng)
                account = self._teller.tell(happening, caller, rng)
            call = Call(orjson.dumps(account.body), account.officers, incident, earlier)
            calls.append((caller, account, call))
            yield call


def _in_order(calls: list[Call], rng: Random) -> list[Call]:
    """In any order, but who continues a call comes after it."""
    shuffled = rng.sample(calls, len(calls))
    ordered: list[Call] = []
    seen: set[int] = set()
    for call in shuffled:
        chain = []
        link: Call | None = call
        while link is not None and id(link) not in seen:
            seen.add(id(link))
            chain.append(link)
            link = link.earlier
        ordered += reversed(chain)
    return ordered


def _contacts(calls: int, rng: Random) -> list[dict[str, Any]]:
    """Contacts that made no complaint, on top of the calls, as numbers by the day."""
    count = round(calls * _CLOSED_SHARE)
    dispositions = Counter(_CLOSED_CONTACTS.draw(rng) for _ in range(count))
    return [
        {"channel": "phone", "disposition": disposition, "count": number}
        for disposition, number in sorted(dispositions.items())
    ]
