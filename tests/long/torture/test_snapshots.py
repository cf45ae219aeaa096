"""Snapshots of a session under a writer with a checkpoint each eighth commit; COUNT=<n> multiplies them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.torture.busy import LOCKS, Locks, Place, committed, read_states, writing_for_ever

TIMES = float(os.environ.get("COUNT") or 1)


@pytest.mark.parametrize("locks", LOCKS)
def test_snapshots_of_a_busy_writer(tmp_path: Path, locks: Locks) -> None:
    place = Place(tmp_path)
    with writing_for_ever(place, locks) as log:
        tally = read_states(place, log, lambda done: done.snapshots < 1500 * TIMES)
        commits = committed(log)
    print(f"\nlocks {locks}: {tally.snapshots} snapshots of {commits} commits, {len(tally.states)} states,")
    print(
        f"none torn, {tally.stale} not the newest and said so; each open and commit of the writer succeeded"
    )
