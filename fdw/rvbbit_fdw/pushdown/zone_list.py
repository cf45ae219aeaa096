"""Which time zones DuckDB and PostgreSQL agree on, as an image keeps them in zones.json.

PostgreSQL reads the system's zone files, DuckDB has its own copy of the rules. A zone is listed, with the
hash of its file, if both convert the same way, there and back, around every transition that the file has and
those that its rule makes in two cycles of 28 years. https://www.rfc-editor.org/rfc/rfc8536
Made by `python -m rvbbit_fdw.pushdown.zone_list`.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

ZONE_FILES = Path("/usr/share/zoneinfo")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE = 60
_FIRST_OF_RULE = 2007
_HEADER = struct.Struct(">4sc15x6L")
_SHIFTS = (-86400, -7201, -3601, -3600, -1801, -1, 0, 1, 1799, 1800, 3599, 3600, 7200, 86400)
"""Seconds around a transition that are tried."""


def agreeing(connection: duckdb.DuckDBPyConnection, folder: Path = ZONE_FILES) -> dict[str, str]:
    """The zones that both know and agree on, with the hashes of their files."""
    known = {str(name) for (name,) in connection.execute("SELECT name FROM pg_timezone_names()").fetchall()}
    return {
        name: digest(folder / name)
        for name in sorted(known)
        if (folder / name).is_file() and _agrees(connection, name, folder / name)
    }


def digest(file: Path) -> str:
    """What tells one version of a zone's file from another."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _agrees(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> bool:
    with file.open("rb") as stream:
        zone = ZoneInfo.from_file(stream)
    instants = sorted({moment + shift for moment in _transitions(file, zone) for shift in _SHIFTS})
    there = [(moment, moment + offset_at(zone, moment)) for moment in instants]
    locals_ = sorted({local for _, local in there})
    back = [(local, instant_of(zone, local)) for local in locals_]
    return _same(connection, name, there, _TO_LOCAL) and _same(connection, name, back, _TO_INSTANT)


_TO_LOCAL = "epoch_us(timezone(?, CAST(make_timestamp(given * 1000000) AS TIMESTAMPTZ)))"
_TO_INSTANT = "epoch_us(timezone(?, make_timestamp(given * 1000000)))"


def _same(
    connection: duckdb.DuckDBPyConnection, name: str, pairs: Sequence[tuple[int, int]], conversion: str
) -> bool:
    query = f"""SELECT count(*) FROM (SELECT unnest(?::BIGINT[]) AS given, unnest(?::BIGINT[]) AS expected)
        WHERE {conversion} <> expected * 1000000"""
    given, expected = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    try:
        row = connection.execute(query, [given, expected, name]).fetchone()
    except duckdb.Error:
        return False
    return row == (0,)


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """Seconds that the zone is ahead of UTC; before the year 1 and after 9999 as at the ends of that time."""
    year_1, year_9999 = -62135596800 + 86400, 253402300799 - 86400
    moment = _EPOCH + timedelta(seconds=min(max(instant, year_1), year_9999))
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def instant_of(zone: ZoneInfo, local: int) -> int:
    """The instant of a local time, by PostgreSQL's rule.

    What the clocks skip counts by the offset before; of what they show twice, the later one is meant.
    """
    before, after = (offset_at(zone, local + shift) for shift in (-86400, 86400))
    early, late = local - before, local - after
    fits_before, fits_after = offset_at(zone, early) == before, offset_at(zone, late) == after
    if fits_before and fits_after:
        return late if before >= after else early
    if fits_before or fits_after:
        return early if fits_before else late
    return early


def _transitions(file: Path, zone: ZoneInfo) -> Iterator[int]:
    yield from _of_file(file.read_bytes())
    yield from _of_rule(zone)
    yield from (-(1 << 36), -(1 << 32), 0, 1 << 33)


def _of_file(data: bytes) -> Sequence[int]:
    """The transition times of the 64-bit part of a zone's file."""
    _, _, gmt, standard, leaps, times, types, letters = _HEADER.unpack_from(data)
    second = _HEADER.size + times * 5 + types * 6 + letters + leaps * 8 + standard + gmt
    count = _HEADER.unpack_from(data, second)[5]
    return [int(each) for each in struct.unpack_from(f">{count}q", data, second + _HEADER.size)]


def _of_rule(zone: ZoneInfo) -> Iterator[int]:
    """Where the zone's offset changes in the years to come, found by halving months."""
    for year in range(_FIRST_OF_RULE, _FIRST_OF_RULE + _CYCLE):
        starts = [_seconds(year, month) for month in range(1, 13)] + [_seconds(year + 1, 1)]
        for start, end in pairwise(starts):
            if offset_at(zone, start) != offset_at(zone, end):
                yield _change(zone, start, end)


def _seconds(year: int, month: int) -> int:
    return int((datetime(year, month, 1, tzinfo=UTC) - _EPOCH).total_seconds())


def _change(zone: ZoneInfo, start: int, end: int) -> int:
    before = offset_at(zone, start)
    while end - start > 1:
        middle = (start + end) // 2
        start, end = (middle, end) if offset_at(zone, middle) == before else (start, middle)
    return end


if __name__ == "__main__":
    with duckdb.connect(config={"threads": 1, "async_threads": 0}) as _connection:
        _connection.execute("SET TimeZone = 'UTC'")
        print(json.dumps(agreeing(_connection), indent=0))  # noqa: T201
