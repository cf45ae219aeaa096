"""Sync: schemas follow the folder and the policy, nobody's work is lost, and an idle tick writes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.kit.container import Server, serving
from tests.kit.synced import Folder, opened, wait_for

pytestmark = pytest.mark.server


@pytest.fixture(params=["foreign", "table"])
def folder(request: pytest.FixtureRequest, following: Server) -> Iterator[Folder]:
    """The folder with one session, "first", attached by the policy, as foreign tables or as ordinary ones."""
    with opened(following) as own:
        own.db.execute("SELECT rvbbit.set_policy(present_as => %s)", [request.param])
        own.write("first", "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b")
        own.sync()
        assert own.attached() == {"first": "first"}
        yield own


# statements in the session, the plan, the columns of first.t afterwards
DRIFTS: list[tuple[list[str], set[tuple[str, ...]], dict[str, str]]] = [
    ([], set(), {"a": "integer", "b": "text"}),
    (["INSERT INTO t VALUES (2, 'y')"], set(), {"a": "integer", "b": "text"}),
    (
        ["ALTER TABLE t ADD COLUMN c DECIMAL(8, 2)"],
        {("add column", "first", "t", "c")},
        {"a": "integer", "b": "text", "c": "numeric(8,2)"},
    ),
    (
        ["ALTER TABLE t ALTER a TYPE DOUBLE"],
        {("alter column", "first", "t", "a")},
        {"a": "double precision", "b": "text"},
    ),
    (
        ["ALTER TABLE t ALTER a TYPE UTINYINT"],
        {("alter column", "first", "t", "a")},
        {"a": "smallint", "b": "text"},
    ),
    (["ALTER TABLE t DROP b"], {("drop column", "first", "t", "b")}, {"a": "integer"}),
    (
        ["CREATE TABLE u AS SELECT 1 AS x"],
        {("create table", "first", "u")},
        {"a": "integer", "b": "text"},
    ),
    (
        ['CREATE OR REPLACE TABLE t AS SELECT DATE \'2026-01-01\' AS a, 1 AS "Odd ""name"""'],
        {
            ("alter column", "first", "t", "a"),
            ("add column", "first", "t", 'Odd "name"'),
            ("drop column", "first", "t", "b"),
        },
        {"a": "date", 'Odd "name"': "integer"},
    ),
]


def assert_as_imported(folder: Folder) -> None:
    """The columns of first.t have the names, types and options that an import gives them now."""
    query = """
        SELECT attname, format_type(atttypid, atttypmod), option_name, option_value
        FROM pg_attribute, pg_options_to_table(attfdwoptions)
        WHERE attrelid = COALESCE((SELECT inhrelid FROM pg_inherits WHERE inhparent = '{0}.t'::regclass),
                                  '{0}.t'::regclass)
          AND attnum > 0 AND NOT attisdropped"""
    folder.db.execute("IMPORT FOREIGN SCHEMA first LIMIT TO (t) FROM SERVER rvbbit INTO mine")
    assert set(folder.rows(query.format("first"))) == set(folder.rows(query.format("mine")))
    folder.db.execute("DROP FOREIGN TABLE mine.t")


@pytest.mark.parametrize(("statements", "plan", "columns"), DRIFTS)
def test_a_session_that_changes(
    folder: Folder, statements: list[str], plan: set[tuple[str, ...]], columns: dict[str, str]
) -> None:
    before = folder.one("SELECT 'first.t'::regclass::oid")
    folder.write("first", *statements)
    assert folder.plan() == plan
    folder.sync()
    assert folder.plan() == set()
    assert folder.columns("first.t") == columns
    assert folder.one("SELECT 'first.t'::regclass::oid") == before
    assert folder.problems() == {}
    folder.rows("SELECT * FROM first.t")
    assert_as_imported(folder)


def test_a_name_in_postgresql_that_means_another_column(folder: Folder) -> None:
    folder.write("first", "ALTER TABLE t ADD COLUMN ctid INTEGER")
    folder.sync()
    assert_as_imported(folder)
    folder.write("first", "ALTER TABLE t RENAME ctid TO ctid_", "UPDATE t SET ctid_ = 5")
    assert folder.plan() == {("alter column", "first", "t", "ctid_")}
    folder.sync()
    assert_as_imported(folder)
    assert folder.rows("SELECT ctid_ FROM first.t") == [(5,)]


