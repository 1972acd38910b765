"""Who calls, and how well they saw, heard and remember.

A caller who calls again is the same teller: the same view and knowledge, not the same words.
"""

from dataclasses import dataclass
from random import Random

from deploy.simulation import naming
from deploy.simulation.naming import Weighted

_CHANNELS = Weighted([("phone", 65.0), ("web", 29.0), ("post", 3.0), ("partner", 3.0)])
# Whom it happened to: (subject, object, possessive).
_VICTIM = ("I", "me", "my")
_KIN = (
    ("brother", "his"),
    ("son", "his"),
    ("sister", "her"),
    ("mum", "her"),
    ("mate", "his"),
    ("wife", "her"),
)
_WISHES = Weighted([("pass_on", 84.0), ("ask_me_first", 11.0), ("only_with_another", 5.0)])
_GUESSED = Weighted([("unknown", 60.0), ("no", 25.0), ("yes", 15.0)])


@dataclass(frozen=True, slots=True)
class Teller:
    """`knowledge` from 0 to 1: how much of names, numbers and units this caller has."""

    channel: str
    wish: str
    could_be_guessed: str
    knowledge: float
    person: tuple[str, str, str]
    name: str
    phone: str


def somebody(bystander: str, rng: Random) -> Teller:
    """A new caller: whom it happened to, a relative or friend, or a witness."""
    drawn = rng.random()
    if drawn < 0.5:
        person = _VICTIM
    elif drawn < 0.75:
        who, his = rng.choice(_KIN)
        person = (f"my {who}", "him" if his == "his" else "her", his)
    else:
        person = (f"a {bystander}", "them", "their")
    is_female = rng.random() < 0.6
    return Teller(
        channel=_CHANNELS.draw(rng),
        wish=_WISHES.draw(rng),
        could_be_guessed=_GUESSED.draw(rng),
        knowledge=rng.betavariate(2.2, 1.8),
        person=person,
        name=f"{naming.forename(rng, is_female=is_female)} {naming.surname(rng)}",
        # Ofcom keeps 07700 900000 to 900999 free for drama.
        phone=f"07700 900{rng.randrange(1000):03d}",
    )
