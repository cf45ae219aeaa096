"""A whole query as one DuckDB query.

Expressions are written by `write`, and only by what the allow-list has; everything else about the query is
here and in the modules that this one calls. What cannot be written raises reasons.Local.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from rvbbit_fdw.pushdown import delivery, write
from rvbbit_fdw.pushdown.delivery import Carried, Value, check_grouped
from rvbbit_fdw.pushdown.entry import Collation
from rvbbit_fdw.pushdown.nodes import Bool, Column, Constant, Node, Parameter, changed
from rvbbit_fdw.pushdown.plan import LONGEST
from rvbbit_fdw.pushdown.query_leaves import Leaves
from rvbbit_fdw.pushdown.query_nodes import GroupingSet, Query, SortGroup, Target, Variable, is_stored
from rvbbit_fdw.pushdown.query_sources import Sources
from rvbbit_fdw.pushdown.query_with import Withs
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.selected import Selected, unique_names
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Origin, Scope, Written
from rvbbit_fdw.request import Table
from rvbbit_fdw.sqltext import Sql, comma, quote

Database: TypeAlias = Callable[[Table], str]
"""Gives the name of the database that a table's session is attached as."""

_NO_LIMIT = 1 << 62
"""DuckDB takes no greater LIMIT; no table has as many rows."""


def _not_known(_table: Table) -> bool:
    return False


@dataclass
class Context:
    """What all levels of a query share.

    `inexact`: floating-point numbers are added up in any order. `is_computed`: is this a view, or does the
    table have generated columns?
    """

    scope: Scope
    database: Database
    inexact: bool = False
    is_computed: Callable[[Table], bool] = _not_known
    names: set[str] = field(default_factory=set)

    def unique(self, name: str) -> str:
        """The name, or one made of it that no relation of the whole query has yet."""
        chosen, number = name, 1
        while chosen.casefold() in self.names:
            number += 1
            chosen = f"{name}_{number}"
        self.names.add(chosen.casefold())
        return chosen


@dataclass(frozen=True)
class Result:
    """The outermost query as SQL, and the decoder of each of its columns."""

    sql: Sql
    decoders: tuple[str, ...]


class Level:
    """One SELECT of a query, while it is written."""

    def __init__(
        self,
        query: Query,
        context: Context,
        outer: Level | None = None,
        delivered: Sequence[Target] | None = None,
    ) -> None:
        self.query = query
        self.delivered = query.delivered if delivered is None else tuple(delivered)
        self.context = context
        self.outer = outer
        scope = replace(context.scope, column=self._column, origin=self._origin)
        self.scope = replace(scope, is_key=_keys_of(query), outside=scope)
        self.withs = Withs(self)
        self.sources = Sources(self)
        self.leaves = Leaves(self)

    def further_out(self, levels: int) -> Level:
        """This level, or the one that many levels around it."""
        level: Level | None = self
        for _ in range(levels):
            level = None if level is None else level.outer
        if level is None:
            raise Local("a reference to an outer query")
        return level

    def subquery(self, query: Query) -> Selected:
        """A query inside this one."""
        level = Level(query, self.context, self)
        values = _values(level)
        names = unique_names(target.name for target in query.delivered)
        sql = _select(level, [value.sql for value in values], names)
        return Selected(sql, tuple(zip(names, values, strict=True)))

    def expression(self, node: Node) -> Written:
        """An expression of this level."""
        return write.expression(node, self.scope)

    def value(self, node: Node) -> Value:
        """An expression of which the value is only passed on."""
        leaf = self.query.leaves[node.number] if isinstance(node, Column) else None
        if isinstance(leaf, Variable):
            return self.sources.variable(leaf)
        return self.expression(node)

    def key(self, group: SortGroup, need: Collation) -> Sql:
        """A target that rows are told apart by."""
        return _key(self, group, need)[1].sql

    def sort_key(self, group: SortGroup) -> Sql:
        """A target that rows are sorted by, and how."""
        return Sql(f"{self.key(group, Collation.ORDER)} {direction(group)}")

    def group_key(self, ref: int) -> Sql:
        """What rows are grouped by, by its reference number."""
        return _group_key(self, next(group for group in self.query.group if group.ref == ref))

    def can_deliver(self, target: Target) -> bool:
        """True if DuckDB can compute the target, and deliver it unless it is junk."""
        try:
            value = self.value(target.expression)
            if not target.junk:
                delivery.deliver(value, target.type)
        except Local:
            return False
        return True

    def can_filter(self) -> bool:
        """True if DuckDB can decide HAVING."""
        try:
            _having(self)
        except Local:
            return False
        return True

    def _origin(self, column: Column) -> Origin:
        leaf = self.query.leaves[column.number]
        stored = is_stored(self.query, leaf, self.context.is_computed)
        return Origin(isinstance(leaf, Variable), stored)

    def _column(self, column: Column) -> Written:
        value = self.leaves.value(self.query.leaves[column.number])
        if isinstance(value, Carried):
            raise Local(value.reason)
        return value


