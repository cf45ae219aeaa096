"""How often sync looks into a session: when its files changed, but not too often where a look costs much."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened
from tests.kit.writers import writing

pytestmark = pytest.mark.server

LARGE = 300 << 20


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """The empty folder."""
    with opened(following) as own:
        yield own


def let_pass(folder: Folder, time: str) -> None:
    """As if sync had looked that much earlier."""
    with folder.server.connect(user="postgres") as admin:
        admin.execute(f"UPDATE rvbbit.sync_seen SET looked_at = looked_at - interval '{time}'")


def test_a_large_session_that_is_being_written_is_looked_into_once_a_minute(folder: Folder) -> None:
    path = folder.unfinished("big", "CREATE TABLE t AS SELECT 1 AS a")
    os.truncate(path, LARGE)
    path.chmod(0o644)
    with writing(path) as writer:
        writer.run("CREATE TABLE u AS SELECT 1 AS a")
        folder.sync()
        assert set(folder.columns("big.u")) == {"a"}
        writer.run("CREATE TABLE later AS SELECT 1 AS a")
        assert folder.plan() == set()
        let_pass(folder, "30 seconds")
        assert folder.plan() == set()
        let_pass(folder, "30 seconds")
        assert folder.plan() == {("create table", "big", "later")}
        folder.sync()
        assert folder.rows("SELECT a FROM big.later") == [(1,)]


def test_a_small_one_is_looked_into_at_each_tick(folder: Folder) -> None:
    folder.write("small", "CREATE TABLE t AS SELECT 1 AS a")
    with writing(folder.server.session_dir / "small.duckdb") as writer:
        for name in ("u", "v"):
            writer.run(f"CREATE TABLE {name} AS SELECT 1 AS a")
            folder.sync()
            assert folder.rows(f"SELECT a FROM small.{name}") == [(1,)]


def test_what_went_wrong_is_tried_again_after_ten_minutes(folder: Folder) -> None:
    good = folder.write("good", "CREATE TABLE t AS SELECT 1 AS a").read_bytes()
    (folder.server.session_dir / "torn.duckdb").write_bytes(good[:12288] + b"\x55" * (len(good) - 12288))
    folder.sync()
    assert set(folder.problems()) == {"torn"}
    assert folder.plan() == set()
    let_pass(folder, "9 minutes")
    assert folder.plan() == set()
    let_pass(folder, "1 minute")
    assert folder.plan() == {("attach", "torn")}
    folder.sync()
    assert folder.plan() == set()
    (folder.server.session_dir / "torn.duckdb").write_bytes(good)
    folder.sync()
    assert folder.problems() == {}
    assert folder.rows("SELECT a FROM torn.t") == [(1,)]


def test_a_held_change_is_tried_again_without_a_change_of_the_file(folder: Folder) -> None:
    folder.write("first", "CREATE TABLE t AS SELECT 1 AS a")
    folder.sync()
    folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
    folder.write("first", "ALTER TABLE t ALTER a TYPE DOUBLE")
    folder.sync()
    folder.db.execute("DROP VIEW mine.v")
    let_pass(folder, "10 minutes")
    folder.sync()
    assert folder.columns("first.t") == {"a": "double precision"}
    assert folder.problems() == {}
