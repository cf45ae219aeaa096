"""Catalogs kept for later looks, longer than the snapshots that they were read from.

One file in the store for each session, which holds the catalog of its newest known state and that state's
name. Reading and writing take no lock: a file is replaced as a whole, and what cannot be used is made again.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from rvbbit_fdw import catalog
from rvbbit_fdw.catalog import Catalog

# How often a process looks at the size of all files, and how far below the limit it then goes.
_SWEEP_EVERY = 256
_ROOM = 0.9
# A use is noted on the file at most this often.
_NOTED_SECONDS = 3_600


class CatalogCache:
    """A directory of catalogs; beyond `limit_bytes` the least recently used go."""

    def __init__(self, directory: str, limit_bytes: int) -> None:
        self._directory = Path(directory)
        self._limit = limit_bytes
        self._saves = 0

    def load(self, session: str, key: str) -> Catalog | None:
        """The catalog of that state of a session, or None if it is not known."""
        path = self._directory / session
        found = catalog.load(path, key)
        if found is not None:
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _NOTED_SECONDS:
                    os.utime(path)
        return found

    def save(self, session: str, key: str, found: Catalog) -> None:
        """Keep the catalog; not being able to costs only time."""
        with suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        catalog.save(found, self._directory / session, key)
        if self._saves % _SWEEP_EVERY == 0:
            self._sweep()
        self._saves += 1

    def _sweep(self) -> None:
        with suppress(OSError):
            files = [(entry.stat(), entry.path) for entry in os.scandir(self._directory)]
            total = sum(status.st_blocks * 512 for status, _ in files)
            target = self._limit * _ROOM if total > self._limit else total
            for status, path in sorted(files, key=lambda file: file[0].st_mtime_ns):
                if total <= target:
                    break
                Path(path).unlink(missing_ok=True)
                total -= status.st_blocks * 512
