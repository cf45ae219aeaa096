"""What sync costs where nothing happens, and that no folder is too large for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.kit.container import Server, serving
from tests.kit.synced import Folder, opened, ticking, wait_for

pytestmark = pytest.mark.server

# What a tick writes once a minute (and pg_cron numbers its runs, 32 numbers at a time); what a look writes.
HEARTBEAT = {"sync_run", "sync_run_pkey", "runid_seq"}
LOOK = {"sync_seen", "sync_seen_pkey"}
# Its size, with a page that is written whole after a checkpoint.
HEARTBEAT_BYTES = 10_000
TABLES = """
    SELECT count(DISTINCT table_schema), count(*) FROM information_schema.tables
    WHERE table_schema LIKE 's%' AND table_type = 'BASE TABLE'"""
# What every server writes by itself: who runs now, and checkpoints.
OF_ITSELF = {"Standby", "XLOG"}

_WRITTEN = """
    SELECT resource_manager, record_length,
           ARRAY(SELECT c.relname::text FROM regexp_matches(block_ref, 'rel \\d+/\\d+/(\\d+)', 'g') AS m
                 JOIN pg_class AS c ON pg_relation_filenode(c.oid) = m[1]::oid)
    FROM pg_get_wal_records_info(%s, %s)"""


@dataclass(frozen=True)
class Log:
    """What a server wrote to its write-ahead log."""

    records: list[tuple[str, int, list[str]]]

    @property
    def size(self) -> int:
        """In bytes, of all but what the server writes by itself."""
        return sum(length for manager, length, _ in self.records if manager not in OF_ITSELF)

    @property
    def relations(self) -> set[str]:
        """The tables and indexes that were written to."""
        return {name for _, _, names in self.records for name in names}

    @property
    def transactions(self) -> int:
        """How many were committed, or rolled back after they had written."""
        return sum(manager == "Transaction" for manager, _, _ in self.records)


def ticks(folder: Folder) -> int:
    """How many syncs there were."""
    return int(folder.one("SELECT calls FROM pg_stat_user_functions WHERE funcname = 'sync'"))


@contextmanager
def serving_with(path: Path, *settings: str) -> Iterator[Server]:
    """A server with these settings over a folder."""
    path.chmod(0o755)
    arguments = [word for setting in settings for word in ("-c", setting)]
    with serving(path, "postgres", *arguments, "-c", "track_functions=pl") as server:
        yield server


@contextmanager
def quiet(path: Path) -> Iterator[Folder]:
    """A server in which nothing but the job happens, with five attached sessions; a superuser's eyes."""
    settings = ("autovacuum=off", "checkpoint_timeout=1h")
    with serving_with(path, *settings) as server, server.connect(user="postgres") as admin:
        folder = Folder(server, admin)
        folder.write("s0", "CREATE TABLE t AS SELECT 1 AS a")
        folder.copy("s0", *(f"s{number}" for number in range(1, 5)))
        admin.execute("CREATE EXTENSION pg_walinspect")
        with ticking(server):
            wait_for(lambda: len(folder.attached()) == 5 and folder.plan() == set())
        # Else who reads a catalog may tidy a page of it.
        admin.execute("VACUUM")
        yield folder


@contextmanager
def logged(folder: Folder) -> Iterator[list[Log]]:
    """A list that holds what was written in the block, after it."""
    found: list[Log] = []
    begin = folder.one("SELECT pg_current_wal_insert_lsn()")
    yield found
    end = folder.one("SELECT pg_current_wal_insert_lsn()")
    # Where nothing was written there is no record to be found.
    found.append(Log(folder.db.execute(_WRITTEN, [begin, end]).fetchall() if begin != end else []))


