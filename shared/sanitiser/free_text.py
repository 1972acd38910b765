"""Free text in a request: sanitised as it is read, so that no code ever holds it as it was typed.

What staff write about a caller (reasons, notes, questions) is free text as well as a narrative is. A model
takes it by its type, with whatever else must hold for the text as it was sent:

    Reason = Annotated[Telling, StringConstraints(min_length=1, max_length=5_000), Sanitise()]

`tests/integration/services/test_every_free_text_is_sanitised.py` walks the models of all routes and fails on
a text that has neither this nor the form of a code.
"""

from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from shared.sanitiser.text import TextKind, sanitise


@dataclass(frozen=True, slots=True)
class Sanitise:
    """As the last one of a field's annotations: the value is what `sanitise` leaves of what was sent."""

    kind: TextKind = "narrative"

    def __get_pydantic_core_schema__(self, source: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._sanitised, handler(source))

    def _sanitised(self, text: str) -> str:
        return sanitise(text, self.kind).text
