"""Old events in today's form."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.events import EVENTS
from shared.store.upcasting import Payload, UnknownVersionError, Upcasters

GOLDEN = Path(__file__).parents[3] / "fixtures" / "events"
"""`TYPE.vN.json`: an event's payload as version N wrote it, `{"clear": ..., "body": ...}`. A file that was
added is never changed: it stands for the events that lie in logs."""


def _with(name: str) -> Any:
    return lambda payload: {**payload, "steps": [*payload.get("steps", []), name]}


def test_a_payload_goes_through_all_steps_to_the_current_version() -> None:
    upcasters = Upcasters({("t", 1): _with("1-2"), ("t", 2): _with("2-3")}, {"t": 3})
    assert upcasters.upcast("t", 1, {}) == {"steps": ["1-2", "2-3"]}
    assert upcasters.upcast("t", 2, {}) == {"steps": ["2-3"]}
    assert upcasters.upcast("t", 3, {"body": 1}) == {"body": 1}


def test_a_type_that_never_changed_has_version_one() -> None:
    assert Upcasters({}, {}).upcast("t", 1, {"body": 1}) == {"body": 1}


@pytest.mark.parametrize("version", [0, -1, 3])
def test_a_version_that_the_code_does_not_know_is_refused(version: int) -> None:
    with pytest.raises(UnknownVersionError, match=f"t has version {version}; versions 1 to 2 are known"):
        Upcasters({("t", 1): _with("1-2")}, {"t": 2}).upcast("t", version, {})


def test_a_missing_step_is_found_at_start() -> None:
    with pytest.raises(ValueError, match="no upcaster for t 2"):
        Upcasters({("t", 1): _with("1-2")}, {"t": 3})


def test_the_payload_that_was_read_is_not_changed() -> None:
    payload: Payload = {"clear": {}}
    Upcasters({("t", 1): _with("1-2")}, {"t": 2}).upcast("t", 1, payload)
    assert payload == {"clear": {}}


# Golden events


def golden(directory: Path = GOLDEN) -> Iterator[tuple[str, int, Payload]]:
    """(type, version, payload) of each file.

    Raises:
        ValueError: a file whose name or content is not that of a golden event.
    """
    for path in sorted(directory.glob("*")):
        named = re.fullmatch(r"([a-z_]+\.[a-z_]+)\.v([1-9]\d*)\.json", path.name)
        if not named:
            raise ValueError(f"{path.name} is not named TYPE.vN.json")
        payload = json.loads(path.read_text())
        if not isinstance(payload, dict) or payload.keys() != {"clear", "body"}:
            raise ValueError(f"{path.name} does not have the members clear and body")
        yield named[1], int(named[2]), payload


@pytest.mark.parametrize(
    ("type_", "version", "payload"),
    [pytest.param(*event, id=f"{event[0]}.v{event[1]}") for event in golden()],
)
def test_every_version_that_ever_shipped_is_read_by_todays_models(
    type_: str, version: int, payload: Payload
) -> None:
    contract = EVENTS[f"hotline.{type_}.v{version}"]
    contract.read_clear(payload["clear"])
    if contract.sealed is None:
        assert payload["body"] is None
    else:
        contract.read_sealed(json.dumps(payload["body"]).encode())


def test_golden_files_are_read_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "complaint.recorded.v2.json").write_text('{"clear": {"a": 1}, "body": null}')
    assert list(golden(tmp_path)) == [("complaint.recorded", 2, {"clear": {"a": 1}, "body": None})]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("complaint.recorded.json", '{"clear": {}, "body": {}}'),
        ("complaint.recorded.v0.json", '{"clear": {}, "body": {}}'),
        ("README.md", ""),
        ("complaint.recorded.v1.json", "[]"),
        ("complaint.recorded.v1.json", '{"clear": {}}'),
    ],
)
def test_a_file_that_is_no_golden_event_is_not_passed_over(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=name):
        list(golden(tmp_path))
