"""A happening as one caller tells it: the body of a complaint, and who its subjects are.

Accounts of one happening share few words. The day may be off or a range, the place in other words, the
category another; of several officers some are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from deploy.simulation.callers import Caller
from deploy.simulation.days import days
from deploy.simulation.happenings import Accused, Happening
from deploy.simulation.narratives import Narrator
from deploy.simulation.places import misspelt, shortened
from deploy.simulation.police_words import PoliceWords
from deploy.simulation.rates import Rates
from deploy.simulation.subjects import Describer
from deploy.simulation.weighted import pick


@dataclass(frozen=True, slots=True)
class Account:
    """`officers` has the number of the officer for each subject; None for whom nobody is to match."""

    body: dict[str, Any]
    officers: tuple[int | None, ...]


_STREET_PLACES = (
    "{street}, {town}",
    "{street}, {town}",
    "{street} {town}",
    "{town}, {street}",
    "{street} in {town}",
)
_VENUE_PLACES = (
    "{venue}, {street}, {town}",
    "{street} near {venue}, {town}",
    "{venue} in {town}, {street}",
    "{town}: {venue}, {street}",
)
_TOWN_PLACES = ("{town}", "{town}", "{town} town centre", "somewhere in {town}", "{town} area")
_TOWN_VENUE_PLACES = ("{venue}, {town}", "{town}, near {venue}", "{venue} in {town}")


class Teller:
    """Tells happenings at the rates of one stream."""

    def __init__(self, describer: Describer, narrator: Narrator, words: PoliceWords, rates: Rates) -> None:
        self._describer, self._narrator, self._words, self._rates = describer, narrator, words, rates

    def tell(self, happening: Happening, caller: Caller, rng: Random) -> Account:
        """What this caller says of it, this time."""
        rates = self._rates
        told = self._told_of(happening, rng)
        described = [self._describer.accused(accused, happening, caller, rng) for accused in told]
        officers: list[int | None] = [accused.officer.number for accused in told]
        if happening.others and rng.random() < rates.on_scene:
            described.append(self._describer.on_scene(pick(happening.others, rng), caller, rng))
            officers.append(None)
        body: dict[str, Any] = {
            "channel": caller.channel,
            "narrative": self._narrator.narrative(happening, caller, told, described, rng),
        }
        if described:
            body["subjects"] = described
        if allegations := self._allegations(happening, described, rng):
            body["allegations"] = allegations
        if incident := self._incident(happening, caller, rng):
            body["incident"] = incident
        if risk := _risk(happening, rng):
            body["risk"] = risk
        if caller.wish != "pass_on":
            body["wish"] = caller.wish
        if caller.could_be_guessed != "unknown":
            body["could_be_guessed"] = caller.could_be_guessed
        if caller.channel == "partner":
            body["external_reference"] = f"P-{rng.randrange(10**6):06d}"
        return Account(body, tuple(officers))

    def _told_of(self, happening: Happening, rng: Random) -> tuple[Accused, ...]:
        """Whom of the accused this caller speaks of."""
        if rng.random() < self._rates.nobody_described:
            return ()
        kept = tuple(a for a in happening.accused[1:] if rng.random() >= self._rates.accused_left_out)
        # Now and then it is the first whom a caller leaves out.
        if kept and rng.random() < self._rates.accused_left_out / 4:
            return kept
        return (happening.accused[0], *kept)

    def _allegations(
        self, happening: Happening, described: Sequence[Mapping[str, Any]], rng: Random
    ) -> list[dict[str, Any]]:
        rates, categories = self._rates, happening.family.categories
        drawn = rng.random()
        if drawn < rates.kind_missing:
            return []
        if drawn < rates.kind_missing + rates.kind_other:
            first = "other.other"
        elif drawn < rates.kind_missing + rates.kind_other + rates.kind_changed:
            first = categories.draw(rng)
        else:
            first = happening.category
        codes = dict.fromkeys([first])
        if rng.random() < rates.second_kind:
            codes[categories.draw(rng)] = None
        allegations: list[dict[str, Any]] = [{"code": code} for code in codes]
        accused = [
            index for index, subject in enumerate(described) if subject.get("role", "accused") == "accused"
        ]
        for allegation in allegations:
            if len(accused) > 1 and rng.random() < 0.3:
                allegation["subjects"] = sorted(rng.sample(accused, rng.randint(1, len(accused) - 1)))
        return allegations

    def _incident(self, happening: Happening, caller: Caller, rng: Random) -> dict[str, Any]:
        incident: dict[str, Any] = {}
        if told := days(happening, caller, self._rates, rng):
            incident["from"], incident["to"] = (date.fromordinal(day).isoformat() for day in told)
            if told[0] == told[1] and rng.random() < 0.2:
                del incident["to"]
        if place := self._place(happening, caller, rng):
            incident["place"] = place
        if rng.random() < self._rates.incident_force_given:
            incident["force"] = happening.town.force
        return incident

    def _place(self, happening: Happening, caller: Caller, rng: Random) -> str | None:
        rates = self._rates
        if rng.random() < rates.place_missing:
            return pick(self._words.non_answers["place"], rng) if rng.random() < rates.non_answer else None
        street, town = happening.street, happening.town.name
        if rng.random() < rates.street_short:
            street = shortened(street, rng)
        if caller.errs(rates.street_mistyped, rng):
            street = misspelt(street, rng)
        if rng.random() < rates.neighbouring_town:
            town = happening.next_town
        drawn, has_venue = rng.random(), rng.random() < rates.venue_told
        if drawn < rates.street_alone:
            form = "{street}"
        elif drawn < rates.street_alone + rates.town_alone:
            form = pick(_TOWN_VENUE_PLACES if has_venue else _TOWN_PLACES, rng)
        else:
            form = pick(_VENUE_PLACES if has_venue else _STREET_PLACES, rng)
        venue = self._narrator.venue(happening, rng)
        place = form.format(street=street, town=town, venue=venue)
        return place.lower() if caller.case == "lower" else place.upper() if caller.case == "upper" else place


def tell_again(earlier: Account, rng: Random) -> Account:
    """The same account sent a second time, a little shorter or longer."""
    sentences = earlier.body["narrative"].split(". ")
    if len(sentences) > 3 and rng.random() < 0.6:
        del sentences[rng.randrange(len(sentences))]
    else:
        sentences.append(rng.choice(("Sent again as nobody answered", "Did you get this?", "Second try")))
    return Account({**earlier.body, "narrative": ". ".join(sentences)}, earlier.officers)


def _risk(happening: Happening, rng: Random) -> dict[str, bool]:
    risk: dict[str, bool] = {}
    if happening.is_serious and rng.random() < 0.8:
        risk["death_or_serious_injury"] = True
    for name, share in (("immediate_danger", 0.04), ("ongoing_contact", 0.12), ("child_involved", 0.08)):
        drawn = rng.random()
        if drawn < share:
            risk[name] = True
        elif drawn < share + 0.15:
            risk[name] = False
    return risk
