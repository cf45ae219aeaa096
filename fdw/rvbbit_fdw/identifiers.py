"""Names: how DuckDB compares them, and what they are called in PostgreSQL.

PostgreSQL cuts identifiers at 63 bytes (NAMEDATALEN - 1), so long names are shortened here, where they can be
kept apart: a shortened name ends in a hash of the whole name, so it stays the same whatever stands beside it.
A name can change for two reasons alone: something else comes that is called exactly as the shortened name, or
as the reserved name with its underscore; names that PostgreSQL can hold always go before those made here.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Collection, Sequence

MAX_BYTES = 63
MAX_COLUMNS = 1600
"""PostgreSQL's MaxHeapAttributeNumber: no table has more columns."""

SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
"""Names that PostgreSQL keeps for itself in every table."""

_HASH_DIGITS = 8
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(name: str) -> str:
    """What is equal for names that DuckDB takes for the same: only A to Z have two cases there."""
    return name.translate(_FOLD)


def postgres_names(names: Sequence[str], reserved: Collection[str] = ()) -> list[str]:
    """A distinct PostgreSQL name for each name, in the same order.

    A name that PostgreSQL can hold and that is not reserved stays as it is, whatever the others are.
    """
    kept = {name for name in names if _fits(name, reserved)}
    taken = set(kept)
    result: list[str] = []
    seen: set[str] = set()
    for name in names:
        chosen = name if name in kept and name not in seen else _choose(name, taken, reserved)
        seen.add(name)
        taken.add(chosen)
        result.append(chosen)
    return result


def column_names(names: Sequence[str]) -> list[str]:
    """As `postgres_names`, for the columns of one table."""
    return postgres_names(names, SYSTEM_COLUMNS)


def cut(name: str, size: int) -> str:
    """The longest start of the name that is valid UTF-8 in at most `size` bytes."""
    return name.encode()[:size].decode(errors="ignore")


def _fits(name: str, reserved: Collection[str]) -> bool:
    return bool(name) and len(name.encode()) <= MAX_BYTES and name not in reserved


def _choose(name: str, taken: Collection[str], reserved: Collection[str]) -> str:
    if name in reserved and name + "_" not in taken:
        return name + "_"
    attempt = 0
    while True:
        digest = hashlib.sha256(name.encode() + b"\0" * attempt).hexdigest()[:_HASH_DIGITS]
        candidate = f"{cut(name, MAX_BYTES - _HASH_DIGITS - 1)}_{digest}"
        if candidate not in taken:
            return candidate
        attempt += 1
