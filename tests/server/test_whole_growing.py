"""Arithmetic that is written by what a session holds stays right while the session grows.

Products of decimals are computed in 64 bits, and integers without a check, where the numbers that there are
let them. So each case lets numbers come that fit together, that are at the limit, one past it, the largest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import Writer, writing
from tests.server.whole import is_pushed

pytestmark = pytest.mark.server

SESSION = "growing"


@dataclass(frozen=True)
class Case:
    """Columns of a table, the rows that come into it one after another, and what is asked after each step.

    `without_fallback`: steps after which DuckDB has room for all results.
    """

    columns: Mapping[str, tuple[str, str]]
    steps: Mapping[str, Sequence[tuple[str | None, ...]]]
    queries: Sequence[str]
    without_fallback: Sequence[str]


DECIMALS = Case(
    {
        "a": ("DECIMAL(15,2)", "numeric(15,2)"),
        "b": ("DECIMAL(16,2)", "numeric(16,2)"),
        "c": ("DECIMAL(18,9)", "numeric(18,9)"),
    },
    {
        "small": [("1.50", "0.05", "0.000000001"), ("-2.25", "-0.10", "-0.999999999"), (None, "1.00", None)],
        "at the limit": [("9999999.99", "-9999999.99", "1"), ("-9999999.99", "9999999.99", "-1")],
        "one past it": [("99999999.99", "9999999.99", "9.999999999")],
        "past 38 digits in some queries": [("9999999999999.99", "99999999999999.99", "999999999.999999999")],
        "the least": [("-9999999999999.99", "99999999999999.99", "-999999999.999999999")],
    },
    [
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
    ],
    ("small", "at the limit", "one past it"),
)

# Where a quotient has 4 digits less: sevens and eights of all sizes, their neighbours, halves of a digit.
QUOTIENTS = Case(
    {
        "a": ("DECIMAL(15,2)", "numeric(15,2)"),
        "b": ("BIGINT", "bigint"),
        "c": ("DECIMAL(12,6)", "numeric(12,6)"),
        "d": ("INTEGER", "integer"),
    },
    {
        "small": [
            ("0.07", "7", "0.000007", "8"),
            ("-0.08", "-8", "-0.000008", "-7"),
            (None, "1", None, None),
        ],
        "zero": [("0", "0", "0", "1"), ("0.00", "0", "-0.000000", "-9999")],
        "digits of the base": [
            ("699.99", "69999", "0.069999", "9999"),
            ("700.00", "70000", "0.070000", "10000"),
            ("-799.99", "-79999", "-0.079999", "79999"),
            ("800.00", "80000", "0.080000", "-80000"),
            ("80000.00", "800000000", "8.000000", "7"),
        ],
        "larger": [("9999999999.99", "79999999999", "79.999999", "99999999"), ("1", "80000000001", "1", "3")],
        "past 64 bits in between": [
            ("9999999999999.99", "9223372036854775807", "999999.999999", "2147483647")
        ],
        "the least": [("-9999999999999.99", "-9223372036854775808", "-999999.999999", "-2147483648")],
    },
    [
        "SELECT a, b, c, d, a / 7, b / 7.0, c / 7, d / 7.0 FROM {} ORDER BY a, b, c, d",
        "SELECT x.a, x.q, x.q + 1, x.q * 2 FROM (SELECT a, b, a / 7 AS q FROM {}) AS x ORDER BY 1, 2",
        "SELECT x.q FROM (SELECT d, b, d / 7.000 AS q FROM {} WHERE d > -5) AS x ORDER BY x.d, x.b",
        "SELECT sum(a / 7), sum(d / 7.0), sum(a / -0.3), sum(c / 1000), sum(d / 60000.0) FROM {}",
        "SELECT sum(q), count(q) FROM (SELECT d / 70000.0 AS q FROM {}) AS x",
        "SELECT sum(q), count(q) FROM (SELECT c / 0.000003 AS q FROM {}) AS x",
        "SELECT sum(q), count(q) FROM (SELECT a / 99990000 AS q FROM {}) AS x",
        "SELECT count(*) FROM {} WHERE a / 7 > 100 OR d / 9999.0 < 0.0001",
        "SELECT round(d / 3.0, 2) AS q, count(*), sum(a / 8) FROM {} GROUP BY 1 ORDER BY 1",
        "SELECT sum(a / d) FROM {}",
        "SELECT x.d, x.q FROM (SELECT a, d, d::numeric / d AS q FROM {}) AS x ORDER BY x.d, x.a",
        "SELECT sum(100.0 * d / nullif(b, 0)) FROM {}",
        "SELECT sum(c / nullif(a, 0)) FROM {}",
        "SELECT sum((a + c) / 7), sum(a * 2 / 3), sum(CASE WHEN d > 0 THEN a ELSE 0.5 END / 7) FROM {}",
        "SELECT sum(coalesce(a, 5) / 7), sum(abs(c) / 3), sum(d / -6.0) FROM {}",
    ],
    ("small", "zero"),
)

INTEGERS = Case(
    {
        "a": ("SMALLINT", "smallint"),
        "b": ("INTEGER", "integer"),
        "c": ("BIGINT", "bigint"),
        "d": ("UTINYINT", "smallint"),
    },
    {
        "small": [("1", "2", "3", "4"), ("-5", "-6", "-7", "0"), (None, "8", None, "9")],
        "sums of smallint at the limit": [("16383", "1", "1", "255"), ("-16383", "1", "1", "1")],
        "one past it": [("16384", "1", "1", "1")],
        "sums of integer at the limit": [("1", "1073741823", "1", "1")],
        "products past it": [("1", "1073741824", "1", "1")],
        "the least smallint": [("-32768", "1", "1", "1")],
        "the largest integer": [("1", "2147483647", "1", "1")],
        "the least integer": [("1", "-2147483648", "1", "1")],
        "sums of bigint at the limit": [("1", "1", "4611686018427387903", "1")],
        "one past that": [("1", "1", "-4611686018427387904", "1")],
        "the largest bigint": [("1", "1", "9223372036854775807", "1")],
        "the least bigint": [("1", "1", "-9223372036854775808", "1")],
    },
    [
        "SELECT sum(a + a), min(a - a), max(a + 1), sum(d + d), sum(a + 100000) FROM {}",
        "SELECT sum(b + b), max(b - 1), min(b + 1), sum(a + b), sum(a * d) FROM {}",
        "SELECT sum(c + c), max(c - 1), min(c + 1), sum(b + c), sum(a - c) FROM {}",
        "SELECT min(-a), max(-b), max(-c), sum(-d) FROM {}",
        "SELECT sum(a * a) FROM {}",
        "SELECT sum(b * b), sum(a * b) FROM {}",
        "SELECT sum(c * c) FROM {}",
        "SELECT sum((a + b) * 2 - c * 3 + 1) FROM {}",
        "SELECT a + b AS k, count(*), sum(c + 1) FROM {} GROUP BY 1 ORDER BY 1",
        "SELECT count(*) FROM {} WHERE b + 5 > 10 AND b * 2 < 1000000 AND 7 - a >= 0",
        "SELECT count(*) FROM {} WHERE c + 5 = 8 OR a * 3 <> 3",
        "SELECT x.p + 1, x.p * 2 FROM (SELECT b + a AS p FROM {}) AS x ORDER BY 1",
        "SELECT max(p + p) FROM (SELECT b FROM {} UNION ALL SELECT a FROM {}) AS u (p)",
        "SELECT sum(s.q + t.b) FROM (SELECT max(b) AS q FROM {}) AS s, {} AS t",
        "SELECT sum(t.b + u.b) FROM {} AS t LEFT JOIN {} AS u ON u.a = t.b + 1",
        "SELECT b, sum(b + a) OVER (ORDER BY b, a, c) FROM {} ORDER BY 1, 2",
        "SELECT sum(a::integer + a::integer), sum(b::bigint * b::bigint), max((b + 1)::smallint) FROM {}",
        "SELECT sum(c::numeric * b::numeric), sum(a::numeric * 1.5) FROM {}",
        "SELECT sum(coalesce(b, 1) + 1), sum(CASE WHEN a > 1 THEN a ELSE b END + 1) FROM {}",
        "WITH RECURSIVE r (n) AS (SELECT max(a)::int4 FROM {} UNION ALL SELECT n + n FROM r"
        " WHERE n < 900000000) SELECT max(n), count(*) FROM r",
        "WITH RECURSIVE r (n) AS (SELECT b FROM {} WHERE b = 8 UNION ALL SELECT n * 10 FROM r"
        " WHERE n < 999999) SELECT max(n + n), sum(n) FROM r",
        "SELECT max((SELECT max(b) FROM {} AS i WHERE i.a = o.a) + 1) FROM {} AS o",
    ],
    ("small",),
)


@pytest.fixture
def writer(server: Server) -> Iterator[Writer]:
    """The session as its writer has it open."""
    path = server.session_dir / f"{SESSION}.duckdb"
    with writing(path) as found:
        yield found
    for each in Path(server.session_dir).glob(f"{SESSION}.duckdb*"):
        each.unlink()


def made(case: Case, db: psycopg.Connection, schema: str, writer: Writer) -> None:
    """The session's table, imported, and beside it an ordinary table of the same columns."""
    writer.run(f"CREATE TABLE t ({', '.join(f'{name} {types[0]}' for name, types in case.columns.items())})")
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
    columns = sql.SQL(", ".join(f"{name} {types[1]}" for name, types in case.columns.items()))
    db.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(schema, "heap"), columns))


