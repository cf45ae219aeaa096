"""Cancel, timeout, terminate and a lost client act within moments in every phase and leave nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import errors, sql

from tests.kit.container import Server
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

SESSION = "busy-badger-77aa01"

# A list of this many constants keeps DuckDB's binder busy for a second or more, deaf to its own interrupt.
LONG_LIST = ", ".join(map(str, range(200_000)))

VIEWS = {
    "cross_join": "SELECT count(*) n FROM range(1000000) a(i), range(1000000) b(j) WHERE a.i * b.j % 7 = 3",
    "sort": "SELECT range AS n FROM range(60000000) ORDER BY hash(range) OFFSET 30000000",
    "stream": "SELECT range AS n FROM range(50000000)",
    "regex": "SELECT count(*) AS n FROM range(100000000) WHERE regexp_matches('c' || range, 'c.*7.*8.*9$')",
    "slow_bind": f"SELECT range AS n FROM range(10) WHERE range IN ({LONG_LIST})",
}
QUERIES = {name: f"SELECT count(n) FROM busy.{name}" for name in VIEWS} | {
    "rescans": "SELECT count(f.n) FROM generate_series(1, 10000000) AS g,"
    " LATERAL (SELECT n FROM busy.few WHERE n = g % 9 LIMIT 1) AS f",
}

QUICK = {"few": "SELECT range AS n FROM range(10)"}

# Generous beside the 200 ms that are promised: the machine that runs the tests may be busy.
SOON = 1.0


@pytest.fixture(scope="module", autouse=True)
def busy(server: Server) -> Iterator[None]:
    """A session whose views keep DuckDB busy, in schema busy."""
    path = server.session_dir / f"{SESSION}.duckdb"
    views = VIEWS | QUICK
    make_session(path, *(f"CREATE VIEW {name} AS {query}" for name, query in views.items()))
    with server.connect() as db:
        db.execute("CREATE SCHEMA busy")
        for name in views:
            db.execute(
                sql.SQL(
                    "CREATE FOREIGN TABLE busy.{} (n bigint OPTIONS (duckdb_type 'BIGINT'))"
                    " SERVER rvbbit OPTIONS (session {}, table_name {})"
                ).format(sql.Identifier(name), sql.Literal(SESSION), sql.Literal(name))
            )
        yield
        db.execute("DROP SCHEMA busy CASCADE")
    path.unlink()


@pytest.fixture
def killer(server: Server) -> Iterator[psycopg.Connection]:
    """A superuser's connection that acts upon others."""
    with server.connect(user="postgres") as connection:
        yield connection


def after(delay: float, act: Callable[[], object]) -> threading.Timer:
    """Do something in a moment, in another thread."""
    timer = threading.Timer(delay, act)
    timer.start()
    return timer


