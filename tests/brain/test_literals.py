"""Values as DuckDB SQL: what DuckDB then holds, and which values it has no room for."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from rvbbit_fdw.pushdown import columns, kinds
from rvbbit_fdw.pushdown.literals import literal, parse_interval
from rvbbit_fdw.pushdown.reasons import Local, call_words, type_words
from rvbbit_fdw.request import Attribute
from rvbbit_fdw.sqltext import Sql

# The type, PostgreSQL's text, DuckDB's type and text.
HELD = [
    ("bool", "t", "BOOLEAN", "true"),
    ("int2", "-32768", "SMALLINT", "-32768"),
    ("int8", "-9223372036854775808", "BIGINT", "-9223372036854775808"),
    ("float4", "1e-45", "FLOAT", "1e-45"),
    ("float8", "-0", "DOUBLE", "-0.0"),
    ("float8", "NaN", "DOUBLE", "nan"),
    ("numeric", "-0.05", "DECIMAL(2,2)", "-.05"),
    ("numeric", "0", "DECIMAL(1,0)", "0"),
    ("numeric", "12345678901234567890.5", "DECIMAL(21,1)", "12345678901234567890.5"),
    ("numeric", str((1 << 127) - 1), "HUGEINT", str((1 << 127) - 1)),
    ("text", "it's \\ 😀", "VARCHAR", "it's \\ 😀"),
    ("bytea", "\\x00ff41", "BLOB", "\\x00\\xFFA"),
    ("date", "0044-03-15 BC", "DATE", "0044-03-15 (BC)"),
    ("date", "5874897-12-31", "DATE", "5874897-12-31"),
    ("date", "-infinity", "DATE", "-infinity"),
    ("time", "24:00:00", "TIME", "24:00:00"),
    ("timestamp", "0044-03-15 01:02:03.5 BC", "TIMESTAMP", "0044-03-15 (BC) 01:02:03.5"),
    ("timestamp", "infinity", "TIMESTAMP", "infinity"),
    ("timestamptz", "2024-02-29 00:00:00+00", "TIMESTAMP WITH TIME ZONE", "2024-02-29 00:00:00+00"),
    ("interval", "-1 years -2 mons +3 days -04:05:06.7", "INTERVAL", "-1 year -2 months 3 days -04:05:06.7"),
    ("uuid", "ffffffff-ffff-ffff-ffff-ffffffffffff", "UUID", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
]

NO_ROOM = [
    ("numeric", "NaN", "DuckDB has no numeric NaN"),
    ("numeric", "-Infinity", "DuckDB has no numeric -Infinity"),
    ("numeric", "1" * 40, "DuckDB has no numeric of so many digits"),
    ("numeric", "0." + "1" * 39, "DuckDB has no numeric of so many digits"),
    ("timestamp", "294276-12-31 23:59:59", "DuckDB has no timestamp 294276-12-31 23:59:59"),
    ("interval", "infinity", "DuckDB has no interval infinity"),
    ("point", "(0,0)", "values of type point are not known to be the same in DuckDB"),
]


@pytest.fixture(name="duck", scope="module")
def fixture_duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.mark.parametrize(("type_name", "value", "duckdb_type", "text"), HELD)
def test_values(
    duck: duckdb.DuckDBPyConnection, type_name: str, value: str, duckdb_type: str, text: str
) -> None:
    sql, kind = literal(f"pg_catalog.{type_name}", value)
    row = duck.execute(f"SELECT typeof({sql}), CAST({sql} AS VARCHAR)").fetchone()
    assert row == (duckdb_type, text)
    assert kind.duckdb.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE") == duckdb_type


@pytest.mark.parametrize("type_name", [*kinds.FIXED, kinds.NUMERIC])
def test_null_has_the_type(duck: duckdb.DuckDBPyConnection, type_name: str) -> None:
    sql, kind = literal(type_name, None)
    row = duck.execute(f"SELECT typeof({sql}), {sql} IS NULL").fetchone()
    assert row == (kind.duckdb.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"), True)


@pytest.mark.parametrize(("type_name", "value", "reason"), NO_ROOM)
def test_values_without_room(type_name: str, value: str, reason: str) -> None:
    with pytest.raises(Local) as raised:
        literal(f"pg_catalog.{type_name}", value)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("00:00:00", (0, 0, 0)),
        ("1 year 2 mons 3 days 04:05:06.7", (14, 3, 14_706_700_000)),
        ("-1 years -2 mons +3 days -04:05:06.7", (-14, 3, -14_706_700_000)),
        ("-00:00:00.000001", (0, 0, -1)),
        ("1 day -24:00:00", (0, 1, -86_400_000_000)),
    ],
)
def test_intervals(text: str, parts: tuple[int, int, int]) -> None:
    assert parse_interval(text) == parts


# The type in the session, the declared type and typmod; the carrier, or None if it stays local.
COLUMNS = [
    ("INTEGER", "int4", -1, "INTEGER"),
    ("TINYINT", "int2", -1, "SMALLINT"),
    ("UBIGINT", "numeric", -1, "HUGEINT"),
    ("DECIMAL(12,2)", "numeric", ((12 << 16) | 2) + 4, "DECIMAL(12,2)"),
    ("VARCHAR", "text", -1, "VARCHAR"),
    ("VARCHAR", "varchar", -1, "VARCHAR"),
    ("VARCHAR", "varchar", 14, None),
    ("ENUM('a', 'b')", "text", -1, "VARCHAR"),
    ("INTERVAL", "interval", -1, "INTERVAL"),
    ("UUID", "uuid", -1, "UUID"),
    ("INTEGER", "text", -1, "VARCHAR"),
    ("INTEGER", "int8", -1, "BIGINT"),
    ("UHUGEINT", "numeric", -1, None),
    ("INTEGER[]", "text", -1, "VARCHAR"),  # as the text that PostgreSQL sees
    ("JSON", "jsonb", -1, None),
    (None, "int4", -1, None),
]


@pytest.mark.parametrize(("duckdb_type", "declared", "typmod", "carrier"), COLUMNS)
def test_columns(duckdb_type: str | None, declared: str, typmod: int, carrier: str | None) -> None:
    options = {} if duckdb_type is None else {"duckdb_type": duckdb_type}
    attribute = Attribute(1, "c", f"pg_catalog.{declared}", typmod, options)
    if carrier is None:
        with pytest.raises(Local):
            columns.written(attribute, Sql("c"))
    else:
        assert columns.written(attribute, Sql("c")).kind.duckdb == carrier


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("function", "public.f(pg_catalog.int4)", "function public.f(integer)"),
        ("function", "pg_catalog.now()", "function now()"),
        ("operator", "pg_catalog.@>(pg_catalog.jsonb,pg_catalog.jsonb)", "operator jsonb @> jsonb"),
        ("operator", "pg_catalog.@(pg_catalog.int2)", "operator @ smallint"),
        ("cast", "pg_catalog.text(pg_catalog.bool)", "cast from boolean by text(boolean)"),
    ],
)
def test_calls_in_words(kind: str, name: str, words: str) -> None:
    assert call_words(kind, name) == words


def test_types_in_words() -> None:
    assert type_words("pg_catalog._timestamptz") == "timestamp with time zone[]"
    assert type_words("public.mood") == "public.mood"
