"""What Multicorn2 3.2 does wrong or dies of when a wrapper lets it: through ours none of it happens.

These run where an image with Multicorn2 is named; elsewhere they are not run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.host import MULTICORN2_IMAGE, NO_MULTICORN2, ON_MULTICORN2
from tests.kit.synced import wait_for
from tests.kit.writers import make_session

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not (ON_MULTICORN2 and MULTICORN2_IMAGE), reason=NO_MULTICORN2),
]

SESSION = "zz_multicorn2"

# A list of this many constants keeps DuckDB's binder busy for a second or more, deaf to its own interrupt.
LONG_LIST = ", ".join(map(str, range(200_000)))

MADE = (
    """
    CREATE TABLE t AS
    SELECT range::INTEGER AS i, range::BIGINT AS b, range / 10.0::DOUBLE AS f,
           (range / 8.0)::DECIMAL(9, 3) AS n, 'n' || range AS s, DATE '2025-01-01' + range::INTEGER AS d,
           TIMESTAMP '2025-01-01 00:00:00.123456' + to_seconds(range) AS ts,
           TIMESTAMPTZ '2025-01-01 00:00:00.123456+00' + to_seconds(range) AS tz, range % 2 = 0 AS even
    FROM range(2000)
    """,
    "CREATE VIEW slow AS SELECT max(hash(a.i, b.i)) AS m FROM range(1000000) a(i), range(100000) b(i)",
    f"CREATE VIEW deaf AS SELECT range AS n FROM range(10) WHERE range IN ({LONG_LIST})",
    "CREATE TABLE digits AS SELECT ('1' || repeat('0', 5000))::VARINT AS v",
    "CREATE TABLE many AS SELECT range AS a, 'text ' || range AS b FROM range(300000)",
)

# {t} is the table or its copy; each has one right answer.
STATEMENTS = [
    "SELECT x::text FROM {t} AS x WHERE i = 5",
    "SELECT row_to_json(x)::text FROM {t} AS x WHERE i = 5",
    "SELECT count(x.*), count(*) FROM {t} AS x",
    "SELECT count(*) FROM (SELECT x FROM {t} AS x WHERE x IS NOT NULL) AS y",
    "SELECT i FROM (SELECT i FROM {t} WHERE i > 4) AS v ORDER BY i LIMIT 2",
    "SELECT count(*) FROM (SELECT i FROM {t} LIMIT 4294967297) AS v",
    "SELECT i FROM {t} ORDER BY i OFFSET 4294967299",
    "SELECT i FROM {t} ORDER BY i LIMIT 3 OFFSET 4",
    "SELECT i, unnest(ARRAY[1, 2]) FROM {t} ORDER BY i LIMIT 3",
    "SELECT count(*) FROM {t} AS a JOIN {t} AS b ON b.i = a.i AND b.i > a.i + 100",
    "SELECT count(*) FROM {t} AS a JOIN {t} AS b ON b.b = a.i AND b.f < a.n",
    "SELECT count(*) FROM {t} WHERE i < (extract(epoch FROM timestamp '2026-01-01') * 1000)::bigint",
    "SELECT count(*) FROM {t} WHERE f < 0.3::real",
    "SELECT count(*) FROM {t} WHERE f = 0.5::real",
    "SELECT count(*) FROM {t} WHERE n = 0.375 OR n < 0.25",
    "SELECT count(*) FROM {t} WHERE n > 1.2345678901234567890123",
    "SELECT count(*) FROM {t} WHERE ts = '2025-01-01 00:00:03.123456'",
    "SELECT count(*) FROM {t} WHERE ts > '2025-01-01 00:00:03.123455' AND ts <= '2025-01-01 00:00:05.123456'",
    "SELECT count(*) FROM {t} WHERE ts < '2025-01-01 00:10:00+00'::timestamptz",
    "SELECT count(*) FROM {t} WHERE d < '2025-01-03 12:00'::timestamp",
    "SELECT count(*) FROM {t} WHERE tz >= '2025-01-01 01:00:03.123456+01'",
    "SELECT count(*) FROM {t} WHERE s::citext_like = 'N3'",
    "SELECT count(*) FROM {t} WHERE s::bpchar = 'n3  '",
    "SELECT count(*) FROM {t} WHERE s = 'N3' COLLATE any_case",
    "SELECT count(*) FROM {t} WHERE i::oid > 5",
    "SELECT count(*) FROM {t} WHERE (i, b) < (5, 6)",
    "SELECT count(*) FROM {t} WHERE NOT even AND i IN (1, 2, 3, NULL)",
    "SELECT count(*) FROM {t} WHERE i = ANY (ARRAY[[1, 2], [3, 4]])",
    "SELECT i FROM {t} ORDER BY even DESC, n DESC, i LIMIT 4",
    "SELECT i FROM {t} ORDER BY s, i LIMIT 4",
]

# Prepared, with a plan that does not know the values.
GENERIC = [
    ("SELECT count(*) FROM {t} WHERE i IN ($1, $2)", "(3, 5)", "integer, integer"),
    ("SELECT count(*) FROM {t} WHERE b IN ($1, $2)", "(3, 5)", "bigint, bigint"),
    ("SELECT count(*) FROM {t} WHERE s IN ($1, $2)", "('n3', 'n5')", "text, text"),
    ("SELECT count(*) FROM {t} WHERE n IN ($1, $2)", "(0.375, 0.5)", "numeric, numeric"),
    ("SELECT count(*) FROM {t} WHERE i < $1", "(4294967297)", "bigint"),
    ("SELECT count(*) FROM {t} WHERE ts = $1", "('2025-01-01 00:00:03.123456')", "timestamp"),
    ("SELECT count(*) FROM {t} WHERE b = $1", "(7)", "bigint"),
    ("SELECT count(*) FROM {t} WHERE i = $1", "(NULL)", "integer"),
]


@pytest.fixture(scope="module")
def tables(server: Server) -> Iterator[dict[str, str]]:
    """The session's table, and a copy of it, by name."""
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, *MADE)
    path.chmod(0o644)
    with server.connect(user="postgres") as admin:
        admin.execute("CREATE SCHEMA mc; CREATE SCHEMA mc_heap; GRANT USAGE ON SCHEMA mc, mc_heap TO PUBLIC")
        admin.execute(f"IMPORT FOREIGN SCHEMA {SESSION} FROM SERVER rvbbit INTO mc")
        admin.execute("CREATE TABLE mc_heap.t AS TABLE mc.t")
        admin.execute("CREATE COLLATION public.any_case"
                      " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")  # fmt: skip
        admin.execute("CREATE DOMAIN public.citext_like AS text COLLATE public.any_case")
        yield {"table": "mc.t", "copy": "mc_heap.t"}
        admin.execute("DROP SCHEMA mc, mc_heap CASCADE; DROP DOMAIN public.citext_like")
        admin.execute("DROP COLLATION public.any_case")
    path.unlink()


