"""A column of a session as a carrier: exactly the value that PostgreSQL would see."""

from __future__ import annotations

from functools import lru_cache

from rvbbit_fdw import typemap
from rvbbit_fdw.errors import NoLosslessCast
from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.reasons import Local, type_words
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.request import Attribute
from rvbbit_fdw.sqltext import Sql

_BY_DECODER = {
    **{name: kinds.FIXED[f"pg_catalog.{name}"] for name in ("bool", "int2", "int4", "int8")},
    **{name: kinds.FIXED[f"pg_catalog.{name}"] for name in ("float4", "float8", "bytea", "date", "time")},
    **{name: kinds.FIXED[f"pg_catalog.{name}"] for name in ("timestamp", "timestamptz", "text")},
    "interval": kinds.INTERVAL,
    "uuid": kinds.UUID,
    "hugeint": kinds.HUGEINT,
}

_WITHOUT_LENGTH = {"pg_catalog.varchar": "pg_catalog.text"}


def written(attribute: Attribute, reference: Sql) -> Written:
    """The column as an expression over its reference in the query; Local if it may not be computed with."""
    duckdb_type = attribute.duckdb_type
    if duckdb_type is None:
        reason = f'the type of column "{attribute.name}" in the session is not known'
        raise Local(reason)
    declared = attribute.type
    if attribute.typmod == -1:
        declared = _WITHOUT_LENGTH.get(declared, declared)
    travel = travel_of(attribute, declared)
    kind = _kind(duckdb_type, travel.decoder)
    if kind is None or kind.type != declared:
        reason = (
            f'column "{attribute.name}" is {duckdb_type} in the session and {type_words(attribute.type)} here'
        )
        raise Local(reason)
    return Written(travel.typed(reference), kind)


def travel_of(attribute: Attribute, declared: str) -> typemap.Travel:
    """How the column travels as that PostgreSQL type; Local if it cannot."""
    kind = attribute.duckdb_type or ""
    try:
        return typemap.travel(kind, declared, attribute.typmod, attribute.unrepresentable)
    except NoLosslessCast as error:
        raise Local(error.message) from None


@lru_cache(maxsize=1024)
def _kind(duckdb_type: str, decoder: str) -> Kind | None:
    if decoder == "decimal":
        digits, scale = duckdb_type.removeprefix("DECIMAL(").removesuffix(")").split(",")
        return kinds.decimal(int(digits), int(scale))
    return _BY_DECODER.get(decoder)
