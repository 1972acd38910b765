"""`python -m services.dedup.training fit | evaluate`: makes the model file, and measures one.

Services import nothing of `deploy/`, so streams of the simulator come as files:

    for seed in 2000 2001 2002 2003 2004 2005; do
        ./hotline simulate --purpose training --calls 2500 --seed $seed --out training-$seed.ndjson.gz
    done
    python -m services.dedup.training fit training-200[0-5].ndjson.gz

`model.json` without a `provenance` was made of the same seeds with an earlier simulator, and cannot be made
again; its weights of texts, long times, slips in places and numbered districts were set by hand afterwards. A
new one takes its place where `evaluate` and the tests on real complaints show it no worse.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from services.dedup.domain.model import MODEL_FILE, Model
from services.dedup.training.evaluating import Figures, figures, mean
from services.dedup.training.labelled import read_simulated
from services.dedup.training.pairs import Prepared, prepared
from services.dedup.training.streams import Stream
from services.dedup.training.training import COMPLAINTS, FIRST_SEED, STREAMS, VERSION, trained

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

_Simulated = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Streams of `./hotline simulate --out FILE`, each with its FILE.truth.ndjson.",
        exists=True,
        dir_okay=False,
    ),
]


@app.command()
def fit(
    simulated: _Simulated = None,
    version: Annotated[str, typer.Option(help="The name of the model.")] = VERSION,
    streams: Annotated[int, typer.Option(help="Generated streams, each with rates of its own.")] = STREAMS,
    complaints: Annotated[int, typer.Option(help="Complaints of each generated stream.")] = COMPLAINTS,
    seed: Annotated[int, typer.Option(help="The seed of the first one.")] = FIRST_SEED,
    out: Annotated[Path, typer.Option(help="The model file.")] = MODEL_FILE,
) -> None:
    """Train a model on generated streams and on those of files, and write it.

    The same streams give the same file, byte for byte on one machine; their seeds stand in it. Example:

    for seed in 2000 2001 2002 2003 2004 2005; do ./hotline simulate --purpose training --calls 2500
    --seed $seed --out training-$seed.ndjson.gz; done

    python -m services.dedup.training fit training-200[0-5].ndjson.gz
    """
    made = [*_generated(seed, streams, complaints), *_read(simulated or ())]
    out.write_text(trained(made, version, typer.echo).model_dump_json(indent=1) + "\n")


@app.command()
def evaluate(
    simulated: _Simulated = None,
    model: Annotated[Path, typer.Option(help="The model file.")] = MODEL_FILE,
    streams: Annotated[int, typer.Option(help="Generated streams, where no files are given.")] = 3,
    complaints: Annotated[int, typer.Option(help="Complaints of each.")] = 4000,
    seed: Annotated[int, typer.Option(help="The seed of the first one; others than those of training.")] = 1,
) -> None:
    """Play streams through features, blocking, scoring and grouping, and print how that went.

    Examples: python -m services.dedup.training evaluate

    ./hotline simulate --purpose tuning --calls 4000 --seed 1 --out tuning-1.ndjson.gz

    python -m services.dedup.training evaluate tuning-1.ndjson.gz
    """
    read = Model.model_validate_json(model.read_bytes())
    rows = []
    typer.echo("".join(f"{field.name.replace('_', ' '):>14}" for field in fields(Figures)))
    for stream in _read(simulated) if simulated else _generated(seed, streams, complaints):
        rows.append(figures(stream, read))
        typer.echo(_row(rows[-1]))
    typer.echo(f"{_row(mean(rows))}  mean")


def _generated(first_seed: int, streams: int, complaints: int) -> Iterator[Prepared]:
    for seed in range(first_seed, first_seed + streams):
        yield prepared(Stream(seed, complaints), "generated", seed)


def _read(paths: Sequence[Path]) -> Iterator[Prepared]:
    for path in paths:
        stream = read_simulated(path)
        yield prepared(stream.labelled, f"simulated, {stream.purpose}", stream.seed)


def _row(of: Figures) -> str:
    return "".join(f"{getattr(of, field.name):14.3f}" for field in fields(Figures))


if __name__ == "__main__":
    app()
