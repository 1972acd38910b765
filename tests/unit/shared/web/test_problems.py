"""A problem names the field and what it should be; nothing that was sent comes back in it, nor breaks it."""

import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, Tag, ValidationError

from shared.errors import Conflict, FieldError, InternalError, NotFound, Problem, Unavailable, Unprocessable
from shared.web.problems import field_path, from_validation, response


class Colour(Enum):
    RED = "red"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Everything(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    real: float
    amount: Decimal
    text: Annotated[str, Field(pattern="^a+$", max_length=3)]
    day: date
    at: datetime
    identity: UUID
    address: AnyUrl
    host: IPv4Address
    colour: Colour
    choice: Literal["one", "two"]
    flag: bool
    several: list[int]
    mapping: dict[int, int]
    pet: Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Field(discriminator="kind")]


# Letters that no message of pydantic or of ours has.
SAID = st.text(alphabet="\u017f\u0431\u4e2d\U0001f92b", min_size=1)
ANYTHING = st.one_of(SAID, SAID.map(lambda text: [text]), SAID.map(lambda text: {"kind": text}))


@given(st.fixed_dictionaries(dict.fromkeys(Everything.model_fields, ANYTHING)), st.booleans())
def test_no_message_quotes_what_was_sent(body: dict[str, Any], as_json: bool) -> None:
    with pytest.raises(ValidationError) as raised:
        if as_json:
            Everything.model_validate_json(json.dumps(body, ensure_ascii=False))
        else:
            Everything.model_validate(body)
    problem = from_validation(raised.value)
    told = " ".join([problem.detail, *(error.message for error in problem.errors)])
    assert told.isascii()
    assert problem.errors


@given(st.binary())
def test_unreadable_json_is_not_quoted(raw: bytes) -> None:
    with pytest.raises(ValidationError) as raised:
        Everything.model_validate_json(b"\xd1\x8f" + raw)
    (error,) = from_validation(raised.value).errors
    assert error == FieldError("body", "must be JSON")


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("body", "subjects", 0, "name"), "subjects.0.name"),
        (("subjects", 0, "seen_to"), "subjects.0.seen_to"),
        (("query", "limit"), "limit"),
        (("header", "idempotency-key"), "idempotency-key"),
        (("body",), "body"),
        ((), "body"),
        (("body", "body"), "body"),
        (("body", "x" * 1000), "x" * 64),
        (("body", "a\ud800\x1b[31m\n"), "a��[31m�"),
    ],
)
def test_a_field_is_named_by_its_path(location: tuple[str | int, ...], path: str) -> None:
    assert field_path(location) == path


@given(st.lists(st.text(st.characters(codec=None)) | st.integers()))
def test_any_name_of_a_field_can_be_sent(location: list[str | int]) -> None:
    error = FieldError(field_path(location), "is wrong")
    assert json.loads(bytes(response(Unprocessable("Wrong.", errors=[error])).body))


def test_a_problem_is_a_document_of_rfc_9457() -> None:
    answer = response(Unprocessable.field("subjects.0.name", "must be shorter"))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:hotline:problem:unprocessable",
        "title": "Some fields are wrong",
        "status": 422,
        "detail": "subjects.0.name: must be shorter",
        "errors": [{"field": "subjects.0.name", "message": "must be shorter"}],
    }


def test_members_stand_beside_the_standard_ones_and_replace_none() -> None:
    answer = response(Conflict("Merged.", members={"case_id": "survivor", "status": 200}))
    document = json.loads(bytes(answer.body))
    assert (document["case_id"], document["status"]) == ("survivor", 409)


def test_unavailable_says_when_to_ask_again() -> None:
    assert response(Unavailable("Away.", retry_after=7)).headers["retry-after"] == "7"


def test_every_problem_has_its_own_status_and_slug() -> None:
    kinds = Problem.__subclasses__()
    assert {NotFound, InternalError} <= set(kinds)
    assert len({kind.status for kind in kinds}) == len({kind.slug for kind in kinds}) == len(kinds)
