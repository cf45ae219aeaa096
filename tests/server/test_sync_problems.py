"""What keeps a session from being in step is told as long as it does, and forgotten then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from rvbbit_fdw.storage import HEADER_BYTES
from tests.kit.container import Server
from tests.kit.synced import Folder, opened

pytestmark = pytest.mark.server


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """The folder with one session, "first", attached, and a view over it."""
    with opened(following) as own:
        own.write("first", "CREATE TABLE t AS SELECT 1 AS a")
        own.sync()
        own.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
        yield own


def file_of(folder: Folder, session: str) -> Path:
    """A session's file."""
    return folder.server.session_dir / f"{session}.duckdb"


def vanish(folder: Folder) -> Callable[[], object]:
    """The file is moved away; what comes back moves it back."""
    moved = file_of(folder, "first").rename(file_of(folder, "first").with_suffix(".away"))
    return lambda: moved.rename(file_of(folder, "first"))


def unwanted(folder: Folder) -> Callable[[], object]:
    """The policy wants nothing, then everything again."""
    folder.db.execute("SELECT rvbbit.set_policy('none')")
    return lambda: folder.db.execute("SELECT rvbbit.set_policy('smart')")


def in_use(folder: Folder) -> Callable[[], object]:
    """The policy wants nothing while somebody reads the only table; then it wants everything again."""
    folder.db.execute("DROP VIEW mine.v")
    reader = folder.server.connect()
    reader.execute("BEGIN")
    reader.execute("SELECT a FROM first.t")
    folder.db.execute("SELECT rvbbit.set_policy('none')")

    def mend() -> None:
        reader.close()
        folder.db.execute("SELECT rvbbit.set_policy('smart')")
        folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")

    return mend


def retyped(folder: Folder) -> Callable[[], object]:
    """A column of the view gets another type, then its old one again."""
    folder.write("first", "ALTER TABLE t ALTER a TYPE DOUBLE")
    return lambda: folder.write("first", "ALTER TABLE t ALTER a TYPE INTEGER")


def damaged(folder: Folder) -> Callable[[], object]:
    """A session that comes new with a good header and nothing good behind it, then goes."""
    good = file_of(folder, "first").read_bytes()
    file_of(folder, "second").write_bytes(good[:HEADER_BYTES] + b"\x55" * (len(good) - HEADER_BYTES))
    return file_of(folder, "second").unlink


# what happens, the session that it concerns, what is told of it
TROUBLES: list[tuple[Callable[[Folder], Callable[[], object]], str, str]] = [
    (vanish, "first", "its file is gone, but something depends on its schema"),
    (
        unwanted,
        "first",
        "the policy does not want it any more, but something depends on its schema",
    ),
    (in_use, "first", "lock timeout"),
    (retyped, "first", "used by a view"),
    (damaged, "second", "its log is damaged"),
]


@pytest.mark.parametrize(("trouble", "session", "told"), TROUBLES)
def test_told_while_it_lasts_and_forgotten_then(
    folder: Folder, trouble: Callable[[Folder], Callable[[], object]], session: str, told: str
) -> None:
    before = folder.one("SELECT 'first.t'::regclass::oid")
    mend = trouble(folder)
    for _ in range(4):
        folder.sync()
        if folder.problems():
            assert list(folder.problems()) == [session]
    assert told in folder.problems()[session]
    mend()
    for _ in range(2):
        folder.sync()
    assert folder.problems() == {}
    assert folder.plan() == set()
    assert folder.rows("SELECT a FROM mine.v") == [(1,)]
    assert folder.one("SELECT 'first.t'::regclass::oid") == before


def test_a_problem_is_told_once(folder: Folder) -> None:
    """While it lasts nothing is written."""
    unwanted(folder)
    folder.sync()
    state = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
    before = folder.one(state)
    for _ in range(5):
        folder.sync()
    assert folder.one(state) == before


def test_who_detaches_a_session_hears_no_more_of_it(folder: Folder) -> None:
    retyped(folder)
    folder.sync()
    assert set(folder.problems()) == {"first"}
    folder.db.execute("DROP VIEW mine.v")
    folder.db.execute("SELECT rvbbit_detach_session('first')")
    folder.sync()
    assert folder.problems() == {}
    assert folder.plan() == set()


def test_a_view_that_cannot_be_read_is_left_out_and_the_rest_is_there(folder: Folder) -> None:
    folder.write(
        "second",
        "ATTACH ':memory:' AS elsewhere",
        "CREATE TABLE elsewhere.t AS SELECT 1 AS a",
        "CREATE TABLE t AS SELECT 2 AS a",
        "CREATE VIEW good AS SELECT a + 1 AS b FROM t",
        "CREATE VIEW bad AS SELECT * FROM elsewhere.main.t",
    )
    folder.sync()
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'second'::regnamespace ORDER BY 1"
    assert folder.rows(tables) == [("good",), ("t",)]
    assert folder.rows("SELECT b FROM second.good") == [(3,)]
    refused = folder.rows(
        "SELECT table_name, error FROM rvbbit_tables WHERE session_id = 'second' AND error <> ''"
    )
    assert [(name, "elsewhere" in error) for name, error in refused] == [("bad", True)]
    assert folder.plan() == set()
    with pytest.raises(psycopg.errors.UndefinedTable):
        folder.rows("SELECT * FROM second.bad")
