"""Copying one file so that the copy can be interrupted and costs as little as the file system allows."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from typing import Final

_CHUNK_BYTES: Final = 4 << 20
_FICLONE: Final = 0x40049409


class SourceError(Exception):
    """The file to copy could not be read; `error` says why. Any OSError is about the copy."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


def copy_file(source: int, path: str, check: Callable[[], None]) -> None:
    """Copy an open file, as long as it is now, to a new file of mode 0600; `check` runs between chunks.

    Raises SourceError if the file cannot be read, OSError if the copy cannot be written.
    """
    target = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if not _reflink(source, target):
            _copy_chunks(source, target, os.fstat(source).st_size, check)
    finally:
        os.close(target)


def _reflink(source: int, target: int) -> bool:
    """Share the blocks, which is instant; False where the file system has no such thing."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _copy_chunks(source: int, target: int, size: int, check: Callable[[], None]) -> None:
    """Copy `size` bytes, or up to where the file ends if it shrank meanwhile."""
    step = _copy_range
    offset = 0
    while offset < size:
        check()
        done = step(source, target, offset, min(_CHUNK_BYTES, size - offset))
        if done > 0:
            offset += done
        elif step is _copy_range:
            step = _copy_by_reading
        else:
            return


def _copy_range(source: int, target: int, offset: int, size: int) -> int:
    """Let the kernel copy; 0 if it does not: reading and writing then tell whose fault it is, if any.

    Some virtual file systems copy nothing without an error.
    """
    try:
        return os.copy_file_range(source, target, size, offset, offset)
    except OSError:
        return 0


def _copy_by_reading(source: int, target: int, offset: int, size: int) -> int:
    try:
        data = memoryview(os.pread(source, size, offset))
    except OSError as error:
        raise SourceError(error) from None
    done = 0
    while done < len(data):
        done += os.pwrite(target, data[done:], offset + done)
    return done
