"""`python -m shared.contracts.schemas [--check]`: the contracts as JSON Schemas (2020-12) in `schemas/`.

Without an option the files are written anew. With `--check` nothing is written, and files that differ from
the models, are missing, or have no model any more are named; the exit code is then 1. Either way a change
that takes less than the kept file is refused: it needs a new version of the type (`...v2`), whose file then
stands beside the old one, since events are never changed. (A version that nobody ever read may be changed
by deleting its file first.)

Each event has one file: `clear` as it stands in the envelope's `data`, `sealed` as it is once opened.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, create_model

from shared.contracts.compatibility import narrowings
from shared.contracts.complaint import ComplaintBody
from shared.contracts.contract import Contract
from shared.contracts.envelope import CloudEvent
from shared.contracts.events import EVENTS, EventType

KEPT: Final = Path(__file__).parent / "schemas"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def generate() -> dict[str, dict[str, Any]]:
    """All schemas by file name."""
    schemas = {
        "complaint.v1": _schema("urn:hotline:complaint.v1", ComplaintBody),
        "event.v1": _open(_schema("urn:hotline:event.v1", CloudEvent)),
    }
    for name, event in EVENTS.items():
        schemas[name] = _open(_schema(event.dataschema, _both_parts(event)))
    return {f"{name}.json": schema for name, schema in schemas.items()}


def _both_parts(event: EventType[Contract, Contract]) -> type[BaseModel]:
    title = event.name.removeprefix("hotline.").replace(".", " ").replace("_", " ")
    if event.sealed is None:
        return create_model(title, clear=(event.clear, ...))
    return create_model(title, clear=(event.clear, ...), sealed=(event.sealed, ...))


def _schema(identity: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": _DIALECT, "$id": identity, **model.model_json_schema(by_alias=True)}


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """Readers of events ignore what they do not know, so their schemas do not forbid it."""
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("additionalProperties") is False:
            del part["additionalProperties"]
    return schema


def incompatibilities(kept: Path, schemas: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the models no longer take though the kept files say they do."""
    found = []
    for path in sorted(kept.glob("*.json")):
        if path.name not in schemas:
            found.append(f"{path.name}: no model has this schema any more; what ever shipped stays readable")
            continue
        before = json.loads(path.read_text())
        found += [f"{path.name}: {what}" for what in narrowings(before, schemas[path.name])]
    return found


def drifts(kept: Path, schemas: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Files that are missing or not what the models say."""
    found = []
    for name, schema in schemas.items():
        path = kept / name
        if not path.exists():
            found.append(f"{name}: is not there")
        elif path.read_text() != _text(schema):
            found.append(f"{name}: differs from the models")
    return found


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None, kept: Path = KEPT) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m shared.contracts.schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file would change")
    check = parser.parse_args(arguments).check

    schemas = generate()
    if broken := incompatibilities(kept, schemas):
        _complain("These changes break who follows the contracts; give them a new version:", broken)
        return 1
    if not check:
        kept.mkdir(exist_ok=True)
        for name, schema in schemas.items():
            (kept / name).write_text(_text(schema))
        return 0
    if drifted := drifts(kept, schemas):
        _complain(
            "These schemas are not those of the models; run `python -m shared.contracts.schemas`:", drifted
        )
        return 1
    return 0


def _complain(headline: str, lines: list[str]) -> None:
    sys.stderr.write("\n  ".join([headline, *lines]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
