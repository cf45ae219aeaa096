"""What is attached outlives restarts, new containers, dumps; a standby shows it; two databases keep apart."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.container import DATA, ROOT, Server, serving
from tests.kit.host import WRAPPER
from tests.kit.synced import Folder, ticking, wait_for

pytestmark = pytest.mark.server

# What people see of it all, and what must be the same in another place or after another start.
SEEN = {
    "attached": """
        SELECT session_id, schema_name, attached_by FROM _rvbbit_sessions WHERE is_attached ORDER BY 1""",
    "policy": "SELECT name, value FROM rvbbit.settings WHERE kind = 'option of the server' ORDER BY 1",
    "taken away": "SELECT session_id FROM rvbbit.detachment",
    "tables": """
        SELECT table_schema::text, table_name::text, table_type::text FROM information_schema.tables
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2""",
    "comments": """
        SELECT n.nspname, obj_description(n.oid), obj_description('nightly.t'::regclass)
        FROM pg_namespace AS n
        WHERE obj_description(n.oid) LIKE 'RVBBIT session %' ORDER BY 1""",
    "grants": """
        SELECT n.nspname, n.nspacl::text, c.relname, c.relacl::text
        FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
        WHERE obj_description(n.oid) LIKE 'RVBBIT%' ORDER BY 1, 3""",
    "a view": "SELECT * FROM mine.report",
    "theirs": "SELECT count(*) FROM theirs.t",
    "the job": "SELECT schedule, command, database, active FROM cron.job",
}
# The commands that move it all to another server.
RESTORE = {
    "roles": "pg_dumpall -U postgres --roles-only",
    "dump": "pg_dump -U postgres rvbbit",
    "outside": "psql -U postgres -d postgres",
    "new database": "DROP DATABASE rvbbit WITH (FORCE); CREATE DATABASE rvbbit;",
    "inside": "psql -U postgres -d rvbbit -v ON_ERROR_STOP=1",
}
TABLES = "SELECT array_agg((relname, oid)::text ORDER BY oid) FROM pg_class WHERE relkind IN ('f', 'p')"


@contextmanager
def volume() -> Iterator[str]:
    """A volume that is gone afterwards."""
    name = f"rvbbit-test-{secrets.token_hex(4)}"
    subprocess.run(["docker", "volume", "create", name], check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "volume", "rm", "-f", name], check=True, capture_output=True)


@contextmanager
def up(folder: Path, data: str) -> Iterator[Server]:
    """As "docker compose up" on a volume, and "down" at the end."""
    with serving(folder, volumes=[(data, DATA, "rw")]) as server:
        yield server


@pytest.fixture(scope="module")
def data() -> Iterator[str]:
    """The volume with the cluster."""
    with volume() as name:
        yield name


@pytest.fixture(scope="module")
def session_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session folder that all servers here serve."""
    path = tmp_path_factory.mktemp("moves")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def lived_in(session_dir: Path, data: str) -> Iterator[Server]:
    """A server where people attached, detached, chose a policy, granted and built on it."""
    with up(session_dir, data) as server:
        with ticking(server):
            live_in(server)
        yield server


def live_in(server: Server) -> None:
    """What people do in a week."""
    with server.connect() as db, server.connect(user="postgres") as admin:
        folder = Folder(server, db)
        db.execute("CREATE SCHEMA mine")
        db.execute("CREATE SCHEMA theirs CREATE TABLE t (x int)")
        db.execute("SELECT rvbbit.set_policy('smart', named_limit => 20, exclude => 'no_%,%_thanks')")
        folder.write(
            "nightly", "CREATE TABLE t AS SELECT 7 AS a, 'x' AS b", "CREATE TABLE u AS SELECT 1 AS a"
        )
        folder.copy("nightly", "pg_probe", "quarter", "unloved", "theirs", "no_thanks", "agile-finch-4acdcc")
        wait_for(lambda: len(folder.attached()) == 6)
        db.execute("SELECT rvbbit_attach_session('quarter', 'historical')")
        db.execute("SELECT rvbbit_detach_session('unloved')")
        db.execute("CREATE VIEW mine.report AS SELECT sum(t.a), count(*) FROM nightly.t, historical.u")
        admin.execute("COMMENT ON TABLE nightly.t IS 'my own words'")
        admin.execute("CREATE ROLE analyst LOGIN PASSWORD 'rvbbit' IN ROLE rvbbit_reader")
        admin.execute("GRANT USAGE ON SCHEMA nightly TO pg_monitor")
        admin.execute("GRANT SELECT ON nightly.t TO pg_monitor")


