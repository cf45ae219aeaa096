"""What says that a session has not changed: its identity, sizes, times and headers."""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rvbbit_fdw.inspection import open_regular, read_start
from rvbbit_fdw.sessions import SessionFile
from rvbbit_fdw.storage import WAL_SUFFIXES


class WalIdentity(NamedTuple):
    """Inode, size in bytes and time of one WAL file; all 0 where it is absent."""

    inode: int = 0
    size: int = 0
    modified_ns: int = 0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A session's files at one moment. Equal fingerprints mean equal committed content."""

    header: bytes
    identity: tuple[int, int, int, int]  # device, inode, size, mtime of the db
    wals: tuple[WalIdentity, ...]

    @property
    def key(self) -> str:
        """A name for this state. It also names the running system's boot, because a copy that was not yet on
        disk when the machine lost its power may be torn."""
        digest = hashlib.sha256(self.header)
        numbers = [*self.identity, *(number for wal in self.wals for number in wal)]
        digest.update(repr(numbers).encode())
        return f"{boot()}-{digest.hexdigest()[:40]}"

    @property
    def size(self) -> int:
        """The size of the db."""
        return self.identity[2]

    @property
    def wal_bytes(self) -> int:
        """The size of all WAL files together."""
        return sum(wal.size for wal in self.wals)

    def held_until(self, later: Fingerprint) -> bool:
        """True if nothing happened in between but appending to a WAL file."""
        pairs = zip(self.wals, later.wals, strict=True)
        return (
            self.header == later.header
            and self.identity[:2] == later.identity[:2]
            and all(a.inode == b.inode and a.size <= b.size for a, b in pairs)
        )


def take_fingerprint(file: SessionFile) -> Fingerprint:
    """Read the session's headers and the identity of its files; OSError if the db cannot be opened."""
    descriptor = open_regular(file.target)
    try:
        header, status = read_start(descriptor)
    finally:
        os.close(descriptor)
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    return Fingerprint(header, identity, tuple(_wal(file.path + suffix) for suffix in WAL_SUFFIXES))


@functools.cache
def boot() -> str:
    """The beginning of the running system's boot id, or zeros where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii")[:8]
    except OSError:
        return "0" * 8


def _wal(path: str) -> WalIdentity:
    try:
        status = os.lstat(path)
    except OSError:  # also a name that is too long to exist
        return WalIdentity()
    if stat.S_ISDIR(status.st_mode):
        return WalIdentity()
    return WalIdentity(status.st_ino, status.st_size, status.st_mtime_ns)
