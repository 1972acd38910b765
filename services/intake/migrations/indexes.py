"""Indexes beside those of the migrations (see `shared.store.indexes`)."""

from collections.abc import Mapping
from typing import Final

INDEXES: Final[Mapping[str, str]] = {}
