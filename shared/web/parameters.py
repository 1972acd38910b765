"""Parameters that several routes take, each with its one spelling."""

from typing import Annotated, overload

from fastapi import Header, Path, Query
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from shared.contracts import messages
from shared.vocabulary import load_vocabulary
from shared.web.codes import MARKER


def _known(slug: str) -> str:
    if slug not in load_vocabulary().forces:
        raise PydanticCustomError("unknown_force", "must be one of the known forces, or unknown")
    return slug


ForceFilter = Annotated[
    Annotated[str, AfterValidator(_known)] | None,
    Query(
        max_length=60,
        pattern=messages.SLUG,
        description="Only those that concern this police force, by its slug.",
        examples=["hampshire"],
        json_schema_extra={MARKER: "forces"},
    ),
]

IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=messages.ENTITY_TAG,
        description="The version that was read, as the `ETag` header gave it.",
        examples=['"3"'],
    ),
]
IfMatchOrNot = Annotated[
    str | None,
    Header(
        alias="If-Match",
        pattern=messages.ENTITY_TAG,
        description="The version that was read, as the `ETag` header gave it; without it the"
        " newest one is meant.",
        examples=['"3"'],
    ),
]


@overload
def version_of(if_match: str) -> int: ...


@overload
def version_of(if_match: None) -> None: ...


@overload
def version_of(if_match: str | None) -> int | None: ...


def version_of(if_match: str | None) -> int | None:
    """The version that `IfMatch` or `IfMatchOrNot` names."""
    return None if if_match is None else int(if_match.removeprefix("W/").strip('"'))


Source = Annotated[
    str,
    Query(
        pattern=messages.SERVICE,
        description="The service whose events are meant.",
        examples=["intake"],
    ),
]
ParkedPath = Annotated[
    str,
    Path(
        pattern=messages.PARKED,
        description="The id of a parked event, as the list shows it: service, slot and number in the slot.",
        examples=["intake-17-5"],
    ),
]
