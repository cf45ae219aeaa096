"""extract() and date_part(): fields of dates, times and timestamps, exact in value and in digits.

The years and the like of infinity are infinite: date_part() can say so, and extract(), whose numeric has no
infinity in DuckDB, fails. Other fields of infinity are null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.allowed_zoned import ZONED
from rvbbit_fdw.pushdown.entry import Call, Entry, Speller, constant, failure, fill, special
from rvbbit_fdw.pushdown.kinds import decimal
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.pushdown.zones import in_session


@dataclass(frozen=True)
class Field:
    """One field: DuckDB's integer `whole`, divided by ten to the power of `scale`.

    `grows`: it grows with time for ever, so that it is infinite for infinity.
    """

    whole: str
    digits: int
    scale: int = 0
    grows: bool = False


def _field(name: str, digits: int, *, grows: bool = False) -> Field:
    return Field(f"CAST({name}({{1}}) AS BIGINT)", digits, grows=grows)


_CENTURY = "CASE WHEN {y} > 0 THEN ({y} + {less}) // {n} ELSE -(({less} - ({y} - 1)) // {n}) END"


def _hundreds(years: int) -> Field:
    """Centuries and millennia, of which there is no year 0 either."""
    spelled = (
        _CENTURY.replace("{y}", "year({1})").replace("{less}", str(years - 1)).replace("{n}", str(years))
    )
    return Field(f"CAST({spelled} AS BIGINT)", 10, grows=True)


_YEAR = "CASE WHEN {y}({1}) > 0 THEN {y}({1}) ELSE {y}({1}) - 1 END"
"""DuckDB has a year 0, which is 1 BC; PostgreSQL calls it -1."""

_DAYS: Mapping[str, Field] = {
    "year": Field(f"CAST({_YEAR.replace('{y}', 'year')} AS BIGINT)", 10, grows=True),
    "isoyear": Field(f"CAST({_YEAR.replace('{y}', 'isoyear')} AS BIGINT)", 10, grows=True),
    "decade": Field(
        "CAST(CASE WHEN year({1}) >= 0 THEN year({1}) // 10 ELSE -((9 - year({1})) // 10) END AS BIGINT)",
        10,
        grows=True,
    ),
    "century": _hundreds(100),
    "millennium": _hundreds(1000),
    "quarter": _field("quarter", 10),
    "month": _field("month", 10),
    "week": _field("week", 10),
    "day": _field("day", 10),
    "dow": _field("dayofweek", 10),
    "isodow": _field("isodow", 10),
    "doy": _field("dayofyear", 10),
}

_TIMES: Mapping[str, Field] = {
    "hour": _field("hour", 10),
    "minute": _field("minute", 10),
    "second": Field("CAST(microsecond({1}) AS BIGINT)", 8, 6),
    "milliseconds": Field("CAST(microsecond({1}) AS BIGINT)", 8, 3),
    "microseconds": Field("CAST(microsecond({1}) AS BIGINT)", 10),
}

_EPOCH = Field("epoch_us({1})", 19, 6, grows=True)
_DATE_EPOCH = Field("CAST(({1} - DATE '1970-01-01') AS BIGINT) * 86400", 19, grows=True)

_FIELDS: Mapping[str, Mapping[str, Field]] = {
    "date": {**_DAYS, "epoch": _DATE_EPOCH},
    "time": {**_TIMES, "epoch": Field("epoch_us({1})", 11, 6)},
    "timestamp": {**_DAYS, **_TIMES, "epoch": _EPOCH},
    "timestamptz": {**_DAYS, **_TIMES, "epoch": _EPOCH},
}


def _look_up(call: Call, type_name: str) -> Field:
    unit = constant(call, 0, "the field").lower()
    field = _FIELDS[type_name].get(unit)
    if field is None:
        reason = f'the field "{unit}" of a {type_name} is not known to be the same in DuckDB'
        raise Local(reason)
    return field


def _in_zone(call: Call, type_name: str, field: Field) -> Call:
    if type_name != "timestamptz" or field is _EPOCH:
        return call
    return Call([call[0], in_session(call[1], call.scope)], call.scope)


def _extract(type_name: str) -> Speller:
    failing = failure("infinity is not a number of fields", "SMALLINT")

    def spell(call: Call) -> Written:
        field = _look_up(call, type_name)
        kind = decimal(field.digits, field.scale)
        value = f"CAST({field.whole} AS DECIMAL({field.digits},0))"
        if field.scale:
            one = f"CAST(0.{'0' * (field.scale - 1)}1 AS DECIMAL({field.scale},{field.scale}))"
            value = f"CAST({value} * {one} AS {kind.duckdb})"
        if type_name == "time":
            return fill(value, call, kind)
        infinite = failing if field.grows else "NULL"
        spelling = f"CASE WHEN isfinite({{1}}) THEN {value} WHEN {{1}} IS NOT NULL THEN {infinite} END"
        return fill(spelling, _in_zone(call, type_name, field), kind, fallible=field.grows)

    return spell


def _date_part(type_name: str) -> Speller:
    def spell(call: Call) -> Written:
        unit = constant(call, 0, "the field").lower()
        field = _look_up(call, type_name)
        value = _SECOND if unit == "second" else f"CAST({field.whole} AS DOUBLE)"
        if field.scale and unit != "second":
            value = f"({value} / {10**field.scale})"
        if type_name == "time":
            return fill(value, call, kinds.FLOAT8)
        infinite = _INFINITE if field.grows else "NULL"
        spelling = f"CASE WHEN isfinite({{1}}) THEN {value} WHEN {{1}} IS NOT NULL THEN {infinite} END"
        return fill(spelling, _in_zone(call, type_name, field), kinds.FLOAT8)

    return spell


_SECOND = (
    "(CAST(microsecond({1}) // 1000000 AS DOUBLE) + CAST(microsecond({1}) % 1000000 AS DOUBLE) / 1000000)"
)

_INFINITE = (
    "CASE WHEN {1} > DATE '2000-01-01' THEN CAST('Infinity' AS DOUBLE) ELSE CAST('-Infinity' AS DOUBLE) END"
)

_Maker = Callable[[str], Speller]


def _entries() -> Iterator[Entry]:
    makers: tuple[tuple[str, str, _Maker], ...] = (
        ("extract", "numeric", _extract),
        ("date_part", "float8", _date_part),
    )
    for name, result, make in makers:
        for type_name, fields in _FIELDS.items():
            if (name, type_name) == ("date_part", "date"):  # inlined: it becomes that of a timestamp
                continue
            yield special(
                f"{name}(text,{type_name})",
                result,
                make(type_name),
                "the field's function",
                constants=[0],
                narrower=name == "extract" or type_name == "timestamptz",
                note=f"fields: {', '.join(fields)}" + (f"; {ZONED}" if type_name == "timestamptz" else ""),
            )


ENTRIES = tuple(_entries())
