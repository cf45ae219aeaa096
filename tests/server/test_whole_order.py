"""Conditions that can fail in whole queries: rows, or PostgreSQL's error, and never one for the other."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.whole import NODE

pytestmark = pytest.mark.server

SESSION = "orderly-otter-6b6b01"
ROWS = 400_000
"""DuckDB delivers so many in several batches."""

# The last row alone has a zero, and no partner in the small table.
TABLES = (
    f"CREATE TABLE many AS SELECT i::INTEGER AS a, (CASE WHEN i = {ROWS} THEN 0 ELSE 1 END)::INTEGER AS b,"
    f" repeat('x', 60) || i AS text FROM range(1, {ROWS + 1}) AS r (i)",
    "CREATE TABLE few AS SELECT i::INTEGER AS a, i::INTEGER AS b FROM range(3) AS r (i)",
)

CASES = {
    "the zero is left out by what is cheaper": f"SELECT a FROM many WHERE 10 / b > 1 AND a <> {ROWS}",
    "what is dearer would leave the zero out": f"SELECT a FROM many WHERE a + a + a + a <> 4 * {ROWS}"
    " AND 10 / b > 1",
    "an equality comes last": "SELECT a FROM few WHERE a = 7 AND (10 / b) = 1",
    "an equality comes before what is dearer": "SELECT a FROM few WHERE 10 / b > 1 AND a = 1",
    "written first and checked first": f"SELECT a FROM many WHERE a < {ROWS} AND 10 / b > 1",
    "in the last row of a stream": "SELECT a FROM many WHERE 10 / b > 1",
    "in a subquery": f"SELECT s.a, s.c FROM (SELECT a, 10 / b AS c FROM many WHERE a <> {ROWS}) AS s"
    " WHERE s.c > 1",
    "in a subquery, met": "SELECT s.a FROM (SELECT a, 10 / b AS c FROM many) AS s WHERE s.c > 1",
    "in an operand of a set operation": "SELECT a, NULL FROM few UNION ALL SELECT a, text FROM many"
    " WHERE 10 / b > 1",
    "beside a join": "SELECT m.a FROM many AS m JOIN few AS f ON f.a = m.a - m.a WHERE 10 / m.b > 1",
    "beside a join, left out": f"SELECT m.a, m.text FROM many AS m JOIN few AS f ON f.a = m.a % 3"
    f" WHERE 10 / m.b > 1 AND m.a <> {ROWS}",
    "beside a join, met": "SELECT m.a, m.text FROM many AS m JOIN few AS f ON f.a = m.a % 3"
    " WHERE 10 / m.b > 1",
    "in the condition of a join": "SELECT m.a FROM many AS m JOIN few AS f ON f.a = 10 / m.b - 9",
    "sorted": f"SELECT a FROM many WHERE 10 / b > 1 AND a <> {ROWS} ORDER BY a DESC",
    "in a column that only the left rows have": "SELECT m.a, s.c FROM (SELECT a, 10 / b AS c FROM many) AS s"
    " JOIN many AS m ON m.a = s.a WHERE m.b > 0",
    "a list that is hashed": "SELECT a FROM few WHERE 10 / b IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)"
    " AND b + 0 + 0 + 0 <> 0 ORDER BY a",
    "the same in all arms of OR": "SELECT a FROM few WHERE (a = 1 AND 10 / b > 1) OR (a = 9 AND 10 / b > 1)"
    " ORDER BY a",
    "under NOT": "SELECT a FROM few WHERE NOT (b * 1 * 1 * 1 = 0 OR 10 / b <= 1) ORDER BY a",
    "never reached": "SELECT a FROM few WHERE a < 9 AND CASE WHEN true THEN a > 0 ELSE a > 1 / 0 END"
    " ORDER BY a",
    "never reached in a part": "SELECT a FROM few WHERE a > 0 AND (true OR a > 1 / 0) ORDER BY a",
    "never reached in a target": "SELECT CASE WHEN false THEN 1 / 0 ELSE a END FROM few ORDER BY a",
    "none of DuckDB's in a late frame": "SELECT a, corr(a % 11, CASE"
    f" WHEN a > {ROWS} - 9 THEN 5 ELSE a % 7 END) OVER w IS NULL FROM many"
    " WINDOW w AS (ORDER BY a ROWS BETWEEN 4 PRECEDING AND CURRENT ROW)",
    "compared with no array": "SELECT a FROM few WHERE 10 / b = ALL (NULL::int[])",
    "compared with an empty array": "SELECT a FROM few WHERE 10 / b = ANY ('{}'::int[])",
    "compared with null alone": "SELECT a FROM few WHERE 10 / b = ANY ('{NULL}'::int[])",
    "few rows": "SELECT a FROM few WHERE 10 / b > 1",
    "few rows, left out": "SELECT a FROM few WHERE 10 / b > 1 AND a > 0",
}


@pytest.fixture(scope="module")
def _tables(server: Server) -> Iterator[None]:
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, *TABLES)
    with server.connect() as db:
        db.execute("CREATE SCHEMA in_order; CREATE SCHEMA heap_in_order")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO in_order')
        for table in ("many", "few"):
            db.execute(f"CREATE TABLE heap_in_order.{table} AS TABLE in_order.{table}")
            db.execute(f"VACUUM ANALYZE heap_in_order.{table}")
        yield
        db.execute("DROP SCHEMA in_order CASCADE; DROP SCHEMA heap_in_order CASCADE")
    path.unlink()


def answer(db: psycopg.Connection, schema: str, text: str) -> tuple[int, list[int]] | str | None:
    """How many rows a cursor gives and their sorted first column, or the SQLSTATE of the first step."""
    db.execute(f"SET search_path = {schema}")
    try:
        with db.transaction(), db.cursor("steps") as cursor:
            cursor.execute(text)
            first = cursor.fetchmany(1)
            rows = [row[0] for row in first + cursor.fetchall()]
    except psycopg.Error as error:
        return error.sqlstate
    return len(rows), sorted(rows)


@pytest.mark.usefixtures("_tables")
@pytest.mark.parametrize("text", CASES.values(), ids=CASES)
def test_the_answer_is_that_of_the_heap(db: psycopg.Connection, text: str) -> None:
    db.execute("SET search_path = in_order; SET max_parallel_workers_per_gather = 0")
    plan = "\n".join(line for (line,) in db.execute(f"EXPLAIN {text}"))
    assert NODE in plan or "Foreign Scan" in plan
    assert answer(db, "in_order", text) == answer(db, "heap_in_order", text)


@pytest.mark.usefixtures("_tables")
def test_a_condition_that_is_never_met_is_no_error(db: psycopg.Connection) -> None:
    db.execute("SET search_path = in_order")
    assert db.execute("SELECT count(*) FROM few WHERE false AND a > 1 / 0").fetchall() == [(0,)]


@pytest.mark.usefixtures("_tables")
def test_what_postgresql_leaves_out_first_needs_no_fallback(db: psycopg.Connection) -> None:
    db.execute("SET search_path = in_order")
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    text = f"SELECT DISTINCT a % 10 FROM many WHERE 10 / b > 1 AND a <> {ROWS}"
    assert len(db.execute(text).fetchall()) == 10
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() == before
