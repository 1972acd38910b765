"""The funnel in numbers, as it was known at the end of a day.

Everything counts what began in the period: contacts and complaints by the day on which they were recorded,
cases by the day on which they opened, each with what became of it until `as_of`. Contacts that made no
complaint name no force; with a force only complaints count as contacts. Of incidents and patterns the
newest membership counts where it was known by then.
"""

from dataclasses import dataclass
from datetime import date

from services.referral.read_models import (
    COUNT_BY_STATUS,
    COUNT_DEADLINES,
    COUNT_REFERRED,
    COUNT_TIME_IN_STEP,
    COUNT_TOLD,
    ReadModel,
)
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


@dataclass(frozen=True, slots=True)
class Question:
    """`from_` and `to` are days, both in the period; `holder` is the key of who asks, if it may hide."""

    from_: date | None
    to: date | None
    force: str | None
    as_of: date
    holder: bytes | None


async def read_statistics(read: ReadModel, asked: Question) -> Statistics:
    """
    Raises:
        StoreUnavailable: the database is away.
    """
    parameters = (asked.from_, asked.to, asked.force, asked.as_of, asked.holder)
    (counts,) = await read.fetch(COUNT_TOLD, *parameters)
    by_status = {row["code"]: row["count"] for row in await read.fetch(COUNT_BY_STATUS, *parameters)}
    referred: dict[str, dict[str, int]] = {"total": {}, "criterion": {}, "recipient": {}}
    for row in await read.fetch(COUNT_REFERRED, *parameters):
        referred[row["kind"]][row["code"]] = row["count"]
    steps = await read.fetch(COUNT_TIME_IN_STEP, *parameters)
    (deadlines,) = await read.fetch(COUNT_DEADLINES, *parameters)
    return Statistics(
        contacts=counts["complaints"] + counts["without_complaint"],
        complaints=counts["complaints"],
        incidents=counts["incidents"],
        patterns=counts["patterns"],
        cases=Cases(total=sum(by_status.values()), by_status=by_status),
        referred=Referred(
            total=referred["total"].get("total", 0),
            by_criterion=referred["criterion"],
            by_recipient=referred["recipient"],
        ),
        time_in_step={
            row["code"]: TimeInStep(
                cases=row["cases"], mean_days=row["mean_days"], longest_days=row["longest_days"]
            )
            for row in steps
        },
        deadlines=Deadlines(met=deadlines["met"], missed=deadlines["missed"]),
    )
