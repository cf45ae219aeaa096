"""The state of one session: its first bytes, its lock and its birth time."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import os
import stat
import struct
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from rvbbit_fdw.storage import HEADER_BYTES, CorruptHeader, Header, read_header

if TYPE_CHECKING:
    from rvbbit_fdw.sessions import SessionFile

State = Literal["ready", "live", "empty", "corrupt", "encrypted", "newer", "unreadable"]


Identity: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, size, last change and last status change: the same as long as nobody wrote to a file."""

_SETTLED_NS: Final = 5_000_000_000
"""What changed no longer ago may change again without another time, as clocks of file systems have steps."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the headers and the lock of a session say; `error` is a part of a sentence without any path.

    States, the first that holds: `unreadable` (permissions, vanished, an I/O error, a WAL that cannot be
    opened, a file name that is not UTF-8), `corrupt` (also a file of no bytes, unless a writer is just making
    it: `live`), `encrypted`, `newer` (too new a storage for DuckDB here), `live` (a writer holds the lock),
    `empty` (headers alone and no WAL byte: no table was ever committed), `ready`. A checkpointed file whose
    tables were all dropped is `ready`: only DuckDB could tell.
    """

    state: State
    storage_version: int | None = None
    duckdb_version: str | None = None
    error: str | None = None


class Judgements:
    """What the headers of unchanged files said, some 300 bytes for each file; never what a lock said.

    A lock comes and goes without any other trace, so whether there is a writer is asked at each look.
    """

    def __init__(self, most: int = 1 << 16) -> None:
        self._most = most
        self._found: dict[Identity, Inspection] = {}
        self._alike: dict[Inspection, Inspection] = {}

    def __len__(self) -> int:
        return len(self._found)

    def look(self, descriptor: int, status: os.stat_result, wal_bytes: int) -> Inspection:
        """The state of an open file, by its headers and its lock."""
        found, size = self._found.get(_identity(status)), status.st_size
        if found is None:
            found, size = self._judge(descriptor)
        return _with_lock(found, _has_writer(descriptor), size, wal_bytes)

    def _judge(self, descriptor: int) -> tuple[Inspection, int]:
        """What the headers say, read now, and the size that goes with it."""
        began = time.time_ns()
        data, status = read_start(descriptor)
        found = judge_header(data, status.st_size)
        if began - status.st_ctime_ns > _SETTLED_NS:
            self._keep(_identity(status), found)
        return found, status.st_size

    def _keep(self, identity: Identity, found: Inspection) -> None:
        if len(self._found) >= self._most:
            self._found.clear()
            self._alike.clear()
        self._found[identity] = self._alike.setdefault(found, found)


JUDGEMENTS: Final = Judgements()
"""What this backend remembers."""


def inspect(file: SessionFile, folder: int | None = None, judgements: Judgements = JUDGEMENTS) -> Inspection:
    """Read 12 KB, if they are not known, and ask for the lock; never raises for what is wrong with the file.

    `folder` is the session folder's descriptor: many files are opened faster by it than by their paths.
    """
    if not file.has_valid_name:
        return Inspection("unreadable", error="the file name is not valid UTF-8")
    try:
        descriptor, status = open_with_status(file.target if folder is None else file.inside, folder)
    except OSError as error:
        return Inspection("unreadable", error=_why_unreadable(error))
    try:
        found = judgements.look(descriptor, status, file.wal_bytes)
        problem = _wal_problem(file)
        return found if problem is None else replace(found, state="unreadable", error=problem)
    except OSError as error:
        return Inspection("unreadable", error=_why_unreadable(error))
    finally:
        os.close(descriptor)


def judge_header(data: bytes, size: int) -> Inspection:
    """The state that the first bytes and the size tell: `ready`, `corrupt`, `encrypted` or `newer`."""
    try:
        header = read_header(data)
    except CorruptHeader as error:
        return Inspection("corrupt", error=str(error))
    if header.encrypted:
        return _versions("encrypted", header, "the file is encrypted")
    if header.newer:
        return _versions("newer", header, f"its storage version {header.storage_version} is too new")
    if size < header.least_bytes:
        return _versions("corrupt", header, f"the file was cut short: it ends after {size} bytes")
    return _versions("ready", header, None)


