"""Two connections that attach at the same time: neither sees what the other has not committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened, wait_for

pytestmark = pytest.mark.server

ATTACH = "SELECT rvbbit_attach_session(%s, %s)"
WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """A folder with one session, "first", which is attached, so that what all share is there."""
    with opened(following) as made:
        made.write("first", "CREATE TABLE t AS SELECT 0 AS i")
        made.db.execute(ATTACH, ["first", None])
        yield made


@dataclass
class Second:
    """An attach in a connection of its own, with its answer or error."""

    server: Server
    session: str
    alias: str | None = None
    answers: list[str] = field(default_factory=list)
    errors: list[psycopg.Error] = field(default_factory=list)

    def __call__(self) -> None:
        """Attach."""
        with self.server.connect() as db:
            try:
                self.answers += [row[0] for row in db.execute(ATTACH, [self.session, self.alias])]
            except psycopg.Error as error:
                self.errors.append(error)


@contextmanager
def uncommitted(folder: Folder, session: str, alias: str | None = None) -> Iterator[None]:
    """A session that is attached by a transaction, which ends with the block."""
    with folder.server.connect() as db, db.transaction():
        db.execute(ATTACH, [session, alias])
        yield


def attach_beside(folder: Folder, first: tuple[str, str | None], second: Second) -> None:
    """The second begins while the first is not committed yet, and waits for it if it has to."""
    thread = threading.Thread(target=second)
    with uncommitted(folder, *first):
        thread.start()
        wait_for(lambda: not thread.is_alive() or folder.one(WAITS) > 0)
    thread.join(30)
    assert not thread.is_alive()


def test_tables_of_two_sessions_with_one_name_for_both(folder: Folder) -> None:
    """ "a.b" with a table "c", and "a" with a table "b.c"."""
    folder.write("a.b", "CREATE TABLE c AS SELECT 1 AS i")
    folder.write("a", 'CREATE TABLE "b.c" AS SELECT 2 AS i')
    second = Second(folder.server, "a")
    attach_beside(folder, ("a.b", None), second)
    assert second.errors == []
    assert folder.attached() == {"first": "first", "a.b": "a.b", "a": "a"}
    assert folder.rows('SELECT i FROM "a.b".c UNION ALL SELECT i FROM a."b.c"') == [(1,), (2,)]


def test_a_session_called_like_the_array_of_another(folder: Folder) -> None:
    """PostgreSQL calls the array type of "a.t" "_a.t"."""
    for session in ("a", "_a"):
        folder.write(session, "CREATE TABLE t AS SELECT 1 AS i")
    second = Second(folder.server, "_a")
    attach_beside(folder, ("a", None), second)
    assert second.errors == []
    assert folder.rows("SELECT i FROM a.t UNION ALL SELECT i FROM _a.t") == [(1,), (1,)]


def test_sessions_that_want_one_schema_name(folder: Folder) -> None:
    folder.write("pg_x", "CREATE TABLE t AS SELECT 1 AS i")
    folder.write("_pg_x", "CREATE TABLE t AS SELECT 2 AS i")
    second = Second(folder.server, "_pg_x")
    attach_beside(folder, ("pg_x", None), second)
    assert second.errors == []
    attached = folder.attached()
    assert attached["pg_x"] == "_pg_x"
    assert attached["_pg_x"].startswith("_pg_x_")
    assert folder.rows(f'SELECT i FROM "_pg_x".t UNION ALL SELECT i FROM "{attached["_pg_x"]}".t') == [
        (1,),
        (2,),
    ]


def test_an_alias_for_two_sessions(folder: Folder) -> None:
    folder.write("one", "CREATE TABLE t AS SELECT 1 AS i")
    folder.write("two", "CREATE TABLE t AS SELECT 2 AS i")
    second = Second(folder.server, "two", "shared")
    attach_beside(folder, ("one", "shared"), second)
    (error,) = second.errors
    assert (error.sqlstate, error.diag.message_primary) == (
        "42P06", 'schema "shared" shows another session already, "one"',
    )  # fmt: skip
    assert folder.attached() == {"first": "first", "one": "shared"}


def test_a_session_twice(folder: Folder) -> None:
    folder.write("one", "CREATE TABLE t AS SELECT 1 AS i")
    second = Second(folder.server, "one")
    attach_beside(folder, ("one", None), second)
    assert second.errors == []
    assert "is attached already" in second.answers[0]
