"""EXPLAIN says what a scan will read, and opens nothing."""

from __future__ import annotations

import re

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


FACTORIAL = "(factorial((a)::bigint) = '1'::numeric): function factorial(bigint) is not known to be the same"

# A condition on (a integer, "B b" integer), what DuckDB filters by (None: nothing), what stays local and why.
FILTERS = [
    ("a = 1", '("a" = CAST(1 AS INTEGER))', []),
    ("a = 1 AND a > 0", '("a" > CAST(0 AS INTEGER)) AND ("a" = CAST(1 AS INTEGER))', []),
    (
        "factorial(a) = 1",
        None,
        [f"{FACTORIAL} in DuckDB"],
    ),
    (
        'factorial(a) = 1 AND "B b" = 2',
        '("B b" = CAST(2 AS INTEGER))',
        [f"{FACTORIAL} in DuckDB"],
    ),
]


@pytest.mark.parametrize(("condition", "filtered", "local"), FILTERS)
@pytest.mark.parametrize("mode", ["scans", "off"])
def test_a_scan_shows_its_session_and_the_query(
    db: psycopg.Connection,
    vanished: sql.Identifier,
    condition: str,
    filtered: str | None,
    local: list[str],
    mode: str,
) -> None:
    db.execute(sql.SQL("SET rvbbit.pushdown = {}").format(sql.SQL(mode)))
    plan = explain(db, sql.SQL('SELECT "B b" FROM {} WHERE ' + condition).format(vanished))
    lines = [line.strip() for line in plan.splitlines()[1:] if "Filter: " not in line]
    pushed = filtered if mode == "scans" else None
    columns = '"a", "B b"' if local or mode == "off" else '"B b"'
    where = "" if pushed is None else f" WHERE ({pushed})" if " AND " in pushed else f" WHERE {pushed}"
    assert lines[:3] == [
        f"Session: {SESSION}",
        f'DuckDB SQL: SELECT {columns} FROM "{SESSION}"."main"."t"{where}',
        "Snapshot: none yet",
    ]
    if mode == "scans":
        assert lines[3:] == [f"Local: {line}" for line in local]
    else:
        assert all(line.endswith(": rvbbit.pushdown is off") for line in lines[3:])


@pytest.mark.parametrize("form", ["text", "json", "xml", "yaml"])
def test_every_format(db: psycopg.Connection, vanished: sql.Identifier, form: str) -> None:
    db.execute("SET rvbbit.pushdown = scans")
    query = sql.SQL("SELECT a FROM {} WHERE factorial(a) = 1 AND factorial(a + 1) = 2").format(vanished)
    plan = explain(db, query, f"FORMAT {form}", "VERBOSE")
    assert "none yet" in plan
    assert SESSION in plan
    assert plan.count("is not known to be the same in DuckDB") == 2


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM {} LIMIT 0",
        "SELECT * FROM {} WHERE false",
        "SELECT true AS probe FROM {} WHERE 1 <> 1 LIMIT 0",
        "SELECT a FROM {} ORDER BY a LIMIT 0",
        "SELECT * FROM (SELECT DISTINCT a FROM {} LIMIT 0) AS x",
    ],
)
def test_what_needs_no_row_opens_no_session(
    db: psycopg.Connection, vanished: sql.Identifier, query: str
) -> None:
    assert db.execute(sql.SQL(query).format(vanished)).fetchall() == []


def test_what_counts_no_row_opens_no_session(db: psycopg.Connection, vanished: sql.Identifier) -> None:
    query = sql.SQL("SELECT count(*), max(a) FROM {} WHERE false").format(vanished)
    assert db.execute(query).fetchall() == [(0, None)]


def test_analyze_counts_batches(db: psycopg.Connection, vanished: sql.Identifier) -> None:
    with pytest.raises(psycopg.Error, match="does not exist"):
        explain(db, sql.SQL("SELECT a FROM {}").format(vanished), "ANALYZE")
    plan = explain(db, sql.SQL("SELECT session_id FROM rvbbit_sessions"), "ANALYZE", "TIMING OFF")
    assert "Batches: 1" in plan


def test_analyze_tells_what_duckdb_did(server: Server, db: psycopg.Connection, schema: str) -> None:
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, "CREATE TABLE t AS SELECT range::INTEGER AS a FROM range(1000)")
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
    db.execute("SET rvbbit.pushdown = scans")
    query = sql.SQL("SELECT a FROM {} WHERE a % 10 = 3 AND factorial(a % 5) > 5").format(
        sql.Identifier(schema, "t")
    )
    try:
        lines = [line.strip() for line in explain(db, query, "ANALYZE").splitlines()]
        assert "DuckDB Rows: 100" in lines
        assert "Batches: 1" in lines
        assert [line for line in lines if re.fullmatch(r"DuckDB Time: \d+\.\d{3} ms", line)]
        later = [line.strip() for line in explain(db, query).splitlines()]
        assert [line for line in later if re.fullmatch(r"Snapshot: taken \d+ s ago", line)]
    finally:
        path.unlink()
