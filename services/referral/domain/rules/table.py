"""The referral-criteria rule table: what indicates each criterion, its source in law, duty and deadline.

`load_rules(vocabulary)` gives the newest table that comes with the software, checked: exactly the criteria
of the vocabulary, each with the duty that the vocabulary gives it; a category stands only under criteria
that it can indicate; what is named exists. A table that is wrong raises `RulesError` at start, naming the
entry. A table that was ever used for a case is not changed again: a new one is a new file with a version, and
the older ones stay beside it, for cases that were assessed by them name their version.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.contract import CategoryCode, Code, CriterionCode, StrandCode
from shared.contracts.words import NationalLetter
from shared.errors import HotlineError
from shared.vocabulary import Duty, Vocabulary

NEWEST: Final = Path(__file__).parent / "v2.json"

RiskFlag = Literal["immediate_danger", "ongoing_contact", "child_involved", "death_or_serious_injury"]
Phrase = Annotated[str, Field(min_length=1, max_length=300)]


class RulesError(HotlineError):
    """A rule table is missing, unreadable or wrong; the message names the entry."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


class CategoryIndication(_Part):
    """An allegation of this category indicates the criterion; with a condition, only where that holds.

    A condition asks for what was told, never for what was not: one answer must not take away the duty that
    another one made.

    Attributes:
        where: only where this risk was answered with yes.
        beside_strand: only where the same complaint has an allegation of this strand.
    """

    code: CategoryCode
    """The kind of wrong."""
    where: RiskFlag | None = None
    """Only where this risk was answered with yes."""
    beside_strand: StrandCode | None = None
    """Only where the same complaint has an allegation of this strand."""


class Rank(_Part):
    """A rank, in small letters, of whatever force."""

    rank: Phrase
    """The rank, in small letters."""


class IndicatedBy(_Part):
    """Any one of these indicates the criterion.

    Attributes:
        facts: what happened to the case: `called_in`, `new_information` after a decision.
        same_incident_as: another complaint of the case indicates one of these criteria.
    """

    categories: tuple[CategoryIndication, ...] = ()
    """Allegations of these kinds."""
    national_categories: frozenset[NationalLetter] = frozenset()
    """These national complaint categories."""
    risk: tuple[RiskFlag, ...] = ()
    """These risks, where they were answered with yes."""
    ranks: tuple[Rank, ...] = ()
    """A subject of one of these ranks."""
    facts: frozenset[Literal["called_in", "new_information"]] = frozenset()
    """What happened to the case."""
    same_incident_as: frozenset[CriterionCode] = frozenset()
    """Another complaint of the same incident that indicates one of these criteria."""


class CriterionRule(_Part):
    code: CriterionCode
    source: Phrase
    duty: Duty
    weight: Annotated[int, Field(ge=0)]
    deadline: Code | None
    indicated_by: IndicatedBy


class DeadlineRule(_Part):
    """`count` days, or working days of England and Wales, after the day on which it became clear."""

    rule: Code
    """The code of the rule."""
    calendar: Literal["days", "working_days"]
    """The days that count."""
    count: Annotated[int, Field(ge=0, le=366)]
    """How many of these days there are after the day on which it became clear."""
    owner: Literal["charity", "authority"]
    """The body that has to meet it."""
    for_every_case: bool
    """Whether it runs for every case, whatever is indicated."""
    source: Phrase
    """Its source in law."""


class PriorityRule(_Part):
    """A case's priority is the weight of its gravest criterion, and these on top."""

    risk: dict[RiskFlag, Annotated[int, Field(ge=0)]]
    """What each risk adds, where it was answered with yes."""
    another_complaint: Annotated[int, Field(ge=0)]
    """What each complaint after the first adds."""
    most_for_complaints: Annotated[int, Field(ge=0)]
    """The most that further complaints add together."""


class ApprovalRule(_Part):
    """Beside a MUST criterion or a pattern: the strands in which ending a case needs a second person."""

    strands: frozenset[StrandCode]


class RuleTable(_Part):
    """`recipient_units`: how the units are called that receive referrals within a force."""

    version: Phrase
    criteria: tuple[CriterionRule, ...]
    deadlines: tuple[DeadlineRule, ...]
    priority: PriorityRule
    approval: ApprovalRule
    recipient_units: tuple[Phrase, ...]

    def deadline(self, rule: str) -> DeadlineRule:
        return next(entry for entry in self.deadlines if entry.rule == rule)


@lru_cache(maxsize=8)
def read_rules(path: Path = NEWEST) -> RuleTable:
    """A rule table, in itself well-formed, not yet checked against a vocabulary.

    Raises:
        RulesError: missing, unreadable or wrong.
    """
    try:
        return RuleTable.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise RulesError(f"{path.name}: cannot be read: {fault.strerror}") from fault
    except ValidationError as fault:
        found = fault.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, found["loc"]))
        raise RulesError(f"{path.name}: {where}: {found['msg']}") from fault


def load_rules(vocabulary: Vocabulary, path: Path = NEWEST) -> RuleTable:
    """The rule table, checked against the words in force.

    Raises:
        RulesError: it is missing or wrong.
    """
    table = read_rules(path)
    _check(table, vocabulary, path.name)
    return table


def _check(table: RuleTable, vocabulary: Vocabulary, name: str) -> None:
    codes = [rule.code for rule in table.criteria]
    deadlines = [rule.rule for rule in table.deadlines]
    problems = [
        (sorted(codes) != sorted(vocabulary.criteria), "criteria: must be the vocabulary's, each once"),
        (len(set(deadlines)) != len(deadlines), "deadlines: each rule must stand there once"),
        (
            not table.approval.strands <= vocabulary.strands.keys(),
            "approval: names a strand that there is not",
        ),
    ]
    for rule in table.criteria:
        problems += [
            (is_wrong, f"{rule.code}: {what}") for is_wrong, what in _wrongs(rule, table, vocabulary)
        ]
    for is_wrong, what in problems:
        if is_wrong:
            raise RulesError(f"{name}: {what}")


def _wrongs(rule: CriterionRule, table: RuleTable, vocabulary: Vocabulary) -> Iterator[tuple[bool, str]]:
    by, word = rule.indicated_by, vocabulary.criteria.get(rule.code)
    if word is None:
        yield True, "there is no such criterion"
        return
    yield rule.duty is not word.duty, "has another duty in the vocabulary"
    yield rule.source != word.source, "has another source in law in the vocabulary"
    yield rule.duty is Duty.MUST and rule.deadline is None, "what must be referred needs a deadline"
    known = {None, *(deadline.rule for deadline in table.deadlines)}
    yield rule.deadline not in known, f"there is no deadline {rule.deadline}"
    yield by == IndicatedBy(), "nothing indicates it"
    yield not by.same_incident_as <= vocabulary.criteria.keys(), "same_incident_as names no criterion"
    for entry in by.categories:
        category = vocabulary.categories.get(entry.code)
        yield category is None, f"there is no category {entry.code}"
        can = category is not None and rule.code in category.indicates
        yield not can, f"{entry.code} cannot indicate it, says the vocabulary"
        yield (
            entry.beside_strand not in {None, *vocabulary.strands},
            f"there is no strand {entry.beside_strand}",
        )
    for rank in by.ranks:
        yield rank.rank != rank.rank.lower(), "ranks stand in small letters"
