"""(case facts, rule table) -> recommendation. Pure, and never a verdict of misconduct.

What must be referred follows from the nature of what is alleged, and an added complaint can only add to
it: every criterion stands on its own complaint, or on another one of the case being there as well. More
complaints raise a priority at most. Every criterion names complaint, allegation and source in law.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from services.referral.domain.calendar import due_day
from services.referral.domain.facts import CaseFacts, ComplaintFacts
from services.referral.domain.rules.table import CategoryIndication, CriterionRule, Rank, RuleTable
from shared.contracts.case_events import Deadline, IndicatedCriterion, Recommendation
from shared.contracts.complaint import SanitisedSubject
from shared.vocabulary import Country, Duty, Vocabulary
from shared.wording import contains_words, plain_words

_WHOLE: Final = None
_ACCUSED: Final = frozenset({"accused", "failed_to_act"})
_OWN_OVERSIGHT: Final = frozenset({Country.SCOTLAND, Country.NORTHERN_IRELAND})
_RANK_EXTRAS: Final = frozenset({"acting", "temporary", "former", "ex", "t", "a"})

PROFESSIONAL_STANDARDS: Final = "professional_standards"
LOCAL_POLICING_BODY: Final = "local_policing_body"


class _Indicated(NamedTuple):
    """A criterion before it is put in order; `order` is its rule's place in the table."""

    order: int
    complaint_id: UUID
    allegation: int | None
    category: str | None
    clear_on: date


