"""What counts as a change that breaks who follows a contract."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from shared.contracts.compatibility import narrowings


class Inner(BaseModel):
    word: Literal["a", "b"] = "a"


class Before(BaseModel):
    needed: int
    maybe: str | None = Field(default=None, max_length=10, pattern="^x")
    inner: Inner | None = None
    many: list[Inner] = Field(default=[], max_length=5)


class NarrowInner(BaseModel):
    word: Literal["a"] = "a"


class WideInner(BaseModel):
    word: Literal["a", "b", "c"] = "a"
    more: int = 0


def changed(**fields: Any) -> list[str]:
    before = {name: (field.annotation, field) for name, field in Before.model_fields.items()}
    after = create_model("Before", **{name: field for name, field in {**before, **fields}.items() if field})
    return list(narrowings(Before.model_json_schema(), after.model_json_schema()))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"maybe": None}, "maybe: was removed or renamed"),
        ({"extra": (int, ...)}, "extra: is newly required"),
        ({"inner": (Inner, ...)}, "inner: is newly required"),
        ({"needed": (str, ...)}, "needed: may no longer be integer"),
        ({"maybe": (str, Field("", max_length=10, pattern="^x"))}, "maybe: may no longer be null"),
        (
            {"maybe": (str | None, Field(None, max_length=9, pattern="^x"))},
            "maybe: maxLength is now 9, was 10",
        ),
        ({"maybe": (str | None, Field(None, max_length=10, pattern="^y"))}, "maybe: has another pattern"),
        ({"needed": (int, Field(ge=3))}, "needed: minimum is now 3, was open"),
        ({"needed": (Literal[1, 2], ...)}, "needed: is now one of a list of words"),
        ({"inner": (NarrowInner | None, None)}, "inner.word: may no longer be b"),
        ({"many": (list[NarrowInner], Field([], max_length=5))}, "many[].word: may no longer be b"),
        ({"many": (list[Inner], Field([], max_length=4))}, "many: maxItems is now 4, was 5"),
    ],
)
def test_taking_less_is_named(fields: dict[str, Any], message: str) -> None:
    assert message in changed(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"extra": (int | None, None)},
        {"needed": (int | str, ...)},
        {"needed": (float, ...)},
        {"needed": (int, 3)},
        {"maybe": (str | None, Field(None, max_length=11, pattern="^x"))},
        {"maybe": (str | int | None, None)},
        {"inner": (WideInner | None, None)},
        {"many": (list[WideInner], Field([], max_length=50))},
    ],
)
def test_taking_more_is_compatible(fields: dict[str, Any]) -> None:
    assert changed(**fields) == []


def test_to_forbid_other_properties_is_to_take_less() -> None:
    class Open(BaseModel):
        pass

    class Closed(BaseModel):
        model_config = ConfigDict(extra="forbid")

    found = list(narrowings(Open.model_json_schema(), Closed.model_json_schema()))
    assert found == ["the document: takes no other properties any more"]
