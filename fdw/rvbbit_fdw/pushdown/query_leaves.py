"""What only a query has in its expressions: columns of its relations, aggregates, subqueries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import aggregates, query_sublinks
from rvbbit_fdw.pushdown.delivery import Carried, check_grouped
from rvbbit_fdw.pushdown.entry import Collation
from rvbbit_fdw.pushdown.nodes import Constant
from rvbbit_fdw.pushdown.query_nodes import Aggregate, Leaf, Subquery, Target, Variable
from rvbbit_fdw.pushdown.reasons import Local, unknown_call
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, comma

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.delivery import Value
    from rvbbit_fdw.pushdown.query import Level


class Leaves:
    """The leaves of one level."""

    def __init__(self, level: Level) -> None:
        self._level = level

    def value(self, leaf: Leaf) -> Value:
        """What a leaf stands for."""
        if isinstance(leaf, Variable):
            return self._level.sources.variable(leaf)
        if isinstance(leaf, Aggregate):
            return self._aggregate(leaf)
        if isinstance(leaf, Subquery):
            return query_sublinks.write(leaf, self._level)
        raise Local("an expression of this kind is not known to be the same in DuckDB")

    def _aggregate(self, leaf: Aggregate) -> Written:
        entry = aggregates.TABLE.get(leaf.name)
        if entry is None or leaf.variadic or leaf.direct:
            raise unknown_call("aggregate", leaf.name)
        if leaf.sort and entry.ordered:
            raise Local("an aggregate of sorted values")
        check_collation(entry.collation, leaf.collation, self._level.scope)
        condition = None if leaf.filter is None else self._level.expression(leaf.filter)
        targets = [target for target in leaf.arguments if not target.junk]
        arguments = [self._argument(target, leaf) for target in targets]
        call = _call(entry.function, arguments, condition, distinct=bool(leaf.distinct))
        return entry.write(call, arguments)

    def _argument(self, target: Target, leaf: Aggregate) -> Written:
        value = self._level.value(target.expression)
        if leaf.distinct:
            value = check_grouped(value)
            if value.kind.duckdb == "VARCHAR":
                check_collation(Collation.EQUALITY, target.collation, self._level.scope)
        if isinstance(value, Carried):
            if leaf.name != "pg_catalog.count(pg_catalog.any)":
                raise Local(value.reason)
            return self._counted(value)
        return value

    def _counted(self, value: Carried) -> Written:
        """A value of which only counts whether it is null."""
        null = self._level.expression(Constant("pg_catalog.bool", None))
        return Written(value.sql, null.kind)


def _call(function: str, arguments: list[Written], condition: Written | None, *, distinct: bool) -> Sql:
    """The call; where an argument can fail, only for rows that pass the filter."""
    sqls = [argument.sql for argument in arguments]
    if condition is not None and any(argument.fallible for argument in arguments):
        sqls = [Sql(f"CASE WHEN {condition.sql} THEN {sql} END") for sql in sqls]
    listed = comma(sqls) or "*"
    where = "" if condition is None else f" FILTER (WHERE {condition.sql})"
    return Sql(f"{function}({'DISTINCT ' if distinct else ''}{listed}){where}")
