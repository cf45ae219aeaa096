"""Attach and detach sessions, and sync."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import psycopg

from rvbbit_cli import screen
from rvbbit_cli.connection import Connection
from rvbbit_cli.failures import Failure, of_server

PLAN_COLUMNS: Final = ("action", "session_id", "schema_name", "table_name", "column_name", "reason")
"""The keys of `sync --plan --json`."""

_POLL_SECONDS = 0.2
_SUCCESS = "SUCCESS: "


def each(
    connection: Connection, what: str, statement: str, ids: Sequence[str], *more: str | None
) -> Iterator[str | Failure]:
    """Call a function for each session; what it says, or the failure. A bar shows how far it is."""
    with screen.progress(what, len(ids) if len(ids) > 1 else None) as done:
        for number, session_id in enumerate(ids, 1):
            try:
                row = connection.execute(statement, [session_id, *more]).fetchone()
                yield str(row[0] if row else "").removeprefix(_SUCCESS)
            except psycopg.Error as error:
                if connection.closed:
                    raise
                yield of_server(error, connection.info.user)
            done(number)


@dataclass(frozen=True)
class Synced:
    """What a sync did, as far as it shows afterwards."""

    attached: list[str]
    detached: list[str]
    looked_into: int
    duration: timedelta
    now_attached: int
    problems: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return dict(self.__dict__)

    def summary(self) -> str:
        """One line."""
        parts = [screen.plural(self.looked_into, "session") + " looked into"]
        parts += [
            f"{len(ids)} {word}"
            for word, ids in (("attached", self.attached), ("detached", self.detached))
            if ids
        ]
        seconds = self.duration.total_seconds()
        now = screen.plural(self.now_attached, "session")
        return f"{', '.join(parts)} in {seconds:.1f} s; {now} attached now"


def plan(connection: Connection) -> list[dict[str, Any]]:
    """What a sync would do now."""
    rows = connection.execute("SELECT * FROM rvbbit.sync_plan() ORDER BY session_id, table_name, column_name")
    return [dict(zip(PLAN_COLUMNS, row, strict=True)) for row in rows]


def sync(connection: Connection, watcher: Callable[[], Connection]) -> Synced:
    """Run one; `watcher` opens a second connection that sees how far it is."""
    before = _attached(connection)
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    began = row[0] if row else None
    with _followed(watcher, began):
        connection.execute("CALL rvbbit.sync()")
    after = _attached(connection)
    query = """
        SELECT (SELECT count(*) FROM rvbbit.sync_seen WHERE looked_at >= %s),
               clock_timestamp() - %s, attached, problems
        FROM rvbbit.sync_status"""
    looked, took, count, problems = connection.execute(query, [began, began]).fetchall()[0]
    attached, detached = sorted(after - before), sorted(before - after)
    return Synced(attached, detached, looked + len(detached), took, count, problems or {})


def _attached(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT session_id FROM rvbbit.attachment")}


@contextmanager
def _followed(watcher: Callable[[], Connection], began: object) -> Iterator[None]:
    """A bar for the block, if stderr is a terminal; what it shows is asked for on a connection of its own."""
    if not screen.err().is_terminal:
        yield
        return
    ended = threading.Event()
    with watcher() as connection, screen.progress("syncing", None) as done:
        thread = threading.Thread(target=_follow, args=(connection, began, done, ended))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _follow(
    connection: Connection, began: object, done: Callable[[int], None], ended: threading.Event
) -> None:
    query = "SELECT count(*) FROM rvbbit.sync_seen WHERE looked_at >= %s"
    while not ended.wait(_POLL_SECONDS):
        try:
            row = connection.execute(query, [began]).fetchone()
        except psycopg.Error:  # the sync itself then says what is wrong
            return
        done(row[0] if row else 0)
