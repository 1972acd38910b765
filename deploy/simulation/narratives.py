"""The words of a call: some of what happened, in an order and in words of the caller's own.

Now and then the caller leaves traces of themselves (a name, a telephone number of those kept for drama, an
address at example.org), so that there is something to sanitise.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import Any

from deploy.simulation import naming
from deploy.simulation.happenings import Accused, Happening, scenarios, spare_words
from deploy.simulation.phrases import say
from deploy.simulation.subjects import spoken_name, title
from deploy.simulation.tellers import Teller

_TRACES = (("name", 0.12), ("phone", 0.1), ("email", 0.04), ("address", 0.03), ("national_insurance", 0.01))


_NOTICED_OTHERWISE = 0.3


def narrative(
    happening: Happening,
    teller: Teller,
    told: Sequence[Accused],
    described: Sequence[Mapping[str, Any]],
    rng: Random,
) -> str:
    """A few sentences to a page; `described` are the subjects as the caller described those of `told`."""
    spoken = scenarios()
    words = _words(happening, teller, told, described, rng)
    sentences = [say(rng.choice(spoken["openings"][teller.channel]), rng, words)]
    if rng.random() < 0.25:
        sentences.append(say(rng.choice(spoken["when"]), rng, words))
    if rng.random() < 0.3:
        sentences.append(say(rng.choice(spoken["where"]), rng, words))
    if "named" in words and rng.random() < 0.3:
        who = [phrase for phrase in spoken["who"] if "<collar>" not in phrase or "collar" in words]
        sentences.append(say(rng.choice(who), rng, words))
    middle = [say(phrase, rng, words) + "." for phrase in _noticed(happening, rng)]
    fillers = rng.sample(spoken["fillers"], rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 8, 14)))
    for filler in fillers:
        middle.insert(rng.randrange(len(middle) + 1), say(filler, rng, words))
    sentences += middle
    sentences.append(say(rng.choice(spoken["aftermath"]), rng, words))
    sentences.append(say(rng.choice(spoken["closings"]), rng, words))
    for kind, share in _TRACES:
        if rng.random() < share:
            trace = say(rng.choice(spoken["traces"][kind]), rng, words)
            sentences.insert(rng.randrange(len(sentences) + 1), trace)
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences if sentence)


def _noticed(happening: Happening, rng: Random) -> list[str]:
    """Some of what happened; and some of it otherwise, for two witnesses seldom saw the same."""
    beats = list(zip(happening.family.beats, happening.facts, strict=True))
    kept = sorted(rng.sample(range(len(beats)), min(len(beats), rng.choice((1, 2, 2, 3, 3, 4)))))
    return [
        rng.choice(beats[place][0]) if rng.random() < _NOTICED_OTHERWISE else beats[place][1]
        for place in kept
    ]


def _words(
    happening: Happening,
    teller: Teller,
    told: Sequence[Accused],
    described: Sequence[Mapping[str, Any]],
    rng: Random,
) -> dict[str, str]:
    """What the blanks of a phrase say, for this caller."""
    subject, direct, possessive = teller.person
    day = date.fromordinal(happening.day)
    words = {
        "I": subject,
        "me": direct,
        "my": possessive,
        "off": rng.choice(
            ("the officer", "one of them", "the policeman", "that copper", "the one in charge")
        ),
        "his": "his",
        "him_off": "him",
        "weekday": f"{day:%A}",
        "month": f"{day:%B}",
        "year": f"{day:%Y}",
        "date": rng.choice(
            (f"{day.day} {day:%B}", f"the {day.day}th", f"{day:%d/%m/%Y}", f"{day:%A} the {day.day}th")
        ),
        "street": happening.street,
        "town": happening.town.name,
        "caller": teller.name,
        "phone": teller.phone,
        "email": teller.name.lower().replace(" ", ".").replace("'", "") + "@example.org",
        "house": str(rng.randrange(1, 200)),
        "home_street": naming.streets(rng, 1)[0],
    }
    words |= {kind: rng.choice(listed) for kind, listed in spare_words().items()}
    words["venue"] = say(happening.venue, rng, words)
    if told:
        lead = told[0]
        if lead.officer.is_female:
            words |= {
                "off": rng.choice(("the officer", "one of them", "the policewoman", "she")),
                "his": "her",
            }
            words["him_off"] = "her"
        if (name := spoken_name(lead, described[0], rng)) is not None:
            words["named"] = name
            if rng.random() < 0.2:
                words["off"] = name
        elif rng.random() < 0.3:
            words["off"] = f"the {title(lead, rng)}"
        if number := described[0].get("collar_number"):
            words["collar"] = number
    return words
