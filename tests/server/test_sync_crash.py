"""A sync that dies of SIGKILL in the middle: nothing half done is seen, and the next one finishes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.container import Server, serving
from tests.kit.crashes import call_and_die, call_and_kill, halves, set_trap
from tests.kit.synced import Folder

pytestmark = pytest.mark.server

SESSIONS = [f"s{number}" for number in range(8)]
OLD = ["CREATE TABLE t AS SELECT 1 AS a, 'x' AS b", "CREATE TABLE u AS SELECT 1 AS a"]
NEW = ["CREATE TABLE t AS SELECT 1.5::DOUBLE AS a, 2 AS c", "CREATE TABLE v AS SELECT 1 AS a"]
CONTENT: dict[str, dict[str, set[str]]] = {
    "old": {"t": {"a", "b"}, "u": {"a"}},
    "new": {"t": {"a", "c"}, "v": {"a"}},
    "gone": {},
}
# In the tick of grace what is new is there already, and what is gone is still there.
CONTENT["both"] = {"t": {"a", "c"}, "u": {"a"}, "v": {"a"}}

# What a sync has to do: what was there, what is to be there.
WORK = [("gone", "old"), ("old", "new"), ("new", "gone")]


@contextmanager
def mortal_server(path: Path) -> Iterator[Server]:
    """A server of its own, because a crash ends all connections; its log tells of that signal alone."""
    path.chmod(0o755)
    with serving(path, "postgres", "-c", "cron.launch_active_jobs=off") as server:
        set_trap(server)
        with server.connect() as db:
            folder = Folder(server, db)
            folder.write("old", *OLD)
            folder.write("new", *NEW)
            folder.db.execute("SELECT rvbbit.set_policy('none')")
        yield server
        server.allow("was terminated by signal 9: Killed")
        assert server.disasters(server.log()) == []


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that dies."""
    with mortal_server(tmp_path_factory.mktemp("crash")) as server:
        yield server


def prepare(folder: Folder, state: str) -> None:
    """Let this be what a sync has to reach."""
    policy = "none" if state == "gone" else "all"
    folder.db.execute("SELECT rvbbit.set_policy(%s, exclude => 'old,new')", [policy])
    if state != "gone":
        folder.copy(state, *SESSIONS)


def reach(folder: Folder, state: str) -> None:
    """Sync until nothing is to be done: two ticks, because what is gone has one of grace."""
    folder.sync()
    folder.sync()
    assert folder.plan() == set()
    assert folder.problems() == {}
    assert halves(folder.db) == []
    assert contents(folder) == dict.fromkeys(SESSIONS if state != "gone" else (), state)


def contents(folder: Folder) -> dict[str, str]:
    """Which state each attached session shows; one that shows none of them as a whole fails."""
    query = """
        SELECT n.nspname, jsonb_object_agg(c.relname, (SELECT array_agg(a.attname) FROM pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
        FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('f', 'p')
        WHERE n.nspname LIKE 's_' GROUP BY 1"""
    found = {
        schema: {t: set(columns) for t, columns in tables.items()} for schema, tables in folder.rows(query)
    }
    states = {schema: [s for s, c in CONTENT.items() if c == tables] for schema, tables in found.items()}
    assert all(states.values()), found
    return {schema: state[0] for schema, state in states.items()}


def after_the_crash(server: Server, state: str) -> None:
    """What is there is whole, and the next sync finishes."""
    with server.connect() as db:
        folder = Folder(server, db)
        assert halves(db) == []
        contents(folder)
        reach(folder, state)


@pytest.mark.parametrize(("before", "after"), WORK)
def test_killed_at_a_command(mortal: Server, before: str, after: str) -> None:
    """Death at the start or the end of a DDL command that chance picks."""
    moment = random.randint(1, 100)
    while lived := die_at(mortal, before, after, moment):
        moment = random.randint(1, moment - lived)


def die_at(server: Server, before: str, after: str, moment: int) -> int:
    """One sync from one state to another that dies there; how far it was from that if it lived."""
    with server.connect() as db:
        folder = Folder(server, db)
        prepare(folder, before)
        reach(folder, before)
        prepare(folder, after)
    left = call_and_die(server, "CALL rvbbit.sync()", moment)
    after_the_crash(server, after)
    return left


@pytest.mark.parametrize(("before", "after"), WORK)
def test_killed_at_any_time(mortal: Server, before: str, after: str) -> None:
    """Death at a moment of the clock."""
    kill_after(mortal, before, after, random.uniform(0.02, 0.2))


def kill_after(server: Server, before: str, after: str, seconds: float) -> bool:
    """One sync that is killed after so long; true if it was at work."""
    with server.connect() as db:
        folder = Folder(server, db)
        prepare(folder, before)
        reach(folder, before)
        prepare(folder, after)
    was_at_work = call_and_kill(server, "CALL rvbbit.sync()", seconds)
    after_the_crash(server, after)
    return was_at_work
