"""Private, consistent copies of sessions, shared by all processes that use one store.

A snapshot is the session's state of one moment, under a name made from the session's fingerprint. It is
copied once however many ask, published by one rename and never changed again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rvbbit_fdw import errors
from rvbbit_fdw.eviction import Evictor, Stored, mark_used, snapshots_of
from rvbbit_fdw.fingerprint import Fingerprint, boot
from rvbbit_fdw.folding import FOLD_ABOVE_BYTES, fold
from rvbbit_fdw.protocol import DB, Changed, copy_session, fingerprint, finish, require_usable, unusable
from rvbbit_fdw.sessions import Check, SessionFile, no_check
from rvbbit_fdw.store import OwnedDirectory, StoreDirectories, list_paths, store_errors

__all__ = ["Snapshot", "SnapshotStore", "unusable"]

_LEAST_TRIES = 8
_TRY_SECONDS = 5.0
_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.1
_TOO_FAST = "It changed during every attempt to copy it."
_FULL = "The snapshot store is full, so no newer copy can be made."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A published copy. `stale_seconds` is its age, and `stale_because` a sentence that says why, if an older
    state is given for want of a newer one; None if it is what was asked for."""

    session_id: str
    key: str
    directory: str
    files: tuple[str, ...]
    taken_at: float
    stale_seconds: float | None = None
    stale_because: str | None = None

    @property
    def age(self) -> float:
        """Seconds since it was taken."""
        return max(0.0, time.time() - self.taken_at)

    def link_into(self, directory: str | os.PathLike[str], name: str) -> str:
        """Hard-link the files into a directory as `name`, `name`.wal, ...; the db's path there.

        Raises SnapshotGone if the snapshot was evicted meanwhile.
        """
        target = f"{os.fspath(directory)}/{name}"
        made: list[str] = []
        try:
            for file in self.files:
                os.link(f"{self.directory}/{file}", target + file.removeprefix(DB))
                made.append(target + file.removeprefix(DB))
        except FileNotFoundError:
            for path in made:
                Path(path).unlink(missing_ok=True)
            message = f'the snapshot of session "{self.session_id}" was evicted'
            raise errors.SnapshotGone(message) from None
        return target


