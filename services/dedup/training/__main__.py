"""`python -m services.dedup.training fit | evaluate`: makes the model file, and measures one."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from services.dedup.domain.model import MODEL_FILE, Model
from services.dedup.training.evaluating import Figures, figures, mean
from services.dedup.training.labelled import read_labelled
from services.dedup.training.pairs import Prepared, prepared
from services.dedup.training.streams import Stream
from services.dedup.training.training import trained

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def fit(
    version: Annotated[str, typer.Option(help="What the model file is to be called.")],
    streams: Annotated[int, typer.Option(help="Streams, each with rates of its own.")] = 14,
    complaints: Annotated[int, typer.Option(help="Complaints of each.")] = 4000,
    seed: Annotated[int, typer.Option(help="The seed of the first one.")] = 1000,
    labelled: Annotated[list[Path], typer.Option(help="More streams, as files of labelled complaints.")] = [],  # noqa: B006  (typer reads it)
    out: Annotated[Path, typer.Option(help="The model file.")] = MODEL_FILE,
) -> None:
    """Train a model on streams and write it."""
    made = [_stream(seed + number, complaints) for number in range(streams)] + [*map(_read, labelled)]
    model = trained(made, version, typer.echo)
    out.write_text(model.model_dump_json(indent=1) + "\n")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Option(help="The model file.")] = MODEL_FILE,
    streams: Annotated[int, typer.Option(help="Streams that are played.")] = 3,
    complaints: Annotated[int, typer.Option(help="Complaints of each.")] = 4000,
    seed: Annotated[int, typer.Option(help="The seed of the first one; others than those of training.")] = 1,
    labelled: Annotated[list[Path], typer.Option(help="Files of labelled complaints instead.")] = [],  # noqa: B006  (typer reads it)
) -> None:
    """Play streams through features, blocking, scoring and grouping, and print how that went."""
    read = Model.model_validate_json(model.read_bytes())
    rows = []
    typer.echo("".join(f"{field.name.replace('_', ' '):>14}" for field in fields(Figures)))
    played = map(_read, labelled) if labelled else (_stream(seed + n, complaints) for n in range(streams))
    for stream in played:
        rows.append(figures(stream, read))
        typer.echo(_row(rows[-1]))
    typer.echo(f"{_row(mean(rows))}  mean")


def _stream(seed: int, complaints: int) -> Prepared:
    return prepared(Stream(seed, complaints))


def _read(path: Path) -> Prepared:
    with path.open("rb") as lines:
        return prepared(read_labelled(lines))


def _row(of: Figures) -> str:
    return "".join(f"{getattr(of, field.name):14.3f}" for field in fields(Figures))


if __name__ == "__main__":
    app()
