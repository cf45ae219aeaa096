"""The allow-list of aggregates: what DuckDB 2.0.0 computes exactly as PostgreSQL does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import Collation, qualified
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql

Carrier: TypeAlias = Callable[[Sequence[Written]], Kind]
"""The carrier of the result for these arguments."""


@dataclass(frozen=True)
class AggregateEntry:
    """One aggregate: `function` is DuckDB's name, `result` has `{}` where its call stands.

    `fallible`: a result may be out of the type's range. `collation`: what it needs to compare texts.
    `inexact`: it adds up floating-point numbers, in
    whatever order; infinity made of finite numbers is then an error, as in PostgreSQL. `spread`: it is a
    variance or standard deviation, NaN if any number is not finite. `most`: the product of the
    largest number and their count up to which nothing overflows, in whatever order; up to 1e150 squares do
    not either.
    """

    name: str
    function: str
    carrier: Carrier
    result: str = "{}"
    fallible: bool = False
    collation: Collation = Collation.IGNORED
    inexact: bool = False
    spread: bool = False
    most: str = "1e150"

    def write(self, call: Sql, arguments: Sequence[Written]) -> Written:
        """The result of a call of the DuckDB function on these arguments."""
        fallible = self.fallible or any(argument.fallible for argument in arguments)
        kind = self.carrier(arguments)
        same_scale = kind.type != kinds.NUMERIC or all(argument.same_scale for argument in arguments)
        return Written(Sql(self.result.replace("{}", call)), kind, fallible, same_scale=same_scale)


def _always(kind: Kind) -> Carrier:
    return lambda _arguments: kind


def _of_argument(arguments: Sequence[Written]) -> Kind:
    return arguments[0].kind


def _sum_of_numeric(arguments: Sequence[Written]) -> Kind:
    """DuckDB adds decimals up in 38 digits, and gives an error where they do not suffice."""
    kind = arguments[0].kind
    return kind if kind is kinds.HUGEINT else kinds.decimal(kinds.MAX_DIGITS, kind.scale)


_COMPARED = (
    "int2",
    "int4",
    "int8",
    "numeric",
    "float4",
    "float8",
    "date",
    "time",
    "timestamp",
    "timestamptz",
)
_SPREADS = {
    "stddev": "stddev_samp",
    "stddev_samp": "stddev_samp",
    "stddev_pop": "stddev_pop",
    "variance": "var_samp",
    "var_samp": "var_samp",
    "var_pop": "var_pop",
}
_INTEGERS = ("int2", "int4", "int8")


def _counts() -> Iterator[AggregateEntry]:
    yield AggregateEntry("count()", "count", _always(kinds.INT8))
    yield AggregateEntry("count(any)", "count", _always(kinds.INT8))


def _sums() -> Iterator[AggregateEntry]:
    for name in ("int2", "int4"):
        yield AggregateEntry(f"sum({name})", "sum", _always(kinds.INT8), "CAST({} AS BIGINT)", fallible=True)
    yield AggregateEntry("sum(int8)", "sum", _always(kinds.HUGEINT), fallible=True)
    yield AggregateEntry("sum(numeric)", "sum", _sum_of_numeric, fallible=True)


def _inexact() -> Iterator[AggregateEntry]:
    """Those of which PostgreSQL's own result depends on the order of the rows."""
    for function, name in (("sum", "float8"), ("avg", "float8"), ("avg", "float4")):
        yield AggregateEntry(
            f"{function}({name})", function, _always(kinds.FLOAT8), fallible=True, inexact=True
        )
    yield AggregateEntry(
        "sum(float4)",
        "sum",
        _always(kinds.FLOAT4),
        "CAST({} AS FLOAT)",
        fallible=True,
        inexact=True,
        most="1e38",
    )
    for name, function in _SPREADS.items():
        for kind in ("float8", "float4"):
            yield AggregateEntry(
                f"{name}({kind})", function, _always(kinds.FLOAT8), fallible=True, inexact=True, spread=True
            )


def _extremes() -> Iterator[AggregateEntry]:
    for function in ("min", "max"):
        for name in _COMPARED:
            yield AggregateEntry(f"{function}({name})", function, _of_argument)
        yield AggregateEntry(f"{function}(text)", function, _always(kinds.TEXT), collation=Collation.ORDER)


def _logic() -> Iterator[AggregateEntry]:
    for name, function in (("bool_and", "bool_and"), ("every", "bool_and"), ("bool_or", "bool_or")):
        yield AggregateEntry(f"{name}(bool)", function, _always(kinds.BOOL))
    for function in ("bit_and", "bit_or", "bit_xor"):
        for name in _INTEGERS:
            yield AggregateEntry(f"{function}({name})", function, _always(kinds.FIXED[f"pg_catalog.{name}"]))


def _table() -> Mapping[str, AggregateEntry]:
    entries = (*_counts(), *_sums(), *_inexact(), *_extremes(), *_logic())
    return {qualified(entry.name): entry for entry in entries}


TABLE = _table()
"""The aggregates by the protocol's names."""

AVERAGES = {
    qualified(f"avg({name})"): qualified(f"sum({name})") for name in ("int2", "int4", "int8", "numeric")
}
"""Averages of exact numbers, with the aggregate that adds the same numbers up."""


def is_known(name: str) -> bool:
    """True if DuckDB may compute the aggregate."""
    return name in TABLE or name in AVERAGES
