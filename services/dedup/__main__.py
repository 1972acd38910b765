"""`python -m services.dedup serve` and `python -m services.dedup migrate`."""

import sys

from services.dedup.settings import Settings
from shared.web.process import Wire, main


def wiring() -> Wire[Settings]:
    """The heavy imports, when the settings are known to be right."""
    from services.dedup.wiring import wire  # noqa: PLC0415  # `migrate` does without them

    return wire


if __name__ == "__main__":
    sys.exit(main("dedup", Settings, wiring))