def test_names_that_a_person_gave_stay(folder: Folder) -> None:
    with folder.server.connect(user="postgres") as admin:
        admin.execute("ALTER TABLE first.t RENAME a TO amount")
        admin.execute("ALTER TABLE first.t RENAME TO mine")
        admin.execute("GRANT SELECT ON first.mine TO pg_monitor")
    assert folder.plan() == set()
    folder.write("first", "ALTER TABLE t ALTER a TYPE BIGINT", "ALTER TABLE t ADD COLUMN c INTEGER")
    assert folder.plan() == {
        ("alter column", "first", "mine", "amount"),
        ("add column", "first", "mine", "c"),
    }
    folder.write("first", "CREATE TABLE u AS SELECT 1 AS x")
    folder.sync()
    assert folder.columns("first.mine") == {"amount": "bigint", "b": "text", "c": "integer"}
    assert folder.rows("SELECT amount, b, c FROM first.mine") == [(1, "x", None)]
    assert folder.one("SELECT has_table_privilege('pg_monitor', 'first.mine', 'SELECT')")
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'first'::regnamespace ORDER BY 1"
    assert folder.rows(tables) == [("mine",), ("u",)]
    folder.db.execute("SELECT rvbbit_attach_session('first')")
    assert folder.rows(tables) == [("mine",), ("u",)]
    folder.write("first", "DROP TABLE t")
    for _ in range(2):
        folder.sync()
    assert folder.rows(tables) == [("u",)]


def test_a_name_that_a_person_gave_is_in_the_way(folder: Folder) -> None:
    with folder.server.connect(user="postgres") as admin:
        admin.execute("ALTER TABLE first.t RENAME a TO c")
    folder.write("first", "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 5")
    folder.sync()
    assert folder.rows("SELECT c, b FROM first.t") == [(1, "x")]
    assert 'column "c" of relation "t" already exists' in folder.problems()["first"]
    folder.write("first", "ALTER TABLE t DROP a")
    folder.sync()
    assert folder.rows("SELECT c, b FROM first.t") == [(5, "x")]
    assert folder.problems() == {}


def test_a_table_of_a_person_in_an_attached_schema_stays(folder: Folder) -> None:
    folder.write("first", "CREATE SCHEMA other", "CREATE TABLE other.o AS SELECT 3 AS a")
    with folder.server.connect(user="postgres") as admin:
        admin.execute('IMPORT FOREIGN SCHEMA "first.other" FROM SERVER rvbbit INTO first')
    folder.write("first", "DROP TABLE other.o")
    for _ in range(3):
        folder.sync()
    assert folder.columns("first.o") == {"a": "integer"}


def test_what_people_built_survives_a_change(folder: Folder) -> None:
    folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
    with folder.server.connect(user="postgres") as admin:
        admin.execute("GRANT SELECT ON first.t TO pg_monitor")
        folder.comment(admin, "first.t", "my own words")
    folder.write("first", "ALTER TABLE t ADD COLUMN c INTEGER", "UPDATE t SET a = 7")
    folder.sync()
    assert folder.rows("SELECT a FROM mine.v") == [(7,)]
    assert folder.one("SELECT has_table_privilege('pg_monitor', 'first.t', 'SELECT')")
    assert folder.one("SELECT has_table_privilege('rvbbit_reader', 'first.t', 'SELECT')")
    assert folder.one("SELECT obj_description('first.t'::regclass)") == "my own words"


def test_what_a_view_holds_stays_and_is_named(folder: Folder) -> None:
    folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
    folder.write("first", "ALTER TABLE t ALTER a TYPE DOUBLE", "ALTER TABLE t ADD COLUMN c INTEGER")
    folder.sync()
    assert folder.columns("first.t") == {"a": "integer", "b": "text", "c": "integer"}
    assert "used by a view" in folder.problems()["first"]
    assert folder.plan() == set()
    folder.db.execute("DROP VIEW mine.v")
    folder.write("first", "INSERT INTO t (b) VALUES ('z')")
    folder.sync()
    assert folder.columns("first.t")["a"] == "double precision"
    assert folder.problems() == {}


