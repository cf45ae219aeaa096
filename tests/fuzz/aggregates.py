"""Aggregates and window functions: how they are called, and how exact they are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fuzz.expressions import Column, Maker
from tests.fuzz.tree import Piece, piece, text

_INTEGERS = ("int2", "int4", "int8")
_SUMS = {"int2": "int8", "int4": "int8", "int8": "numeric", "numeric": "numeric", "interval": "interval"}
_ORDERED = (
    "int2",
    "int4",
    "int8",
    "numeric",
    "text",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "interval",
    "float4",
    "float8",
    "uuid",
    "bytea",
)
_FLOATS = ("float4", "float8")

_WINDOW_ONLY = ("row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", "ntile(3)")
_FRAMES = (
    "", "", "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW",
    "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING", "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    "ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW",
    "ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING EXCLUDE TIES",
    "GROUPS BETWEEN 2 PRECEDING AND CURRENT ROW EXCLUDE GROUP",
)  # fmt: skip


@dataclass(frozen=True)
class Aggregate:
    """A call, whether equal values may be written otherwise, and for floats what limits the error."""

    call: Piece
    unsure: bool = False
    limit: Piece | None = None

    @property
    def type(self) -> str:
        """Its result's type."""
        return self.call.type or "int8"


class Aggregates:
    """Random aggregates over a relation's expressions. `keys`: what makes an order total."""

    def __init__(self, rng: random.Random, maker: Maker, keys: Sequence[str]) -> None:
        self.rng, self.maker, self.keys = rng, maker, keys

    def any(self) -> Aggregate:
        """One aggregate, now and then with FILTER."""
        ways = [
            self.count,
            self.sum,
            self.extreme,
            self.boolean,
            self.average,
            self.spread,
            self.bits,
            self.quantile,
        ]
        weights = [4.0, 4.0, 4.0, 1.5, 2.0, 1.0, 0.7, 1.0]
        if self.keys:
            ways, weights = [*ways, self.collected], [*weights, 1.5]
        made = self.rng.choices(ways, weights)[0]()
        if self.rng.random() < 0.15:
            condition = self.maker.condition(1)
            return Aggregate(
                _filtered(made.call, condition), made.unsure, made.limit and _filtered(made.limit, condition)
            )
        return made

    def count(self) -> Aggregate:
        """count(*), count(x), count(DISTINCT x)."""
        kind = self.rng.choice(self.maker.types)
        if self.rng.random() < 0.4:
            return Aggregate(piece("int8", "count(*)", entry="pg_catalog.count()"))
        word = "DISTINCT " if self.rng.random() < 0.5 and kind != "jsonb" else ""
        return Aggregate(
            piece(
                "int8",
                f"count({word}",
                self.maker.value(kind, 1),
                ")",
                entry="pg_catalog.count(pg_catalog.any)",
            )
        )

    def sum(self) -> Aggregate:
        """sum of any number, or of intervals."""
        kind = self._kind(*_SUMS, *_FLOATS)
        value = self.maker.value(kind, 1, tame=True)
        if kind in _FLOATS:
            return self._float(kind, kind, "sum", value)
        word = "DISTINCT " if self.rng.random() < 0.2 else ""
        call = piece(_SUMS[kind], f"sum({word}", value, ")", entry=_entry("sum", kind))
        return Aggregate(
            call, unsure=kind == "interval" and bool(word)
        )  # 30 days, or the month equal to them

    def average(self) -> Aggregate:
        """avg."""
        kind = self._kind(*_INTEGERS, "numeric", *_FLOATS)
        value = self.maker.value(kind, 1, tame=True)
        if kind in _FLOATS:
            return self._float(kind, "float8", "avg", value)
        return Aggregate(piece("numeric", "avg(", value, ")", entry=_entry("avg", kind)))

    def _float(self, kind: str, result: str, name: str, value: Piece) -> Aggregate:
        call = piece(result, f"{name}(", value, ")", entry=_entry(name, kind))
        return Aggregate(call, limit=piece("float8", "sum(abs(", value, ")::float8)"))

    def extreme(self) -> Aggregate:
        """min and max."""
        kind, name = self._kind(*_ORDERED), self.rng.choice(["min", "max"])
        call = piece(kind, f"{name}(", self.maker.value(kind, 1), ")", entry=_entry(name, kind))
        return Aggregate(call, kind in {"numeric", "interval", *_FLOATS})

    def boolean(self) -> Aggregate:
        """bool_and, bool_or, every."""
        name = self.rng.choice(["bool_and", "bool_or", "every"])
        return Aggregate(piece("bool", f"{name}(", self.maker.condition(1), ")", entry=_entry(name, "bool")))

    def bits(self) -> Aggregate:
        """bit_and, bit_or, bit_xor."""
        kind, name = self._kind(*_INTEGERS), self.rng.choice(["bit_and", "bit_or", "bit_xor"])
        return Aggregate(piece(kind, f"{name}(", self.maker.value(kind, 1), ")", entry=_entry(name, kind)))

    def spread(self) -> Aggregate:
        """Variances of integers and numerics, which PostgreSQL computes exactly."""
        kind = self._kind(*_INTEGERS, "numeric")
        name = self.rng.choice(["stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"])
        return Aggregate(
            piece("numeric", f"{name}(", self.maker.value(kind, 0, tame=True), ")", entry=_entry(name, kind))
        )

    def quantile(self) -> Aggregate:
        """mode and percentile_disc, whose results are among the values, and percentile_cont."""
        kind = self._kind("int4", "int8", "date", "text")
        if self.rng.random() < 0.25:
            call = "mode() WITHIN GROUP (ORDER BY "
            return Aggregate(piece(kind, call, self.maker.value(kind, 0), ")", entry="mode"))
        share = self.rng.choice(["0", "0.25", "0.5", "1"])
        if self.rng.random() < 0.3:
            start = f"percentile_cont({share}) WITHIN GROUP (ORDER BY "
            value = self.maker.value("int4", 0)
            return Aggregate(piece("float8", start, value, "::float8)", entry="percentile_cont"))
        call = f"percentile_disc({share}) WITHIN GROUP (ORDER BY "
        return Aggregate(piece(kind, call, self.maker.value(kind, 0), ")", entry="percentile_disc"))

    def collected(self) -> Aggregate:
        """string_agg and array_agg in a total order."""
        order = f" ORDER BY {', '.join(self.keys)})"
        if self.rng.random() < 0.5:
            return Aggregate(
                piece("text", "string_agg(", self.maker.value("text", 1), ", ','", order, entry="string_agg")
            )
        if self.rng.random() < 0.4:
            return self._json(order)
        kind = self._kind("int4", "text", "date")
        return Aggregate(piece(f"_{kind}", "array_agg(", self.maker.value(kind, 1), order, entry="array_agg"))

    def _json(self, order: str) -> Aggregate:
        """A list or an object in JSON."""
        kind = self._kind("int2", "int4", "int8", "text", "bool")
        value = self.maker.value(kind, 1)
        if self.rng.random() < 0.5:
            return Aggregate(piece("jsonb", "jsonb_agg(", value, order, entry="jsonb_agg"))
        key = self.maker.value(self._kind("int4", "text"), 0)
        start = piece("text", "coalesce(", key, "::text, 'none'), ")
        return Aggregate(piece("jsonb", "jsonb_object_agg(", start, value, order, entry="jsonb_object_agg"))

    def window(self) -> Piece:
        """A window function in a total order."""
        keys = list(self.keys)
        own = self.rng.choice(
            [column for column in self.maker.columns if column.type in _ORDERED]
            or [Column("1", "one", "int4")]
        )
        partition = self.rng.choice(
            [column.sql for column in self.maker.columns if column.name in {"k", "g", "bo"}] or ["1"]
        )
        over = f"PARTITION BY {partition} " if self.rng.random() < 0.6 else ""
        way = self.rng.choice(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"])
        order = ", ".join([f"{own.sql}{way}", *keys])
        kind = self._kind("int4", "int8", "text", "date")
        value = text(self.maker.value(kind, 0))
        calls = [
            *((one, "float8" if one in {"percent_rank()",
                "cume_dist()"} else "int8") for one in _WINDOW_ONLY),
            *((f"{name}({value})", kind) for name in ("lag", "lead", "first_value", "last_value", "min",
                "max")),
            (f"lag({value}, 2)", kind), (f"nth_value({value}, 2)", kind), ("count(*)", "int8"),
                (f"count({value})", "int8"),
        ]  # fmt: skip
        call, result = self.rng.choice(calls)
        result = "int4" if call == "ntile(3)" else result
        return piece(
            result,
            f"{call} OVER ({over}ORDER BY {order} {self.rng.choice(_FRAMES)})",
            entry=f"window {call.partition('(')[0]}",
        )

    def _kind(self, *kinds: str) -> str:
        usable = [kind for kind in kinds if kind in self.maker.types]
        return self.rng.choice(usable or list(kinds))


def _entry(name: str, kind: str) -> str:
    return f"pg_catalog.{name}(pg_catalog.{kind})"


def _filtered(call: Piece, condition: Piece) -> Piece:
    return piece(call.type, call, " FILTER (WHERE ", condition, ")", entry=call.entry)
