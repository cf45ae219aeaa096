"""Sync at length, half an hour: each moment of death, a hundred ticks, 400 sessions; COUNT=<n> multiplies."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random

import pytest

from tests.kit.synced import Folder, opened
from tests.server.test_sync_costs import (
    assert_all_attach,
    assert_all_go,
    assert_idle,
    many,
    quiet,
    serving_with,
)
from tests.server.test_sync_crash import WORK, die_at, kill_after, mortal_server

pytestmark = pytest.mark.server

TIMES = float(os.environ.get("COUNT") or 1)
SEED = int(os.environ.get("SEED") or time.time())


@pytest.mark.parametrize(("before", "after"), WORK)
def test_death_at_each_command(tmp_path: Path, before: str, after: str) -> None:
    with mortal_server(tmp_path) as server:
        moment = 1
        while die_at(server, before, after, moment) == 0:
            moment += 1
    print(f"\n{before} -> {after}: killed at each of {moment - 1} moments")
    assert moment > 10


def test_death_at_any_time(tmp_path: Path) -> None:
    print(f"\nSEED={SEED}")
    chance, hits = Random(SEED), 0
    with mortal_server(tmp_path) as server:
        for number in range(int(90 * TIMES)):
            before, after = WORK[number % len(WORK)]
            hits += kill_after(server, before, after, chance.uniform(0, 0.6))
    print(f"{hits} of {int(90 * TIMES)} killed while at work")
    assert hits > 20 * TIMES


def test_a_hundred_ticks(tmp_path: Path) -> None:
    with quiet(tmp_path) as folder:
        print("\nbytes written without the job, in idle ticks, with a touched file:")
        print(assert_idle(folder, int(100 * TIMES)))


def test_400_sessions_of_30_tables(tmp_path: Path) -> None:
    with serving_with(tmp_path, "cron.launch_active_jobs=off") as server, opened(server) as folder:
        folder.db.execute("SELECT rvbbit.set_policy('none')")
        many(folder, 400, 30)
        began = time.monotonic()
        assert_all_attach(folder, 400, 30)
        print(
            f"\nattached in {time.monotonic() - began:.1f} s; an idle tick then: {idle_tick(folder):.0f} ms"
        )
        began = time.monotonic()
        assert_all_go(folder)
        print(f"detached in {time.monotonic() - began:.1f} s")


def idle_tick(folder: Folder) -> float:
    """The fastest of ten, in milliseconds."""
    folder.sync()
    times = []
    for _ in range(10):
        began = time.perf_counter()
        folder.sync()
        times.append(time.perf_counter() - began)
    return min(times) * 1000
