"""The types: what a DuckDB type is in PostgreSQL, how its values travel, and what becomes of those that cannot."""

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
    "lookup",
    "travel",
]
