"""The rows of rvbbit_sessions."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from rvbbit_fdw import listing, native, session_rows
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.catalog import Catalog
from rvbbit_fdw.errors import ColumnNotFound, Interrupted
from rvbbit_fdw.inspection import Inspection, inspect
from rvbbit_fdw.listing import Look
from rvbbit_fdw.session_rows import COLUMNS, SESSIONS
from rvbbit_fdw.sessions import SessionFile, SessionFolder
from rvbbit_fdw.snapshot import SnapshotStore
from tests.kit import arrow
from tests.kit.folder import Folder, column, scan_of

ALL = tuple(COLUMNS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    made = Folder(tmp_path)
    path = made.write("good", "CREATE TABLE t (i INTEGER)", "CREATE VIEW v AS SELECT i FROM t")
    before = time.time() - 7200
    os.utime(path, (before, before))
    (made.sessions / "bad.duckdb").write_bytes(b"\0" * 20000)
    (made.sessions / "trap.duckdb").mkdir()
    os.mkfifo(made.sessions / "pipe.duckdb")
    return made


def table_of(folder: Folder, *names: str, may_see_paths: bool = False) -> dict[str, tuple[object, ...]]:
    """The rows by session id."""
    request = folder.listing_request("session_id", *names, may_see_paths=may_see_paths)
    return {row[0]: row[1:] for row in folder.rows(request)}


def test_every_column_of_a_good_session(folder: Folder) -> None:
    rows = table_of(folder, *ALL, may_see_paths=True)
    good = dict(zip(ALL, rows["good"], strict=True))
    path = folder.sessions / "good.duckdb"
    size = path.stat().st_size
    micros = path.stat().st_mtime_ns // 1000
    assert good.pop("created_at") <= micros  # type: ignore[operator]
    assert good.pop("age_hours") == pytest.approx(2.0, abs=0.1)
    assert good == {
        "session_id": "good",
        "state": "ready",
        "is_named": True,
        "auto_attach": True,
        "over_limit": None,
        "size_bytes": size,
        "size_mb": round(size / 1048576, 3),
        "wal_bytes": 0,
        "modified_at": micros,
        "table_count": 2,
        "duckdb_version": f"v{duckdb.__version__}",
        "storage_version": good["storage_version"],
        "file_path": str(path),
        "error": None,
    }


def test_a_bad_session_hides_no_other(folder: Folder) -> None:
    rows = table_of(folder, "state", "table_count", "error")
    assert set(rows) == {"good", "bad"}
    assert rows["good"] == ("ready", 2, None)
    state, count, error = rows["bad"]
    assert (state, count) == ("corrupt", None)
    assert error


def test_a_file_whose_name_is_no_text(folder: Folder) -> None:
    path = os.fsdecode(os.fsencode(folder.sessions) + b"/x-\xff.duckdb")
    shutil.copy(folder.sessions / "good.duckdb", path)
    assert table_of(folder, "state", "error")["x-\ufffd"] == (
        "unreadable",
        "the file name is not valid UTF-8",
    )
    (row,) = (
        row for row in folder.rows(folder.listing_request(*ALL, may_see_paths=True)) if row[0] == "x-\ufffd"
    )
    assert dict(zip(ALL, row, strict=True))["file_path"].endswith("/x-\ufffd.duckdb")


def test_views_that_may_not_be_read_are_not_counted(folder: Folder) -> None:
    folder.write("good", "CREATE VIEW w AS SELECT content FROM read_text('/etc/passwd')")
    assert table_of(folder, "table_count")["good"] == (2,)


def test_paths_are_for_those_who_may_read_files(folder: Folder) -> None:
    assert table_of(folder, "file_path")["good"] == (None,)


def test_a_session_that_cannot_be_counted_says_why(folder: Folder) -> None:
    path = folder.write("torn", "CREATE TABLE t AS SELECT * FROM range(100000)")
    os.truncate(path, 20480)
    rows = table_of(folder, "table_count", "error")
    assert rows["good"] == (2, None)
    count, error = rows["torn"]
    assert count is None
    assert error
    assert str(folder.root) not in str(error)


def test_only_what_is_asked_for_is_done(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_arguments: object) -> Inspection:
        raise AssertionError

    monkeypatch.setattr(session_rows, "inspect", forbidden)
    monkeypatch.setattr(session_rows, "inspected", forbidden)
    cheap = [name for name, listed in COLUMNS.items() if listed.depth == listing.NAMES]
    assert set(table_of(folder, *cheap)) == {"good", "bad"}
    assert not (folder.store / "sessions").exists() or not list((folder.store / "sessions").iterdir())
    with pytest.raises(AssertionError):
        table_of(folder, "state")


def test_depths(folder: Folder) -> None:
    depth = {name: SESSIONS.depth_of(scan_of(folder.listing_request(name))) for name in ALL}
    assert [name for name in ALL if depth[name] == listing.SNAPSHOTS] == ["table_count"]
    headers = [name for name in ALL if depth[name] == listing.HEADERS]
    assert headers == ["state", "duckdb_version", "storage_version", "error"]


def test_conditions_choose_the_files(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def watch(file: SessionFile, place: int) -> Inspection:
        seen.append(file.session_id)
        return inspect(file, place)

    monkeypatch.setattr(session_rows, "inspect", watch)
    condition = {
        "node": "call",
        "kind": "operator",
        "name": "pg_catalog.=(pg_catalog.text,pg_catalog.text)",
        "type": "pg_catalog.bool",
        "collation": "pg_catalog.default",
        "arguments": [
            {"node": "column", "number": 1, "name": "session_id", "type": "pg_catalog.text"},
            {"node": "parameter", "index": 0, "type": "pg_catalog.text"},
        ],
    }
    request = folder.listing_request("session_id", "state", conditions=[condition]) | {"parameters": ["good"]}
    assert folder.rows(request) == [("good", "ready")]
    assert seen == ["good"]


def test_no_column_counts_sessions(folder: Folder) -> None:
    reply, result = folder.run(folder.listing_request())
    assert reply["columns"] == []
    assert len(result.rows) == 2


def test_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_backend", Backend())
    assert Folder(tmp_path).rows(Folder(tmp_path).listing_request(*ALL)) == []


def test_columns_declared_by_hand(folder: Folder) -> None:
    request = folder.listing_request("session_id")
    request["table"]["columns"] = [
        column(1, "id", "varchar", column_name="session_id"),
        column(2, "size_bytes", "numeric"),
        column(3, "colour", "text"),
    ]
    reply, result = folder.run(request | {"columns": [1, 2]})
    assert reply["columns"] == [{"decoder": "input"}] * 2
    assert ("bad", "20000") in result.rows
    with pytest.raises(ColumnNotFound, match='no column "colour"'):
        folder.rows(request | {"columns": [3]})


def test_only_columns_of_the_listings_own_types_are_pruned_by(folder: Folder) -> None:
    request = folder.listing_request("session_id")
    assert SESSIONS.prunable(scan_of(request))[1] == "session_id"
    request["table"]["columns"][0]["type"] = "pg_catalog.varchar"
    assert 1 not in SESSIONS.prunable(scan_of(request))


def test_odd_names_arrive_unchanged(folder: Folder) -> None:
    names = ['q"uote', "it's", "back\\slash", "ü €🐇", "new\nline", "null", "a.b"]
    for name in names:
        (folder.sessions / f"{name}.duckdb").write_bytes(b"")
    assert set(names) < set(table_of(folder))


def test_interrupts_are_noticed_while_counting(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> Catalog:
        raise Interrupted

    monkeypatch.setattr(Backend, "describe", interrupted)
    with pytest.raises(Interrupted):
        table_of(folder, "table_count")


def test_twenty_thousand_rows_travel_fast(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [
        SessionFile(f"agile-cardinal-{number:06x}", "/x", "/x", 12288, 0, number * 10**9)
        for number in range(20000)
    ]
    scan = scan_of(folder.listing_request("session_id", "size_mb", "modified_at", "age_hours"))
    started = time.perf_counter()
    monkeypatch.setattr(SessionFolder, "list", lambda *_arguments: iter(files))
    look = Look(
        scan,
        SessionFolder(str(folder.sessions)),
        lambda _file: Catalog(),
        SnapshotStore("/nowhere", 0),
        lambda: None,
    )
    document = SESSIONS.document(look)
    query = SESSIONS.query(scan)
    with duckdb.connect() as con:
        con.execute("SET arrow_large_buffer_size = true")
        rows = arrow.read(con.sql(query.sql, params=[document]).__arrow_c_stream__()).rows
    assert len(rows) == 20000
    assert rows[0][0] == "agile-cardinal-000000"
    assert time.perf_counter() - started < 2.0