@pytest.fixture
def admin(server: Server, tables: dict[str, str]) -> Iterator[psycopg.Connection]:
    """A superuser, in autocommit mode."""
    with server.connect(user="postgres") as connection:
        yield connection


@pytest.mark.parametrize("statement", STATEMENTS)
def test_answers_are_those_of_a_copy(
    admin: psycopg.Connection, tables: dict[str, str], statement: str
) -> None:
    answers = [admin.execute(statement.replace("{t}", name)).fetchall() for name in tables.values()]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(("statement", "values", "types"), GENERIC)
def test_plans_that_do_not_know_the_values(
    admin: psycopg.Connection, tables: dict[str, str], statement: str, values: str, types: str
) -> None:
    admin.execute("SET plan_cache_mode = force_generic_plan")
    answers = []
    for name in tables.values():
        admin.execute(f"PREPARE p ({types}) AS {statement.replace('{t}', name)}")
        answers.append(admin.execute(f"EXECUTE p {values}").fetchall())
        admin.execute("DEALLOCATE p")
    assert answers[0] == answers[1]


# A function whose value is read as if it had the column's type.
FUNCTIONS = [
    ("bigint", "SELECT 4294967297::bigint", "i <", 2000),
    ("real", "SELECT 0.5::real", "f =", 1),
    ("timestamptz", "SELECT timestamptz '2025-01-01 00:00:03.123456+00'", "ts <=", 4),
]


