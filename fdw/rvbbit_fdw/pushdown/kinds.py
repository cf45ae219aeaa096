"""How a PostgreSQL value is carried inside DuckDB while an expression is computed.

Each PostgreSQL type has one carrier, so that every function of the allow-list knows the DuckDB types of what
it is given and of what it has to give. Only numeric has several: its scale is part of the carrier.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

MAX_DIGITS = 38
"""A DECIMAL of DuckDB holds at most this many digits."""


@dataclass(frozen=True)
class Kind:
    """A PostgreSQL type, as the host names it, and the DuckDB type that carries it.

    `digits` and `scale` are those of a numeric; a HUGEINT counts as 39 digits. `bits`: of an integer.
    """

    type: str
    duckdb: str
    digits: int = 0
    scale: int = 0
    bits: int = 0

    @property
    def largest(self) -> int:
        """No number is further from 0, counted in units of its last digit."""
        return 1 << (self.bits - 1) if self.bits else 10**self.digits - 1


def _kind(name: str, duckdb: str, bits: int = 0) -> Kind:
    return Kind(f"pg_catalog.{name}", duckdb, bits=bits)


BOOL = _kind("bool", "BOOLEAN")
INT2 = _kind("int2", "SMALLINT", 16)
INT4 = _kind("int4", "INTEGER", 32)
INT8 = _kind("int8", "BIGINT", 64)
FLOAT4 = _kind("float4", "FLOAT")
FLOAT8 = _kind("float8", "DOUBLE")
TEXT = _kind("text", "VARCHAR")
VARCHAR = _kind("varchar", "VARCHAR")
BYTEA = _kind("bytea", "BLOB")
DATE = _kind("date", "DATE")
TIME = _kind("time", "TIME")
TIMESTAMP = _kind("timestamp", "TIMESTAMP")
TIMESTAMPTZ = _kind("timestamptz", "TIMESTAMPTZ")
INTERVAL = _kind("interval", "INTERVAL")
UUID = _kind("uuid", "UUID")

HUGEINT = Kind("pg_catalog.numeric", "HUGEINT", MAX_DIGITS + 1, bits=128)

NUMERIC = "pg_catalog.numeric"

FIXED = {
    kind.type: kind
    for kind in (
        *(BOOL, INT2, INT4, INT8, FLOAT4, FLOAT8, TEXT, VARCHAR, BYTEA),
        *(DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, UUID),
    )
}
"""The types with one carrier, by PostgreSQL's name."""


@lru_cache(maxsize=1024)
def decimal(digits: int, scale: int) -> Kind:
    """The carrier of a numeric of that many digits, `scale` of them after the point; at most MAX_DIGITS."""
    digits = max(digits, scale, 1)
    return Kind(NUMERIC, f"DECIMAL({digits},{scale})", digits, scale)


UNKNOWN_NUMERIC = decimal(1, 0)
"""Stands for a numeric parameter of which only the type is known: good for a plan, not for a query."""


def of_type(type_name: str) -> Kind | None:
    """The carrier of a type, if one is known without its value; for numeric a stand-in."""
    return UNKNOWN_NUMERIC if type_name == NUMERIC else FIXED.get(type_name)


_WIDTHS = (INT2, INT4, INT8)


def element_of(type_name: str) -> str:
    """The element's type of an array type ("pg_catalog._int4")."""
    return type_name.replace("._", ".", 1)


def common(one: Kind, other: Kind) -> Kind | None:
    """The carrier that holds every value of both exactly; None if there is none."""
    if one.duckdb == other.duckdb:
        return one
    if one in _WIDTHS and other in _WIDTHS:
        return max(one, other, key=_WIDTHS.index)
    if one.type != NUMERIC or other.type != NUMERIC:
        return None
    scale = max(one.scale, other.scale)
    digits = max(one.digits - one.scale, other.digits - other.scale) + scale
    if digits <= MAX_DIGITS:
        return decimal(digits, scale)
    return HUGEINT if scale == 0 else None
