"""Time zones: which are listed, and the conversions that follow from one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from rvbbit_fdw.pushdown import kinds, zones
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.pushdown.zone_list import ZONE_FILES, agreeing, digest, instant_of, offset_at
from rvbbit_fdw.sqltext import Sql

PARIS = "Europe/Paris"
MOMENT = Written(Sql("t"), kinds.TIMESTAMPTZ)


@pytest.fixture(name="duck", scope="module")
def fixture_duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


@pytest.fixture(autouse=True)
def _listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(zones.AGREED, PARIS, digest(ZONE_FILES / PARIS))
    monkeypatch.setitem(zones.AGREED, "Asia/Tokyo", "another file")
    zones._is_agreed.cache_clear()


def folder_with(tmp_path: Path, **files: str) -> Path:
    """A folder of zone files in which a name has the file of another zone."""
    for name, zone in files.items():
        (tmp_path / name).write_bytes((ZONE_FILES / zone).read_bytes())
    return tmp_path


def test_a_zone_with_the_same_rules_is_listed_and_one_with_others_is_not(
    duck: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    folder = folder_with(tmp_path, Japan="Asia/Tokyo", Israel="Europe/Paris", Nowhere="Europe/Paris")
    assert list(agreeing(duck, folder)) == ["Japan"]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2024-03-31 02:30:00", "2024-03-31 01:30:00"),  # skipped: as an hour later by the clocks
        ("2024-10-27 02:30:00", "2024-10-27 01:30:00"),  # shown twice: the later one
        ("2024-07-01 12:00:00", "2024-07-01 10:00:00"),
        ("2024-01-01 12:00:00", "2024-01-01 11:00:00"),
    ],
)
def test_local_times_become_instants_by_postgresql_s_rule(
    duck: duckdb.DuckDBPyConnection, local: str, expected: str
) -> None:
    query = "SELECT CAST(epoch(TIMESTAMP '{}') AS BIGINT)"
    seconds, instant = (duck.execute(query.format(text)).fetchall()[0][0] for text in (local, expected))
    assert instant_of(ZoneInfo(PARIS), seconds) == instant


def test_offsets_far_away_are_those_at_the_ends() -> None:
    zone = ZoneInfo(PARIS)
    assert offset_at(zone, -(1 << 40)) == 561
    assert offset_at(zone, 1 << 40) == 3600


@pytest.mark.parametrize("zone", ["UTC", "etc/utc", "GMT", "Zulu"])
def test_utc_needs_no_rules(zone: str) -> None:
    assert zones.local(MOMENT, zone) == Written(Sql("CAST(t AS TIMESTAMP)"), kinds.TIMESTAMP)


def test_a_listed_zone_is_written_and_can_fail_at_the_ends() -> None:
    written = zones.local(MOMENT, PARIS)
    assert written.sql.startswith("timezone('Europe/Paris', ")
    assert written.fallible
    assert written.kind is kinds.TIMESTAMP


@pytest.mark.parametrize(
    "zone", [None, "Asia/Tokyo", "America/Sao_Paulo", "<+02>-02", "../../etc/passwd", "europe/paris"]
)
def test_other_zones_stay_local(zone: str | None) -> None:
    with pytest.raises(Local) as raised:
        zones.local(MOMENT, zone)
    assert raised.value.reason == f'the time zone "{zone}" is not known to be the same in DuckDB'