def result(query: Query, context: Context, columns: Sequence[int] | None = None) -> Result:
    """The outermost query with these of its columns; Local if it is not known to be the same in DuckDB."""
    level = Level(query, context, delivered=_chosen(query, columns))
    values = _values(level)
    delivered = [
        delivery.deliver(value, target.type) for target, value in zip(level.delivered, values, strict=True)
    ]
    if query.grouping_sets and any(
        one.sql != other.sql for one, other in zip(delivered, values, strict=True)
    ):
        # DuckDB might take the delivering cast of one key for another key that is such a cast.
        raise Local("a key of grouping sets that cannot be delivered as it is")
    sql = _select(level, [each.sql for each in delivered])
    if len(sql) > LONGEST:
        raise Local("the query is too long for DuckDB to parse at once")
    return Result(sql, tuple(each.decoder for each in delivered))


def _chosen(query: Query, columns: Sequence[int] | None) -> tuple[Target, ...]:
    """The targets with these numbers, counted from 1; where each row counts only once, all of them."""
    everything = query.delivered
    if columns is None or list(columns) == list(range(1, len(everything) + 1)):
        return everything
    if query.distinct or query.set_operation is not None:
        raise Local("only some columns of rows that differ in others")
    return tuple(everything[number - 1] for number in columns)


def _keys_of(query: Query) -> Callable[[Node], bool] | None:
    """Whether rows are grouped by an expression: DuckDB has to find it again in what is computed of it."""
    refs = {group.ref for group in query.group}
    keys = [target.expression for target in query.targets if target.ref in refs]
    if all(isinstance(key, Column | Constant | Parameter) for key in keys):
        return None
    known = {_alike(key, query) for key in keys if not isinstance(key, Column | Constant | Parameter)}
    return lambda node: _alike(node, query) in known


def _alike(node: Node, query: Query) -> Node:
    """The node with one number for all leaves that are the same column."""
    if isinstance(node, Column):
        leaf = query.leaves[node.number]
        return replace(node, number=query.leaves.index(leaf)) if isinstance(leaf, Variable) else node
    return changed(node, lambda child: _alike(child, query))


def _values(level: Level) -> list[Value]:
    return [level.value(target.expression) for target in level.delivered]


def _select(level: Level, items: Sequence[Sql], names: Sequence[str] | None = None) -> Sql:
    named = names or unique_names(target.name for target in level.delivered)
    listed = comma(Sql(f"{item} AS {quote(name)}") for item, name in zip(items, named, strict=True))
    parts = [
        f"SELECT {_distinct(level)}{listed or 'true'}",
        level.sources.clause(),
        _where(level),
        _group_by(level),
        _having(level),
        _order_by(level),
        _limit(level),
    ]
    # WITH last: what of it is used is known then.
    return Sql(" ".join(part for part in (level.withs.clause(), *parts) if part))


def _where(level: Level) -> str:
    where = level.query.where
    if where is None:
        return ""
    nodes = where.arguments if isinstance(where, Bool) and where.kind == "and" else (where,)
    return f"WHERE {write.conjunction(nodes, level.scope).sql}"


def _target(level: Level, ref: int) -> Target:
    return next(target for target in level.query.targets if target.ref == ref)


def _position(level: Level, target: Target) -> int | None:
    return level.delivered.index(target) + 1 if target in level.delivered else None


def _key(level: Level, group: SortGroup, need: Collation) -> tuple[Target, Written]:
    """A target that rows are told apart or sorted by."""
    target = _target(level, group.ref)
    value = check_grouped(level.value(target.expression))
    if value.kind.duckdb == "VARCHAR":
        check_collation(need, target.collation, level.scope)
    return target, value


