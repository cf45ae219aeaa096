"""Every row of the type table: the Arrow format that DuckDB delivers, and its values at the edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from rvbbit_fdw import typemap
from rvbbit_fdw.engine import connect_idle
from rvbbit_fdw.sqltext import Sql
from tests.kit import arrow

FORMATS = {
    "bool": "b",
    "int2": "s",
    "int4": "i",
    "int8": "l",
    "float4": "f",
    "float8": "g",
    "hugeint": "d:38,0",
    "uhugeint": "d:38,0",
    "text": "U",
    "input": "U",
    "interval": "U",
    "bytea": "Z",
    "date": "tdD",
    "time": "ttu",
    "timestamp": "tsu:",
    "timestamptz": "tsu:UTC",
}

EDGES: dict[str, list[tuple[str, Any]]] = {
    "BOOLEAN": [("true", True), ("false", False)],
    "TINYINT": [("-128", -128), ("127", 127)],
    "UTINYINT": [("0", 0), ("255", 255)],
    "SMALLINT": [("-32768", -32768), ("32767", 32767)],
    "USMALLINT": [("0", 0), ("65535", 65535)],
    "INTEGER": [("-2147483648", -(2**31)), ("2147483647", 2**31 - 1)],
    "UINTEGER": [("0", 0), ("4294967295", 2**32 - 1)],
    "BIGINT": [("-9223372036854775808", -(2**63)), ("9223372036854775807", 2**63 - 1)],
    "UBIGINT": [("0", 0), ("18446744073709551615", 2**64 - 1)],
    "HUGEINT": [(str(-(2**127)), -(2**127)), (str(2**127 - 1), 2**127 - 1)],
    # The host reads the same 128 bits as an unsigned integer: all ones are the greatest value.
    "UHUGEINT": [("0", 0), (str(2**128 - 1), -1)],
    "FLOAT": [("1.5", 1.5), ("inf", float("inf")), ("-inf", float("-inf"))],
    "DOUBLE": [("1e308", 1e308), ("inf", float("inf")), ("-0.0", -0.0)],
    "VARCHAR": [("", ""), ("ü'\"\\", "ü'\"\\")],
    "ENUM": [("b", "b")],
    "DATE": [
        ("1970-01-02", 1),
        ("infinity", 2**31 - 1),
        ("-infinity", -(2**31 - 1)),
        ("0001-01-01 (BC)", -719528),
    ],
    "TIME": [("00:00:00", 0), ("24:00:00", 86_400_000_000), ("01:02:03.000004", 3_723_000_004)],
    "TIME_NS": [("01:02:03.000004567", 3_723_000_005)],
    "TIMESTAMP": [
        ("1970-01-01 00:00:00.000001", 1),
        ("infinity", 2**63 - 1),
        ("-infinity", -(2**63 - 1)),
        ("0001-01-01 (BC) 00:00:00", -719528 * 86_400_000_000),
    ],
    "TIMESTAMP_S": [("1970-01-01 00:00:01", 1_000_000), ("infinity", 2**63 - 1), ("-infinity", -(2**63 - 1))],
    "TIMESTAMP_MS": [("1970-01-01 00:00:00.001", 1000), ("infinity", 2**63 - 1)],
    "TIMESTAMP_NS": [
        ("1970-01-01 00:00:00.000001499", 1),
        ("1970-01-01 00:00:00.000001999", 1),
        ("1969-12-31 23:59:59.999998001", -1),
        ("2262-04-11 23:47:16.854775806", 9_223_372_036_854_775),
        ("infinity", 2**63 - 1),
        ("-infinity", -(2**63 - 1)),
    ],
    "TIMESTAMP WITH TIME ZONE": [("1970-01-01 02:00:00+02", 0), ("infinity", 2**63 - 1)],
    "INTERVAL": [("1 year 2 months -3 days 04:05:06.7", "1 year 2 months -3 days 04:05:06.7")],
    "UUID": [("00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff")],
    "BLOB": [(r"\x00\xFFab", b"\x00\xffab"), ("", b"")],
    "JSON": [('{"a": [1, 2.50]}', '{"a": [1, 2.50]}')],
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect_idle() as con:
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        con.execute("SET arrow_large_buffer_size = true")
        yield con


def deliver(
    con: duckdb.DuckDBPyConnection, kind: str, values: list[str], travel: typemap.Travel
) -> arrow.Result:
    cursor = con.cursor()
    cursor.execute(f'CREATE OR REPLACE TABLE edge (n INTEGER, "v" {kind})')
    for number, value in enumerate(values):
        cursor.execute(f"INSERT INTO edge SELECT {number}, CAST(? AS {kind})", [value])
    cursor.execute("INSERT INTO edge VALUES (99, NULL)")
    sql = Sql(f"SELECT {travel.select(Sql('v'))} FROM edge ORDER BY n")
    return arrow.read(cursor.sql(sql).__arrow_c_stream__())


def test_every_row_has_edges() -> None:
    assert set(EDGES) == set(typemap.TABLE)


@pytest.mark.parametrize("name", sorted(typemap.TABLE))
def test_row(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    row = typemap.TABLE[name]
    kind = "ENUM('a', 'b')" if name == "ENUM" else name
    result = deliver(connection, kind, [text for text, _ in EDGES[name]], row.travel)
    assert result.formats == [FORMATS[row.travel.decoder]]
    assert [value for (value,) in result.rows] == [value for _, value in EDGES[name]] + [None]
    stored = connection.sql("SELECT data_type FROM duckdb_columns() WHERE column_name = 'v'").fetchall()
    assert typemap.canonical(stored[0][0]) == name


@pytest.mark.parametrize(
    ("precision", "scale", "text", "value"),
    [(4, 1, "-999.9", -9999), (9, 9, "0.999999999", 999999999), (18, 3, "1.5", 1500), (38, 10, "1", 10**10)],
)
def test_decimal(
    connection: duckdb.DuckDBPyConnection, precision: int, scale: int, text: str, value: int
) -> None:
    row = typemap.lookup(f"DECIMAL({precision},{scale})")
    result = deliver(connection, f"DECIMAL({precision},{scale})", [text], row.travel)
    assert result.formats == [f"d:{precision},{scale},128"]
    assert result.rows == [(value,), (None,)]
    assert row.declared == f"numeric({precision},{scale})"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("INTEGER[]", "[1, NULL]"),
        ("STRUCT(a INTEGER)", "{'a': 1}"),
        ("BIT", "0101"),
        ("TIME WITH TIME ZONE", "01:02:03+02"),
        ("MAP(VARCHAR, INTEGER)", "{a=1}"),
        ("ENUM('a', 'b')[]", "[a]"),
        ("BIGNUM", "123"),
    ],
)
def test_other_types_come_as_text(connection: duckdb.DuckDBPyConnection, kind: str, text: str) -> None:
    row = typemap.lookup(kind)
    assert (row.declared, row.travel.decoder) == ("text", "text")
    result = deliver(connection, kind, [text], row.travel)
    assert result.formats == ["U"]
    assert result.rows[-1] == (None,)
    assert isinstance(result.rows[0][0], str)


def test_a_column_made_by_hand_goes_through_its_input_function() -> None:
    assert typemap.travel("INTEGER", "pg_catalog.int4", -1).decoder == "int4"
    assert typemap.travel("INTEGER", "pg_catalog.int8", -1) == typemap.Travel("CAST({} AS VARCHAR)", "input")
    assert typemap.travel("VARCHAR", "public.my_domain", -1).decoder == "input"
    assert typemap.travel("TIMESTAMP", "pg_catalog.timestamp", 0).decoder == "input"
    assert typemap.travel("INTERVAL", "pg_catalog.interval", 65535).decoder == "interval"
    assert typemap.travel("INTERVAL", "pg_catalog.text", -1).decoder == "input"


@pytest.mark.parametrize("internal", ["public.a_domain", "pg_catalog.text"])
def test_bytes_go_in_hex_through_an_input_function(
    connection: duckdb.DuckDBPyConnection, internal: str
) -> None:
    travel = typemap.travel("BLOB", internal, -1)
    assert travel.decoder == "input"
    result = deliver(connection, "BLOB", [r"\x00\xFFab\x5C", ""], travel)
    assert result.rows == [(r"\x00FF61625C",), (r"\x",), (None,)]


def test_numeric_is_native_only_with_the_imported_typmod() -> None:
    imported = ((18 << 16) | 3) + 4
    assert typemap.travel("DECIMAL(18,3)", "pg_catalog.numeric", imported).decoder == "decimal"
    assert typemap.travel("DECIMAL(18,3)", "pg_catalog.numeric", -1).decoder == "decimal"
    assert typemap.travel("DECIMAL(18,3)", "pg_catalog.numeric", imported - 1).decoder == "input"


def test_an_enum_is_kept_without_its_members() -> None:
    assert typemap.canonical("ENUM('x', 'y')") == "ENUM"
    assert typemap.canonical("ENUM('x', 'y')[]") == "ENUM('x', 'y')[]"
    assert typemap.canonical("DECIMAL(18,3)") == "DECIMAL(18,3)"
