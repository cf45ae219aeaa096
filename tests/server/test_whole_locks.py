"""Locked rows of an ordinary table that another transaction changes while a marked part stands beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.server.whole import NODE, heap, ours, plan, whole_schema

pytestmark = pytest.mark.server

GROUPED = "SELECT grp, count(*) AS n FROM {items} GROUP BY grp"

# The row that is 5 becomes 4, the one that is 9 becomes 2.
CHANGE = "UPDATE {} SET n = CASE n WHEN 5 THEN 4 ELSE 2 END WHERE n IN (5, 9)"

STATEMENTS = {
    "a list": "SELECT n FROM {local} WHERE n IN (SELECT grp FROM {items} GROUP BY grp) OR n = 9 FOR UPDATE",
    "a value": "SELECT n, (SELECT count(*) FROM {items}) FROM {local} AS l"
    " WHERE n > (SELECT min(grp) + 2 FROM {items}) FOR UPDATE OF l",
    "a join with WITH": f"WITH x AS MATERIALIZED ({GROUPED})"
    " SELECT l.n, x.n FROM {local} AS l LEFT JOIN x ON x.grp = l.n FOR UPDATE OF l",
    "a join with WITH that needs a partner": f"WITH x AS MATERIALIZED ({GROUPED})"
    " SELECT l.n, x.n FROM {local} AS l JOIN x ON x.grp >= l.n FOR UPDATE OF l",
    "an update": f"WITH x AS MATERIALIZED ({GROUPED})"
    " UPDATE {local} AS l SET n = l.n + x.n FROM x WHERE x.grp = l.n OR l.n = 9 RETURNING l.n, x.grp",
    "a join in FROM": f"SELECT l.n, x.n FROM {{local}} AS l JOIN ({GROUPED}) AS x ON x.grp <= l.n"
    " FOR UPDATE OF l",
}


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_locks", tmp_path_factory.mktemp("copies")) as name:
        yield name


def after_a_change(server: Server, local: sql.Identifier, query: sql.Composed) -> list[tuple[object, ...]]:
    """What the statement gives if it had to wait until another transaction changed two rows."""
    with server.connect() as one, server.connect() as other, ThreadPoolExecutor(1) as pool:
        one.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(local))
        one.execute(sql.SQL("CREATE TABLE {} AS SELECT n::int FROM generate_series(0, 9) AS n").format(local))
        with other.transaction():
            other.execute(sql.SQL(CHANGE).format(local))
            waiting = pool.submit(lambda: one.execute(query).fetchall())
            wait_for_lock(other, one.info.backend_pid)
        rows = waiting.result(timeout=120)
    return sorted(rows, key=str)


def wait_for_lock(db: psycopg.Connection, pid: int, seconds: float = 30) -> None:
    """Return as soon as that backend waits for a lock."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if db.execute("SELECT FROM pg_locks WHERE pid = %s AND NOT granted", [pid]).fetchall():
            return
        time.sleep(0.02)
    raise AssertionError("the statement does not wait")


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_changed_row_is_judged_again(server: Server, whole: str, schema: str, name: str) -> None:
    local = sql.Identifier(schema, "numbers")
    text = STATEMENTS[name].replace("{local}", local.as_string(None))
    found, expected = (after_a_change(server, local, side(whole, text)) for side in (ours, heap))
    assert found == expected
    with server.connect() as db:
        assert (NODE in plan(db, ours(whole, text))) == (name != "a join in FROM")


def test_failed_statements_leave_no_stream_open(server: Server, whole: str) -> None:
    """Rows were read from each when it failed; a backend that kept them would keep their sessions open."""
    failing = ours(whole, "SELECT a.id, 1 / (a.id - %s) FROM {items} AS a, {items} AS b ORDER BY a.id, b.id")
    opened = ours(whole, "DECLARE c CURSOR FOR SELECT id FROM {items} ORDER BY id; FETCH 3 FROM c")
    with server.connect() as db:
        before = None
        for place in range(40, 60):
            with pytest.raises(psycopg.errors.DivisionByZero), db.transaction():
                open_and_fail(db, opened, failing, place)
            db.execute(ours(whole, "SELECT count(*) FROM {items}"))
            now = open_files(server, db.info.backend_pid)
            before = before or now
            assert now <= before


def open_and_fail(db: psycopg.Connection, opened: sql.Composed, failing: sql.Composed, place: int) -> None:
    """Leave a cursor and a query in the middle of their rows."""
    db.execute(opened)
    db.execute(failing, [place])


def open_files(server: Server, pid: int) -> int:
    """How many files the backend has open."""
    return len(server.run("ls", f"/proc/{pid}/fd", user="postgres").split())
