"""Old events in today's form. Events are never changed; what reads them is.

An upcaster takes the payload of one schema version (``{"clear": ..., "body": ...}``, the sealed part
opened) and returns that of the next. They are pure, and chained: version 1 goes through 1 -> 2 and 2 -> 3.
"""

from collections.abc import Callable, Mapping
from typing import Any

from shared.store.requests import StoreUnavailable

Payload = Mapping[str, Any]
Upcaster = Callable[[Payload], Payload]


class UnknownVersionError(StoreUnavailable):
    """An own event of a type or version that this software does not know: written by a newer one, which can
    read it. Nobody's request or event is at fault."""


class Upcasters:
    """The upcasters of one service.

    Args:
        steps: (type, from version) -> upcaster to the next version.
        current: type -> the version that today's code reads; 1 where absent.
    """

    def __init__(self, steps: Mapping[tuple[str, int], Upcaster], current: Mapping[str, int]) -> None:
        self._steps, self._current = dict(steps), dict(current)
        missing = [
            f"{type_} {version}"
            for type_, newest in self._current.items()
            for version in range(1, newest)
            if (type_, version) not in self._steps
        ]
        if missing:
            raise ValueError(f"no upcaster for {', '.join(missing)}")

    def upcast(self, type_: str, version: int, payload: Payload) -> Payload:
        """The payload in the current version.

        Raises:
            UnknownVersionError: `version` is newer than the code, or below 1.
        """
        newest = self._current.get(type_, 1)
        if not 1 <= version <= newest:
            raise UnknownVersionError(f"{type_} has version {version}; versions 1 to {newest} are known")
        for step in range(version, newest):
            payload = self._steps[type_, step](payload)
        return payload
