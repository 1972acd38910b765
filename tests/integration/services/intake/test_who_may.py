"""Every route of intake and every role: who gets an answer, and who is told that it is not for them (R5)."""

from typing import Any, Final, get_args
from uuid import uuid4

from shared.web.auth import Role
from tests.running import Running

ANYBODY: Final = frozenset[str](["nobody", *get_args(Role)])
WHO_MAY: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("GET", "/healthz/live"): ANYBODY,
    ("GET", "/healthz/ready"): ANYBODY,
    **dict.fromkeys(
        (
            ("POST", "/v1/complaints"),
            ("GET", "/v1/complaints/{complaint_id}"),
            ("PUT", "/v1/complaints/{complaint_id}"),
            ("GET", "/v1/returns"),
            ("POST", "/v1/imports"),
            ("POST", "/v1/contacts"),
            ("POST", "/v1/sanitise"),
        ),
        frozenset({"call_handler"}),
    ),
    **dict.fromkeys(
        (
            ("GET", "/v1/releases"),
            ("GET", "/v1/releases/{complaint_id}"),
            ("POST", "/v1/releases/{complaint_id}/mask"),
            ("POST", "/v1/releases/{complaint_id}/release"),
            ("POST", "/v1/releases/{complaint_id}/return"),
        ),
        frozenset({"release_reviewer"}),
    ),
}
OF_ALL_SERVICES: Final = ("/v1/events", "/v1/parked")
"""Those are tried in `tests/integration/shared/streaming/test_routes.py`."""

FORCES: Final = (None, "hampshire", "kent")


async def test_each_route_answers_the_roles_of_the_table_and_no_other(careful: Running) -> None:
    _, document = await careful.json("GET", "/openapi.json", None)
    routes = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if not path.startswith(OF_ALL_SERVICES)
    }
    assert routes == WHO_MAY.keys()
    for (method, path), allowed in WHO_MAY.items():
        filled = path.format(complaint_id=uuid4())
        for role in ANYBODY:
            for force in FORCES if role in allowed else FORCES[:1]:
                status = await _status(careful, method, filled, role, force)
                is_refused = status in (401, 403)
                assert is_refused == (role not in allowed), (method, path, role, force, status)
                assert role == "nobody" or status != 401, (method, path, role)


async def _status(intake: Running, method: str, path: str, role: str, force: str | None) -> int:
    claims: dict[str, Any] = {"force": force} if force else {}
    headers = {"If-Match": '"1"'}
    if role != "nobody":
        headers["Authorization"] = f"Bearer {intake.token(role, **claims)}"
    body: dict[str, Any] | None = None if method == "GET" else {}
    async with intake.ask(method, path, None, json=body, headers=headers) as answer:
        await answer.read()
        return answer.status
