"""Timestamps cut off to a unit, and casts between dates and timestamps, some of which need the time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.allowed_dates import NO_MOMENT, failing, moment_checked
from rvbbit_fdw.pushdown.entry import Call, Entry, Speller, constant, entry, fill, special
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.pushdown.zones import check_session_zone, is_utc, local

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


def _unit(call: Call) -> str:
    unit = constant(call, 0, "the unit").lower()
    if unit not in _SAFE | _EARLY.keys() | _YEARS.keys():
        reason = f'the unit "{unit}" is not known to be the same in DuckDB'
        raise Local(reason)
    return unit


def _truncated(call: Call) -> Written:
    unit = _unit(call)
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


def _truncated_in_zone(call: Call) -> Written:
    made = _truncated(Call([call[0], local(call[1], call.scope)], call.scope))
    return replace(made, sql=typed(made.sql, kinds.TIMESTAMPTZ), kind=kinds.TIMESTAMPTZ)


def _parts() -> Iterator[Entry]:
    yield special(
        "date_trunc(text,timestamp)",
        "timestamp",
        _truncated,
        "date_trunc(a, b)",
        fallible=True,
        constants=[0],
    )
    yield special(
        "date_trunc(text,timestamptz)",
        "timestamptz",
        _truncated_in_zone,
        "date_trunc(a, b)",
        fallible=True,
        constants=[0],
        note=_UTC,
    )


_UTC = "only while TimeZone is UTC"


def _zoned(spelling: str, result: str, *, fallible: bool = False) -> Speller:
    kind = kinds.FIXED[f"pg_catalog.{result}"]

    def spell(call: Call) -> Written:
        check_session_zone(call.scope)
        return fill(spelling, call, kind, fallible=fallible)

    return spell


def _casts() -> Iterator[Entry]:
    yield failing("timestamp(date)", "timestamp", "CAST({0} AS TIMESTAMP)", "CAST(a AS TIMESTAMP)")
    yield entry("date(timestamp)", "date", "CAST({0} AS DATE)")
    yield entry("time(timestamp)", "time", _TIME, shown="CAST(a AS TIME)")
    yield special(
        "date(timestamptz)",
        "date",
        _zoned("CAST(CAST({0} AS TIMESTAMP) AS DATE)", "date"),
        "CAST(a AS DATE)",
        note=_UTC,
    )
    yield special(
        "timestamp(timestamptz)",
        "timestamp",
        _zoned("CAST({0} AS TIMESTAMP)", "timestamp"),
        "CAST(a AS TIMESTAMP)",
        note=_UTC,
    )
    yield special(
        "timestamptz(timestamp)",
        "timestamptz",
        _zoned("CAST({0} AS TIMESTAMPTZ)", "timestamptz"),
        "CAST(a AS TIMESTAMPTZ)",
        note=_UTC,
    )
    yield special(
        "timestamptz(date)",
        "timestamptz",
        _zoned("CAST(CAST({0} AS TIMESTAMP) AS TIMESTAMPTZ)", "timestamptz", fallible=True),
        "CAST(a AS TIMESTAMPTZ)",
        fallible=True,
        narrower=True,
        note=_UTC,
    )
    yield special(
        "timezone(text,timestamptz)",
        "timestamp",
        _at_zone("TIMESTAMP", "timestamp"),
        "CAST(b AS TIMESTAMP)",
        constants=[0],
        note="UTC",
    )
    yield special(
        "timezone(text,timestamp)",
        "timestamptz",
        _at_zone("TIMESTAMPTZ", "timestamptz"),
        "CAST(b AS TIMESTAMPTZ)",
        constants=[0],
        note="UTC",
    )


_TIME = "CASE WHEN isfinite({0}) THEN CAST({0} AS TIME) END"


def _at_zone(duckdb: str, result: str) -> Speller:
    kind = kinds.FIXED[f"pg_catalog.{result}"]

    def spell(call: Call) -> Written:
        zone = constant(call, 0, "the time zone")
        if not is_utc(zone):
            reason = f'the time zone "{zone}" is not known to be the same in DuckDB'
            raise Local(reason)
        return fill(f"CAST({{1}} AS {duckdb})", call, kind)

    return spell


ENTRIES = (*_parts(), *_casts())
