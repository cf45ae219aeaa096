"""Products of decimals: computed in 64 bits where what a session holds lets them, and right when it grows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import Writer, writing
from tests.server.whole import is_pushed, rows

pytestmark = pytest.mark.server

SESSION = "products"

# a, b and c of DECIMAL(15,2), DECIMAL(16,2) and DECIMAL(18,9), as rows come into a session one after another:
# what fits into 64 bits together, at their limit (18 digits of a * b), one past, and the largest there are.
STEPS: dict[str, list[tuple[str | None, ...]]] = {
    "small": [("1.50", "0.05", "0.000000001"), ("-2.25", "-0.10", "-0.999999999"), (None, "1.00", None)],
    "at the limit": [("9999999.99", "-9999999.99", "1"), ("-9999999.99", "9999999.99", "-1")],
    "one past it": [("99999999.99", "9999999.99", "9.999999999")],
    "past 38 digits in some queries": [("9999999999999.99", "99999999999999.99", "999999999.999999999")],
    "the least": [("-9999999999999.99", "99999999999999.99", "-999999999.999999999")],
}

FIT = ("small", "at the limit", "one past it")
"""Steps after which DuckDB has room for all results."""

QUERIES = [
    "SELECT sum(a * b), min(a * b), max(a * b) FROM {}",
    "SELECT sum(a * (1 - b)), sum(a * (1 - b) * (1 + b)) FROM {}",
    "SELECT a * b AS p, count(*) FROM {} GROUP BY 1 ORDER BY 1",
    "SELECT sum(a * c), sum(c * c) FROM {}",
    "SELECT x.p + 1, x.p * 2 FROM (SELECT a * b AS p FROM {}) AS x ORDER BY 1",
    "SELECT count(*) FROM {} WHERE a * b > 100 AND -a * b < 1e20",
    "SELECT sum(a * b) / nullif(sum(b), 0) FROM {}",
    "SELECT sum(abs(a) * b), sum(coalesce(a, b) * b), sum(CASE WHEN a > 1 THEN a ELSE b END * b) FROM {}",
    "SELECT max(p), sum(p) FROM (SELECT a * b FROM {} UNION ALL SELECT b * 1.00 FROM {}) AS u (p)",
    "SELECT sum(s.q * t.b) FROM (SELECT max(a) AS q FROM {}) AS s, {} AS t",
    "SELECT sum(round(a * b, -15)), sum(round(a * b * a, -14)), max(round(c * c, -2)) FROM {}",
    "SELECT a, sum(a * b) OVER (ORDER BY a, b) FROM {} ORDER BY 1, 2",
]


@pytest.fixture
def writer(server: Server, db: psycopg.Connection, schema: str) -> Iterator[Writer]:
    """The session as its writer has it open, imported; beside it an ordinary table of the same columns."""
    path = server.session_dir / f"{SESSION}.duckdb"
    with writing(path) as found:
        found.run("CREATE TABLE t (a DECIMAL(15,2), b DECIMAL(16,2), c DECIMAL(18,9))")
        command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
        db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
        heap = sql.SQL("CREATE TABLE {} (a numeric(15,2), b numeric(16,2), c numeric(18,9))")
        db.execute(heap.format(sql.Identifier(schema, "heap")))
        yield found
    for each in Path(server.session_dir).glob(f"{SESSION}.duckdb*"):
        each.unlink()


def both(db: psycopg.Connection, schema: str, text: str) -> list[list[tuple[str, ...]]]:
    """The rows of the session and those of the ordinary table."""
    found = []
    for table in ("t", "heap"):
        place = sql.Identifier(schema, table)
        found.append(rows(db, sql.SQL(text).format(*[place] * text.count("{}"))))
    return found


def test_products_follow_what_is_written(db: psycopg.Connection, schema: str, writer: Writer) -> None:
    for text in QUERIES:
        table = sql.Identifier(schema, "t")
        assert is_pushed(db, sql.SQL(text).format(*[table] * text.count("{}")))
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    for step, values in STEPS.items():
        for row in values:
            listed = ", ".join("NULL" if value is None else value for value in row)
            writer.run(f"INSERT INTO t VALUES ({listed})")
            place = sql.Identifier(schema, "heap")
            db.execute(sql.SQL("INSERT INTO {} VALUES (%s, %s, %s)").format(place), row)
        for text in QUERIES:
            found, expected = both(db, schema, text)
            assert found == expected, text
        if step in FIT:
            assert db.execute("SHOW rvbbit.fallbacks").fetchone() == before
