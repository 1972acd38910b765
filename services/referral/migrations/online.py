"""What `migrate` makes beside the running service (see `shared.store.online`)."""

from collections.abc import Mapping
from typing import Final

from shared.store.filling import CountedRows, CountTable

PRIORITY: Final = "(-priority)"
# Not the expression of cases_due_on: PostgreSQL would rather go through all of that one, for cases without a
# deadline stand at its end (3 s at 300,000 cases).
DUE_DAY: Final = "(coalesce(due_on, 'infinity'::date) + 0)"

INDEXES: Final[Mapping[str, str]] = {
    # Lists of cases, in both orders. A list without a status is put together from those of each.
    "cases_status_priority": f"cases (status, {PRIORITY}, case_id)",
    "cases_status_force_priority": f"cases (status, force, {PRIORITY}, case_id)",
    "cases_status_due_on": f"cases (status, {DUE_DAY}, case_id)",
    "cases_status_force_due_on": f"cases (status, force, {DUE_DAY}, case_id)",
    # An erasure takes away all verdicts on a case, under the store's lock.
    "verdicts_case_id": "verdicts (case_id)",
    # Statistics: what is hidden from a holder, and what no count tells.
    "verdicts_in_conflict": "verdicts (holder, case_id) WHERE is_in_conflict",
    "contacts_on_day": "contacts (on_day) INCLUDE (count)",
    "placements_without_case": "placements (complaint_id) WHERE case_id IS NULL",
    "placements_of_incidents": "placements (incident_id) INCLUDE (incident_on, recorded_on, force, case_id)"
    " WHERE incident_id IS NOT NULL AND is_recorded AND NOT is_erased",
}

# As the triggers of migration 0005 count.
COUNTS: Final[tuple[CountTable | CountedRows, ...]] = (
    CountedRows("case_figures", "SELECT case_id FROM cases ORDER BY opened_on", "count_cases_again"),
    CountedRows("pattern_figures", "SELECT DISTINCT pattern_id FROM pattern_members", "count_patterns_again"),
    CountTable(
        "complaint_counts",
        ("force", "recorded_on"),
        ("recorded", "present"),
        "SELECT of_force.force, p.recorded_on, 1 AS recorded, (NOT p.is_erased)::int AS present"
        " FROM placements AS p, LATERAL (VALUES (p.force), ('')) AS of_force (force)"
        " WHERE (p.is_recorded OR p.is_erased) AND p.recorded_on IS NOT NULL AND of_force.force IS NOT NULL",
    ),
)
