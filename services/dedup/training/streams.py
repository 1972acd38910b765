"""Streams of complaints with a known truth, for training: officers with careers, incidents, and what is left
of both by the time somebody calls.

Each stream draws its own rates within `RATES`: a model that is trained on one set of rates does not carry
over to a deployment that has others (7-matching.md, point 6).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from services.dedup.domain.model import load_population
from services.dedup.training import vocabulary as words
from services.dedup.training.labelled import Labelled
from shared.vocabulary import load_vocabulary

RATES: Final[Mapping[str, tuple[float, float]]] = {
    # Happenings. 1-domain.md: 6 % of real complaints have more than one complainant; 30 to 46 % of them
    # accuse more than one officer.
    "more than one report": (0.06, 0.3),
    "more than one officer": (0.2, 0.5),
    "officers with many incidents": (0.01, 0.05),
    "soon again": (0.05, 0.4),
    "same place again": (0.1, 0.6),
    # Careers, a year. 1-domain.md: after some years 78 % have the same number, 58 % the same unit.
    "moves unit": (0.05, 0.2),
    "moves force": (0.005, 0.05),
    "new number": (0.01, 0.05),
    "is promoted": (0.01, 0.06),
    # Callers: which share of them tells a thing at all, and how well.
    "name": (0.45, 0.9),
    "forename alone": (0.08, 0.35),
    "surname alone": (0.25, 0.55),
    "initials alone": (0.01, 0.12),
    "short form": (0.1, 0.5),
    "slip in the surname": (0.03, 0.14),
    "name turned round": (0.0, 0.04),
    "rank before the name": (0.2, 0.8),
    "another name": (0.0, 0.03),
    "answer that is none": (0.05, 0.5),
    "collar number": (0.08, 0.4),
    "cut collar number": (0.2, 0.6),
    "wrong digit": (0.03, 0.12),
    "unit": (0.35, 0.8),
    "another unit": (0.02, 0.12),
    "rank": (0.2, 0.7),
    "looks": (0.15, 0.6),
    "wrong look": (0.05, 0.2),
    "vehicle": (0.01, 0.12),
    "cut plate": (0.2, 0.6),
    "officer left out": (0.05, 0.35),
    "exact day": (0.5, 0.88),
    "day off": (0.04, 0.18),
    "week": (0.2, 0.5),
    "month": (0.3, 0.6),
    "slip in the date": (0.0, 0.02),
    "weeks off": (0.0, 0.08),
    "long time": (0.1, 0.6),
    "place": (0.55, 0.92),
    "town alone": (0.2, 0.55),
    "force": (0.75, 0.98),
    "another force": (0.0, 0.03),
    "changed kind": (0.1, 0.45),
    "stock sentences": (0.2, 0.8),
    "detail": (0.15, 0.65),
}
_FIRST_DAY: Final = date(2006, 1, 1)
_RANKS: Final = ("PC", "Sergeant", "Inspector", "Chief Inspector")
_SAID_RANKS: Final = {
    "PC": ("PC", "constable", "police constable", "P.C.", "Officer", "police officer"),
    "Sergeant": ("Sgt", "sergeant", "Sergeant", "PS", "A/Sgt"),
    "Inspector": ("Insp", "inspector", "Inspector"),
    "Chief Inspector": ("Chief Inspector", "Ch Insp", "CI"),
}
_SUMMED_REPORTS: Final = ((2, 70), (3, 18), (4, 7), (6, 4), (12, 1))


@dataclass(slots=True)
class _Post:
    """An officer's place from a day on."""

    since: int
    force: str
    town: str
    duty: str
    number: str
    rank: str


@dataclass(slots=True)
class _Officer:
    number: int
    forename: str
    surname: str
    looks: Mapping[str, int]
    plate: str
    posts: list[_Post]

    def post(self, day: int) -> _Post:
        return max((post for post in self.posts if post.since <= day), key=lambda post: post.since)


