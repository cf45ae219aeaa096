"""Row estimates of imported tables: what DuckDB knows, without ANALYZE."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened

pytestmark = pytest.mark.server


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """The folder with one session, "first", attached by the policy."""
    with opened(following) as own:
        own.write(
            "first",
            "CREATE TABLE t AS SELECT range::INTEGER AS a, 'x' AS b FROM range(5000)",
            "CREATE TABLE nothing (a INTEGER)",
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE SCHEMA other",
            "CREATE TABLE other.t AS SELECT 1 AS a FROM range(7)",
        )
        own.sync()
        yield own


def estimates(folder: Folder, schema: str) -> dict[str, tuple[float, int]]:
    """Rows and pages of a schema's tables, as tools read them."""
    query = f"SELECT relname, reltuples, relpages FROM pg_class WHERE relnamespace = '{schema}'::regnamespace"
    return {name: (rows, pages) for name, rows, pages in folder.rows(query)}


def planned(folder: Folder, table: str) -> int:
    """The rows that the planner expects of a whole table."""
    [*_], first = [], folder.one(f"EXPLAIN SELECT * FROM {table}")
    return int(re.search(r"rows=(\d+)", first)[1])  # type: ignore[index]


# Pages: 5,000 rows of 28 bytes, an integer and a text of 32 bytes.
KNOWN = {"t": (5000.0, 40), "nothing": (0.0, 0), "v": (-1.0, 0)}


def test_attached_tables(folder: Folder) -> None:
    assert estimates(folder, "first") == KNOWN
    assert planned(folder, "first.t") == 5000


def test_imported_tables(folder: Folder) -> None:
    folder.db.execute("IMPORT FOREIGN SCHEMA first FROM SERVER rvbbit INTO mine")
    assert estimates(folder, "mine") == KNOWN
    folder.db.execute("CREATE SCHEMA theirs")
    folder.db.execute('IMPORT FOREIGN SCHEMA "first.other" FROM SERVER rvbbit INTO theirs')
    assert estimates(folder, "theirs") == {"t": (7.0, 1)}


def test_tables_that_come_later(folder: Folder) -> None:
    folder.write("first", "CREATE TABLE u AS SELECT 1 AS a FROM range(300)")
    folder.sync()
    assert estimates(folder, "first") == KNOWN | {"u": (300.0, 2)}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO t SELECT 1, 'y' FROM range(500)", (5000.0, 40)),
        ("INSERT INTO t SELECT 1, 'y' FROM range(600)", (5600.0, 44)),
        ("CREATE OR REPLACE TABLE t AS SELECT 1 AS a, 'x' AS b FROM range(4600)", (5000.0, 40)),
        ("CREATE OR REPLACE TABLE t AS SELECT 1 AS a, 'x' AS b FROM range(4000)", (4000.0, 32)),
        ("CREATE OR REPLACE TABLE t AS SELECT 1 AS a, 'x' AS b FROM range(0)", (0.0, 0)),
    ],
)
def test_written_anew_if_off_by_more_than_a_tenth(
    folder: Folder, statement: str, expected: tuple[float, int]
) -> None:
    version = "SELECT xmin::text FROM pg_class WHERE oid = 'first.t'::regclass"
    before = folder.one(version)
    folder.write("first", statement)
    folder.sync()
    assert estimates(folder, "first")["t"] == expected
    assert (folder.one(version) == before) is (expected == KNOWN["t"])


def test_a_plan_that_was_made_before_is_made_anew(folder: Folder) -> None:
    folder.db.execute("PREPARE whole AS SELECT * FROM first.t")
    folder.db.execute("SET plan_cache_mode = force_generic_plan")
    assert "rows=5000" in folder.one("EXPLAIN EXECUTE whole")
    folder.write("first", "INSERT INTO t SELECT 1, 'y' FROM range(5000)")
    folder.sync()
    assert "rows=10000" in folder.one("EXPLAIN EXECUTE whole")


def test_lists_are_not_read_once_for_each_row(folder: Folder) -> None:
    """Joining the lists of tables and columns reads each of them once."""
    plan = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*)"
    query = f"{plan} FROM rvbbit_tables JOIN rvbbit_columns USING (session_id, schema_name, table_name)"
    lines = [line for (line,) in folder.rows(query)]
    scans = [line for line in lines if "Foreign Scan" in line]
    assert len(scans) == 2
    assert all("loops=1)" in line for line in scans)
