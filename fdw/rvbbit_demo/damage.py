"""Turn a good session file into one that cannot be read: corrupt, encrypted, or from a newer DuckDB.

A DuckDB file begins with a main header of 4096 bytes: a checksum over the rest of it, `DUCK`, the storage
version (64 bits), flags (bit 0: encrypted). Two database headers of the same size follow.
"""

import random
import struct
from collections.abc import Callable
from pathlib import Path

HEADER_SIZE = 4096
VERSION_AT, FLAGS_AT, KEY_INFO_AT, KEY_INFO_SIZE = 12, 20, 120, 44
UNKNOWN_VERSION = 4096  # DuckDB 2.0 reads up to 69 and writes 999


def checksum(data: bytes | bytearray) -> int:
    """DuckDB's checksum of whole 64-bit words."""
    result = 5381
    for (word,) in struct.iter_unpack("<Q", data):
        result ^= word * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return result


def set_checksum(data: bytearray) -> None:
    """Make the main header valid again."""
    struct.pack_into("<Q", data, 0, checksum(data[8:HEADER_SIZE]))


def corrupt(data: bytearray) -> None:
    """Lose the main header, as a disk block that was never written does."""
    data[:HEADER_SIZE] = bytes(HEADER_SIZE)


def newer(data: bytearray) -> None:
    """Claim a storage version that no DuckDB of today reads."""
    struct.pack_into("<Q", data, VERSION_AT, UNKNOWN_VERSION)
    set_checksum(data)


def encrypted(data: bytearray) -> None:
    """A main header as an encrypted file has it, and nothing readable after it.

    DuckDB 1.4 writes encrypted files only with an extension that it would have to download.
    """
    noise = random.Random(len(data))  # looks like ciphertext, hides nothing
    struct.pack_into("<Q", data, FLAGS_AT, 1)
    struct.pack_into("<4B", data, KEY_INFO_AT - 4, 0, 1, 1, 0)
    data[KEY_INFO_AT : KEY_INFO_AT + KEY_INFO_SIZE] = noise.randbytes(KEY_INFO_SIZE)
    data[HEADER_SIZE:] = noise.randbytes(len(data) - HEADER_SIZE)
    set_checksum(data)


KINDS: dict[str, Callable[[bytearray], None]] = {"corrupt": corrupt, "encrypted": encrypted, "newer": newer}


def apply(path: Path, kind: str) -> None:
    """Damage the file in place."""
    data = bytearray(path.read_bytes())
    KINDS[kind](data)
    path.write_bytes(data)