@pytest.mark.parametrize(("kind", "body", "compared", "count"), FUNCTIONS)
def test_a_functions_value_of_another_type(
    admin: psycopg.Connection, tables: dict[str, str], kind: str, body: str, compared: str, count: int
) -> None:
    admin.execute("SET TimeZone = 'UTC'")
    admin.execute(f"CREATE FUNCTION mc_heap.f() RETURNS {kind} LANGUAGE plpgsql STABLE"
                  f" AS $$ BEGIN RETURN ({body}); END $$")  # fmt: skip
    try:
        answer = admin.execute(f"SELECT count(*) FROM mc.t WHERE {compared} mc_heap.f()").fetchone()
        assert answer == (count,)
    finally:
        admin.execute("DROP FUNCTION mc_heap.f()")


def test_a_cancel_ends_what_blocks_and_the_next_statement_works(
    server: Server, admin: psycopg.Connection
) -> None:
    admin.execute("SELECT count(*) FROM mc.t")  # a cancel waits for the import of the first query
    pid = admin.info.backend_pid
    with server.connect(user="postgres") as other:
        for delay in (0.05, 0.3, 0.6, 1.0):
            timer = threading.Timer(delay, other.execute, ["SELECT pg_cancel_backend(%s)", [pid]])
            timer.start()
            start = time.monotonic()
            with pytest.raises(psycopg.Error, match="canceling statement due to user request"):
                admin.execute("SELECT * FROM mc.slow")
            timer.join()
            assert time.monotonic() - start < delay + 3
            assert admin.execute("SELECT count(*) FROM mc.t").fetchone() == (2000,)


@pytest.mark.parametrize("milliseconds", [50, 150, 300, 600])
def test_a_timeout_of_a_first_query(admin: psycopg.Connection, milliseconds: int) -> None:
    admin.execute(f"SET statement_timeout = {milliseconds}")
    with pytest.raises(psycopg.Error, match="canceling statement due to statement timeout"):
        admin.execute("SELECT * FROM mc.slow")
    admin.execute("RESET statement_timeout")
    assert admin.execute("SELECT count(*) FROM mc.t").fetchone() == (2000,)


def test_connections_end_while_a_call_that_was_cancelled_goes_on(
    server: Server, admin: psycopg.Connection
) -> None:
    """DuckDB's destructors must not run then: the server would end."""
    for _ in range(8):
        with server.connect(user="postgres") as db:
            db.execute("SELECT count(*) FROM mc.t")
            db.execute("SET statement_timeout = 200")
            with pytest.raises(psycopg.Error, match="canceling statement due to statement timeout"):
                db.execute("SELECT * FROM mc.deaf")
            status = f"/proc/{db.info.backend_pid}/status"
        gone = sql.SQL("SELECT pg_stat_file({}, true) IS NULL").format(status)
        wait_for(lambda: admin.execute(gone).fetchone() == (True,))  # noqa: B023  # called at once


def memory(db: psycopg.Connection) -> int:
    """The backend's own memory in kB."""
    status = db.execute("SELECT pg_read_file(format('/proc/%s/status', pg_backend_pid()))").fetchone()
    return int(str(status[0]).partition("RssAnon:")[2].split()[0]) if status else 0


def test_statements_that_fail_above_a_scan_leave_little(admin: psycopg.Connection) -> None:
    fail = "SELECT 1 / (a - 1) FROM mc.many"
    caught = f"DO $$ BEGIN PERFORM * FROM ({fail}) AS x; EXCEPTION WHEN division_by_zero THEN NULL; END $$"
    for _ in range(20):
        admin.execute(caught)
    before = memory(admin)
    for _ in range(40):
        admin.execute(caught)
        with pytest.raises(psycopg.errors.DivisionByZero):
            admin.execute(fail)
    assert memory(admin) - before < 80 * 1024


def test_a_cursor_outlives_a_rolled_back_subtransaction(admin: psycopg.Connection) -> None:
    with admin.transaction():
        admin.execute("DECLARE c CURSOR FOR SELECT a FROM mc.many")
        assert admin.execute("FETCH 1 FROM c").fetchone() == (0,)
        admin.execute("SAVEPOINT s")
        with pytest.raises(psycopg.errors.DivisionByZero):
            admin.execute("SELECT 1 / (a - 1) FROM mc.many")
        admin.execute("ROLLBACK TO s")
        admin.execute("MOVE 9999 FROM c")
        assert admin.execute("FETCH 1 FROM c").fetchone() == (10_000,)


def test_an_integer_of_more_digits_than_python_writes(admin: psycopg.Connection) -> None:
    assert admin.execute("SELECT length(v::text) FROM mc.digits").fetchone() == (5001,)


