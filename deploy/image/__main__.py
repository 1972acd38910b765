"""The image's entry point: `docker run hotline intake serve`, `... dedup migrate`, `... topics apply ...`.

It becomes the program that it picks, so that signals reach that one and its exit code is the container's.
How it fails: one sentence on standard error and exit code 2, as the programs do for wrong arguments.
"""

import os
import sys
from collections.abc import Sequence

MODULES = {
    "intake": "services.intake",
    "dedup": "services.dedup",
    "referral": "services.referral",
    "topics": "deploy.topics",
}


def command(arguments: Sequence[str]) -> list[str]:
    """The program that the arguments pick, with what they leave for it.

    Raises:
        SystemExit: they pick none.
    """
    if not arguments or arguments[0] not in MODULES:
        what = f"there is no {arguments[0]!r} in this image" if arguments else "nothing was asked for"
        print(f"hotline: {what}; name one of {', '.join(MODULES)}: `intake serve`.", file=sys.stderr)
        raise SystemExit(2)
    name, *rest = arguments
    return [sys.executable, "-m", MODULES[name], *rest]


if __name__ == "__main__":
    argv = command(sys.argv[1:])
    os.execv(argv[0], argv)  # noqa: S606  (no shell is the point)