class Policy:
    """The rules in force, made ready for use. `vocabulary` says which bodies oversee which force."""

    def __init__(self, table: RuleTable, vocabulary: Vocabulary) -> None:
        self.table, self._forces, self._categories = table, vocabulary.forces, vocabulary.categories
        self._by_category: defaultdict[str, list[tuple[int, CategoryIndication]]] = defaultdict(list)
        self._by_letter: defaultdict[str, list[int]] = defaultdict(list)
        self._by_risk: defaultdict[str, list[int]] = defaultdict(list)
        self._by_fact: defaultdict[str, list[int]] = defaultdict(list)
        self._ranks: list[tuple[int, Rank]] = []
        self._same_incident: list[tuple[int, frozenset[int]]] = []
        places = {rule.code: order for order, rule in enumerate(table.criteria)}
        for order, rule in enumerate(table.criteria):
            by = rule.indicated_by
            for entry in by.categories:
                self._by_category[entry.code].append((order, entry))
            for letter in by.national_categories:
                self._by_letter[letter].append(order)
            for flag in by.risk:
                self._by_risk[flag].append(order)
            for fact in by.facts:
                self._by_fact[fact].append(order)
            self._ranks += [(order, rank) for rank in by.ranks]
            if by.same_incident_as:
                self._same_incident.append((order, frozenset(places[code] for code in by.same_incident_as)))
        self._rank_words = {rank.rank.split()[-1] for _, rank in self._ranks}
        self._units = [tuple(unit.split()) for unit in table.recipient_units]
        self._musts = frozenset(rule.code for rule in table.criteria if rule.duty is Duty.MUST)

    def assess(self, facts: CaseFacts) -> Recommendation:
        """What is recommended for a case of at least one complaint."""
        indicated = sorted(set(self._indicated(facts)), key=_in_order)
        recipient, why = self._recipient(facts)
        return Recommendation(
            policy_version=self.table.version,
            force=facts.force,
            criteria=tuple(
                IndicatedCriterion(
                    code=self.table.criteria[found.order].code,
                    source=self.table.criteria[found.order].source,
                    complaint_id=found.complaint_id,
                    allegation=found.allegation,
                    category=found.category,
                )
                for found in indicated
            ),
            priority=self._priority(facts, indicated),
            recipient=recipient,
            deadlines=tuple(self._deadlines(facts, indicated)),
            explanation=(*self._explained(indicated), why),
        )

    def has_must(self, recommendation: Recommendation) -> bool:
        """Whether something in it must be referred."""
        return any(criterion.code in self._musts for criterion in recommendation.criteria)

    def must_codes(self, recommendation: Recommendation) -> frozenset[str]:
        return frozenset(criterion.code for criterion in recommendation.criteria) & self._musts

    def has_guarded_strand(self, facts: CaseFacts) -> bool:
        """Whether an allegation is of a strand in which nobody ends a case alone."""
        return any(
            category.strand in self.table.approval.strands
            for complaint in facts.complaints
            for allegation in complaint.body.allegations
            if (category := self._categories.get(allegation.code)) is not None
        )

    def knows_recipient(self, recipient: str) -> bool:
        """Whether there is such a body: an oversight body, or a force's own unit or local policing body."""
        body, _, force = recipient.partition(":")
        if not force:
            return any(body == entry.oversight_body for entry in self._forces.values())
        known = self._forces.get(force)
        if known is None or known.country is Country.UNKNOWN:
            return False
        return body == PROFESSIONAL_STANDARDS or (
            body == LOCAL_POLICING_BODY and known.local_policing_body is not None
        )

    # Criteria

    def _indicated(self, facts: CaseFacts) -> Iterator[_Indicated]:
        own = {complaint.complaint_id: list(self._of_complaint(complaint)) for complaint in facts.complaints}
        for found in own.values():
            yield from found
        for order, grave in self._same_incident:
            graves = {each for each, found in own.items() if any(one.order in grave for one in found)}
            for complaint in facts.complaints:
                # Also of a grave one: it may become that, and must not lose this ground by it.
                if graves - {complaint.complaint_id}:
                    yield _whole(order, complaint)
        for order in self._by_fact["new_information"]:
            for complaint in facts.complaints:
                if (day := facts.news.get(complaint.complaint_id)) is not None:
                    yield _Indicated(order, complaint.complaint_id, _WHOLE, None, day)
        if facts.called_in_on is not None:
            for order in self._by_fact["called_in"]:
                for complaint in facts.complaints:
                    yield _Indicated(order, complaint.complaint_id, _WHOLE, None, facts.called_in_on)

    def _of_complaint(self, complaint: ComplaintFacts) -> Iterator[_Indicated]:
        body, risk = complaint.body, complaint.body.risk
        for number, allegation in enumerate(body.allegations):
            for order, entry in self._by_category.get(allegation.code, ()):
                if self._holds(entry, complaint):
                    yield _Indicated(
                        order, complaint.complaint_id, number, allegation.code, complaint.clear_on
                    )
        for letter in body.national_categories:
            yield from (_whole(order, complaint) for order in self._by_letter.get(letter, ()))
        if risk is not None:
            for flag, orders in self._by_risk.items():
                if getattr(risk, flag):
                    yield from (_whole(order, complaint) for order in orders)
        for index, subject in enumerate(body.subjects):
            if subject.role in _ACCUSED:
                for order in self._ranked(subject):
                    yield from _about(order, index, complaint)

    def _holds(self, entry: CategoryIndication, complaint: ComplaintFacts) -> bool:
        risk = complaint.body.risk
        if entry.where is not None and not (risk and getattr(risk, entry.where)):
            return False
        if entry.beside_strand is not None:
            strand = entry.beside_strand + "."
            return any(allegation.code.startswith(strand) for allegation in complaint.body.allegations)
        return True

    def _ranked(self, subject: SanitisedSubject) -> Iterator[int]:
        said = f"{subject.rank} {subject.name}".casefold()
        if not any(word in said for word in self._rank_words):  # nearly always
            return
        ranks = [tuple(word for word in plain_words(subject.rank) if word not in _RANK_EXTRAS)]
        named = tuple(word for word in plain_words(subject.name) if word not in _RANK_EXTRAS)
        for order, rank in self._ranks:
            words = tuple(rank.rank.split())
            # "Chief Constable Smith" as a name says the rank as well as a field of its own.
            if words in ranks or named[: len(words)] == words:
                yield order

    def is_chief_officer(self, subject: SanitisedSubject) -> bool:
        return next(self._ranked(subject), None) is not None

    # Priority, deadlines, recipient

    def _priority(self, facts: CaseFacts, indicated: Iterable[_Indicated]) -> int:
        rule = self.table.priority
        gravest = max((self.table.criteria[found.order].weight for found in indicated), default=0)
        risks = [complaint.body.risk for complaint in facts.complaints if complaint.body.risk is not None]
        risk = sum(weight for flag, weight in rule.risk.items() if any(getattr(r, flag) for r in risks))
        more = min((len(facts.complaints) - 1) * rule.another_complaint, rule.most_for_complaints)
        return gravest + risk + more

    def _deadlines(self, facts: CaseFacts, indicated: Iterable[_Indicated]) -> Iterator[Deadline]:
        """Of each rule the earliest: from the first day on which anything that starts it was clear."""
        running = [
            found
            for found in indicated
            if found.complaint_id not in facts.settled or self._is_news(found, facts)
        ]
        for rule in self.table.deadlines:
            starts = [
                (found.clear_on, found.order, self.table.criteria[found.order].code)
                for found in running
                if self.table.criteria[found.order].deadline == rule.rule
            ]
            if rule.for_every_case:
                starts += [
                    (complaint.clear_on, len(self.table.criteria), "complaint")
                    for complaint in facts.complaints
                    if complaint.complaint_id not in facts.settled
                ]
                starts += [(day, len(self.table.criteria), "new information") for day in facts.news.values()]
            if starts:
                starts_on, _, because_of = min(starts)
                yield Deadline(
                    rule=rule.rule,
                    version=self.table.version,
                    calendar=rule.calendar,
                    starts_on=starts_on,
                    due_on=due_day(starts_on, rule.calendar, rule.count),
                    because_of=because_of,
                    owner=rule.owner,
                )

    def _is_news(self, found: _Indicated, facts: CaseFacts) -> bool:
        return found.order in self._by_fact["new_information"] and found.complaint_id in facts.news

    def _recipient(self, facts: CaseFacts) -> tuple[str, str]:
        force = self._forces.get(facts.force) or self._forces["unknown"]
        accused = [
            subject
            for complaint in facts.complaints
            for subject in complaint.body.subjects
            if subject.role in _ACCUSED
        ]
        if force.country in _OWN_OVERSIGHT:
            crime = f", and {force.crime_oversight_body} for crime" if force.crime_oversight_body else ""
            return force.oversight_body, f"To {force.oversight_body}{crime}: it oversees {force.slug}."
        if force.country is Country.UNKNOWN:
            return force.oversight_body, f"To {force.oversight_body}: the force is not known."
        if any(map(self._serves_in_recipient_unit, accused)):
            why = "a subject serves in the unit that would receive it"
            return force.oversight_body, f"To {force.oversight_body}: {why}."
        if force.local_policing_body and any(map(self.is_chief_officer, accused)):
            why = "it is the authority for a chief officer"
            return f"{LOCAL_POLICING_BODY}:{force.slug}", f"To {force.local_policing_body}: {why}."
        return f"{PROFESSIONAL_STANDARDS}:{force.slug}", f"To the professional standards of {force.slug}."

    def _serves_in_recipient_unit(self, subject: SanitisedSubject) -> bool:
        if not subject.unit or not any(unit[0] in subject.unit.casefold() for unit in self._units):
            return False
        words = plain_words(subject.unit)
        return any(contains_words(words, unit) for unit in self._units)

    def _explained(self, indicated: Iterable[_Indicated]) -> Iterator[str]:
        by_rule: defaultdict[int, list[_Indicated]] = defaultdict(list)
        for found in indicated:
            by_rule[found.order].append(found)
        for order, founds in by_rule.items():
            yield f"{_duty(self.table.criteria[order])}: {', '.join(sorted({_origin(f) for f in founds}))}."


def _in_order(found: _Indicated) -> tuple[int, UUID, int, str]:
    return (
        found.order,
        found.complaint_id,
        -1 if found.allegation is None else found.allegation,
        found.category or "",
    )


def _whole(order: int, complaint: ComplaintFacts) -> _Indicated:
    return _Indicated(order, complaint.complaint_id, _WHOLE, None, complaint.clear_on)


def _about(order: int, subject: int, complaint: ComplaintFacts) -> Iterator[_Indicated]:
    """For each allegation about the subject, or for the whole complaint where there is none."""
    body, is_in_one = complaint.body, False
    for number, allegation in enumerate(body.allegations):
        if subject in body.subjects_of(allegation):
            is_in_one = True
            yield _Indicated(order, complaint.complaint_id, number, allegation.code, complaint.clear_on)
    if not is_in_one:
        yield _whole(order, complaint)


def _duty(rule: CriterionRule) -> str:
    return f"{rule.code} is indicated ({rule.duty}, {rule.source})"


def _origin(found: _Indicated) -> str:
    if found.allegation is None:
        return f"complaint {found.complaint_id} as a whole"
    return f"allegation {found.allegation} ({found.category}) of complaint {found.complaint_id}"
