"""Spans of texts, as a person points at them: what is to be masked too, and what is to stay."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.contracts import messages
from shared.contracts.contract import Contract
from shared.contracts.words import TraceKind

MOST_SPANS: Final = 500
_LONGEST: Final = 1_000_000

TextPath = Annotated[str, StringConstraints(max_length=60, pattern=messages.TEXT_PATH)]
"""The path of a text of a complaint, such as `subjects.0.description`."""


class TextSpan(Contract):
    """A part of one text of a complaint, in code points. A redaction of a preview is one as it stands."""

    field: TextPath = "narrative"
    """The path of the text, such as `subjects.0.description`."""
    start: Annotated[int, Field(ge=0, lt=_LONGEST)]
    """The first character, counted in code points from 0."""
    end: Annotated[int, Field(ge=1, le=_LONGEST)]
    """The character after the last."""
    kind: TraceKind = "name"
    """What it is, which the mark in its place tells."""
    person: Annotated[int, Field(ge=1, lt=1_000_000)] | None = None
    """For a name, the number of the person in its mark; left out, the next free one, or that of the same
    name."""

    @field_validator("end")
    @classmethod
    def _ends_after_its_start(cls, end: int, info: ValidationInfo) -> int:
        if "start" in info.data and end <= info.data["start"]:
            raise PydanticCustomError("empty_span", "must be above the start")
        return end


def require_spans_within(spans: Sequence[TextSpan], texts: Mapping[str, str]) -> None:
    """
    Raises:
        PydanticCustomError: a span is of no text, or goes beyond its end; `at` in the context is the path
            below the list.
    """
    for number, span in enumerate(spans):
        if span.field not in texts:
            raise PydanticCustomError(
                "no_such_text", "must be the path of a text that is there", {"at": f"{number}.field"}
            )
        if span.end > len(texts[span.field]):
            raise PydanticCustomError(
                "past_the_end", "must not be past the end of the text", {"at": f"{number}.end"}
            )
