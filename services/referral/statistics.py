"""The funnel in numbers, as it was known at the end of a day.

Everything counts what began in the period: contacts and complaints by the day on which they were recorded,
cases by the day on which they opened, each with what became of it until `as_of`. Contacts that made no
complaint name no force; with a force only complaints count as contacts. Of incidents and patterns the
newest membership counts where it was known by then.
"""

from collections import defaultdict

import asyncpg

from services.referral import figures
from services.referral.figures import Question
from services.referral.read_models import ReadModel
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
    longest_days: int
    """The most days in it."""


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
    """How many officers are described by more than one complaint."""
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
    """

    async def one(statement: str) -> asyncpg.Record:
        (row,) = await read.fetch(statement, *asked.parameters)
        return row

    asks = asked.asks
    counted: defaultdict[str, dict[str, asyncpg.Record]] = defaultdict(dict)
    for row in await read.fetch(figures.count_cases(asks), *asked.parameters):
        counted[row["kind"]][row["code"]] = row
    told = await one(figures.count_complaints(asks))
    known = await one(figures.count_incidents(asks))
    without_complaint = (await one(figures.COUNT_CONTACTS))["contacts"]
    by_status = {code: row["still"] for code, row in counted["step"].items() if row["still"]}
    deadlines = counted["deadline"].get("")
    return Statistics(
        contacts=told["recorded"] + without_complaint,
        complaints=told["recorded"],
        # Whose incident was not known by then is one of its own.
        incidents=told["present"] - known["complaints"] + known["incidents"],
        patterns=(await one(figures.count_patterns(asks)))["patterns"],
        cases=Cases(total=sum(by_status.values()), by_status=by_status),
        referred=Referred(
            total=sum(row["n"] for row in counted["referred"].values()),
            by_criterion={code: row["n"] for code, row in counted["criterion"].items()},
            by_recipient={code: row["n"] for code, row in counted["recipient"].items()},
        ),
        time_in_step={
            code: TimeInStep(
                cases=entered["n"],
                mean_days=float(counted["step"][code]["days"]) / counted["step"][code]["n"],
                longest_days=counted["step"][code]["longest"],
            )
            for code, entered in counted["entered"].items()
        },
        deadlines=Deadlines(
            met=deadlines["met"] if deadlines else 0, missed=deadlines["missed"] if deadlines else 0
        ),
    )
