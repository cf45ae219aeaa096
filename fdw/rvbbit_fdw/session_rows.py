"""The rows of rvbbit_sessions: every session file, with as much work as the columns asked for need."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rvbbit_fdw import policy
from rvbbit_fdw.inspecting import inspected
from rvbbit_fdw.inspection import Inspection, created_ns, inspect
from rvbbit_fdw.listing import HEADERS, NAMES, SNAPSHOTS, ListedColumn, Listing, Look, instant
from rvbbit_fdw.sessions import SessionFile, Wanted, as_text

_MEBIBYTE = 1 << 20
_HOUR_NS = 3_600_000_000_000
_COUNTED_STATES = frozenset({"ready", "live"})


@dataclass(slots=True)
class Row:
    """One session while its row is made; what is costly is looked up at its first use."""

    file: SessionFile
    look: Look
    folder: int
    attaches: bool = False
    over_limit: str | None = None
    looked: Inspection | None = None
    _count: tuple[int | None, str | None] | None = None

    @property
    def inspection(self) -> Inspection:
        """The session's state, from its header and lock."""
        if self.looked is None:
            self.looked = inspect(self.file, self.folder)
        return self.looked

    @property
    def path(self) -> str | None:
        """Its path, for those who may see paths."""
        return as_text(self.file.path) if self.look.scan.may_see_paths else None

    @property
    def table_count(self) -> int | None:
        """How many tables and views it has that may be read; None if that cannot be found out."""
        return self._counted[0]

    @property
    def error(self) -> str | None:
        """What is wrong with the session, as far as the query's columns made us look."""
        return self.inspection.error or (self._counted[1] if self.look.counts_tables else None)

    @property
    def _counted(self) -> tuple[int | None, str | None]:
        if self._count is None:
            self._count = self._counted_now()
        return self._count

    def _counted_now(self) -> tuple[int | None, str | None]:
        if self.inspection.state not in _COUNTED_STATES:
            return (0 if self.inspection.state == "empty" else None), None
        catalog, problem = self.look.try_describe(self.file)
        message = problem.message if problem else None
        return (None if catalog is None else catalog.count_readable()), message


def _rows(look: Look, wanted: Wanted) -> Iterator[Row]:
    with look.folder.opened(os.O_PATH) as folder:
        yield from _rows_of(look, wanted, folder)


def _rows_of(look: Look, wanted: Wanted, folder: int) -> Iterator[Row]:
    only_chosen = "auto_attach" in wanted.flags
    needs_chosen, needs_limits = only_chosen or look.needs("auto_attach"), look.needs("over_limit")
    if not (needs_chosen or needs_limits):
        return _unranked(look, wanted, folder)
    files = list(look.folder.list(check=look.check))  # which attach is known only of the whole folder
    rules = policy.parse(look.scan.server.options)
    chosen = rules.choose(files, look.now_ns) if needs_chosen else frozenset()
    limits = rules.over_limit(files, look.now_ns) if needs_limits else {}
    shown = [file for file in files if file.session_id in chosen] if only_chosen else files
    return (
        Row(file, look, folder, file.session_id in chosen, limits.get(file.session_id))
        for file in filter(wanted.has, shown)
    )


def _unranked(look: Look, wanted: Wanted, folder: int) -> Iterator[Row]:
    """The rows that need no policy. Where names alone choose and all are opened, that comes first."""
    opens_all = wanted == Wanted(prefix=wanted.prefix) and SESSIONS.depth_of(look.scan) >= HEADERS
    if not opens_all:
        return (Row(file, look, folder) for file in look.folder.list(wanted, look.check))
    both = inspected(look.folder, folder, wanted, look.check)
    return (Row(file, look, folder, looked=found) for file, found in both)


def _size_mb(row: Row) -> float:
    return round((row.file.size_bytes + row.file.wal_bytes) / _MEBIBYTE, 3)


def _age_hours(row: Row) -> float:
    return round((row.look.now_ns - row.file.modified_ns) / _HOUR_NS, 3)


COLUMNS: Mapping[str, ListedColumn[Row]] = {
    "session_id": ListedColumn("VARCHAR", NAMES, lambda row: row.file.session_id),
    "state": ListedColumn("VARCHAR", HEADERS, lambda row: row.inspection.state),
    "is_named": ListedColumn("BOOLEAN", NAMES, lambda row: policy.is_named(row.file.session_id)),
    "auto_attach": ListedColumn("BOOLEAN", NAMES, lambda row: row.attaches),
    "over_limit": ListedColumn("VARCHAR", NAMES, lambda row: row.over_limit),
    # The database file alone; size_mb counts its WAL files too.
    "size_bytes": ListedColumn("BIGINT", NAMES, lambda row: row.file.size_bytes),
    "size_mb": ListedColumn("DOUBLE", NAMES, _size_mb),
    "wal_bytes": ListedColumn("BIGINT", NAMES, lambda row: row.file.wal_bytes),
    "created_at": instant(NAMES, lambda row: created_ns(row.file)),
    "modified_at": instant(NAMES, lambda row: row.file.modified_ns),
    "age_hours": ListedColumn("DOUBLE", NAMES, _age_hours),
    "table_count": ListedColumn("INTEGER", SNAPSHOTS, lambda row: row.table_count),
    "duckdb_version": ListedColumn("VARCHAR", HEADERS, lambda row: row.inspection.duckdb_version),
    "storage_version": ListedColumn("INTEGER", HEADERS, lambda row: row.inspection.storage_version),
    "file_path": ListedColumn("VARCHAR", NAMES, lambda row: row.path),
    "error": ListedColumn("VARCHAR", HEADERS, lambda row: row.error),
}

SESSIONS: Listing[Row] = Listing("list of sessions", COLUMNS, _rows)
