"""What all contracts have in common, and the small types they are made of.

Models are frozen, strict (no "1" for 1) and refuse unknown fields, so that what we write is exactly what
is listed. Who *reads* what another version may have written passes ``extra="ignore"`` to the validation.
Errors name fields and never quote values.
"""

import unicodedata
from datetime import date
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from shared.contracts import messages
from shared.contracts.admission import Admission

_EARLIEST: Final = date(1900, 1, 1)


class Contract(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


def _day(value: object, _: ValidatorFunctionWrapHandler, info: ValidationInfo) -> date:
    """A day as `2020-12-31` and in no other of ISO 8601's forms; not in the future, where that is known."""
    if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
    else:
        day = value if type(value) is date else None
    if day is None:
        raise PydanticCustomError("day", "must be a date, as 2020-12-31")
    if day < _EARLIEST:
        raise PydanticCustomError("day_too_early", "must not be before 1900")
    if isinstance(info.context, Admission) and day > info.context.today:
        raise PydanticCustomError("day_in_future", "must not be in the future")
    return day


def _known_force(slug: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Admission) and slug not in info.context.vocabulary.forces:
        raise PydanticCustomError("unknown_force", "must be one of the known forces, or unknown")
    return slug


def _known_category(code: str, info: ValidationInfo) -> str:
    if isinstance(info.context, Admission) and code not in info.context.vocabulary.categories:
        raise PydanticCustomError("unknown_category", "must be one of the known categories")
    return code


# Letters and symbols by their category, of which nothing is seen: fillers of Hangul, the empty pattern of
# Braille, the empty head of a note.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")


def _visible(text: str) -> str:
    """Refuses a text of which nothing is seen: spaces, format characters, accents without a letter."""
    if not any(unicodedata.category(one)[0] in "LNPS" and one not in _BLANK for one in text):
        raise PydanticCustomError("nothing_visible", "must say something that can be read")
    return text


# Pydantic's own date also takes a timestamp in a string; so it is not asked. Its serialisation stays.
Day = Annotated[
    date, WrapValidator(_day), WithJsonSchema({"type": "string", "format": "date"}, mode="validation")
]


def _of_vocabulary(name: str) -> Any:
    """Tells in the schema which words these are; they are data, so they are not listed there."""
    return Field(json_schema_extra={"x-vocabulary": name})


ForceSlug = Annotated[
    str,
    StringConstraints(max_length=60, pattern=messages.SLUG),
    AfterValidator(_known_force),
    _of_vocabulary("forces"),
]
CategoryCode = Annotated[
    str,
    StringConstraints(max_length=80, pattern=messages.CATEGORY),
    AfterValidator(_known_category),
    _of_vocabulary("categories"),
]
Code = Annotated[str, StringConstraints(max_length=60, pattern=messages.CODE)]
CriterionCode = Annotated[
    str, StringConstraints(max_length=60, pattern=messages.CRITERION), _of_vocabulary("criteria")
]
DispositionCode = Annotated[Code, _of_vocabulary("dispositions")]
StrandCode = Annotated[Code, _of_vocabulary("strands")]
Text = Annotated[str, StringConstraints(pattern=messages.NO_CONTROLS)]
Telling = Annotated[str, StringConstraints(pattern=messages.MORE_THAN_SPACE)]
VISIBLE: Final = AfterValidator(_visible)
"""After the other limits of a text that a person sends; kept ones are read without it."""
SubjectIndex = Annotated[int, Field(ge=0, lt=50)]
Count = Annotated[int, Field(ge=0)]
