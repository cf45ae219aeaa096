"""What only a query has in its expressions: columns of its relations, aggregates, subqueries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import (
    aggregates,
    kinds,
    query_json,
    query_ordered,
    query_pairs,
    query_sublinks,
    query_windows,
    skipping,
)
from rvbbit_fdw.pushdown.aggregates import AggregateEntry
from rvbbit_fdw.pushdown.delivery import Carried, check_grouped
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED, Collation, cast, failure
from rvbbit_fdw.pushdown.nodes import Constant
from rvbbit_fdw.pushdown.query_nodes import Aggregate, Grouping, Leaf, Subquery, Target, Variable, WindowCall
from rvbbit_fdw.pushdown.quotient import as_numeric, divide
from rvbbit_fdw.pushdown.reasons import Local, unknown_call
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Scales, Written
from rvbbit_fdw.sqltext import Sql, comma

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.delivery import Value
    from rvbbit_fdw.pushdown.query import Level


@dataclass(frozen=True)
class Form:
    """How an aggregate is called, whatever its arguments are."""

    condition: Written | None
    distinct: bool = False
    over: str = ""

    def call(self, function: str, arguments: list[Written]) -> Sql:
        """The call; where an argument can fail, only for rows that pass the filter."""
        sqls = [argument.sql for argument in arguments]
        condition = self.condition
        if condition is not None and any(argument.fallible for argument in arguments):
            sqls = [Sql(f"CASE WHEN {condition.sql} THEN {sql} END") for sql in sqls]
        listed = comma(sqls) or "*"
        where = "" if condition is None else f" FILTER (WHERE {condition.sql})"
        return Sql(f"{function}({'DISTINCT ' if self.distinct else ''}{listed}){where}{self.over}")


def _is_known(name: str) -> bool:
    return aggregates.is_known(name) or query_pairs.is_known(name)


def _of_any_size(argument: Written) -> Written:
    """The number without bounds that DuckDB knows: by them and the rows' number it takes sums for small."""
    if len(argument.sql) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")
    return skipping.hide(argument)


_WHOLE_DIGITS = {kinds.INT2: 5, kinds.INT4: 10, kinds.INT8: 19}


