"""The funnel in numbers, as it was known at the end of a day.

Everything counts what began in the period: contacts and complaints by the day on which they were recorded,
cases by the day on which they opened, each with what became of it until `as_of`. Contacts that made no
complaint name no force; with a force only complaints count as contacts; patterns by the day from which on
they brought two complaints together. Of incidents and patterns the newest membership counts where it was
known by then.
"""

from collections import defaultdict

import asyncpg

from services.referral.figures import MOST_SAID, UNJUDGED, Question
from services.referral.read_models import ReadModel
from shared.errors import Unavailable
from shared.web.schemas import Schema


class Cases(Schema):
    """How many cases there are, and where they stand."""

    total: int
    """How many cases were opened in the period."""
    by_status: dict[str, int]
    """How many of these stand where, as it was known at the end of `as_of`."""


class Referred(Schema):
    """Cases that were referred, in whole or in part; one of several criteria or recipients counts in each."""

    total: int
    """How many cases were referred, in whole or in part."""
    by_criterion: dict[str, int]
    """How many cases were referred with this criterion."""
    by_recipient: dict[str, int]
    """How many cases were referred to this body."""


class TimeInStep(Schema):
    """Days between the steps; those still in it count until `as_of`."""

    cases: int
    """How many cases took this step."""
    mean_days: float
    """The mean of their days in it."""


class Deadlines(Schema):
    """How many deadlines were met and missed."""

    met: int
    """How many deadlines were met."""
    missed: int
    """How many deadlines were missed."""


class Statistics(Schema):
    """What began in the period, in numbers."""

    contacts: int
    """How many contacts there were; with a `force` only those that became complaints."""
    complaints: int
    """How many complaints were recorded."""
    incidents: int
    """How many incidents these complaints are about."""
    patterns: int
    """How many officers came to be described by more than one complaint, with a `force` by two about it."""
    cases: Cases
    """The cases that were opened."""
    referred: Referred
    """The cases that were referred."""
    time_in_step: dict[str, TimeInStep]
    """By step, how many days cases took."""
    deadlines: Deadlines
    """How the deadlines were kept."""


async def read_statistics(read: ReadModel, asked: Question) -> Statistics:
    """
    Raises:
        StoreBusy, StoreUnavailable
        Unavailable: so much is being said of cases that they are not judged for this account.
    """
    rows = await read.fetch(asked.statement, *asked.parameters)
    counts = {row["figure"]: row["n"] for row in rows}
    if counts.get(UNJUDGED, 0) >= MOST_SAID:
        raise Unavailable("The cases are being looked through for this account; ask again.", retry_after=1)
    by_kind: defaultdict[str, dict[str, asyncpg.Record]] = defaultdict(dict)
    for row in rows:
        kind, _, code = row["figure"].partition(" ")
        by_kind[kind][code] = row
    by_status = {code: row["running"] for code, row in by_kind["step"].items() if row["running"]}
    return Statistics(
        contacts=counts["complaints"] + counts["contacts"],
        complaints=counts["complaints"],
        # Whose incident was not known by then is one of its own.
        incidents=counts["present"] - counts["placed"] + counts["incidents"],
        patterns=counts["patterns"],
        cases=Cases(total=sum(by_status.values()), by_status=by_status),
        referred=Referred(
            total=counts.get("referred", 0),
            by_criterion={code: row["n"] for code, row in by_kind["criterion"].items()},
            by_recipient={code: row["n"] for code, row in by_kind["recipient"].items()},
        ),
        time_in_step={
            code: TimeInStep(cases=row["n"], mean_days=_mean_days(by_kind["step"][code]))
            for code, row in by_kind["entered"].items()
        },
        deadlines=Deadlines(met=counts.get("deadline met", 0), missed=counts.get("deadline missed", 0)),
    )


def _mean_days(step: asyncpg.Record) -> float:
    return float(step["days"] / step["n"])
