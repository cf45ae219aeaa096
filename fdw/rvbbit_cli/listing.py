"""The list of sessions: which are asked for, and how they are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import click
from psycopg import sql
from rich.table import Table
from rich.text import Text

from rvbbit_cli import screen
from rvbbit_cli.connection import Connection
from rvbbit_cli.screen import Column, age, shown, size

COLUMNS: Final = (
    "session_id", "state", "is_named", "is_attached", "schema_name", "attached_by", "present_as",
    "auto_attach", "over_limit", "size_bytes", "wal_bytes", "size_mb", "created_at", "modified_at",
    "age_hours", "table_count", "duckdb_version", "storage_version", "file_path", "error",
)  # fmt: skip
"""The keys of --json and the columns of --csv."""

STATES: Final = ("ready", "live", "empty", "corrupt", "encrypted", "newer", "unreadable")

_SHORT: Final = ("session_id", "state", "size_bytes", "wal_bytes", "modified_at", "is_attached",
                 "schema_name", "attached_by")  # fmt: skip
_STATE: Final = ("session_id", "state")
_SPAN = re.compile(r"(\d+)\s*(s|min|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class Filter:
    """Which sessions; None or empty means all."""

    pattern: str = ""
    states: Sequence[str] = ()
    named: bool | None = None
    attached: bool | None = None
    since: timedelta | datetime | None = None

    def conditions(self) -> list[sql.Composable]:
        """What the session must be, as SQL over _rvbbit_sessions."""
        found: list[sql.Composable] = []
        if self.pattern:
            found.append(sql.SQL("session_id LIKE {}").format(sql.Literal(like(self.pattern))))
        if self.states:
            found.append(sql.SQL("state = ANY ({})").format(sql.Literal(list(self.states))))
        for column, wanted in (("is_named", self.named), ("is_attached", self.attached)):
            if wanted is not None:
                found.append(sql.SQL("" if wanted else "NOT ") + sql.Identifier(column))
        if isinstance(self.since, timedelta):
            found.append(sql.SQL("modified_at >= now() - {}").format(sql.Literal(self.since)))
        elif self.since is not None:
            found.append(sql.SQL("modified_at >= {}").format(sql.Literal(self.since)))
        return found


class Since(click.ParamType[timedelta | datetime]):
    """A span such as 90min, 24h, 7d, or a date or time in ISO 8601 (without a zone: of this machine)."""

    name = "when"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta | datetime:
        """A span back from now, or a time with its zone."""
        if isinstance(value, timedelta | datetime):
            return value
        span = _SPAN.fullmatch(value.strip())
        try:
            if span:
                return timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
            found = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f'"{value}" is neither a span such as 90min, 24h or 7d nor a date', param, ctx)
        return found.astimezone() if found.tzinfo is None else found


def like(pattern: str) -> str:
    """The LIKE pattern of a shell's: * is any text, ? a character; without either, ids that contain it."""
    plain = re.sub(r"([\\%_])", r"\\\1", pattern)
    if not re.search(r"[*?]", pattern):
        return f"%{plain}%"
    return plain.replace("*", "%").replace("?", "_")


_ORDER = sql.SQL(" ORDER BY modified_at DESC NULLS LAST, session_id")


def fetch(
    connection: Connection,
    wanted: Filter,
    names: Sequence[str],
    limit: int | None = None,
    count: bool = False,
) -> list[dict[str, Any]]:
    """The sessions, the newest first. The tables of each are counted only with `count`: it costs a copy."""
    return _page(connection, wanted, names, limit, count)[0]


def _page(
    connection: Connection, wanted: Filter, names: Sequence[str], limit: int | None, count: bool
) -> tuple[list[dict[str, Any]], int]:
    """The newest sessions, and how many there are without the limit."""
    conditions, total = wanted.conditions(), None
    if limit:
        # Names and times are to be had without opening a file: only those shown are looked into.
        query = _query([sql.Identifier("session_id"), sql.SQL("count(*) OVER ()")], conditions)
        newest = connection.execute(query + sql.SQL(" LIMIT {}").format(sql.Literal(limit))).fetchall()
        total = newest[0][1] if newest else 0
        conditions.append(sql.SQL("session_id = ANY ({})").format(sql.Literal([row[0] for row in newest])))
    found = connection.execute(_query([_expression(name, count) for name in names], conditions))
    rows = [dict(zip(names, row, strict=True)) for row in found]
    return rows, len(rows) if total is None else total


def _query(columns: Sequence[sql.Composable], conditions: Sequence[sql.Composable]) -> sql.Composed:
    where = sql.SQL(" WHERE ") + sql.SQL(" AND ").join(conditions) if conditions else sql.SQL("")
    return (
        sql.SQL("SELECT {} FROM public._rvbbit_sessions").format(sql.SQL(", ").join(columns)) + where + _ORDER
    )


def _expression(name: str, count: bool) -> sql.Composable:
    return sql.SQL("NULL::integer") if name == "table_count" and not count else sql.Identifier(name)


def fetch_short(
    connection: Connection, wanted: Filter, limit: int | None, *, why: bool, count: bool
) -> tuple[list[dict[str, Any]], int]:
    """What the table shows, and how many sessions there are without the limit."""
    names = [*_SHORT, *(["table_count"] if count else []), *(["error"] if why else [])]
    rows, total = _page(connection, wanted, names, limit, count)
    return _aged(connection, rows), total


def fetch_watched(connection: Connection, wanted: Filter, looked_into: int) -> list[dict[str, Any]]:
    """The same of all sessions; the state, which costs a look into the file, of the newest alone."""
    if wanted.states:
        return fetch_short(connection, wanted, None, why=False, count=False)[0]
    rows = fetch(connection, wanted, [name for name in _SHORT if name != "state"])
    states = {row["session_id"]: row["state"] for row in fetch(connection, wanted, _STATE, looked_into)}
    return _aged(connection, [{"state": states.get(row["session_id"]), **row} for row in rows])


def _aged(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    now = connection.execute("SELECT now()").fetchone()
    for row in rows:
        row["age"] = now[0] - row["modified_at"] if now and row["modified_at"] else None
    return rows


def as_table(rows: Sequence[dict[str, Any]], *, why: bool = False, count: bool = False) -> Table:
    """The rows of fetch_short; `why` takes the place of size and time, for want of room."""
    columns = [Column("SESSION", folds="name"), Column("STATE")]
    columns += [] if why else [Column("SIZE", "right"), Column("CHANGED", "right")]
    columns += [Column("TABLES", "right")] if count else []
    columns += [Column("ATTACHED", folds="name")]
    columns += [Column("WHY", folds="sentence")] if why else []
    return screen.table(columns, (_cells(row, why, count) for row in rows))


def _cells(row: dict[str, Any], why: bool, count: bool) -> list[Text]:
    cells = [shown(row["session_id"]), screen.state(row["state"])]
    if not why:
        total = None if row["size_bytes"] is None else row["size_bytes"] + (row["wal_bytes"] or 0)
        cells += [shown(size(total)), shown(age(row["age"]))]
    cells += [shown(row["table_count"])] if count else []
    cells += [_attached(row)]
    return cells + ([shown(row["error"])] if why else [])


def _attached(row: dict[str, Any]) -> Text:
    """Who attached it, and the schema if its name is another."""
    if not row["is_attached"]:
        return Text()
    other = row["schema_name"] != row["session_id"]
    return shown(row["attached_by"], "green") + (shown(f" as {row['schema_name']}") if other else Text())
