"""The words for a wrong field: they tell a person what it should be, and quote nothing that was sent.

Pydantic's own sentences name types of Python, show regular expressions, or are built around an excerpt of the
input; so each kind of its errors has a sentence here, and each pattern of a contract has one.
"""

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic_core.core_schema import ErrorType

# C0 but tab, line feed and carriage return; DEL. Lone surrogates never get as far as a pattern.
CONTROL_CHARACTERS: Final = r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F"
NO_CONTROLS: Final = f"^[^{CONTROL_CHARACTERS}]*$"
MORE_THAN_SPACE: Final = f"^[^{CONTROL_CHARACTERS}]*[^{CONTROL_CHARACTERS}\\s][^{CONTROL_CHARACTERS}]*$"
SLUG: Final = r"^[a-z]+(-[a-z]+)*$"
CATEGORY: Final = r"^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$"
CODE: Final = r"^[a-z]+(_[a-z]+)*$"
CRITERION: Final = r"^[A-Z]+(_[A-Z]+)*$"
RECEIPT: Final = r"^[\s.\-\u2013\u2014]*(?:[0-9][\s.\-\u2013\u2014]*){16}$"
SERVICE: Final = r"^[a-z]{1,20}$"
PARKED: Final = r"^[a-z]{1,20}-[0-9]{1,3}-[0-9]{1,18}$"
TEXT_PATH: Final = r"^[a-z]+(_[a-z]+)*(\.([0-9]{1,2}|[a-z]+(_[a-z]+)*))*$"
ENTITY_TAG: Final = r'^(W/)?"?[0-9]{1,9}"?$'

_PATTERNS: Final[Mapping[str, str]] = {
    NO_CONTROLS: "must not hold control characters but tab and line ends",
    MORE_THAN_SPACE: "must say something, without control characters but tab and line ends",
    SLUG: "must be one of the known forces, or unknown",
    CATEGORY: "must be one of the known categories",
    CODE: "must be a code of small letters, as repeated_contact",
    CRITERION: "must be the code of a criterion, as SERIOUS_ASSAULT",
    RECEIPT: "must be the 16 digits of a receipt",
    SERVICE: "must be the name of a service, as intake",
    PARKED: "must be the id of a parked event, as the list shows it",
    TEXT_PATH: "must be the path of a text of the complaint, as subjects.0.description",
    ENTITY_TAG: 'must be the version, as the ETag header gave it, such as "3"',
}

_NUMBER: Final = "must be a number"
_WHOLE: Final = "must be a whole number"
_TEXT: Final = "must be a text"
_LIST: Final = "must be a list"
_OBJECT: Final = "must be an object"
_DAY: Final = "must be a date, as 2020-12-31"
_MOMENT: Final = "must be a date and time, as 2020-12-31T12:00:00Z"
_TRUTH: Final = "must be true or false"
_WEB: Final = "must be a URL"
_IDENTITY: Final = "must be a UUID, as 5f0c7d1e-3a4b-4c5d-8e6f-7a8b9c0d1e2f"
_KIND: Final = "must be one of the known kinds"

# By pydantic's type of error; words in braces come from its context, which holds our limits there.
_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "must be given",
    "extra_forbidden": "is not a known field",
    "json_invalid": "must be JSON",
    "json_type": "must be JSON",
    "none_required": "must be left out, or null",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "iteration_error": _LIST,
    "too_long": "must have at most {max_length} items",
    "too_short": "must have at least {min_length} items",
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": "must be text in Unicode, without lone surrogates",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be greater than or equal to {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be less than or equal to {le}",
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "uuid_type": _IDENTITY,
    "uuid_parsing": _IDENTITY,
    "url_type": _WEB,
    "url_parsing": _WEB,
    "url_syntax_violation": _WEB,
    "union_tag_invalid": _KIND,
    "union_tag_not_found": _KIND,
}
_PYDANTICS_OWN: Final = frozenset(get_args(ErrorType)) - {"value_error"}
_ANYTHING_ELSE: Final = "is not as it should be"


def message(entry: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's errors; a validator of ours has said its own."""
    kind: str = entry["type"]
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(entry.get("ctx", {}).get("pattern", ""), _ANYTHING_ELSE)
    if (sentence := _SENTENCES.get(kind)) is not None:
        return _singular(sentence.format_map(entry.get("ctx", {})))
    if kind in _PYDANTICS_OWN:
        return _ANYTHING_ELSE
    return str(entry["msg"]).removeprefix("Value error, ")


def _singular(sentence: str) -> str:
    return sentence.removesuffix("s") if sentence.endswith((" 1 items", " 1 characters")) else sentence
