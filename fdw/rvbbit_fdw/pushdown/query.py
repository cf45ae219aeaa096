"""A whole query as one DuckDB query.

Expressions are written by `write`, and only by what the allow-list has; everything else about the query is
here and in the modules that this one calls. What cannot be written raises reasons.Local.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from rvbbit_fdw.pushdown import delivery, kinds, query_conditions, query_groups, query_ties, write
from rvbbit_fdw.pushdown.delivery import Carried, Value, check_grouped, check_outer, check_sorted
from rvbbit_fdw.pushdown.entry import Collation
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.nodes import Column, Constant, Node, Parameter, changed
from rvbbit_fdw.pushdown.plan import LONGEST
from rvbbit_fdw.pushdown.query_leaves import Leaves
from rvbbit_fdw.pushdown.query_nodes import (
    Aggregate,
    Leaf,
    Query,
    SortGroup,
    Subquery,
    TableRelation,
    Target,
    Variable,
    everywhere,
    has_outer_join,
    is_stored,
)
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

MOST_HASH_TABLES, MOST_CORRELATED = 48, 16

_FLOAT_ARRAYS = ("pg_catalog._float4", "pg_catalog._float8")

_NO_LIMIT = 1 << 62
"""DuckDB takes no greater LIMIT; no table has as many rows."""


def _not_known(_table: Table) -> bool:
    return False


def _no_bounds(_table: Table) -> Mapping[str, int]:
    return {}


@dataclass
class Context:
    """What all levels of a query share.

    `inexact`: floating-point numbers are added up in any order. `is_computed`: is this a view, or does the
    table have generated columns? `largest`: a number than which none in a column is further from 0, counted
    in units of its last digit, by column, where that is known. `divides`: nothing of the result is seen
    before all of it is computed, so that quotients may fail. `finished`: PostgreSQL computes such quotients
    of the outermost query's targets and of its HAVING.
    """

    scope: Scope
    database: Database
    inexact: bool = False
    is_computed: Callable[[Table], bool] = _not_known
    largest: Callable[[Table], Mapping[str, int]] = _no_bounds
    divides: bool = False
    finished: bool = False
    names: set[str] = field(default_factory=set)
    fallible: bool = False
    """Can what decides of rows fail, anywhere in the query, as far as it has been written?"""
    grows: bool = False
    """Are there rows that are none of a table's?"""
    hash_tables: int = 0
    correlated: int = 0
    """Subqueries that give a value for each row of another query."""

    def add_hash_tables(self, count: int) -> None:
        """Account for tables of which DuckDB gives each more than 2 MB, however few rows it holds."""
        self.hash_tables += count
        if self.hash_tables > MOST_HASH_TABLES:
            raise Local("too many grouping sets and aggregates of distinct or sorted values")

    def add_correlated(self) -> None:
        """Account for a subquery for each row; DuckDB's planner takes longer with each that it has."""
        self.correlated += 1
        if self.correlated > MOST_CORRELATED:
            raise Local("too many subqueries that refer to the query around them")

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
    """The outermost query as SQL, the decoder of each of its columns, and whether its WHERE can fail.

    `trial` fails wherever the query might while it chooses among rows of which it has delivered some; None if
    it cannot fail there. `grows`: there may be more rows than a join of all tables has.
    """

    sql: Sql
    decoders: tuple[str, ...]
    fallible: bool = False
    trial: Sql | None = None
    grows: bool = False


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
        divides = context.divides or (outer is not None and query.aggregates)
        finished = context.finished and outer is None
        is_key = _keys_of(query)
        scope = replace(
            context.scope, column=self._column, compared=self._compared, origin=self._origin, divides=divides
        )
        self.filter_scope = scope if is_key is None else replace(scope, is_key=is_key, outside=scope)
        if divides and finished:
            scope = replace(scope, divides=False)
        self.scope = scope if is_key is None else replace(scope, is_key=is_key, outside=scope)
        self.withs = Withs(self)
        self.sources = Sources(self)
        self.leaves = Leaves(self)
        self._targets: dict[int, Value] = {}
        self.fallible = False
        """Can its WHERE fail, as far as it has been written?"""

    def further_out(self, levels: int) -> Level:
        """This level, or the one that many levels around it."""
        level: Level | None = self
        for _ in range(levels):
            level = None if level is None else level.outer
        if level is None:
            raise Local("a reference to an outer query")
        return level

    @cached_property
    def miscounts(self) -> bool:
        """May DuckDB take the number of rows for too small, anywhere in the whole query?

        2.0.0 does for an outer join of which it knows one side to be empty; a view may have one.
        """
        if self.outer is not None:
            return self.outer.miscounts
        queries = list(everywhere(self.query))
        tables = [one for each in queries for one in each.relations if isinstance(one, TableRelation)]
        return any(map(has_outer_join, queries)) or any(self.context.is_computed(one.table) for one in tables)

    @property
    def outermost(self) -> Level:
        """The level around all others."""
        return self if self.outer is None else self.outer.outermost

    def inside(self, query: Query) -> Level:
        """The level of a query inside this one."""
        return Level(query, self.context, self)

    def subquery(self, query: Query, *, with_scales: bool = False) -> Selected:
        """A query inside this one, with further columns for digits of numerics where that is asked for."""
        return _selected(Level(query, self.context, self), with_scales=with_scales)

    def reading(self, query: Query, rows: Selected) -> Selected:
        """A query inside this one, of which the only relation is already written."""
        level = Level(query, self.context, self)
        level.sources.take(0, rows)
        return _selected(level)

    def expression(self, node: Node) -> Written:
        """An expression of this level."""
        return write.expression(node, self.scope)

    def value(self, node: Node) -> Value:
        """An expression of which the value is only passed on."""
        leaf = self.query.leaves[node.number] if isinstance(node, Column) else None
        is_array = isinstance(leaf, Subquery) and leaf.kind == "array"
        if leaf is None or not (is_array or isinstance(leaf, Variable | Aggregate)):
            return self.expression(node)
        value = self.leaves.value(leaf)
        return check_outer(value) if _is_outer(leaf) else value

    def target(self, target: Target) -> Value:
        """One of the query's targets, written once."""
        if id(target) not in self._targets:
            self._targets[id(target)] = self.value(target.expression)
        return self._targets[id(target)]

    def position(self, target: Target) -> int | None:
        """The place of a target among what is delivered, counted from 1; None if it is junk."""
        return self.delivered.index(target) + 1 if target in self.delivered else None

    def keyed(self, group: SortGroup, need: Collation) -> tuple[Target, Written]:
        """A target that rows are told apart or sorted by."""
        target = _target(self, group.ref)
        check = check_sorted if need is Collation.ORDER else check_grouped
        value = check(self.target(target))
        if value.kind.duckdb == "VARCHAR":
            check_collation(need, target.collation, self.scope)
        return target, value

    def key(self, group: SortGroup, need: Collation) -> Sql:
        """A target that rows are told apart by."""
        return self.keyed(group, need)[1].sql

    def sort_key(self, group: SortGroup) -> Sql:
        """A target that rows are sorted by, and how."""
        return Sql(f"{self.key(group, Collation.ORDER)} {direction(group)}")

    def direction(self, group: SortGroup) -> str:
        """How a sort goes; Local if its operator is not known."""
        return direction(group)

    def sort_kind(self, group: SortGroup) -> Kind:
        """The carrier of a target that rows are sorted by."""
        return self.keyed(group, Collation.ORDER)[1].kind

    def group_key(self, ref: int) -> Sql:
        """What rows are grouped by, by its reference number."""
        return query_groups.key(self, next(group for group in self.query.group if group.ref == ref))

    def refusal(self, target: Target) -> str | None:
        """Why DuckDB cannot compute the target, or not deliver it if it is no junk; None if it can."""
        try:
            value = self.target(target)
            if not target.junk:
                delivery.deliver(value, target.type)
        except Local as local:
            return local.reason
        return None

    def can_filter(self) -> bool:
        """True if DuckDB can decide HAVING."""
        try:
            query_groups.having(self)
        except Local:
            return False
        return True

    def _origin(self, column: Column) -> Origin:
        leaf = self.query.leaves[column.number]
        stored = is_stored(self.query, leaf, self.context.is_computed)
        return Origin(isinstance(leaf, Variable), stored)

    def _column(self, column: Column) -> Written:
        value = self._compared(column)
        if _is_outer(self.query.leaves[column.number]):
            check_outer(value)
        return value

    def _compared(self, column: Column) -> Written:
        value = self.leaves.value(self.query.leaves[column.number])
        if isinstance(value, Carried):
            raise Local(value.reason)
        return value


