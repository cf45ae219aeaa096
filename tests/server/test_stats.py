"""rvbbit.stats counts what happened, for everybody to see and for operators to reset."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from tests.kit.container import Server
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

SESSION = "zz_counted"
SLOW = "SELECT count(*) AS n FROM range(1000000) a(i), range(1000000) b(j) WHERE a.i * b.j % 7 = 3"
LOCAL = "SET rvbbit.pushdown = scans; "

# What a statement adds to which counts; those that are not named stay.
ADDS = {
    "a scan": (LOCAL + "SELECT id FROM counted.t", {"scans": 1, "rows_read": 5000}),
    "a scan with a condition": (
        LOCAL + "SELECT id FROM counted.t WHERE id < 10",
        {"scans": 1, "rows_read": 10},
    ),
    "a whole query": ("SELECT sum(id) FROM counted.t", {"whole_queries": 1, "rows_read": 1}),
    "a join as a whole": (
        "SELECT count(*) FROM counted.t JOIN counted.t AS u USING (id)",
        {"whole_queries": 1, "rows_read": 1},
    ),
    "a list": (
        "SELECT session_id FROM rvbbit_sessions WHERE session_id = 'zz_counted'",
        {"lists": 1, "rows_read": 1},
    ),
    "no session at all": ("SELECT 1", {}),
    "a plan": ("EXPLAIN SELECT sum(id) FROM counted.t", {}),
    "nothing to read": ("SELECT id FROM counted.t WHERE false", {}),
}

COUNTS = ("scans", "lists", "whole_queries", "rows_read", "fallbacks", "snapshots", "cancels", "abandoned")


@pytest.fixture(scope="module", autouse=True)
def counted(server: Server) -> Iterator[None]:
    """A session of 5,000 rows, and a view that takes for ever, in schema counted."""
    path = make_session(
        server.session_dir / f"{SESSION}.duckdb",
        "CREATE TABLE t AS SELECT i AS id, CASE WHEN i = 4999 THEN 'x' ELSE i::VARCHAR END AS s"
        " FROM range(5000) AS r(i)",
        f"CREATE VIEW slow AS {SLOW}",
    )
    with server.connect() as db:
        db.execute("CREATE SCHEMA counted")
        db.execute(f"IMPORT FOREIGN SCHEMA {SESSION} FROM SERVER rvbbit INTO counted")
        db.execute("SELECT count(*) FROM counted.t")
        yield
        db.execute("DROP SCHEMA counted CASCADE")
    path.unlink()


def counts(db: psycopg.Connection) -> dict[str, int]:
    """The row of rvbbit.stats, but for times."""
    row = db.execute(f"SELECT {', '.join(COUNTS)} FROM rvbbit.stats".encode()).fetchone()
    assert row is not None
    return dict(zip(COUNTS, row, strict=True))


def added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """Those that grew, and by how much."""
    return {name: after[name] - before[name] for name in COUNTS if after[name] != before[name]}


@pytest.mark.parametrize("case", ADDS)
def test_what_a_statement_adds(db: psycopg.Connection, case: str) -> None:
    """A second look, because the container's own health check may come in between."""
    statement, expected = ADDS[case]
    seen = []
    for _ in range(2):
        before = counts(db)
        db.execute(statement.encode())
        seen.append(added(before, counts(db)))
    assert expected in seen


def test_a_changed_session_is_copied_once(server: Server, db: psycopg.Connection) -> None:
    (server.session_dir / f"{SESSION}.duckdb").touch()
    before = counts(db)
    for _ in range(3):
        db.execute("SELECT max(id) FROM counted.t")
    assert added(before, counts(db))["snapshots"] == 1


def test_a_fallback(db: psycopg.Connection) -> None:
    before = counts(db)
    with pytest.raises(errors.InvalidTextRepresentation):
        db.execute("SELECT count(*) FROM counted.t WHERE s::integer > 10")
    assert added(before, counts(db))["fallbacks"] >= 1


@pytest.mark.parametrize("way", ["timeout", "terminate"])
def test_a_statement_that_was_ended(server: Server, db: psycopg.Connection, way: str) -> None:
    before = counts(db)
    with server.connect() as other:
        other.execute("SET statement_timeout = '300ms'" if way == "timeout" else "SELECT 1")
        pid = other.info.backend_pid
        timer = threading.Timer(0.3, lambda: end(server, pid) if way == "terminate" else None)
        timer.start()
        with pytest.raises((errors.QueryCanceled, errors.AdminShutdown)):
            other.execute("SELECT n FROM counted.slow")
        timer.join()
    assert added(before, counts(db))["cancels"] == 1


def end(server: Server, pid: int) -> None:
    """Terminate a backend."""
    with server.connect(user="postgres") as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_time_is_counted(db: psycopg.Connection) -> None:
    query = "SELECT seconds FROM rvbbit.stats"
    (before,) = db.execute(query).fetchall()[0]
    db.execute("SELECT count(*) FROM counted.t AS a, counted.t AS b WHERE a.id + b.id = 77")
    (after,) = db.execute(query).fetchall()[0]
    assert 0.0005 < after - before < 60


def test_who_may_see_and_who_may_reset(server: Server, db: psycopg.Connection) -> None:
    """Anybody may see numbers; to reset them takes an operator."""
    with server.connect(user="postgres") as admin:
        admin.execute("CREATE ROLE passer_by; SET ROLE passer_by")
        assert counts(admin)["scans"] > 0
        with pytest.raises(errors.InsufficientPrivilege):
            admin.execute("SELECT rvbbit.reset_stats()")
        admin.execute("RESET ROLE; DROP ROLE passer_by")
    since = "SELECT since FROM rvbbit.stats"
    (before,) = db.execute(since).fetchall()[0]
    db.execute("SELECT rvbbit.reset_stats()")
    assert {name for name, count in counts(db).items() if count > 0} <= {
        "lists",
        "rows_read",
    }  # the health check
    assert db.execute(since).fetchall()[0][0] > before


def test_auto_explain_shows_what_duckdb_did(server: Server) -> None:
    """PostgreSQL's own module, which asks for the plan when the statement is over."""
    told: list[str] = []
    with server.connect(user="postgres") as admin:
        admin.execute("LOAD 'auto_explain'")
        admin.execute("SET auto_explain.log_min_duration = 0; SET auto_explain.log_level = 'notice'")
        admin.execute("SET auto_explain.log_analyze = on")
        admin.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        admin.execute("SELECT sum(id) FROM counted.t")
        admin.execute("SET rvbbit.pushdown = scans; SELECT id FROM counted.t WHERE id < 10")
    whole, scan = (text for text in told if "counted.t" in text)
    assert "Custom Scan (DuckDB Query)" in whole
    assert "DuckDB Rows: 1\n" in whole
    assert "Foreign Scan on t" in scan
    assert "DuckDB Rows: 10\n" in scan


def test_every_column_counts_something_else() -> None:
    """The cases above name each count, but for calls that DuckDB does not end in time."""
    named = {name for _, expected in ADDS.values() for name in expected}
    assert named | {"snapshots", "fallbacks", "cancels", "abandoned"} == set(COUNTS)
