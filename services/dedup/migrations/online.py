"""What `migrate` makes beside the running service (see `shared.store.online`)."""

from collections.abc import Mapping
from typing import Final

from shared.store.filling import CountTable

INDEXES: Final[Mapping[str, str]] = {}
COUNTS: Final[tuple[CountTable, ...]] = ()
