"""Values of a query's columns: how they leave DuckDB, and what may be done with them before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from rvbbit_fdw import typemap
from rvbbit_fdw.pushdown import columns, kinds
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.reasons import Local, type_words
from rvbbit_fdw.pushdown.written import Scales, Written
from rvbbit_fdw.request import Attribute
from rvbbit_fdw.sqltext import Sql


@dataclass(frozen=True)
class Carried:
    """A value that only passes through on its way to a decoder; `reason` says why no more is done with it."""

    sql: Sql
    decoder: str
    reason: str


Value: TypeAlias = "Written | Carried"


@dataclass(frozen=True)
class Delivered:
    """A column of the result: its SQL and its decoder."""

    sql: Sql
    decoder: str


_DECODERS: Mapping[Kind, tuple[str, str]] = {
    **{kinds.FIXED[f"pg_catalog.{name}"]: (name, "{}") for name in ("bool", "int2", "int4", "int8")},
    **{kinds.FIXED[f"pg_catalog.{name}"]: (name, "{}") for name in ("float4", "float8", "text", "bytea")},
    **{kinds.FIXED[f"pg_catalog.{name}"]: (name, "{}") for name in ("date", "time")},
    **{kinds.FIXED[f"pg_catalog.{name}"]: (name, "{}") for name in ("timestamp", "timestamptz")},
    kinds.VARCHAR: ("input", "{}"),
    kinds.INTERVAL: ("interval", typemap.TABLE["INTERVAL"].transport),
    kinds.UUID: ("uuid", typemap.TABLE["UUID"].transport),
    kinds.HUGEINT: ("hugeint", "{}"),
}

_GROUPED = frozenset(kinds.FIXED.values())
"""Carriers of which any value stands for its equals, as in PostgreSQL, which takes the first it meets."""


_SEVERAL_EQUALS = frozenset({kinds.FLOAT4, kinds.FLOAT8, kinds.INTERVAL})
"""Carriers that have values which are equal and not the same: 0 and -0, a month and 30 days."""


def of_attribute(attribute: Attribute, reference: Sql) -> Value:
    """A column of a session's table."""
    try:
        return columns.written(attribute, reference)
    except Local as local:
        if attribute.duckdb_type is None:
            raise  # a scan asks the session for it, and chooses the way without loss
        travel = columns.travel_of(attribute, attribute.type)
        return Carried(travel.select(reference), travel.decoder, local.reason)


def bounded(value: Value, most: int | None) -> Value:
    """The value of a column that holds none further from 0; None: it is not known how far they are."""
    return value if isinstance(value, Carried) else replace(value, most=most)


def rename(value: Value, reference: Sql, scales: Sql | None = None) -> Value:
    """The value as a column of that name, one query further out; `scales`: the one with its digits."""
    if isinstance(value, Carried):
        return Carried(reference, value.decoder, value.reason)
    known = Scales(scales, value.scales.possible) if scales and value.scales else None
    return Written(reference, value.kind, same_scale=value.same_scale, scales=known, most=value.most)


def deliver(value: Value, type_name: str) -> Delivered:
    """The value as a column of the result of that type; Local if it would not arrive as PostgreSQL's."""
    if isinstance(value, Carried):
        return Delivered(value.sql, value.decoder)
    if not value.same_scale:
        return _as_text(value)
    if value.kind.type == kinds.NUMERIC and value.kind != kinds.HUGEINT:
        decoder, expression = "decimal", "{}"
    else:
        decoder, expression = _DECODERS[value.kind]
    if type_name != value.kind.type:
        decoder = _decoder_of(type_name, value)
    return Delivered(Sql(expression.replace("{}", value.sql)), decoder)


def _as_text(value: Written) -> Delivered:
    """A numeric with as many digits after the point as PostgreSQL gives it, row by row."""
    if value.scales is None or len(value.sql) > LONGEST_REPEATED:
        raise Local("the digits after the point of a numeric may not be the same in DuckDB")
    carried = value.kind.scale
    texts = f"[CAST({value.sql} AS VARCHAR), CAST({value.scales.sql} AS VARCHAR)]"
    # As many digits as there are to be after the point, and none of them without a point.
    length = f"length(_t[1]) - {carried} + CASE _t[2] WHEN '0' THEN -1 ELSE CAST(_t[2] AS INTEGER) END"
    text = f"list_transform([{texts}], lambda _t: rpad(_t[1], CAST({length} AS INTEGER), '0'))[1]"
    return Delivered(Sql(text), "input")


def _decoder_of(type_name: str, value: Written) -> str:
    """Text and varchar are one carrier; any other difference is none that is known."""
    if {type_name, value.kind.type} == {"pg_catalog.text", "pg_catalog.varchar"}:
        return "text" if type_name == "pg_catalog.text" else "input"
    reason = f"a {type_words(value.kind.type)} of DuckDB does not become a {type_words(type_name)}"
    raise Local(reason)


def check_outer(value: Value) -> Value:
    """A column of an outer query; Local if DuckDB might take an equal one for it.

    It computes a correlated subquery once for all rows whose outer columns are equal.
    """
    if isinstance(value, Carried):
        raise Local(value.reason)
    if value.kind in _SEVERAL_EQUALS:
        raise Local(_may_differ(value))
    return value


def check_sorted(value: Value) -> Written:
    """The value, if DuckDB puts it before or behind others as PostgreSQL does; Local if not."""
    if isinstance(value, Carried):
        raise Local(value.reason)
    return value if value.kind.type == kinds.NUMERIC else check_grouped(value)


def check_grouped(value: Value) -> Written:
    """The value, if DuckDB tells its equals from others as PostgreSQL does; Local if not."""
    if isinstance(value, Carried):
        raise Local(value.reason)
    if value.kind.type != kinds.NUMERIC and value.kind not in _GROUPED:
        raise Local(_may_differ(value))
    if not value.same_scale:
        raise Local("the digits after the point of a numeric may not be the same in DuckDB")
    return value


def _may_differ(value: Written) -> str:
    return f"values of type {type_words(value.kind.type)} that are equal may differ"
