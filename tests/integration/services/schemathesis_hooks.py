"""Loaded by schemathesis: how a body of lines is written."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def write_line(_: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"
