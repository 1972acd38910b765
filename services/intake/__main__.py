"""`python -m services.intake serve`, `migrate`, `recover` and `rebuild` (which says that there is nothing to
do)."""

import sys
from functools import partial

from services.intake.settings import Settings
from shared.web.process import Recovering, Wire, main


def wiring() -> Wire[Settings]:
    """The heavy imports, when the settings are known to be right."""
    from services.intake.wiring import wire  # noqa: PLC0415  # `migrate` does without them

    return wire


def recovering() -> Recovering:
    """How intake adopts what a set-back database has lost."""
    from shared import service  # noqa: PLC0415  # `migrate` does without it

    return partial(service.recovering, "intake")


if __name__ == "__main__":
    sys.exit(main("intake", Settings, wiring, recovering=recovering))
