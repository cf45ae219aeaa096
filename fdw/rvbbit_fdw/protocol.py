"""One attempt to copy a session so that the copy is one committed state.

The WAL files are copied first and the db second, and the copy counts only if the headers did not change and
the WAL files only grew: then every block that the copied WAL needs is in the copied db. The other order loses
commits without any error.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
from typing import Final

from rvbbit_fdw import errors
from rvbbit_fdw.copying import SourceError, copy_file
from rvbbit_fdw.eviction import mark_taken
from rvbbit_fdw.fingerprint import Fingerprint, take_fingerprint
from rvbbit_fdw.inspection import Inspection, judge_header, open_regular, read_start, unreadable_wal
from rvbbit_fdw.sessions import Check, SessionFile
from rvbbit_fdw.storage import WAL_SUFFIXES
from rvbbit_fdw.store import store_errors

DB: Final = "db"
"""The name of a snapshot's database; its WAL files are db.wal and so on."""


class Changed(Exception):  # noqa: N818 - an outcome of an attempt, no error
    """The session changed while it was copied."""


def fingerprint(file: SessionFile) -> Fingerprint:
    """The session's fingerprint now; SessionNotFound or SessionUnusable if it cannot be had."""
    try:
        return take_fingerprint(file)
    except OSError as error:
        raise _unreadable(file, error) from None


def require_usable(file: SessionFile) -> None:
    """SessionUnusable unless the header is one that DuckDB here can read."""
    found = _judge(file)
    if found.state == "corrupt":
        time.sleep(0.05)  # a writer may be just making the file
        found = _judge(file)
    if found.state != "ready":
        raise unusable(file.session_id, found)


def _judge(file: SessionFile) -> Inspection:
    now = fingerprint(file)
    return judge_header(now.header, now.size)


def unusable(session_id: str, found: Inspection) -> errors.SessionUnusable:
    """The error for a session that cannot be read because of its state."""
    hints = {
        "corrupt": "Run the workflow again, or restore the file from a copy.",
        "encrypted": "Encrypted sessions are not supported.",
        "newer": "Update rvbbit_fdw to a version with a newer DuckDB.",
        "unreadable": "Check that the server's operating system user may read it, and that its disk works.",
    }
    return errors.SessionUnusable(
        f'could not read session "{session_id}": {found.error or found.state}',
        state=found.state,
        detail=f"The file was written by DuckDB {found.duckdb_version}." if found.duckdb_version else None,
        hint=hints.get(found.state),
    )


def _unreadable(file: SessionFile, error: OSError) -> errors.RvbbitError:
    if error.errno == errno.ENOENT:
        return errors.SessionNotFound(
            f'session "{file.session_id}" does not exist', detail="Its file was removed."
        )
    reason = (error.strerror or "unknown reason").lower()
    return unusable(file.session_id, Inspection("unreadable", error=reason))


def copy_session(file: SessionFile, before: Fingerprint, directory: str, check: Check) -> int:
    """Copy the WAL files, then the db; the size of the WAL. Raises Changed if the session moved meanwhile."""
    total = 0
    for suffix in WAL_SUFFIXES:
        total += _copy_one(file, file.path + suffix, f"{directory}/{DB}{suffix}", check, may_miss=True)
    _copy_one(file, file.target, f"{directory}/{DB}", check, may_miss=False)
    with store_errors():
        copied = _start_of(f"{directory}/{DB}")
    if copied != before.header or not before.held_until(fingerprint(file)):
        raise Changed
    return total


def _copy_one(file: SessionFile, source: str, target: str, check: Check, *, may_miss: bool) -> int:
    try:
        descriptor = open_regular(source)
    except OSError as error:
        if may_miss and error.errno in {errno.ENOENT, errno.ENAMETOOLONG}:
            return 0
        if may_miss:
            raise unusable(file.session_id, Inspection("unreadable", error=unreadable_wal(error))) from None
        raise _unreadable(file, error) from None
    try:
        with store_errors():
            copy_file(descriptor, target, check)
        return os.fstat(descriptor).st_size
    except SourceError as error:
        raise _unreadable(file, error.error) from None
    finally:
        os.close(descriptor)


def _start_of(path: str) -> bytes:
    descriptor = open_regular(path)
    try:
        return read_start(descriptor)[0]
    finally:
        os.close(descriptor)


def finish(directory: str, taken_at_ns: int) -> None:
    """Leave only the database's files, read-only."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.chmod(entry.path, 0o400)  # noqa: PTH101
    mark_taken(directory, taken_at_ns)
