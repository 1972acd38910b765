"""The OpenAPI document of the real service can be made, and knows its routes."""

from tests.running import Running


async def test_the_document_names_every_route(intake: Running) -> None:
    status, document = await intake.json("GET", "/openapi.json", role=None)
    assert status == 200
    assert {"/v1/complaints", "/v1/imports", "/v1/contacts", "/v1/sanitise", "/v1/events"} <= document[
        "paths"
    ].keys()