class SnapshotStore:
    """A directory of snapshots, outside the session folder, used by many processes at once.

    `limit_bytes` bounds what is kept for later use; it is exceeded by what one session alone needs.
    """

    def __init__(self, path: str, limit_bytes: int) -> None:
        self._directories = StoreDirectories(path)
        self._evictor = Evictor(self._directories, limit_bytes)
        self._workplaces: dict[str, OwnedDirectory] = {}
        self._fits = False
        self._copied = 0

    def take_copied(self) -> int:
        """How many copies were made since this was last asked."""
        copied, self._copied = self._copied, 0
        return copied

    def take(self, file: SessionFile, check: Check = no_check, max_age: float = 0) -> Snapshot:
        """A snapshot of at least the state that is committed now, or was `max_age` seconds ago.

        Copies only if the session has changed since the newest snapshot that is young enough. If the store is
        full, an older one is better than none.
        Raises SessionNotFound, SessionUnusable, SnapshotBusy, StoreFull, FolderUnusable, and what `check`
        raises.
        """
        if not self._fits:
            self._evictor.fit(check)
            self._fits = True
        found = self._look(file, fingerprint(file)) or self._young(file, max_age)
        if found is not None:
            return found
        require_usable(file)
        try:
            with self._copying_alone(file, check):
                return self._copy_until_good(file, check)
        except errors.StoreFull:
            earlier = self._earlier(file, _FULL)
            if earlier is None:
                raise
            return earlier

    def stored(self, file: SessionFile) -> list[Stored]:
        """What the store has of a session, the newest first."""
        return snapshots_of(self._session_directory(file))

    def holds_current(self, file: SessionFile, stored: Stored) -> bool:
        """True if the session has not changed since that snapshot; FolderUnusable and the like as take()."""
        return Path(stored.path).name == fingerprint(file).key

    def stored_of_others(self, files: Iterable[SessionFile]) -> list[Stored]:
        """What the store has of sessions other than these."""
        known = {session_name(file) for file in files}
        directories = list_paths(self._directories.sessions)
        return [
            stored for path in directories if Path(path).name not in known for stored in snapshots_of(path)
        ]

    def find(self, file: SessionFile) -> Snapshot | None:
        """The snapshot of the state that is committed now, if there is one; copies nothing.

        Raises SessionNotFound and SessionUnusable.
        """
        return self._look(file, fingerprint(file))

    def workplace(self) -> str:
        """A new private directory on the store's file system; it is litter when this process ends."""
        self._directories.clean()
        owned = self._directories.own(self._directories.work)
        self._workplaces[owned.path] = owned
        return owned.path

    def keep_workplace(self, workplace: str) -> None:
        """Make a directory that workplace() gave again, if somebody emptied the store."""
        owned = self._directories.own_again(workplace)
        if owned is not None:
            lost = self._workplaces.pop(workplace, None)
            self._workplaces[workplace] = owned
            if lost is not None:
                lost.release()

    def leave(self, workplace: str) -> None:
        """Remove a directory that workplace() gave."""
        owned = self._workplaces.pop(workplace, None)
        if owned is not None:
            owned.remove()

    @property
    def catalogs(self) -> str:
        """The store's directory for catalogs."""
        return self._directories.catalogs

    def _session_directory(self, file: SessionFile) -> str:
        return f"{self._directories.sessions}/{session_name(file)}"

    def _look(self, file: SessionFile, now: Fingerprint) -> Snapshot | None:
        return _published(file.session_id, f"{self._session_directory(file)}/{now.key}")

    def _copy_until_good(self, file: SessionFile, check: Check) -> Snapshot:
        started, pause, tries = time.monotonic(), _FIRST_PAUSE, 0
        while tries < _LEAST_TRIES or time.monotonic() - started < _TRY_SECONDS:
            check()
            tries += 1
            before = fingerprint(file)
            found = self._look(file, before)
            if found is not None:
                return found
            try:
                return self._copy(file, before, check)
            except Changed:
                sleep(random.uniform(pause / 2, pause), check)  # noqa: S311 - no secret
                pause = min(pause * 1.5, _LONGEST_PAUSE)
        earlier = self._earlier(file, _TOO_FAST)
        if earlier is not None:
            return earlier
        message = f'session "{file.session_id}" is being written too fast to be read'
        raise errors.SnapshotBusy(
            message,
            detail="The writer changed the file during every attempt to copy it.",
            hint="Try again when the writer pauses.",
        )

    def _young(self, file: SessionFile, max_age: float) -> Snapshot | None:
        """The newest snapshot, if it was taken no longer than `max_age` seconds ago."""
        newest = self._newest(file) if max_age > 0 else None
        return newest if newest is not None and newest.age <= max_age else None

    def _earlier(self, file: SessionFile, because: str) -> Snapshot | None:
        """The newest snapshot that exists, marked as stale."""
        newest = self._newest(file)
        return newest and replace(newest, stale_seconds=newest.age, stale_because=because)

    def _newest(self, file: SessionFile) -> Snapshot | None:
        for stored in self.stored(file):
            if Path(stored.path).name.startswith(boot()):
                found = _published(file.session_id, stored.path)
                if found is not None:
                    return found
        return None

    def _copy(self, file: SessionFile, before: Fingerprint, check: Check) -> Snapshot:
        """Copy and publish the session; Changed if the copy is not one state."""
        try:
            return self._copy_once(file, before, check)
        except errors.StoreFull:
            newest = self._newest(file)  # what is given if there is no room even so
            self._evictor.halve(check, newest.directory if newest else "")
        return self._copy_once(file, before, check)

    def _copy_once(self, file: SessionFile, before: Fingerprint, check: Check) -> Snapshot:
        taken_at = time.time_ns()
        self._directories.clean()
        building = self._directories.own(self._directories.building)
        try:
            copied_wal = copy_session(file, before, building.path, check)
            if copied_wal > FOLD_ABOVE_BYTES:
                fold(building.path, check)
            with store_errors():
                finish(building.path, taken_at)
            path = self._publish(file, before, building.path)
            self._copied += 1
        finally:
            building.remove()
        self._evictor.published(path, check)
        found = _published(file.session_id, path)
        if found is None:  # evicted by another process already
            raise Changed
        return found

    def _publish(self, file: SessionFile, before: Fingerprint, built: str) -> str:
        """Move the copy to its place; if another process was faster, its copy is as good."""
        path = f"{self._session_directory(file)}/{before.key}"
        with store_errors():
            try:
                Path(built).rename(path)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
        return path

    @contextmanager
    def _copying_alone(self, file: SessionFile, check: Check) -> Iterator[None]:
        """Hold the session's lock: one process copies, the others then find its copy."""
        directory = self._session_directory(file)
        while (owned := self._directories.lock_session(directory)) is None:
            sleep(_FIRST_PAUSE, check)
        try:
            yield
        finally:
            owned.release()


def session_name(file: SessionFile) -> str:
    """The session's name in the store, made from its path."""
    path = os.fsencode(os.path.abspath(file.path))  # noqa: PTH100 - bytes that need not be UTF-8
    return hashlib.sha256(path).hexdigest()[:32]


def sleep(seconds: float, check: Check) -> None:
    """Wait, and stay open to interrupts."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        check()
        time.sleep(min(left, 0.02))


def _published(session_id: str, path: str) -> Snapshot | None:
    try:
        files = tuple(sorted(name for name in os.listdir(path) if name == DB or name.startswith("db.wal")))  # noqa: PTH208
        taken_at_ns = os.stat(f"{path}/{DB}").st_mtime_ns  # noqa: PTH116
        mark_used(path, taken_at_ns)
    except OSError:
        return None
    return Snapshot(session_id, os.path.basename(path), path, files, taken_at_ns / 1e9)  # noqa: PTH119
