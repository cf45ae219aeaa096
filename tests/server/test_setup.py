"""rvbbit.setup(): what it makes, that it may run again at any time, and that it spares what people built."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.host import ON_MULTICORN2, WRAPPER

pytestmark = pytest.mark.server

DATABASE = "setup_test"

PRIVILEGES = [
    ("has_table_privilege('rvbbit_reader', 'public.rvbbit_sessions', 'SELECT')", True),
    ("has_table_privilege('rvbbit_reader', 'public.rvbbit_sessions', 'INSERT')", False),
    ("has_table_privilege('rvbbit_reader', 'public.rvbbit_tables', 'SELECT')", True),
    ("has_table_privilege('rvbbit_reader', 'public.rvbbit_columns', 'SELECT')", True),
    ("has_table_privilege('rvbbit_operator', 'rvbbit._imports', 'SELECT')", False),
    ("has_schema_privilege('rvbbit_reader', 'public', 'USAGE')", True),
    ("has_server_privilege('rvbbit_reader', 'rvbbit', 'USAGE')", False),
    ("has_server_privilege('rvbbit_operator', 'rvbbit', 'USAGE')", True),
    ("has_database_privilege('rvbbit_reader', current_database(), 'CREATE')", False),
    ("has_database_privilege('rvbbit_operator', current_database(), 'CREATE')", True),
    ("pg_has_role('rvbbit_operator', 'rvbbit_reader', 'USAGE')", True),
    ("has_function_privilege('rvbbit_operator', 'rvbbit.setup(text,text,text,name)', 'EXECUTE')", False),
    ("has_table_privilege('rvbbit_reader', 'public._rvbbit_sessions', 'SELECT')", True),
    ("has_table_privilege('rvbbit_operator', 'rvbbit.attachment', 'INSERT, UPDATE, DELETE')", False),
    ("has_function_privilege('rvbbit_operator', 'rvbbit_attach_session(text,text,text)', 'EXECUTE')", True),
    ("has_function_privilege('rvbbit_operator', 'rvbbit_detach_session(text)', 'EXECUTE')", True),
    ("has_function_privilege('rvbbit_reader', 'rvbbit_attach_session(text,text,text)', 'EXECUTE')", False),
    ("has_function_privilege('rvbbit_reader', 'rvbbit.attach_session(text,text,text)', 'EXECUTE')", False),
    ("has_function_privilege('rvbbit_reader', 'rvbbit.detach_session(text)', 'EXECUTE')", False),
    (
        "(SELECT bool_or(rolcanlogin) FROM pg_roles WHERE rolname IN ('rvbbit_reader', 'rvbbit_operator'))",
        False,
    ),
]

# Each leaves a table that is not as setup() makes it; setup() must bring it back.
DRIFTS = [
    "ALTER FOREIGN TABLE rvbbit_sessions DROP COLUMN error CASCADE",
    "ALTER FOREIGN TABLE rvbbit_sessions ADD COLUMN own integer",
    "DROP VIEW _rvbbit_sessions; ALTER FOREIGN TABLE rvbbit_sessions ALTER COLUMN size_bytes TYPE text",
    "DROP VIEW _rvbbit_sessions;"
    " ALTER FOREIGN TABLE rvbbit_sessions DROP COLUMN state, DROP COLUMN error, ADD COLUMN state name;"
    " CREATE VIEW _rvbbit_sessions AS SELECT state FROM rvbbit_sessions",
    "COMMENT ON COLUMN rvbbit_sessions.state IS NULL",
    "COMMENT ON VIEW _rvbbit_sessions IS NULL",
    "DROP FOREIGN TABLE rvbbit_sessions CASCADE",
    "DROP FOREIGN TABLE rvbbit_tables",
    "DROP FOREIGN TABLE rvbbit._imports",
    "ALTER FOREIGN TABLE rvbbit._imports DROP COLUMN tables",
    "ALTER FOREIGN TABLE rvbbit_columns DROP COLUMN pg_type",
    "DROP FUNCTION rvbbit_attach_session",
    "GRANT EXECUTE ON FUNCTION rvbbit_detach_session TO PUBLIC",
    "DROP SERVER rvbbit CASCADE",
    "ALTER SERVER rvbbit OPTIONS (SET session_dir '/elsewhere')",
    "REVOKE ALL ON rvbbit_sessions FROM rvbbit_reader",
]

REFUSED = [
    ("CALL rvbbit.setup('no_such_server')", "22004", "does not exist and no session folder was given"),
    ("CALL rvbbit.setup('other', '/sessions')", "55000", 'belongs to the server "rvbbit"'),
    (
        "CALL rvbbit.setup(wrapper => 'no_such_wrapper')",
        "55000",
        f'belongs to the foreign-data wrapper "{WRAPPER}"',
    ),
    ("CALL rvbbit.setup('other', '/sessions', wrapper => 'no_such_wrapper')", "42704", "no_such_wrapper"),
    ("CALL rvbbit.setup(session_dir => 'relative')", "HV024", "session_dir"),
]

STATE = """
    SELECT jsonb_build_object(
        'columns', (SELECT jsonb_object_agg(
                        attname, format_type(atttypid, atttypmod) || col_description(attrelid, attnum))
                    FROM pg_attribute
                    WHERE attrelid = 'public.rvbbit_sessions'::regclass AND attnum > 0 AND NOT attisdropped),
        'table', (SELECT jsonb_build_array(ftoptions, srvname, srvoptions, srvacl::text[], relacl::text[])
                  FROM pg_foreign_table JOIN pg_foreign_server AS s ON s.oid = ftserver
                  JOIN pg_class AS c ON c.oid = ftrelid
                  WHERE ftrelid = 'public.rvbbit_sessions'::regclass),
        'catalogs', (SELECT jsonb_agg(jsonb_build_array(attname, format_type(atttypid, atttypmod),
                                                        relacl::text[], col_description(attrelid, attnum))
                                ORDER BY attrelid::regclass::text, attname)
                     FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
                     WHERE attrelid IN ('rvbbit_tables'::regclass, 'rvbbit_columns'::regclass,
                                        'rvbbit._imports'::regclass)
                       AND attnum > 0 AND NOT attisdropped),
        'view', (SELECT jsonb_agg(jsonb_build_array(attname, format_type(atttypid, atttypmod), reloptions,
                                                    col_description(attrelid, attnum), relacl::text[],
                                                    obj_description(attrelid, 'pg_class')) ORDER BY attnum)
                 FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
                 WHERE attrelid = 'public._rvbbit_sessions'::regclass),
        'functions', (SELECT jsonb_agg(jsonb_build_array(pg_get_functiondef(p.oid), proacl::text[],
                                                         obj_description(p.oid, 'pg_proc')) ORDER BY proname)
                      FROM pg_proc AS p WHERE pronamespace = 'public'::regnamespace))"""


@pytest.fixture
def fresh(server: Server) -> Iterator[psycopg.Connection]:
    """A superuser in a database of its own, in which setup() ran once."""
    with server.connect(user="postgres") as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with server.connect(user="postgres", dbname=DATABASE) as connection:
            connection.execute(f"CREATE EXTENSION {WRAPPER}")
            connection.execute("CREATE EXTENSION rvbbit")
            connection.execute("CALL rvbbit.setup(session_dir => '/sessions')")
            yield connection
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(DATABASE)))


@pytest.mark.parametrize(("expression", "expected"), PRIVILEGES)
def test_who_may_do_what(server: Server, expression: str, expected: bool) -> None:
    with server.connect(user="postgres") as admin:
        query = f"SELECT {expression}"
        assert admin.execute(query).fetchone() == (expected,)


def test_versions_agree(server: Server) -> None:
    query = "SELECT extversion = rvbbit.version() FROM pg_extension WHERE extname LIKE 'rvbbit%'"
    with server.connect(user="postgres") as admin:
        assert admin.execute(query).fetchall() == [(True,)] * (1 if ON_MULTICORN2 else 2)


def test_what_setup_makes_belongs_to_no_extension(server: Server) -> None:
    query = """
        SELECT count(*) FROM pg_depend
        WHERE deptype = 'e' AND (objid = 'public.rvbbit_sessions'::regclass
              OR objid = (SELECT oid FROM pg_foreign_server WHERE srvname = 'rvbbit'))"""
    with server.connect(user="postgres") as admin:
        assert admin.execute(query).fetchone() == (0,)


def test_everything_has_a_comment(server: Server) -> None:
    query = """
        SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
        WHERE refobjid IN (SELECT oid FROM pg_extension WHERE extname LIKE 'rvbbit%') AND deptype = 'e'
          AND classid <> 'pg_type'::regclass AND obj_description(objid, classid::regclass::text) IS NULL
        UNION ALL SELECT attname FROM pg_attribute
        WHERE attrelid = 'public.rvbbit_sessions'::regclass AND attnum > 0 AND NOT attisdropped
          AND col_description(attrelid, attnum) IS NULL"""
    with server.connect(user="postgres") as admin:
        assert admin.execute(query).fetchall() == []


@pytest.mark.parametrize("drift", [*DRIFTS, "SELECT 1"])
def test_setup_brings_everything_back(fresh: psycopg.Connection, drift: str) -> None:
    before = fresh.execute(STATE).fetchone()
    fresh.execute(drift)
    fresh.execute("CALL rvbbit.setup(session_dir => '/sessions')")
    assert fresh.execute(STATE).fetchone() == before


def test_views_survive_and_hold_what_they_need(fresh: psycopg.Connection) -> None:
    fresh.execute("ALTER FOREIGN TABLE rvbbit_sessions ADD COLUMN own integer, DROP COLUMN error CASCADE")
    fresh.execute("CREATE VIEW held AS SELECT session_id, own FROM rvbbit_sessions")
    told: list[str] = []
    fresh.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
    fresh.execute("CALL rvbbit.setup()")
    assert told == ['foreign table "public.rvbbit_sessions" was not changed: DROP COLUMN own']
    assert fresh.execute("SELECT error FROM rvbbit_sessions LIMIT 0").fetchall() == []
    assert fresh.execute("SELECT 'held'::regclass::text").fetchone() == ("held",)


@pytest.mark.parametrize(("statement", "sqlstate", "message"), REFUSED)
def test_what_setup_refuses(server: Server, statement: str, sqlstate: str, message: str) -> None:
    with server.connect(user="postgres") as admin, pytest.raises(psycopg.Error, match=message) as caught:
        admin.execute(statement)
    assert caught.value.sqlstate == sqlstate


def test_setup_refuses_an_ordinary_table_of_that_name(fresh: psycopg.Connection) -> None:
    fresh.execute("DROP FOREIGN TABLE rvbbit_sessions CASCADE")
    fresh.execute("CREATE TABLE rvbbit_sessions (session_id text)")
    with pytest.raises(psycopg.errors.WrongObjectType, match="is not a foreign table"):
        fresh.execute("CALL rvbbit.setup()")


def test_setup_is_for_superusers(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("CALL rvbbit.setup()")


def test_many_may_call_it_at_once(server: Server, fresh: psycopg.Connection) -> None:
    fresh.execute("DROP SERVER rvbbit CASCADE")
    failures: list[Exception] = []

    def call() -> None:
        try:
            with server.connect(user="postgres", dbname=DATABASE) as connection:
                connection.execute("CALL rvbbit.setup(session_dir => '/sessions')")
        except psycopg.Error as error:
            failures.append(error)

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert failures == []


def test_attached_schemas_outlive_the_extension(fresh: psycopg.Connection) -> None:
    fresh.execute("SELECT rvbbit_attach_session('cascade_test')")
    fresh.execute("SET client_min_messages = warning; DROP EXTENSION rvbbit CASCADE")
    assert fresh.execute("SELECT count(*) > 0 FROM cascade_test._output").fetchone() == (True,)
    fresh.execute("CREATE EXTENSION rvbbit; CALL rvbbit.setup()")
    assert fresh.execute("SELECT count(*) FROM rvbbit._attached").fetchone() == (0,)
    told = fresh.execute("SELECT rvbbit_attach_session('cascade_test', 'again')").fetchone()
    assert told is not None
    assert told[0].startswith("SUCCESS: Attached 'cascade_test' as schema \"again\"")


def test_what_the_login_makes_without_a_schema_goes_into_public(db: psycopg.Connection) -> None:
    with db.transaction(force_rollback=True):
        db.execute("CREATE VIEW unqualified AS SELECT count(*) FROM rvbbit_sessions")
        made = db.execute(
            "SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'unqualified'"
        )
        assert made.fetchall() == [("public",)]