def outcome(db: psycopg.Connection, schema: str, table: str, text: str) -> object:
    """The rows, or the error's code."""
    place = sql.Identifier(schema, table)
    try:
        return db.execute(sql.SQL(text).format(*[place] * text.count("{}"))).fetchall()
    except psycopg.Error as error:
        return error.sqlstate


@pytest.mark.parametrize("case", [DECIMALS, QUOTIENTS, INTEGERS], ids=["decimals", "quotients", "integers"])
def test_it_follows_what_is_written(case: Case, db: psycopg.Connection, schema: str, writer: Writer) -> None:
    made(case, db, schema, writer)
    for text in case.queries:
        table = sql.Identifier(schema, "t")
        assert is_pushed(db, sql.SQL(text).format(*[table] * text.count("{}"))), text
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    failed: set[str] = set()
    passed: set[str] = set()
    for step, values in case.steps.items():
        for row in values:
            listed = ", ".join("NULL" if value is None else value for value in row)
            writer.run(f"INSERT INTO t VALUES ({listed})")
            marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
            place = sql.Identifier(schema, "heap")
            db.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(place, marks), row)
        for text in case.queries:
            found, expected = (outcome(db, schema, table, text) for table in ("t", "heap"))
            assert found == expected, (step, text)
            (failed if isinstance(expected, str) else passed).add(text)
        if step in case.without_fallback:
            assert db.execute("SHOW rvbbit.fallbacks").fetchone() == before
    assert passed == set(case.queries)
    assert bool(failed) == (case is INTEGERS)


