"""States while a folder is listed: the same as those of each session alone, whatever changes meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rvbbit_fdw.inspecting import inspected
from rvbbit_fdw.inspection import Inspection, Judgements, inspect
from rvbbit_fdw.sessions import ALL, SessionFile, SessionFolder, Wanted, no_check
from tests.kit.writers import make_session, writing

TABLE = "CREATE TABLE t AS SELECT 1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A session, the only file of its folder."""
    folder = tmp_path / "sessions"
    folder.mkdir()
    return make_session(folder / "s.duckdb", TABLE)


def seen(folder: Path, wanted: Wanted = ALL) -> dict[str, tuple[SessionFile, Inspection]]:
    """What a listing with states says, by the files' names."""
    sessions = SessionFolder(str(folder))
    with sessions.opened(os.O_PATH) as place:
        found = inspected(sessions, place, wanted, no_check, Judgements())
        return {Path(file.path).name: (file, state) for file, state in found}


def test_a_listing_with_states_says_what_each_session_alone_does(path: Path) -> None:
    folder = path.parent
    make_session(folder / "empty.duckdb")
    make_session(folder / "ü.duckdb", TABLE)
    shutil.copy(path, os.fsdecode(os.fsencode(folder) + b"/\xff.duckdb"))
    (folder / "zero.duckdb").touch()
    (folder / "corrupt.duckdb").write_bytes(b"nonsense")
    (folder / "linked.duckdb").symlink_to(path)
    (folder / "dangling.duckdb").symlink_to(folder / "nothing")
    (folder / "directory.duckdb").mkdir()
    os.mkfifo(folder / "fifo.duckdb")
    shutil.copy(path, folder / "odd.duckdb")
    os.mkfifo(folder / "odd.duckdb.wal")
    with writing(folder / "live.duckdb") as writer, writing(folder / "locked.duckdb") as other:
        writer.run(TABLE)
        other.run("CHECKPOINT")
        alone = {Path(file.path).name: (file, inspect(file)) for file in SessionFolder(str(folder)).list()}
        assert seen(folder) == alone
    assert {name.removesuffix(".duckdb"): found.state for name, (_, found) in alone.items()} == {
        "s": "ready", "ü": "ready", "linked": "ready", "empty": "empty", "live": "live", "locked": "live",
        "zero": "corrupt", "corrupt": "corrupt", "odd": "unreadable", "\udcff": "unreadable",
    }  # fmt: skip


def test_names_choose(path: Path) -> None:
    shutil.copy(path, path.with_name("other.duckdb"))
    assert set(seen(path.parent, Wanted(prefix="oth"))) == {"other.duckdb"}


def before_opening(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Let something happen to the folder after it was scanned, before its first file is opened."""
    real, changes = os.open, [change]

    def late(name: str, flags: int, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None and changes:
            changes.pop()()
        return real(name, flags, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", late)


def test_size_and_state_are_those_of_one_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = path.parent.parent / "other"
    other.write_bytes(b"nonsense")
    before_opening(monkeypatch, lambda: other.replace(path))
    file, found = seen(path.parent)["s.duckdb"]
    assert (file.size_bytes, found.state) == (8, "corrupt")


def test_what_vanishes_is_left_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before_opening(monkeypatch, path.unlink)
    assert seen(path.parent) == {}


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_session_any_more_is_left_out(
    path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    def replace() -> None:
        path.unlink()
        make(path)

    before_opening(monkeypatch, replace)
    assert seen(path.parent) == {}


def test_a_link_out_of_the_folder_is_not_followed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = shutil.copy(path, path.parent.parent / "outside")

    def replace() -> None:
        path.unlink()
        path.symlink_to(outside)

    before_opening(monkeypatch, replace)
    assert seen(path.parent) == {}


def test_what_may_not_be_opened_is_listed_with_the_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_more: object) -> int:
        raise PermissionError(13, "Permission denied")

    sessions = SessionFolder(str(path.parent))
    with sessions.opened(os.O_PATH) as place:
        found = inspected(sessions, place, ALL, no_check, Judgements())
        real = os.open
        monkeypatch.setattr(
            os,
            "open",
            lambda name, *rest, **more: (refuse if "dir_fd" in more else real)(name, *rest, **more),
        )
        ((file, state),) = found
    assert file == sessions.find("s")
    assert state == Inspection("unreadable", error="permission denied")


def test_no_descriptor_stays_open(path: Path) -> None:
    os.mkfifo(path.with_name("fifo.duckdb"))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted as it is
    seen(path.parent)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - counted as it is
