"""Subqueries in expressions: EXISTS, IN, comparisons with ANY and ALL, and those that give one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import allowed, kinds, query_arrays
from rvbbit_fdw.pushdown import query as queries
from rvbbit_fdw.pushdown.allowed_compare import Comparison
from rvbbit_fdw.pushdown.delivery import Carried, rename
from rvbbit_fdw.pushdown.entry import Entry
from rvbbit_fdw.pushdown.nodes import Call, Column
from rvbbit_fdw.pushdown.query_nodes import Query, Subquery, SubqueryColumn, is_correlated
from rvbbit_fdw.pushdown.reasons import Local, unknown_call
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, qualified, quote

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.delivery import Value
    from rvbbit_fdw.pushdown.query import Level

_OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


def write(leaf: Subquery, level: Level) -> Value:
    """A subquery of this level as a value."""
    if leaf.kind == "array":
        return query_arrays.write(leaf, level)
    if leaf.kind == "exists":
        return _exists(leaf.query, level)
    if leaf.kind == "scalar":
        return _scalar(leaf, level)
    if leaf.kind in {"any", "all"}:
        return _compared(leaf, level)
    raise Local("a subquery of this kind is not known to be the same in DuckDB")


def _exists(query: Query, level: Level) -> Written:
    """DuckDB counts what one row is left of by a LIMIT of its own, which it forgets where it miscounts."""
    sql = level.subquery(query).sql
    if level.miscounts and not is_correlated(query):
        alias = quote(level.context.unique("rows"))
        sql = Sql(f"SELECT 1 FROM ({sql}) AS {alias} LIMIT 1 OFFSET 0")
    return Written(Sql(f"EXISTS ({sql})"), kinds.BOOL)


def _scalar(leaf: Subquery, level: Level) -> Written:
    """One value; DuckDB gives an error for several rows, as PostgreSQL does."""
    if is_correlated(leaf.query):
        level.context.add_correlated()
    selected = level.subquery(leaf.query)
    _, value = selected.columns[0]
    if isinstance(value, Carried):
        raise Local(value.reason)
    one_row = leaf.query.aggregates and not leaf.query.group
    fallible = not one_row and (value.fallible or not _is_limited_to_one(leaf.query, level))
    return Written(Sql(f"({selected.sql})"), value.kind, fallible, same_scale=value.same_scale)


def _is_limited_to_one(query: Query, level: Level) -> bool:
    limit = None if query.limit is None or query.with_ties else queries.count_of_rows(level, query.limit)
    return limit == "1"


def _compared(leaf: Subquery, level: Level) -> Written:
    """`value operator ANY (query)`; both sides in the carrier in which they compare."""
    call = leaf.test
    if not isinstance(call, Call) or len(call.arguments) != 2 or not _is_column(call.arguments[1], level):
        raise Local("a comparison of several columns with a subquery")
    operator, comparison, entry = comparison_of(call)
    check_collation(entry.collation, call.collation, level.scope)
    selected = level.subquery(leaf.query)
    name, value = selected.columns[0]
    if isinstance(value, Carried):
        raise Local(value.reason)
    alias = level.context.unique("list")
    element = rename(value, qualified(alias, name))
    if not isinstance(element, Written):
        raise Local("a comparison of values that only pass through")
    left, right = comparison.pair(level.expression(call.arguments[0]), element)
    if quote(alias) in left:
        raise Local("a comparison of dates with timestamps of a subquery")
    listed = f"SELECT {right} FROM ({selected.sql}) AS {quote(alias)}"
    return Written(Sql(f"({left} {operator} {leaf.kind.upper()} ({listed}))"), kinds.BOOL)


def _is_column(node: object, level: Level) -> bool:
    if not isinstance(node, Column):
        return False
    return level.query.leaves[node.number] == SubqueryColumn(1)


def comparison_of(call: Call) -> tuple[str, Comparison, Entry]:
    """The operator of a comparison, how it compares, and its line of the allow-list."""
    name, _, types = call.name.removeprefix("pg_catalog.").partition("(")
    entry = allowed.TABLE.get(call.name)
    if name not in _OPERATORS or entry is None:
        raise unknown_call(call.kind, call.name)
    return name, allowed.equality(f"pg_catalog.=({types}"), entry
