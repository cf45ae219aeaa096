"""A session that a writer changes this second: every read is a committed state, and the newest one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.host import ON_MULTICORN2
from tests.kit.writers import looping, make_session, writing
from tests.torture.busy import AFTER_OPEN, LOCKS, Locks

pytestmark = pytest.mark.server

SESSION = "live-otter-0a1b2c"
UNREADABLE = ("XX000",) if ON_MULTICORN2 else ("HV", "42501", "58")
BALANCE = 50 * 100

# Transfers between 50 accounts, one commit each; a checkpoint after every fourth, the file opened anew after
# every twentieth. A line of the log follows the commit that it tells of: commits, checkpoints, opens.
PROGRAM = """
import os, sys, time, duckdb
path, log, stop = sys.argv[1:]
commits = checkpoints = opens = 0
while not os.path.exists(stop):
    connection = duckdb.connect(path)
    {after_open}
    opens += 1
    connection.execute("CREATE TABLE IF NOT EXISTS account AS SELECT range::INTEGER id, 100 balance"
                       " FROM range(50)")
    connection.execute("CREATE TABLE IF NOT EXISTS progress (n INTEGER)")
    for _ in range(20):
        commits += 1
        connection.begin()
        connection.execute("UPDATE account SET balance = balance - 1 WHERE id = ?", [commits % 50])
        connection.execute("UPDATE account SET balance = balance + 1 WHERE id = ?", [(commits * 7 + 1) % 50])
        connection.execute("INSERT INTO progress VALUES (?)", [commits])
        connection.commit()
        with open(log, "a") as lines:
            lines.write(f"{{commits}} {{checkpoints}} {{opens}}\\n")
        if commits % 4 == 0:
            connection.execute("CHECKPOINT")
            checkpoints += 1
        time.sleep(0.005)
    connection.close()
"""

STATE = """
    SELECT (SELECT sum(balance) FROM {s}.account), (SELECT count(*) FROM {s}.account),
           (SELECT max(n) FROM {s}.progress), (SELECT count(*) FROM {s}.progress)
"""


@dataclass(frozen=True)
class Progress:
    """What the writer had done when it wrote a line of its log."""

    commits: int
    checkpoints: int
    opens: int


def progress(log: Path) -> Progress:
    """The last whole line of the writer's log."""
    lines = log.read_text().split("\n")
    return Progress(*map(int, lines[-2].split()))


def import_session(db: psycopg.Connection, session: str, schema: str) -> None:
    """Import all tables of a session."""
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(session), sql.Identifier(schema)))


@pytest.fixture
def session_path(server: Server) -> Iterator[Path]:
    """Where the live session lies; it is gone after the test."""
    path = server.session_dir / f"{SESSION}.duckdb"
    yield path
    for file in server.session_dir.glob(f"{SESSION}.*"):
        file.unlink()


@pytest.mark.parametrize("locks", LOCKS)
def test_every_read_is_the_newest_committed_state(
    db: psycopg.Connection, schema: str, session_path: Path, locks: Locks
) -> None:
    """At least 300 commits and 50 checkpoints of the writer, at least 100 different states read."""
    query = sql.SQL(STATE).format(s=sql.Identifier(schema))
    states = set()
    with looping(session_path, PROGRAM.format(after_open=AFTER_OPEN[locks])) as log:
        import_session(db, SESSION, schema)
        until = time.monotonic() + 120
        while time.monotonic() < until:
            before = progress(log)
            row = db.execute(query).fetchone()
            assert row is not None
            total, accounts, newest, count = row
            assert (total, accounts) == (BALANCE, 50)
            assert newest == count
            assert newest >= before.commits
            states.add(newest)
            if before.commits >= 300 and before.checkpoints >= 50 and len(states) >= 100:
                break
    # The writer's process ended without an error: none of its opens and commits failed.
    last = progress(log)
    assert last.commits >= 300
    assert last.checkpoints >= 50
    assert last.opens >= 15
    assert len(states) >= 100


def test_all_that_a_writer_holds_in_its_log_is_seen(
    db: psycopg.Connection, schema: str, session_path: Path
) -> None:
    with writing(session_path) as writer:
        writer.run("CREATE TABLE phase AS SELECT range AS n FROM range(10)")
        state = "SELECT state, wal_bytes > 0 FROM rvbbit_sessions WHERE session_id = %s"
        assert db.execute(state, [SESSION]).fetchone() == ("live", True)
        import_session(db, SESSION, schema)
        count = sql.SQL("SELECT count(*) FROM {}.phase").format(sql.Identifier(schema))
        assert db.execute(count).fetchone() == (10,)
        writer.run("BEGIN")
        writer.run("INSERT INTO phase VALUES (11)")
        assert db.execute(count).fetchone() == (10,)
        writer.run("COMMIT")
        assert db.execute(count).fetchone() == (11,)
    assert db.execute(state, [SESSION]).fetchone() == ("ready", False)
    assert db.execute(count).fetchone() == (11,)


