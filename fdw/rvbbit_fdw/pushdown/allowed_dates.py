"""Arithmetic of dates, timestamps and intervals.

DuckDB's timestamps begin earlier than PostgreSQL's and end 29 years earlier; its dates go further both ways.
Where PostgreSQL's value would be out of range there is an error in both.
"""

from __future__ import annotations

from collections.abc import Iterator

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import Call, Entry, Speller, entry, failure, fill, special
from rvbbit_fdw.pushdown.literals import parse_interval
from rvbbit_fdw.pushdown.written import Written

_FIRST_DAY, _LAST_DAY = "DATE '4714-11-24 (BC)'", "DATE '5874897-12-31'"
_FIRST_MOMENT = "TIMESTAMP '4714-11-24 (BC) 00:00:00'"
_RANGE = "an error if the result is out of range"
_NO_DATE = failure("date out of range", "DATE")
NO_MOMENT = failure("timestamp out of range", "TIMESTAMP")


_INFINITE = "(NOT isfinite({0}) OR NOT isfinite({1})) AND {0} IS NOT NULL AND {1} IS NOT NULL"


def _day_checked(value: str) -> str:
    outside = f"isfinite({value}) AND ({value} < {_FIRST_DAY} OR {value} > {_LAST_DAY})"
    return f"CASE WHEN {outside} THEN {_NO_DATE} ELSE {value} END"


def moment_checked(value: str) -> str:
    """The timestamp, or an error if it is before PostgreSQL's first one."""
    return f"CASE WHEN isfinite({value}) AND {value} < {_FIRST_MOMENT} THEN {NO_MOMENT} ELSE {value} END"


def failing(name: str, result: str, spelling: str, shown: str, note: str = _RANGE) -> Entry:
    """An entry that can fail; as DuckDB's timestamps end earlier, also for values that PostgreSQL has."""
    return special(name, result, _filled(spelling, result), shown, fallible=True, narrower=True, note=note)


def _filled(spelling: str, result: str) -> Speller:
    kind = kinds.FIXED[f"pg_catalog.{result}"]
    return lambda call: fill(spelling, call, kind, fallible=True)


def _dates() -> Iterator[Entry]:
    yield failing("+(date,int4)", "date", _day_checked("({0} + {1})"), "a + b")
    yield failing("+(int4,date)", "date", _day_checked("({1} + {0})"), "b + a")
    yield failing("-(date,int4)", "date", _day_checked("({0} - {1})"), "a - b")
    infinite = failure("cannot subtract infinite dates", "INTEGER")
    spelling = f"CASE WHEN {_INFINITE} THEN {infinite} ELSE CAST({{0}} - {{1}} AS INTEGER) END"
    yield entry("-(date,date)", "int4", spelling, fallible=True, note="an error for infinity")
    for type_name in ("date", "timestamp", "timestamptz"):
        yield entry(f"isfinite({type_name})", "bool", "isfinite({0})")
    yield failing(
        "make_date(int4,int4,int4)", "date", _MAKE_DATE, "make_date(a, b, c)", "an error for what is no date"
    )


_MAKE_DATE = (
    "CASE WHEN {0} IS NULL OR {1} IS NULL OR {2} IS NULL THEN NULL"
    f" WHEN {{0}} = 0 OR {{0}} < -4714 OR {{0}} > 5874897 THEN {_NO_DATE}"
    " ELSE make_date(CASE WHEN {0} < 0 THEN {0} + 1 ELSE {0} END, {1}, {2}) END"
)


def shifted(operator: str, moment: int, interval: int) -> Speller:
    """A timestamp and an interval.

    PostgreSQL adds months, days and time one after the other; none of the steps may leave the range.
    """

    def spell(call: Call) -> Written:
        base, shift = f"{{{moment}}}", f"{{{interval}}}"
        value = f"({base} {operator} {shift})"
        steps = [value]
        if not _of_one_sign(call[interval]):
            months = f"to_months(CAST(year({shift}) * 12 + month({shift}) AS INTEGER))"
            steps += [
                f"({base} {operator} {months})",
                f"({base} {operator} {months} {operator} to_days(CAST(day({shift}) AS INTEGER)))",
            ]
        early = " OR ".join(f"{step} < {_FIRST_MOMENT}" for step in steps)
        spelling = f"CASE WHEN isfinite({base}) AND ({early}) THEN {NO_MOMENT} ELSE {value} END"
        return fill(spelling, call, kinds.TIMESTAMP, fallible=True)

    return spell


def _of_one_sign(interval: Written) -> bool:
    if not isinstance(interval.value, str):
        return False
    parts = parse_interval(interval.value)
    return min(parts) >= 0 or max(parts) <= 0


def _moments() -> Iterator[Entry]:
    for source in ("timestamp", "date"):
        for operator in "+-":
            yield _shift(f"{operator}({source},interval)", shifted(operator, 0, 1), f"a {operator} b")
        yield _shift(f"+(interval,{source})", shifted("+", 1, 0), "b + a")
    yield failing("+(date,time)", "timestamp", "({0} + {1})", "a + b")
    yield failing("+(time,date)", "timestamp", "({1} + {0})", "b + a")
    for name in ("timestamp", "timestamptz"):
        spelling = _DIFFERENCE if name == "timestamp" else _DIFFERENCE.replace("({0} - {1})", _IN_UTC)
        yield failing(f"-({name},{name})", "interval", spelling, "a - b", "an error for infinity")
    yield special("age(timestamp,timestamp)", "interval", age, "age(a, b)", fallible=True, narrower=True)


def _shift(name: str, speller: Speller, shown: str) -> Entry:
    return special(name, "timestamp", speller, shown, fallible=True, narrower=True, note=_RANGE)


_NO_INTERVAL = failure("interval out of range", "INTERVAL")
_DIFFERENCE = f"CASE WHEN {_INFINITE} THEN {_NO_INTERVAL} ELSE ({{0}} - {{1}}) END"


_IN_UTC = "(CAST({0} AS TIMESTAMP) - CAST({1} AS TIMESTAMP))"


def age(call: Call) -> Written:
    """age() of two timestamps."""
    spelling = f"CASE WHEN {_INFINITE} THEN {_NO_INTERVAL} ELSE age({{0}}, {{1}}) END"
    return fill(spelling, call, kinds.INTERVAL, fallible=True)


ENTRIES = (*_dates(), *_moments())
