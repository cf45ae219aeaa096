"""Intervals: arithmetic and fields. Both engines keep months, days and microseconds apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import Call, Entry, constant, entry, fill, special
from rvbbit_fdw.pushdown.kinds import decimal
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written

_RANGE = "an error if the result is out of range"

_MONTHS = "(year({1}) * 12 + month({1}))"
_DAYS = "day({1})"
_TIME = "(hour({1}) * 3600000000 + minute({1}) * 60000000 + microsecond({1}))"
"""The three parts as DuckDB gives them; microsecond() has the seconds in it."""

_WHOLE: Mapping[str, str] = {
    "year": f"({_MONTHS} // 12)",
    "month": f"({_MONTHS} % 12)",
    "quarter": f"({_MONTHS} % 12 // 3 + 1)",
    "day": _DAYS,
    "hour": "hour({1})",
    "minute": "minute({1})",
    "decade": f"({_MONTHS} // 120)",
    "century": f"({_MONTHS} // 1200)",
    "millennium": f"({_MONTHS} // 12000)",
}

_PARTS_OF_SECOND = {"second": 6, "milliseconds": 3, "microseconds": 0}

_SECONDS_OF_DATE = (
    f"(CAST({_MONTHS} // 12 AS HUGEINT) * 31557600 + CAST({_MONTHS} % 12 AS HUGEINT) * 2592000"
    f" + CAST({_DAYS} AS HUGEINT) * 86400)"
)
"""A year of 365.25 days, a month of 30."""

_EPOCH = f"CAST({_SECONDS_OF_DATE} * 1000000 + {_TIME} AS DECIMAL(23,0))"


def _unit(call: Call) -> str:
    unit = constant(call, 0, "the field").lower()
    if unit not in {*_WHOLE, *_PARTS_OF_SECOND, "epoch"}:
        reason = f'the field "{unit}" of an interval is not known to be the same in DuckDB'
        raise Local(reason)
    return unit


def _extract(call: Call) -> Written:
    unit = _unit(call)
    if unit == "epoch":
        return fill(f"CAST({_EPOCH} * CAST(0.000001 AS DECIMAL(6,6)) AS DECIMAL(24,6))", call, decimal(24, 6))
    if unit in _WHOLE:
        return fill(f"CAST({_WHOLE[unit]} AS DECIMAL(19,0))", call, decimal(19, 0))
    scale = _PARTS_OF_SECOND[unit]
    if scale == 0:
        return fill("CAST(microsecond({1}) AS DECIMAL(8,0))", call, decimal(8, 0))
    one = f"CAST(0.{'0' * (scale - 1)}1 AS DECIMAL({scale},{scale}))"
    spelling = f"CAST(CAST(microsecond({{1}}) AS DECIMAL(8,0)) * {one} AS DECIMAL(8,{scale}))"
    return fill(spelling, call, decimal(8, scale))


def _date_part(call: Call) -> Written:
    unit = _unit(call)
    if unit == "epoch":
        return fill(_EPOCH_DOUBLE, call, kinds.FLOAT8)
    if unit in _WHOLE:
        return fill(f"CAST({_WHOLE[unit]} AS DOUBLE)", call, kinds.FLOAT8)
    if unit == "second":
        return fill(_SECOND, call, kinds.FLOAT8)
    divisor = 10 ** _PARTS_OF_SECOND[unit]
    return fill(f"(CAST(microsecond({{1}}) AS DOUBLE) / {divisor})", call, kinds.FLOAT8)


_SECOND = (
    "(CAST(microsecond({1}) // 1000000 AS DOUBLE) + CAST(microsecond({1}) % 1000000 AS DOUBLE) / 1000000)"
)
_EPOCH_DOUBLE = (
    f"(CAST({_TIME} AS DOUBLE) / 1000000 + 31557600 * CAST({_MONTHS} // 12 AS DOUBLE)"
    f" + 2592000 * CAST({_MONTHS} % 12 AS DOUBLE) + 86400 * CAST({_DAYS} AS DOUBLE))"
)


def _entries() -> Iterator[Entry]:
    for operator in "+-":
        name = f"{operator}(interval,interval)"
        yield entry(name, "interval", f"({{0}} {operator} {{1}})", fallible=True, note=_RANGE)
    yield entry("-(interval)", "interval", "(-{0})", fallible=True, note=_RANGE)
    note = f"fields: {', '.join((*_WHOLE, *_PARTS_OF_SECOND, 'epoch'))}"
    for name, result, speller in (("extract", "numeric", _extract), ("date_part", "float8", _date_part)):
        yield special(
            f"{name}(text,interval)", result, speller, "the field's function", constants=[0], note=note
        )


ENTRIES = tuple(_entries())