TABLE = "CREATE FOREIGN TABLE {s}.x (a int) SERVER rvbbit OPTIONS "

# What only the owner of a server may say, and what nothing is.
OPTIONS = [
    ("CREATE USER MAPPING FOR CURRENT_USER SERVER rvbbit OPTIONS (session_dir '/etc')", "HV00D"),
    (TABLE + "(catalog 'sessions', snapshot_dir '/tmp')", "HV00D"),
    (TABLE + "(session 'x')", "HV00J"),
    (TABLE + "(catalog 'no such')", "HV024"),
    (TABLE.replace("int", "int OPTIONS (colum_name 'b')") + "(catalog 'sessions')", "HV00D"),
]


@pytest.mark.parametrize(("statement", "sqlstate"), OPTIONS)
def test_options_are_judged(db: psycopg.Connection, schema: str, statement: str, sqlstate: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        db.execute(sql.SQL(statement).format(s=sql.Identifier(schema)))
    assert caught.value.sqlstate == sqlstate


# Rows that Multicorn2 does not survive if they reach it.
ROWS = [
    "INSERT INTO {t} (i) VALUES (1)",
    "INSERT INTO {t} DEFAULT VALUES RETURNING *",
    "INSERT INTO {t} SELECT * FROM {t} LIMIT 1",
    "WITH w AS (INSERT INTO {t} (i) VALUES (1) RETURNING i) SELECT * FROM w",
    "COPY {t} FROM STDIN",
    "COPY {t} (i) FROM STDIN",
]


def send(db: psycopg.Connection, statement: str) -> None:
    """Run a statement; to COPY a row is sent."""
    if not statement.startswith("COPY"):
        db.execute(statement.encode())
        return
    with db.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(b"1\n")


@pytest.fixture(scope="module")
def presented(server: Server, tables: dict[str, str]) -> Iterator[str]:
    """A table of the session, attached as an ordinary one, with rights for everybody."""
    with server.connect(user="postgres") as admin:
        for way in ("table", "foreign", "table"):
            admin.execute("SELECT rvbbit_attach_session(%s, 'mc_shown', %s)", [SESSION, way])
        admin.execute("GRANT ALL ON mc_shown.t TO rvbbit_reader")
        yield "mc_shown.t"
        admin.execute("SELECT rvbbit_detach_session(%s)", [SESSION])
        admin.execute("DELETE FROM rvbbit.detachment WHERE session_id = %s", [SESSION])


@pytest.mark.parametrize("statement", ROWS)
@pytest.mark.parametrize("user", ["postgres", "rvbbit"])
def test_an_ordinary_table_refuses_rows_before_they_reach_the_host(
    server: Server, presented: str, statement: str, user: str
) -> None:
    with server.connect(user=user) as db:
        with pytest.raises(psycopg.errors.FeatureNotSupported, match='cannot insert into table "t"'):
            send(db, statement.replace("{t}", presented))
        assert db.execute(f"SELECT count(*) FROM {presented}").fetchone() == (2000,)


@pytest.mark.parametrize("statement", ROWS)
@pytest.mark.parametrize("made", ["IMPORT FOREIGN SCHEMA {n} FROM SERVER rvbbit INTO {s}",
                                  "CREATE FOREIGN TABLE {s}.t (i int) SERVER rvbbit"
                                  " OPTIONS (session '{n}', table_name 't')"])  # fmt: skip
def test_an_owner_has_no_right_to_insert(
    db: psycopg.Connection, schema: str, tables: dict[str, str], made: str, statement: str
) -> None:
    db.execute(made.format(n=SESSION, s=schema).encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        send(db, statement.replace("{t}", f"{schema}.t"))
    assert db.execute(f"SELECT count(*) FROM {schema}.t".encode()).fetchone() == (2000,)


def test_sessions_cannot_be_changed(admin: psycopg.Connection) -> None:
    for statement in ("INSERT INTO mc.t (i) VALUES (1)", "UPDATE mc.t SET i = 1", "DELETE FROM mc.t"):
        with pytest.raises(psycopg.Error, match="can only be read"):
            admin.execute(statement)


def test_a_date_that_multicorn2_cannot_hand_over_is_an_error(admin: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error, match="cannot hand over a date or timestamp"):
        admin.execute("SELECT count(*) FROM mc.t WHERE d < 'infinity'")
    assert admin.execute("SELECT count(*) FROM mc.t").fetchone() == (2000,)
