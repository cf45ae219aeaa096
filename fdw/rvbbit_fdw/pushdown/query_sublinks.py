"""Subqueries in expressions: EXISTS, IN, comparisons with ANY and ALL, and those that give one value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import allowed, kinds
from rvbbit_fdw.pushdown.allowed_compare import Comparison
from rvbbit_fdw.pushdown.delivery import Carried, check_outer, rename
from rvbbit_fdw.pushdown.entry import Entry
from rvbbit_fdw.pushdown.nodes import Bool, Call, Column, Node, everything
from rvbbit_fdw.pushdown.query_nodes import Query, Subquery, SubqueryColumn, is_correlated
from rvbbit_fdw.pushdown.reasons import Local, unknown_call
from rvbbit_fdw.pushdown.selected import Selected
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, qualified, quote

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level

_OPERATORS = ("=", "<>", "<", "<=", ">", ">=")


def write(leaf: Subquery, level: Level) -> Written:
    """A subquery of this level as a value."""
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
    return Written(Sql(f"({selected.sql})"), value.kind, not one_row, same_scale=value.same_scale)


def _compared(leaf: Subquery, level: Level) -> Written:
    """`value operator ANY (query)`; both sides in the carrier in which they compare."""
    call = leaf.test
    if not isinstance(call, Call) or len(call.arguments) != 2 or not _is_column(call.arguments[1], level):
        raise Local("a comparison of several columns with a subquery")
    operator, comparison, entry = _comparison(call)
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


def row_test(node: Node, level: Level) -> Written | None:
    """`(a, b) IN (query)` of which only the truth counts; None if the node is none."""
    leaf = level.query.leaves[node.number] if isinstance(node, Column) else None
    if not isinstance(leaf, Subquery) or leaf.kind != "any" or not isinstance(leaf.test, Bool):
        return None
    selected = level.subquery(leaf.query)
    alias = level.context.unique("list")
    tests = [_equal(call, selected, alias, level) for call in leaf.test.arguments]
    if leaf.test.kind != "and" or any(test.fallible for test in tests):
        raise Local("a comparison of several columns with a subquery")
    where = " AND ".join(test.sql for test in tests)
    sql = f"EXISTS (SELECT 1 FROM ({selected.sql}) AS {quote(alias)} WHERE {where})"
    return Written(Sql(sql), kinds.BOOL)


def _equal(call: Node, selected: Selected, alias: str, level: Level) -> Written:
    """One of the comparisons, with a column of the subquery on its right."""
    column = call.arguments[1] if isinstance(call, Call) and len(call.arguments) == 2 else None
    leaf = level.query.leaves[column.number] if isinstance(column, Column) else None
    if not isinstance(call, Call) or not isinstance(leaf, SubqueryColumn):
        raise Local("a comparison of several columns with a subquery")
    operator, comparison, entry = _comparison(call)
    check_collation(entry.collation, call.collation, level.scope)
    name, value = selected.columns[leaf.number - 1]
    element = rename(value, qualified(alias, name))
    if operator != "=" or not isinstance(element, Written):
        raise Local("a comparison of several columns with a subquery")
    _check_computed(call.arguments[0], level)
    return comparison.compare("=", level.expression(call.arguments[0]), element)


def _check_computed(node: Node, level: Level) -> None:
    """Local if an expression that is written into a subquery computes what DuckDB might compute of equals."""
    for each in everything(node):
        if isinstance(each, Column) and each is not node:
            check_outer(level.leaves.value(level.query.leaves[each.number]))


def _is_column(node: object, level: Level) -> bool:
    if not isinstance(node, Column):
        return False
    return level.query.leaves[node.number] == SubqueryColumn(1)


def _comparison(call: Call) -> tuple[str, Comparison, Entry]:
    name, _, types = call.name.removeprefix("pg_catalog.").partition("(")
    entry = allowed.TABLE.get(call.name)
    if name not in _OPERATORS or entry is None:
        raise unknown_call(call.kind, call.name)
    return name, allowed.equality(f"pg_catalog.=({types}"), entry
