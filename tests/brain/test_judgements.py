"""What is remembered of headers between two looks, and what is asked each time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from rvbbit_fdw import inspection
from rvbbit_fdw.inspection import Inspection, Judgements
from rvbbit_fdw.sessions import SessionFolder
from tests.kit.writers import make_session, writing

TABLE = "CREATE TABLE t AS SELECT 1"


class Looks:
    """Looks into one session of a folder, and how many of them read its headers."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, most: int = 100) -> None:
        self.folder, self.session_id = SessionFolder(str(path.parent)), path.stem
        self.judgements = Judgements(most)
        self.reads = 0
        pread = os.pread

        def read(descriptor: int, size: int, offset: int) -> bytes:
            self.reads += 1
            return pread(descriptor, size, offset)

        monkeypatch.setattr(os, "pread", read)

    def look(self, session_id: str = "") -> tuple[Inspection, bool]:
        """The judgement, and whether the headers were read for it."""
        before = self.reads
        file = self.folder.find(session_id or self.session_id)
        with self.folder.opened() as folder:
            found = inspection.inspect(file, folder, self.judgements)
        return found, self.reads > before


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is taken for one that has settled as soon as its clock has moved on."""
    monkeypatch.setattr(inspection, "_SETTLED_NS", 0)


def settle() -> None:
    """Longer than a step of the file system's clock."""
    time.sleep(0.05)


@pytest.mark.usefixtures("at_once")
def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(make_session(tmp_path / "s.duckdb", TABLE), monkeypatch)
    settle()
    first, read = looks.look()
    assert (first.state, read) == ("ready", True)
    assert looks.look() == (first, False)


@pytest.mark.usefixtures("at_once")
def test_a_lock_alone_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening a session and writing nothing changes neither its times nor its size."""
    path = make_session(tmp_path / "s.duckdb", TABLE)
    looks = Looks(path, monkeypatch)
    settle()
    assert looks.look()[0].state == "ready"
    before = path.stat()
    with writing(path) as writer:
        writer.run("SELECT * FROM t")
        after = path.stat()
        assert (after.st_mtime_ns, after.st_ctime_ns, after.st_size) == (
            before.st_mtime_ns, before.st_ctime_ns, before.st_size,
        )  # fmt: skip
        found, read = looks.look()
        assert (found.state, read) == ("live", False)
        writer.kill()
    found, read = looks.look()
    assert (found.state, read) == ("ready", False)


@pytest.mark.usefixtures("at_once")
def test_empty_is_judged_with_the_wal_of_each_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_session(tmp_path / "s.duckdb")
    looks = Looks(path, monkeypatch)
    settle()
    assert looks.look()[0].state == "empty"
    wal = Path(f"{path}.wal")
    wal.write_bytes(b"x")
    assert looks.look()[0].state == "ready"
    wal.unlink()
    os.mkfifo(wal)
    assert looks.look()[0].state == "unreadable"
    wal.unlink()
    assert looks.look()[0].state == "empty"


@pytest.mark.usefixtures("at_once")
def test_what_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_session(tmp_path / "s.duckdb", TABLE)
    good = path.read_bytes()
    looks = Looks(path, monkeypatch)
    settle()
    assert looks.look()[0].state == "ready"
    with path.open("r+b") as file:  # in place, to the same size, with its time put back
        status = path.stat()
        file.write(b"nonsense" * 2)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    found, read = looks.look()
    assert (found.state, read) == ("corrupt", True)
    other = tmp_path / "other"
    other.write_bytes(good)
    other.replace(path)
    found, read = looks.look()
    assert (found.state, read) == ("ready", True)


def test_a_file_that_just_changed_is_read_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two changes within one step of the clock leave the same time."""
    looks = Looks(make_session(tmp_path / "s.duckdb", TABLE), monkeypatch)
    assert looks.look()[1]
    assert looks.look()[1]
    assert len(looks.judgements) == 0


@pytest.mark.usefixtures("at_once")
def test_no_more_is_remembered_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_session(tmp_path / "s0.duckdb", TABLE)
    for number in range(1, 5):
        (tmp_path / f"s{number}.duckdb").write_bytes(first.read_bytes())
    looks = Looks(first, monkeypatch, most=2)
    settle()
    for _ in range(2):
        for number in range(5):
            assert looks.look(f"s{number}")[0].state == "ready"
            assert len(looks.judgements) <= 2
