"""A stream of calls, as hard to match as a real one.

What it holds, by the figures that the design plans by: 30 to 46 % of the complaints accuse more than one
officer; no officer is in more than 1.5 % of them; about 16 in a thousand complaints add an officer who has
nine or more, over years and forces; there are about 0.36 pairs of accounts of one incident for each
complaint, of which 13 % share much of their text, 85 % the day and 46 % the category; some incidents have a
neighbour on the same night, or on another night by the same officer, that is *not* the same incident. Some
callers call again, with or without the receipt of their first call.
"""

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import orjson

from deploy.simulation.accounts import Account, tell, tell_again
from deploy.simulation.happenings import Happening, happenings
from deploy.simulation.naming import Weighted
from deploy.simulation.purposes import Purpose
from deploy.simulation.tellers import Teller, somebody
from deploy.simulation.truth import Truth
from deploy.simulation.world import Officer, World, build_world

MOST_OF_ONE_OFFICER = 0.015
MANY_COMPLAINTS = 9
_PERSISTENT_PER_CALL = 0.012
_OFFICERS_PER_CALL = 1.1
_LEAST_OFFICERS = 500

_ACCOUNTS = Weighted([(1, 84.3), (2, 10.4), (3, 2.9), (4, 1.2), (5, 0.6), (6, 0.4), (7, 0.2)])
_SAME_CALLER = 0.25
_WITH_RECEIPT = 0.5
_SAME_TEXT = 0.35
_CLOSED_CONTACTS = Weighted(
    [("abandoned", 50.0), ("silent", 25.0), ("out_of_scope", 15.0), ("advice_only", 10.0)]
)
_CLOSED_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Simulation:
    """`complaints` are bodies of `POST /v1/complaints`, without `continues` (that takes a receipt: see
    `truth.continues`); `contacts` are bodies of `POST /v1/contacts`, for those who called and made none."""

    seed: int
    complaints: list[dict[str, Any]]
    contacts: list[dict[str, Any]]
    truth: Truth


@dataclass(slots=True)
class _Call:
    """One account of an incident; `earlier` is the call that its caller names by a receipt."""

    account: Account
    incident: int
    earlier: "_Call | None" = None


def simulate(calls: int, seed: int, purpose: Purpose = "tuning") -> Simulation:
    """So many complaints, the same for the same seed and purpose.

    Raises:
        ValueError: fewer than one call.
    """
    if calls < 1:
        raise ValueError("a stream has one call at least")
    rng = _random(seed, purpose)
    made = _calls(_world(calls, rng), calls, _most_of_one_officer(calls), rng)
    ordered = _in_order(made, rng)
    places = {id(call): place for place, call in enumerate(ordered)}
    truth = Truth(
        incidents=tuple(call.incident for call in ordered),
        officers=tuple(call.account.officers for call in ordered),
        continues={
            place: places[id(call.earlier)] for place, call in enumerate(ordered) if call.earlier is not None
        },
    )
    return Simulation(seed, [call.account.body for call in ordered], _contacts(calls, rng), truth)


def world_of(calls: int, seed: int, purpose: Purpose = "tuning") -> World:
    """The world in which `simulate(calls, seed, purpose)` happens; its officers are those of the truth."""
    return _world(calls, _random(seed, purpose))


def _random(seed: int, purpose: Purpose) -> Random:
    return Random(f"{purpose} {seed}")  # noqa: S311  (a seeded stream, no secret)


def _world(calls: int, rng: Random) -> World:
    is_enough = _most_of_one_officer(calls) >= MANY_COMPLAINTS
    persistent = round(calls * _PERSISTENT_PER_CALL) if is_enough else 0
    return build_world(max(_LEAST_OFFICERS, round(calls * _OFFICERS_PER_CALL)), persistent, rng)


def _most_of_one_officer(calls: int) -> int:
    return max(1, int(calls * MOST_OF_ONE_OFFICER))


def write_simulation(simulation: Simulation, file: Path) -> None:
    """The bodies as NDJSON, compressed where the name ends in `.gz`."""
    lines = b"".join(orjson.dumps(body) + b"\n" for body in simulation.complaints)
    file.write_bytes(gzip.compress(lines, 6, mtime=0) if file.suffix == ".gz" else lines)


def _calls(world: World, wanted: int, most: int, rng: Random) -> list[_Call]:
    made: list[_Call] = []
    counted: Counter[int] = Counter()
    incident = 0
    for happening in happenings(world, _leads(world, counted, most, rng), rng):
        left = wanted - len(made)
        accounts = min(_ACCOUNTS.draw(rng), left)
        if any(counted[one.officer.number] + accounts > most for one in happening.accused):
            continue
        for call in _told(happening, incident, accounts, rng):
            made.append(call)
            counted.update({officer for officer in call.account.officers if officer is not None})
        incident += 1
        if len(made) == wanted:
            break
    return made


def _leads(world: World, counted: Counter[int], most: int, rng: Random) -> Iterator[Officer]:
    """First the persistent ones until each has what is meant for them, then any officer, a few of them more
    often than others."""
    for officer in world.persistent:
        meant = min(most, MANY_COMPLAINTS + int(rng.expovariate(1 / 3.5)))
        for _ in range(20 * meant):
            if counted[officer.number] >= meant:
                break
            yield officer
    others = world.officers[len(world.persistent) :]
    weighted = Weighted([(officer, 0.4 + rng.paretovariate(2.5)) for officer in others])
    while True:
        yield weighted.draw(rng)


def _told(happening: Happening, incident: int, accounts: int, rng: Random) -> Iterator[_Call]:
    calls: list[tuple[Teller, _Call]] = []
    for _ in range(accounts):
        earlier: _Call | None = None
        if calls and rng.random() < _SAME_CALLER:
            teller, first = rng.choice(calls)
            earlier = first if rng.random() < _WITH_RECEIPT else None
            is_copy = rng.random() < _SAME_TEXT
            account = tell_again(first.account, rng) if is_copy else tell(happening, teller, rng)
        else:
            teller = somebody(happening.bystander, rng)
            account = tell(happening, teller, rng)
        call = _Call(account, incident, earlier)
        calls.append((teller, call))
        yield call


def _in_order(calls: list[_Call], rng: Random) -> list[_Call]:
    """In any order, but who continues a call comes after it."""
    shuffled = rng.sample(calls, len(calls))
    ordered: list[_Call] = []
    seen: set[int] = set()
    for call in shuffled:
        chain = []
        link: _Call | None = call
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
