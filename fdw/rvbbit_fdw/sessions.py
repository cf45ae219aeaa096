"""The session folder: which sessions exist, from names and stat alone.

Listing costs one directory scan and one stat per session. To open a file is a step of its own (`inspection`),
or comes before the stat where a list opens all (`inspecting`). DuckDB never sees a file of this folder: its
locks would stop the workflow that writes there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

from rvbbit_fdw import errors
from rvbbit_fdw.nearest import did_you_mean, nearest
from rvbbit_fdw.storage import WAL_SUFFIXES

SUFFIX: Final = ".duckdb"
Check = Callable[[], None]
"""Called often in every loop; raises errors.Interrupted when the statement was cancelled."""

_CHECK_EVERY = 256
# How many names are offered for an unknown one, and how many more are looked at that may be no sessions.
_OFFERED = 3
_REPLACED = "\ufffd"
_NO_SESSIONS = 5


def no_check() -> None:
    """A check that never interrupts."""


class SessionFile(NamedTuple):
    """One session as stat shows it; nothing was opened.

    `path` is the name in the folder, from which the WAL files have theirs; `target` is the regular file
    itself, another path only where `path` is a symbolic link within the folder. `modified_ns` is the newer
    of db and WAL. `wals` has the suffixes of all that stands where a WAL file would, of whatever kind.
    """

    session_id: str
    path: str
    target: str
    size_bytes: int
    wal_bytes: int
    modified_ns: int
    wals: tuple[str, ...] = ()

    @property
    def has_valid_name(self) -> bool:
        """False if the file's name is not UTF-8; the id then only looks like it."""
        return _is_utf8(self.path)

    @property
    def inside(self) -> str:
        """The regular file as seen from the folder, if it stands in there itself; otherwise its path."""
        return self.path.rpartition("/")[2] if self.target == self.path else self.target


@dataclass(frozen=True)
class Wanted:
    """Which sessions a query asks for; both times are inclusive. With `ids` the folder is not scanned.

    `flags` are columns of a list that must be true; files do not show them, so `has` does not judge by them.
    """

    ids: frozenset[str] | None = None
    prefix: str = ""
    modified_after_ns: int | None = None
    modified_before_ns: int | None = None
    flags: frozenset[str] = frozenset()

    def has(self, file: SessionFile) -> bool:
        """True if neither name nor time excludes the session."""
        return self.has_name(file.session_id) and self.has_time(file.modified_ns)

    def has_name(self, session_id: str) -> bool:
        """True if nothing about the id's text excludes the session."""
        return session_id.startswith(self.prefix) and (self.ids is None or session_id in self.ids)

    def has_time(self, modified_ns: int) -> bool:
        """True if the time of the last change is within the limits."""
        after, before = self.modified_after_ns, self.modified_before_ns
        return (after is None or modified_ns >= after) and (before is None or modified_ns <= before)


ALL: Final = Wanted()

_Wals: TypeAlias = dict[str, os.DirEntry[str]]
"""The entries of one session's WAL files, by suffix."""


Found: TypeAlias = tuple[str, os.DirEntry[str], _Wals | None]
"""A session's id, what a scan found under its name, of whatever kind, and its WAL files if it has any."""


class _Entries(NamedTuple):
    """What the folder has: entries named like sessions, and by their names the WAL files."""

    sessions: list[os.DirEntry[str]]
    wals: dict[str, _Wals]


