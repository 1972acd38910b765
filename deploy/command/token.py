"""`./hotline token ROLE`: a token of the local issuer.

It needs the issuer's key alone: from the place that run.json names, and where nothing runs from the data
directory. How it fails: a `LaunchError` for an unknown role or force, or where `make run` has not made a key
yet.
"""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.data_directory import DataDirectory
from deploy.local.errors import LaunchError
from deploy.local.issuer import Issuer


class UnknownForceError(LaunchError):
    """A token for it would open nothing, and say nothing about it."""


def token(
    role: Annotated[str, typer.Argument(help="What its holder may do; an unknown one names them all.")],
    *,
    force: Annotated[
        str | None, typer.Option(help="The force or body whose packages a recipient reads.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Who it is; two persons need two (default: local-ROLE).")
    ] = None,
    holder_force: Annotated[str | None, typer.Option(help="The holder's own force.")] = None,
    holder_unit: Annotated[str | None, typer.Option(help="The holder's own unit.")] = None,
    holder_name: Annotated[str | None, typer.Option(help="The holder's name.")] = None,
    holder_collar_number: Annotated[str | None, typer.Option(help="The holder's collar number.")] = None,
) -> None:
    """Print a token of the local issuer, good for 8 hours, and nothing else."""
    given = {
        "force": holder_force,
        "unit": holder_unit,
        "name": holder_name,
        "collar_number": holder_collar_number,
    }
    for named, is_body_too in ((force, True), (holder_force, False)):
        if named is not None:
            _require_force(named, is_body_too=is_body_too)
    holder = {claim: value for claim, value in given.items() if value is not None}
    issuer = Issuer(issuer_directory(DataDirectory.for_commands()))
    print(issuer.mint(role, force=force, subject=subject, holder=holder))


def _require_force(named: str, *, is_body_too: bool) -> None:
    from shared.vocabulary import load_vocabulary  # noqa: PLC0415  (most tokens name none)

    vocabulary = load_vocabulary()
    known = [*vocabulary.forces, *(vocabulary.oversight_bodies if is_body_too else ())]
    if named not in known:
        near = get_close_matches(named, known, 3)
        there_is = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}."
        raise UnknownForceError(f"there is no force {'or body ' if is_body_too else ''}{named!r}; {there_is}")


def issuer_directory(data: DataDirectory) -> Path:
    running = data.read_run_file()
    return Path(running["issuer"]["key_file"]).parent if running else data.keys
