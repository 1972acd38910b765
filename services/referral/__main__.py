"""`python -m services.referral serve`, `migrate`, `rebuild` and `recover`."""

import sys
from functools import partial

from services.referral.settings import Settings
from shared.web.process import Projecting, Recovering, Wire, main


def wiring() -> Wire[Settings]:
    """The heavy imports, when the settings are known to be right."""
    from services.referral.wiring import wire  # noqa: PLC0415  # `migrate` does without them

    return wire


def projecting() -> Projecting:
    """The same for `rebuild`."""
    from services.referral.projection import Projection  # noqa: PLC0415

    return Projection


def recovering() -> Recovering:
    """The same for `recover`."""
    from services.referral.recovering.consequences import Consequences  # noqa: PLC0415
    from shared import service  # noqa: PLC0415

    return partial(service.recovering, "referral", consequences=Consequences)


if __name__ == "__main__":
    sys.exit(main("referral", Settings, wiring, projecting=projecting, recovering=recovering))