# Divisors of 0 beside dividends whose first digit to the base 10,000 is a limit, or 0 as well.
BY_ZERO = {
    ("INTEGER", "INTEGER"): (
        [("1", "0"), ("0", "1"), ("1", "1")],
        [
            "SELECT sum(1.0 / b) FROM {}",
            "SELECT sum(a::numeric / b) FROM {}",
            "SELECT count(*) FROM {} WHERE coalesce(a::numeric / b, 7) > 5",
            "SELECT sum(12345 / b::numeric) FROM {}",
        ],
    ),
    ("DECIMAL(10,0)", "SMALLINT"): (
        [("12000", "0"), ("12000", "5")],
        [
            "SELECT sum(a / b) FROM {}",
            "SELECT round(a / b, 2) AS x, count(*) FROM {} GROUP BY 1",
        ],
    ),
    ("DECIMAL(8,0)", "DECIMAL(8,2)"): (
        [("0", "0.00"), ("5", "0.40")],
        ["SELECT sum(a / b) FROM {}", "SELECT sum(0 / b::numeric) FROM {}"],
    ),
}


@pytest.mark.parametrize("types", BY_ZERO, ids=", ".join)
def test_division_by_zero_is_an_error_whatever_is_divided(
    types: tuple[str, str], db: psycopg.Connection, schema: str, writer: Writer
) -> None:
    values, queries = BY_ZERO[types]
    columns = {
        name: (kind, kind.replace("DECIMAL", "numeric")) for name, kind in zip("ab", types, strict=True)
    }
    made(Case(columns, {}, queries, ()), db, schema, writer)
    for row in values:
        writer.run(f"INSERT INTO t VALUES ({', '.join(row)})")
    for text in queries:
        assert is_pushed(db, sql.SQL(text).format(sql.Identifier(schema, "t"))), text
        assert outcome(db, schema, "t", text) == "22012", text