def wait_for_ticks(folder: Folder, number: int) -> int:
    """Wait until pg_cron has ticked so often; how many minutes that began."""
    before, began = ticks(folder), time.monotonic()
    wait_for(lambda: ticks(folder) >= before + number, seconds=10 + 5 * number)
    return 1 + int((time.monotonic() - began) // 60)


def assert_idle(folder: Folder, number: int) -> tuple[int, int, int]:
    """So many ticks write a heartbeat a minute and nothing else; a touched file is one row more.

    The bytes written without ticks, with idle ones, and with some after one file was touched.
    """
    catalog = "SELECT array_agg((c.oid, c.xmin)::text ORDER BY c.oid) FROM pg_class AS c"
    before = folder.one(catalog)
    with logged(folder) as without:
        time.sleep(number)
    with ticking(folder.server):
        wait_for_ticks(folder, 1)
        with logged(folder) as idle:
            minutes = wait_for_ticks(folder, number)
        assert idle[0].relations <= HEARTBEAT
        assert idle[0].transactions <= without[0].transactions + minutes + 1 + number // 32
        assert idle[0].size <= without[0].size + minutes * HEARTBEAT_BYTES
        with logged(folder) as touched:
            folder.age("s3", 0)
            minutes = wait_for_ticks(folder, 4)
        assert touched[0].relations <= HEARTBEAT | LOOK
        assert LOOK & touched[0].relations
        assert touched[0].transactions <= without[0].transactions + minutes + 2
    assert folder.one(catalog) == before
    assert folder.one("SELECT count(*) FROM cron.job_run_details") == 0
    return without[0].size, idle[0].size, touched[0].size


def test_idle_ticks_write_heartbeats_alone(tmp_path: Path) -> None:
    """pg_cron ticks each second on a folder where nothing happens but that one file is touched."""
    with quiet(tmp_path) as folder:
        assert_idle(folder, 10)


@contextmanager
def few_locks(path: Path) -> Iterator[Folder]:
    """A server whose lock table holds less than a folder of many tables; nothing is attached."""
    settings = ("max_locks_per_transaction=10", "max_connections=20", "max_worker_processes=4")
    with serving_with(path, *settings, "cron.launch_active_jobs=off") as server, opened(server) as folder:
        folder.db.execute("SELECT rvbbit.set_policy('none')")
        yield folder


def many(folder: Folder, sessions: int, tables: int) -> None:
    """As many sessions with as many small tables each."""
    columns = "id BIGINT, name VARCHAR, amount DECIMAL(12, 2), made TIMESTAMP, tags VARCHAR[]"
    folder.unfinished("s0", *(f"CREATE TABLE t{number} ({columns})" for number in range(tables)))
    folder.copy("s0", *(f"s{number}" for number in range(1, sessions)))


def assert_all_attach(folder: Folder, sessions: int, tables: int) -> None:
    """One sync attaches them all, the next looks into none of them."""
    looks = "SELECT COALESCE(sum(calls), 0) FROM pg_stat_user_functions"
    looks += " WHERE funcname IN ('_drift', '_sync_step', '_refresh')"
    folder.db.execute("SELECT rvbbit.set_policy('all')")
    folder.sync()
    assert folder.problems() == {}
    assert folder.rows(TABLES) == [(sessions, sessions * tables)]
    assert folder.plan() == set()
    folder.db.execute("SELECT pg_stat_force_next_flush()")
    before = folder.one(looks)
    folder.sync()
    folder.db.execute("SELECT pg_stat_force_next_flush()")
    assert folder.one(looks) == before


def assert_all_go(folder: Folder) -> None:
    """One sync takes them all away."""
    folder.db.execute("SELECT rvbbit.set_policy('none')")
    folder.sync()
    assert folder.problems() == {}
    assert folder.rows(TABLES) == [(0, 0)]


def test_no_folder_is_too_large_for_the_locks(tmp_path: Path) -> None:
    """In one transaction they would be too many; sync has one for each session."""
    with few_locks(tmp_path) as folder:
        many(folder, 40, 30)
        with pytest.raises(psycopg.errors.OutOfMemory, match="out of shared memory"):
            folder.db.execute("SELECT rvbbit_attach_session(session_id) FROM rvbbit_sessions")
        assert folder.attached() == {}
        assert_all_attach(folder, 40, 30)
        assert_all_go(folder)