def _selected(level: Level, *, with_scales: bool = False) -> Selected:
    query, values = level.query, _values(level)
    if (query.limit or query.windows) and any(map(_may_lose_a_sign, values, query.delivered)):
        # It may become a search for the first rows of each group.
        raise Local("reals of a subquery with LIMIT or window functions: DuckDB may take -0 for 0")
    level.context.fallible |= any(isinstance(value, Written) and value.fallible for value in values)
    names = unique_names(target.name for target in query.delivered)
    columns = dict(zip(names, values, strict=True))
    scales = _scales(columns) if with_scales and not query.distinct and not query.set_operation else {}
    items = [value.sql for value in values] + [sql for sql, _ in scales.values()]
    sql = _select(level, items, [*names, *(name for _, name in scales.values())])
    return Selected(sql, tuple(columns.items()), scales={each: name for each, (_, name) in scales.items()})


def _is_outer(leaf: Leaf) -> bool:
    return isinstance(leaf, Variable) and leaf.level > 0


def result(query: Query, context: Context, columns: Sequence[int] | None = None) -> Result:
    """The outermost query with these of its columns; Local if it is not known to be the same in DuckDB."""
    return complete(Level(query, context, delivered=_chosen(query, columns)))


def complete(level: Level) -> Result:
    """What this level, the outermost, makes; Local if it is not known to be the same in DuckDB."""
    query, values = level.query, _values(level)
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
    # Every column is looked at: DuckDB would leave out the computing of one that is only counted.
    trial = Sql(f"SELECT max(hash(*COLUMNS(*))) FROM ({sql}) AS {quote('trial')}")
    decoders = tuple(each.decoder for each in delivered)
    needed = level.context.fallible and not is_complete(query)
    return Result(sql, decoders, level.fallible, trial if needed else None, level.context.grows)


