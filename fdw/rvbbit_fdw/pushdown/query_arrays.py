"""ARRAY (SELECT ... ORDER BY ...): what array_agg makes of the same rows, and an empty array of none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown.delivery import Carried
from rvbbit_fdw.pushdown.nodes import Column
from rvbbit_fdw.pushdown.query_nodes import (
    Aggregate,
    Query,
    Reference,
    Subquery,
    SubqueryRelation,
    Target,
    Variable,
    is_correlated,
)
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.sqltext import Sql

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.delivery import Value
    from rvbbit_fdw.pushdown.query import Level

_ARRAY_AGG = "pg_catalog.array_agg(pg_catalog.anynonarray)"


def write(leaf: Subquery, level: Level) -> Value:
    """The array; Local if the order of its elements is not known."""
    if not leaf.query.sort:
        raise Local("an array whose elements are in no particular order")
    if is_correlated(leaf.query):
        level.context.add_correlated()
    rows = _rows(leaf.query)
    # That two rows have the same keys may be found after others were delivered.
    level.context.fallible |= not _is_sorted_by_itself(leaf.query)
    selected = level.reading(_collecting(leaf, rows), level.subquery(rows))
    _, value = selected.columns[0]
    if not isinstance(value, Carried):
        raise Local("an array of values of this type")
    return Carried(Sql(f"coalesce(({selected.sql}), [])"), value.decoder, value.reason)


def _rows(query: Query) -> Query:
    """The query with all that it is sorted by as columns; sorted itself only if it has a LIMIT."""
    limited = query.limit is not None or query.offset is not None
    if query.distinct_on or query.with_ties or (limited and not _is_sorted_by_itself(query)):
        raise Local("an array of some of several rows that may have the same sort keys")
    keys = {group.ref for group in query.sort}
    targets = tuple(replace(each, junk=each.junk and each.ref not in keys) for each in query.targets)
    return replace(query, targets=targets, sort=query.sort if limited else ())


def _is_sorted_by_itself(query: Query) -> bool:
    return query.delivered[0].ref in {group.ref for group in query.sort}


def _collecting(leaf: Subquery, rows: Query) -> Query:
    """SELECT array_agg(element ORDER BY keys) FROM rows."""
    kept = [old for old, new in zip(leaf.query.targets, rows.targets, strict=True) if not new.junk]
    columns = [
        Column(place, "", each.type, each.typmod, each.collation) for place, each in enumerate(kept, 1)
    ]
    arguments = tuple(replace(each, expression=column) for each, column in zip(kept, columns, strict=True))
    call = Aggregate(_ARRAY_AGG, leaf.type, None, (), arguments, leaf.query.sort, (), None, variadic=False)
    array = Target(0, False, "array", leaf.type, -1, None, Column(0, "", leaf.type))
    return Query(
        relations=(SubqueryRelation("elements", tuple(each.name for each in kept), rows),),
        sources=(Reference(0),),
        targets=(array,),
        aggregates=True,
        leaves=(call, *(Variable(0, 0, column.number) for column in columns)),
    )
