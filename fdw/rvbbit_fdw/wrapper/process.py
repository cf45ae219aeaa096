"""What the PostgreSQL process around the interpreter tells without a call that could fail.

Only variables are read, and functions that do nothing but return one: a call into PostgreSQL that raises an
error would jump over Python's frames.
"""

from __future__ import annotations

import ctypes
import resource
from pathlib import Path
from typing import Protocol

_REPEATABLE_READ = 2
_MEMORY = 1536 << 20
"""What a backend may take beyond what it has when it first reads a session."""

_STATEMENT_TIMEOUT = 3
"""Its number among PostgreSQL's timeouts."""

_STOPPING = ("QueryCancelPending", "ProcDiePending", "TransactionTimeoutPending", "ClientConnectionLost")


class Process(Protocol):
    """The process as the wrapper sees it."""

    def interrupted(self) -> bool:
        """True if the statement is to stop: it was cancelled, it timed out, or the process has to end."""

    def timed_out(self) -> bool:
        """True if the statement took longer than statement_timeout."""

    def snapshot(self) -> int:
        """What is the same in one run of the executor, and as long as it lives in no other."""

    def statement_time(self) -> int:
        """When the client's statement began."""

    def transaction_time(self) -> int:
        """When the transaction began."""

    def is_repeatable(self) -> bool:
        """True if the whole transaction is to see one state."""

    def data_directory(self) -> str:
        """PostgreSQL's data directory."""

    def encoding(self) -> str:
        """The database's encoding by PostgreSQL's name."""

    def limit_memory(self) -> None:
        """Let no allocation go so far that the kernel would end the server."""

    def leave_at_once(self) -> None:
        """Have the end of the process run no destructor of what is loaded by now: a thread still uses it."""


class Postgres:
    """The process that this interpreter runs in."""

    def __init__(self) -> None:
        self._library = ctypes.PyDLL(None)
        self._flags = [flag for flag in map(self._variable, _STOPPING) if flag is not None]
        self._timeout = self._function("get_timeout_indicator", ctypes.c_bool, ctypes.c_int, ctypes.c_bool)
        self._isolation = ctypes.c_int.in_dll(self._library, "XactIsoLevel")
        self._times = [
            self._function(name, ctypes.c_int64)
            for name in ("GetCurrentStatementStartTimestamp", "GetCurrentTransactionStartTimestamp")
        ]
        self._has_snapshot = self._function("ActiveSnapshotSet", ctypes.c_bool)
        self._snapshot = self._function("GetActiveSnapshot", ctypes.c_void_p)
        self._encoding = self._function("GetDatabaseEncodingName", ctypes.c_char_p)

    def interrupted(self) -> bool:
        """See Process."""
        return any(flag.value for flag in self._flags)

    def timed_out(self) -> bool:
        """See Process."""
        return bool(self._timeout(_STATEMENT_TIMEOUT, False))

    def snapshot(self) -> int:
        """See Process: PostgreSQL keeps the snapshot of an executor's run until the run ends."""
        return int(self._snapshot() or 0) if self._has_snapshot() else 0

    def statement_time(self) -> int:
        """See Process."""
        return int(self._times[0]())

    def transaction_time(self) -> int:
        """See Process."""
        return int(self._times[1]())

    def is_repeatable(self) -> bool:
        """See Process."""
        return self._isolation.value >= _REPEATABLE_READ

    def data_directory(self) -> str:
        """See Process."""
        return (ctypes.c_char_p.in_dll(self._library, "DataDir").value or b"").decode()

    def encoding(self) -> str:
        """See Process."""
        return bytes(self._encoding()).decode()

    def limit_memory(self) -> None:
        """See Process: DuckDB does not count all that it allocates."""
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        wanted = pages * resource.getpagesize() + _MEMORY
        limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))

    def leave_at_once(self) -> None:
        """See Process: PostgreSQL has done everything when exit() calls this, which needs no Python."""
        self._library["on_exit"](self._library["_exit"], None)

    def _variable(self, name: str) -> ctypes.c_int | None:
        """A flag, None if this version of PostgreSQL does not have it."""
        try:
            return ctypes.c_int.in_dll(self._library, name)
        except ValueError:
            return None

    def _function(self, name: str, result: type, *arguments: type) -> ctypes._NamedFuncPointer:
        function = self._library[name]
        function.argtypes, function.restype = arguments, result
        return function
