"""The list of sessions again and again: what came, changed and went stands out."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.text import Text

from rvbbit_cli import screen
from rvbbit_cli.connection import Connection
from rvbbit_cli.listing import Filter, as_table, fetch_watched
from rvbbit_cli.screen import shown, size

_KEPT_CHANGES = 8
_LOOKED_INTO = 200
_AROUND = 5  # lines of the window that the table does not get

Sessions = Mapping[str, dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """What happened to a session between two looks: new, gone, state, attached, detached or written."""

    at: datetime
    what: str
    session_id: str
    text: str

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {"at": self.at, "change": self.what, "session_id": self.session_id, "text": self.text}


def changes(before: Sessions, now: Sessions, at: datetime) -> Iterator[Change]:
    """What differs, session by session."""
    for session_id, row in now.items():
        if session_id not in before:
            yield Change(
                at, "new", session_id, f"new, {row['state'] or 'not looked into'}, {size(_bytes(row))}"
            )
        else:
            yield from _changed(before[session_id], row, at)
    for session_id in before:
        if session_id not in now:
            yield Change(at, "gone", session_id, "gone")


def _changed(old: dict[str, Any], new: dict[str, Any], at: datetime) -> Iterator[Change]:
    session_id = new["session_id"]
    if old["state"] != new["state"] and None not in (old["state"], new["state"]):
        yield Change(at, "state", session_id, f"{old['state']} -> {new['state']}")
    if (old["is_attached"], old["schema_name"]) != (new["is_attached"], new["schema_name"]):
        if new["is_attached"]:
            yield Change(at, "attached", session_id, f"attached as {new['schema_name']}")
        else:
            yield Change(at, "detached", session_id, "detached")
    if old["modified_at"] != new["modified_at"] and new["modified_at"] is not None:
        yield Change(at, "written", session_id, f"written, {size(_bytes(old))} -> {size(_bytes(new))}")


def _bytes(row: dict[str, Any]) -> int | None:
    return None if row["size_bytes"] is None else row["size_bytes"] + (row["wal_bytes"] or 0)


@dataclass
class Watch:
    """Looks at the sessions every so many seconds until it is interrupted."""

    connection: Connection
    wanted: Filter
    seconds: float
    limit: int | None = None
    latest: dict[str, dict[str, Any]] = field(default_factory=dict)

    def looks(self) -> Iterator[tuple[Sequence[dict[str, Any]], list[Change]]]:
        """The rows and what changed since the look before; at the first nothing did."""
        first = True
        while True:
            rows = fetch_watched(self.connection, self.wanted, _LOOKED_INTO)
            now = {row["session_id"]: row for row in rows}
            found = [] if first else list(changes(self.latest, now, datetime.now().astimezone()))
            self.latest, first = now, False
            yield rows, found
            time.sleep(self.seconds)

    def lines(self, as_json: bool) -> None:
        """For a file or a pipe: a line for each change."""
        for _, found in self.looks():
            for change in found:
                sys.stdout.write(f"{screen.to_json(change.as_dict()) if as_json else _line(change).plain}\n")
            sys.stdout.flush()

    def live(self) -> None:
        """For a terminal: the newest sessions, and below them the last changes."""
        told: list[Change] = []
        console = screen.out()
        with Live(console=console, auto_refresh=False) as live:
            for rows, found in self.looks():
                told = (told + found)[-_KEPT_CHANGES:]
                live.update(self._picture(rows, told, {change.session_id for change in found}), refresh=True)

    def _picture(self, rows: Sequence[dict[str, Any]], told: Sequence[Change], fresh: set[str]) -> Group:
        room = max(3, screen.window_height() - _AROUND - len(told))
        visible = rows[: min(room, self.limit or room)]
        made = as_table(visible)
        for row, line in zip(visible, made.rows, strict=True):
            line.style = "bold reverse" if row["session_id"] in fresh else None
        left = f", {len(rows) - len(visible):,} more" if len(rows) > len(visible) else ""
        foot = f"{screen.plural(len(rows), 'session')}{left}; every {self.seconds:g} s, Ctrl-C ends"
        return Group(made, Text(), *map(_line, told), Text(foot, style="dim"))


def _line(change: Change) -> Text:
    return Text(f"{change.at:%H:%M:%S}  ") + shown(change.session_id) + Text("  ") + shown(change.text)
