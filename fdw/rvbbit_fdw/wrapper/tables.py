"""A foreign table's options and columns, as Multicorn2 gives them, in the brain's terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rvbbit_fdw import options
from rvbbit_fdw.errors import OptionMissing
from rvbbit_fdw.request import STORE_NAME, Attribute, Server, Table

_TYPES = {
    16: "bool", 17: "bytea", 18: "char", 19: "name", 20: "int8", 21: "int2", 23: "int4", 25: "text",
    26: "oid", 114: "json", 142: "xml", 700: "float4", 701: "float8", 1042: "bpchar", 1043: "varchar",
    1082: "date", 1083: "time", 1114: "timestamp", 1184: "timestamptz", 1186: "interval", 1266: "timetz",
    1560: "bit", 1562: "varbit", 1700: "numeric", 2950: "uuid", 3802: "jsonb",
    1000: "_bool", 1001: "_bytea", 1002: "_char", 1003: "_name", 1016: "_int8", 1005: "_int2", 1007: "_int4",
    1009: "_text", 1028: "_oid", 199: "_json", 143: "_xml", 1021: "_float4", 1022: "_float8", 1014: "_bpchar",
    1015: "_varchar", 1182: "_date", 1183: "_time", 1115: "_timestamp", 1185: "_timestamptz",
    1187: "_interval", 1270: "_timetz", 1561: "_bit", 1563: "_varbit", 1231: "_numeric", 2951: "_uuid",
    3807: "_jsonb",
}  # fmt: skip
"""The names of PostgreSQL's own types by their numbers, which never change."""


class Definition(Protocol):
    """A column as Multicorn2 describes it."""

    column_name: str
    type_oid: int
    typmod: int
    base_type_name: str
    options: Mapping[str, str]


def server_of(given: Mapping[str, str], data_directory: str) -> Server:
    """The server; table, server and user mapping have put their options into one place."""
    known = options.of_context("server")
    mine = {name: value for name, value in given.items() if name in known}
    options.validate("server", mine)
    store = mine.get(options.SNAPSHOT_DIR) or f"{data_directory}/{STORE_NAME}"
    return Server("", options.require_session_dir(mine), store, mine)


def table_of(given: Mapping[str, str], columns: Mapping[str, Definition]) -> Table:
    """The foreign table; its own name is not told, so it has to name what it shows."""
    server, table = options.of_context("server"), options.of_context("table")
    mine = {name: value for name, value in given.items() if name in table or name not in server}
    options.validate("table", mine)
    name = mine.get("table_name") or mine.get("catalog")
    if name is None:
        raise OptionMissing('option "table_name" is required', hint=table["table_name"].doc)
    policy = options.unrepresentable({}, mine)
    attributes = {
        number: _attribute(number, column, policy) for number, column in enumerate(columns.values(), 1)
    }
    return Table("", name, mine, attributes)


def _attribute(number: int, column: Definition, policy: str) -> Attribute:
    options.validate("column", column.options)
    kind = _type_name(column)
    return Attribute(number, column.column_name, kind, column.typmod, column.options, unrepresentable=policy)


def _type_name(column: Definition) -> str:
    """The type as hosts name it; one that is not PostgreSQL's own is read by its input function."""
    name = _TYPES.get(column.type_oid)
    if name is not None:
        return f"pg_catalog.{name}"
    is_array = column.base_type_name.endswith("[]")
    plain = column.base_type_name.removesuffix("[]").replace(".", " ")
    return f"other.{'_' if is_array else ''}{plain}"
