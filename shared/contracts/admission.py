"""What intake knows of the world when it admits a complaint: the day and the words in force.

Given as validation context it makes the contracts refuse dates in the future and unknown codes. Who reads
a complaint that intake admitted earlier gives none: a word that was dropped since breaks no old event.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Admission:
    """`today` is the day in Europe/London."""

    today: date
    vocabulary: "Vocabulary"
