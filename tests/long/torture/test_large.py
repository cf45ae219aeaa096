"""A session of several GB while others work; COUNT=<n> multiplies its size."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg
import pytest

from tests.kit.container import serving
from tests.torture.large import PIECE_BYTES, Large, copies
from tests.torture.store import copied_bytes

pytestmark = pytest.mark.server

TIMES = float(os.environ.get("COUNT") or 1)
BYTES = 3.5e9
CANCELS = 20


def test_a_session_of_several_gigabytes(tmp_path: Path) -> None:
    """The store's limit of 2 GB is below its size: what one statement needs is kept all the same."""
    tmp_path.chmod(0o755)
    with serving(tmp_path, "postgres", "-c", "cron.launch_active_jobs=off") as own:
        large = Large(own, int(BYTES * TIMES / PIECE_BYTES))
        large.prepare()
        with own.connect() as db, own.connect(user="postgres") as superuser:
            _others_go_on(large, db, superuser)
            _cancel(large, db, superuser)
            large.forget()
            before = copies(db)
            large.assert_copied_once(db)
            assert copies(db) == before + 1
            print("store:", large.snapshots(db))
        assert own.disasters(own.log()) == []


def _others_go_on(large: Large, db: psycopg.Connection, superuser: psycopg.Connection) -> None:
    """Every one of their statements ends while the copy is still under way, again and again."""
    rounds = 0
    began = time.monotonic()
    with large.copying(db, superuser) as under_way:
        while not under_way.ended:
            large.others()
            rounds += copied_bytes(superuser) > 0
    assert under_way.ended == [None]
    assert rounds > 0
    print(f"\ncopied in {under_way.ended_at - began:.1f} s, {rounds} rounds of others meanwhile; ms:")
    for what, took in large.took.items():
        print(f"  {what}: median {sorted(took)[len(took) // 2]:.0f}, max {max(took):.0f}")


def _cancel(large: Large, db: psycopg.Connection, superuser: psycopg.Connection) -> None:
    took = []
    for _ in range(CANCELS):
        with large.copying(db, superuser) as under_way:
            asked = time.monotonic()
            superuser.execute("SELECT pg_cancel_backend(%s)", [under_way.pid])
        assert isinstance(under_way.ended[0], psycopg.errors.QueryCanceled)
        took.append((under_way.ended_at - asked) * 1000)
        large.assert_nothing_is_left(superuser)
    print(f"cancelled {CANCELS} times, at most {max(took):.0f} ms each, nothing left")
