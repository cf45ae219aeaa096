"""What depends on a time zone: the session's, or one that is named by a constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.allowed_compare import ZONE_NOTE
from rvbbit_fdw.pushdown.allowed_dates import NO_MOMENT, age, shifted
from rvbbit_fdw.pushdown.allowed_formats import FORMATS, in_words
from rvbbit_fdw.pushdown.allowed_moments import truncated, unit_of
from rvbbit_fdw.pushdown.entry import Call, Entry, Speller, constant, fill, special
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.literals import parse_interval, typed
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.pushdown.zones import checked, in_session, instant, is_utc, local
from rvbbit_fdw.sqltext import Sql

ZONED = ZONE_NOTE

_WITHIN_A_DAY = frozenset({"microseconds", "milliseconds", "second", "minute", "hour"})


def _truncated(call: Call) -> Written:
    """From a day on the beginning is sought anew; below, the offset from UTC is kept."""
    zone = checked(call.scope.time_zone)
    inner = Call([call[0], local(call[1], zone)], call.scope)
    unit = unit_of(call)
    if is_utc(zone) or unit not in _WITHIN_A_DAY:
        return instant(truncated(inner), zone)
    rest = f"epoch_us({{1}}) - epoch_us(date_trunc('{unit}', {{1}}))"
    cut_off = fill(rest, inner, kinds.INT8)
    moved = "CAST(make_timestamp(epoch_us({0}) - ({1})) AS TIMESTAMPTZ)"
    both = Call([call[1], cut_off], call.scope)
    return fill(f"CASE WHEN isfinite({{0}}) THEN {moved} ELSE {{0}} END", both, kinds.TIMESTAMPTZ)


def _to_date(call: Call) -> Written:
    inner = Call([in_session(call[0], call.scope)], call.scope)
    return fill("CAST({0} AS DATE)", inner, kinds.DATE)


def _to_time(call: Call) -> Written:
    inner = Call([in_session(call[0], call.scope)], call.scope)
    return fill("CASE WHEN isfinite({0}) THEN CAST({0} AS TIME) END", inner, kinds.TIME)


def _to_local(call: Call) -> Written:
    return in_session(call[0], call.scope)


def _to_instant(call: Call) -> Written:
    return instant(call[0], call.scope.time_zone)


def _date_to_instant(call: Call) -> Written:
    moment = replace(call[0], sql=typed(call[0].sql, kinds.TIMESTAMP), kind=kinds.TIMESTAMP, fallible=True)
    return instant(moment, call.scope.time_zone)


def _age(call: Call) -> Written:
    """In other zones the order of two instants may not be that of their local times."""
    zone = checked(call.scope.time_zone)
    if not is_utc(zone):
        raise Local("the age of two timestamps with time zone is computed in DuckDB only in UTC")
    return age(Call([local(each, zone) for each in call.arguments], call.scope))


def _in_words(call: Call) -> Written:
    return in_words(Call([in_session(call[0], call.scope), call[1]], call.scope))


def _at_zone(kind: Kind) -> Speller:
    def spell(call: Call) -> Written:
        zone = constant(call, 0, "the time zone")
        return local(call[1], zone) if kind is kinds.TIMESTAMP else instant(call[1], zone)

    return spell


def _moved(operator: str, moment: int, interval: int) -> Speller:
    """A timestamptz and an interval: months and days are counted on the clocks of the zone."""
    by_clock = shifted(operator, 0, 1)

    def spell(call: Call) -> Written:
        zone = checked(call.scope.time_zone)
        if is_utc(zone):
            made = by_clock(Call([local(call[moment], zone), call[interval]], call.scope))
            return instant(made, zone)
        return _moved_in_zone(call[moment], _signed(call[interval], operator), zone, call.scope)

    return spell


def _signed(interval: Written, operator: str) -> tuple[int, int, int]:
    if not isinstance(interval.value, str):
        raise Local("an interval that is no constant is not added in a time zone other than UTC")
    months, days, microseconds = parse_interval(interval.value)
    if min(months, days, microseconds) < 0 < max(months, days, microseconds):
        raise Local("an interval of both signs is not added in a time zone other than UTC")
    sign = 1 if operator == "+" else -1
    return sign * months, sign * days, sign * microseconds


def _moved_in_zone(moment: Written, parts: tuple[int, int, int], zone: str, scope: Scope) -> Written:
    """One part after the other, each from the instant to which the part before it led."""
    months, days, microseconds = parts
    for count, step in ((months, f"to_months({months})"), (days, f"to_days({days})")):
        if count:
            by_clock = local(moment, zone)
            moment = instant(replace(by_clock, sql=Sql(f"({by_clock.sql} + {step})")), zone)
    if microseconds:
        in_utc = f"(CAST({moment.sql} AS TIMESTAMP) + to_microseconds({microseconds}))"
        moment = replace(moment, sql=Sql(f"CAST({in_utc} AS TIMESTAMPTZ)"))
    early = "{0} < CAST('4714-11-24 (BC) 00:00:00+00' AS TIMESTAMPTZ)"
    failing = f"CAST({NO_MOMENT} AS TIMESTAMPTZ)"
    spelling = f"CASE WHEN isfinite({{0}}) AND {early} THEN {failing} ELSE {{0}} END"
    return fill(spelling, Call([moment], scope), kinds.TIMESTAMPTZ, fallible=True)


def _special(
    name: str,
    result: str,
    spell: Speller,
    shown: str,
    *,
    fallible: bool = False,
    constants: tuple[int, ...] = (),
) -> Entry:
    note = "the zone has to be one on which both engines agree" if constants else ZONED
    return special(
        name, result, spell, shown, fallible=fallible, narrower=True, constants=constants, note=note
    )


def _entries() -> Iterator[Entry]:
    yield special(
        "date_trunc(text,timestamptz)",
        "timestamptz",
        _truncated,
        "timezone(zone, date_trunc(a, timezone(zone, b)))",
        fallible=True,
        narrower=True,
        constants=[0],
        note=ZONED,
    )
    yield _special("date(timestamptz)", "date", _to_date, "CAST(timezone(zone, a) AS DATE)")
    yield _special("time(timestamptz)", "time", _to_time, "CAST(timezone(zone, a) AS TIME)")
    yield _special("timestamp(timestamptz)", "timestamp", _to_local, "timezone(zone, a)", fallible=True)
    yield _special("timestamptz(timestamp)", "timestamptz", _to_instant, "timezone(zone, a)", fallible=True)
    yield special(
        "timestamptz(date)",
        "timestamptz",
        _date_to_instant,
        "timezone(zone, CAST(a AS TIMESTAMP))",
        fallible=True,
        narrower=True,
        note=ZONED,
    )
    yield special(
        "age(timestamptz,timestamptz)",
        "interval",
        _age,
        "age(a, b)",
        fallible=True,
        narrower=True,
        note="only while TimeZone is UTC",
    )
    shown = "printf(b, fields of timezone(zone, a))"
    yield special(
        "to_char(timestamptz,text)",
        "text",
        _in_words,
        shown,
        narrower=True,
        constants=[1],
        note=f"{FORMATS}; {ZONED}",
    )
    for name, speller in (
        ("+(timestamptz,interval)", _moved("+", 0, 1)),
        ("-(timestamptz,interval)", _moved("-", 0, 1)),
        ("+(interval,timestamptz)", _moved("+", 1, 0)),
    ):
        shown = "b + a" if name.startswith("+(i") else f"a {name[0]} b"
        yield special(name, "timestamptz", speller, shown, fallible=True, narrower=True, note=ZONED)
    for source, kind in (("timestamptz", kinds.TIMESTAMP), ("timestamp", kinds.TIMESTAMPTZ)):
        result = kind.type.removeprefix("pg_catalog.")
        yield _special(
            f"timezone(text,{source})",
            result,
            _at_zone(kind),
            "timezone(a, b)",
            fallible=True,
            constants=(0,),
        )


ENTRIES = tuple(_entries())
