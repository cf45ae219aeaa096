"""Folding a large WAL into its database: a process of its own that can be killed.

DuckDB replays a WAL without listening to interrupts, so a backend must not do it itself.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from typing import Final

FOLD_ABOVE_BYTES: Final = 16 << 20
"""A WAL up to this size is replayed at each attach (about 50 ms at most)."""

_POLL_SECONDS = 0.005


def fold(directory: str, check: Callable[[], None]) -> bool:
    """Fold `db.wal` into `db` in this directory; False if it could not be done, which leaves both usable.

    Ends the process at once when `check` raises.
    """
    interpreter = find_interpreter()
    if interpreter is None:
        return False
    command = [interpreter, "-P", "-s", "-m", "rvbbit_fdw.fold", directory, str(os.getpid())]
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
    except OSError:
        return False
    return _wait(process, check) == 0


def find_interpreter() -> str | None:
    """A Python of our version. sys.executable is of no use: inside PostgreSQL it is not a Python."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    folders = (
        sysconfig.get_config_var("BINDIR") or "",
        f"{sys.base_prefix}/bin",
        "/usr/local/bin",
        "/usr/bin",
    )
    candidates = [f"{folder}/{name}" for folder in folders] + ["/usr/bin/python3"]
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def _environment() -> dict[str, str]:
    places = [_place_of("rvbbit_fdw"), _place_of("duckdb")]
    return {
        "PYTHONPATH": os.pathsep.join(p for p in places if p),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C",
    }


def _place_of(package: str) -> str:
    """The directory that a package is imported from."""
    spec = importlib.util.find_spec(package)
    origin = spec.origin if spec else None
    return os.path.dirname(os.path.dirname(os.path.abspath(origin))) if origin else ""  # noqa: PTH100, PTH120


def _wait(process: subprocess.Popen[bytes], check: Callable[[], None]) -> int:
    try:
        while process.poll() is None:
            check()
            time.sleep(_POLL_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return process.returncode