def test_a_table_that_is_gone_has_a_tick_of_grace(folder: Folder) -> None:
    folder.write("first", "CREATE TABLE u AS SELECT 1 AS x")
    folder.sync()
    folder.write("first", "DROP TABLE u")
    for present in (True, False):
        assert ("drop table", "first", "u") in folder.plan()
        folder.sync()
        assert folder.one("SELECT to_regclass('first.u') IS NOT NULL") is present
    assert folder.plan() == set()


def test_a_file_that_is_gone_has_a_tick_of_grace(folder: Folder) -> None:
    path = folder.write("second", "CREATE TABLE t AS SELECT 1 AS a")
    folder.sync()
    assert set(folder.attached()) == {"first", "second"}
    path.unlink()
    assert folder.plan() == {("wait", "second")}
    folder.sync()
    assert folder.one("SELECT to_regnamespace('second') IS NOT NULL")
    assert folder.plan() == {("detach", "second")}
    folder.sync()
    assert folder.one("SELECT to_regnamespace('second') IS NULL")
    assert folder.plan() == set()


def test_a_file_that_comes_back_in_time_keeps_its_schema(folder: Folder) -> None:
    path = folder.server.session_dir / "first.duckdb"
    moved = path.rename(path.with_suffix(".away"))
    before = folder.one("SELECT 'first.t'::regclass::oid")
    folder.sync()
    moved.rename(path)
    for _ in range(3):
        folder.sync()
    assert folder.one("SELECT 'first.t'::regclass::oid") == before
    assert folder.plan() == set()


def test_a_schema_that_something_depends_on_stays(folder: Folder) -> None:
    folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
    (folder.server.session_dir / "first.duckdb").unlink()
    for _ in range(4):
        folder.sync()
    assert folder.plan() == {("keep", "first")}
    assert "something depends on" in folder.problems()["first"]
    with pytest.raises(psycopg.Error, match='session "first"'):
        folder.db.execute("SELECT * FROM mine.v")
    folder.db.execute("DROP VIEW mine.v")
    folder.sync()
    folder.sync()
    assert folder.one("SELECT to_regnamespace('first') IS NULL")
    assert folder.problems() == {}


def test_what_a_person_attached_or_detached_stays_so(folder: Folder) -> None:
    folder.db.execute("SELECT rvbbit_attach_session('first', 'kept')")
    folder.db.execute("SELECT rvbbit.set_policy('none')")
    folder.write("second", "CREATE TABLE t AS SELECT 1 AS a")
    folder.write("first", "CREATE TABLE u AS SELECT 1 AS x")
    folder.sync()
    assert folder.attached() == {"first": "kept"}
    assert folder.one("SELECT to_regclass('kept.u') IS NOT NULL")
    folder.db.execute("SELECT rvbbit.set_policy('all')")
    folder.sync()
    assert folder.attached() == {"first": "kept", "second": "second"}
    folder.db.execute("SELECT rvbbit_detach_session('second')")
    folder.sync()
    assert folder.attached() == {"first": "kept"}


def test_a_policy_takes_its_schemas_away(folder: Folder) -> None:
    folder.db.execute("SELECT rvbbit.set_policy('none')")
    assert folder.plan() == {("detach", "first")}
    folder.sync()
    assert folder.attached() == {}
    folder.db.execute("SELECT rvbbit.set_policy('smart')")
    folder.sync()
    assert folder.attached() == {"first": "first"}


def test_schemas_of_others_are_not_touched(folder: Folder) -> None:
    folder.db.execute("CREATE SCHEMA theirs CREATE TABLE t (x int)")
    folder.write("theirs", "CREATE TABLE t AS SELECT 1 AS a")
    folder.sync()
    name = folder.attached()["theirs"]
    assert name.startswith("theirs_")
    (folder.server.session_dir / "theirs.duckdb").unlink()
    for _ in range(3):
        folder.sync()
    assert set(folder.attached()) == {"first"}
    assert folder.rows("SELECT count(*) FROM theirs.t") == [(0,)]


