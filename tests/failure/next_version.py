"""The next version of this software: a copy of it with a column more and a new version of an event.

What it adds is appended to the modules of the copy, so that no change of theirs gets lost or goes unnoticed:
intake records complaints as `complaint.recorded.v2`, dedup and referral know both versions, and dedup writes
the language of each complaint that it indexes.
"""

import shutil
from pathlib import Path

from deploy.local.data_directory import ROOT
from shared.store.migration_check import objections
from shared.store.revisions import window

COLUMN = {"intake": "day_secrets", "dedup": "indexed", "referral": "placements"}
"""The table of each service that gets a column `language`."""

_MIGRATION = """from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute("{sql}")
"""

_ADDED = {
    "shared/contracts/events.py": """
from dataclasses import replace

COMPLAINT_RECORDED_1 = COMPLAINT_RECORDED
COMPLAINT_RECORDED = replace(COMPLAINT_RECORDED_1, name="hotline.complaint.recorded.v2", schema_version=2)
EVENTS = MappingProxyType({**EVENTS, COMPLAINT_RECORDED.name: COMPLAINT_RECORDED})
""",
    "services/dedup/handlers.py": """
_of_newest = handlers


def handlers(*given):
    known = _of_newest(*given)
    of_intake = known["intake"] | {("complaint.recorded", 1): known["intake"]["complaint.recorded", 2]}
    return known | {"intake": of_intake}
""",
    "services/referral/handlers.py": """
_of_newest = handlers


def handlers(*given):
    known = _of_newest(*given)
    of_intake = known["intake"] | {("complaint.recorded", 1): known["intake"]["complaint.recorded", 2]}
    return known | {"intake": of_intake}
""",
    "services/dedup/read_models.py": """
from dataclasses import replace

INDEXED = replace(INDEXED, columns={**INDEXED.columns, "language": "text"})
""",
    "services/dedup/rows.py": """
_rows_of_before = index_rows


def index_rows(*given):
    rows = _rows_of_before(*given)
    return [Put(INDEXED, {**put.row, "language": "en"}) if put.table == INDEXED else put for put in rows]
""",
}


def next_version(directory: Path) -> Path:
    """The root of the copy."""
    for package in ("services", "shared", "deploy"):
        shutil.copytree(ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, code in _ADDED.items():
        with (directory / path).open("a") as module:
            module.write(code)
    for service, table in COLUMN.items():
        before = window(service).newest
        revision = f"{int(before) + 1:04}"
        sql = f"ALTER TABLE {table} ADD COLUMN language text NOT NULL DEFAULT ''"
        assert objections(sql) == []
        versions = directory / "services" / service / "migrations" / "versions"
        (versions / f"{revision}_language.py").write_text(
            _MIGRATION.format(revision=revision, before=before, sql=sql)
        )
    return directory
