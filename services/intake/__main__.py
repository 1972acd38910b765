"""`python -m services.intake serve`, `migrate` and `rebuild` (which says that there is nothing to do)."""

import sys

from services.intake.settings import Settings
from shared.web.process import Wire, main


def wiring() -> Wire[Settings]:
    """The heavy imports, when the settings are known to be right."""
    from services.intake.wiring import wire  # noqa: PLC0415  # `migrate` does without them

    return wire


if __name__ == "__main__":
    sys.exit(main("intake", Settings, wiring))
