"""Very wide and very deep queries: DuckDB runs them whole, and gives what PostgreSQL gives."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

SESSION = "wide-wombat-5e5e01"
COLUMNS = 200

KEYS = ", ".join(f"c{n}" for n in range(COLUMNS))
WORDS = ("UNION", "EXCEPT", "UNION ALL", "INTERSECT")

QUERIES = {
    "200 keys": f"SELECT {KEYS}, count(*), sum(c7) FROM wide GROUP BY {KEYS} ORDER BY {KEYS}",
    "200 distinct values": f"SELECT count(*) FROM (SELECT DISTINCT {KEYS} FROM wide) AS d",
    "200 aggregates": "SELECT " + ", ".join(f"sum(c{n}), max(c{n})" for n in range(COLUMNS)) + " FROM wide",
    "200 windows": "SELECT "
    + ", ".join(f"sum(c{n}) OVER (ORDER BY k) AS s{n}" for n in range(COLUMNS))
    + " FROM wide ORDER BY k",
    "64 joins": "SELECT count(*), sum(a0.c) FROM thin AS a0 "
    + " ".join(f"JOIN thin AS a{n} ON a{n}.k = a{n - 1}.k" for n in range(1, 64)),
    # DuckDB needs 4 MB for each of them.
    "40 outer joins": "SELECT count(*), count(a39.k) FROM thin AS a0 "
    + " ".join(f"LEFT JOIN thin AS a{n} ON a{n}.k = a{n - 1}.k + 1" for n in range(1, 40)),
    "30 set operations": "SELECT c0 FROM wide"
    + "".join(f" {WORDS[n % 4]} SELECT c{n + 1} FROM wide WHERE k > {n}" for n in range(30))
    + " ORDER BY 1",
    "30 subqueries": "SELECT count(*) FROM wide AS w WHERE "
    + " AND ".join(f"EXISTS (SELECT FROM wide AS v WHERE v.c{n} = w.c{n})" for n in range(30)),
    "30 levels": "SELECT count(*) FROM " + "(SELECT DISTINCT k FROM " * 30 + "wide" + ") AS d" * 30,
}

SETS = ", ".join(f"c{n}" for n in range(8))

# These DuckDB does run, for seconds or not in its memory, however few rows there are.
TOO_MANY = {
    "256 grouping sets": f"SELECT {SETS}, count(*) FROM wide WHERE k < 4 GROUP BY CUBE ({SETS})"
    f" ORDER BY {SETS}, 9",
    "120 sets of values": "SELECT "
    + ", ".join(f"count(DISTINCT c{n}) AS n{n}" for n in range(120))
    + " FROM wide WHERE k < 4",
    "100 sorted lists": "SELECT "
    + ", ".join(f"string_agg(c{n}::text, ',' ORDER BY k) AS s{n}" for n in range(100))
    + " FROM wide WHERE k < 4",
    "40 values of other rows": "SELECT k, "
    + ", ".join(f"(SELECT max(v.k) FROM wide AS v WHERE v.c{n} = w.c{n}) AS m{n}" for n in range(40))
    + " FROM wide AS w WHERE k < 4 ORDER BY k",
}


@pytest.fixture(scope="module", autouse=True)
def _tables(server: Server) -> Iterator[None]:
    path = server.session_dir / f"{SESSION}.duckdb"
    columns = ", ".join(f"(i % {n + 2})::INTEGER AS c{n}" for n in range(COLUMNS))
    make_session(
        path,
        f"CREATE TABLE wide AS SELECT i::INTEGER AS k, {columns} FROM range(300) AS r (i)",
        "CREATE TABLE thin AS SELECT k, c1 AS c FROM wide",
    )
    with server.connect() as db:
        db.execute("CREATE SCHEMA wide")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO wide')
        yield
        db.execute("DROP SCHEMA wide CASCADE")
    path.unlink()


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_rows(db: psycopg.Connection, query: str) -> None:
    # PostgreSQL would search long for the best order of so many joins, of ordinary tables too.
    db.execute("SET search_path = wide; SET join_collapse_limit = 1; SET from_collapse_limit = 1")
    assert _is_whole(db, query)
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    found = db.execute(sql.SQL(query)).fetchall()
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() == before
    db.execute("SET rvbbit.pushdown = off")
    assert found == db.execute(sql.SQL(query)).fetchall()


@pytest.mark.parametrize("query", TOO_MANY.values(), ids=TOO_MANY)
def test_what_stays_with_postgresql(db: psycopg.Connection, query: str) -> None:
    db.execute("SET search_path = wide")
    assert not _is_whole(db, query)
    found = db.execute(sql.SQL(query)).fetchall()
    db.execute("SET rvbbit.pushdown = off")
    assert found == db.execute(sql.SQL(query)).fetchall()


def _is_whole(db: psycopg.Connection, query: str) -> bool:
    shown = [str(row[0]) for row in db.execute(sql.SQL("EXPLAIN (COSTS OFF) " + query))]
    return shown[0] == "Custom Scan (DuckDB Query)"
