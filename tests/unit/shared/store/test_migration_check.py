"""Migrations after which the software of before runs on are let through, and no others."""

from pathlib import Path

import pytest

from shared.store.migration_check import RELEASED, main, objections, problems

ADDITIVE = [
    "CREATE TABLE notes (a uuid PRIMARY KEY, b text NOT NULL)",
    "CREATE TABLE notes (a int); CREATE UNIQUE INDEX n ON notes (a); ALTER TABLE notes DROP COLUMN a",
    "CREATE TABLE notes (a int); INSERT INTO notes VALUES (1); DELETE FROM notes",
    "CREATE INDEX cases_force ON cases (force)",
    "CREATE INDEX CONCURRENTLY cases_force ON cases (force) WHERE force <> ''",
    "ALTER TABLE cases ADD COLUMN note text",
    "ALTER TABLE cases ADD COLUMN note text NOT NULL DEFAULT ''",
    "ALTER TABLE cases ADD COLUMN note text NOT NULL DEFAULT 'x' CHECK (note IN ('x', 'y'))",
    "ALTER TABLE cases ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE cases ADD COLUMN n int; UPDATE cases SET n = 0 WHERE n IS NULL",
    "ALTER TABLE cases ALTER COLUMN note SET DEFAULT 'x', ALTER COLUMN note SET STORAGE EXTERNAL",
    "ALTER TABLE cases SET (fillfactor = 50)",
    "CREATE TYPE t AS ENUM ('x'); ALTER TYPE t ADD VALUE 'y'",
    "CREATE ROLE runner; GRANT SELECT ON cases TO runner",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO runner",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "COMMENT ON TABLE cases IS 'x'; SET LOCAL statement_timeout = 0; SELECT 1",
]
NOT_ADDITIVE = [
    "ALTER TABLE cases ADD COLUMN note text NOT NULL",
    "ALTER TABLE cases ADD COLUMN note text NOT NULL DEFAULT NULL",
    "ALTER TABLE cases ADD COLUMN a text, ADD COLUMN b text NOT NULL",
    "ALTER TABLE cases ADD COLUMN note text UNIQUE",
    "ALTER TABLE cases ADD COLUMN note text DEFAULT 'x' CHECK (note <> force)",
    "ALTER TABLE cases ADD COLUMN other uuid REFERENCES cases",
    "ALTER TABLE cases DROP COLUMN note",
    "ALTER TABLE cases ALTER COLUMN note TYPE varchar(10)",
    "ALTER TABLE cases ALTER COLUMN note SET NOT NULL",
    "ALTER TABLE cases ALTER COLUMN note DROP NOT NULL",
    "ALTER TABLE cases ALTER COLUMN note DROP DEFAULT",
    "ALTER TABLE cases ADD CHECK (note <> '')",
    "ALTER TABLE cases ADD CONSTRAINT c CHECK (note <> '') NOT VALID",
    "ALTER TABLE cases ADD UNIQUE (note)",
    "ALTER TABLE cases DROP CONSTRAINT cases_pkey",
    "ALTER TABLE cases RENAME COLUMN note TO remark",
    "ALTER TABLE cases RENAME TO files",
    "ALTER TABLE cases SET SCHEMA elsewhere",
    "ALTER TABLE cases OWNER TO somebody",
    "ALTER TABLE cases ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE cases ATTACH PARTITION part FOR VALUES IN (1)",
    "ALTER TYPE t RENAME VALUE 'x' TO 'y'",
    "CREATE TABLE part PARTITION OF cases FOR VALUES IN (1)",
    "CREATE UNIQUE INDEX n ON cases (note)",
    "CREATE TRIGGER t BEFORE INSERT ON cases EXECUTE FUNCTION f()",
    "CREATE RULE r AS ON INSERT TO cases DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "CREATE OR REPLACE VIEW v AS SELECT 1",
    "DROP TABLE cases",
    "DROP INDEX cases_force",
    "TRUNCATE cases",
    "DELETE FROM cases",
    "INSERT INTO cases VALUES (1)",
    "ALTER TABLE cases ADD COLUMN n int; UPDATE cases SET n = 0, note = ''",
    "REVOKE INSERT ON cases FROM runner",
    "DO $$ BEGIN EXECUTE 'DROP TABLE cases'; END $$",
    "LOCK TABLE cases",
]


@pytest.mark.parametrize("sql", ADDITIVE)
def test_a_migration_that_only_adds_is_let_through(sql: str) -> None:
    assert objections(sql) == []


@pytest.mark.parametrize("sql", NOT_ADDITIVE)
def test_a_migration_after_which_older_software_may_break_is_refused(sql: str) -> None:
    assert len(objections(sql)) == 1


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    _write(tmp_path, "0001_first.py", "0001", None, "CREATE TABLE cases (a int, b int)")
    return tmp_path


def _write(directory: Path, name: str, revision: str, before: str | None, sql: str, mark: str = "") -> None:
    (directory / name).write_text(
        f"from alembic import op\nrevision = {revision!r}\ndown_revision = {before!r}\n{mark}\n"
        f"def upgrade():\n    op.execute({sql!r})\n"
    )


def test_what_is_neither_additive_nor_marked_is_named(directory: Path) -> None:
    _write(directory, "0002_gone.py", "0002", "0001", "ALTER TABLE cases DROP COLUMN b")
    assert problems("intake", directory, "0001") == [
        "intake 0002_gone.py: ALTER TABLE cases DROP COLUMN b: is not known to be additive;"
        " or mark it: contract_from"
    ]


def test_what_is_marked_may_take_away_what_the_last_release_does_without(directory: Path) -> None:
    drop = "ALTER TABLE cases DROP COLUMN b"
    _write(directory, "0002_more.py", "0002", "0001", "CREATE TABLE more (a int)")
    _write(directory, "0003_gone.py", "0003", "0002", drop, 'contract_from = "0002"')
    assert problems("intake", directory, "0002") == []
    (early,) = problems("intake", directory, "0001")
    assert "the last release, of revision 0001, still uses" in early


def test_two_migrations_of_one_number_are_named(directory: Path) -> None:
    _write(directory, "0002_a.py", "0002", "0001", "CREATE TABLE a (a int)")
    _write(directory, "0002_b.py", "0002", "0001", "CREATE TABLE b (a int)")
    (double,) = problems("intake", directory, "0002")
    assert "0002_b.py: its number" in double


def test_the_migrations_of_all_services_pass() -> None:
    assert main() == 0
    assert RELEASED.keys() == {path.parent.name for path in Path("services").glob("*/migrations")}
