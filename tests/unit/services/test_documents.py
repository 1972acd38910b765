"""The OpenAPI documents describe all that is taken and answered, in words for people."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic_core.core_schema import ErrorType

from shared.contracts import messages
from shared.vocabulary import load_vocabulary
from shared.web.codes import all_codes
from tests.documents import SERVICES, openapi_document

Node = dict[str, Any]


@pytest.fixture(params=list(SERVICES))
async def document(request: pytest.FixtureRequest) -> Node:
    return await openapi_document(request.param)


def nodes(part: Any, path: str = "") -> Iterator[tuple[str, Node]]:
    match part:
        case dict():
            yield path, part
            for name, inner in part.items():
                yield from nodes(inner, f"{path}.{name}")
        case list():
            for place, inner in enumerate(part):
                yield from nodes(inner, f"{path}.{place}")
        case _:
            pass


def operations(document: Node) -> Iterator[tuple[str, Node]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def without_description(document: Node) -> Iterator[str]:
    for name, schema in document["components"]["schemas"].items():
        if not schema.get("description"):
            yield name
    for path, node in nodes(document):
        for name, field in node.get("properties", {}).items() if node.get("type") == "object" else ():
            if not field.get("description"):
                yield f"{path}.{name}"
    for name, operation in operations(document):
        if not operation.get("description"):
            yield name
        for parameter in operation.get("parameters", ()):
            if not parameter.get("description"):
                yield f"{name}: {parameter['name']}"
        for status, response in operation["responses"].items():
            if not response.get("description") or response["description"] == "Successful Response":
                yield f"{name}: {status}"
            for header, described in response.get("headers", {}).items():
                if not described.get("description"):
                    yield f"{name}: {status}: {header}"
    described_tags = {tag["name"] for tag in document["tags"] if tag.get("description")}
    for name, operation in operations(document):
        yield from (f"{name}: tag {tag}" for tag in operation["tags"] if tag not in described_tags)


async def test_everything_is_described(document: Node) -> None:
    assert list(without_description(document)) == []


async def test_an_operation_has_a_name_of_its_own_and_a_sentence(document: Node) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for name, operation in operations(document):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), name
        assert re.fullmatch(r"[A-Z].*[^.]\.", operation["summary"]), name


async def test_codes_have_names_and_meanings(document: Node) -> None:
    known = all_codes(load_vocabulary())
    for path, node in nodes(document):
        if isinstance(node.get("enum"), list):
            name = path.removeprefix(".components.schemas.")
            assert name in known, path
            assert node["enum"] == list(known[name])
            for code, meaning in known[name].items():
                assert f"- `{code}`: {meaning}" in node["description"]


async def test_a_parameter_is_never_null(document: Node) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "null" not in str(parameter), name


async def test_an_error_is_a_problem_and_each_that_follows_from_the_form_is_there(document: Node) -> None:
    for name, operation in operations(document):
        statuses = set(operation["responses"])
        assert {"400", "422"} <= statuses
        assert ({"401", "403", "503"} <= statuses) == ("security" in operation), name
        assert ({"408", "415"} <= statuses) == ("requestBody" in operation), name
        for status, response in operation["responses"].items():
            if status >= "4":
                assert set(response["content"]) == {"application/problem+json"}
        if "security" in operation:
            assert re.search(r"For the role `[a-z_]+`", operation["description"])


async def test_a_body_has_an_example(document: Node) -> None:
    schemas = document["components"]["schemas"]
    for name, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert schemas[content["schema"]["$ref"].rpartition("/")[2]]["examples"], name


async def test_every_reference_leads_somewhere(document: Node) -> None:
    schemas = document["components"]["schemas"]
    for path, node in nodes(document):
        if isinstance(reference := node.get("$ref"), str):
            assert reference.removeprefix("#/components/schemas/") in schemas, path


async def test_every_pattern_has_words_for_people(document: Node) -> None:
    for path, node in nodes(document):
        if isinstance(pattern := node.get("pattern"), str):
            entry = {"type": "string_pattern_mismatch", "ctx": {"pattern": pattern}, "msg": "."}
            told = messages.message(entry)
            assert told.startswith("must "), path
            assert not set("^$[]*\\") & set(told), path


@pytest.mark.parametrize("kind", sorted(set(get_args(ErrorType)) - {"value_error"}))
def test_no_sentence_of_pydantic_reaches_people(kind: str) -> None:
    limits = dict.fromkeys(("max_length", "min_length", "gt", "ge", "lt", "le"), 3)
    entry = {
        "type": kind,
        "msg": "Input should match pattern '^a$' (dict)",
        "ctx": limits | {"expected": "'a'"},
    }
    told = messages.message(entry)
    assert told.startswith(("must ", "is "))
    assert "Input" not in told
    assert "dict" not in told
