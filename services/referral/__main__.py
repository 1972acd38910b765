"""`python -m services.referral serve`, `migrate` and `rebuild`."""

import sys

from services.referral.settings import Settings
from shared.web.process import Projecting, Wire, main


def wiring() -> Wire[Settings]:
    """The heavy imports, when the settings are known to be right."""
    from services.referral.wiring import wire  # noqa: PLC0415  # `migrate` does without them

    return wire


def projecting() -> Projecting:
    """The same for `rebuild`."""
    from services.referral.projection import Projection  # noqa: PLC0415

    return Projection


if __name__ == "__main__":
    sys.exit(main("referral", Settings, wiring, projecting=projecting))
