"""A table with a column of each kind of type, and what it holds as Python's values: two rows, and nulls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Column:
    """A column: its types, and two values, in DuckDB's words and in Python's."""

    name: str
    duckdb: str
    postgres: str
    literals: tuple[str, str]
    values: tuple[Any, Any]


HUGE = 2**127 - 1
TEXT = 'Zoë says "hi",\n\tthen: \\N 🦡'

COLUMNS = [
    Column("flag", "BOOLEAN", "boolean", ("true", "false"), (True, False)),
    Column("tiny", "TINYINT", "smallint", ("7", "-128"), (7, -128)),
    Column("int", "INTEGER", "integer", ("42", "-2147483648"), (42, -(2**31))),
    Column("big", "BIGINT", "bigint", ("9007199254740993", "-9223372036854775808"), (2**53 + 1, -(2**63))),
    Column("huge", "HUGEINT", "numeric", ("1", str(HUGE)), (Decimal(1), Decimal(HUGE))),
    Column(
        "money",
        "DECIMAL(12, 2)",
        "numeric(12,2)",
        ("1234.50", "-0.01"),
        (Decimal("1234.50"), Decimal("-0.01")),
    ),
    Column("short", "FLOAT", "real", ("1.5", "-0.25"), (1.5, -0.25)),
    Column(
        "double",
        "DOUBLE",
        "double precision",
        ("0.1", "1.7976931348623157e308"),
        (0.1, 1.7976931348623157e308),
    ),
    Column("words", "VARCHAR", "text", ("'" + TEXT + "'", "''"), (TEXT, "")),
    Column("label", "ENUM ('cold', 'hot')", "text", ("'hot'", "'cold'"), ("hot", "cold")),
    Column("bytes", "BLOB", "bytea", (r"'\x00\xFFab'::BLOB", "''::BLOB"), (b"\x00\xffab", b"")),
    Column(
        "uid",
        "UUID",
        "uuid",
        ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"),
        (UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), UUID(int=0)),
    ),
    Column("day", "DATE", "date", ("'2026-02-28'", "'0001-01-01'"), (date(2026, 2, 28), date(1, 1, 1))),
    Column(
        "clock",
        "TIME",
        "time without time zone",
        ("'23:59:59.999999'", "'00:00'"),
        (time(23, 59, 59, 999999), time(0, 0)),
    ),
    Column(
        "zoned_clock",
        "TIMETZ",
        "time with time zone",
        ("'08:30:00+02'", "'12:00:00-05:30'"),
        (
            time(8, 30, tzinfo=timezone(timedelta(hours=2))),
            time(12, 0, tzinfo=timezone(-timedelta(hours=5, minutes=30))),
        ),
    ),
    Column(
        "span",
        "INTERVAL",
        "interval",
        ("INTERVAL '3 days 04:05:06.7'", "INTERVAL '-1 hour'"),
        (timedelta(days=3, hours=4, minutes=5, seconds=6.7), timedelta(hours=-1)),
    ),
    Column(
        "moment",
        "TIMESTAMP",
        "timestamp without time zone",
        ("'2026-03-29 02:30:00.000001'", "'1969-12-31 23:59:59'"),
        (datetime(2026, 3, 29, 2, 30, 0, 1), datetime(1969, 12, 31, 23, 59, 59)),
    ),
    Column(
        "instant",
        "TIMESTAMPTZ",
        "timestamp with time zone",
        ("'2026-03-29 02:30:00.5+00'", "'1999-12-31 23:00:00-01'"),
        (datetime(2026, 3, 29, 2, 30, 0, 500000, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)),
    ),
    Column("numbers", "INTEGER[]", "integer[]", ("[1, NULL, 3]", "[]"), ([1, None, 3], [])),
    Column(
        "names", "VARCHAR[]", "text[]", ("['a', 'b,c', NULL, '']", "['x']"), (["a", "b,c", None, ""], ["x"])
    ),
    Column(
        "record",
        "STRUCT(a INTEGER, b VARCHAR[])",
        "jsonb",
        ("{'a': 1, 'b': ['x']}", "{'a': NULL, 'b': []}"),
        ({"a": 1, "b": ["x"]}, {"a": None, "b": []}),
    ),
    Column(
        "document",
        "JSON",
        "jsonb",
        ("""'{"n": 1.50, "deep": [null, true]}'""", "'[]'"),
        ({"n": 1.5, "deep": [None, True]}, []),
    ),
    Column(
        "constructor",
        "VARCHAR",
        "text",
        ("'a keyword of many languages'", "'x'"),
        ("a keyword of many languages", "x"),
    ),
    Column("Größe in cm", "DOUBLE", "double precision", ("12.5", "0"), (12.5, 0.0)),
]

NAMES = ["id", *(column.name for column in COLUMNS)]
TYPES = ["integer", *(column.postgres for column in COLUMNS)]
ROWS: list[tuple[Any, ...]] = [
    (1, *(column.values[0] for column in COLUMNS)),
    (2, *(column.values[1] for column in COLUMNS)),
    (3, *(None for _ in COLUMNS)),
]

STREAMED = 1_000_000
"""Rows of _stream."""
FAILS_AT = 150_000
"""The row of _fails_late that PostgreSQL cannot hold."""


def statements() -> list[str]:
    """What a writer runs to make the session."""
    declared = ", ".join(f'"{column.name}" {column.duckdb}' for column in COLUMNS)
    first, second = (", ".join(column.literals[n] for column in COLUMNS) for n in (0, 1))
    return [
        f"CREATE TABLE _types (id INTEGER, {declared})",
        f"INSERT INTO _types VALUES (1, {first}), (2, {second})",
        "INSERT INTO _types (id) VALUES (3)",
        "COMMENT ON TABLE _types IS 'one column of each kind'",
        "COMMENT ON COLUMN _types.money IS 'in euros'",
        "CREATE TABLE _stream AS SELECT range AS id, ['north', 'south', 'east'][1 + range % 3] AS region,"
        " TIMESTAMP '2026-01-01' + to_seconds(range) AS sold_at,"
        " CASE WHEN range % 10 > 0 THEN (range % 400) / 4 END AS price, 'note ' || range % 1000 AS note"
        f" FROM range({STREAMED})",
        "CREATE TABLE _fails_late AS SELECT range AS id,"
        f" CASE WHEN range = {FAILS_AT} THEN 'nul: ' || chr(0) ELSE 'fine' END AS note FROM range(300000)",
        "CREATE VIEW _endless AS SELECT count(*) AS n FROM range(1000000) a(i), range(1000000) b(j)"
        " WHERE a.i * b.j % 7 = 3",
    ]
