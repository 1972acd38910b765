"""Revisions of a service's schema, and on which databases the code runs.

During a rolling upgrade two versions of the software run on one database. So migrations expand first: they
only add, and the software before them runs on. What a migration takes away (contract) has gone out of use in
a release before it; such a migration says so by a line of its own::

    contract_from = "0005"  # the oldest revision whose software runs on the outcome

`shared.store.migration_check` refuses a migration that is neither. Software is at the revision of its newest
migration. It needs its own newest expansion, and it cannot know what a later one took away: so the database
says which software still runs on it, in `alembic_version.oldest_code`.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Migration:
    """A file of `services/NAME/migrations/versions`; its name begins with its revision (``0002_...py``).

    Attributes:
        contract_from: the oldest revision whose software runs on the outcome; None for an expansion.
    """

    revision: str
    contract_from: str | None


@dataclass(frozen=True, slots=True)
class DatabaseRevision:
    """What a database says of itself.

    Attributes:
        revision: that of the newest migration it has; None where there is none.
        oldest_code: the oldest revision whose software runs on it; None where every one does.
    """

    revision: str | None
    oldest_code: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The databases that a service's software runs on.

    Attributes:
        oldest: the revision that the database has at least.
        newest: the revision of the software. A newer database fits too, unless it says otherwise.
    """

    service: str
    oldest: str
    newest: str

    def misfit(self, found: DatabaseRevision) -> str:
        """Why the software does not run on such a database, and what to do; "" where it does."""
        if found.revision is None or found.revision < self.oldest:
            return (
                f"the database of {self.service} is at revision {found.revision or 'none'}, the code needs "
                f"{self.oldest}: run `python -m services.{self.service} migrate`"
            )
        if found.oldest_code is not None and found.oldest_code > self.newest:
            return (
                f"the database of {self.service} is at revision {found.revision} and takes software of "
                f"{found.oldest_code} or newer, this is {self.newest}: run the newer one"
            )
        return ""


def versions(service: str) -> Path:
    """The directory of a service's migrations."""
    return ROOT / "services" / service / "migrations" / "versions"


@cache
def migrations(service: str) -> tuple[Migration, ...]:
    """All migrations of a service in their order."""
    paths = sorted(versions(service).glob("[0-9]*.py"))
    return tuple(Migration(path.name.partition("_")[0], _contract_from(path.read_text())) for path in paths)


def _contract_from(source: str) -> str | None:
    # Not imported: alembic costs half a second that a running service need not pay.
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "contract_from" for target in node.targets
        ):
            return str(ast.literal_eval(node.value))
    return None


def window(service: str) -> Window:
    """The databases that this software runs on."""
    known = migrations(service)
    return Window(
        service,
        oldest=max(migration.contract_from or migration.revision for migration in known),
        newest=known[-1].revision,
    )


def oldest_code(service: str) -> str | None:
    """The oldest revision whose software runs on a database that has all migrations."""
    return max((each.contract_from for each in migrations(service) if each.contract_from), default=None)
