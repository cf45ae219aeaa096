"""Why a session is not as people may expect it: _rvbbit_sessions, sync_status, comments and the log tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened

pytestmark = pytest.mark.server

TABLE = "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b"


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """The folder with one session, "first", attached by the policy."""
    with opened(following) as own:
        own.write("first", TABLE)
        own.sync()
        yield own


def shown(folder: Folder) -> dict[str, tuple[Any, ...]]:
    """What _rvbbit_sessions tells of each session."""
    query = "SELECT session_id, state, is_attached, attached_by, error FROM _rvbbit_sessions"
    return {row[0]: row[1:] for row in folder.rows(query)}


def comment(folder: Folder, schema: str) -> str:
    """The comment that clients show beside a schema."""
    return str(folder.one(f"SELECT obj_description('{schema}'::regnamespace)"))


def test_over_the_limit(folder: Folder) -> None:
    folder.copy(
        "first", "older", "calm-otter-00000a", "calm-otter-00000b", "calm-otter-00000b_sub", "http_api_1"
    )
    folder.age("older", 1)
    folder.age("calm-otter-00000a", 1)
    folder.db.execute("SELECT rvbbit.set_policy(named_limit => 1, unnamed_limit => 1)")
    folder.sync()
    over = "over the limit: only the newest 1 {0} sessions attach by themselves ({0}_limit)"
    assert shown(folder) == {
        "first": ("ready", True, "auto", None),
        "older": ("ready", False, None, over.format("named")),
        "calm-otter-00000a": ("ready", False, None, over.format("unnamed")),
        "calm-otter-00000b": ("ready", True, "auto", None),
        "calm-otter-00000b_sub": ("ready", False, None, None),
        "http_api_1": ("ready", False, None, None),
    }
    folder.db.execute("SELECT rvbbit_attach_session('older')")
    assert shown(folder)["older"] == ("ready", True, "manual", None)


def test_what_is_wrong_with_a_session_itself(folder: Folder) -> None:
    good = (folder.server.session_dir / "first.duckdb").read_bytes()
    (folder.server.session_dir / "zeros.duckdb").write_bytes(b"\0" * len(good))
    (folder.server.session_dir / "torn.duckdb").write_bytes(good[:12288] + b"\x55" * (len(good) - 12288))
    folder.sync()
    assert shown(folder)["zeros"] == ("corrupt", False, None, "the file is not a DuckDB database")
    state, is_attached, _, error = shown(folder)["torn"]
    assert (state, is_attached) == ("ready", False)
    assert "damaged" in error


def test_a_name_that_is_taken(folder: Folder) -> None:
    folder.db.execute("CREATE SCHEMA theirs")
    folder.write("theirs", TABLE)
    folder.sync()
    assert shown(folder)["theirs"] == ("ready", True, "auto", "another schema has its name")


def test_detached_by_hand(folder: Folder) -> None:
    folder.db.execute("SELECT rvbbit_detach_session('first')")
    folder.sync()
    assert shown(folder)["first"] == ("ready", False, None, "it was detached by hand")


def test_what_a_view_holds(folder: Folder) -> None:
    folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
    folder.write("first", "ALTER TABLE t ALTER a TYPE DOUBLE")
    folder.sync()
    state, is_attached, attached_by, error = shown(folder)["first"]
    assert (state, is_attached, attached_by) == ("ready", True, "auto")
    assert "used by a view" in error


def test_the_folder_is_listed_once(folder: Folder) -> None:
    """Its second look is for attached sessions that sync missed, of which there are none."""
    plan = folder.rows("EXPLAIN (ANALYZE, COSTS OFF) SELECT session_id FROM _rvbbit_sessions")
    scans = [line for (line,) in plan if "Foreign Scan on rvbbit_sessions" in line]
    assert ["never executed" in line for line in scans] == [False, True]


def test_a_person_keeps_a_schema_whose_file_is_gone(folder: Folder) -> None:
    folder.db.execute("SELECT rvbbit_attach_session('first')")
    path = folder.server.session_dir / "first.duckdb"
    moved = path.rename(path.with_suffix(".away"))
    assert folder.plan() == {("keep", "first")}
    for _ in range(3):
        folder.sync()
    assert shown(folder) == {"first": (None, True, "manual", "its file is gone")}
    assert folder.problems() == {"first": "its file is gone, but a person attached it"}
    assert comment(folder, "first").startswith('RVBBIT session "first", stale: its file is gone since 20')
    with pytest.raises(psycopg.Error, match='session "first" does not exist'):
        folder.rows("SELECT * FROM first.t")
    moved.rename(path)
    folder.sync()
    assert shown(folder) == {"first": ("ready", True, "manual", None)}
    assert folder.problems() == {}
    assert comment(folder, "first").startswith('RVBBIT session "first", there again since 20')
    assert folder.plan() == set()


def test_a_schema_whose_file_is_gone_can_be_detached(folder: Folder) -> None:
    folder.db.execute("SELECT rvbbit_attach_session('first')")
    (folder.server.session_dir / "first.duckdb").unlink()
    folder.sync()
    folder.db.execute("SELECT rvbbit_detach_session('first')")
    assert shown(folder) == {}
    assert folder.problems() == {}


def test_one_line_in_the_log_for_a_sync_that_changed_something(folder: Folder) -> None:
    def logged() -> list[str]:
        lines = [line for line in folder.server.whole_log()[before:].splitlines() if "rvbbit sync: " in line]
        return [line.partition("LOG:  ")[2].rpartition(" (")[0] for line in lines]

    before = len(folder.server.whole_log())
    folder.copy("first", *(f"s{number:02}" for number in range(12)))
    for number in range(12):
        folder.age(f"s{number:02}", number + 1)
    folder.write("first", "CREATE TABLE u AS SELECT 1 AS x")
    folder.sync()
    ten = ", ".join(f'"s{number:02}"' for number in range(10))
    [line] = logged()
    assert line.startswith("rvbbit sync: attached ")
    assert line.endswith(' and 2 more; changed "first"')
    assert line.count('"') == len(ten.split(",")) * 2 + 2
    before = len(folder.server.whole_log())
    folder.write("first", "INSERT INTO t VALUES (2, 'y')")
    for _ in range(3):
        folder.sync()
    assert logged() == []
    folder.db.execute("SELECT rvbbit.set_policy('none', include => 'first')")
    folder.sync()
    [line] = logged()
    assert line.startswith("rvbbit sync: detached ")
