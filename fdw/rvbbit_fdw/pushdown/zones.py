"""Time zones: which ones DuckDB may compute with."""

from __future__ import annotations

from dataclasses import replace

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written

_ALWAYS_ZERO = frozenset(
    {"utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct", "universal", "etc/universal", "zulu", "etc/zulu"}
    | {"etc/gmt0", "gmt0", "etc/gmt+0", "gmt+0", "etc/gmt-0", "gmt-0", "greenwich", "etc/greenwich"}
)
"""Names of zones that were never away from UTC."""


def is_utc(zone: str) -> bool:
    """True for a zone that was never away from UTC; DuckDB's own zone is UTC."""
    return zone.lower() in _ALWAYS_ZERO


def check_session_zone(scope: Scope) -> None:
    """Local unless the session's TimeZone is UTC."""
    if scope.time_zone is None or not is_utc(scope.time_zone):
        reason = f'it depends on the time zone, which is "{scope.time_zone}" and not UTC'
        raise Local(reason)


def local(argument: Written, scope: Scope) -> Written:
    """A timestamptz as the timestamp of the session's time zone."""
    check_session_zone(scope)
    return replace(argument, sql=typed(argument.sql, kinds.TIMESTAMP), kind=kinds.TIMESTAMP)
