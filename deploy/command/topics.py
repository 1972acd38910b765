"""`./hotline topics apply`: the topics in Apache Kafka, as `deploy.topics` says that they should be."""

from typing import Annotated

import typer

from deploy.command.system import System
from deploy.topics import WAIT_SECONDS, Shape, tell

_SHAPE = Shape()

topics = typer.Typer(
    help="The topics in Apache Kafka: made, grown and set as they should be.",
    epilog="Examples:\n\n  ./hotline topics apply --check\n\n"
    "  ./hotline topics apply --bootstrap kafka-1:9092,kafka-2:9092 --partitions 24",
    no_args_is_help=True,
)


@topics.callback()
def _several() -> None:
    """Without it, typer would take the only command for the whole."""


@topics.command("apply")
def apply_topics(
    *,
    bootstrap: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Brokers (default: that of `make run`).")
    ] = None,
    partitions: Annotated[int, typer.Option(help="Of each topic: a divisor of 240.")] = _SHAPE.partitions,
    replication: Annotated[int, typer.Option(help="Replicas of each partition.")] = _SHAPE.replication,
    min_insync: Annotated[int, typer.Option(help="min.insync.replicas.")] = _SHAPE.min_insync,
    retention_days: Annotated[int, typer.Option(help="Days that are kept.")] = _SHAPE.retention_days,
    wait: Annotated[float, typer.Option(help="Seconds to wait for a broker.")] = WAIT_SECONDS,
    check: Annotated[bool, typer.Option("--check", "--dry-run", help="Only tell: change nothing.")] = False,
) -> None:
    """Make the topics, or bring them into their shape; exit code 1 of a check that finds another one.

    Example: ./hotline topics apply --bootstrap 127.0.0.1:9092 --replication 1 --min-insync 1
    """
    shape = Shape(partitions, replication, min_insync, retention_days)
    raise typer.Exit(tell(bootstrap or System.running().broker, shape, is_check=check, wait=wait))
