"""`python -m services.dedup.training fit | evaluate`: makes the model file, and measures one."""

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from services.dedup.domain.model import MODEL_FILE, Model
from services.dedup.training.evaluating import Figures, figures, mean
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
    out: Annotated[Path, typer.Option(help="The model file.")] = MODEL_FILE,
) -> None:
    """Train a model on streams and write it."""
    made = [_stream(seed + number, complaints) for number in range(streams)]
    model = trained(made, version, typer.echo)
    out.write_text(model.model_dump_json(indent=1) + "\n")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Option(help="The model file.")] = MODEL_FILE,
    streams: Annotated[int, typer.Option(help="Streams that are played.")] = 3,
    complaints: Annotated[int, typer.Option(help="Complaints of each.")] = 4000,
    seed: Annotated[int, typer.Option(help="The seed of the first one; others than those of training.")] = 1,
) -> None:
    """Play streams through features, blocking, scoring and grouping, and print how that went."""
    read = Model.model_validate_json(model.read_bytes())
    rows = []
    typer.echo("".join(f"{field.name.replace('_', ' '):>14}" for field in fields(Figures)))
    for number in range(streams):
        rows.append(figures(_stream(seed + number, complaints), read))
        typer.echo(_row(rows[-1]))
    typer.echo(f"{_row(mean(rows))}  mean")


def _stream(seed: int, complaints: int) -> Prepared:
    return prepared(Stream(seed, complaints))


def _row(of: Figures) -> str:
    return "".join(f"{getattr(of, field.name):14.3f}" for field in fields(Figures))


if __name__ == "__main__":
    app()
