"""The process that folds a WAL: `python -m rvbbit_fdw.fold <directory> <parent's process id>`.

Works on a private copy that nobody else sees yet.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

import duckdb

_PR_SET_PDEATHSIG: Final = 1
_MEMORY_LIMIT: Final = "512MB"


def main(arguments: list[str]) -> int:
    """Fold `db.wal` of the directory into `db`; 0 if it is done."""
    directory, parent = arguments
    die_with(int(parent))
    # The parent's thread has all signals blocked, and a child inherits that.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    fold_in(directory)
    return 0 if not os.path.exists(f"{directory}/db.wal") else 1  # noqa: PTH110


def die_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends, also if the parent is already gone."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def fold_in(directory: str) -> None:
    """Open the database, which replays the WAL, and checkpoint it; no extension is loaded or fetched."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": _MEMORY_LIMIT,
        "temp_directory": f"{directory}/spill",
        "autoload_known_extensions": False,
        "autoinstall_known_extensions": False,
        "allow_community_extensions": False,
        "python_enable_replacements": False,
    }
    with duckdb.connect(config=config) as connection:
        place = directory.replace("'", "''")
        connection.execute(f"SET allowed_directories = ['{place}']")
        connection.execute("SET enable_external_access = false")
        connection.execute(f"ATTACH '{place}/db' AS session (TYPE duckdb)")
        connection.execute("CHECKPOINT session")
        connection.execute("DETACH session")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
