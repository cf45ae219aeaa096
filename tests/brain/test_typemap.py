"""Every row of the type table: the Arrow format that DuckDB delivers, and its values at the edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from rvbbit_fdw import typemap
from rvbbit_fdw.engine import connect_idle
from rvbbit_fdw.errors import NoLosslessCast
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
    "uuid": "d:38,0",
    "uhugeint": "d:38,0",
    "text": "U",
    "input": "U",
    "interval": "d:38,0",
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
    "TIME_NS": [("01:02:03.000004567", 3_723_000_004), ("24:00:00", 86_400_000_000)],
    "TIME WITH TIME ZONE": [("01:02:03+02", "01:02:03+02"), ("24:00:00-15:59:59", "24:00:00-15:59:59")],
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
    "TIMESTAMPTZ_NS": [("1970-01-01 00:00:00.000001999+00", 1), ("infinity", 2**63 - 1)],
    "INTERVAL": [
        ("14 months 3 days 00:00:00.000005", (14 << 96) + (3 << 64) + 5),
        ("-1 months -1 days -00:00:00.000001", -1),
    ],
    # The value as an unsigned number, read here as a signed one.
    "UUID": [
        ("00112233-4455-6677-8899-aabbccddeeff", 0x00112233445566778899AABBCCDDEEFF),
        ("ffffffff-ffff-ffff-ffff-ffffffffffff", -1),
    ],
    "BLOB": [(r"\x00\xFFab", b"\x00\xffab"), ("", b"")],
    "BIT": [("0101", "0101")],
    "BIGNUM": [("-" + "9" * 50, "-" + "9" * 50)],
    "GEOMETRY": [("POINT (1 2)", "POINT (1 2)")],
    "JSON": [('{"a": [1, 2.50]}', '{"a": [1, 2.50]}')],
}


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect_idle() as con:
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        con.execute("SET arrow_large_buffer_size = true")
        yield con


def numeric(precision: int, scale: int) -> int:
    """The typmod of numeric(precision, scale)."""
    return ((precision << 16) | scale) + 4


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


NOT_STORED = {"TYPE": "get_type(1)", "NULL": "NULL"}


def test_every_row_has_edges() -> None:
    assert {*EDGES, *NOT_STORED} == set(typemap.TABLE)


@pytest.mark.parametrize("name", sorted(EDGES))
def test_row(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    kind = "ENUM('a', 'b')" if name == "ENUM" else name
    row = typemap.lookup(kind)
    result = deliver(connection, kind, [text for text, _ in EDGES[name]], row.travel)
    assert result.formats == [FORMATS[row.travel.decoder]]
    assert [value for (value,) in result.rows] == [value for _, value in EDGES[name]] + [None]
    stored = connection.sql("SELECT data_type FROM duckdb_columns() WHERE column_name = 'v'").fetchall()
    assert typemap.canonical(stored[0][0]) == name


@pytest.mark.parametrize(("name", "expression"), NOT_STORED.items())
def test_types_that_only_views_have_come_as_text(
    connection: duckdb.DuckDBPyConnection, name: str, expression: str
) -> None:
    cursor = connection.cursor()
    kind = cursor.sql(f"SELECT typeof({expression})").fetchall()[0][0]
    row = typemap.lookup(kind)
    assert (kind.strip('"'), row.declared, row.travel.decoder) == (name, "text", "text")
    sql = f"SELECT {row.travel.select(Sql('v'))} FROM (SELECT {expression} AS v)"
    assert arrow.read(cursor.sql(sql).__arrow_c_stream__()).formats == ["U"]


@pytest.mark.parametrize("unrepresentable", typemap.UNREPRESENTABLE)
@pytest.mark.parametrize("name", sorted(EDGES))
def test_what_can_be_held_is_the_same_under_every_policy(
    connection: duckdb.DuckDBPyConnection, name: str, unrepresentable: str
) -> None:
    kind = "ENUM('a', 'b')" if name == "ENUM" else name
    row = typemap.lookup(kind)
    travel = typemap.travel(kind, row.internal, row.typmod, unrepresentable)
    texts = [text for text, _ in EDGES[name]]
    expected, found = (deliver(connection, kind, texts, way) for way in (row.travel, travel))
    assert (found.formats, found.rows) == (expected.formats, expected.rows)


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


DECLARED = {
    "INTEGER[]": ("integer[]", "pg_catalog._int4", "int4[]"),
    "DECIMAL(9,2)[]": ("numeric(9,2)[]", "pg_catalog._numeric", "decimal[]"),
    "UBIGINT[3]": ("numeric[]", "pg_catalog._numeric", "hugeint[]"),
    "UUID[2][2][2][2][2][2]": ("uuid[]", "pg_catalog._uuid", "uuid[]"),
    "DOUBLE[2][]": ("double precision[]", "pg_catalog._float8", "float8[]"),
    "JSON[]": ("jsonb[]", "pg_catalog._jsonb", "input[]"),
    "ENUM('a')[]": ("text[]", "pg_catalog._text", "text[]"),
    "A_TYPE_OF_TOMORROW": ("text", "pg_catalog.text", "text"),
    "A TYPE OF TOMORROW(": ("text", "pg_catalog.text", "text"),
    # What PostgreSQL has no array for is a document.
    "INTEGER[][]": ("jsonb", "pg_catalog.jsonb", "input"),
    "INTEGER[][3]": ("jsonb", "pg_catalog.jsonb", "input"),
    "UUID[2][2][2][2][2][2][2]": ("jsonb", "pg_catalog.jsonb", "input"),
    "STRUCT(a INTEGER)[]": ("jsonb", "pg_catalog.jsonb", "input"),
    "VARIANT[]": ("jsonb", "pg_catalog.jsonb", "input"),
    "STRUCT": ("jsonb", "pg_catalog.jsonb", "input"),
    "MAP(VARCHAR, INTEGER)": ("jsonb", "pg_catalog.jsonb", "input"),
    "UNION(a INTEGER, b VARCHAR)": ("jsonb", "pg_catalog.jsonb", "input"),
    "TUPLE(INTEGER, VARCHAR)": ("jsonb", "pg_catalog.jsonb", "input"),
    "VARIANT": ("jsonb", "pg_catalog.jsonb", "input"),
}


@pytest.mark.parametrize(("kind", "expected"), DECLARED.items())
def test_declared(kind: str, expected: tuple[str, str, str]) -> None:
    row = typemap.lookup(kind)
    assert (row.declared, row.internal, row.travel.decoder) == expected


@pytest.mark.parametrize(
    ("kind", "shown", "declared"),
    [
        ("JSON", typemap.Shown(json="json"), "json"),
        ("JSON[]", typemap.Shown(json="text"), "text[]"),
        ("STRUCT(a JSON)", typemap.Shown(json="text"), "jsonb"),
        ("TIMESTAMP_NS", typemap.Shown(nanoseconds="text"), "text"),
        ("TIMESTAMPTZ_NS[]", typemap.Shown(nanoseconds="text"), "text[]"),
        ("TIME_NS", typemap.Shown(nanoseconds="text"), "text"),
        ("TIMESTAMP", typemap.Shown(nanoseconds="text"), "timestamp"),
    ],
)
def test_what_may_be_declared_otherwise(kind: str, shown: typemap.Shown, declared: str) -> None:
    assert typemap.lookup(kind, shown).declared == declared


def test_nanoseconds_keep_all_digits_as_text(connection: duckdb.DuckDBPyConnection) -> None:
    row = typemap.lookup("TIMESTAMP_NS", typemap.Shown(nanoseconds="text"))
    text = "2000-01-01 00:00:00.123456789"
    assert deliver(connection, "TIMESTAMP_NS", [text], row.travel).rows == [(text,), (None,)]


# A value that PostgreSQL cannot hold, and what each policy makes of it.
UNREPRESENTABLE: list[tuple[str, str, Any, Any]] = [
    ("VARCHAR", "'a' || chr(0) || 'b'", None, "a\N{REPLACEMENT CHARACTER}b"),
    ("VARCHAR[]", "['ä', chr(0)]", ["ä", None], ["ä", "\N{REPLACEMENT CHARACTER}"]),
    ("DATE", "'5881580-07-10'", None, 2**31 - 1),
    ("DATE", "'4714-11-23 (BC)'", None, -(2**31 - 1)),
    ("TIMESTAMP", "'4714-11-23 (BC) 23:59:59'", None, -(2**63 - 1)),
    ("TIMESTAMP_MS", "'4714-11-23 (BC) 23:59:59'", None, -(2**63 - 1)),
    ("TIMESTAMP WITH TIME ZONE", "'4714-11-23 (BC) 23:59:59+00'", None, -(2**63 - 1)),
    ("INTERVAL", f"to_months({2**31 - 1}) + to_days({2**31 - 1}) + to_microseconds({2**63 - 1})", None,
     (2**31 - 1 << 96) + (2**31 - 1 << 64) + 2**63 - 2),
    ("BIGNUM", "repeat('9', 131073)", None, "Infinity"),
    ("BIGNUM", "'-' || repeat('9', 131073)", None, "-Infinity"),
    ("INTEGER[2][2]", "[[1, NULL], NULL]", None, [[1, None], [None, None]]),
    ("INTEGER[2][2][2]", "[[[1, 2], NULL], NULL]", None,
     [[[1, 2], [None, None]], [[None, None], [None, None]]]),
    ("JSON", r"""'{"a": "\u0000\u0000\\u0000", "b": 1.10}'""", None,
     r'{"a": "\ufffd\ufffd\\u0000", "b": 1.10}'),
    ("JSON", """'[NaN, -Infinity, "NaN, \\" inf", 1]'""", None, r'["NaN", "-Infinity", "NaN, \" inf", 1]'),
    ("JSON", "'[1, [2 , ], \",]\",]'", None, '[1, [2  ], ",]"]'),
    ("STRUCT(a VARCHAR)", "{'a': chr(0)}", None, r'{"a":"\ufffd"}'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "null", "replaced"), UNREPRESENTABLE)
def test_what_cannot_be_held(
    connection: duckdb.DuckDBPyConnection, kind: str, value: str, null: Any, replaced: Any
) -> None:
    row = typemap.lookup(kind)
    cursor = connection.cursor()
    cursor.execute(f'CREATE OR REPLACE TABLE edge AS SELECT CAST({value} AS {kind}) AS "v"')
    for policy, expected in [("null", null), ("replace", replaced)]:
        travel = typemap.travel(kind, row.internal, row.typmod, policy)
        rows = arrow.read(cursor.sql(f"SELECT {travel.select(Sql('v'))} FROM edge").__arrow_c_stream__()).rows
        assert rows == [(expected,)], policy


# Declared by hand: the expression's decoder, or nothing where a value would be changed.
BY_HAND: list[tuple[str, str, int, str | None]] = [
    ("INTEGER", "pg_catalog.int4", -1, "int4"),
    ("INTEGER", "pg_catalog.int8", -1, "int8"),
    ("INTEGER", "pg_catalog.int2", -1, "input"),
    ("BIGINT", "pg_catalog.float8", -1, None),
    ("INTEGER", "pg_catalog.float8", -1, "float8"),
    ("SMALLINT", "pg_catalog.float4", -1, "float4"),
    ("FLOAT", "pg_catalog.float8", -1, "float8"),
    ("DOUBLE", "pg_catalog.float4", -1, None),
    ("DOUBLE", "pg_catalog.numeric", -1, "input"),
    ("DOUBLE", "pg_catalog.numeric", numeric(10, 2), None),
    ("DOUBLE", "pg_catalog.int4", -1, None),
    ("BOOLEAN", "pg_catalog.int4", -1, None),
    ("HUGEINT", "pg_catalog.numeric", numeric(38, 0), "input"),
    ("DECIMAL(18,3)", "pg_catalog.numeric", -1, "decimal"),
    ("DECIMAL(18,3)", "pg_catalog.numeric", numeric(18, 3), "decimal"),
    ("DECIMAL(18,3)", "pg_catalog.numeric", numeric(20, 5), "input"),
    ("DECIMAL(18,3)", "pg_catalog.numeric", numeric(18, 2), None),
    ("DECIMAL(18,3)", "pg_catalog.float8", -1, None),
    ("DATE", "pg_catalog.timestamp", -1, "input"),
    ("TIMESTAMP", "pg_catalog.date", -1, None),
    ("TIMESTAMP", "pg_catalog.timestamptz", -1, None),
    ("TIMESTAMP WITH TIME ZONE", "pg_catalog.timestamp", -1, None),
    ("TIMESTAMP", "pg_catalog.timestamp", 6, "timestamp"),
    ("TIMESTAMP_NS", "pg_catalog.timestamp", 6, "timestamp"),
    ("TIMESTAMP", "pg_catalog.timestamp", 0, None),
    ("TIMESTAMP_S", "pg_catalog.timestamp", 0, "input"),
    ("TIMESTAMP_MS", "pg_catalog.timestamp", 3, "input"),
    ("INTERVAL", "pg_catalog.interval", (0x7FFF << 16) | 6, "interval"),
    ("INTERVAL", "pg_catalog.interval", (0x7FFF << 16) | 0, None),
    ("INTERVAL", "pg_catalog.text", -1, "text"),
    ("VARCHAR", "pg_catalog.varchar", 14, "input"),
    ("VARCHAR", "pg_catalog.date", -1, "input"),
    ("VARCHAR", "public.my_domain", -1, "input"),
    ("DOUBLE", "public.my_domain", -1, "input"),
    ("UUID", "pg_catalog.text", -1, "text"),
    ("JSON", "pg_catalog.json", -1, "input"),
    ("STRUCT(a INTEGER)", "pg_catalog.json", -1, "input"),
    ("STRUCT(a INTEGER)", "pg_catalog.text", -1, "text"),
    ("STRUCT(a INTEGER)", "pg_catalog.int4", -1, None),
    ("INTEGER", "pg_catalog.jsonb", -1, "input"),
    ("INTEGER[]", "pg_catalog._int8", -1, "int8[]"),
    ("INTEGER[]", "pg_catalog.int4", -1, None),
    ("INTEGER", "pg_catalog._int4", -1, None),
    ("INTEGER[]", "pg_catalog.text", -1, "text"),
    ("INTEGER[]", "pg_catalog.jsonb", -1, "input"),
    ("INTEGER[][]", "pg_catalog._int4", -1, "int4[]"),
    ("STRUCT(a INTEGER)[]", "pg_catalog._int4", -1, None),
    ("STRUCT(a INTEGER)[]", "pg_catalog._jsonb", -1, "input[]"),
    ("BLOB", "pg_catalog.text", -1, "text"),
    ("BIT", "pg_catalog.bit", 8, "input"),
    ("", "pg_catalog.int4", -1, "input"),
    ("", "pg_catalog.text", -1, "text"),
]


@pytest.mark.parametrize(("kind", "internal", "typmod", "decoder"), BY_HAND)
def test_declared_by_hand(kind: str, internal: str, typmod: int, decoder: str | None) -> None:
    if decoder is None:
        with pytest.raises(NoLosslessCast, match="cannot be shown as"):
            typemap.travel(kind, internal, typmod)
    else:
        assert typemap.travel(kind, internal, typmod).decoder == decoder


@pytest.mark.parametrize("internal", ["public.a_domain", "pg_catalog.text"])
def test_bytes_go_in_hex_through_text(connection: duckdb.DuckDBPyConnection, internal: str) -> None:
    travel = typemap.travel("BLOB", internal, -1)
    result = deliver(connection, "BLOB", [r"\x00\xFFab\x5C", ""], travel)
    assert result.rows == [(r"\x00FF61625C",), (r"\x",), (None,)]


@pytest.mark.parametrize(
    ("kind", "canonical"),
    [
        ("ENUM('x', 'y')", "ENUM"),
        ("ENUM('x,', 'it''s)')[]", "ENUM[]"),
        ("MAP(VARCHAR, ENUM('a', 'b'))", "MAP(VARCHAR, ENUM)"),
        ("DECIMAL(18,3)", "DECIMAL(18,3)"),
        ('STRUCT("a b" INTEGER, x VARCHAR[3][])', 'STRUCT("a b" INTEGER, x VARCHAR[3][])'),
        ("TIMESTAMP WITH TIME ZONE[]", "TIMESTAMP WITH TIME ZONE[]"),
        ('"NULL"[]', '"NULL"[]'),
        ("a type that is not understood(", "a type that is not understood("),
    ],
)
def test_canonical(kind: str, canonical: str) -> None:
    assert typemap.canonical(kind) == canonical
    assert typemap.canonical(canonical) == canonical
