"""Whether a JSON Schema still takes everything that its earlier form took.

`narrowings` names what a change would break: a property removed (or renamed: one removed, one new), newly
required, or of fewer types; a word dropped from an enumeration; a bound made tighter; a pattern changed.
It understands the part of JSON Schema that pydantic writes for our contracts.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_UPPER: Final = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_LOWER: Final = ("minLength", "minItems", "minimum", "exclusiveMinimum")


def narrowings(before: Schema, after: Schema) -> Iterator[str]:
    """One sentence for each way in which `after` takes less than `before`; none if it takes as much."""
    yield from _Comparison(before, after).of(before, after, "")


class _Comparison:
    def __init__(self, before: Schema, after: Schema) -> None:
        self._before = before.get("$defs", {})
        self._after = after.get("$defs", {})

    def of(self, before: Schema, after: Schema, path: str) -> Iterator[str]:
        old = _alternatives(before, self._before)
        new = _alternatives(after, self._after)
        if len(old) == len(new) == 1:
            yield from self._one(old[0], new[0], path)
            return
        for alternative in old:
            # The nearest of the new alternatives tells best what is wrong.
            best = min((list(self._one(alternative, other, path)) for other in new), key=len)
            yield from best

    def _one(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        here = path or "the document"
        if lost := _types(old) - _types(new):
            yield f"{here}: may no longer be {_names(lost)}"
            return
        yield from self._words(old, new, here)
        yield from self._bounds(old, new, here)
        yield from self._properties(old, new, path)
        if "items" in new:
            yield from self.of(old.get("items", {}), new["items"], f"{path}[]")

    def _words(self, old: Schema, new: Schema, here: str) -> Iterator[str]:
        words = _words(new)
        if words is None:
            return
        earlier = _words(old)
        if earlier is None:
            yield f"{here}: is now one of a list of words"
        elif lost := earlier - words:
            yield f"{here}: may no longer be {_names(lost)}"

    def _bounds(self, old: Schema, new: Schema, here: str) -> Iterator[str]:
        for bound in _UPPER:
            if bound in new and (bound not in old or new[bound] < old[bound]):
                yield f"{here}: {bound} is now {new[bound]}, was {old.get(bound, 'open')}"
        for bound in _LOWER:
            if bound in new and (bound not in old or new[bound] > old[bound]):
                yield f"{here}: {bound} is now {new[bound]}, was {old.get(bound, 'open')}"
        for rule in ("pattern", "format"):
            if rule in new and new[rule] != old.get(rule):
                yield f"{here}: has another {rule}"

    def _properties(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        prefix = f"{path}." if path else ""
        earlier, now = old.get("properties", {}), new.get("properties", {})
        for name in sorted(earlier.keys() - now.keys()):
            yield f"{prefix}{name}: was removed or renamed"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{prefix}{name}: is newly required"
        for name in sorted(earlier.keys() & now.keys()):
            yield from self.of(earlier[name], now[name], prefix + name)
        if old.get("additionalProperties", True) is not False and new.get("additionalProperties") is False:
            yield f"{path or 'the document'}: takes no other properties any more"


def _alternatives(schema: Schema, definitions: Mapping[str, Schema]) -> list[Schema]:
    if "$ref" in schema:
        return _alternatives(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    if "anyOf" in schema:
        return [one for inner in schema["anyOf"] for one in _alternatives(inner, definitions)]
    return [schema]


_EVERY_TYPE: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})


def _types(schema: Schema) -> frozenset[str]:
    named = schema.get("type", _EVERY_TYPE)
    types = frozenset([named] if isinstance(named, str) else named)
    return types | {"integer"} if "number" in types else types


def _words(schema: Schema) -> frozenset[str] | None:
    if "const" in schema:
        return frozenset([str(schema["const"])])
    return frozenset(map(str, schema["enum"])) if "enum" in schema else None


def _names(words: frozenset[str]) -> str:
    return " or ".join(sorted(words))