def seen(server: Server) -> dict[str, list[tuple[Any, ...]]]:
    """What people see."""
    with server.connect(user="postgres") as admin, server.connect(user="analyst") as analyst:
        found = {what: admin.execute(query).fetchall() for what, query in SEEN.items()}
        return found | {"as analyst": analyst.execute("SELECT a FROM historical.t").fetchall()}


def assert_sync_leaves_all_as_it_is(server: Server) -> None:
    """Sync knows its schemas again: nothing is to be done, nothing is made anew."""
    with server.connect() as db:
        folder = Folder(server, db)
        before = folder.one(TABLES)
        assert folder.plan() == set()
        folder.sync()
        assert folder.one(TABLES) == before
        assert folder.problems() == {}


def assert_sync_goes_on(server: Server, table: str) -> None:
    """A new phase of an attached session, a new session: both come by themselves."""
    with server.connect() as db:
        folder = Folder(server, db)
        folder.write("nightly", f"CREATE TABLE {table} AS SELECT 1 AS a")
        wait_for(lambda: folder.one(f"SELECT to_regclass('nightly.{table}') IS NOT NULL"))
        assert folder.rows(f"SELECT a FROM nightly.{table}") == [(1,)]


def test_what_is_seen_at_first(lived_in: Server) -> None:
    found = seen(lived_in)
    names = {session: (schema, by) for session, schema, by in found["attached"]}
    assert names.pop("theirs")[0].startswith("theirs_")
    assert names == {
        "nightly": ("nightly", "auto"),
        "pg_probe": ("_pg_probe", "auto"),
        "quarter": ("historical", "manual"),
        "agile-finch-4acdcc": ("agile-finch-4acdcc", "auto"),
    }
    assert found["a view"] == [(7, 1)]
    assert found["as analyst"] == [(7,)]


def test_a_restart(lived_in: Server) -> None:
    before = seen(lived_in)
    lived_in.restart()
    assert seen(lived_in) == before
    assert_sync_leaves_all_as_it_is(lived_in)
    with ticking(lived_in):
        assert_sync_goes_on(lived_in, "after_a_restart")


def test_a_dump_restored_into_a_new_server(lived_in: Server, session_dir: Path) -> None:
    """By the commands that docs/sessions.md shows."""
    page = (ROOT / "docs" / "sessions.md").read_text()
    assert [command for command in RESTORE.values() if command not in page] == []
    before = seen(lived_in)
    roles = lived_in.run(*RESTORE["roles"].split())
    dump = lived_in.run(*RESTORE["dump"].split())
    with serving(session_dir) as fresh:
        fresh.feed(RESTORE["outside"], roles)
        fresh.feed(RESTORE["outside"], RESTORE["new database"])
        fresh.feed(RESTORE["inside"], dump)
        fresh.restart()
        assert seen(fresh) == before
        assert_sync_leaves_all_as_it_is(fresh)
        with ticking(fresh):
            assert_sync_goes_on(fresh, "after_a_dump")
        assert fresh.disasters(fresh.log()) == []


def on_standby(server: Server, statement: str) -> str:
    """What psql on the standby answers."""
    command = 'psql -X -A -t -h /tmp -p 5499 -U rvbbit -d rvbbit -c "$1" 2>&1'
    return server.run("bash", "-c", f"{command} || true", "-", statement, user="postgres").strip()


