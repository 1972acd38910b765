"""Who calls: how well they saw, heard and remember, and how they write.

A caller who calls again is the same caller: the same view, knowledge and habits, not the same words.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from deploy.simulation.names import Names
from deploy.simulation.rates import Rates
from deploy.simulation.weighted import Weighted, pick

_CHANNELS = Weighted([("phone", 65.0), ("web", 29.0), ("post", 3.0), ("partner", 3.0)])
# Whom it happened to: (subject, object, possessive).
_VICTIM: Final = ("I", "me", "my")
_KIN: Final = (
    ("brother", "him", "his"),
    ("son", "him", "his"),
    ("sister", "her", "her"),
    ("mum", "her", "her"),
    ("mate", "him", "his"),
    ("wife", "her", "her"),
    ("lad", "him", "his"),
    ("daughter", "her", "her"),
)
_WISHES = Weighted([("pass_on", 84.0), ("ask_me_first", 11.0), ("only_with_another", 5.0)])
_GUESSED = Weighted([("unknown", 60.0), ("no", 25.0), ("yes", 15.0)])


@dataclass(frozen=True, slots=True)
class Caller:
    """`knowledge` from 0 to 1: how much of names, numbers and units this caller has. `slips` multiplies the
    rates of slips: 1 is an ordinary caller. `case` is `lower` or `upper` for those who write all so; who
    `is_texting` writes as in a text message."""

    channel: str
    wish: str
    could_be_guessed: str
    knowledge: float
    slips: float
    case: str
    is_texting: bool
    person: tuple[str, str, str]
    name: str
    phone: str

    def lacks(self, rate: float, rng: Random) -> bool:
        """Whether this caller does not know what callers of middling knowledge do not know at this rate."""
        return rng.random() < rate * 2 * (1 - self.knowledge)

    def knows(self, rate: float, rng: Random) -> bool:
        """Whether this caller knows what callers of middling knowledge know at this rate."""
        return rng.random() < rate * 2 * self.knowledge

    def errs(self, rate: float, rng: Random) -> bool:
        """Whether this caller makes a slip that ordinary callers make at this rate."""
        return rng.random() < rate * self.slips


def new_caller(bystander: str, names: Names, rates: Rates, rng: Random) -> Caller:
    """Whom it happened to, a relative or friend, or a witness."""
    drawn = rng.random()
    if drawn < 0.5:
        person = _VICTIM
    elif drawn < 0.75:
        who, direct, possessive = pick(_KIN, rng)
        person = (f"my {who}", direct, possessive)
    else:
        person = (f"a {bystander}", "them", "their")
    channel = _CHANNELS.draw(rng)
    drawn = rng.random()
    is_written_by_the_caller = channel == "web"
    case = ""
    if is_written_by_the_caller:
        case = (
            "lower" if drawn < 3 * rates.lower_case else "upper" if drawn > 1 - 3 * rates.upper_case else ""
        )
    forename, surname, _ = names.person("england", rates.minority, is_female=rng.random() < 0.6, rng=rng)
    return Caller(
        channel=channel,
        wish=_WISHES.draw(rng),
        could_be_guessed=_GUESSED.draw(rng),
        knowledge=rng.betavariate(2.0, 2.0),
        slips=min(3.0, rng.gammavariate(2.0, 0.5)),
        case=case,
        is_texting=is_written_by_the_caller and rng.random() < 3 * rates.texting,
        person=person,
        name=f"{forename} {surname}",
        # Ofcom keeps 07700 900000 to 900999 free for drama.
        phone=f"07700 900{rng.randrange(1000):03d}",
    )
