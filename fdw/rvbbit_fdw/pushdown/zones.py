"""Time zones: which ones DuckDB may compute with, and how it converts.

UTC needs no rules. Any other zone is used only if it is in the list that `zone_list` makes when an image is
built, and if PostgreSQL's file of it is still the one that was compared.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED, failure
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.pushdown.zone_list import ZONE_FILES, digest
from rvbbit_fdw.sqltext import Sql, literal

_ALWAYS_ZERO = frozenset(
    {"utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct", "universal", "etc/universal", "zulu", "etc/zulu"}
    | {"etc/gmt0", "gmt0", "etc/gmt+0", "gmt+0", "etc/gmt-0", "gmt-0", "greenwich", "etc/greenwich"}
)
"""Names of zones that were never away from UTC."""

_LIST = Path(__file__).with_name("zones.json")

AGREED: dict[str, str] = json.loads(_LIST.read_text()) if _LIST.is_file() else {}
"""The zones on which both engines agree, with the hash of the file that was compared."""


def is_utc(zone: str) -> bool:
    """True for a zone that was never away from UTC; DuckDB's own zone is UTC."""
    return zone.lower() in _ALWAYS_ZERO


def checked(zone: str | None) -> str:
    """The zone's name; Local if DuckDB may not compute with it."""
    if zone is None or not (is_utc(zone) or _is_agreed(zone)):
        reason = f'the time zone "{zone}" is not known to be the same in DuckDB'
        raise Local(reason)
    return zone


@lru_cache(maxsize=64)
def _is_agreed(zone: str) -> bool:
    file = ZONE_FILES / zone
    return zone in AGREED and file.is_file() and digest(file) == AGREED[zone]


def local(argument: Written, zone: str | None) -> Written:
    """A timestamptz as the timestamp of the zone."""
    return _converted(argument, zone, kinds.TIMESTAMP)


def instant(argument: Written, zone: str | None) -> Written:
    """A timestamp of the zone as a timestamptz."""
    return _converted(argument, zone, kinds.TIMESTAMPTZ)


def in_session(argument: Written, scope: Scope) -> Written:
    """A timestamptz as the timestamp of the session's time zone."""
    return local(argument, scope.time_zone)


def _converted(argument: Written, zone: str | None, kind: Kind) -> Written:
    """Near the ends of PostgreSQL's time the other end of a conversion is out of range: an error."""
    name = checked(zone)
    if is_utc(name):
        return Written(typed(argument.sql, kind), kind, argument.fallible)
    if len(argument.sql) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")
    value, source = argument.sql, argument.kind.duckdb
    early = f"isfinite({value}) AND {value} < CAST('4714-11-26 (BC) 00:00:00+00' AS {source})"
    inside = f"CASE WHEN {early} THEN {failure('timestamp out of range', source)} ELSE {value} END"
    return Written(Sql(f"timezone({literal(name)}, {inside})"), kind, fallible=True)
