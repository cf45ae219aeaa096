"""Sync beside people at work: a run that adds phases, clients that read catalogs, transactions left open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened, ticking, wait_for
from tests.kit.writers import Writer, make_session, writing

pytestmark = pytest.mark.server

# What clients ask when a tree is opened or refreshed, each in its style.
CATALOG_QUERIES: dict[str, str] = {
    "schemas with their comments": """
        SELECT n.oid, n.nspname, n.nspacl, d.description FROM pg_namespace n
        LEFT JOIN pg_description d
          ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass
        ORDER BY nspname""",
    "relations of all schemas": """
        SELECT c.oid, c.*, d.description, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(c.oid)
        FROM pg_class c
        LEFT JOIN pg_description d
          ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
        WHERE c.relkind NOT IN ('i', 'I', 'c')""",
    "columns": """
        SELECT c.relname, a.*, pg_get_expr(ad.adbin, ad.adrelid, true), d.description, t.typname
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
        LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = a.attnum
        WHERE NOT a.attisdropped AND c.relkind NOT IN ('i', 'I', 'c') AND c.relnamespace > 16383
        ORDER BY c.oid, a.attnum""",
    "foreign tables with server and options": """
        SELECT ft.*, s.srvname, w.fdwname, array_to_string(ft.ftoptions, ', ') FROM pg_foreign_table ft
        JOIN pg_foreign_server s ON s.oid = ft.ftserver JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw""",
    "sizes": """
        SELECT c.oid, pg_total_relation_size(c.oid), pg_relation_size(c.oid) FROM pg_class c
        WHERE c.relnamespace > 16383""",
    "data types": """
        SELECT t.oid, t.*, c.relkind, format_type(nullif(t.typbasetype, 0), t.typtypmod), d.description
        FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
        LEFT JOIN pg_description d ON d.objoid = t.oid WHERE t.typname IS NOT NULL""",
    "views": """
        SELECT c.oid, pg_get_viewdef(c.oid, true)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'v' AND n.nspname IN ('mine', 'public')""",
    "privileges": """
        SELECT c.oid::regclass::text, has_table_privilege(c.oid, 'SELECT'),
               has_schema_privilege(c.relnamespace, 'USAGE')
        FROM pg_class c WHERE c.relkind IN ('r', 'v', 'f')""",
    "states that incremental refreshes compare": """
        SELECT c.oid, c.xmin::text::bigint, n.xmin::text::bigint FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm', 'v', 'f', 'p')""",
    "tables by the standard": "SELECT * FROM information_schema.tables",
    "columns by the standard": "SELECT * FROM information_schema.columns WHERE table_schema <> 'pg_catalog'",
    "sessions": "SELECT session_id, state, is_attached, schema_name FROM _rvbbit_sessions",
}

PHASES = ("_transform", "_by_region", "_sentiment", "_output")
ROWS = """
    CREATE OR REPLACE TABLE {} AS
    SELECT i, i * 1.5::DOUBLE AS amount, 'x' || i AS name FROM range(1000) AS r(i)"""


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """The empty folder."""
    with opened(following) as own:
        yield own