def is_usable(db: psycopg.Connection) -> bool:
    """Does the connection still answer, and rightly?"""
    return db.execute("SELECT count(*) FROM rvbbit_sessions WHERE session_id = %s", [SESSION]).fetchone() == (
        1,
    )


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_cancel(db: psycopg.Connection, killer: psycopg.Connection, query: str) -> None:
    pid = db.info.backend_pid
    asked: list[float] = []

    def cancel() -> None:
        asked.append(time.monotonic())
        killer.execute("SELECT pg_cancel_backend(%s)", [pid])

    timer = after(0.15, cancel)
    with pytest.raises(errors.QueryCanceled):
        db.execute(query)
    took = time.monotonic() - asked[0]
    timer.join()
    assert took < SOON
    assert is_usable(db)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_statement_timeout(db: psycopg.Connection, query: str) -> None:
    db.execute("SET statement_timeout = '150ms'")
    start = time.monotonic()
    with pytest.raises(errors.QueryCanceled, match="statement timeout"):
        db.execute(query)
    assert time.monotonic() - start < 0.15 + SOON
    db.execute("RESET statement_timeout")
    assert is_usable(db)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_terminate(server: Server, killer: psycopg.Connection, query: str) -> None:
    with server.connect() as victim:
        pid = victim.info.backend_pid
        timer = after(0.15, lambda: killer.execute("SELECT pg_terminate_backend(%s)", [pid]))
        with pytest.raises(psycopg.OperationalError):
            victim.execute(query)
        timer.join()
    assert wait_until(lambda: not is_there(killer, pid), SOON)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_client_that_goes_away(
    server: Server, killer: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    # At the start: a timer that runs already keeps the interval that it was set to.
    monkeypatch.setenv("PGOPTIONS", "-c client_connection_check_interval=50ms")
    victim = server.connect()
    pid = victim.info.backend_pid
    victim.pgconn.send_query(query.encode())
    time.sleep(0.15)
    victim.close()
    assert wait_until(lambda: not is_there(killer, pid), SOON)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_other_backends_need_not_wait(db: psycopg.Connection, killer: psycopg.Connection, query: str) -> None:
    """DROP DATABASE waits until every backend has taken note: also one that is busy in DuckDB."""
    killer.execute("CREATE DATABASE bystander")
    db.pgconn.send_query(query.encode())
    time.sleep(0.1)
    start = time.monotonic()
    killer.execute("DROP DATABASE bystander")
    took = time.monotonic() - start
    db.cancel_safe()
    while db.pgconn.get_result() is not None:
        pass
    assert took < SOON


def test_a_cancelled_scan_leaves_an_outer_cursor_alone(db: psycopg.Connection) -> None:
    with db.transaction():
        db.execute("DECLARE outer_cursor CURSOR FOR SELECT n FROM busy.stream")
        assert db.execute("FETCH 2 FROM outer_cursor").fetchall() == [(0,), (1,)]
        for name in ("cross_join", "slow_bind"):
            with pytest.raises(errors.QueryCanceled), db.transaction():
                db.execute(f"SET LOCAL statement_timeout = '150ms'; {QUERIES[name]}")
        assert db.execute("FETCH 1 FROM outer_cursor").fetchall() == [(2,)]
        db.execute("MOVE 200000 FROM outer_cursor")
        assert db.execute("FETCH 1 FROM outer_cursor").fetchall() == [(200_003,)]


def test_many_cancelled_calls_do_not_pile_up(db: psycopg.Connection, killer: psycopg.Connection) -> None:
    """Calls that could not be stopped run on by themselves, two at most; then statements wait for them."""
    db.execute("SET statement_timeout = '100ms'")
    for _ in range(4):
        with pytest.raises(errors.QueryCanceled):
            db.execute(QUERIES["slow_bind"])
        assert thread_count(killer, db.info.backend_pid) <= 6
    db.execute("SET statement_timeout = 0")
    assert is_usable(db)


def test_no_thread_but_the_main_one_takes_signals(db: psycopg.Connection, killer: psycopg.Connection) -> None:
    db.execute("SET statement_timeout = '100ms'")
    with pytest.raises(errors.QueryCanceled):
        db.execute(QUERIES["cross_join"])
    pid = db.info.backend_pid
    blocked = {thread: signals_blocked(killer, pid, thread) for thread in threads(killer, pid)}
    assert len(blocked) >= 3, "the backend has a helper and an interrupter"
    # All but SIGKILL and SIGSTOP; the two that the C library keeps for itself it blocks while a thread ends.
    kept = 0x180000000
    assert {mask | kept for thread, mask in blocked.items() if thread != pid} == {0xFFFFFFFFFFFBFEFF}


def is_there(db: psycopg.Connection, pid: int) -> bool:
    return db.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is not None


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.01)
    return holds()


def threads(db: psycopg.Connection, pid: int) -> list[int]:
    rows = db.execute("SELECT name::int FROM pg_ls_dir(%s) AS name", [f"/proc/{pid}/task"])
    return [row[0] for row in rows]


def thread_count(db: psycopg.Connection, pid: int) -> int:
    return len(threads(db, pid))


def signals_blocked(db: psycopg.Connection, pid: int, thread: int) -> int:
    path = f"/proc/{pid}/task/{thread}/status"
    row = db.execute("SELECT substring(pg_read_file(%s) FROM 'SigBlk:\\s*(\\w+)')", [path]).fetchone()
    assert row is not None
    return int(row[0], 16)