def is_complete(query: Query) -> bool:
    """Is all of the result computed before any of it is delivered?"""
    return bool(query.aggregates or query.group or query.grouping_sets or query.sort)


def _chosen(query: Query, columns: Sequence[int] | None) -> tuple[Target, ...]:
    """The targets with these numbers, counted from 1; where each row counts only once, all of them."""
    everything = query.delivered
    if columns is None or list(columns) == list(range(1, len(everything) + 1)):
        return everything
    if query.distinct or query.set_operation is not None:
        raise Local("only some columns of rows that differ in others")
    return tuple(everything[number - 1] for number in columns)


def _scales(columns: Mapping[str, Value]) -> dict[str, tuple[Sql, str]]:
    """For each column whose numerics differ in their digits after the point: the number, and its name."""
    found = {
        name: value.scales.sql
        for name, value in columns.items()
        if isinstance(value, Written) and not value.same_scale and value.scales is not None
    }
    names = unique_names([*columns, *(f"digits of {name}" for name in found)])[len(columns) :]
    return {each: (sql, name) for (each, sql), name in zip(found.items(), names, strict=True)}


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
    return [level.target(target) for target in level.delivered]


def _select(level: Level, items: Sequence[Sql], names: Sequence[str] | None = None) -> Sql:
    named = names or unique_names(target.name for target in level.delivered)
    listed = comma(Sql(f"{item} AS {quote(name)}") for item, name in zip(items, named, strict=True))
    ties, order = query_ties.clause(level) if level.query.with_ties else "", _order_by(level)
    parts = [
        f"SELECT {_distinct(level)}{listed or 'true'}",
        level.sources.clause(),
        query_conditions.where(level),
        query_groups.clause(level),
        query_groups.having(level),
        ties,
        order,
        "" if level.query.with_ties else _limit(level),
    ]
    # HAVING after all aggregates, and WITH last: what of it is used is known then.
    return Sql(" ".join(part for part in (level.withs.clause(), *parts) if part))


def _target(level: Level, ref: int) -> Target:
    return next(target for target in level.query.targets if target.ref == ref)


def _is_plain(level: Level, target: Target) -> bool:
    """Is what is delivered in the same order, and equal where the values are?"""
    value = level.target(target)
    return isinstance(value, Carried) or (value.kind != kinds.INTERVAL and value.same_scale)


def _distinct(level: Level) -> str:
    query = level.query
    if not query.distinct:
        return ""
    for group in query.distinct:
        query_groups.check_operator(group.equality, "=")
        level.keyed(group, Collation.EQUALITY)
    if not query.distinct_on:
        if level.outer is None and not all(_is_plain(level, each) for each in level.delivered):
            raise Local("distinct values that are not delivered as they are")
        return "DISTINCT "
    if any(_may_lose_a_sign(level.target(each), each) for each in level.delivered):
        raise Local("reals beside DISTINCT ON: DuckDB may take -0 for 0")
    keys = comma(level.keyed(group, Collation.EQUALITY)[1].sql for group in query.distinct)
    return f"DISTINCT ON ({keys}) "


def _may_lose_a_sign(value: Value, target: Target) -> bool:
    """DuckDB 2.0.0 packs these into sort keys to find the first of several rows, and reads them from there.

    Such a key has the same bytes for 0 and -0; other types are not packed, or arrive as they were.
    """
    return target.type in _FLOAT_ARRAYS if isinstance(value, Carried) else value.kind == kinds.FLOAT4


def _order_by(level: Level) -> str:
    keys = [_sort_key(level, group) for group in level.query.sort]
    return f"ORDER BY {comma(keys)}" if keys else ""


def _sort_key(level: Level, group: SortGroup) -> Sql:
    target, value = level.keyed(group, Collation.ORDER)
    position = level.position(target) if _is_plain(level, target) else None
    if position is None and isinstance(target.expression, Constant | Parameter):
        raise Local("a constant that rows are sorted by")
    key = value.sql if position is None else str(position)
    return Sql(f"{key} {direction(group)}")


def direction(group: SortGroup) -> str:
    """How a sort goes; Local if its operator is not known."""
    down = group.order is not None and group.order.startswith("pg_catalog.>(")
    query_groups.check_operator(group.order, ">" if down else "<")
    return f"{'DESC' if down else 'ASC'} NULLS {'FIRST' if group.nulls_first else 'LAST'}"


def _limit(level: Level) -> str:
    limit, offset = (
        None if node is None else count_of_rows(level, node)
        for node in (level.query.limit, level.query.offset)
    )
    if limit is None:
        return f"OFFSET {offset}" if offset else ""
    # Without OFFSET DuckDB 2.0.0 forgets a LIMIT over an outer join of which it knows one side to be empty.
    return f"LIMIT {limit} OFFSET {offset or '0'}"


def count_of_rows(level: Level, node: Node) -> str | None:
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
