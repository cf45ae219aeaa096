"""The first 12,288 bytes of a DuckDB file: what they say about the session, without DuckDB.

The file starts with a main header and two database headers of 4096 bytes each; the database header with the
larger iteration is the current one. All integers are little endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

HEADER_BYTES: Final = 12288
"""Size of the three headers, which is also the size of a database that was never checkpointed."""

OLDEST_STORAGE_VERSION: Final = 64
NEWEST_STORAGE_VERSION: Final = 69
"""The storage version that DuckDB 2.0.0 writes and the newest it reads."""

WAL_SUFFIXES: Final = (".wal", ".wal.checkpoint", ".wal.recovery")
"""Names of the write-ahead files beside `<session>.duckdb`, in the order in which they are copied."""

_SECTOR = 4096
# From 2.0 on the main header says 999 and the database header has the real number.
_SEE_DATABASE_HEADER = 999
_MAIN = struct.Struct("<Q4sQ4Q32s32s")
_DATABASE = struct.Struct("<8Q")
_ENCRYPTED = 1
# A pointer to a block: its number in the lower 56 bits, or all ones where there is none.
_BLOCK_NUMBER = (1 << 56) - 1
_NO_BLOCK = (1 << 64) - 1


class CorruptHeader(ValueError):  # noqa: N818 - says what was found
    """The bytes are not the start of a DuckDB file; the text says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the headers say. `iteration` and the block fields are 0 in an encrypted file.

    `least_bytes` is the size that the file has at least: the blocks that the header names are in it. More
    cannot be said, because `block_count` also counts free blocks at the end that are already cut off.
    """

    storage_version: int
    library_version: str
    encrypted: bool
    iteration: int = 0
    block_count: int = 0
    block_bytes: int = 0
    least_bytes: int = HEADER_BYTES

    @property
    def newer(self) -> bool:
        """True if this DuckDB cannot read the file because a newer one wrote it."""
        return self.storage_version > NEWEST_STORAGE_VERSION


def read_header(data: bytes) -> Header:
    """Read the first HEADER_BYTES bytes of a file; CorruptHeader says why they are not those of a session."""
    _require(len(data) > 0, "the file has no bytes")
    _, magic, version, flags, _, _, _, library, _ = _MAIN.unpack(data[: _MAIN.size].ljust(_MAIN.size, b"\0"))
    _require(magic == b"DUCK", "the file is not a DuckDB database")
    _require(len(data) >= HEADER_BYTES, f"the file ends after {len(data)} bytes, within its header")
    name = library.split(b"\0", 1)[0].decode("ascii", "replace")
    if flags & _ENCRYPTED:
        return Header(version, name, encrypted=True)
    return _with_database_header(data, version, name)


def _with_database_header(data: bytes, version: int, library: str) -> Header:
    first, second = (_DATABASE.unpack_from(data, offset) for offset in (_SECTOR, 2 * _SECTOR))
    current = max(first, second, key=_iteration)
    _, iteration, catalog, free_list, block_count, block_bytes, _, serialization = current
    if version == _SEE_DATABASE_HEADER:
        version = max(serialization, NEWEST_STORAGE_VERSION)
    named = [pointer & _BLOCK_NUMBER for pointer in (catalog, free_list) if pointer != _NO_BLOCK]
    least_bytes = HEADER_BYTES + block_bytes * (max(named, default=-1) + 1)
    header = Header(version, library, False, iteration, block_count, block_bytes, least_bytes)
    if not header.newer:
        _check_plausible(header)
    return header


def _check_plausible(header: Header) -> None:
    """A newer DuckDB may lay out its header otherwise, so only known versions are checked."""
    version, size = header.storage_version, header.block_bytes
    _require(version >= OLDEST_STORAGE_VERSION, f"its storage version {version} is not one that can be read")
    _require(size >= _SECTOR and size & (size - 1) == 0, "its header is damaged: no valid block size")


def _iteration(header: tuple[int, ...]) -> int:
    return header[1]


def _require(good: bool, reason: str) -> None:
    if not good:
        raise CorruptHeader(reason)
