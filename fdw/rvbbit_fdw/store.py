"""The directories of the snapshot store: who owns them, and how leftovers of dead processes go away.

    sessions/<hash of the session's path>/<key>/   a published snapshot: db, db.wal, ..., never changed again
    building/<unique>/                             a copy in the making, or one on its way out
    work/<unique>/                                 a process's own directory
    catalogs/<hash of the session's path>          its tables and columns (catalog_cache.py)
    limit                                          the limit in bytes that the store was last made to keep

A directory under building/ and work/ belongs to whoever holds a flock on it. The kernel drops the lock with
the process, so what is not locked is litter, and anyone may remove it. Who copies a session, or removes its
directory under sessions/ because it is empty, holds a flock on that.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rvbbit_fdw import errors


@dataclass(frozen=True)
class OwnedDirectory:
    """A private directory (mode 0700) that is ours as long as the descriptor is open."""

    path: str
    descriptor: int

    def release(self) -> None:
        """Give up the lock; what is left at the path is then litter."""
        os.close(self.descriptor)

    def remove(self) -> None:
        """Remove the directory and all in it, then the lock."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.release()


class StoreDirectories:
    """Paths and ownership below one store; makes the directories when first used."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)  # noqa: PTH100 - a string: these paths are built millions of times
        self.sessions = os.path.join(self.path, "sessions")  # noqa: PTH118
        self.building = os.path.join(self.path, "building")  # noqa: PTH118
        self.work = os.path.join(self.path, "work")  # noqa: PTH118
        self.catalogs = os.path.join(self.path, "catalogs")  # noqa: PTH118

    def own(self, parent: str, prefix: str = "") -> OwnedDirectory:
        """Make a new directory under `parent` and lock it."""
        with store_errors():
            while True:
                path = f"{parent}/{prefix}{secrets.token_hex(8)}"
                try:
                    os.mkdir(path, 0o700)  # noqa: PTH102
                except FileNotFoundError:
                    os.makedirs(parent, mode=0o700, exist_ok=True)  # noqa: PTH103
                    continue
                descriptor = _lock_directory(path)
                # A cleaner may have found the directory between its making and its locking.
                if descriptor is not None:
                    return OwnedDirectory(path, descriptor)

    def own_again(self, path: str) -> OwnedDirectory | None:
        """Make and lock a directory that was removed from under its owner; None if it is there."""
        with store_errors():
            while not os.path.isdir(path):  # noqa: PTH112
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
                with suppress(FileNotFoundError):
                    os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103
                    descriptor = _lock_directory(path)
                    if descriptor is not None:
                        return OwnedDirectory(path, descriptor)
        return None

    def lock_session(self, path: str) -> OwnedDirectory | None:
        """The directory of a session, made if needed, or None while another process has it."""
        with store_errors():
            # Fails although it exists if it is removed in that moment; then the caller tries again.
            with suppress(FileExistsError):
                os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103
            descriptor = _lock_directory(path)
        return None if descriptor is None else OwnedDirectory(path, descriptor)

    def drop_empty_session(self, path: str) -> None:
        """Remove the directory of a session that has no snapshot, unless someone copies the session now."""
        descriptor = _lock_if_free(path)
        if descriptor is not None:
            with suppress(OSError):  # it is not empty
                os.rmdir(path)  # noqa: PTH106
            os.close(descriptor)

    def clean(self) -> None:
        """Remove what dead processes left under building/ and work/."""
        for parent in (self.building, self.work):
            for path in list_paths(parent):
                descriptor = _lock_if_free(path)
                if descriptor is not None:
                    OwnedDirectory(path, descriptor).remove()

    def discard(self, path: str) -> bool:
        """Remove a published snapshot: it leaves its place at once, then its files are unlinked."""
        try:
            grave = self.own(self.building, "old-")
        except errors.RvbbitError:
            return False
        try:
            Path(path).rename(f"{grave.path}/{os.path.basename(path)}")  # noqa: PTH119
        except OSError:  # someone else discards it
            return False
        finally:
            grave.remove()
        return True


def list_paths(parent: str) -> list[str]:
    """The directories in a directory; none if it does not exist."""
    try:
        with os.scandir(parent) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


@contextmanager
def store_errors() -> Iterator[None]:
    """Errors of the store's own files as errors of ours; none of them names a directory."""
    try:
        yield
    except OSError as error:
        found = errors.translate(error)
        if isinstance(found, errors.StoreFull):
            raise found from None
        message = f"could not use the snapshot store: {error.strerror}"
        raise errors.FolderUnusable(
            message,
            hint='Check the option "snapshot_dir" of the server, and that the server may write there.',
        ) from None


def _lock_directory(path: str) -> int | None:
    """A descriptor that holds the lock of a directory; None if another has it, or it left its place."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == os.lstat(path).st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _lock_if_free(path: str) -> int | None:
    """The same for litter: what cannot be locked for any reason is left to the next who looks."""
    try:
        return _lock_directory(path)
    except OSError:
        return None