@contextmanager
def at_work(server: Server, *clients: Callable[[psycopg.Connection], None]) -> Iterator[None]:
    """Each client in its own connection, over and over, until the block ends; it fails with their errors."""
    stop = threading.Event()
    errors: list[str] = []

    def run(client: Callable[[psycopg.Connection], None]) -> None:
        with server.connect() as connection:
            while not stop.is_set() and not errors:
                try:
                    client(connection)
                except psycopg.Error as error:
                    errors.append(f"{client.__name__}: {error}")

    threads = [threading.Thread(target=run, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []


def refreshes_its_tree(connection: psycopg.Connection) -> None:
    """A client that asks the catalogs one query after another."""
    for query in CATALOG_QUERIES.values():
        connection.execute(query).fetchall()
        time.sleep(0.02)


def forgets_to_commit(connection: psycopg.Connection) -> None:
    """A client in manual commit mode: locks of its last query stay for a while."""
    with connection.transaction():
        connection.execute("SELECT count(i) FROM mine.report")
        connection.execute("SELECT relname, reltuples FROM pg_class WHERE relkind IN ('f', 'p')").fetchall()
        time.sleep(0.3)


def watches_a_report(connection: psycopg.Connection) -> None:
    """A dashboard over a view of somebody's own."""
    assert connection.execute("SELECT count(*) FROM mine.report WHERE amount >= 0").fetchall() > [(0,)]
    time.sleep(0.05)


def test_a_run_adds_phases_while_clients_look(folder: Folder) -> None:
    """Each phase appears; a view lives through a column added and another file in the place of the first."""
    path = folder.server.session_dir / "nightly_run.duckdb"
    with ticking(folder.server), writing(path) as writer:
        writer.run(ROWS.format("_extract_data"))
        wait_for(lambda: folder.attached() == {"nightly_run": "nightly_run"})
        folder.db.execute("CREATE VIEW mine.report AS SELECT i, amount, name FROM nightly_run._extract_data")
        before = folder.one("SELECT 'nightly_run._extract_data'::regclass::oid")
        clients = (refreshes_its_tree, refreshes_its_tree, forgets_to_commit, watches_a_report)
        with at_work(folder.server, *clients):
            add_phases(folder, writer)
            add_a_column(folder, writer)
            writer.close()
            replace_the_file(folder)
        assert folder.one("SELECT 'nightly_run._extract_data'::regclass::oid") == before
        wait_for(lambda: folder.plan() == set() and folder.problems() == {})
    assert folder.errors() == []


def add_phases(folder: Folder, writer: Writer) -> None:
    """Each phase of a running session becomes a table, and shows what was committed last."""
    assert folder.one("SELECT state FROM rvbbit_sessions") == "live"
    for number, phase in enumerate(PHASES, 1):
        writer.run(ROWS.format(phase))
        wait_for(partial(folder.one, f"SELECT to_regclass('nightly_run.{phase}') IS NOT NULL"))
        assert folder.one(f"SELECT count(*) FROM nightly_run.{phase}") == 1000
        writer.run(f"INSERT INTO _extract_data SELECT 1000 + {number}, 0, 'late'")
        assert folder.one("SELECT count(*) FROM mine.report") == 1000 + number


def add_a_column(folder: Folder, writer: Writer) -> None:
    """A column that is added gets there although clients hold locks now and then."""
    writer.run("ALTER TABLE _extract_data ADD COLUMN score DOUBLE DEFAULT 0.5")
    wait_for(lambda: "score" in folder.columns("nightly_run._extract_data"))
    assert folder.one("SELECT sum(score) FROM nightly_run._extract_data") == 502.0
    assert folder.one("SELECT count(*) FROM mine.report") == 1000 + len(PHASES)


def replace_the_file(folder: Folder) -> None:
    """The same id once more, from a run that began anew."""
    fresh = make_session(
        folder.server.session_dir / "fresh",
        "CREATE TABLE _extract_data AS SELECT 7::BIGINT AS i, 1.5::DOUBLE AS amount, 'new' AS name",
        "ALTER TABLE _extract_data ADD COLUMN checked BOOLEAN",
        "CREATE TABLE _second_thoughts AS SELECT 1 AS a",
    )
    fresh.chmod(0o644)
    fresh.replace(folder.server.session_dir / "nightly_run.duckdb")
    wait_for(lambda: folder.one("SELECT to_regclass('nightly_run._second_thoughts') IS NOT NULL"))
    wait_for(lambda: folder.one("SELECT to_regclass('nightly_run._output') IS NULL"))
    assert folder.rows("SELECT i, amount, name FROM mine.report") == [(7, 1.5, "new")]


# What a tick is to do, and a condition that holds when it is done.
HELD = [
    ("write:ALTER TABLE t ADD COLUMN c INTEGER", "EXISTS (SELECT FROM pg_attribute WHERE attname = 'c')"),
    (
        "write:ALTER TABLE t DROP b",
        "NOT EXISTS (SELECT FROM pg_attribute WHERE attname = 'b' AND attnum > 0)",
    ),
    ("write:DROP TABLE t", "to_regclass('first.t') IS NULL"),
    ("policy:none", "to_regnamespace('first') IS NULL"),
    ("remove:first", "to_regnamespace('first') IS NULL"),
]


@pytest.fixture
def first(folder: Folder) -> Folder:
    """With one session, "first", attached, and another, "second", that is to be."""
    folder.write("first", "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b", "CREATE TABLE u AS SELECT 1 AS a")
    folder.sync()
    assert folder.attached() == {"first": "first"}
    return folder


def change(folder: Folder, what: str) -> None:
    """Do what a row of HELD says."""
    kind, _, rest = what.partition(":")
    if kind == "write":
        folder.write("first", rest)
    elif kind == "policy":
        folder.db.execute("SELECT rvbbit.set_policy(%s, include => 'second')", [rest])
    else:
        (folder.server.session_dir / f"{rest}.duckdb").unlink()
    folder.write("second", "CREATE TABLE t AS SELECT 1 AS a")


@pytest.mark.parametrize(("what", "done"), HELD)
def test_a_transaction_left_open_delays_its_session_alone(first: Folder, what: str, done: str) -> None:
    with first.server.connect() as idle, idle.transaction():
        idle.execute("SELECT a, b FROM first.t")
        change(first, what)
        for _ in range(3):
            first.sync()
        assert "second" in first.attached()
        assert not first.one(f"SELECT {done}")
        assert "lock timeout" in first.problems()["first"]
        # Nobody queues behind the sync.
        assert first.one("SELECT count(*) FROM pg_locks WHERE NOT granted") == 0
    for _ in range(2):
        first.sync()
    assert first.one(f"SELECT {done}")
    assert first.problems() == {}
    assert first.plan() == set()


def test_a_second_sync_returns_at_once_while_one_is_at_work(first: Folder) -> None:
    first.write("second", "CREATE TABLE t AS SELECT 1 AS a")
    with first.server.connect(user="postgres") as other, other.transaction():
        assert other.execute("SELECT rvbbit._sync_lock()").fetchall() == [(True,)]
        first.db.execute("SET statement_timeout = '5s'")
        first.sync()
        assert first.attached() == {"first": "first"}
        assert first.problems() == {}
    first.sync()
    assert set(first.attached()) == {"first", "second"}


def test_a_person_may_work_while_sync_does(folder: Folder) -> None:
    """Attach, rename and detach by hand while the job ticks: no errors, and the last word counts."""
    folder.write("s0", "CREATE TABLE t AS SELECT 1 AS a")
    folder.copy("s0", *(f"s{number}" for number in range(1, 6)))

    def works(connection: psycopg.Connection) -> None:
        for name in (None, "renamed"):
            connection.execute("SELECT rvbbit_attach_session('s3', %s)", [name])
        connection.execute("SELECT rvbbit_detach_session('s3')")

    with ticking(folder.server), at_work(folder.server, works):
        for policy in ("none", "all") * 3:
            folder.db.execute("SELECT rvbbit.set_policy(%s)", [policy])
            time.sleep(1.1)
    folder.sync()
    assert folder.attached() == {name: name for name in ("s0", "s1", "s2", "s4", "s5")}
    assert folder.problems() == {}
    assert folder.errors() == []