@dataclass(frozen=True)
class SessionFolder:
    """A directory of `<session_id>.duckdb` files."""

    path: str

    @cached_property
    def _prefix(self) -> str:
        return os.path.join(self.path, "")  # noqa: PTH118 - Path would normalise it

    def list(self, wanted: Wanted = ALL, check: Check = no_check) -> Iterator[SessionFile]:
        """The sessions wanted, in no order. Files that are no sessions, or vanish meanwhile, are left out."""
        ids = wanted.ids
        if ids is None or any(_REPLACED in session_id for session_id in ids):
            found = self._scanned(wanted, check)
        else:
            found = self._named(ids, check)
        return found if wanted == ALL else filter(wanted.has, found)

    def find(self, session_id: str, check: Check = no_check) -> SessionFile:
        """The session of that id; SessionNotFound with a hint if there is none."""
        file = self._stat_session(session_id) if is_session_id(session_id) else None
        if file is None:
            self._require_folder()
            raise self._not_found(session_id, check)
        return file

    def orphans(self, check: Check = no_check) -> Sequence[str]:
        """Names of WAL files that stand alone: their session is gone, and nothing reads them."""
        with self.opened() as folder:
            entries, wals = self._entries(folder, check)
        there = {entry.name for entry in entries}
        alone = (found for name, found in wals.items() if name not in there)
        return sorted(as_text(entry.name) for found in alone for entry in found.values())

    def _named(self, ids: frozenset[str], check: Check) -> Iterator[SessionFile]:
        self._require_folder()
        for number, session_id in enumerate(ids):
            if number % _CHECK_EVERY == 0:
                check()
            file = self._stat_session(session_id) if is_session_id(session_id) else None
            if file is not None:
                yield file

    def _stat_session(self, session_id: str) -> SessionFile | None:
        path = self._prefix + session_id + SUFFIX
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            return None
        return self._describe(session_id, path, status, [_lstat(path + suffix) for suffix in WAL_SUFFIXES])

    def _scanned(self, wanted: Wanted, check: Check) -> Iterator[SessionFile]:
        for found in self.found(wanted, check):
            file = self.describe(found)
            if file is not None:
                yield file

    def found(self, wanted: Wanted, check: Check) -> Iterator[Found]:
        """What one scan of the folder shows of the sessions wanted by their names, each for `describe`."""
        takes_any = wanted.ids is None and not wanted.prefix
        with self.opened() as folder:
            entries, wals = self._entries(folder, check)
            for number, entry in enumerate(entries):
                if number % _CHECK_EVERY == 0:
                    check()
                name = entry.name
                session_id = as_text(name.removesuffix(SUFFIX))
                if takes_any or wanted.has_name(session_id):
                    yield session_id, entry, wals.get(name)

    @contextmanager
    def opened(self, access: int = os.O_RDONLY) -> Iterator[int]:
        """The folder's descriptor: a stat by it does not walk the folder's path again for each file.

        With O_PATH the folder need not be readable; its files can be opened by their names.
        """
        try:
            folder = os.open(self.path, access | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise folder_error(error) from None
        try:
            yield folder
        finally:
            os.close(folder)

    def _entries(self, folder: int, check: Check) -> _Entries:
        """One scan, so that it takes no stat to know that a session has no WAL file."""
        entries, wals = found_entries = _Entries([], {})
        try:
            with os.scandir(folder) as found:
                for number, entry in enumerate(found):
                    if number % _CHECK_EVERY == 0:
                        check()
                    name = entry.name
                    if name.endswith(SUFFIX):
                        if name != SUFFIX:
                            entries.append(entry)
                    else:
                        db, suffix, rest = name.rpartition(SUFFIX)
                        if suffix and rest in WAL_SUFFIXES:
                            wals.setdefault(db + suffix, {})[rest] = entry
        except OSError as error:
            raise folder_error(error) from None
        return found_entries

    def describe(self, found: Found) -> SessionFile | None:
        """The session by the status of its files, or None if it is none."""
        session_id, entry, wals = found
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:  # vanished since the scan
            return None
        if wals is None and stat.S_ISREG(status.st_mode):
            return self.plain(session_id, entry.name, status)
        stats = [_entry_stat((wals or {}).get(suffix)) for suffix in WAL_SUFFIXES]
        return self._describe(session_id, self._prefix + entry.name, status, stats)

    def plain(self, session_id: str, name: str, status: os.stat_result) -> SessionFile:
        """The session of a regular file that has this status and no WAL file."""
        path = self._prefix + name
        return SessionFile(session_id, path, path, status.st_size, 0, status.st_mtime_ns)

    def _describe(
        self, session_id: str, path: str, status: os.stat_result, wals: Sequence[os.stat_result | None]
    ) -> SessionFile | None:
        target = path
        if stat.S_ISLNK(status.st_mode):
            linked = self._inside(path)
            if linked is None:
                return None
            target, status = linked
        if not stat.S_ISREG(status.st_mode):
            return None
        size, newest = 0, status.st_mtime_ns
        for wal in wals:
            if wal is not None and stat.S_ISREG(wal.st_mode):
                size, newest = size + wal.st_size, max(newest, wal.st_mtime_ns)
        there = tuple(suffix for suffix, wal in zip(WAL_SUFFIXES, wals, strict=True) if wal is not None)
        return SessionFile(session_id, path, target, status.st_size, size, newest, there)

    def _inside(self, link: str) -> tuple[str, os.stat_result] | None:
        """The file that a symbolic link means, or None if it leads out of the folder or nowhere."""
        try:
            target = os.path.realpath(link, strict=True)
            status = os.lstat(target)
        except OSError:
            return None
        return (target, status) if target.startswith(os.path.realpath(self.path).rstrip("/") + "/") else None

    def _require_folder(self) -> None:
        try:
            os.stat(os.path.join(self.path, "."))  # noqa: PTH116, PTH118 - "." tells whether it can be entered
        except OSError as error:
            raise folder_error(error) from None

    def _not_found(self, session_id: str, check: Check) -> errors.SessionNotFound:
        with self.opened() as folder:
            entries, _ = self._entries(folder, check)
        names = [as_text(entry.name.removesuffix(SUFFIX)) for entry in entries]
        meant = session_id.rstrip("/").rsplit("/", 1)[-1].removesuffix(SUFFIX)
        like = [meant, *nearest(meant, names, check, most=_OFFERED + _NO_SESSIONS)]
        # Its own name may be there by now: the file is being replaced.
        others = (name for name in like if is_session_id(name) and name != session_id)
        offered = [name for name in others if self._stat_session(name)][:_OFFERED]
        if offered[:1] == [meant]:
            offered = [meant]
        hint = did_you_mean(offered)
        if _REPLACED in session_id and session_id in names:
            hint = "The name of its file is not valid UTF-8: rename the file."
        return errors.SessionNotFound(f'session "{session_id}" does not exist', hint=hint)


def is_session_id(text: str) -> bool:
    """True if a file of the folder can have this id; anything that could lead elsewhere cannot."""
    return bool(text) and "/" not in text and "\0" not in text and text not in {".", ".."}


def folder_error(error: OSError) -> errors.FolderUnusable:
    """The error for a session folder that is missing or cannot be read."""
    return errors.FolderUnusable(
        f"could not read the session folder: {error.strerror}",
        hint='Check the option "session_dir" of the server, and who may read that folder.',
    )


def as_text(stem: str) -> str:
    """A name of a file as UTF-8 text: bytes that are none become U+FFFD."""
    if stem.isascii():
        return stem
    return os.fsencode(stem).decode("utf-8", "replace")


def _is_utf8(path: str) -> bool:
    if path.isascii():
        return True
    try:
        os.fsencode(path.rsplit("/", 1)[-1]).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:  # also a name that is too long to exist
        return None


def _entry_stat(entry: os.DirEntry[str] | None) -> os.stat_result | None:
    try:
        return None if entry is None else entry.stat(follow_symlinks=False)
    except OSError:
        return None
