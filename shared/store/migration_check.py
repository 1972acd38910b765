"""`python -m shared.store.migration_check`: whether the software of before runs on after each migration.

During a rolling upgrade it has to: `migrate` comes first, and old replicas go on on its outcome. So a
migration only adds, or is marked as contract (`contract_from`, see `shared.store.revisions`), which the
software of the last release has to bear too: what goes has gone out of use a release before. The statements
are read by PostgreSQL's own parser, and one that is not known to be additive is refused. Whatever is about
tables that the same migration makes is additive: nobody else knows them.
"""

import importlib.util
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from pglast import ast, parse_sql
from pglast.enums import AlterTableType, ConstrType, ObjectType
from pglast.stream import RawStream
from pglast.visitors import Visitor

from shared.store import revisions

RELEASED: Final = {"intake": "0002", "dedup": "0003", "referral": "0002"}
"""Service -> revision of the last released software; raised with each release."""

_ADDING: Final = (
    ast.CreateSeqStmt,
    ast.CreateEnumStmt,
    ast.CreateDomainStmt,
    ast.CompositeTypeStmt,
    ast.CreateExtensionStmt,
    ast.CreateSchemaStmt,
    ast.CreateStatsStmt,
    ast.CreateRoleStmt,
    ast.CommentStmt,
    ast.VariableSetStmt,
)
# What changes how rows are stored or planned for, not which rows there may be.
_STORING: Final = (
    AlterTableType.AT_SetStorage,
    AlterTableType.AT_SetCompression,
    AlterTableType.AT_SetStatistics,
    AlterTableType.AT_SetRelOptions,
    AlterTableType.AT_ResetRelOptions,
    AlterTableType.AT_ValidateConstraint,
)
_LONGEST: Final = 90


class Additions:
    """What a migration has made so far, and which of its statements are additive."""

    def __init__(self) -> None:
        self._tables: set[str] = set()
        self._columns: defaultdict[str, set[str]] = defaultdict(set)

    # Nodes by their type, not as instances: to mypy each attribute of one of those may be None.

    def objection(self, statement: Any) -> str:
        """Why the software of before may not run on after it; "" where it does."""
        relation = getattr(statement, "relation", None)
        is_new = relation is not None and relation.relname in self._tables
        return "" if is_new or type(statement) in _ADDING else self._of_what_is_there(statement)

    def _of_what_is_there(self, statement: Any) -> str:
        reason = "is not known to be additive"
        match type(statement):
            case ast.CreateStmt:
                self._tables.add(statement.relation.relname)
                reason = "hangs a table on others" if statement.inhRelations else ""
            case ast.AlterTableStmt if statement.objtype == ObjectType.OBJECT_TABLE:
                table = statement.relation.relname
                found = (self._of_command(table, command) for command in statement.cmds)
                reason = next(filter(None, found), "")
            case ast.IndexStmt:
                reason = "refuses rows that were taken before" if statement.unique else ""
            case ast.CreateTrigStmt:
                # An AFTER trigger changes no row that a statement writes.
                is_after = not statement.timing and not statement.isconstraint
                reason = "" if is_after else "may change what is written"
            case ast.UpdateStmt:
                named = {target.name for target in statement.targetList}
                reason = "" if named <= self._columns[statement.relation.relname] else "changes rows"
            case ast.AlterEnumStmt:
                reason = "renames a value" if statement.oldVal else ""
            case ast.ViewStmt | ast.CreateFunctionStmt:
                reason = "may change what is there" if statement.replace else ""
            case ast.GrantStmt | ast.GrantRoleStmt:
                reason = "" if statement.is_grant else "takes rights away"
            case ast.AlterDefaultPrivilegesStmt:
                reason = self._of_what_is_there(statement.action)
            case ast.SelectStmt if statement.intoClause is None:
                reason = ""
        return reason

    def _of_command(self, table: str, command: Any) -> str:
        if command.subtype in _STORING:
            return ""
        if command.subtype == AlterTableType.AT_ColumnDefault and command.def_ is not None:
            return ""
        if command.subtype == AlterTableType.AT_AddColumn:
            self._columns[table].add(command.def_.colname)
            return _of_column(command.def_)
        return "is not known to be additive"


def _of_column(column: Any) -> str:
    """Whether a row that says nothing of the new column is taken as before."""
    given = {constraint.contype: constraint for constraint in column.constraints or ()}
    default = given.get(ConstrType.CONSTR_DEFAULT)
    has_value = default is not None and not getattr(default.raw_expr, "isnull", False)
    has_value |= bool(given.keys() & {ConstrType.CONSTR_GENERATED, ConstrType.CONSTR_IDENTITY})
    if ConstrType.CONSTR_NOTNULL in given and not has_value:
        return "refuses the rows of software that does not know the column: it needs a DEFAULT"
    # A check of the column alone holds for its default: PostgreSQL looks when it is added.
    if (check := given.get(ConstrType.CONSTR_CHECK)) and _columns_of(check) - {column.colname}:
        return "checks other columns too"
    if given.keys() & {ConstrType.CONSTR_UNIQUE, ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_FOREIGN}:
        return "adds a constraint across rows"
    return ""


def _columns_of(check: Any) -> set[str]:
    found: set[str] = set()

    class Columns(Visitor):
        def visit_ColumnRef(self, _: object, node: Any) -> None:  # noqa: N802  # pglast's name
            found.add(node.fields[-1].sval)

    Columns()(check.raw_expr)
    return found


def objections(sql: str) -> list[str]:
    """The statements that are not additive, each with the reason."""
    additions, found = Additions(), []
    statements: list[Any] = [raw.stmt for raw in parse_sql(sql)]
    for statement in statements:
        if reason := additions.objection(statement):
            text = RawStream()(statement)
            found.append(f"{text if len(text) <= _LONGEST else text[:_LONGEST] + '...'}: {reason}")
    return found


def problems(service: str, directory: Path, released: str) -> list[str]:
    """What is wrong with a service's migrations, a line each.

    Args:
        released: the revision of the last released software.
    """
    found, before = [], None
    for path in sorted(directory.glob("[0-9]*.py")):
        migration = _loaded(path)
        contract_from = getattr(migration, "contract_from", None)
        of_file = []
        if (migration.revision, migration.down_revision) != (path.name.partition("_")[0], before):
            of_file.append("its number, `revision` and `down_revision` are not those of one chain")
        if contract_from is None:
            of_file += [f"{each}; or mark it: contract_from" for each in objections(_sql_of(migration))]
        elif contract_from > released:
            of_file.append(
                f"takes away what the last release, of revision {released}, still uses: "
                f"contract_from = {contract_from!r} has to wait for the next one"
            )
        found += [f"{service} {path.name}: {each}" for each in of_file]
        before = migration.revision
    return found


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101  (a path of a module)
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _sql_of(migration: ModuleType) -> str:
    """The statements that it would send."""
    written = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written}
    )
    with Operations.context(context):
        migration.upgrade()
    return written.getvalue()


def main(services: Iterable[str] = tuple(RELEASED)) -> int:
    """The command; returns the exit code."""
    found: Sequence[str] = [
        problem
        for service in services
        for problem in problems(service, revisions.versions(service), RELEASED[service])
    ]
    if found:
        headline = "The software of before would not run on after these migrations:"
        sys.stderr.write("\n  ".join([headline, *found]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
