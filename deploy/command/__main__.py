"""The `./hotline` command: see `./hotline --help`. A `LaunchError` is one sentence and exit code 1.

Of the commands the one that is asked for is imported, all of them for the help alone: `./hotline token`
stands in every request by hand, and what the others need takes a second.
"""

import sys
from importlib import import_module
from typing import Annotated

import typer

from deploy.local.errors import LaunchError
from shared.version import VERSION

# In the order of the help: name -> module in this package, and the function or `typer.Typer` in it.
COMMANDS = {
    "token": ("token", "token"),
    "import": ("importing", "import_file"),
    "simulate": ("simulating", "simulate_calls"),
    "verify": ("verifying", "verify"),
    "rebuild": ("rebuilding", "rebuild"),
    "recover": ("recovering", "recover"),
    "rewrap": ("rewrapping", "rewrap"),
    "parked": ("parking", "parked"),
    "topics": ("topics", "topics"),
}
_WITHOUT_ARGUMENTS = {"simulate", "verify"}


def _show_version(asked: bool) -> None:
    if asked:
        print(f"hotline {VERSION}")
        raise typer.Exit


def application(asked: str | None) -> typer.Typer:
    """The command line with the command `asked`; with all of them where that is none."""
    app = typer.Typer(
        name="hotline",
        help="Hotline from the command line; most commands talk to the system that `make run` has started.",
        epilog="Examples:\n\n"
        "  ./hotline token assessor\n\n"
        "  ./hotline token recipient --force hampshire\n\n"
        "  ./hotline import complaints.ndjson.gz\n\n"
        "  ./hotline simulate --calls 700 --over 60s --seed 1\n\n"
        "  ./hotline verify\n\n"
        "  ./hotline rebuild dedup --check\n\n"
        '  curl -H "Authorization: Bearer $(./hotline token assessor)" http://127.0.0.1:8003/v1/cases',
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        module, attribute = COMMANDS[name]
        found = getattr(import_module(f"deploy.command.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name, no_args_is_help=name not in _WITHOUT_ARGUMENTS)(found)
    return app


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A callback, with which one command is a group of commands too."""


def main() -> None:
    asked = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    try:
        application(asked)(prog_name="hotline")
    except LaunchError as error:
        sys.exit(f"hotline: {error}")


if __name__ == "__main__":
    main()