def _group_by(level: Level) -> str:
    query = level.query
    if not query.group:
        return _grouping_sets(level) or (
            "GROUP BY ()" if query.having is not None and not query.aggregates else ""
        )
    if query.grouping_sets:
        return _grouping_sets(level)
    return "GROUP BY " + comma(_group_key(level, group) for group in query.group)


def _grouping_sets(level: Level) -> str:
    if level.query.group_distinct:
        raise Local("GROUP BY DISTINCT")
    sets = [_grouping_set(level, each, outermost=True) for each in level.query.grouping_sets]
    return f"GROUP BY {', '.join(sets)}" if sets else ""


def _grouping_set(level: Level, grouping_set: GroupingSet, *, outermost: bool) -> str:
    if grouping_set.kind == "empty":
        return "()"
    if grouping_set.kind == "simple":
        return f"({comma(level.group_key(ref) for ref in grouping_set.refs)})"
    if not outermost:
        raise Local("grouping sets in grouping sets")
    content = ", ".join(_grouping_set(level, each, outermost=False) for each in grouping_set.content)
    word = {"rollup": "ROLLUP", "cube": "CUBE", "sets": "GROUPING SETS"}[grouping_set.kind]
    return f"{word} ({content})"


def _group_key(level: Level, group: SortGroup) -> Sql:
    _check_operator(group.equality, "=")
    target, value = _key(level, group, Collation.EQUALITY)
    position = _position(level, target)
    if not isinstance(target.expression, Constant | Parameter):
        return value.sql
    if position is None or level.query.grouping_sets:
        raise Local("a constant that rows are grouped by")
    return Sql(str(position))


def _check_operator(name: str | None, operator: str) -> None:
    if name is None or not name.startswith(f"pg_catalog.{operator}("):
        raise Local("rows are grouped or sorted by an operator of another kind than = < >")


def _having(level: Level) -> str:
    having = level.query.having
    return "" if having is None else f"HAVING {write.condition(having, level.scope).sql}"


def _distinct(level: Level) -> str:
    query = level.query
    if not query.distinct:
        return ""
    for group in query.distinct:
        _check_operator(group.equality, "=")
        _key(level, group, Collation.EQUALITY)
    if not query.distinct_on:
        return "DISTINCT "
    keys = comma(_key(level, group, Collation.EQUALITY)[1].sql for group in query.distinct)
    return f"DISTINCT ON ({keys}) "


def _order_by(level: Level) -> str:
    keys = [_sort_key(level, group) for group in level.query.sort]
    return f"ORDER BY {comma(keys)}" if keys else ""


def _sort_key(level: Level, group: SortGroup) -> Sql:
    target, value = _key(level, group, Collation.ORDER)
    position = _position(level, target)
    if position is None and isinstance(target.expression, Constant | Parameter):
        raise Local("a constant that rows are sorted by")
    key = value.sql if position is None else str(position)
    return Sql(f"{key} {direction(group)}")


def direction(group: SortGroup) -> str:
    """How a sort goes; Local if its operator is not known."""
    down = group.order is not None and group.order.startswith("pg_catalog.>(")
    _check_operator(group.order, ">" if down else "<")
    return f"{'DESC' if down else 'ASC'} NULLS {'FIRST' if group.nulls_first else 'LAST'}"


def _limit(level: Level) -> str:
    query = level.query
    if query.with_ties:
        raise Local("FETCH FIRST ... WITH TIES")
    parts = []
    for keyword, node in (("LIMIT", query.limit), ("OFFSET", query.offset)):
        count = None if node is None else _count(level, node)
        parts += [f"{keyword} {count}"] if count else []
    return " ".join(parts)


def _count(level: Level, node: Node) -> str | None:
    """A number of rows; None if there is no limit."""
    value: object = node
    if isinstance(node, Parameter):
        if level.scope.values is None:
            return level.scope.parameter(node)
        value = level.scope.values[node.index]
    elif isinstance(node, Constant):
        value = node.value
    else:
        raise Local("LIMIT or OFFSET that is not computed when the query starts")
    if value is None:
        return None
    if int(str(value)) < 0:
        raise Local("LIMIT or OFFSET is negative")
    return None if int(str(value)) >= _NO_LIMIT and node is level.query.limit else str(value)
