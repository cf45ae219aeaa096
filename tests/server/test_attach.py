"""Attach and detach: what appears, under which name, who may see it, and what is refused."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import RVBBIT_VERSION, interpreter

pytestmark = pytest.mark.server

SEEN = "Refresh the connection in DBeaver to see it."
LONG_ID = "production_etl_2024_12_20_sounding_2_inline_validator_totals_match_t1_0"

# session, schema name asked for, what is answered
ATTACHED = [
    (
        "agile-cardinal-490cb1",
        None,
        "Attached 'agile-cardinal-490cb1' as schema \"agile-cardinal-490cb1\" (5 tables)",
    ),
    (
        "agile-cardinal-490cb1",
        "historical",
        "Attached 'agile-cardinal-490cb1' as schema \"historical\" (5 tables)",
    ),
    ("q4 revenue report", None, 'as schema "q4 revenue report"'),
    ("übersicht_café_märz", None, 'as schema "übersicht_café_märz" (2 tables)'),
    ("Churn_Model_V2", 'o"; DROP SCHEMA public; --', 'as schema "o"; DROP SCHEMA public; --"'),
    ("pg_client_default", None, 'as schema "_pg_client_default" (3 tables; left out: warehouse__shipments)'),
    ("frosty-owl-5b6c2a", None, 'as schema "frosty-owl-5b6c2a" (0 tables)'),
    (LONG_ID, None, 'as schema "production_etl_2024_12_20_sounding_2_inline_validator__a584f2bd"'),
    (LONG_ID, "short", 'as schema "short"'),
    ("cascade_test", "ü" * 31, f'as schema "{"ü" * 31}"'),
]

# session, schema name, SQLSTATE, message, hint
REFUSED = [
    (None, None, "22004", "must not be null", "rvbbit_sessions"),
    ("", None, "22023", "must not be empty", "rvbbit_sessions"),
    ("agile-cardinal-490cb", None, "HV00Q", "does not exist", 'Did you mean "agile-cardinal-490cb1"'),
    ("Cascade_Test", None, "HV00Q", "does not exist", 'Did you mean "cascade_test"'),
    ("nothing like it at all", None, "HV00Q", "does not exist", ""),
    ("x" * 100_000, None, "HV00Q", "does not exist", "rvbbit_sessions"),
    (
        "cascade_test.duckdb",
        None,
        "HV00Q",
        "does not exist",
        'Did you mean "cascade_test"? A session is named by',
    ),
    ("/data/session_dbs/cascade_test.duckdb", None, "HV00Q", "does not exist", 'Did you mean "cascade_test"'),
    ("C:\\runs\\cascade_test.duckdb", None, "HV00Q", "does not exist", 'Did you mean "cascade_test"'),
    ("../sessions/cascade_test", None, "HV00Q", "does not exist", 'Did you mean "cascade_test"'),
    ("*", None, "HV00Q", "does not exist", ""),
    ("pg_client_default.analytics", None, "HV00Q", "does not exist", ""),
    ("x'; DROP SCHEMA public; --", None, "HV00Q", "does not exist", ""),
    ('"cascade_test"', None, "HV00Q", "does not exist", 'Did you mean "cascade_test"'),
    ("cascade_test", "", "42602", "must not be empty", "Leave it out"),
    ("cascade_test", "ü" * 32, "42622", "too long: it has 64 bytes", "63 bytes"),
    ("cascade_test", "pg_mine", "42939", "reserved", "another name"),
    ("cascade_test", "public", "42939", "reserved", "another name"),
    ("cascade_test", "rvbbit", "42939", "reserved", "another name"),
    ("cascade_test", "information_schema", "42939", "reserved", "another name"),
    ("hollow-vole-6d1f08", None, None, "hollow-vole-6d1f08", ""),
    ("locked-newt-a7c350", None, None, "locked-newt-a7c350", ""),
    ("early-swift-f4419b", None, None, "early-swift-f4419b", ""),
]

DETACH_REFUSED = [
    (None, "22004", "must not be null", ""),
    ("", "22023", "must not be empty", ""),
    ("agile-cardinal-490cb", "HV00Q", "does not exist", 'Did you mean "agile-cardinal-490cb1"'),
    ("historical", "HV00Q", "does not exist", 'shows the session "cascade_test"'),
    ("cascade_test.duckdb", "HV00Q", "does not exist", 'Did you mean "cascade_test"'),
]


@pytest.fixture
def clean(server: Server) -> Iterator[Server]:
    """The shared server; what a test attached is gone afterwards."""
    yield server
    with server.connect(user="postgres") as admin:
        for (name,) in admin.execute("SELECT schema_name FROM rvbbit.attachment").fetchall():
            admin.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
        admin.execute("TRUNCATE rvbbit.attachment, rvbbit.detachment")


@pytest.fixture
def db(clean: Server) -> Iterator[psycopg.Connection]:
    """A connection of the login rvbbit, in autocommit mode."""
    with clean.connect() as connection:
        yield connection


def attach(db: psycopg.Connection, session: str | None, name: str | None = None) -> str:
    """What rvbbit_attach_session answers."""
    row = db.execute("SELECT rvbbit_attach_session(%s, %s)", [session, name]).fetchone()
    assert row is not None
    return str(row[0])


def detach(db: psycopg.Connection, session: str | None) -> str:
    """What rvbbit_detach_session answers."""
    row = db.execute("SELECT rvbbit_detach_session(%s)", [session]).fetchone()
    assert row is not None
    return str(row[0])


def attached(db: psycopg.Connection) -> dict[str, str]:
    """Session and schema of all that is attached."""
    query = "SELECT session_id, schema_name FROM _rvbbit_sessions WHERE is_attached"
    return dict(db.execute(query).fetchall())


def tables(db: psycopg.Connection, schema: str) -> set[str]:
    """The tables of a schema."""
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
    return {row[0] for row in db.execute(query, [schema])}


@pytest.mark.parametrize(("session", "name", "answer"), ATTACHED)
def test_attach_and_detach(db: psycopg.Connection, session: str, name: str | None, answer: str) -> None:
    first = attach(db, session, name)
    assert first.startswith("SUCCESS: Attached '")
    assert answer in first
    assert first.endswith(SEEN)
    schema = attached(db)[session]
    for table in tables(db, schema):
        db.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, table)))
    assert f'is attached already, as schema "{schema}"' in attach(db, session)
    assert detach(db, session) == f"SUCCESS: Detached '{session}' (schema \"{schema}\"). {SEEN}"
    assert attached(db) == {}
    assert detach(db, session) == f"SUCCESS: '{session}' is not attached."
    assert db.execute("SELECT to_regnamespace(quote_ident(%s))", [schema]).fetchone() == (None,)


@pytest.mark.parametrize(("session", "name", "sqlstate", "message", "hint"), REFUSED)
def test_what_attach_refuses(
    db: psycopg.Connection,
    session: str | None,
    name: str | None,
    sqlstate: str | None,
    message: str,
    hint: str,
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        attach(db, session, name)
    assert sqlstate in (None, caught.value.sqlstate)
    assert message in (caught.value.diag.message_primary or "")
    assert len(caught.value.diag.message_primary or "") < 300
    assert hint in (caught.value.diag.message_hint or "")
    assert attached(db) == {}


@pytest.mark.parametrize(("session", "sqlstate", "message", "hint"), DETACH_REFUSED)
def test_what_detach_refuses(
    db: psycopg.Connection, session: str | None, sqlstate: str, message: str, hint: str
) -> None:
    attach(db, "cascade_test", "historical")
    with pytest.raises(psycopg.Error) as caught:
        detach(db, session)
    assert caught.value.sqlstate == sqlstate
    assert message in (caught.value.diag.message_primary or "")
    assert hint in (caught.value.diag.message_hint or "")
    assert attached(db) == {"cascade_test": "historical"}


def test_another_name_renames_in_place(db: psycopg.Connection, schema: str) -> None:
    attach(db, "cascade_test")
    db.execute(
        sql.SQL("CREATE VIEW {} AS SELECT * FROM cascade_test._output").format(sql.Identifier(schema, "v"))
    )
    count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, "v"))
    before = db.execute(count).fetchone()
    for name in ("first", "second"):
        assert f"Renamed the schema of 'cascade_test' to \"{name}\"" in attach(db, "cascade_test", name)
        assert attached(db) == {"cascade_test": name}
        assert db.execute(count).fetchone() == before
    assert 'attached already, as schema "second"' in attach(db, "cascade_test", "second")


def test_many_by_one_query(db: psycopg.Connection) -> None:
    query = "SELECT session_id FROM rvbbit_sessions WHERE state = 'ready' AND session_id LIKE 'agile%'"
    wanted = {row[0] for row in db.execute(query)}
    assert len(wanted) > 3
    answers = db.execute(query.replace("session_id", "rvbbit_attach_session(session_id)", 1)).fetchall()
    assert all(answer.startswith("SUCCESS") for (answer,) in answers)
    assert set(attached(db)) == wanted
    db.execute("SELECT rvbbit_detach_session(session_id) FROM _rvbbit_sessions WHERE is_attached")
    assert attached(db) == {}


def test_what_cannot_be_imported_is_named_and_the_rest_is_there(db: psycopg.Connection) -> None:
    told: list[str] = []
    db.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
    assert "(3 tables; left out: warehouse__shipments)" in attach(db, "pg_client_default")
    assert [message for message in told if '"warehouse__shipments"' in message]
    assert tables(db, "_pg_client_default") == {"orders", "user_types", "top_customers"}


def test_a_schema_that_we_did_not_make_is_not_touched(db: psycopg.Connection, schema: str) -> None:
    with pytest.raises(psycopg.errors.DuplicateSchema, match="shows no session"):
        attach(db, "cascade_test", schema)
    db.execute("CREATE SCHEMA cascade_test CREATE TABLE mine (x int)")
    try:
        names = []
        for _ in range(2):
            attach(db, "cascade_test")
            names.append(attached(db)["cascade_test"])
            detach(db, "cascade_test")
        assert names[0] == names[1] != "cascade_test"
        assert names[0].startswith("cascade_test_")
        assert db.execute("SELECT count(*) FROM cascade_test.mine").fetchone() == (0,)
    finally:
        db.execute("DROP SCHEMA cascade_test CASCADE")


def test_a_schema_that_took_over_the_name_is_not_ours(clean: Server, db: psycopg.Connection) -> None:
    attach(db, "cascade_test")
    with clean.connect(user="postgres") as admin:
        admin.execute("DROP SCHEMA cascade_test CASCADE")
    assert attached(db) == {}
    db.execute("CREATE SCHEMA cascade_test")
    db.execute("""COMMENT ON SCHEMA cascade_test IS 'RVBBIT session "cascade_test"'""")
    try:
        assert detach(db, "cascade_test") == "SUCCESS: 'cascade_test' is not attached."
        attach(db, "cascade_test")
        assert attached(db)["cascade_test"].startswith("cascade_test_")
    finally:
        db.execute("DROP SCHEMA cascade_test")


def test_a_name_that_another_session_has(db: psycopg.Connection) -> None:
    attach(db, "agile-cardinal-490cb1", "cascade_test")
    with pytest.raises(psycopg.errors.DuplicateSchema, match='another session already, "agile-cardinal'):
        attach(db, "cascade_test", "cascade_test")
    attach(db, "cascade_test")
    assert attached(db)["cascade_test"].startswith("cascade_test_")


def test_detach_spares_what_depends_on_it(db: psycopg.Connection, schema: str) -> None:
    attach(db, "cascade_test")
    view = sql.Identifier(schema, "dependent")
    db.execute(sql.SQL("CREATE VIEW {} AS SELECT * FROM cascade_test._output").format(view))
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="is kept") as caught:
        detach(db, "cascade_test")
    assert "dependent" in (caught.value.diag.message_detail or "")
    assert len(tables(db, "cascade_test")) == 3
    db.execute(sql.SQL("DROP VIEW {}").format(view))
    assert detach(db, "cascade_test").startswith("SUCCESS: Detached")


def test_readers_read_what_is_attached_and_no_more(clean: Server, db: psycopg.Connection) -> None:
    attach(db, "cascade_test")
    with clean.connect(user="postgres") as admin:
        admin.execute("CREATE ROLE someone LOGIN PASSWORD 'rvbbit' IN ROLE rvbbit_reader")
    try:
        with clean.connect(user="someone") as reader:
            assert reader.execute("SELECT count(*) > 0 FROM cascade_test._output").fetchone() == (True,)
            attach(db, "agile-cardinal-490cb1")
            assert reader.execute('SELECT count(*) > 0 FROM "agile-cardinal-490cb1"._output').fetchone() == (
                True,
            )
            assert len(attached(reader)) == 2
            paths = "SELECT count(file_path) FROM _rvbbit_sessions"
            assert reader.execute(paths).fetchone() == (0,)
            for statement in (
                "SELECT rvbbit_attach_session('my_test')",
                "SELECT rvbbit.attach_session('my_test')",
                "SELECT rvbbit._attach('my_test', NULL, 'manual', NULL)",
                "SELECT rvbbit_detach_session('cascade_test')",
                "CREATE TABLE cascade_test.mine (x int)",
                "DROP TABLE cascade_test._output",
                "UPDATE rvbbit.attachment SET schema_name = 'public'",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(statement)
    finally:
        with clean.connect(user="postgres") as admin:
            admin.execute("DROP ROLE someone")


def test_comments_of_tables_tell_the_rows(db: psycopg.Connection) -> None:
    attach(db, "pg_client_default")
    query = """
        SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
        WHERE relnamespace = '_pg_client_default'::regnamespace"""
    told: dict[str, str] = dict(db.execute(query).fetchall())
    assert told["orders"] == 'table of the RVBBIT session "pg_client_default", 500 rows when imported'
    assert told["top_customers"] == 'view of the RVBBIT session "pg_client_default"'


def test_comments_tell_the_session_and_types_that_differ(db: psycopg.Connection) -> None:
    attach(db, "nb_4f1d2c3b5a69")
    schema = "SELECT obj_description('nb_4f1d2c3b5a69'::regnamespace)"
    assert str(db.execute(schema).fetchall()[0][0]).startswith(
        'RVBBIT session "nb_4f1d2c3b5a69", ready when attached'
    )
    query = """
        SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
        WHERE attrelid = 'nb_4f1d2c3b5a69._frame'::regclass
          AND attname IN ('u8_column', 'i32_column', 'str_column')"""
    found: dict[str, str | None] = dict(db.execute(query).fetchall())
    assert found == {"u8_column": "DuckDB type UTINYINT", "i32_column": None, "str_column": None}


def test_a_session_that_grew_is_brought_in_step_by_attaching_it_again(
    clean: Server, db: psycopg.Connection
) -> None:
    path = clean.session_dir / "zz_grows.duckdb"
    write = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute(sys.argv[2])"
    command = [interpreter(RVBBIT_VERSION), "-c", write, str(path)]
    try:
        subprocess.run([*command, "CREATE TABLE one AS SELECT 1 AS x"], check=True)
        assert "(1 table)" in attach(db, "zz_grows")
        subprocess.run([*command, "CREATE TABLE two AS SELECT 2 AS x"], check=True)
        assert "(2 tables)" in attach(db, "zz_grows")
        assert db.execute("SELECT x FROM zz_grows.two").fetchone() == (2,)
        path.unlink()
        assert detach(db, "zz_grows").startswith("SUCCESS: Detached")
    finally:
        path.unlink(missing_ok=True)


def test_nothing_half_done(db: psycopg.Connection) -> None:
    both = "SELECT rvbbit_attach_session('cascade_test'), rvbbit_attach_session('no such session')"
    with pytest.raises(psycopg.Error, match="does not exist"):
        db.execute(both)
    assert attached(db) == {}


def test_many_may_attach_at_once(clean: Server, db: psycopg.Connection) -> None:
    answers: list[str] = []

    def call() -> None:
        with clean.connect() as connection:
            answers.append(attach(connection, "cascade_test"))

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted("already" in answer for answer in answers) == [False] + [True] * 5
    assert attached(db) == {"cascade_test": "cascade_test"}
