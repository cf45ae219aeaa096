"""Values as DuckDB SQL that has exactly the carrier's type and exactly the value.

Values arrive as PostgreSQL's output functions write them under the protocol's fixed settings. A value that
DuckDB cannot hold raises reasons.Local.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.reasons import Local, unknown_type
from rvbbit_fdw.sqltext import Sql
from rvbbit_fdw.sqltext import literal as quoted

_LAST_YEAR = 294246
"""The last whole year of DuckDB's TIMESTAMP; PostgreSQL's goes 30 years further."""

_UNKNOWN = "pg_catalog.unknown"
"""The type of a text constant for a function that takes any type."""

_MICROSECONDS = 1 << 63
_HUGEINT_LIMIT = 1 << 127

_NUMERIC = re.compile(r"(-?)(\d+)(?:\.(\d+))?")
_MOMENT = re.compile(r"(\d{4,})-(\d\d-\d\d)(?: (\d\d:\d\d:\d\d(?:\.\d+)?))?(\+00)?( BC)?")
_INTERVAL_PART = re.compile(r"([+-]?\d+) (year|mon|day)s?")
_INTERVAL_TIME = re.compile(r"([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?")
_PER_UNIT = {"year": (12, 0), "mon": (1, 0), "day": (0, 1)}


def typed(sql: str, kind: Kind) -> Sql:
    """The SQL cast to the carrier's type."""
    return Sql(f"CAST({sql} AS {kind.duckdb})")


def literal(type_name: str, value: str | None) -> tuple[Sql, Kind]:
    """One value of a type as SQL, with its carrier; Local if DuckDB cannot hold it."""
    if type_name == kinds.NUMERIC:
        return _numeric(value)
    kind = kinds.TEXT if type_name == _UNKNOWN else kinds.FIXED.get(type_name)
    if kind is None:
        raise unknown_type(type_name)
    if value is None:
        return typed("NULL", kind), kind
    return _WRITERS[kind.duckdb](value, kind), kind


def units(kind: Kind, value: str | None) -> int | None:
    """How far from 0 a number is, counted in units of its last digit; None for what is no number."""
    is_number = value is not None and kind.largest > 0
    return int("".join(filter(str.isdigit, value or ""))) if is_number else None


def _numeric(value: str | None) -> tuple[Sql, Kind]:
    if value is None:
        kind = kinds.decimal(1, 0)
        return typed("NULL", kind), kind
    match = _NUMERIC.fullmatch(value)
    if match is None:
        reason = f"DuckDB has no numeric {value}"
        raise Local(reason)
    fraction = match[3] or ""
    digits = len((match[2] + fraction).lstrip("0"))
    if digits <= kinds.MAX_DIGITS and len(fraction) <= kinds.MAX_DIGITS:
        kind = kinds.decimal(digits, len(fraction))
        return typed(quoted(value), kind), kind
    if not fraction and -_HUGEINT_LIMIT <= int(value) < _HUGEINT_LIMIT:
        return typed(quoted(value), kinds.HUGEINT), kinds.HUGEINT
    raise Local("DuckDB has no numeric of so many digits")


def _as_is(value: str, kind: Kind) -> Sql:
    return typed(value, kind)


def _bool(value: str, _kind: Kind) -> Sql:
    return Sql("true" if value.startswith("t") else "false")


def _in_quotes(value: str, kind: Kind) -> Sql:
    return typed(quoted(value), kind)


def _text(value: str, _kind: Kind) -> Sql:
    return quoted(value)


def _bytea(value: str, _kind: Kind) -> Sql:
    if not value.startswith("\\x"):
        raise Local("a bytea constant does not come as hexadecimal digits")
    return Sql(f"unhex({quoted(value[2:])})")


def _moment(value: str, kind: Kind) -> Sql:
    if value in {"infinity", "-infinity"}:
        return typed(quoted(value), kind)
    match = _MOMENT.fullmatch(value)
    if match is None:
        reason = f"{value} cannot be written for DuckDB"
        raise Local(reason)
    year, day, time, zone, era = match.groups()
    if kind is not kinds.DATE and int(year) > _LAST_YEAR:
        reason = f"DuckDB has no timestamp {value}"
        raise Local(reason)
    parts = [f"{year}-{day}", "(BC)" if era else "", f"{time}{zone or ''}" if time else ""]
    return typed(quoted(" ".join(part for part in parts if part)), kind)


def _interval(value: str, _kind: Kind) -> Sql:
    """Months, days and microseconds, as both engines keep an interval."""
    months, days, microseconds = parse_interval(value)
    return Sql(f"(to_months({months}) + to_days({days}) + to_microseconds({microseconds}))")


def parse_interval(value: str) -> tuple[int, int, int]:
    """Months, days and microseconds of an interval in style postgres."""
    if "infinity" in value:
        reason = f"DuckDB has no interval {value}"
        raise Local(reason)
    months = days = 0
    for count, unit in _INTERVAL_PART.findall(value):
        per_month, per_day = _PER_UNIT[unit]
        months, days = months + int(count) * per_month, days + int(count) * per_day
    microseconds = _time_of_interval(value)
    if not -_MICROSECONDS < microseconds < _MICROSECONDS:
        reason = f"DuckDB has no interval {value}"
        raise Local(reason)
    return months, days, microseconds


def _time_of_interval(value: str) -> int:
    match = _INTERVAL_TIME.search(value)
    if match is None:
        return 0
    sign, hours, minutes, seconds, fraction = match.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
    microseconds = whole * 1_000_000 + int((fraction or "").ljust(6, "0"))
    return -microseconds if sign == "-" else microseconds


_WRITERS: Mapping[str, Callable[[str, Kind], Sql]] = {
    "BOOLEAN": _bool,
    "SMALLINT": _as_is,
    "INTEGER": _as_is,
    "BIGINT": _as_is,
    "FLOAT": _in_quotes,
    "DOUBLE": _in_quotes,
    "VARCHAR": _text,
    "BLOB": _bytea,
    "DATE": _moment,
    "TIME": _in_quotes,
    "TIMESTAMP": _moment,
    "TIMESTAMPTZ": _moment,
    "INTERVAL": _interval,
    "UUID": _in_quotes,
}