def open_regular(path: str) -> int:
    """Open a regular file for reading; OSError for anything else, without ever waiting for it."""
    return open_with_status(path)[0]


_TO_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


def open_with_status(path: str, folder: int | None = None) -> tuple[int, os.stat_result]:
    """What `open_regular` opens, and its status; with `folder`, `path` is seen from there."""
    descriptor = os.open(path, _TO_READ, dir_fd=folder)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return descriptor, status


def read_start(descriptor: int) -> tuple[bytes, os.stat_result]:
    """The first 12,288 bytes, or all if there are fewer, and the file's status while it had them.

    A writer cuts free blocks off after it has written a header, so header and size go together only if the
    header is still the same after the size was asked for.
    """
    data = os.pread(descriptor, HEADER_BYTES, 0)
    while True:
        status = os.fstat(descriptor)
        again = os.pread(descriptor, HEADER_BYTES, 0)
        if again == data:
            return data, status
        data = again


def created_ns(file: SessionFile) -> int:
    """When the file was made, in nanoseconds since 1970; never later than its last change.

    Where the file system keeps no birth time it is the older of status change and last change.
    """
    born = _birth_ns(file.target)
    if born is None:
        try:
            born = os.lstat(file.target).st_ctime_ns
        except OSError:
            born = file.modified_ns
    return min(born, file.modified_ns)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _with_lock(found: Inspection, has_writer: bool, size: int, wal_bytes: int) -> Inspection:
    if found.state == "corrupt" and size < HEADER_BYTES and has_writer:
        return Inspection("live")
    if found.state != "ready":
        return found
    if has_writer:
        return replace(found, state="live")
    if size == HEADER_BYTES and wal_bytes == 0:
        return replace(found, state="empty")
    return found


def _versions(state: State, header: Header, error: str | None) -> Inspection:
    return Inspection(state, header.storage_version, header.library_version, error)


_ASKED: Final = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
_WRITER: Final = struct.pack("h", fcntl.F_WRLCK)


def _has_writer(descriptor: int) -> bool:
    """True if another process holds DuckDB's write lock; never seen where locks do not cross the mount."""
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, _ASKED)
    except OSError:
        return False
    return answer.startswith(_WRITER)


def unreadable_wal(error: OSError) -> str:
    """What is wrong when a WAL file cannot be opened."""
    reasons = {errno.ELOOP: "it is a symbolic link"}
    reason = reasons.get(error.errno or 0, (error.strerror or "unknown reason").lower())
    return f"its write-ahead log cannot be read: {reason}"


def _wal_problem(file: SessionFile) -> str | None:
    for suffix in file.wals:
        try:
            os.close(open_regular(file.path + suffix))
        except FileNotFoundError:  # checkpointed meanwhile
            continue
        except OSError as error:
            return unreadable_wal(error)
    return None


def _why_unreadable(error: OSError) -> str:
    reasons = {errno.ENOENT: "the file has vanished", errno.ELOOP: "the file is a symbolic link"}
    return reasons.get(error.errno or 0, (error.strerror or "the file cannot be read").lower())


_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_STATX_BTIME = 0x800
_STATX_BTIME_OFFSET = 80


@functools.cache
def _statx() -> Any | None:
    return getattr(ctypes.CDLL(None, use_errno=True), "statx", None)


def _birth_ns(path: str) -> int | None:
    statx = _statx()
    if statx is None:
        return None
    buffer = ctypes.create_string_buffer(256)
    if statx(_AT_FDCWD, os.fsencode(path), _AT_SYMLINK_NOFOLLOW, _STATX_BTIME, buffer) != 0:
        return None
    seconds, nanoseconds = struct.unpack_from("qI", buffer, _STATX_BTIME_OFFSET)
    has_birth = struct.unpack_from("I", buffer, 0)[0] & _STATX_BTIME
    return seconds * 1_000_000_000 + nanoseconds if has_birth else None
