"""EXPLAIN says what a scan will read, and opens nothing."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

SESSION = "brief-vole-e1e1e1"

# A query on the listing, what may prune it (None: nothing), how far it must look.
LISTING = [
    ("SELECT session_id FROM rvbbit_sessions", None, "names and times"),
    ("SELECT size_mb FROM rvbbit_sessions WHERE session_id = 'x'", "session_id", "names and times"),
    ("SELECT 1 FROM rvbbit_sessions WHERE 'x' = session_id", "session_id", "names and times"),
    ("SELECT 1 FROM rvbbit_sessions WHERE session_id IN ('x', 'y')", "session_id", "names and times"),
    ("SELECT 1 FROM rvbbit_sessions WHERE session_id LIKE 'x%'", "prefix of session_id", "names and times"),
    ("SELECT 1 FROM rvbbit_sessions WHERE session_id LIKE '%x'", None, "names and times"),
    ("SELECT 1 FROM rvbbit_sessions WHERE upper(session_id) = 'X'", None, "names and times"),
    ("SELECT 1 FROM rvbbit_sessions WHERE session_id <> 'x'", None, "names and times"),
    ("SELECT 1 FROM rvbbit_sessions WHERE modified_at > '2026-01-01'", "modified_at", "names and times"),
    ("SELECT state FROM rvbbit_sessions WHERE session_id = 'x'", "session_id", "headers"),
    ("SELECT 1 FROM rvbbit_sessions WHERE storage_version > 64", None, "headers"),
    ("SELECT * FROM rvbbit_sessions WHERE session_id = 'x'", "session_id", "snapshots"),
    ("SELECT 1 FROM rvbbit_sessions WHERE table_count > 3", None, "snapshots"),
]


@pytest.fixture
def vanished(server: Server, db: psycopg.Connection, schema: str) -> sql.Identifier:
    """A foreign table whose session is not there any more."""
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, 'CREATE TABLE t AS SELECT 1 AS a, 2 AS "B b"')
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
    path.unlink()
    return sql.Identifier(schema, "t")


def explain(db: psycopg.Connection, query: sql.Composable, *options: str) -> str:
    """The plan as text."""
    command = sql.SQL("EXPLAIN ({}) {}").format(sql.SQL(", ".join(["COSTS OFF", *options])), query)
    return "\n".join(str(row[0]) for row in db.execute(command))


@pytest.mark.parametrize(("query", "pruned", "reads"), LISTING)
def test_how_far_the_listing_looks(
    db: psycopg.Connection, query: str, pruned: str | None, reads: str
) -> None:
    lines = [line.strip() for line in explain(db, sql.SQL(query)).splitlines()]
    assert f"Reads: {reads}" in lines
    assert [line for line in lines if line.startswith("Pruned by")] == (
        [f"Pruned by: {pruned}"] if pruned else []
    )


def test_a_condition_that_is_computed_when_the_scan_starts_prunes(db: psycopg.Connection) -> None:
    """now() is no constant of the plan: the sessions of the last second are found all the same."""
    db.execute("SET plan_cache_mode = force_generic_plan")
    query = (
        "SELECT count(*) FROM rvbbit_sessions WHERE modified_at > now() - %s::interval AND session_id = %s"
    )
    assert db.execute(query, ["100 years", "cascade_test"], prepare=True).fetchone() == (1,)
    assert db.execute(query, ["1 second", "cascade_test"], prepare=True).fetchone() == (0,)


def test_a_scan_shows_its_session_and_the_query(db: psycopg.Connection, vanished: sql.Identifier) -> None:
    plan = explain(db, sql.SQL('SELECT "B b" FROM {} WHERE a = 1').format(vanished))
    assert [line.strip() for line in plan.splitlines()[1:]] == [
        "Filter: (a = 1)",
        f"Session: {SESSION}",
        f'DuckDB SQL: SELECT "a", "B b" FROM "{SESSION}"."main"."t"',
    ]


@pytest.mark.parametrize("form", ["text", "json", "xml", "yaml"])
def test_every_format(db: psycopg.Connection, vanished: sql.Identifier, form: str) -> None:
    plan = explain(db, sql.SQL("SELECT a FROM {}").format(vanished), f"FORMAT {form}", "VERBOSE")
    assert "DuckDB" in plan
    assert SESSION in plan


@pytest.mark.parametrize("query", ["SELECT * FROM {} LIMIT 0", "SELECT * FROM {} WHERE false"])
def test_what_needs_no_row_opens_no_session(
    db: psycopg.Connection, vanished: sql.Identifier, query: str
) -> None:
    assert db.execute(sql.SQL(query).format(vanished)).fetchall() == []


def test_analyze_counts_batches(db: psycopg.Connection, vanished: sql.Identifier) -> None:
    with pytest.raises(psycopg.Error, match="does not exist"):
        explain(db, sql.SQL("SELECT a FROM {}").format(vanished), "ANALYZE")
    plan = explain(db, sql.SQL("SELECT session_id FROM rvbbit_sessions"), "ANALYZE", "TIMING OFF")
    assert "Batches: 1" in plan
