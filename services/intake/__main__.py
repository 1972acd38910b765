"""`python -m services.intake serve`, `migrate`, `rebuild` and `recover`."""

import sys
from functools import partial

from services.intake.settings import Settings
from shared.web.process import Projecting, Recovering, Wire, main


def wiring() -> Wire[Settings]:
    """The heavy imports, when the settings are known to be right."""
    from services.intake.wiring import wire  # noqa: PLC0415  # `migrate` does without them

    return wire


def projecting() -> Projecting:
    """The same for `rebuild`."""
    from services.intake.projection import Projection  # noqa: PLC0415

    return Projection


def recovering() -> Recovering:
    """The same for `recover`."""
    from services.intake.recovering import Consequences  # noqa: PLC0415
    from shared import service  # noqa: PLC0415

    return partial(service.recovering, "intake", consequences=Consequences)


if __name__ == "__main__":
    sys.exit(main("intake", Settings, wiring, projecting=projecting, recovering=recovering))