class Leaves:
    """The leaves of one level."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self.overflows: dict[str, None] = {}
        """Tests of a group, each once, that are true where one of its sums may overflow."""

    def value(self, leaf: Leaf) -> Value:
        """What a leaf stands for."""
        if isinstance(leaf, Variable):
            return self._level.sources.variable(leaf)
        if isinstance(leaf, Aggregate):
            return self._aggregate(leaf)
        if isinstance(leaf, WindowCall):
            return self._window(leaf)
        if isinstance(leaf, Grouping):
            listed = comma(self._level.group_key(ref) for ref in leaf.refs)
            return Written(Sql(f"CAST(grouping({listed}) AS INTEGER)"), kinds.INT4)
        if isinstance(leaf, Subquery):
            return query_sublinks.write(leaf, self._level)
        raise Local("an expression of this kind is not known to be the same in DuckDB")

    def _window(self, leaf: WindowCall) -> Written:
        if query_windows.is_known(leaf.name) and leaf.filter is None:
            return query_windows.write(leaf, self._level)
        if not _is_known(leaf.name):
            raise unknown_call("window function", leaf.name)
        condition = None if leaf.filter is None else self._level.expression(leaf.filter)
        arguments = [self._level.expression(argument) for argument in leaf.arguments]
        form = Form(condition, over=query_windows.over(leaf, self._level))
        return self._called(leaf, arguments, form)

    def _aggregate(self, leaf: Aggregate) -> Value:
        if leaf.distinct or leaf.sort:
            self._level.context.add_hash_tables(1)
        if query_ordered.is_known(leaf):
            return query_ordered.write(leaf, self._level)
        if query_json.is_known(leaf):
            return query_json.write(leaf, self._level)
        if not _is_known(leaf.name) or leaf.variadic or leaf.direct:
            raise unknown_call("aggregate", leaf.name)
        condition = None if leaf.filter is None else self._level.expression(leaf.filter)
        targets = [target for target in leaf.arguments if not target.junk]
        arguments = [self._argument(target, leaf) for target in targets]
        return self._called(leaf, arguments, Form(condition, distinct=bool(leaf.distinct)))

    def _called(self, leaf: Aggregate | WindowCall, arguments: list[Written], form: Form) -> Written:
        if query_pairs.is_known(leaf.name):
            return self._of_pairs(leaf.name, arguments, form)
        total = aggregates.AVERAGES.get(leaf.name)
        if total is not None:
            return self._average(leaf, aggregates.TABLE[total], arguments[0], form)
        entry = aggregates.TABLE[leaf.name]
        check_collation(entry.collation, leaf.collation, self._level.scope)
        if entry.inexact:
            return self._inexact(entry, arguments[0], form)
        return self._exact(entry, arguments, form)

    def _exact(self, entry: AggregateEntry, arguments: list[Written], form: Form) -> Written:
        if entry.function == "sum" and self._level.miscounts:
            arguments = [_of_any_size(arguments[0])]
        made = entry.write(form.call(entry.function, arguments), arguments)
        scales = arguments[0].scales if entry.function == "sum" else None
        if made.same_scale or scales is None:
            return made
        present = Sql(f"CASE WHEN {arguments[0].sql} IS NOT NULL THEN {scales.sql} END")
        most = form.call("max", [replace(arguments[0], sql=present)])
        return replace(made, scales=Scales(most, scales.possible))

    def _average(
        self, leaf: Aggregate | WindowCall, entry: AggregateEntry, argument: Written, form: Form
    ) -> Written:
        """The quotient of sum and count, as PostgreSQL computes it."""
        if not self._level.scope.divides:
            raise unknown_call("aggregate", leaf.name)
        total = as_numeric(self._exact(entry, [argument], form))
        count = as_numeric(Written(form.call("count", [argument]), kinds.INT8))
        whole = _WHOLE_DIGITS.get(argument.kind, argument.kind.digits - argument.kind.scale)
        return divide(total, count, self._level.scope, whole)

    def _of_pairs(self, name: str, arguments: list[Written], form: Form) -> Written:
        if form.distinct:
            raise Local("an aggregate of distinct pairs of floating-point numbers")
        self._check_inexact()
        # Over windows rows are delivered while others may still turn out to be none of DuckDB's.
        self._level.context.fallible |= bool(form.over)
        return query_pairs.write(name, arguments, form)

    def _check_inexact(self) -> None:
        if not self._level.context.inexact:
            raise Local("sums of floating-point numbers depend on the order of the rows")

    def _inexact(self, entry: AggregateEntry, argument: Written, form: Form) -> Written:
        """An aggregate in which PostgreSQL cannot have an overflow, in whatever order it meets the rows.

        Its avg() adds up squares, too (float8_accum), so all that may come near to their end is an error.
        """
        self._check_inexact()
        if form.distinct:
            raise Local("a sum of distinct floating-point numbers")
        argument = replace(argument, sql=cast(argument, kinds.FLOAT8), kind=kinds.FLOAT8)
        found = self._spread(entry, argument, form) if entry.spread else form.call(entry.function, [argument])
        size = Sql(f"CASE WHEN isfinite({argument.sql}) THEN abs({argument.sql}) END")
        largest, count = form.call("max", [replace(argument, sql=size)]), form.call("count", [argument])
        overflow = f"{largest} * {count} > {entry.most}"
        if not form.over:
            self.overflows[overflow] = None
        error = failure("value out of range: overflow", "DOUBLE")
        guarded = Sql(f"CASE WHEN {overflow} THEN {error} ELSE {found} END")
        return entry.write(guarded, [argument])

    def _spread(self, entry: AggregateEntry, argument: Written, form: Form) -> Sql:
        """Of finite numbers by DuckDB, which gives an error for others."""
        strange = Sql(f"CASE WHEN NOT isfinite({argument.sql}) THEN 1 END")
        finite = Sql(f"CASE WHEN isfinite({argument.sql}) THEN {argument.sql} END")
        some = form.call("count", [replace(argument, sql=strange)])
        count = form.call("count", [argument])
        fewest = 1 if entry.function.endswith("samp") else 0
        nan = f"CASE WHEN {count} > {fewest} THEN CAST('NaN' AS DOUBLE) END"
        value = form.call(entry.function, [replace(argument, sql=finite)])
        return Sql(f"CASE WHEN {some} > 0 THEN {nan} ELSE {value} END")

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
