"""The types: what a DuckDB type is in PostgreSQL, and how its values get there."""

from rvbbit_fdw.typemap.scalars import TABLE
from rvbbit_fdw.typemap.travel import (
    DEFAULT,
    ERROR,
    JSON_AS,
    NANOSECONDS_AS,
    NULL,
    REPLACE,
    UNREPRESENTABLE,
    Shown,
    Travel,
    TypeRow,
    canonical,
    is_alike,
    lookup,
    travel,
)

__all__ = [
    "DEFAULT",
    "ERROR",
    "JSON_AS",
    "NANOSECONDS_AS",
    "NULL",
    "REPLACE",
    "TABLE",
    "UNREPRESENTABLE",
    "Shown",
    "Travel",
    "TypeRow",
    "canonical",
    "is_alike",
    "lookup",
    "travel",
]
