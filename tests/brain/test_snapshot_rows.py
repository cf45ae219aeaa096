"""The rows of rvbbit_snapshots, and snapshots that may be older than the session."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rvbbit_fdw import native
from rvbbit_fdw.backend import Backend
from tests.kit.folder import Folder, column, session_is

NAMES = ("session_id", "is_current", "size_bytes", "age_seconds", "taken_at", "last_used_at")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    made = Folder(tmp_path)
    made.write("a", "CREATE TABLE t AS SELECT 1 AS i")
    made.write("b", "CREATE TABLE t AS SELECT 2 AS i")
    return made


def read(folder: Folder, session: str) -> list[tuple[Any, ...]]:
    return folder.rows(folder.request(session, "t", [column(1, "i", "int4")]))


def listed(folder: Folder, *names: str, conditions: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    asked = folder.listing_request(*names, catalog="snapshots", conditions=conditions)
    return sorted(folder.rows(asked), key=repr)


def test_nothing_is_listed_of_an_empty_store(folder: Folder) -> None:
    assert listed(folder, *NAMES) == []


def test_a_snapshot_is_current_until_its_session_changes(folder: Folder) -> None:
    read(folder, "a")
    read(folder, "b")
    assert listed(folder, "session_id", "is_current") == [("a", True), ("b", True)]
    folder.write("a", "INSERT INTO t VALUES (3)")
    assert listed(folder, "session_id", "is_current") == [("a", False), ("b", True)]
    read(folder, "a")
    assert listed(folder, "session_id", "is_current") == [("a", False), ("a", True), ("b", True)]
    assert listed(folder, "is_current", conditions=(session_is("b"),)) == [(True,)]


def test_size_and_times(folder: Folder) -> None:
    read(folder, "a")
    [(size, age, taken_at, used_at)] = listed(folder, *NAMES[2:])
    assert size >= 12288
    assert 0 <= age < 60
    assert taken_at <= used_at


def test_snapshots_of_a_session_that_left_the_folder_have_no_session(folder: Folder) -> None:
    read(folder, "a")
    read(folder, "b")
    (folder.sessions / "a.duckdb").unlink()
    assert listed(folder, "session_id", "is_current") == [("b", True), (None, False)]
    assert listed(folder, "session_id", conditions=(session_is("b"),)) == [("b",)]


def test_a_session_that_cannot_be_read_any_more_has_no_current_snapshot(folder: Folder) -> None:
    read(folder, "a")
    (folder.sessions / "a.duckdb").write_bytes(b"\0" * 20_000)
    assert listed(folder, "session_id", "is_current") == [("a", False)]


@pytest.mark.parametrize(("max_staleness", "seen"), [(0, [(1,), (3,)]), (3600, [(1,)])])
def test_an_older_state_is_read_as_long_as_the_setting_allows(
    folder: Folder, max_staleness: int, seen: list[tuple[int]]
) -> None:
    folder.settings["max_staleness"] = max_staleness
    assert read(folder, "a") == [(1,)]
    folder.write("a", "INSERT INTO t VALUES (3)")
    reply, result = folder.run(folder.request("a", "t", [column(1, "i", "int4")]))
    assert result.rows == seen
    assert reply["notices"] == []


def test_an_old_snapshot_is_not_young_enough(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.settings["max_staleness"] = 10
    read(folder, "a")
    folder.write("a", "INSERT INTO t VALUES (3)")
    later = time.time() + 11
    monkeypatch.setattr("rvbbit_fdw.snapshot.time.time", lambda: later)
    assert read(folder, "a") == [(1,), (3,)]