def test_a_standby(lived_in: Server) -> None:
    """It shows what the primary attaches; sync there returns quietly; promoted, it goes on by itself."""
    with standby(lived_in) as server:
        assert on_standby(server, "CALL rvbbit.sync()") == "CALL"
        assert on_standby(server, "SELECT * FROM mine.report") == "7|1"
        assert "read-only" in on_standby(server, "SELECT rvbbit_attach_session('unloved')")
        with server.connect() as db:
            folder = Folder(server, db)
            folder.copy("nightly", "newcomer")
            folder.sync()
            wait_for(lambda: on_standby(server, "SELECT a FROM newcomer.t") == "7")
            (server.session_dir / "newcomer.duckdb").unlink()
        assert on_standby(server, "CALL rvbbit.sync()") == "CALL"
        assert on_standby(server, "SELECT to_regclass('newcomer.t')") == "newcomer.t"
        server.run("pg_ctl", "-D", "/tmp/standby", "promote", "-w", user="postgres")
        for _ in range(2):
            assert on_standby(server, "CALL rvbbit.sync()") == "CALL"
        assert on_standby(server, "SELECT count(to_regclass('newcomer.t'))") == "0"
        assert_sync_forgets(server, "newcomer")
        assert server.disasters(server.run("cat", "/tmp/standby.log", user="postgres")) == []


def assert_sync_forgets(server: Server, schema: str) -> None:
    """A session whose file is gone has a tick of grace, then its schema is gone."""
    with server.connect() as db:
        for _ in range(2):
            db.execute("CALL rvbbit.sync()")
        assert db.execute("SELECT to_regnamespace(%s)", [schema]).fetchall() == [(None,)]


@contextmanager
def standby(server: Server) -> Iterator[Server]:
    """A second cluster in the container that follows the first."""
    start = 'pg_ctl -D /tmp/standby -w -l /tmp/standby.log start -o "-p 5499 -k /tmp -c listen_addresses="'
    server.run("pg_basebackup", "-U", "postgres", "-D", "/tmp/standby", "-R", "-c", "fast", user="postgres")
    server.run("bash", "-c", start, user="postgres")
    try:
        yield server
    finally:
        server.run("pg_ctl", "-D", "/tmp/standby", "-m", "immediate", "stop", user="postgres")
        server.run("rm", "-rf", "/tmp/standby", "/tmp/standby.log", user="postgres")


def test_two_databases(lived_in: Server) -> None:
    """Each has its own policy, attachments and sync; neither waits for the other."""
    before = seen(lived_in)
    with second_database(lived_in) as other, lived_in.connect(user="postgres") as admin:
        folder = Folder(lived_in, other)
        other.execute("SELECT rvbbit.set_policy('none', include => 'unloved,quarter')")
        with admin.transaction():
            assert admin.execute("SELECT rvbbit._sync_lock()").fetchall() == [(True,)]
            folder.sync()
        assert folder.attached() == {"unloved": "unloved", "quarter": "quarter"}
        assert folder.rows("SELECT a FROM quarter.t") == [(7,)]
        other.execute("SELECT rvbbit_attach_session('nightly', 'historical')")
        assert seen(lived_in) == before
        assert_sync_leaves_all_as_it_is(lived_in)
        job = "SELECT cron.schedule_in_database('second', '1 second', 'CALL rvbbit.sync()', 'second')"
        admin.execute(job)
        other.execute("SELECT rvbbit.set_policy(include => 'unloved')")
        wait_for(lambda: set(folder.attached()) == {"unloved", "nightly"})
        admin.execute("SELECT cron.unschedule('second')")


@contextmanager
def second_database(server: Server) -> Iterator[psycopg.Connection]:
    """Another database of the server, set up by hand; a superuser's connection to it."""
    with server.connect(user="postgres") as admin:
        admin.execute("CREATE DATABASE second")
        try:
            with server.connect(user="postgres", dbname="second") as other:
                other.execute(f"CREATE EXTENSION {WRAPPER}")
                other.execute("CREATE EXTENSION rvbbit")
                other.execute("CALL rvbbit.setup('rvbbit', '/sessions', '/var/lib/rvbbit')")
                yield other
        finally:
            admin.execute("DROP DATABASE second WITH (FORCE)")


def test_another_container_on_the_same_volume(lived_in: Server, session_dir: Path, data: str) -> None:
    """As "docker compose down" and "up"; the snapshots of the first are gone. The last test."""
    before = seen(lived_in)
    lived_in.container.get_wrapped_container().stop(timeout=60)
    with up(session_dir, data) as again:
        assert seen(again) == before
        assert_sync_leaves_all_as_it_is(again)
        with ticking(again):
            assert_sync_goes_on(again, "after_down_and_up")
        assert again.disasters(again.log()) == []
