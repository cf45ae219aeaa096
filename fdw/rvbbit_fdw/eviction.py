"""What the store keeps: the newest snapshots of each session, and no more bytes than its limit."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rvbbit_fdw.store import StoreDirectories, list_paths

KEPT_PER_SESSION = 2
# An eviction goes below the limit by this factor, so that the next copy does not need one again.
_ROOM = 0.9
# At most one part in this many of the time goes into measuring the store.
_MEASURE_RARELY = 20
_DB = "db"


@dataclass(frozen=True, slots=True)
class Stored:
    """A published snapshot: when it was taken (seconds since 1970), last used, and its bytes on disk."""

    path: str
    taken_at: float
    used_at: float
    bytes_on_disk: int


class Evictor:
    """Removes snapshots that nobody will ask for; who has one linked keeps its files."""

    def __init__(self, directories: StoreDirectories, limit_bytes: int) -> None:
        self._directories = directories
        self._limit = limit_bytes
        self._estimate = 0
        self._next_measure = 0.0

    def published(self, path: str, check: Callable[[], None]) -> None:
        """Make room after a snapshot was published at `path`, which itself stays."""
        self._drop_older(os.path.dirname(path), path)  # noqa: PTH120
        stored = describe(path)
        self._estimate += stored.bytes_on_disk if stored else 0
        if self._estimate > self._limit or time.monotonic() >= self._next_measure:
            self.shrink(self._limit, check, keep=path)

    def shrink(self, limit: int, check: Callable[[], None], keep: str = "") -> None:
        """Remove the least recently used snapshots until the store is below the limit."""
        started = time.monotonic()
        stored = self._measure(check)
        total = sum(each.bytes_on_disk for each in stored)
        target = limit * _ROOM if total > limit else limit
        for each in sorted(stored, key=_used_at):
            if total <= target:
                break
            check()
            if each.path != keep and self._directories.discard(each.path):
                total -= each.bytes_on_disk
                self._directories.drop_empty_session(os.path.dirname(each.path))  # noqa: PTH120
        now = time.monotonic()
        self._estimate, self._next_measure = total, now + max(1.0, (now - started) * _MEASURE_RARELY)

    def fit(self, check: Callable[[], None]) -> None:
        """Shrink the store if its limit is another than the one that was last made to hold; else cheap."""
        noted, limit = Path(self._directories.path, "limit"), b"%d" % self._limit
        with suppress(OSError):
            if noted.read_bytes() == limit:
                return
        self.shrink(self._limit, check)
        with suppress(OSError):
            noted.write_bytes(limit)

    def halve(self, check: Callable[[], None], keep: str = "") -> None:
        """Remove the less recently used half of the store: the file system is full below the limit."""
        self.shrink(sum(each.bytes_on_disk for each in self._measure(check)) // 2, check, keep)

    def _measure(self, check: Callable[[], None]) -> list[Stored]:
        found = []
        for session in list_paths(self._directories.sessions):
            check()
            snapshots = list_paths(session)
            if not snapshots:
                self._directories.drop_empty_session(session)
            found += [stored for stored in map(describe, snapshots) if stored]
        return found

    def _drop_older(self, session: str, keep: str) -> None:
        for stored in snapshots_of(session)[KEPT_PER_SESSION:]:
            if stored.path != keep:
                self._directories.discard(stored.path)


def snapshots_of(session: str) -> list[Stored]:
    """The published snapshots of one session, the newest first."""
    found = [stored for stored in map(describe, list_paths(session)) if stored]
    return sorted(found, key=_taken_at, reverse=True)


def describe(path: str) -> Stored | None:
    """A published snapshot's times and size, or None if it is gone."""
    try:
        with os.scandir(path) as entries:
            statuses = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    except OSError:
        return None
    db = statuses.get(_DB)
    if db is None:
        return None
    size = sum(status.st_blocks * 512 for status in statuses.values())
    return Stored(path, db.st_mtime, db.st_atime, size)


def mark_taken(path: str, taken_at_ns: int) -> None:
    """Set when a snapshot was taken; its last use is now."""
    os.utime(f"{path}/{_DB}", ns=(time.time_ns(), taken_at_ns))


def mark_used(path: str, taken_at_ns: int) -> None:
    """Set a snapshot's last use to now."""
    mark_taken(path, taken_at_ns)


def _used_at(stored: Stored) -> float:
    return stored.used_at


def _taken_at(stored: Stored) -> float:
    return stored.taken_at
