"""The folder: what is listed, what is not, and in which state."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rvbbit_fdw import errors
from rvbbit_fdw.inspection import Inspection, created_ns, inspect
from rvbbit_fdw.nearest import nearest
from rvbbit_fdw.sessions import SessionFolder, Wanted
from tests.kit.folder import Folder
from tests.kit.writers import NEWEST_VERSION, RVBBIT_VERSION, Writer, make_session, writing


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


def test_logs_that_stand_alone(hostile: SessionFolder) -> None:
    inside = Path(hostile.path)
    (inside / "good one.duckdb.wal").write_bytes(b"x")
    (inside / "lost.duckdb.wal.checkpoint").write_bytes(b"x")
    (inside / "other.wal").write_bytes(b"x")
    assert hostile.orphans() == ["lost.duckdb.wal.checkpoint", "orphan.duckdb.wal"]


def test_ids_prune_and_refuse_paths(hostile: SessionFolder) -> None:
    wanted = Wanted(ids=frozenset({"good one", "fifo", "../outside", "", ".", "a\0b", "x" * 300}))
    assert ids(hostile, wanted) == {"good one"}
    assert ids(hostile, Wanted(prefix="goo")) == {"good one"}
    now = time.time_ns()
    assert ids(hostile, Wanted(modified_after_ns=now + 10**12)) == set()
    assert ids(hostile, Wanted(modified_before_ns=now - 10**15)) == set()


def test_a_name_that_is_no_text_is_listed_whatever_is_asked(hostile: SessionFolder) -> None:
    (file,) = hostile.list(Wanted(ids=frozenset({"\ufffd", "other"})))
    assert inspect(file) == Inspection("unreadable", error="the file name is not valid UTF-8")
    assert ids(hostile, Wanted(prefix="\ufffd")) == {"\ufffd"}
    with pytest.raises(errors.SessionNotFound) as caught:
        hostile.find("\ufffd")
    assert caught.value.hint == "The name of its file is not valid UTF-8: rename the file."


def _make_directory(path: Path) -> None:
    path.mkdir()


def _make_link(path: Path) -> None:
    path.with_name("elsewhere").write_bytes(b"x")
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("suffix", [".wal", ".wal.checkpoint"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_make_directory, "not a regular file"),
        (os.mkfifo, "not a regular file"),
        (_make_link, "it is a symbolic link"),
    ],
)
def test_an_unreadable_wal_is_named(
    tmp_path: Path, suffix: str, make: Callable[[Path], None], reason: str
) -> None:
    folder = Folder(tmp_path)
    path = folder.write("a", "CREATE TABLE t (i INTEGER)")
    make(Path(f"{path}{suffix}"))
    problem = f"its write-ahead log cannot be read: {reason}"
    for file in [SessionFolder(str(folder.sessions)).find("a"), *SessionFolder(str(folder.sessions)).list()]:
        found = inspect(file)
        assert (found.state, found.error) == ("unreadable", problem)
        assert found.duckdb_version
    with pytest.raises(errors.SessionUnusable) as caught:
        folder.import_schema("a")
    assert caught.value.message == f'could not read session "a": {problem}'


def test_a_wal_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path)
    path = folder.write("a", "CREATE TABLE t (i INTEGER)")
    Path(f"{path}.wal").write_bytes(b"x")
    real = os.open

    def refuse(name: str, *rest: int, **more: int) -> int:
        if name.endswith(".wal"):
            raise PermissionError(13, "Permission denied")
        return real(name, *rest, **more)

    (file,) = SessionFolder(str(folder.sessions)).list()
    monkeypatch.setattr(os, "open", refuse)
    problem = "its write-ahead log cannot be read: permission denied"
    assert (inspect(file).state, inspect(file).error) == ("unreadable", problem)


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


@pytest.mark.parametrize("version", [RVBBIT_VERSION, NEWEST_VERSION])
def test_a_file_cut_short_is_corrupt(tmp_path: Path, version: str) -> None:
    path = make_session(
        tmp_path / "s.duckdb", "CREATE TABLE t AS SELECT hash(range) x FROM range(1000000)", version=version
    )
    whole = path.stat().st_size
    file = SessionFolder(str(tmp_path)).find("s")
    assert inspect(file).state == "ready"
    for size in (whole // 2, 12289, 12288):
        os.truncate(path, size)
        found = inspect(file)
        assert (found.state, found.error) == (
            "corrupt",
            f"the file was cut short: it ends after {size} bytes",
        )
        assert found.duckdb_version == f"v{version}"


@pytest.mark.parametrize("version", [RVBBIT_VERSION, NEWEST_VERSION])
def test_a_whole_file_is_never_corrupt(tmp_path: Path, version: str) -> None:
    """DuckDB cuts free blocks off the end after it has counted them in the header."""
    path = tmp_path / "s.duckdb"
    folder = SessionFolder(str(tmp_path))
    big = "AS SELECT hash(range) x FROM range(600000)"

    def run(writer: Writer, *statements: str) -> None:
        for statement in statements:
            writer.run(statement)
            assert inspect(folder.find("s")).state == "live", statement

    with writing(path, version) as writer:
        run(writer, f"CREATE TABLE t {big}", "CHECKPOINT", f"CREATE TABLE u {big}")
        run(writer, "BEGIN", f"CREATE TABLE v {big}", "ROLLBACK", "CHECKPOINT")
        run(writer, "DROP TABLE u", "CHECKPOINT", "DELETE FROM t WHERE x % 2 = 0", "CHECKPOINT")
        run(writer, "DROP TABLE t", "CHECKPOINT", "CHECKPOINT", f"CREATE TABLE w {big}")
        writer.kill()
    assert inspect(folder.find("s")).state == "ready"
    with writing(path, version) as writer:
        run(writer, "SELECT 1", "DROP TABLE w")
    assert inspect(folder.find("s")).state == "ready"


def test_a_file_that_changes_between_two_looks_is_judged_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint writes the header, then cuts the file: an old header does not go with the new size."""
    path = make_session(tmp_path / "s.duckdb", "CREATE TABLE t AS SELECT hash(range) x FROM range(1000000)")
    file = SessionFolder(str(tmp_path)).find("s")
    empty = make_session(tmp_path / "empty.duckdb").read_bytes()
    fstat, pread = os.fstat, os.pread
    reads: list[int] = []

    def read(descriptor: int, size: int, offset: int) -> bytes:
        reads.append(size)
        return pread(descriptor, size, offset)

    def cut_after_the_first_read(descriptor: int) -> os.stat_result:
        if len(reads) == 1:
            path.write_bytes(empty)
        return fstat(descriptor)

    monkeypatch.setattr(os, "pread", read)
    monkeypatch.setattr(os, "fstat", cut_after_the_first_read)
    assert inspect(file) == Inspection("empty", 64, f"v{RVBBIT_VERSION}")


