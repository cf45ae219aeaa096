"""Columns that are declared otherwise than an import does: by the server's options, or by hand."""

# Tables are read by their lines.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import NEWEST_VERSION, make_session

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("_session")]

SESSION = "zz_declared_types"

# Column: its DuckDB type and value.
COLUMNS = {
    "i": ("INTEGER", "40000"),
    "u": ("UHUGEINT", str(2**128 - 1)),
    "d": ("DECIMAL(9,3)", "1.500"),
    "f": ("FLOAT", "0.1"),
    "t": ("VARCHAR", "' 2024-02-29 '"),
    "ts": ("TIMESTAMP", "'2024-02-29 12:00:00.123456'"),
    "ns": ("TIMESTAMP_NS", "'2024-02-29 12:00:00.123456789'"),
    "b": ("BLOB", r"'\x00a\x5C'"),
    "bits": ("BIT", "'101'"),
    "j": ("JSON", """'{"b": 1.10, "a": "\\u0000", "b": 2}'"""),
    "jj": ("JSON[]", """['{"b": 1}'::JSON]"""),
    "s": ("STRUCT(b INTEGER, a DECIMAL(9,2))", "row(1, 1.50)"),
    "l": ("INTEGER[]", "[1, NULL]"),
    "ll": ("INTEGER[][]", "[[1, 2], [3, NULL]]"),
    "ragged": ("INTEGER[][]", "[[1, 2], [3]]"),
    "iv": ("INTERVAL", "INTERVAL 1 YEAR"),
}

# What a person may declare, and what is then read.
WORKS: Sequence[tuple[str, str, str]] = [
    ("i", "bigint", "40000"),
    ("i", "numeric", "40000"),
    ("i", "numeric(10,2)", "40000.00"),
    ("i", "double precision", "40000"),
    ("i", "text", "40000"),
    ("i", "varchar(5)", "40000"),
    ("i", "jsonb", "40000"),
    ("u", "text", str(2**128 - 1)),
    ("u", "numeric(39,0)", str(2**128 - 1)),
    ("d", "numeric", "1.500"),
    ("d", "numeric(12,5)", "1.50000"),
    ("f", "double precision", "0.10000000149011612"),
    ("f", "numeric", "0.1"),
    ("t", "date", "2024-02-29"),
    ("t", "bpchar", " 2024-02-29"),  # bpchar's own cast to text
    ("t", "positive_text", " 2024-02-29 "),
    ("ts", "timestamp(6)", "2024-02-29 12:00:00.123456"),
    ("ns", "timestamp(6)", "2024-02-29 12:00:00.123456"),
    ("ns", "text", "2024-02-29 12:00:00.123456789"),
    ("b", "text", r"\x00615C"),
    ("bits", "bit(3)", "101"),
    ("j", "json", '{"b": 1.10, "a": "\\u0000", "b": 2}'),
    ("j", "text", '{"b": 1.10, "a": "\\u0000", "b": 2}'),
    ("jj", "text[]", '{"{\\"b\\": 1}"}'),
    ("s", "json", '{"b":1,"a":1.50}'),
    ("s", "text", "{'b': 1, 'a': 1.50}"),
    ("l", "bigint[]", "{1,NULL}"),
    ("l", "text[]", "{1,NULL}"),
    ("l", "jsonb", "[1, null]"),
    ("l", "text", "[1, NULL]"),
    ("ll", "integer[]", "{{1,2},{3,NULL}}"),
    ("iv", "interval(6)", "1 year"),
]

# What would change values, and is refused when the column is read.
REFUSED: Sequence[tuple[str, str, str]] = [
    ("i", "boolean", "DuckDB type INTEGER cannot be shown as bool without loss"),
    ("i", "date", "DuckDB type INTEGER cannot be shown as date without loss"),
    ("d", "numeric(9,2)", "DuckDB type DECIMAL(9,3) cannot be shown as numeric without loss"),
    ("d", "integer", "DuckDB type DECIMAL(9,3) cannot be shown as int4 without loss"),
    ("ts", "date", "DuckDB type TIMESTAMP cannot be shown as date without loss"),
    ("ts", "timestamptz", "DuckDB type TIMESTAMP cannot be shown as timestamptz without loss"),
    ("ts", "timestamp(0)", "DuckDB type TIMESTAMP cannot be shown as timestamp without loss"),
    ("s", "integer", "DuckDB type STRUCT(b INTEGER, a DECIMAL(9,2)) cannot be shown as int4 without loss"),
    ("l", "integer", "DuckDB type INTEGER[] cannot be shown as int4 without loss"),
    ("iv", "interval(0)", "DuckDB type INTERVAL cannot be shown as interval without loss"),
]

