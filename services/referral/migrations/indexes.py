"""Indexes beside those of the migrations (see `shared.store.indexes`)."""

from collections.abc import Mapping
from typing import Final

PRIORITY: Final = "(-priority)"
DUE_DAY: Final = "(coalesce(due_on, 'infinity'::date))"

INDEXES: Final[Mapping[str, str]] = {
    # Lists of cases, in both orders. A list without a status is put together from those of each.
    "cases_status_priority": f"cases (status, {PRIORITY}, case_id)",
    "cases_status_force_priority": f"cases (status, force, {PRIORITY}, case_id)",
    "cases_status_due_on": f"cases (status, {DUE_DAY}, case_id)",
    "cases_status_force_due_on": f"cases (status, force, {DUE_DAY}, case_id)",
    # An erasure takes away all verdicts on a case, under the store's lock.
    "verdicts_case_id": "verdicts (case_id)",
}
