"""The one table of types: a DuckDB type, the PostgreSQL type that an import declares, and how values travel.

Arrow formats are those of https://arrow.apache.org/docs/format/CDataInterface.html as duckdb 2.0.0 writes
them with arrow_large_buffer_size; decoders are those of the host's protocol.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rvbbit_fdw.sqltext import Sql


@dataclass(frozen=True)
class Travel:
    """How a column's values reach PostgreSQL: `expression` has `{}` where the column stands."""

    expression: str
    decoder: str

    def select(self, column: Sql) -> Sql:
        """The SQL expression that delivers the column."""
        return Sql(self.expression.replace("{}", column))


@dataclass(frozen=True)
class TypeRow:
    """One DuckDB type: `declared` for DDL, `internal` as the host names it, `typmod` of the declared one."""

    declared: str
    internal: str
    travel: Travel
    typmod: int = -1


_PLAIN = "{}"
_TEXT = "CAST({} AS VARCHAR)"
_MICROSECONDS = (
    "CASE WHEN isfinite({}) THEN make_timestamp(epoch_ns({}) // 1000) ELSE CAST({} AS TIMESTAMP) END"
)
_HEX = r"'\x' || hex({})"


def _row(declared: str, internal: str, decoder: str, expression: str = _PLAIN) -> TypeRow:
    return TypeRow(declared, f"pg_catalog.{internal}", Travel(expression, decoder))


TABLE: dict[str, TypeRow] = {
    "BOOLEAN": _row("boolean", "bool", "bool"),
    "TINYINT": _row("smallint", "int2", "int2", "CAST({} AS SMALLINT)"),
    "UTINYINT": _row("smallint", "int2", "int2", "CAST({} AS SMALLINT)"),
    "SMALLINT": _row("smallint", "int2", "int2"),
    "USMALLINT": _row("integer", "int4", "int4", "CAST({} AS INTEGER)"),
    "INTEGER": _row("integer", "int4", "int4"),
    "UINTEGER": _row("bigint", "int8", "int8", "CAST({} AS BIGINT)"),
    "BIGINT": _row("bigint", "int8", "int8"),
    "UBIGINT": _row("numeric", "numeric", "hugeint", "CAST({} AS HUGEINT)"),
    "HUGEINT": _row("numeric", "numeric", "hugeint"),
    "UHUGEINT": _row("numeric", "numeric", "uhugeint"),
    "FLOAT": _row("real", "float4", "float4"),
    "DOUBLE": _row("double precision", "float8", "float8"),
    "VARCHAR": _row("text", "text", "text"),
    "ENUM": _row("text", "text", "text", _TEXT),
    "DATE": _row("date", "date", "date"),
    "TIME": _row("time", "time", "time"),
    "TIME_NS": _row("time", "time", "time", "CAST({} AS TIME)"),
    "TIMESTAMP": _row("timestamp", "timestamp", "timestamp"),
    "TIMESTAMP_S": _row("timestamp", "timestamp", "timestamp", "CAST({} AS TIMESTAMP)"),
    "TIMESTAMP_MS": _row("timestamp", "timestamp", "timestamp", "CAST({} AS TIMESTAMP)"),
    # Cut off towards 1970, as in DuckDB 1.4, which writes the sessions; a cast of DuckDB 2.0 rounds.
    "TIMESTAMP_NS": _row("timestamp", "timestamp", "timestamp", _MICROSECONDS),
    "TIMESTAMP WITH TIME ZONE": _row("timestamptz", "timestamptz", "timestamptz"),
    # Through text: the Arrow form of an interval overflows without an error beyond 292 years of microseconds.
    "INTERVAL": _row("interval", "interval", "interval", _TEXT),
    "UUID": _row("uuid", "uuid", "input", _TEXT),
    "BLOB": _row("bytea", "bytea", "bytea"),
    "JSON": _row("jsonb", "jsonb", "input", _TEXT),
}

FALLBACK = _row("text", "text", "text", _TEXT)
"""Any other type comes as the text that DuckDB makes of it."""

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_VARHDRSZ = 4


def canonical(duckdb_type: str) -> str:
    """The type's text as it is kept in options: an enum without its members, since it travels as text."""
    return "ENUM" if duckdb_type.startswith("ENUM(") and not duckdb_type.endswith("]") else duckdb_type


def lookup(duckdb_type: str) -> TypeRow:
    """The table's row for a DuckDB type, given as duckdb_columns().data_type writes it."""
    decimal = _DECIMAL.fullmatch(duckdb_type)
    if decimal:
        return _decimal(int(decimal[1]), int(decimal[2]))
    return TABLE.get(canonical(duckdb_type), FALLBACK)


def travel(duckdb_type: str, internal: str, typmod: int) -> Travel:
    """How a column of that DuckDB type reaches a column of that PostgreSQL type.

    What is not exactly as an import declares it goes through the type's input function, which applies typmod.
    DuckDB's own text of a BLOB means other bytes to bytea, so bytes go in hex.
    """
    row = lookup(duckdb_type)
    applied = row.travel.decoder == "interval"
    if internal == row.internal and (applied or typmod in {-1, row.typmod}):
        return row.travel
    if row is TABLE["BLOB"]:
        return Travel(_HEX, "input")
    return Travel(_TEXT, "input")


def _decimal(precision: int, scale: int) -> TypeRow:
    typmod = ((precision << 16) | scale) + _VARHDRSZ
    return TypeRow(f"numeric({precision},{scale})", "pg_catalog.numeric", Travel(_PLAIN, "decimal"), typmod)