# What depends on the value.
UNFIT: Sequence[tuple[str, str, str]] = [
    ("i", "smallint", 'value of column "v" of foreign table "hand" cannot be read as type smallint'),
    ("i", "varchar(2)", 'value of column "v" of foreign table "hand" cannot be read as type character varying'),
    ("i", "numeric(3,0)", 'value of column "v" of foreign table "hand" cannot be read as type numeric'),
    ("t", "integer", 'value of column "v" of foreign table "hand" cannot be read as type integer'),
    ("bits", "bit(8)", 'value of column "v" of foreign table "hand" cannot be read as type bit'),
    ("ragged", "integer[]",
     'value of column "v" of foreign table "hand" has inner lists of different lengths, which an array cannot hold'),
]  # fmt: skip


@pytest.fixture(scope="module")
def _session(server: Server) -> Iterator[None]:
    path = server.session_dir / f"{SESSION}.duckdb"
    values = ", ".join(f"CAST({value} AS {kind}) AS {name}" for name, (kind, value) in COLUMNS.items())
    make_session(path, f"CREATE TABLE t AS SELECT {values}", version=NEWEST_VERSION)
    yield
    path.unlink()


def read(db: psycopg.Connection, schema: str, column: str, declared: str) -> str:
    """The column's one value as text, of a foreign table made by hand."""
    db.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
    db.execute("CREATE DOMAIN positive_text AS text CHECK (value <> '')")
    command = "CREATE FOREIGN TABLE hand (v " + declared + " OPTIONS (column_name {})) SERVER rvbbit OPTIONS"
    options = " (session {}, table_name 't')"
    db.execute(sql.SQL(command + options).format(sql.Literal(column), sql.Literal(SESSION)))
    alone, limited = (
        db.execute(statement).fetchone()
        for statement in ("SELECT v::text FROM hand", "SELECT v::text FROM (SELECT v FROM hand LIMIT 1) AS h")
    )
    assert alone is not None
    assert limited == alone
    return str(alone[0])


@pytest.mark.parametrize(("column", "declared", "expected"), WORKS)
def test_without_loss(db: psycopg.Connection, schema: str, column: str, declared: str, expected: str) -> None:
    assert read(db, schema, column, declared) == expected


@pytest.mark.parametrize(("column", "declared", "reason"), REFUSED)
def test_with_loss(db: psycopg.Connection, schema: str, column: str, declared: str, reason: str) -> None:
    with pytest.raises(psycopg.errors.FdwInvalidDataType) as raised:
        read(db, schema, column, declared)
    assert raised.value.diag.message_primary == f'column "v" of foreign table "hand" cannot be read: {reason}'
    assert raised.value.diag.message_hint == "Declare the column as IMPORT FOREIGN SCHEMA does, or as text."


@pytest.mark.parametrize(("column", "declared", "problem"), UNFIT)
def test_a_value_that_does_not_fit(
    db: psycopg.Connection, schema: str, column: str, declared: str, problem: str
) -> None:
    with pytest.raises(psycopg.Error) as raised:
        read(db, schema, column, declared)
    assert str(raised.value.diag.message_primary).startswith(problem)


# Option of the server, and what an import then declares.
SHOWN: Sequence[tuple[str, str, str, str]] = [
    ("json_as", "jsonb", "j", "jsonb"),
    ("json_as", "json", "j", "json"),
    ("json_as", "text", "j", "text"),
    ("json_as", "json", "jj", "json[]"),
    ("nanoseconds_as", "microseconds", "ns", "timestamp without time zone"),
    ("nanoseconds_as", "text", "ns", "text"),
]


@pytest.mark.parametrize(("option", "value", "column", "declared"), SHOWN)
def test_the_server_says_how_an_import_declares(
    server: Server, db: psycopg.Connection, schema: str,
    option: str, value: str, column: str, declared: str,
) -> None:  # fmt: skip
    identifiers = sql.Identifier(SESSION), sql.Identifier(schema)
    with server.connect("postgres") as admin:
        admin.execute(f"ALTER SERVER rvbbit OPTIONS (ADD {option} '{value}')")
        try:
            db.execute(sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}").format(*identifiers))
            listed = db.execute(
                "SELECT to_regtype(pg_type)::text FROM rvbbit_columns WHERE session_id = %s AND column_name = %s",
                (SESSION, column),
            ).fetchone()
        finally:
            admin.execute(f"ALTER SERVER rvbbit OPTIONS (DROP {option})")
    found = db.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = format('%%I.t', %s::text)::regclass AND attname = %s",
        (schema, column),
    ).fetchone()
    assert found == listed == (declared,)