def test_an_unknown_id_costs_no_look_at_every_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(500):
        (tmp_path / f"agile-cardinal-{number:06x}.duckdb").touch()
    looks: list[str] = []
    lstat = os.lstat

    def look(path: str) -> os.stat_result:
        looks.append(path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", look)
    with pytest.raises(errors.SessionNotFound, match="agile-cardinel-0000af"):
        SessionFolder(str(tmp_path)).find("agile-cardinel-0000af")
    assert len(looks) < 50


def test_the_nearest_of_twenty_thousand_names_are_found_quickly() -> None:
    firsts = ("agile", "calm", "eager", "quiet", "swift", "merry", "fuzzy", "brisk")
    seconds = ("cardinal", "otter", "heron", "lynx", "badger", "falcon", "newt", "wren")
    ends = [f"{number * 52963:06x}" for number in range(313)]
    known = [f"{first}-{second}-{end}" for first in firsts for second in seconds for end in ends]
    assert len(known) > 20_000
    spent = []
    for end in ends[:3]:
        started = time.process_time()
        assert nearest(f"agile-cardinel-{end}", known)[0] == f"agile-cardinal-{end}"
        spent.append(time.process_time() - started)
    assert min(spent) < 0.1


@pytest.mark.parametrize(
    ("name", "known", "like"),
    [
        ("sales", ["Sales", "sale", "wales", "salsa", "other"], ["Sales", "sale", "wales"]),
        ("ağaç", ["agac", "ağac", "AĞAÇ"], ["AĞAÇ", "ağac"]),
        ("", ["a", "b"], []),
        ("x", [], []),
        ("orders", ["", "customers", "o" * 300], []),
    ],
)
def test_nearest_names(name: str, known: list[str], like: list[str]) -> None:
    assert nearest(name, known) == like
