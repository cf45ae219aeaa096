"""rvbbit_sessions: every session with its true state, only as much looked at as the query needs."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.kit.container import Server
from tests.kit.writers import Writer

pytestmark = pytest.mark.server

STATES = {
    "agile-cardinal-490cb1": ("ready", 5, True),
    "production_etl_2024_12_20": ("ready", 4, True),
    "pg_client_default": ("ready", 6, True),  # the seventh is a view over a database that is not there
    "brave-lynx-19ab40": ("ready", 3, True),  # its writer was killed, all data is in the WAL
    "frosty-owl-5b6c2a": ("empty", 0, True),
    "my_test": ("empty", 0, True),
    "hollow-vole-6d1f08": ("corrupt", None, False),
    "locked-newt-a7c350": ("encrypted", None, False),
    "early-swift-f4419b": ("newer", None, False),
}

# Each has a condition that may be judged before a file is looked at, and the sessions it must leave.
CONDITIONS = [
    ("session_id = 'my_test'", {"my_test"}),
    ("session_id = 'no such session'", set[str]()),
    ("session_id = ''", set[str]()),
    ("session_id = '../cascade_test'", set[str]()),
    ("session_id = 'MY_TEST'", set[str]()),
    ("session_id IN ('my_test', 'cascade_test', 'no such')", {"my_test", "cascade_test"}),
    ("session_id = ANY (ARRAY['my_test', NULL])", {"my_test"}),
    ("session_id LIKE 'agile-finch%'", {"agile-finch-4acdcc", "agile-finch-4acdcc_sub"}),
    ("session_id LIKE 'my\\_t%'", {"my_test"}),
    ("session_id LIKE 'my_t%'", {"my_test"}),
    ("session_id LIKE '%wren%'", {"crimson-wren-90aa5d"}),
    ("session_id ~ '^q4'", {"q4 revenue report"}),
    ("session_id LIKE 'über%'", {"übersicht_café_märz"}),
    ("session_id = 'my_test' AND modified_at > now()", set[str]()),
    ("session_id = 'my_test' AND modified_at < now() - interval '25 days'", {"my_test"}),
    ("session_id LIKE 'my%' OR session_id = 'cascade_test'", {"my_test", "cascade_test"}),
    ("session_id = 'my_test' OR state = 'newer'", {"my_test", "early-swift-f4419b"}),
    ("state = 'encrypted'", {"locked-newt-a7c350"}),
    ("session_id = 'my_test' AND state = 'ready'", set[str]()),
]

COLUMNS = [
    "session_id", "state", "is_named", "auto_attach", "over_limit", "size_bytes", "size_mb", "wal_bytes",
    "created_at", "modified_at", "age_hours", "table_count", "duckdb_version", "storage_version",
    "file_path", "error",
]  # fmt: skip


def ids(db: psycopg.Connection, condition: str) -> set[str]:
    """The sessions for which a condition holds."""
    query = f"SELECT session_id FROM rvbbit_sessions WHERE {condition}"
    return {row[0] for row in db.execute(query)}


@pytest.fixture
def folder(server: Server) -> Iterator[Path]:
    """The session folder; what a test puts there under names that begin with zz_ is taken away."""
    yield server.session_dir
    for path in server.session_dir.glob("zz_*"):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


@pytest.mark.parametrize("session", STATES)
def test_the_state_of_a_session(db: psycopg.Connection, session: str) -> None:
    query = "SELECT state, table_count, error IS NULL FROM rvbbit_sessions WHERE session_id = %s"
    assert db.execute(query, [session]).fetchone() == STATES[session]


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS)
def test_a_condition_leaves_the_right_sessions(
    db: psycopg.Connection, condition: str, expected: set[str]
) -> None:
    assert ids(db, condition) == expected


def test_a_join_with_parameters_prunes_and_agrees(db: psycopg.Connection) -> None:
    query = """
        SELECT w.id, s.state FROM (VALUES ('my_test'), ('cascade_test'), (NULL), ('no such')) AS w (id),
        LATERAL (SELECT state FROM rvbbit_sessions WHERE session_id = w.id) AS s ORDER BY 1"""
    assert db.execute(query).fetchall() == [("cascade_test", "ready"), ("my_test", "empty")]


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_a_prepared_condition_follows_its_parameter(db: psycopg.Connection, mode: str) -> None:
    db.execute(f"SET plan_cache_mode = {mode}")
    query = "SELECT state FROM rvbbit_sessions WHERE session_id = %s"
    for session in ("my_test", "cascade_test", "no such", None, "my_test"):
        found = db.execute(query, [session], prepare=True).fetchall()
        assert found == ([(STATES.get(session, ("ready",))[0],)] if session in ids(db, "true") else [])


def test_every_file_is_listed_once_with_its_size_and_time(server: Server, db: psycopg.Connection) -> None:
    query = "SELECT session_id, size_bytes, wal_bytes, extract(epoch FROM modified_at) FROM rvbbit_sessions"
    found = {row[0]: row[1:] for row in db.execute(query)}
    files = {path.stem: path for path in server.session_dir.glob("*.duckdb")}
    assert found.keys() == files.keys()
    for session, (size, wal_bytes, modified) in found.items():
        status, wal = files[session].stat(), Path(f"{files[session]}.wal")
        assert (size, wal_bytes) == (status.st_size, wal.stat().st_size if wal.exists() else 0)
        assert float(modified) == pytest.approx(status.st_mtime, abs=0.001)


def test_columns_are_those_that_clients_rely_on(db: psycopg.Connection) -> None:
    found = db.execute("SELECT * FROM rvbbit_sessions LIMIT 0").description
    assert [column.name for column in found or []] == COLUMNS


def test_derived_columns_agree_with_each_other(db: psycopg.Connection) -> None:
    query = """
        SELECT session_id FROM rvbbit_sessions
        WHERE abs(size_mb - (size_bytes + wal_bytes) / 1048576.0) > 0.001 OR created_at > modified_at
           OR abs(age_hours - extract(epoch FROM now() - modified_at) / 3600) > 0.05"""
    assert db.execute(query).fetchall() == []


def test_the_path_is_for_roles_that_may_read_server_files(server: Server, db: psycopg.Connection) -> None:
    query = "SELECT file_path FROM rvbbit_sessions WHERE session_id = 'my_test'"
    assert db.execute(query).fetchone() == (None,)
    with server.connect(user="postgres") as admin:
        found = admin.execute(query).fetchone()
    assert found
    assert found[0].endswith("/my_test.duckdb")


def test_a_session_that_is_written_is_live(db: psycopg.Connection, folder: Path) -> None:
    query = "SELECT state, wal_bytes > 0, table_count FROM rvbbit_sessions WHERE session_id = 'zz_live'"
    writer = Writer(folder / "zz_live.duckdb")
    writer.run("CREATE TABLE _output AS SELECT 1 AS a")
    assert db.execute(query).fetchone() == ("live", True, 1)
    writer.run("CREATE TABLE _more AS SELECT 1 AS a")
    assert db.execute(query).fetchone() == ("live", True, 2)
    writer.close()
    assert db.execute(query).fetchone() == ("ready", False, 2)


def test_what_is_no_session_is_not_listed(db: psycopg.Connection, folder: Path) -> None:
    before = ids(db, "true")
    os.mkfifo(folder / "zz_fifo.duckdb")
    (folder / "zz_directory.duckdb").mkdir()
    (folder / "zz_outside.duckdb").symlink_to("/etc/passwd")
    (folder / "zz_dangling.duckdb").symlink_to("zz_nothing.duckdb")
    (folder / "zz_loop.duckdb").symlink_to("zz_loop.duckdb")
    (folder / "zz_orphan.duckdb.wal").write_bytes(b"left behind")
    (folder / "zz_notes.txt").write_text("no session")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(folder / "zz_socket.duckdb"))
        assert ids(db, "true") == before
        assert (
            ids(db, "session_id IN ('zz_fifo', 'zz_directory', 'zz_socket', 'zz_outside', 'zz_orphan')")
            == set()
        )


def test_files_that_are_no_databases_are_listed_as_corrupt(db: psycopg.Connection, folder: Path) -> None:
    (folder / "zz_nothing.duckdb").touch()
    (folder / "zz_text.duckdb").write_text("id,name\n" * 4000)
    (folder / "zz_zeros.duckdb").write_bytes(bytes(20000))
    (folder / "zz_sqlite.duckdb").write_bytes(b"SQLite format 3\0" + bytes(20000))
    (folder / "zz_short.duckdb").write_bytes((folder / "my_test.duckdb").read_bytes()[:5000])
    found = db.execute("SELECT DISTINCT state, table_count FROM rvbbit_sessions WHERE session_id LIKE 'zz%'")
    assert found.fetchall() == [("corrupt", None)]


def test_a_folder_that_may_be_entered_but_not_listed(server: Server, db: psycopg.Connection) -> None:
    """Who knows a name finds its session, as the kernel has it."""
    session = next(name for name, (state, _, _) in STATES.items() if state == "ready")
    mode = server.session_dir.stat().st_mode
    server.session_dir.chmod(0o711)
    try:
        found = db.execute("SELECT state FROM rvbbit_sessions WHERE session_id = %s", [session]).fetchall()
        with pytest.raises(psycopg.errors.IoError, match="session folder"):
            db.execute("SELECT state FROM rvbbit_sessions")
    finally:
        server.session_dir.chmod(mode)
    assert found == [("ready",)]


def test_counting_and_existence_need_no_column(db: psycopg.Connection) -> None:
    query = """
        SELECT count(*) = (SELECT count(session_id) FROM rvbbit_sessions), count(*) > 30
        FROM rvbbit_sessions"""
    assert db.execute(query).fetchone() == (True, True)
    assert db.execute("SELECT EXISTS (SELECT FROM rvbbit_sessions)").fetchone() == (True,)


def test_a_reader_sees_the_list_and_cannot_write_it(server: Server) -> None:
    with server.connect(user="postgres") as admin, admin.transaction(force_rollback=True):
        admin.execute("SET LOCAL ROLE rvbbit_reader")
        assert ids(admin, "session_id = 'my_test'") == {"my_test"}
        with pytest.raises(psycopg.Error) as caught:
            admin.execute("DELETE FROM rvbbit_sessions")
    assert caught.value.sqlstate == "42501"
