"""`python -m deploy.containers up` and `down`: what `make up` and `make down` call."""

import argparse
import sys

from rich.console import Console

from deploy.containers.system import down, up
from deploy.local.data_directory import CONTAINERS, DataDirectory
from deploy.local.errors import LaunchError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.containers")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="build the image, start everything, wait until it is ready")
    commands.add_parser("down", help="stop everything; the data stays")
    chosen = parser.parse_args()
    data, console = DataDirectory.from_environment(CONTAINERS), Console()
    try:
        up(data, console) if chosen.command == "up" else down(data, console)
    except LaunchError as error:
        print(f"make {chosen.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"make {chosen.command}: stopped half-way; it may be run again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
