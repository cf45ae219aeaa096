"""Snapshots of sessions that are written this second, and the store that keeps them."""

import multiprocessing
import os
import resource
import signal
import time
from pathlib import Path

import duckdb
import pytest

from rvbbit_fdw import errors
from rvbbit_fdw.sessions import SessionFolder
from rvbbit_fdw.snapshot import Snapshot, SnapshotStore
from tests.kit.writers import looping, make_session, writing

_FORK = multiprocessing.get_context("fork")

# Every commit keeps sum(v) = 0 and adds one to the counter; the log says what was committed.
_TORTURE = """
import os, sys, duckdb
path, log, stop = sys.argv[1:]
connection = duckdb.connect(path, config={"checkpoint_threshold": "200KB"})
connection.execute("CREATE TABLE a AS SELECT range AS i, 0 AS v FROM range(2000)")
connection.execute("CREATE TABLE c AS SELECT 0 AS n")
with open(log, "w") as out:
    n = 0
    while not os.path.exists(stop):
        n += 1
        connection.execute("BEGIN")
        connection.execute("UPDATE a SET v = v + 1 WHERE i = ?", [n % 1000])
        connection.execute("UPDATE a SET v = v - 1 WHERE i = ?", [1000 + n % 1000])
        connection.execute("UPDATE c SET n = n + 1")
        if n % 50 == 0:
            connection.execute(f"CREATE OR REPLACE TABLE b AS SELECT range AS x FROM range(130000)")
        connection.execute("COMMIT")
        out.write(f"{n}\\n")
        out.flush()
        if n % 8 == 0:
            connection.execute("CHECKPOINT")
"""


def read(snapshot: Snapshot, store: SnapshotStore, sql: str) -> tuple[int, ...]:
    place = store.workplace()
    with duckdb.connect(snapshot.link_into(place, "x"), read_only=True) as connection:
        row: tuple[int, ...] | None = connection.execute(sql).fetchone()
    store.leave(place)
    assert row is not None
    return row


def committed(log: Path) -> int:
    lines = log.read_text().split("\n")
    return int(lines[-2]) if len(lines) > 1 else 0


def test_every_snapshot_of_a_busy_writer_is_one_committed_state(tmp_path: Path) -> None:
    store = SnapshotStore(str(tmp_path / "store"), 1 << 30)
    folder = SessionFolder(str(tmp_path))
    seen = set()
    with looping(tmp_path / "s.duckdb", _TORTURE) as log:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            least = committed(log)
            snapshot = store.take(folder.find("s"))
            total, number = read(snapshot, store, "SELECT (SELECT sum(v) FROM a), (SELECT n FROM c)")
            assert total == 0
            assert number >= least or snapshot.stale_seconds is not None
            seen.add(number)
    assert len(seen) > 50


def test_an_unchanged_session_is_copied_once(tmp_path: Path) -> None:
    make_session(tmp_path / "s.duckdb", "CREATE TABLE t AS SELECT 42 AS x")
    file = SessionFolder(str(tmp_path)).find("s")
    store = SnapshotStore(str(tmp_path / "store"), 1 << 30)
    first = store.take(file)
    assert store.take(file) == first
    assert read(first, store, "SELECT x FROM t") == (42,)


def _take(folder: str, store: str) -> None:
    SnapshotStore(store, 1 << 30).take(SessionFolder(folder).find("s"))


def test_many_takers_leave_one_copy_and_no_litter(tmp_path: Path) -> None:
    make_session(tmp_path / "s.duckdb", "CREATE TABLE t AS SELECT range x FROM range(500000)")
    takers = [_FORK.Process(target=_take, args=(str(tmp_path), str(tmp_path / "store"))) for _ in range(6)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join(20)
        assert taker.exitcode == 0
    assert len(list((tmp_path / "store" / "sessions").glob("*/*/db"))) == 1
    assert not list((tmp_path / "store" / "building").iterdir())


def _hang(folder: str, store: str) -> None:
    def check() -> None:
        if any(Path(store, "building").glob("*/db")):
            time.sleep(60)

    SnapshotStore(store, 1 << 30).take(SessionFolder(folder).find("s"), check)


def test_a_killed_taker_locks_nothing_and_its_litter_goes(tmp_path: Path) -> None:
    make_session(tmp_path / "s.duckdb", "CREATE TABLE t AS SELECT hash(range) x FROM range(800000)")
    building = tmp_path / "store" / "building"
    taker = _FORK.Process(target=_hang, args=(str(tmp_path), str(tmp_path / "store")))
    taker.start()
    until = time.monotonic() + 10
    while not list(building.glob("*/db")) and time.monotonic() < until:
        time.sleep(0.005)
    assert taker.pid is not None
    os.kill(taker.pid, signal.SIGKILL)
    taker.join()
    _take(str(tmp_path), str(tmp_path / "store"))
    assert not list(building.iterdir())


def test_a_wal_above_the_limit_is_folded_in(tmp_path: Path) -> None:
    store = SnapshotStore(str(tmp_path / "store"), 1 << 30)
    with writing(tmp_path / "s.duckdb", checkpoint_threshold="1TB") as writer:
        writer.run("CREATE TABLE t (x BIGINT, y VARCHAR)")
        for _ in range(8):
            writer.run("INSERT INTO t SELECT range, md5(range::VARCHAR) FROM range(60000)")
        file = SessionFolder(str(tmp_path)).find("s")
        assert file.wal_bytes > 16 << 20
        snapshot = store.take(file)
        assert read(snapshot, store, "SELECT count(*) FROM t") == (480000,)
    assert snapshot.files == ("db",)


@pytest.mark.parametrize(("data", "state"), [(b"", "corrupt"), (b"nonsense" * 5000, "corrupt")])
def test_an_unusable_session_is_refused(tmp_path: Path, data: bytes, state: str) -> None:
    (tmp_path / "s.duckdb").write_bytes(data)
    with pytest.raises(errors.SessionUnusable) as caught:
        SnapshotStore(str(tmp_path / "store"), 1 << 30).take(SessionFolder(str(tmp_path)).find("s"))
    assert caught.value.state == state
    assert str(tmp_path) not in caught.value.message


def test_a_full_store_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    make_session(tmp_path / "s.duckdb", "CREATE TABLE t AS SELECT hash(range) x FROM range(500000)")
    file = SessionFolder(str(tmp_path)).find("s")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(errors.StoreFull):
            SnapshotStore(str(tmp_path / "store"), 1 << 30).take(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "store" / "building").iterdir())


def test_an_evicted_snapshot_stays_readable_where_it_is_linked(tmp_path: Path) -> None:
    store = SnapshotStore(str(tmp_path / "store"), 1)
    for name in "ab":
        make_session(tmp_path / f"{name}.duckdb", f"CREATE TABLE t AS SELECT '{name}' AS x")
    folder = SessionFolder(str(tmp_path))
    first = store.take(folder.find("a"))
    place = store.workplace()
    path = first.link_into(place, "x")
    store._evictor.shrink(0, lambda: None)
    store.take(folder.find("b"))
    with pytest.raises(errors.SnapshotGone):
        first.link_into(place, "y")
    with duckdb.connect(path, read_only=True) as connection:
        assert connection.execute("SELECT x FROM t").fetchone() == ("a",)
