"""One entry of each vocabulary file. The first member of each is the code by which it is found."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

Slug = Annotated[str, StringConstraints(pattern=r"\A[a-z]+(-[a-z]+)*\z")]
Code = Annotated[str, StringConstraints(pattern=r"\A[a-z]+(_[a-z]+)*\z")]
CategoryCode = Annotated[str, StringConstraints(pattern=r"\A[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\z")]
CriterionCode = Annotated[str, StringConstraints(pattern=r"\A[A-Z]+(_[A-Z]+)*\z")]
Letter = Annotated[str, StringConstraints(pattern=r"\A[A-L]\z")]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Country(StrEnum):
    ENGLAND = "england"
    WALES = "wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern-ireland"
    GREAT_BRITAIN = "great-britain"
    UNITED_KINGDOM = "united-kingdom"
    UNKNOWN = "unknown"


class Duty(StrEnum):
    """What the law makes of a criterion that is indicated."""

    MUST = "MUST"
    RECORD = "RECORD"
    MAY = "MAY"
    NOTIFY = "NOTIFY"


@dataclass(frozen=True, slots=True)
class OversightBody:
    """A body that takes referrals in place of, or above, a force's own unit."""

    code: Code
    name: Phrase
    jurisdiction: Phrase


@dataclass(frozen=True, slots=True)
class Force:
    """A police force, by the slug that data.police.uk uses, or one of our own.

    `oversight_body` takes what the force's own unit may not (a conflict of interest), `crime_oversight_body`
    what may be a crime where that is another body, `local_policing_body` what is about a chief officer.
    """

    slug: Slug
    name: Phrase
    country: Country
    oversight_body: Code
    crime_oversight_body: Code | None = None
    local_policing_body: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of wrong, with the referral criteria that it *can* indicate; the authority decides."""

    code: CategoryCode
    name: Phrase
    strand: Code
    description: Phrase
    indicates: tuple[CriterionCode, ...] = ()


@dataclass(frozen=True, slots=True)
class NationalCategory:
    code: Letter
    name: Phrase


@dataclass(frozen=True, slots=True)
class Criterion:
    """A referral criterion with its source in law."""

    code: CriterionCode
    what: Phrase
    source: Phrase
    duty: Duty


@dataclass(frozen=True, slots=True)
class Word:
    """A code with what people read: a strand, channel, disposition, role or wish."""

    code: Code
    name: Phrase
    description: Phrase
