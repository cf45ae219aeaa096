"""The sealed instance: what it refuses, what is attached when, and who shares it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from rvbbit_fdw import engine
from rvbbit_fdw.engine import Attached, Engine, connect_idle
from rvbbit_fdw.errors import (
    FolderUnusable,
    Interrupted,
    OutOfMemory,
    SessionUnusable,
    SnapshotGone,
    translate,
)
from rvbbit_fdw.request import Settings
from rvbbit_fdw.sessions import SessionFile, SessionFolder
from rvbbit_fdw.snapshot import Snapshot, SnapshotStore
from rvbbit_fdw.tasks import Task
from tests.kit.folder import Folder

MANY_ROWS = "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY hash(i)) AS n FROM range(6000000) r(i))"


class Bench:
    """An engine, its store and a task."""

    def __init__(self, root: Path, settings: Settings) -> None:
        self.folder = Folder(root)
        self.store = SnapshotStore(str(self.folder.store), 1 << 30)
        self.engine = Engine(connect_idle(), Path(self.store.workplace()), settings)
        self.task = Task(1)
        self.task.open(self.engine.cursor())

    def file(self, session_id: str) -> SessionFile:
        return SessionFolder(str(self.folder.sessions)).find(session_id)

    def use(self, session_id: str, pin: int = 1) -> Attached:
        return self.engine.use(pin, self.file(session_id), self.store, self.task)

    def value(self, sql: str) -> object:
        return self.task.cursor.sql(sql).fetchall()[0][0]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, Settings(memory_limit=128 << 20, temp_limit=1 << 30))
    made.folder.write("a", "CREATE TABLE t AS SELECT 1 AS i")
    yield made
    made.task.close()


@pytest.mark.parametrize(
    "view",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_blob('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_csv('/etc/passwd', columns={'a': 'VARCHAR'})",
        "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    ],
)
def test_a_stored_view_reads_no_file(bench: Bench, view: str) -> None:
    bench.folder.write("v", f"CREATE VIEW v AS {view}")
    bench.use("v")
    with pytest.raises(duckdb.Error, match="disabled by configuration") as caught:
        bench.value('SELECT * FROM "v".main.v')
    assert translate(caught.value).sqlstate == "42501"


def test_a_stored_view_finds_nothing_in_the_workplace(bench: Bench) -> None:
    place = bench.engine.workplace
    bench.folder.write(
        "v",
        f"CREATE VIEW inside AS SELECT count(*) FROM glob('{place}/*')",
        f"CREATE VIEW outside AS SELECT count(*) FROM glob('{place}/../*')",
    )
    bench.use("a")
    bench.use("v")
    assert bench.value('SELECT * FROM "v".main.inside') == 0
    with pytest.raises(duckdb.Error, match="disabled by configuration"):
        bench.value('SELECT * FROM "v".main.outside')
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "SET TimeZone = 'Europe/Berlin'",
        "SET memory_limit = '10GB'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "ATTACH '/tmp/other.duckdb' AS other",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "INSTALL httpfs",
        "LOAD httpfs",
    ],
)
def test_sealed(bench: Bench, statement: str) -> None:
    with pytest.raises(duckdb.Error):
        bench.task.cursor.execute(statement)


def test_a_session_cannot_be_written(bench: Bench) -> None:
    bench.use("a")
    with pytest.raises(duckdb.Error, match="read-only"):
        bench.task.cursor.execute('INSERT INTO "a".main.t VALUES (2)')


def test_python_variables_are_out_of_reach(bench: Bench) -> None:
    nowhere = [1, 2]
    with pytest.raises(duckdb.Error, match="does not exist"):
        bench.value("SELECT * FROM nowhere")
    assert nowhere


def test_settings_hold_in_every_cursor(bench: Bench) -> None:
    names = (
        "name IN ('TimeZone', 'enable_progress_bar', 'arrow_large_buffer_size', 'threads', 'async_threads')"
    )
    found = dict(bench.task.cursor.sql(f"SELECT name, value FROM duckdb_settings() WHERE {names}").fetchall())
    assert found.pop("TimeZone") == "UTC"
    assert found == {
        "enable_progress_bar": "false",
        "arrow_large_buffer_size": "true",
        "threads": "1",
        "async_threads": "0",
    }


def test_large_sorts_spill_into_the_workplace(bench: Bench) -> None:
    assert bench.value(MANY_ROWS) == 6_000_000
    assert [entry.name for entry in bench.engine.workplace.iterdir()] == ["temp"]


def test_the_spill_limit_holds(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Settings(memory_limit=64 << 20, temp_limit=1 << 20))
    with pytest.raises(duckdb.Error) as caught:
        bench.value(MANY_ROWS)
    assert isinstance(translate(caught.value), OutOfMemory)
    assert bench.value("SELECT 1") == 1


def test_a_snapshot_is_attached_once_and_kept_for_the_next_statement(bench: Bench) -> None:
    first = bench.use("a", pin=1)
    assert first.alias == "a"
    assert bench.use("a", pin=1) is first
    assert bench.use("a", pin=2) is first
    bench.engine.release(1)
    bench.engine.release(2)
    assert bench.use("a", pin=3) is first


def test_what_no_statement_needs_is_detached_before_the_next(bench: Bench) -> None:
    bench.folder.write("b", "CREATE TABLE t AS SELECT 2 AS i")
    bench.use("a", pin=1)
    bench.use("b", pin=1)
    assert bench.engine.attached_aliases() == {"a", "b"}
    bench.engine.release(1)
    bench.use("b", pin=2)
    assert bench.engine.attached_aliases() == {"b"}
    assert bench.value("SELECT count(*) FROM duckdb_databases() WHERE NOT internal") == 2  # b and memory


def test_a_newer_state_stands_beside_the_pinned_one(bench: Bench) -> None:
    old = bench.use("a", pin=1)
    bench.folder.write("a", "INSERT INTO t VALUES (2)")
    new = bench.use("a", pin=2)
    assert (old.alias, new.alias) == ("a", "a (2)")
    assert bench.value('SELECT count(*) FROM "a".main.t') == 1
    assert bench.value('SELECT count(*) FROM "a (2)".main.t') == 2
    bench.engine.release(1)
    bench.engine.release(2)
    bench.folder.write("a", "INSERT INTO t VALUES (3)")
    assert bench.use("a", pin=3).alias == "a"


@pytest.mark.parametrize(
    "session_id", ["memory", "TEMP", "main", "system", 'we"ird', "it's", "x.y", "ü" * 50]
)
def test_any_session_id_gets_a_name_of_its_own(bench: Bench, session_id: str) -> None:
    bench.folder.write(session_id, "CREATE TABLE t AS SELECT 1 AS i")
    quoted = bench.use(session_id).alias.replace('"', '""')
    assert bench.value(f'SELECT i FROM "{quoted}".main.t') == 1


def test_ids_that_differ_by_case_alone(bench: Bench) -> None:
    bench.folder.write("A", "CREATE TABLE t AS SELECT 2 AS i")
    assert {bench.use("a").alias, bench.use("A").alias} == {"a", "A (2)"}
    assert bench.value('SELECT i FROM "A (2)".main.t') == 2


def test_views_do_not_depend_on_the_name(bench: Bench) -> None:
    bench.folder.write("a", 'CREATE VIEW v AS SELECT i + 1 AS j FROM "a".main.t')
    bench.use("a", pin=1)
    bench.folder.write("a", "INSERT INTO t VALUES (2)")
    assert bench.use("a", pin=2).alias == "a (2)"
    bench.engine.release(1)
    bench.folder.write("b", "CREATE TABLE t AS SELECT 1 AS i")
    bench.use("b", pin=2)
    assert bench.value('SELECT max(j) FROM "a (2)".main.v') == 3


def test_an_evicted_snapshot_is_taken_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    link, failures = Snapshot.link_into, [2]

    def fail_twice(self: Snapshot, directory: Path, name: str) -> str:
        if failures[0]:
            failures[0] -= 1
            raise SnapshotGone("gone")
        return link(self, directory, name)

    monkeypatch.setattr(Snapshot, "link_into", fail_twice)
    assert bench.use("a").alias == "a"


def test_a_failed_attach_frees_the_name_and_leaves_no_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = Snapshot.link_into

    def spoil(self: Snapshot, directory: Path, name: str) -> str:
        path = Path(link(self, directory, name))
        path.unlink()
        path.write_bytes(b"x" * 100)
        return str(path)

    with monkeypatch.context() as patch:
        patch.setattr(Snapshot, "link_into", spoil)
        with pytest.raises(SessionUnusable, match='"a"'):
            bench.use("a")
    assert list(bench.engine.workplace.iterdir()) == []
    assert bench.use("a").alias == "a"


def test_an_emptied_store_is_made_again(bench: Bench) -> None:
    bench.use("a", pin=1)
    place = bench.engine.workplace
    shutil.rmtree(bench.folder.store)
    bench.folder.write("b", "CREATE TABLE t AS SELECT 2 AS i")
    assert bench.use("b", pin=1).alias == "b"
    assert bench.value('SELECT i FROM "b".main.t') == 2
    assert bench.value('SELECT i FROM "a".main.t') == 1
    assert place.stat().st_mode & 0o777 == 0o700
    SnapshotStore(str(bench.folder.store), 1 << 30).workplace()  # cleans: the new one is no litter
    assert place.is_dir()
    bench.folder.write("b", "INSERT INTO t VALUES (3)")
    assert bench.use("b", pin=2).alias == "b (2)"


def test_a_workplace_that_cannot_be_made_again(bench: Bench) -> None:
    shutil.rmtree(bench.engine.workplace.parent)
    bench.engine.workplace.parent.mkdir()
    bench.engine.workplace.write_bytes(b"")
    with pytest.raises(FolderUnusable, match="could not use the snapshot store"):
        bench.use("a")


def test_an_interrupted_task_takes_nothing(bench: Bench) -> None:
    file = bench.file("a")
    bench.task.interrupt()
    with pytest.raises(Interrupted):
        bench.engine.use(1, file, bench.store, bench.task)
    assert bench.engine.attached_aliases() == set()


def test_using_releases_at_the_end(bench: Bench) -> None:
    with bench.engine.using(bench.file("a"), bench.store, bench.task) as attached:
        assert len(attached.pins) == 1
    assert attached.pins == set()


def test_a_warmed_instance_has_no_thread_of_its_own() -> None:
    program = """
import os
from rvbbit_fdw import native
native.preload()
print(len(os.listdir('/proc/self/task')))
"""
    package = Path(engine.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=package, capture_output=True, check=True)
    assert done.stdout.split() == [b"1"]
