"""The rows of rvbbit_snapshots: what the snapshot store holds, and of which sessions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rvbbit_fdw.errors import RvbbitError
from rvbbit_fdw.eviction import Stored
from rvbbit_fdw.listing import HEADERS, NAMES, ListedColumn, Listing, Look, instant
from rvbbit_fdw.sessions import SessionFile, Wanted


@dataclass(frozen=True, slots=True)
class Row:
    """One snapshot; `file` is its session, or None if no session of the folder has its name any more."""

    look: Look
    stored: Stored
    file: SessionFile | None

    @property
    def session_id(self) -> str | None:
        """The session that it shows."""
        return None if self.file is None else self.file.session_id

    @property
    def is_current(self) -> bool:
        """True if the session has not changed since; false too if it cannot be read."""
        try:
            return self.file is not None and self.look.store.holds_current(self.file, self.stored)
        except RvbbitError:
            return False


def _rows(look: Look, wanted: Wanted) -> Iterator[Row]:
    files = list(look.folder.list(wanted, look.check))
    for file in files:
        look.check()
        yield from (Row(look, stored, file) for stored in look.store.stored(file))
    if wanted == Wanted():
        yield from (Row(look, stored, None) for stored in look.store.stored_of_others(files))


def _age_seconds(row: Row) -> float:
    return max(0.0, round(row.look.now_ns / 1e9 - row.stored.taken_at, 3))


SNAPSHOTS: Listing[Row] = Listing(
    "list of snapshots",
    {
        "session_id": ListedColumn("VARCHAR", NAMES, lambda row: row.session_id),
        "taken_at": instant(NAMES, lambda row: int(row.stored.taken_at * 1e9)),
        "age_seconds": ListedColumn("DOUBLE", NAMES, _age_seconds),
        "last_used_at": instant(NAMES, lambda row: int(row.stored.used_at * 1e9)),
        "size_bytes": ListedColumn("BIGINT", NAMES, lambda row: row.stored.bytes_on_disk),
        "is_current": ListedColumn("BOOLEAN", HEADERS, lambda row: row.is_current),
    },
    _rows,
)