class Stream:
    """Labelled complaints in the order in which they are filed; the same seed gives the same ones."""

    def __init__(self, seed: int, complaints: int) -> None:
        self._random = Random(seed)
        self._count = complaints
        self.rates = {name: self._random.uniform(*bounds) for name, bounds in RATES.items()}
        self._officers = 0
        vocabulary = load_vocabulary()
        forces = [force for force in vocabulary.forces if force != "unknown"]
        self._random.shuffle(forces)
        # How dense a history is, is not known beforehand: one force in a year, or all of them in twenty.
        self._forces = forces[: round(2 ** self._random.uniform(0, 5.3))]
        self._span = round(365 * self._random.uniform(1, 20))
        self._most_towns = self._random.randint(4, 14)
        self._towns = {force: self._some_towns() for force in self._forces}
        self._staff: dict[tuple[str, str], list[_Officer]] = {}
        shares = load_population().shares
        self._surnames, self._weights = [name.capitalize() for name in shares], list(shares.values())
        self._codes = list(vocabulary.categories)
        slope = self._random.uniform(0.5, 1.8)
        self._code_weights = [(1 + rank) ** -slope for rank in range(len(self._codes))]
        self._random.shuffle(self._code_weights)
        if self._random.random() < 0.7:
            # As in the national figures: duties, individual behaviour and powers before all else.
            self._codes.sort(key=lambda code: not code.startswith("other."))
            self._code_weights.sort(reverse=True)

    def __iter__(self) -> Iterator[Labelled]:
        made: list[tuple[int, Labelled]] = []
        incident = 0
        while len(made) < self._count:
            lead = self._officer()
            self._last_place = ("", "", "")
            for day in self._days(self._incidents_of_one()):
                incident += 1
                made += self._reports(lead, incident, day)
        made.sort(key=lambda each: each[0])
        yield from [each for _, each in made][: self._count]

    # The world

    def _some_towns(self) -> list[str]:
        pick = self._random.choice
        return [
            pick(words.TOWN_BEGINNINGS) + pick(words.TOWN_ENDINGS)
            for _ in range(self._random.randint(3, self._most_towns))
        ]

    def _officer(self) -> _Officer:
        random = self._random
        force = random.choices(self._forces, [1 / (1 + n) for n in range(len(self._forces))])[0]
        post = _Post(0, force, random.choice(self._towns[force]), self._duty(), self._number(force), "PC")
        posts = [post]
        for year in range(1, 20):
            post = self._next_year(post, year * 365)
            if post is not posts[-1]:
                posts.append(post)
        self._officers += 1
        officer = _Officer(
            self._officers,
            random.choice(words.FORENAMES),
            self._surname(),
            {trait: random.randrange(len(values)) for trait, values in words.LOOKS.items()},
            self._plate(),
            posts,
        )
        for each in posts:
            self._staff.setdefault((each.force, each.town), []).append(officer)
        return officer

    def _next_year(self, post: _Post, since: int) -> _Post:
        force, town, duty, number, rank = post.force, post.town, post.duty, post.number, post.rank
        if self._is("moves force"):
            force = self._random.choice(self._forces)
            town, number = self._random.choice(self._towns[force]), self._number(force)
        if self._is("moves unit"):
            town = self._random.choice(self._towns[force]) if self._random.random() < 0.6 else town
            duty = self._duty()
        if self._is("new number"):
            number = self._number(force)
        if self._is("is promoted") and rank != _RANKS[-1]:
            rank = _RANKS[_RANKS.index(rank) + 1]
        changed = _Post(since, force, town, duty, number, rank)
        unchanged = (post.force, post.town, post.duty, post.number, post.rank)
        return post if (force, town, duty, number, rank) == unchanged else changed

    def _surname(self) -> str:
        random = self._random
        drawn = random.random()
        if drawn < 0.45:
            return random.choices(self._surnames, self._weights)[0]
        if drawn < 0.5:
            return random.choice(words.ABROAD)
        return random.choice(words.TAIL_BEGINNINGS) + random.choice(words.TAIL_ENDINGS)

    def _number(self, force: str) -> str:
        # Some forces put letters in front, each its own way.
        style = sum(map(ord, force)) % 3
        digits = str(self._random.randint(100, 99999 if style == 1 else 9999))
        return (digits, digits, digits + force[:1].upper() + "X")[style]

    def _plate(self) -> str:
        letters = "ABCDEFGHJKLMNOPRSTUVWXY"
        pick = self._random.choice
        return f"{pick(letters)}{pick(letters)}{self._random.randint(2, 73):02} " + "".join(
            pick(letters) for _ in range(3)
        )

    def _duty(self) -> str:
        return self._random.choices(list(words.DUTIES), words.WEIGHTS_OF_DUTIES)[0]

    # What happens

    def _incidents_of_one(self) -> int:
        random = self._random
        if self._is("officers with many incidents"):
            return random.randint(9, 14)
        return random.choices((1, 2, 3, 5), (65, 20, 10, 5))[0]

    def _days(self, count: int) -> list[int]:
        """Some of an officer's incidents lie close together: the same officer, another event."""
        days: list[int] = []
        for _ in range(count):
            if days and self._is("soon again"):
                days.append(min(self._span - 1, days[-1] + self._random.randint(1, 20)))
            else:
                days.append(self._random.randrange(self._span))
        return days

    def _reports(self, lead: _Officer, incident: int, day: int) -> Iterator[tuple[int, Labelled]]:
        random = self._random
        post = lead.post(day)
        officers = [lead]
        if self._is("more than one officer"):
            there = self._staff[post.force, post.town]
            for _ in range(random.choices((1, 2, 3), (70, 20, 10))[0]):
                colleague = random.choice(there) if random.random() < 0.6 else self._colleague(post)
                if colleague not in officers:
                    officers.append(colleague)
        code = random.choices(self._codes, self._code_weights)[0]
        street = f"{random.choice(words.STREETS)} {random.choice(words.STREET_TYPES)}"
        town = post.town if random.random() < 0.8 else random.choice(self._towns[post.force])
        spot = random.choice(words.SPOTS)
        if self._last_place[0] and self._is("same place again"):
            street, town, spot = self._last_place
        self._last_place = street, town, spot
        details = random.sample(words.DETAILS, random.randint(2, 7))
        count = 1
        if self._is("more than one report"):
            sizes, weights = zip(*_SUMMED_REPORTS, strict=True)
            count = random.choices(sizes, weights)[0]
        for _ in range(count):
            told = [each for each in officers if len(officers) == 1 or not self._is("officer left out")]
            random.shuffle(told)
            subjects = [self._subject(each, day) for each in told]
            body = {
                "channel": "phone",
                "narrative": self._narrative(details, f"{spot} in {town}", street, officers),
                "subjects": subjects,
                "allegations": [{"code": self._kind(code)}],
                "incident": self._when(day)
                | self._where(street, town, spot)
                | ({"force": self._force(post)} if self._is("force") else {}),
            }
            filed = day + random.choice((0, 1, 2, 5, 20, 100, 400))
            yield filed, Labelled(body, incident, tuple(each.number for each in told))

    def _colleague(self, post: _Post) -> _Officer:
        colleague = self._officer()
        last = colleague.posts[0]
        last.force, last.town = post.force, post.town
        last.number = self._number(post.force)
        del colleague.posts[1:]
        self._staff.setdefault((post.force, post.town), []).append(colleague)
        return colleague

    # What a caller tells of it

    def _is(self, name: str) -> bool:
        return self._random.random() < self.rates[name]

    def _subject(self, officer: _Officer, day: int) -> dict[str, str]:
        post = officer.post(day)
        random = self._random
        told: dict[str, str] = {}
        if random.random() < 0.7:
            told["force"] = self._force(post)
        if self._is("name"):
            told["name"] = self._name(officer, post)
        if self._is("collar number"):
            told["collar_number"] = self._cut_number(post.number)
        if self._is("unit"):
            told["unit"] = self._unit(post)
        if self._is("rank"):
            told["rank"] = random.choice(_SAID_RANKS[post.rank])
        if self._is("looks"):
            told["description"] = self._looks(officer)
        if self._is("vehicle"):
            plate = officer.plate if random.random() < 0.8 else self._plate()
            told["vehicle"] = plate[:4] if self._is("cut plate") else plate
        for field, answers in words.NOT_ANSWERED.items():
            if (
                field != "place"
                and field not in told
                and self._is("answer that is none")
                and random.random() < 0.5
            ):
                told[field] = random.choice(answers)
        return told

    def _force(self, post: _Post) -> str:
        return self._random.choice(self._forces) if self._is("another force") else post.force

    def _name(self, officer: _Officer, post: _Post) -> str:
        random, rates = self._random, self.rates
        forename, surname = officer.forename, officer.surname
        if self._is("another name"):
            surname = self._surname()
        if self._is("short form"):
            forename = words.SHORT.get(forename, forename)
        if self._is("slip in the surname"):
            surname = self._slip(surname)
        drawn = random.random()
        if drawn < rates["forename alone"]:
            name = forename
        elif (drawn := drawn - rates["forename alone"]) < rates["surname alone"]:
            name = surname
        elif (drawn := drawn - rates["surname alone"]) < rates["initials alone"]:
            name = random.choice((f"{forename[0]}{surname[0]}", f"{forename} {surname[0]}"))
        elif random.random() < 0.15:
            name = f"{forename[0]} {surname}"
        elif self._is("name turned round"):
            name = random.choice((f"{surname}, {forename}", f"{surname} {forename}"))
        else:
            name = f"{forename} {surname}"
        if len(name) > 2 and self._is("rank before the name"):
            name = f"{random.choice(_SAID_RANKS[post.rank])} {name}"
        return name.upper() if random.random() < 0.03 else name

    def _slip(self, word: str) -> str:
        """A letter dropped, doubled, swapped with the next, or another one."""
        at = self._random.randrange(1, max(2, len(word) - 1))
        kind = self._random.randrange(4)
        if kind == 0:
            return word[:at] + word[at + 1 :]
        if kind == 1:
            return word[:at] + word[at] + word[at:]
        if kind == 2:
            return word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
        return word[:at] + self._random.choice("aeioulnrstc") + word[at + 1 :]

    def _cut_number(self, number: str) -> str:
        random = self._random
        if self._is("wrong digit"):
            at = random.randrange(len(number))
            number = number[:at] + str(random.randrange(10)) + number[at + 1 :]
        if self._is("cut collar number"):
            keep = random.randint(2, max(2, len(number) - 1))
            number = random.choice(
                (number[:keep], number[-keep:], f"{number[:keep]}??", f"ends in {number[-keep:]}")
            )
        return number

    def _unit(self, post: _Post) -> str:
        random = self._random
        if self._is("another unit"):
            return random.choice(self._towns[post.force])
        duty = random.choice(words.DUTIES[post.duty])
        station = random.choice((post.town, f"{post.town} police station", f"{post.town} nick"))
        drawn = random.random()
        return station if drawn < 0.4 else duty if drawn < 0.65 else f"{post.town} {duty}"

    def _looks(self, officer: _Officer) -> str:
        random = self._random
        told = []
        for trait in random.sample(list(words.LOOKS), random.choices((1, 2, 3, 4), (30, 40, 20, 10))[0]):
            values = words.LOOKS[trait]
            value = random.randrange(len(values)) if self._is("wrong look") else officer.looks[trait]
            told.append(random.choice(values[value]))
        return ", ".join(told)

    def _kind(self, code: str) -> str:
        if not self._is("changed kind"):
            return code
        strand = code.partition(".")[0]
        drawn = self._random.random()
        if drawn < 0.4:
            return self._random.choice([each for each in self._codes if each.startswith(f"{strand}.")])
        if drawn < 0.6:
            return "other.other"
        return self._random.choices(self._codes, self._code_weights)[0]

    def _when(self, day: int) -> dict[str, Any]:
        random = self._random
        if self._is("exact day"):
            if self._is("day off"):
                day += random.choice((-1, 1, -1, 1, -2, 2, -3, 7, -7))
            if self._is("weeks off"):
                day += random.choice((-1, 1)) * random.randint(8, 40)
            if self._is("slip in the date"):
                day += random.choice((-365, 365, -30, 31))
            told = _date(day)
            return {"from": told, "to": told}
        if self._is("week"):
            first = day - random.randint(0, 6)
            return {"from": _date(first), "to": _date(first + 6)}
        if self._is("month"):
            first_day = (_FIRST_DAY + timedelta(max(0, day))).replace(day=1)
            last = (first_day + timedelta(32)).replace(day=1) - timedelta(1)
            return {"from": first_day, "to": last}
        if self._is("long time"):
            # A season, a year, or "it went on for years".
            length = round(60 * 2 ** random.uniform(0, 3.7))
            first = day - random.randint(0, length)
            return {"from": _date(first), "to": _date(first + length)}
        return {}

    def _where(self, street: str, town: str, spot: str) -> dict[str, str]:
        random = self._random
        if not self._is("place"):
            return {"place": random.choice(words.NOT_ANSWERED["place"])} if random.random() < 0.15 else {}
        if self._is("town alone"):
            return {"place": town}
        name, kind = street.split()
        if random.random() < 0.3:
            kind = words.SHORT_TYPES.get(kind, kind)
        forms = (f"{name} {kind}, {town}", f"{name} {kind}", f"{spot}, {town}", f"near {spot}, {name} {kind}")
        return {"place": random.choices(forms, (50, 20, 15, 15))[0]}

    def _narrative(self, details: Sequence[str], spot: str, street: str, officers: Sequence[_Officer]) -> str:
        random = self._random
        told = [random.choice(words.SENTENCES).format(detail) for detail in details if self._is("detail")]
        if self._is("stock sentences"):
            told += random.sample(words.STOCK, random.randint(1, 3))
        if random.random() < 0.2:
            told.append(f"It was at {spot}.")
        if random.random() < 0.2:
            told.append(f"We were walking along {street} to {random.choice(words.TOWN_BEGINNINGS)}ley then.")
        if random.random() < 0.2:
            told.append(f"His colleague called him {random.choice(officers).forename}, I think.")
        random.shuffle(told)
        return " ".join(told) or "I would like to report an officer."


def _date(day: int) -> date:
    return _FIRST_DAY + timedelta(max(0, day))
