"""`python -m services.dedup serve`, `migrate` and `rebuild`."""

import sys

from services.dedup.settings import Settings
from shared.web.process import Projecting, Wire, main


def wiring() -> Wire[Settings]:
    """The heavy imports, when the settings are known to be right."""
    from services.dedup.wiring import wire  # noqa: PLC0415  # `migrate` does without them

    return wire


def projecting() -> Projecting:
    """The same for `rebuild`."""
    from services.dedup.projection import Projection  # noqa: PLC0415

    return Projection


if __name__ == "__main__":
    sys.exit(main("dedup", Settings, wiring, projecting=projecting))
