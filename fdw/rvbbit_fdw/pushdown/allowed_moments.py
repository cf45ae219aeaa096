"""Timestamps cut off to a unit, and casts between dates and timestamps."""

from __future__ import annotations

from collections.abc import Iterator

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.allowed_dates import NO_MOMENT, failing, moment_checked
from rvbbit_fdw.pushdown.entry import Call, Entry, constant, entry, fill, special
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written

_YEARS = {
    "decade": ("{y} // 10 * 10", "-((9 - {y}) // 10) * 10"),
    "century": ("({y} + 99) // 100 * 100 - 99", "-((100 - {y}) // 100) * 100 + 1"),
    "millennium": ("({y} + 999) // 1000 * 1000 - 999", "-((1000 - {y}) // 1000) * 1000 + 1"),
}
"""The first year of its span for a year from 1 on, and for one before, where 0 is 1 BC."""

_SAFE = frozenset({"microseconds", "milliseconds", "second", "minute", "hour", "day", "week"})
_EARLY = {
    "month": "TIMESTAMP '4714-12-01 (BC) 00:00:00'",
    "quarter": "TIMESTAMP '4713-01-01 (BC) 00:00:00'",
    "year": "TIMESTAMP '4713-01-01 (BC) 00:00:00'",
}
"""The first moment from which on the unit does not begin before PostgreSQL's first timestamp."""


def unit_of(call: Call) -> str:
    """The unit of date_trunc, in lower case; Local if it is none that is known."""
    unit = constant(call, 0, "the unit").lower()
    if unit not in _SAFE | _EARLY.keys() | _YEARS.keys():
        reason = f'the unit "{unit}" is not known to be the same in DuckDB'
        raise Local(reason)
    return unit


def truncated(call: Call) -> Written:
    """date_trunc() of a timestamp."""
    unit = unit_of(call)
    if unit in _SAFE:
        return fill(f"date_trunc('{unit}', {{1}})", call, kinds.TIMESTAMP)
    if unit in _EARLY:
        early = f"isfinite({{1}}) AND {{1}} < {_EARLY[unit]}"
        spelling = f"CASE WHEN {early} THEN {NO_MOMENT} ELSE date_trunc('{unit}', {{1}}) END"
        return fill(spelling, call, kinds.TIMESTAMP, fallible=True)
    late, early = (form.replace("{y}", "year({1})") for form in _YEARS[unit])
    year = f"CASE WHEN year({{1}}) > 0 THEN {late} ELSE {early} END"
    first = f"CAST(make_date({year}, 1, 1) AS TIMESTAMP)"
    spelling = f"CASE WHEN isfinite({{1}}) THEN {moment_checked(first)} ELSE {{1}} END"
    return fill(spelling, call, kinds.TIMESTAMP, fallible=True)


def _parts() -> Iterator[Entry]:
    yield special(
        "date_trunc(text,timestamp)",
        "timestamp",
        truncated,
        "date_trunc(a, b)",
        fallible=True,
        constants=[0],
    )


def _casts() -> Iterator[Entry]:
    yield failing("timestamp(date)", "timestamp", "CAST({0} AS TIMESTAMP)", "CAST(a AS TIMESTAMP)")
    yield entry("date(timestamp)", "date", "CAST({0} AS DATE)")
    yield entry("time(timestamp)", "time", _TIME, shown="CAST(a AS TIME)")


_TIME = "CASE WHEN isfinite({0}) THEN CAST({0} AS TIME) END"


# In the order of PostgreSQL's own steps, so that the double is rounded to microseconds where it rounds.
_FROM_EPOCH = (
    "CASE WHEN isnan({0}) OR {0} < -210866803200 AND NOT isinf({0})"
    f" THEN CAST({NO_MOMENT} AS TIMESTAMPTZ)"
    " WHEN isinf({0}) THEN CASE WHEN {0} > 0 THEN CAST('infinity' AS TIMESTAMPTZ)"
    " ELSE CAST('-infinity' AS TIMESTAMPTZ) END ELSE CAST("
    "make_timestamp(CAST(({0} - 946684800) * 1000000 AS BIGINT) + 946684800000000) AS TIMESTAMPTZ) END"
)


def _from_numbers() -> Iterator[Entry]:
    yield failing("to_timestamp(float8)", "timestamptz", _FROM_EPOCH, "to_timestamp(a)")


ENTRIES = (*_parts(), *_casts(), *_from_numbers())
