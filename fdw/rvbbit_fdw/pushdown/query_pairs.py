"""Aggregates of pairs of floating-point numbers: covariances, correlation, linear regression.

They are made of the sums of squares and products by PostgreSQL's formulas. Where a result is all rounding
(the numbers of one side are alike), where squares overflow or vanish, and with infinities and NaN, DuckDB
gives an error and PostgreSQL computes the query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import cast, failure, qualified
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query_leaves import Form


@dataclass(frozen=True)
class _Pairs:
    """`formula` of the sums; the least number of pairs; whose sums of squares must not be all rounding."""

    formula: str
    least: int = 1
    spread: Sequence[str] = ()


_FORMULAS = {
    "regr_avgx": _Pairs("{avgx}"),
    "regr_avgy": _Pairs("{avgy}"),
    "regr_sxx": _Pairs("{sxx}", spread=("sxx",)),
    "regr_syy": _Pairs("{syy}", spread=("syy",)),
    "regr_sxy": _Pairs("{sxy}", spread=("sxx", "syy")),
    "covar_pop": _Pairs("{sxy} / {n}", spread=("sxx", "syy")),
    "covar_samp": _Pairs("{sxy} / ({n} - 1)", 2, ("sxx", "syy")),
    "corr": _Pairs("{sxy} / sqrt({sxx} * {syy})", 2, ("sxx", "syy")),
    "regr_slope": _Pairs("{sxy} / {sxx}", 2, ("sxx",)),
    "regr_intercept": _Pairs("{avgy} - {avgx} * {sxy} / {sxx}", 2, ("sxx",)),
    "regr_r2": _Pairs("({sxy} * {sxy}) / ({sxx} * {syy})", 2, ("sxx", "syy")),
}
_COUNT = qualified("regr_count(float8,float8)")
_TABLE = {qualified(f"{name}(float8,float8)"): pairs for name, pairs in _FORMULAS.items()}

NAMES = ("regr_count", *_FORMULAS)

_MOST, _LEAST, _ALIKE = "1e75", "1e-100", "1e-8"
"""Of the largest number and the count: the product up to which no product of squares overflows. Of a sum of
squares of differences: less may vanish in a product, or be all rounding, as a share of the squares."""


def is_known(name: str) -> bool:
    """True if the aggregate is one of these."""
    return name == _COUNT or name in _TABLE


def write(name: str, arguments: Sequence[Written], form: Form) -> Written:
    """A call of one of these; the second argument is what the first is thought to depend on."""
    call = _Call(arguments, form)
    if name == _COUNT:
        return Written(call.count, kinds.INT8, call.fallible)
    return Written(Sql(call.guarded(_TABLE[name])), kinds.FLOAT8, fallible=True)


class _Call:
    """What is known of the pairs of one call, as SQL."""

    def __init__(self, arguments: Sequence[Written], form: Form) -> None:
        y, x = (cast(each, kinds.FLOAT8) for each in arguments)
        self._form = form
        self.fallible = any(argument.fallible for argument in arguments)
        both, finite = f"{y} IS NOT NULL AND {x} IS NOT NULL", f"isfinite({y}) AND isfinite({x})"
        self.count = self._over("count", both, "1")
        self._strange = self._over("count", f"{both} AND NOT ({finite})", "1")
        self._largest = {name: self._over("max", finite, f"abs({sql})") for name, sql in (("x", x), ("y", y))}
        self._sums = {name: self._over(f"regr_{name}", finite, y, x) for name in ("sxx", "syy", "sxy")}
        self._averages = {f"avg{name}": self._over("avg", finite, sql) for name, sql in (("x", x), ("y", y))}

    def _over(self, function: str, test: str, *values: str) -> Sql:
        sqls = [Sql(f"CASE WHEN {test} THEN {value} END") for value in values]
        return self._form.call(function, [Written(sql, kinds.FLOAT8, self.fallible) for sql in sqls])

    def guarded(self, pairs: _Pairs) -> str:
        """The formula's value, null of too few pairs, or an error."""
        tests = [f"{self._strange} > 0"]
        tests += [f"{largest} * {self.count} > {_MOST}" for largest in self._largest.values()]
        tests += [self._is_alike(name) for name in pairs.spread]
        found = pairs.formula.format(n=self.count, **self._sums, **self._averages)
        error = failure("numbers that are not finite, or alike", "DOUBLE")
        return (
            f"CASE WHEN {self.count} < {pairs.least} THEN CAST(NULL AS DOUBLE)"
            f" WHEN {' OR '.join(tests)} THEN {error} ELSE {found} END"
        )

    def _is_alike(self, name: str) -> str:
        largest = self._largest[name[-1]]
        little = f"greatest({_LEAST}, {_ALIKE} * {self.count} * {largest} * {largest})"
        return f"({self.count} > 1 AND {self._sums[name]} <= {little})"
