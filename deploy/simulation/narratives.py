"""The words of a call: some of what happened, in an order and in words of the caller's own.

Now and then callers leave traces of themselves (a name, a telephone number of those kept for drama, an
address at example.org), so that there is something to sanitise.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import Any, Final

from deploy.simulation import places
from deploy.simulation.callers import Caller
from deploy.simulation.happenings import Accused, Fact, Happening
from deploy.simulation.misspelling import mistyped
from deploy.simulation.phrases import say
from deploy.simulation.purposes import Purpose, read_table
from deploy.simulation.rates import Rates
from deploy.simulation.weighted import Weighted, around, pick

_TRACES: Weighted[str] = Weighted(
    [("name", 40), ("phone", 33), ("email", 13), ("address", 10), ("national_insurance", 4)]
)
_HIM: Final = (
    "the officer",
    "one of them",
    "the policeman",
    "that copper",
    "the one in charge",
    "the PC",
    "that man",
)
_HER: Final = ("the officer", "one of them", "the policewoman", "the female officer", "that woman")
_WITHOUT_NAMES: Final = 0.9
"""Of texts by callers who gave a name, those that say `the officer` and the like all the time."""


class Narrator:
    """Writes the narratives of one stream."""

    def __init__(self, purpose: Purpose, rates: Rates) -> None:
        self._purpose, self._rates = purpose, rates
        self._table = read_table(purpose, "narratives")
        self._spare = {kind: tuple(words.split(", ")) for kind, words in self._table.get("words", {}).items()}

    def venue(self, happening: Happening, rng: Random) -> str:
        """The venue in one of its ways; a phrase that speaks of nobody."""
        return say(happening.venue, rng, {"my": "my"})

    def narrative(
        self,
        happening: Happening,
        caller: Caller,
        told: Sequence[Accused],
        described: Sequence[Mapping[str, Any]],
        rng: Random,
    ) -> str:
        """One sentence to a page; `described` begins with the subjects that describe those of `told`."""
        rates, spoken = self._rates, self._table
        words = self._words(happening, caller, told, described, rng)
        middle = [say(pick(fact, rng), rng, words) + "." for fact in self._noticed(happening, rng)]
        is_short = rng.random() < rates.short_text
        sentences = [] if is_short else [say(pick(spoken["openings"][caller.channel], rng), rng, words)]
        if rng.random() < rates.day_in_text:
            sentences.append(say(pick(spoken["when"], rng), rng, words))
        if rng.random() < rates.place_in_text:
            sentences.append(say(pick(spoken["where"], rng), rng, words))
        if "named" in words and rng.random() < rates.name_in_text:
            who = [phrase for phrase in spoken["who"] if "<collar>" not in phrase or "collar" in words]
            sentences.append(say(pick(who, rng), rng, words))
        if is_short:
            middle = middle[:2]
        else:
            fillers = spoken["fillers"]
            for filler in rng.sample(fillers, min(len(fillers), around(rates.stock_sentences, rng))):
                middle.insert(int(rng.random() * (len(middle) + 1)), say(filler, rng, words))
            middle.append(say(pick(spoken["aftermath"], rng), rng, words))
            middle.append(say(pick(spoken["closings"], rng), rng, words))
        sentences += middle
        if rng.random() < rates.traces:
            trace = say(pick(spoken["traces"][_TRACES.draw(rng)], rng), rng, words)
            sentences.insert(int(rng.random() * (len(sentences) + 1)), trace)
        text = " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences if sentence)
        return self._written(text, caller, rng)

    def _noticed(self, happening: Happening, rng: Random) -> list[Fact]:
        """Some of what happened, now and then otherwise: two witnesses seldom saw the same. At least one."""
        rates = self._rates
        beats = list(zip(happening.family.beats, happening.facts, strict=True))
        kept = [beat for beat in beats if rng.random() < rates.beat_told] or [pick(beats, rng)]
        facts = [pick(beat, rng) if rng.random() < rates.fact_otherwise else fact for beat, fact in kept]
        for detail in happening.details:
            if rng.random() < rates.detail_told:
                facts.insert(int(rng.random() * (len(facts) + 1)), detail)
        return facts

    def _words(
        self,
        happening: Happening,
        caller: Caller,
        told: Sequence[Accused],
        described: Sequence[Mapping[str, Any]],
        rng: Random,
    ) -> dict[str, str]:
        """What the blanks of a phrase say, for this caller."""
        subject, direct, possessive = caller.person
        day = date.fromordinal(happening.day)
        lead = told[0].officer if told else None
        is_female = lead is not None and lead.is_female
        words = {
            "I": subject,
            "me": direct,
            "my": possessive,
            "off": pick(_HER if is_female else _HIM, rng),
            "his": "her" if is_female else "his",
            "him_off": "her" if is_female else "him",
            "weekday": f"{day:%A}",
            "month": f"{day:%B}",
            "year": f"{day:%Y}",
            "date": _said(day, rng),
            "street": happening.street,
            "town": happening.town.name,
            "caller": caller.name,
            "phone": caller.phone,
            "email": _address(caller.name) + "@example.org",
            "house": str(rng.randrange(1, 200)),
            "home_street": places.streets(self._purpose, 1, rng)[0],
            "venue": self.venue(happening, rng),
        }
        for kind, listed in self._spare.items():
            words[kind] = pick(listed, rng)
        if described and told:
            if name := described[0].get("name"):
                words["named"] = name
                if rng.random() > _WITHOUT_NAMES:
                    words["off"] = name
            if number := described[0].get("collar_number"):
                words["collar"] = number
        return words

    def _written(self, text: str, caller: Caller, rng: Random) -> str:
        """As this caller's hand writes it."""
        if caller.is_texting:
            short = self._table["short_words"]
            text = " ".join(short.get(word, word) for word in text.split(" "))
        rate = self._rates.word_mistyped * caller.slips
        if caller.channel in ("web", "post") and rate:
            words = text.split(" ")
            for _ in range(int(len(words) * rate + rng.random())):
                place = int(rng.random() * len(words))
                if words[place].isalpha():
                    words[place] = mistyped(words[place], rng)
            text = " ".join(words)
        return text.lower() if caller.case == "lower" else text.upper() if caller.case == "upper" else text


def _said(day: date, rng: Random) -> str:
    return pick(
        (f"{day.day} {day:%B}", f"the {day.day}th", f"{day:%d/%m/%Y}", f"{day:%A} the {day.day}th"), rng
    )


def _address(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalpha() else "." for letter in name.lower())