def test_bad_files_are_not_attached_and_stop_nobody(folder: Folder) -> None:
    (folder.server.session_dir / "broken.duckdb").write_bytes(b"\x00" * 65536)
    folder.write("second", "CREATE TABLE t AS SELECT 1 AS a")
    folder.sync()
    assert set(folder.attached()) == {"first", "second"}


def test_who_holds_a_lock_is_waited_for_at_the_next_tick(folder: Folder) -> None:
    folder.write("first", "ALTER TABLE t ADD COLUMN c INTEGER")
    with folder.server.connect() as reader, reader.transaction():
        reader.execute("LOCK TABLE pg_namespace IN ACCESS SHARE MODE")
        reader.execute("SELECT count(a) FROM first.t")
        folder.sync()
        assert "c" not in folder.columns("first.t")
        assert "lock timeout" in folder.problems()["first"]
    folder.sync()
    assert "c" in folder.columns("first.t")
    assert folder.problems() == {}


def test_an_idle_tick_writes_nothing(folder: Folder) -> None:
    folder.sync()
    state = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text, (SELECT sum(n_tup_ins + n_tup_upd)::int"
    state += " FROM pg_stat_all_tables WHERE schemaname IN ('pg_catalog', 'rvbbit'))"
    before = folder.one(state)
    for _ in range(20):
        folder.sync()
    assert folder.one(state) == before


def test_many_may_sync_at_once(folder: Folder) -> None:
    for number in range(6):
        folder.write(f"s{number}", "CREATE TABLE t AS SELECT 1 AS a")
    failures: list[Exception] = []

    def call() -> None:
        try:
            with folder.server.connect() as connection:
                connection.execute("CALL rvbbit.sync()")
        except psycopg.Error as error:
            failures.append(error)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    folder.sync()
    assert failures == []
    assert len(folder.attached()) == 7
    assert folder.problems() == {}


def test_who_may_sync(folder: Folder) -> None:
    with folder.server.connect(user="postgres") as admin, admin.transaction(force_rollback=True):
        admin.execute("SET LOCAL ROLE rvbbit_reader")
        assert admin.execute("SELECT attached FROM rvbbit.sync_status").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("SELECT * FROM rvbbit.sync_plan()")
    with folder.server.connect(user="postgres") as admin, admin.transaction(force_rollback=True):
        admin.execute("SET LOCAL ROLE rvbbit_reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("CALL rvbbit.sync()")


def test_the_server_ticks_by_itself(tmp_path: Path) -> None:
    """The image's own job, here every second; a restart leaves it as people set it."""
    tmp_path.chmod(0o755)
    with serving(tmp_path) as server, server.connect(user="postgres") as admin:
        job = admin.execute("SELECT jobid, schedule, command FROM cron.job").fetchall()
        assert [row[1:] for row in job] == [("10 seconds", "CALL rvbbit.sync()")]
        admin.execute("SELECT cron.alter_job(%s, schedule => '1 second')", [job[0][0]])
        with server.connect() as db:
            folder = Folder(server, db)
            folder.write("first", "CREATE TABLE t AS SELECT 1 AS a")
            wait_for(lambda: folder.attached() == {"first": "first"})
            folder.write("first", "CREATE TABLE u AS SELECT 1 AS a")
            wait_for(lambda: folder.one("SELECT to_regclass('first.u') IS NOT NULL"))
        server.restart()
        assert admin_schedule(server) == "1 second"


def test_a_syncer_that_is_killed_leaves_the_rest_to_the_next(folder: Folder) -> None:
    for number in range(12):
        folder.write(f"s{number}", "CREATE TABLE t AS SELECT 1 AS a")
    with folder.server.connect() as victim:
        pid = victim.info.backend_pid
        failed: list[Exception] = []

        def call() -> None:
            try:
                victim.execute("CALL rvbbit.sync()")
            except psycopg.Error as error:
                failed.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        wait_for(lambda: len(folder.attached()) > 2)
        with folder.server.connect(user="postgres") as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", [pid])
        caller.join()
    folder.sync()
    assert len(folder.attached()) == 13
    assert folder.plan() == set()


def admin_schedule(server: Server) -> Any:
    """How often the job runs."""
    with server.connect(user="postgres") as admin:
        return admin.execute("SELECT schedule FROM cron.job").fetchall()[0][0]
