"""Aggregates whose result hangs on an order: string_agg, array_agg, percentiles and mode.

Where PostgreSQL leaves the order of some rows open, its result is open too, and PostgreSQL computes it:
DuckDB gives an error as soon as two rows have the same keys. They may if what is collected is itself a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw import typemap
from rvbbit_fdw.errors import NoLosslessCast
from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.delivery import Carried, check_grouped, check_sorted
from rvbbit_fdw.pushdown.entry import Collation, failure, qualified
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.nodes import Constant, Parameter
from rvbbit_fdw.pushdown.query_nodes import Aggregate, SortGroup, Target
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import UNKNOWN, Written
from rvbbit_fdw.sqltext import Sql, comma

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.delivery import Value
    from rvbbit_fdw.pushdown.query import Level

_STRINGS = qualified("string_agg(text,text)")
_ARRAYS = {qualified("array_agg(anynonarray)"), qualified("array_agg(any)")}
_DISCRETE = qualified("percentile_disc(float8,anyelement)")
_CONTINUOUS = qualified("percentile_cont(float8,float8)")
_MODE = qualified("mode(anyelement)")

_TIES = "rows of an aggregate have the same sort keys"

IN_ARRAYS = {
    *(kinds.BOOL, kinds.INT2, kinds.INT4, kinds.INT8, kinds.TEXT, kinds.FLOAT8, kinds.DATE, kinds.TIMESTAMP),
    kinds.TIMESTAMPTZ,
}
"""Carriers of what array_agg may collect."""

_NAMES = {kinds.TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE"}
"""Carriers whose type is called otherwise where it travels."""

_WRITTEN_OTHERWISE = (kinds.INTERVAL, kinds.FLOAT4, kinds.FLOAT8)
"""Carriers with values that are equal and not alike (30 days, -0)."""


def is_known(leaf: Aggregate) -> bool:
    """True if the aggregate is one of these."""
    return leaf.name in {_STRINGS, _DISCRETE, _CONTINUOUS, _MODE, *_ARRAYS} and not leaf.variadic


def write(leaf: Aggregate, level: Level) -> Value:
    """A call of one of these; Local if its order is not known."""
    if not leaf.sort:
        raise Local("an aggregate whose result depends on the order of the rows")
    return Ordered(leaf, level).value()


class Ordered:
    """One call while it is written."""

    def __init__(self, leaf: Aggregate, level: Level) -> None:
        self._leaf, self._level = leaf, level
        self._targets = [target for target in leaf.arguments if not target.junk]
        self._value = self._collected()
        condition = None if leaf.filter is None else level.expression(leaf.filter)
        self._condition = None if condition is None else condition.sql
        fallible = [self._value, *(self._key(group)[1] for group in leaf.sort)]
        if condition is not None and any(each.fallible for each in fallible):
            raise Local("an aggregate of sorted values that can fail, with FILTER")
        self._fallible = any(each.fallible for each in fallible)

    def value(self) -> Value:
        """The call, whichever it is."""
        if self._leaf.name == _STRINGS:
            return self._string()
        if self._leaf.name in _ARRAYS:
            return self._array()
        return self._mode() if self._leaf.name == _MODE else self._percentile()

    def _collected(self) -> Written:
        """What there is one of for each row."""
        return self._level.expression(self._targets[0].expression)

    def _key(self, group: SortGroup) -> tuple[Target, Written]:
        target = next(each for each in self._leaf.arguments if each.ref == group.ref)
        value = check_sorted(self._level.value(target.expression))
        if value.kind.duckdb == "VARCHAR":
            check_collation(Collation.ORDER, target.collation, self._level.scope)
        return target, value

    def _order(self) -> str:
        keys = [Sql(f"{self._key(group)[1].sql} {self._level.direction(group)}") for group in self._leaf.sort]
        return f"ORDER BY {comma(keys)}"

    def _call(self, function: str, inside: str, *, present: bool = False) -> str:
        conditions = [self._condition or "", f"{self._value.sql} IS NOT NULL" if present else ""]
        listed = " AND ".join(f"({each})" for each in conditions if each)
        return f"{function}({inside})" + (f" FILTER (WHERE {listed})" if listed else "")

    def _total(self, call: str, kind: str) -> Sql:
        """The call, if no two rows have the same keys or such rows are alike."""
        if self._is_sorted_by_itself():
            check_grouped(self._value)
            return Sql(call)
        keys = ", ".join(f"'k{n}': {self._key(group)[1].sql}" for n, group in enumerate(self._leaf.sort))
        rows, different = self._call("count", "*"), self._call("count", f"DISTINCT {{{keys}}}")
        error = f"CAST({failure(_TIES, 'INTEGER')} AS VARCHAR)" if kind == "VARCHAR" else failure(_TIES, kind)
        return Sql(f"CASE WHEN {rows} > {different} THEN {error} ELSE {call} END")

    def _is_sorted_by_itself(self) -> bool:
        return self._targets[0].ref in {group.ref for group in self._leaf.sort if group.ref}

    def _string(self) -> Written:
        delimiter = self._targets[1].expression
        if not isinstance(delimiter, Constant) or not isinstance(delimiter.value, str):
            raise Local("string_agg() with a delimiter that is no constant")
        written = self._level.expression(delimiter)
        self._check_distinct()
        call = self._call("string_agg", f"{self._distinct()}{self._value.sql}, {written.sql} {self._order()}")
        return Written(self._total(call, "VARCHAR"), kinds.TEXT, True)

    def _array(self) -> Carried:
        self._check_distinct()
        if self._value.kind not in IN_ARRAYS:
            raise Local("an array of values of this type")
        listed = f"{_NAMES.get(self._value.kind, self._value.kind.duckdb)}[]"
        call = self._call("list", f"{self._distinct()}{self._value.sql} {self._order()}")
        try:
            travel = typemap.travel(listed, self._leaf.type, -1)
        except NoLosslessCast as error:
            raise Local(error.message) from None
        return Carried(
            travel.select(self._total(call, listed)), travel.decoder, "an array is not computed with"
        )

    def _check_distinct(self) -> None:
        if self._leaf.distinct:
            check_grouped(self._value)
            if self._value.kind.duckdb == "VARCHAR":
                check_collation(Collation.EQUALITY, self._targets[0].collation, self._level.scope)

    def _distinct(self) -> str:
        return "DISTINCT " if self._leaf.distinct else ""

    def _mode(self) -> Written:
        """The most frequent value; of several the first in order, as DuckDB meets them."""
        if self._value.kind in _WRITTEN_OTHERWISE:
            raise Local("mode() of values that are equal and may be written otherwise")
        check_grouped(self._value)
        return self._made(self._call("mode", f"{self._value.sql} {self._order()}"), self._value.kind)

    def _percentile(self) -> Written:
        fraction = self._share()
        if not self._value.same_scale:
            raise Local("the digits after the point of a numeric may not be the same in DuckDB")
        values = self._call("list", f"{self._value.sql} {self._order()}", present=True)
        count = f"{self._call('count', self._value.sql)}"
        if self._leaf.name == _DISCRETE:
            place = f"greatest(1, CAST(ceil({fraction} * {count}) AS BIGINT))"
            return self._made(f"{values}[{place}]", self._value.kind)
        return self._made(_between(values, f"({fraction} * ({count} - 1))"), kinds.FLOAT8)

    def _share(self) -> Sql:
        written = self._level.expression(self._leaf.direct[0])
        value = written.value
        if not isinstance(self._leaf.direct[0], Constant | Parameter):
            raise Local("a percentile whose share is not computed when the query starts")
        if value is not UNKNOWN and not (isinstance(value, str) and 0 <= float(value) <= 1):
            raise Local("a percentile whose share is not from 0 to 1")
        return typed(written.sql, kinds.FLOAT8)

    def _made(self, sql: str, kind: Kind) -> Written:
        return Written(Sql(sql), kind, self._fallible)


def _between(values: str, place: str) -> str:
    """The value at a place counted from 0 that may be between two, as float8_lerp() in PostgreSQL has it."""
    low, high = (f"{values}[CAST({function}({place}) AS BIGINT) + 1]" for function in ("floor", "ceil"))
    step = f"{low} + (({place} - floor({place})) * ({high} - {low}))"
    return f"CASE WHEN floor({place}) = ceil({place}) THEN {low} ELSE {step} END"
