"""Copying one file so that the copy can be interrupted and costs as little as the file system allows."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from typing import Final

_CHUNK_BYTES: Final = 4 << 20
_FICLONE: Final = 0x40049409
# What a file system answers when it cannot do it at all, as opposed to failing while it does.
_CANNOT: Final = frozenset(
    {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.ENOTTY, errno.EPERM}
)


def copy_file(source: int, path: str, check: Callable[[], None]) -> None:
    """Copy an open file, as long as it is now, to a new file of mode 0600; `check` runs between chunks."""
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
        try:
            done = step(source, target, offset, min(_CHUNK_BYTES, size - offset))
        except OSError as error:
            if step is not _copy_range or error.errno not in _CANNOT:
                raise
            step = _copy_by_reading
            continue
        # Some virtual file systems answer 0 to copy_file_range although there is more to read.
        if done == 0 and step is _copy_range:
            step = _copy_by_reading
        elif done == 0:
            return
        offset += done


def _copy_range(source: int, target: int, offset: int, size: int) -> int:
    return os.copy_file_range(source, target, size, offset, offset)


def _copy_by_reading(source: int, target: int, offset: int, size: int) -> int:
    data = memoryview(os.pread(source, size, offset))
    done = 0
    while done < len(data):
        done += os.pwrite(target, data[done:], offset + done)
    return done
