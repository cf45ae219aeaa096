"""Why an expression stays with PostgreSQL, in words for EXPLAIN."""

from __future__ import annotations

import re


class Local(Exception):  # noqa: N818
    """Raised while an expression is written for DuckDB: PostgreSQL has to compute it, for this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_SPELLED = {
    "bool": "boolean",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "varchar": "character varying",
    "bpchar": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}

_NAME = re.compile(r"(.*?)\((.*)\)", re.DOTALL)


def type_words(type_name: str) -> str:
    """A type of the protocol as SQL writes it ("pg_catalog._int4" is integer[])."""
    schema, _, name = type_name.rpartition(".")
    if schema != "pg_catalog":
        return type_name
    if name.startswith("_"):
        return type_words(f"{schema}.{name[1:]}") + "[]"
    return _SPELLED.get(name, name)


def call_words(kind: str, name: str) -> str:
    """A function, operator or cast of the protocol in words."""
    match = _NAME.fullmatch(name)
    if match is None:
        return f"{kind} {name}"
    types = [type_words(each) for each in match[2].split(",") if each]
    short = match[1].removeprefix("pg_catalog.")
    if kind == "operator":
        return f"operator {' '.join([*types[:-1], short, *types[-1:]])}"
    if kind == "cast" and types:
        return f"cast from {types[0]} by {short}({', '.join(types)})"
    return f"function {short}({', '.join(types)})"


def unknown_call(kind: str, name: str) -> Local:
    """A function that is not on the allow-list."""
    return Local(f"{call_words(kind, name)} is not known to be the same in DuckDB")


def unknown_type(type_name: str) -> Local:
    """A type that no entry of the allow-list takes."""
    return Local(f"values of type {type_words(type_name)} are not known to be the same in DuckDB")


def collation(name: str | None, purpose: str) -> Local:
    """A collation under which DuckDB would compare otherwise."""
    shown = "an unknown collation" if name is None else f'collation "{name.removeprefix("pg_catalog.")}"'
    return Local(f"{purpose} under {shown} may not be the same in DuckDB")


def not_constant(what: str) -> Local:
    """An argument that decides how the call is written is not known when planning."""
    return Local(f"{what} is not a constant")