def test_a_log_left_by_a_killed_writer_is_read(
    db: psycopg.Connection, schema: str, session_path: Path
) -> None:
    with writing(session_path) as writer:
        writer.run("CREATE TABLE phase AS SELECT range AS n FROM range(10)")
        writer.kill()
    import_session(db, SESSION, schema)
    count = sql.SQL("SELECT count(*) FROM {}.phase").format(sql.Identifier(schema))
    assert db.execute(count).fetchone() == (10,)


@pytest.mark.parametrize(("isolation", "sees"), [("READ COMMITTED", 11), ("REPEATABLE READ", 10)])
def test_how_long_a_transaction_sees_one_state(
    server: Server, db: psycopg.Connection, schema: str, session_path: Path, isolation: str, sees: int
) -> None:
    with writing(session_path) as writer:
        writer.run("CREATE TABLE phase AS SELECT range AS n FROM range(10)")
        import_session(db, SESSION, schema)
        count = sql.SQL("SELECT count(*) FROM {}.phase").format(sql.Identifier(schema))
        with db.transaction():
            db.execute(sql.SQL("SET TRANSACTION ISOLATION LEVEL " + isolation))
            assert db.execute(count).fetchone() == (10,)
            writer.run("INSERT INTO phase VALUES (11)")
            assert db.execute(count).fetchone() == (sees,)
        assert db.execute(count).fetchone() == (11,)


def test_an_open_cursor_keeps_its_state(db: psycopg.Connection, schema: str, session_path: Path) -> None:
    with writing(session_path) as writer:
        writer.run("CREATE TABLE phase AS SELECT range AS n FROM range(300000)")
        import_session(db, SESSION, schema)
        table = sql.SQL("{}.phase").format(sql.Identifier(schema))
        with db.transaction(), db.cursor("held") as cursor:
            cursor.execute(sql.SQL("SELECT n FROM {}").format(table))
            assert cursor.fetchone() == (0,)
            writer.run("DELETE FROM phase WHERE n >= 100")
            assert db.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone() == (100,)
            assert sum(1 for _ in cursor) == 299999


def test_a_cursor_with_hold_keeps_its_state_beyond_its_transaction(
    db: psycopg.Connection, schema: str, session_path: Path
) -> None:
    with writing(session_path) as writer:
        writer.run("CREATE TABLE phase AS SELECT range AS n FROM range(300000)")
        import_session(db, SESSION, schema)
        table = sql.SQL("{}.phase").format(sql.Identifier(schema))
        with db.transaction():
            db.execute(sql.SQL("DECLARE held CURSOR WITH HOLD FOR SELECT n FROM {}").format(table))
            assert db.execute("FETCH 1 FROM held").fetchall() == [(0,)]
            writer.run("DELETE FROM phase WHERE n >= 100")
        assert db.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone() == (100,)
        assert len(db.execute("FETCH ALL FROM held").fetchall()) == 299999
        db.execute("CLOSE held")


def test_a_folder_that_goes_away_and_comes_back(
    server: Server, db: psycopg.Connection, schema: str, session_path: Path
) -> None:
    """While it cannot be entered nothing is detached; afterwards everything answers by itself."""
    attached = "SELECT session_id FROM rvbbit.attachment ORDER BY 1"
    make_session(session_path, "CREATE TABLE phase AS SELECT range AS n FROM range(10)")
    import_session(db, SESSION, schema)
    db.execute("SELECT rvbbit_attach_session(%s)", [SESSION])
    before = db.execute(attached).fetchall()
    count = sql.SQL("SELECT count(*) FROM {}.phase").format(sql.Identifier(schema))
    server.session_dir.chmod(0)
    try:
        for statement in (sql.SQL("SELECT session_id FROM rvbbit_sessions"), count):
            with pytest.raises(psycopg.Error) as caught:
                db.execute(statement)
            assert (caught.value.sqlstate or "").startswith(UNREADABLE)
        with suppress(psycopg.Error):
            db.execute("CALL rvbbit.sync()")
        assert db.execute(attached).fetchall() == before
    finally:
        server.session_dir.chmod(0o755)
    assert db.execute(count).fetchone() == (10,)
    assert db.execute("SELECT count(*) FROM rvbbit_sessions WHERE session_id = %s", [SESSION]).fetchone() == (
        1,
    )
    db.execute("SELECT rvbbit_detach_session(%s)", [SESSION])
