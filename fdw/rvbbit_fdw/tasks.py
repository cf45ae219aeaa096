"""The calls of the host that are under way, each of which can be interrupted from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import duckdb

from rvbbit_fdw.errors import Internal, Interrupted


class Task:
    """One call or one open scan of the host."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.interrupted = False
        self.reads = ""
        """What a scan reads, for messages: 'view "v" of session "s"'."""
        self.again: Callable[[str], object] | None = None
        """The stream of an open scan with these parameters (JSON) instead of its own."""
        self._cursor: duckdb.DuckDBPyConnection | None = None
        # Keeps a cursor from being closed while it is interrupted; held over nothing that blocks.
        self._lock = threading.Lock()

    @property
    def cursor(self) -> duckdb.DuckDBPyConnection:
        """The connection that does this task's work in DuckDB."""
        if self._cursor is None:
            raise Internal("the task has no cursor")
        return self._cursor

    def open(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Take over a cursor; it is closed with the task."""
        self.close()
        self._cursor = cursor
        self.check()

    def check(self) -> None:
        """Raise Interrupted if somebody asked the task to stop."""
        if self.interrupted:
            raise Interrupted

    def interrupt(self) -> None:
        """Ask the task to stop; may come from any thread, at any time, and again."""
        self.interrupted = True
        with self._lock, suppress(duckdb.Error):
            if self._cursor is not None:
                self._cursor.interrupt()

    def close(self) -> None:
        """Close the cursor, if there is one."""
        self.again = None
        with self._lock:
            cursor, self._cursor = self._cursor, None
        if cursor is not None:
            with suppress(duckdb.Error):
                cursor.close()
