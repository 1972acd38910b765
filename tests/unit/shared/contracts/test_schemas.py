"""The command that keeps the JSON Schemas: it writes them, and refuses what drifts or breaks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.events import EVENTS
from shared.contracts.schemas import KEPT, generate, main

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    assert main([], kept=tmp_path / "schemas") == 0
    return tmp_path / "schemas"


def edit(path: Path, change: Edit) -> None:
    schema = json.loads(path.read_text())
    change(schema)
    path.write_text(json.dumps(schema, indent=2) + "\n")


def test_the_schemas_in_the_repository_are_those_of_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], kept=KEPT) == 0, capsys.readouterr().err


def test_every_event_and_the_body_and_the_envelope_have_one() -> None:
    schemas = generate()
    assert schemas.keys() == {"complaint.v1.json", "event.v1.json", *(f"{name}.json" for name in EVENTS)}
    for schema in schemas.values():
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schemas["complaint.v1.json"]["additionalProperties"] is False
    recorded = json.dumps(schemas["hotline.complaint.recorded.v1.json"])
    assert '"additionalProperties": false' not in recorded
    assert '"continues"' not in recorded


def test_a_check_writes_nothing_and_passes_what_was_written(kept: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert main(["--check"], kept=kept) == 0
    assert {path: path.stat().st_mtime_ns for path in kept.iterdir()} == before


def test_a_drift_is_named_with_the_remedy(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(kept / "event.v1.json", lambda schema: schema.update(description="something else"))
    (kept / "hotline.case.split.v1.json").unlink()
    assert main(["--check"], kept=kept) == 1
    message = capsys.readouterr().err
    assert "event.v1.json: differs from the models" in message
    assert "hotline.case.split.v1.json: is not there" in message
    assert "python -m shared.contracts.schemas" in message
    assert main([], kept=kept) == 0
    assert main(["--check"], kept=kept) == 0


@pytest.mark.parametrize("arguments", [[], ["--check"]])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s["properties"].update(colour={"type": "string"}), "colour: was removed or renamed"),
        (lambda s: s["required"].remove("channel"), "channel: is newly required"),
        (lambda s: s["properties"]["channel"]["enum"].append("fax"), "channel: may no longer be fax"),
        (
            lambda s: s["properties"]["narrative"].update(maxLength=30_000),
            "narrative: maxLength is now 20000",
        ),
        (lambda s: s["$defs"]["Risk"]["properties"].update(x={}), "risk.x: was removed or renamed"),
    ],
)
def test_an_incompatible_change_needs_a_new_version(
    kept: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], change: Edit, message: str
) -> None:
    path = kept / "complaint.v1.json"
    edit(path, change)
    earlier = path.read_text()
    assert main(arguments, kept=kept) == 1
    told = capsys.readouterr().err
    assert f"complaint.v1.json: {message}" in told
    assert "new version" in told
    assert path.read_text() == earlier


def test_an_event_that_ever_shipped_is_not_dropped(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kept / "hotline.case.forgotten.v1.json").write_text("{}")
    assert main(["--check"], kept=kept) == 1
    assert "hotline.case.forgotten.v1.json: no model has this schema any more" in capsys.readouterr().err
