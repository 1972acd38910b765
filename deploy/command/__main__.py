"""The `./hotline` command: see `./hotline --help`. A `LaunchError` is one sentence and exit code 1."""

import sys

import typer

from deploy.command.importing import import_file
from deploy.command.parking import parked
from deploy.command.rebuilding import rebuild
from deploy.command.recovering import recover
from deploy.command.simulating import simulate_calls
from deploy.command.token import token
from deploy.command.topics import topics
from deploy.command.verifying import verify
from deploy.local.errors import LaunchError

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
app.command(no_args_is_help=True)(token)
app.command("import", no_args_is_help=True)(import_file)
app.command("simulate")(simulate_calls)
app.command()(verify)
app.command(no_args_is_help=True)(rebuild)
app.command(no_args_is_help=True)(recover)
app.add_typer(parked, name="parked")
app.add_typer(topics, name="topics")


def main() -> None:
    try:
        app(prog_name="hotline")
    except LaunchError as error:
        sys.exit(f"hotline: {error}")


if __name__ == "__main__":
    main()
