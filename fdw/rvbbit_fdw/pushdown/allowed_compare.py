"""Comparisons: every pair of types for which PostgreSQL has the operators."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from rvbbit_fdw.pushdown import kinds, literals
from rvbbit_fdw.pushdown.entry import Call, Collation, Entry, cast, special
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.logic import truth
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.pushdown.zones import checked, instant, is_utc
from rvbbit_fdw.sqltext import Sql

ZONE_NOTE = "by the TimeZone that holds when the query runs"

OPERATORS = ("=", "<>", "<", "<=", ">", ">=")

_Pair: TypeAlias = Callable[[Written, Written], "tuple[Sql, Sql]"]
"""Both operands as DuckDB may compare them."""

_Known: TypeAlias = Callable[[str, Written, Written], "Written | None"]
"""A quicker way to compare by an operator with a constant of this value; None if there is none."""


def _never(_operator: str, _left: Written, _right: Written) -> None:
    return None


@dataclass(frozen=True)
class Comparison:
    """The comparisons of one pair of types. `compare` takes IS DISTINCT FROM as an operator, too."""

    left: str
    right: str
    pair: _Pair
    how: str
    note: str = ""
    zoned: bool = False
    known: _Known = _never

    @property
    def collation(self) -> Collation:
        """What equality needs of the collation; an order needs more."""
        return Collation.EQUALITY if self.left == "text" else Collation.IGNORED

    def compare(self, operator: str, left: Written, right: Written) -> Written:
        """The two compared by one of OPERATORS or by IS DISTINCT FROM."""
        one, other = self.pair(left, right)
        return self.known(operator, left, right) or truth(f"({one} {operator} {other})", left, right)

    def _spell(self, operator: str, call: Call) -> Written:
        left, right = call[0], call[1]
        if self.zoned and not is_utc(checked(call.scope.time_zone)):
            zone = call.scope.time_zone
            one, other = _as_instant(left, zone), _as_instant(right, zone)
            return truth(f"({one.sql} {operator} {other.sql})", one, other)
        return self.compare(operator, left, right)

    def entry(self, operator: str) -> Entry:
        """The line of the allow-list for an operator."""
        collation = self.collation
        if collation is not Collation.IGNORED and operator not in {"=", "<>"}:
            collation = Collation.ORDER
        return special(
            f"{operator}({self.left},{self.right})",
            "bool",
            lambda call: self._spell(operator, call),
            self.how,
            collation=collation,
            narrower=self.zoned,
            note=self.note,
        )


def _as_they_are(left: Written, right: Written) -> tuple[Sql, Sql]:
    return left.sql, right.sql


def _numerics(left: Written, right: Written) -> tuple[Sql, Sql]:
    kind = kinds.common(left.kind, right.kind)
    if kind is None:
        raise Local("the numerics compared need more than 38 digits together")
    return cast(left, kind), cast(right, kind)


def _doubles(left: Written, right: Written) -> tuple[Sql, Sql]:
    return cast(left, kinds.FLOAT8), cast(right, kinds.FLOAT8)


_LAST_DAY = "DATE '294247-01-10'"
_LAST_MOMENT = "TIMESTAMP '294247-01-10 04:00:54.775806'"


def _date_first(left: Written, right: Written) -> tuple[Sql, Sql]:
    """A date beyond the last TIMESTAMP is later than any but infinity."""
    beyond = f"(isfinite({left.sql}) AND {left.sql} > {_LAST_DAY})"
    moment = f"CASE WHEN {beyond} THEN {_LAST_MOMENT} ELSE {typed(left.sql, kinds.TIMESTAMP)} END"
    earlier = f"CASE WHEN {beyond} AND isfinite({right.sql}) THEN TIMESTAMP '2000-01-01' ELSE {right.sql} END"
    return Sql(moment), Sql(earlier)


_MOMENT = re.compile(r"(\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)")

# What a day has to be for the day and midnight of a moment to compare so.
_BY_DAY = {"=": ("=", None), "<": ("<", "<="), "<=": ("<=", "<="), ">": (">", ">"), ">=": (">=", ">")}


def _date_and_moment(operator: str, left: Written, right: Written) -> Written | None:
    """A date and a constant timestamp, as dates: DuckDB skips data by what is compared without a cast."""
    moment = _MOMENT.fullmatch(right.value) if isinstance(right.value, str) else None
    at_midnight, later = _BY_DAY.get(operator, (None, None))
    by_day = at_midnight if moment and not moment[2].strip("0:.") else later
    if moment is None or by_day is None:
        return None
    day, _ = literals.literal("pg_catalog.date", moment[1])
    return truth(f"({left.sql} {by_day} {day})", left)


def _moment_and_date(operator: str, left: Written, right: Written) -> Written | None:
    turned = operator.translate(str.maketrans("<>", "><"))
    return None if operator == "<>" else _date_and_moment(turned, right, left)


def _in_utc(left_type: str, right_type: str) -> _Pair:
    """A timestamptz as the timestamp of UTC, compared as that."""
    compared = {"timestamptz": "timestamp"}
    types = compared.get(left_type, left_type), compared.get(right_type, right_type)

    def pair(left: Written, right: Written) -> tuple[Sql, Sql]:
        one = _plain_moment(left) if left_type == "timestamptz" else left
        other = _plain_moment(right) if right_type == "timestamptz" else right
        by_types = {("date", "timestamp"): _date_first, ("timestamp", "date"): _date_last}
        return by_types.get(types, _as_they_are)(one, other)

    return pair


def _as_instant(argument: Written, zone: str | None) -> Written:
    """As PostgreSQL does it where UTC is not the zone."""
    if argument.kind is kinds.TIMESTAMPTZ:
        return argument
    if argument.kind is kinds.DATE:
        sql = typed(argument.sql, kinds.TIMESTAMP)
        argument = replace(argument, sql=sql, kind=kinds.TIMESTAMP, fallible=True)
    return instant(argument, zone)


def _plain_moment(argument: Written) -> Written:
    return replace(argument, sql=typed(argument.sql, kinds.TIMESTAMP), kind=kinds.TIMESTAMP)


_ZONED = (
    (("timestamp", "timestamptz"), "a", "CAST(b AS TIMESTAMP)"),
    (("timestamptz", "timestamp"), "CAST(a AS TIMESTAMP)", "b"),
    (("date", "timestamptz"), "CAST(a AS TIMESTAMP)", "CAST(b AS TIMESTAMP)"),
    (("timestamptz", "date"), "CAST(a AS TIMESTAMP)", "CAST(b AS TIMESTAMP)"),
)


def _date_last(left: Written, right: Written) -> tuple[Sql, Sql]:
    one, other = _date_first(right, left)
    return other, one


_SAME = ("bool", "int2", "int4", "int8", "float4", "float8", "bytea", "date", "time", "timestamp")
_SAME_TOO = ("timestamptz", "interval", "uuid")
_INTEGERS = ("int2", "int4", "int8")


def _comparisons() -> Iterator[Comparison]:
    plain = "a op b"
    for name in (*_SAME, *_SAME_TOO):
        yield Comparison(name, name, _as_they_are, plain)
    yield Comparison("text", "text", _as_they_are, plain)
    for left in _INTEGERS:
        for right in _INTEGERS:
            if left != right:
                yield Comparison(left, right, _as_they_are, plain)
    yield Comparison("numeric", "numeric", _numerics, plain, "both as the DECIMAL that holds either exactly")
    for left, right in (("float4", "float8"), ("float8", "float4")):
        yield Comparison(left, right, _doubles, plain, "both as DOUBLE")
    beyond = "dates after 294247 are later than any timestamp"
    yield Comparison(
        "date", "timestamp", _date_first, "CAST(a AS TIMESTAMP) op b", beyond, known=_date_and_moment
    )
    yield Comparison(
        "timestamp", "date", _date_last, "a op CAST(b AS TIMESTAMP)", beyond, known=_moment_and_date
    )
    for pair, first, last in _ZONED:
        how = f"{first} op {last}"
        yield Comparison(*pair, _in_utc(*pair), how, ZONE_NOTE, zoned=True)


COMPARISONS = tuple(_comparisons())

ENTRIES = tuple(each.entry(operator) for each in COMPARISONS for operator in OPERATORS)

BY_EQUALITY = {each.entry("=").name: each for each in COMPARISONS if not each.zoned}
"""What compares like this equality does."""
