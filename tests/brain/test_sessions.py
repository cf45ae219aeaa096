"""The folder: what is listed, what is not, and in which state."""

import os
import socket
import time
from pathlib import Path

import pytest

from rvbbit_fdw import errors
from rvbbit_fdw.sessions import SessionFolder, Wanted, created_ns, inspect
from tests.kit.writers import make_session, writing


def ids(folder: SessionFolder, wanted: Wanted | None = None) -> set[str]:
    return {file.session_id for file in (folder.list(wanted) if wanted else folder.list())}


@pytest.fixture
def hostile(tmp_path: Path) -> SessionFolder:
    inside = tmp_path / "sessions"
    inside.mkdir()
    (tmp_path / "outside.duckdb").write_bytes(b"x")
    (inside / "good one.duckdb").write_bytes(b"x")
    (inside / "directory.duckdb").mkdir()
    (inside / "orphan.duckdb.wal").write_bytes(b"x")
    (inside / ".duckdb").write_bytes(b"x")
    os.mkfifo(inside / "fifo.duckdb")
    (inside / "out.duckdb").symlink_to(tmp_path / "outside.duckdb")
    (inside / "null.duckdb").symlink_to("/dev/null")
    (inside / "loop.duckdb").symlink_to(inside / "loop.duckdb")
    (inside / "dangling.duckdb").symlink_to(inside / "nothing")
    (inside / "in.duckdb").symlink_to(inside / "good one.duckdb")
    Path(os.fsdecode(os.fsencode(inside) + b"/\xff.duckdb")).write_bytes(b"x")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(inside / "s.duckdb"))
    return SessionFolder(str(inside))


def test_only_regular_files_inside_are_listed(hostile: SessionFolder) -> None:
    assert ids(hostile) == {"good one", "in", "\ufffd"}


def test_ids_prune_and_refuse_paths(hostile: SessionFolder) -> None:
    wanted = Wanted(ids=frozenset({"good one", "fifo", "../outside", "", ".", "a\0b", "x" * 300}))
    assert ids(hostile, wanted) == {"good one"}
    assert ids(hostile, Wanted(prefix="goo")) == {"good one"}
    now = time.time_ns()
    assert ids(hostile, Wanted(modified_after_ns=now + 10**12)) == set()
    assert ids(hostile, Wanted(modified_before_ns=now - 10**15)) == set()


@pytest.mark.parametrize("name", ["god one", "good one.duckdb", "/x/good one.duckdb", "../good one"])
def test_an_unknown_session_has_a_hint(hostile: SessionFolder, name: str) -> None:
    with pytest.raises(errors.SessionNotFound) as caught:
        hostile.find(name)
    assert caught.value.hint == 'Did you mean "good one"?'


@pytest.mark.parametrize("name", ["fifo", "out", "loop", "dangling", "directory", "..", "\ufffd"])
def test_what_is_no_session_is_not_found(hostile: SessionFolder, name: str) -> None:
    with pytest.raises(errors.SessionNotFound):
        hostile.find(name)


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(errors.FolderUnusable) as caught:
        list(SessionFolder(str(tmp_path / "none")).list())
    assert str(tmp_path) not in caught.value.message


def test_states(tmp_path: Path) -> None:
    folder = SessionFolder(str(tmp_path))
    make_session(tmp_path / "ready.duckdb", "CREATE TABLE t AS SELECT 1")
    make_session(tmp_path / "empty.duckdb")
    (tmp_path / "corrupt.duckdb").write_bytes(b"nonsense")
    (tmp_path / "zero.duckdb").write_bytes(b"")
    with writing(tmp_path / "live.duckdb") as writer:
        writer.run("CREATE TABLE t AS SELECT 1")
        states = {file.session_id: inspect(file).state for file in folder.list()}
        live = folder.find("live")
        assert live.wal_bytes > 0
        assert created_ns(live) <= live.modified_ns
    assert states == {
        "ready": "ready", "empty": "empty", "corrupt": "corrupt", "zero": "corrupt", "live": "live",
    }  # fmt: skip


def test_check_can_stop_a_listing(hostile: SessionFolder) -> None:
    def stop() -> None:
        raise errors.Interrupted

    with pytest.raises(errors.Interrupted):
        list(hostile.list(check=stop))
