"""The codes of the API and their meanings, for the OpenAPI documents.

`all_codes(vocabulary)` gives the name of each kind of code and, by code, a sentence for people. Kinds that a
deployment may change come from its vocabulary; the others are those that the software itself decides by.
"""

from collections.abc import Mapping
from typing import Final

from shared.vocabulary import Vocabulary, Word

Meanings = Mapping[str, str]

# How a schema says that its text is a code of the vocabulary: by the name of the file.
MARKER: Final = "x-vocabulary"
OF_VOCABULARY: Final = {
    "forces": "Force",
    "categories": "Category",
    "criteria": "Criterion",
    "dispositions": "ContactDisposition",
    "strands": "Strand",
}

_FIXED: Final[Mapping[str, Meanings]] = {
    "CouldBeGuessed": {
        "yes": "The caller thinks so",
        "no": "The caller thinks not",
        "unknown": "It was not asked, or the caller does not know",
    },
    "CaseStatus": {
        "open": "Opened with its first complaint",
        "assessed": "There is a recommendation, and no decision yet",
        "decided": "Decided, and where it needs one, a second person has not agreed yet",
        "approved": "Decided, and a second person agreed",
        "referred": "Sent to the recipient, in whole or in part",
        "closed": "Ended, until something new opens it again",
        "merged": "Part of another case now",
    },
    "Outcome": {
        "refer": "It is sent to the recipient",
        "no_further_action": "Nothing more is done",
        "more_information": "The caller is asked for more; no deadline stops",
        "signpost": "It is not about police: the caller is told where to go",
    },
    "Duty": {
        "MUST": "The authority must refer it",
        "RECORD": "The authority must record it",
        "MAY": "The authority may refer it",
        "NOTIFY": "The authority has to be told, whatever becomes of the case",
    },
    "RiskFlag": {
        "immediate_danger": "Somebody is in danger now",
        "ongoing_contact": "The person is still in touch with the caller",
        "child_involved": "A child is involved",
        "death_or_serious_injury": "Somebody died or was seriously injured",
    },
    "Calendar": {"days": "All days", "working_days": "Working days of England and Wales"},
    "DeadlineOwner": {"charity": "The hotline itself", "authority": "The authority that gets the referral"},
    "CaseFact": {
        "called_in": "The oversight body requires the referral",
        "new_information": "There is new information after a decision",
    },
    "MatchKind": {
        "duplicate": "The same account again",
        "same_incident": "Another account of the same event",
        "same_officer": "Two subjects that are one officer",
    },
    "Zone": {
        "accepted": "They belong together",
        "review": "It waits for a person",
        "rejected": "They do not belong together",
    },
    "Verdict": {"accept": "They belong together", "reject": "They do not belong together"},
    "CaseOrder": {"priority": "The gravest first", "due_on": "The earliest deadline first"},
    "ReasonForDoubt": {
        "unplaced_person": "A name that may be a person's, who may be police or not",
        "other_language": "The text, or a part of it, is in neither English nor Welsh",
        "same_name": "An officer and a private person of one name",
        "many_persons": "So many persons that one may have been missed",
        "name_in_form": "A name that was taken out is a part of a subject's in the form",
        "could_be_guessed": "The caller thinks that what was told could show who told it",
        "kept_by_handler": "It was to be taken out, and the call handler said that it stays",
    },
    "TraceKind": {
        "address": "Where somebody lives",
        "bank-account": "A bank account",
        "card": "A payment card",
        "date-of-birth": "A date of birth",
        "driving-licence": "A driving licence",
        "email": "An e-mail address",
        "handle": "An account at an online service",
        "identity-number": "A passport, prison, police or other number of a person",
        "ip-address": "A network address",
        "link": "A link that leads to a person",
        "name": "A person's name",
        "national-insurance": "A National Insurance number",
        "nhs-number": "A number of the health service",
        "number": "Another long number",
        "phone": "A telephone number",
        "postcode": "A postcode",
        "reference": "A reference that leads to a person",
        "school": "A school",
        "vehicle": "A vehicle's registration",
        "workplace": "A place of work",
    },
    "WaitingState": {
        "waiting": "It waits for a release reviewer",
        "returned": "It went back to the call handler, to be corrected",
    },
    "ReleaseState": {
        "waiting": "It waits for a release reviewer",
        "returned": "It went back to the call handler, to be corrected",
        "released": "It was published",
    },
    "ReleaseAct": {
        "masked": "More was taken out",
        "returned": "It went back to the call handler",
        "corrected": "The call handler sent it corrected",
    },
    "HealthStatus": {"live": "The process answers", "ready": "All that it needs answers too"},
}


def all_codes(vocabulary: Vocabulary) -> dict[str, Meanings]:
    """Every kind of code by its name in the OpenAPI documents, with the meaning of each code."""
    return {
        "Force": {slug: force.name for slug, force in vocabulary.forces.items()},
        "Category": {
            code: f"{category.name}: {category.description}"
            for code, category in vocabulary.categories.items()
        },
        "Criterion": {code: criterion.what for code, criterion in vocabulary.criteria.items()},
        "ContactDisposition": _of(vocabulary.dispositions),
        "Strand": _of(vocabulary.strands),
        "Channel": _of(vocabulary.channels),
        "SubjectRole": _of(vocabulary.subject_roles),
        "Wish": _of(vocabulary.wishes),
        "NationalCategory": {
            letter: category.name for letter, category in vocabulary.national_categories.items()
        },
        **_FIXED,
    }


def _of(words: Mapping[str, Word]) -> Meanings:
    return {code: word.description for code, word in words.items()}
