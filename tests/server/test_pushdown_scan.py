"""Conditions that DuckDB decides leave the rows that PostgreSQL would, and errors are PostgreSQL's."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSION = "pushed-otter-5a5a5a"

TABLES = {
    "t": """SELECT i::INTEGER AS id, (i % 7)::INTEGER AS k, CASE WHEN i % 5 > 0 THEN i % 11 END::INTEGER AS n,
        CASE WHEN i % 9 > 0 THEN 'Name ' || (i % 13) END AS name, (i * 1.5)::DOUBLE AS v,
        (i / 4.0)::DECIMAL(12, 2) AS price, DATE '2024-01-01' + i::INTEGER AS day,
        TIMESTAMPTZ '2024-03-30 20:00:00+00' + to_hours(i::INTEGER) AS at, i % 2 = 0 AS even
        FROM range(200) AS r (i)""",
    "nothing": "SELECT 1::INTEGER AS a WHERE false",
    "long": "SELECT i::INTEGER AS id FROM range(100000) AS r (i)",
    "zeros": "SELECT i::INTEGER AS a, (i % 4)::INTEGER AS b FROM range(20) AS r (i)",
}

# Conditions on t of which DuckDB decides all: PostgreSQL checks nothing.
DECIDED = [
    "k = 3", "k <> 3 AND id < 50", "k IN (1, 2, NULL)", "k NOT IN (1, 2)", "id BETWEEN 20 AND 30",
    "n IS NULL", "n IS NOT NULL AND n > 4", "n IS DISTINCT FROM 3", "name = 'Name 4'", "name LIKE 'Name 1%'",
    "k = 1 OR n = 2", "NOT (k = 1 OR n = 2)", "even", "NOT even", "even IS NOT TRUE", "(n > 3) IS UNKNOWN",
    "coalesce(n, 0) = 0", "nullif(k, 3) IS NULL", "greatest(k, n) = 6", "least(k, n) < 1",
    "CASE WHEN k = 1 THEN n ELSE k END = 5", "CASE k WHEN 1 THEN 'one' WHEN 2 THEN 'two' END = 'two'",
    "CASE k + 1 WHEN 1 THEN true WHEN 2 THEN n = 3 ELSE false END", "id + k = 100", "price > 12.25",
    "v < 30.5", "day >= '2024-02-01' AND day < date '2024-02-05'", "at < '2024-04-01 00:00:00+00'",
    "upper(name) = 'NAME 7'", "id = ANY ('{{3, 4, 5}}')", "id % 10 = 3", "k = n",
]  # fmt: skip

# Conditions on t, the part that DuckDB decides (None: nothing), and why not all of it.
LOCAL = [
    ("mine(k) = 3", None, "function pushed.mine(integer) is not known to be the same in DuckDB"),
    ("k = 3 AND mine(k) = 3", '"k" = ', "function pushed.mine(integer)"),
    ("(k = 3 AND mine(k) = 3) OR (k = 4 AND mine(n) = 5)", '"k" = ', "function pushed.mine(integer)"),
    ("k = 3 OR mine(k) = 4", None, "function pushed.mine(integer)"),
    ("random() < 2", None, "function random() is not known"),
    ("t IS NOT NULL", None, "a row"),
    ("id = 3 OR id IN (SELECT a FROM pushed.heap_zeros WHERE b = k)", None, "a subquery"),
    ("name COLLATE \"en-x-icu\" < 'x'", None, "en-x-icu"),
    ("mine(n) > 3 AND 100 / k > 20", None, "it gives an error for some values"),
]

# Statements of prepared plans with parameters' types, values, on foreign and on ordinary tables.
PREPARED = [
    ("SELECT count(*) FROM {t} WHERE k = $1", "integer", ["3", "NULL", "8"]),
    ("SELECT id FROM {t} WHERE k = $1 + 1 AND id < $1 * 10 ORDER BY 1", "integer", ["3", "NULL", "5"]),
    (
        "SELECT count(*) FROM {t} WHERE id = ANY ($1)",
        "integer[]",
        ["'{1, 2, NULL}'", "NULL", "'{}'", "'{{1, 2}, {3, 4}}'"],
    ),
    (
        "SELECT count(*) FROM {t} WHERE price > $1",
        "numeric",
        ["12.25", "'NaN'", "'-Infinity'", "1e-60", "1e60", "NULL"],
    ),
    (
        "SELECT count(*) FROM {t} WHERE v > $1",
        "float8",
        ["12.25", "'NaN'", "'-Infinity'", "'Infinity'", "'-0'"],
    ),
    (
        "SELECT count(*) FROM {t} WHERE day > $1",
        "date",
        ["'2024-05-01'", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'5000000-01-01'"],
    ),
    (
        "SELECT count(*) FROM {t} WHERE at > $1",
        "timestamptz",
        ["'2024-04-01'", "'infinity'", "'294276-01-01'", "'4713-01-01 BC'"],
    ),
    ("SELECT count(*) FROM {t} WHERE name LIKE $1", "text", ["'Name 1_'", "'%2'", "NULL", "''", "'a\\'"]),
    ("SELECT count(*) FROM {t} WHERE name = upper($1)", "text", ["'name 1'", "NULL", "repeat('x', 5000000)"]),
    (
        "SELECT count(*) FROM {t} WHERE day > now() - $1",
        "interval",
        ["'1 day'", "'10000 years'", "'-1000 years'"],
    ),
    ("SELECT count(*) FROM {t} WHERE even = $1", "boolean", ["true", "false", "NULL"]),
    ("SELECT count(*) FROM {t} WHERE id = 10 / $1", "integer", ["2", "0", "NULL"]),
    ("SELECT count(*) FROM {nothing} WHERE a = 10 / $1", "integer", ["2", "0"]),
    ("SELECT count(*) FROM {t} WHERE k = 99 AND id = 10 / $1", "integer", ["0"]),
    ("SELECT count(*) FROM {t} WHERE $1 / k > 5 AND k <> 0", "integer", ["100"]),
    ("SELECT count(*) FROM {t} WHERE k <> 0 AND $1 / k > 5", "integer", ["100", "-2147483648"]),
    ("SELECT count(*) FROM {t} WHERE length(name) = length($1::varchar(3))", "text", ["'abcdef'"]),
]

# Statements that scan one table again and again, with values of an outer row.
RESCANS = [
    "SELECT s.a, t.id FROM {zeros} AS s JOIN {t} AS t ON t.id = s.a + 1 ORDER BY 1",
    "SELECT s.a, t.id FROM {heap_zeros} AS s JOIN {t} AS t ON t.k = s.b AND t.id < s.a ORDER BY 1, 2",
    "SELECT s.a, t.id FROM {heap_zeros} AS s LEFT JOIN {t} AS t ON t.id = s.a * 50 AND t.even ORDER BY 1",
    "SELECT s.a, (SELECT count(*) FROM {t} AS t WHERE t.k = s.b) FROM {heap_zeros} AS s ORDER BY 1",
    "SELECT a, (SELECT max(id) FROM {t} WHERE id < 100 / b) FROM {heap_zeros} AS s WHERE b > 0 ORDER BY 1",
    "SELECT a FROM {heap_zeros} AS s WHERE EXISTS (SELECT FROM {t} WHERE id = a AND k = b) ORDER BY 1",
    "SELECT a, x.id FROM {heap_zeros} AS s, LATERAL (SELECT id FROM {t} WHERE k = b ORDER BY id LIMIT 2) AS x"
    " ORDER BY 1, 2",
    "SELECT a, (SELECT count(*) FROM {t} WHERE price > CASE WHEN b = 1 THEN 'NaN' ELSE a::numeric END)"
    " FROM {heap_zeros} AS s ORDER BY 1",
    "SELECT a, (SELECT count(*) FROM {t} WHERE k < a AND 12 / (k - b + 9) > 0) FROM {heap_zeros} AS s"
    " ORDER BY 1",
    "SELECT a, (SELECT count(*) FROM {nothing} AS n WHERE n.a = 12 / b) FROM {heap_zeros} AS s ORDER BY 1",
    "SELECT set_config('TimeZone', zone, true), (SELECT count(*) FROM {t} WHERE at::date > day + n)"
    " FROM (VALUES ('UTC', 1), ('Asia/Tokyo', 2), ('America/New_York', 3), ('UTC', 4)) AS v (zone, n)",
    "SELECT id FROM {t} WHERE k = (SELECT min(b) + 2 FROM {heap_zeros}) ORDER BY 1",
    "SELECT id FROM {t} WHERE id IN (SELECT a FROM {heap_zeros} WHERE b = 1) ORDER BY 1",
    "SELECT id FROM {t} WHERE id < ANY (SELECT a FROM {heap_zeros} WHERE b = 1) ORDER BY 1",
    "SELECT a.id FROM {t} AS a JOIN {t} AS b ON b.id = a.k JOIN {heap_zeros} AS s ON s.a = b.k ORDER BY 1",
    "SELECT t.name, s.a FROM {heap_zeros} AS s JOIN {t} AS t ON t.name = 'Name ' || s.a ORDER BY t.id",
    "WITH RECURSIVE r (m) AS (SELECT 1 UNION ALL SELECT id + 1 FROM r JOIN {t} ON id = m WHERE m < 9)"
    " SELECT m FROM r ORDER BY 1",
]  # fmt: skip

# A statement that fails on an ordinary table too, and with what.
FAILING = [
    ("SELECT count(*) FROM {zeros} WHERE 10 / b > 1", "22012"),
    ("SELECT count(*) FROM {zeros} WHERE b <> 1 AND 10 / b > 1", "22012"),
    ("SELECT count(*) FROM {zeros} WHERE 10 / b = ANY (NULL::int[])", "22012"),
    ("SELECT count(*) FROM {zeros} WHERE a + 2147483640 > 1", "22003"),
    ("SELECT count(*) FROM {zeros} WHERE a * 1000000000 > 1", "22003"),
    ("SELECT count(*) FROM {zeros} WHERE (a * 40000)::smallint > 1", "22003"),
]
SPARED = [
    "SELECT count(*) FROM {zeros} WHERE b <> 0 AND 10 / b > 1",
    "SELECT count(*) FROM {zeros} WHERE b = 0 OR 10 / b > 1",
    "SELECT count(*) FROM {zeros} WHERE CASE WHEN b = 0 THEN false ELSE 10 / b > 1 END",
    "SELECT count(*) FROM {zeros} WHERE coalesce(b > 0, 10 / b > 1)",
    "SELECT count(*) FROM {nothing} WHERE 10 / (a - a) > 1",
]


@pytest.fixture(scope="module", autouse=True)
def _tables(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Schema pushed: foreign tables, and beside each the same rows in an ordinary one (heap_...)."""
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, *(f"CREATE TABLE {name} AS {query}" for name, query in TABLES.items()))
    copy = private_copy(server.session_dir, SESSION, tmp_path_factory.mktemp("copy"))
    with server.connect() as db:
        db.execute("CREATE SCHEMA pushed")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO pushed')
        for name in TABLES:
            heap, foreign = sql.Identifier("pushed", f"heap_{name}"), sql.Identifier("pushed", name)
            load(db, heap, foreign, text_rows(copy, name))
        db.execute("CREATE FUNCTION pushed.mine(integer) RETURNS integer IMMUTABLE COST 1 LANGUAGE plpgsql"
                   " AS $$ BEGIN RETURN $1; END $$")  # fmt: skip
        yield
        db.execute("DROP SCHEMA pushed CASCADE")
    path.unlink()


@pytest.fixture
def scans(db: psycopg.Connection) -> psycopg.Connection:
    """A connection that pushes conditions of scans, nothing more."""
    db.execute("SET search_path = pushed, public")
    db.execute("SET rvbbit.pushdown = scans")
    return db


def on(statement: str, *, heap: bool) -> sql.Composed:
    """The statement on the foreign tables or on their copies."""
    names = {name: sql.Identifier("pushed", f"heap_{name}" if heap else name) for name in TABLES}
    copies = {f"heap_{name}": sql.Identifier("pushed", f"heap_{name}") for name in TABLES}
    return sql.SQL(statement).format(**names, **copies)


def outcome(db: psycopg.Connection, statement: sql.Composed | str) -> object:
    """Its rows, or the SQLSTATE of its error."""
    text = sql.SQL(statement) if isinstance(statement, str) else statement
    try:
        return db.execute(text).fetchall()
    except psycopg.Error as error:
        return error.sqlstate


def plan_of(db: psycopg.Connection, statement: sql.Composable, *options: str) -> list[str]:
    """Lines of EXPLAIN."""
    command = sql.SQL("EXPLAIN ({}) {}").format(sql.SQL(", ".join(["COSTS OFF", *options])), statement)
    return [str(row[0]).strip() for row in db.execute(command)]


def fallbacks(db: psycopg.Connection) -> int:
    row = db.execute("SHOW rvbbit.fallbacks").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("condition", DECIDED)
def test_a_condition_that_duckdb_decides(scans: psycopg.Connection, condition: str) -> None:
    statement = "SELECT id FROM {t} AS t WHERE " + condition + " ORDER BY 1"
    plan = plan_of(scans, on(statement, heap=False))
    assert any(" WHERE " in line for line in plan if line.startswith("DuckDB SQL"))
    assert not [line for line in plan if line.startswith(("Filter", "Local"))]
    before, heap = fallbacks(scans), scans.execute(on(statement, heap=True)).fetchall()
    assert scans.execute(on(statement, heap=False)).fetchall() == heap
    scans.execute("SET rvbbit.verify = on")
    assert scans.execute(on(statement, heap=False)).fetchall() == heap
    assert fallbacks(scans) == before


@pytest.mark.parametrize(("condition", "pushed", "reason"), LOCAL)
def test_why_a_condition_stays_local(
    scans: psycopg.Connection, condition: str, pushed: str | None, reason: str
) -> None:
    statement = "SELECT id FROM {t} AS t WHERE " + condition + " ORDER BY 1"
    plan = plan_of(scans, on(statement, heap=False))
    assert any(reason in line for line in plan if line.startswith("Local: "))
    (query,) = [line for line in plan if line.startswith("DuckDB SQL")]
    assert pushed in query.partition(" WHERE ")[2] if pushed else " WHERE " not in query
    assert outcome(scans, on(statement, heap=False)) == outcome(scans, on(statement, heap=True))


@pytest.mark.parametrize(("statement", "kind", "values"), PREPARED)
@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
def test_a_prepared_statement(
    scans: psycopg.Connection, statement: str, kind: str, values: Sequence[str], mode: str
) -> None:
    scans.execute(sql.SQL("SET plan_cache_mode = {}").format(sql.SQL(mode)))
    for name, heap in (("f", False), ("h", True)):
        scans.execute(sql.SQL("PREPARE {} ({}) AS {}").format(
            sql.SQL(name), sql.SQL(kind), on(statement, heap=heap)))  # fmt: skip
    for value in values:
        assert outcome(scans, f"EXECUTE f ({value})") == outcome(scans, f"EXECUTE h ({value})"), value


@pytest.mark.parametrize("statement", RESCANS)
@pytest.mark.parametrize("join", ["", "enable_hashjoin = off; SET enable_mergejoin = off"])
def test_rescans(scans: psycopg.Connection, statement: str, join: str) -> None:
    if join:
        scans.execute(sql.SQL("SET {}").format(sql.SQL(join)))
    scans.execute("SET enable_material = off")
    heap = scans.execute(on(statement, heap=True)).fetchall()
    assert scans.execute(on(statement, heap=False)).fetchall() == heap
    scans.execute("SET rvbbit.verify = on")
    assert scans.execute(on(statement, heap=False)).fetchall() == heap


def test_a_nested_loop_sends_the_values_of_its_outer_rows(scans: psycopg.Connection) -> None:
    scans.execute("ANALYZE pushed.heap_zeros")
    query = on("SELECT l.id FROM {heap_zeros} AS s JOIN {long} AS l ON l.id = s.b WHERE s.a = 7", heap=False)
    plan = plan_of(scans, query)
    assert any(line.endswith(('WHERE ("id" = $1)', 'WHERE ($1 = "id")')) for line in plan)
    assert scans.execute(query).fetchall() == [(3,)]


@pytest.mark.parametrize(("statement", "sqlstate"), FAILING)
def test_errors_are_those_of_postgresql(scans: psycopg.Connection, statement: str, sqlstate: str) -> None:
    assert outcome(scans, on(statement, heap=True)) == sqlstate
    assert outcome(scans, on(statement, heap=False)) == sqlstate
    first = on(statement.replace("count(*)", "a") + " LIMIT 1", heap=False)
    assert outcome(scans, first) == outcome(
        scans, on(statement.replace("count(*)", "a") + " LIMIT 1", heap=True)
    )


@pytest.mark.parametrize("statement", SPARED)
def test_what_postgresql_does_not_compute_does_not_fail(scans: psycopg.Connection, statement: str) -> None:
    assert scans.execute(on(statement, heap=False)).fetchall() == (
        scans.execute(on(statement, heap=True)).fetchall()
    )


def test_a_subquery_that_groups_is_computed_for_all_its_rows(db: psycopg.Connection) -> None:
    """What the documentation tells of a condition that PostgreSQL decides: an error, never other rows."""
    db.execute("SET search_path = pushed")
    grouped = "(SELECT b, sum(10 / b) AS s FROM zeros {} GROUP BY b) AS x"
    query = "SELECT h.a, x.s FROM heap_zeros AS h JOIN {} ON h.a = x.b WHERE {} ORDER BY 1"
    local = query.format(grouped.format(""), "format('%s', x.b) > '0'")
    pushed = query.format(grouped.format(""), "x.b > 0")
    inside = query.format(grouped.format("WHERE b > 0"), "true")
    assert outcome(db, local) == "22012"
    rows = [(1, 50), (2, 25), (3, 15)]
    assert [outcome(db, each) for each in (pushed, inside)] == [rows, rows]
    db.execute("SET rvbbit.pushdown = scans")
    assert outcome(db, local) == rows


def test_a_value_that_duckdb_does_not_have_makes_postgresql_decide(scans: psycopg.Connection) -> None:
    scans.execute("SET plan_cache_mode = force_generic_plan")
    scans.execute("PREPARE f (numeric) AS SELECT count(*) FROM t WHERE price < $1")
    before = fallbacks(scans)
    assert scans.execute("EXECUTE f (100)").fetchone() == (200,)
    assert fallbacks(scans) == before
    plan = plan_of(scans, sql.SQL("EXECUTE f ('NaN')"), "ANALYZE", "TIMING OFF", "SUMMARY OFF")
    assert [line for line in plan if line.startswith("Fallback: ")]
    assert scans.execute("EXECUTE f ('NaN')").fetchone() == (200,)
    assert fallbacks(scans) == before + 2


def test_switching_pushdown_makes_new_plans(scans: psycopg.Connection) -> None:
    scans.execute("SET plan_cache_mode = force_generic_plan")
    scans.execute("PREPARE f (integer) AS SELECT count(*) FROM t WHERE k = $1")
    scans.execute("EXECUTE f (1)")
    assert not [line for line in plan_of(scans, sql.SQL("EXECUTE f (1)")) if line.startswith("Filter")]
    scans.execute("SET rvbbit.pushdown = off")
    plan = plan_of(scans, sql.SQL("EXECUTE f (1)"))
    assert "Filter: (k = $1)" in plan
    assert "Local: (k = $1): rvbbit.pushdown is off" in plan


@pytest.mark.parametrize(
    "condition",
    [
        "at::date = '2024-03-31'",
        "at::timestamp < '2024-03-31 03:30'",
        "date_trunc('day', at) = timestamptz '2024-03-31 00:00'",
        "extract(hour FROM at) = 3",
        "at < date '2024-03-31'",
    ],
)
def test_a_setting_changed_between_prepare_and_execute_counts(
    scans: psycopg.Connection, condition: str
) -> None:
    scans.execute("SET plan_cache_mode = force_generic_plan; SET TimeZone = 'UTC'")
    for name, heap in (("f", False), ("h", True)):
        statement = "SELECT id FROM {t} WHERE " + condition + " ORDER BY 1"
        scans.execute(sql.SQL("PREPARE {} AS {}").format(sql.SQL(name), on(statement, heap=heap)))
    answers = []
    for zone in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"):
        scans.execute(sql.SQL("SET TimeZone = {}").format(sql.Literal(zone)))
        answers.append(scans.execute("EXECUTE h").fetchall())
        assert scans.execute("EXECUTE f").fetchall() == answers[-1], zone
    assert answers[0] != answers[2]


def test_verify_finds_a_difference(scans: psycopg.Connection) -> None:
    """Something that is called stable and is not has one value for DuckDB and another for each row here."""
    scans.execute("CREATE SEQUENCE pushed.counter")
    scans.execute("CREATE FUNCTION pushed.fickle() RETURNS integer STABLE LANGUAGE plpgsql"
                  " AS $$ BEGIN RETURN nextval('pushed.counter'); END $$")  # fmt: skip
    scans.execute("SET rvbbit.verify = on")
    with pytest.raises(psycopg.errors.InternalError_, match="do not agree on foreign table") as caught:
        scans.execute("SELECT id, k FROM t WHERE id >= pushed.fickle()").fetchall()
    detail = caught.value.diag.message_detail or ""
    assert re.fullmatch(r"DuckDB: \((\d+), \1\)\. PostgreSQL: (no row|\(\d+, \d+\))\.", detail)


def test_what_a_security_condition_hides_is_not_shown_to_others(scans: psycopg.Connection) -> None:
    """Conditions of a query see only rows that a policy lets through, unless they are leakproof."""
    scans.execute("CREATE TABLE parent (LIKE t) PARTITION BY RANGE (id)")
    command = (
        "CREATE FOREIGN TABLE part PARTITION OF parent FOR VALUES FROM (MINVALUE) TO (MAXVALUE) SERVER rvbbit"
        " OPTIONS (session {}, table_name 't')"
    )
    scans.execute(sql.SQL(command).format(sql.Literal(SESSION)))
    for column, kind in (("id", "INTEGER"), ("k", "INTEGER")):
        scans.execute(sql.SQL("ALTER FOREIGN TABLE part ALTER {} OPTIONS (duckdb_type {})").format(
            sql.Identifier(column), sql.Literal(kind)))  # fmt: skip
    scans.execute("CREATE POLICY three ON parent USING (mine(k) = 3);"
                  " ALTER TABLE parent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")  # fmt: skip
    query = sql.SQL("SELECT id FROM parent WHERE 100 / (k - 2) > 5 AND id > 5 ORDER BY 1")
    plan = plan_of(scans, query)
    (line,) = [line for line in plan if line.startswith("DuckDB SQL")]
    assert line.endswith('WHERE ("id" > CAST(5 AS INTEGER))')  # it is leakproof
    reasons = [line for line in plan if line.startswith("Local")]
    assert any("a security condition has to be checked before it" in reason for reason in reasons)
    assert scans.execute(query).fetchall() == [(number,) for number in range(10, 200, 7)]


LOCKING = [
    "SELECT h.a, t.id FROM {heap_zeros} AS h JOIN {t} AS t ON t.id = h.b + 100 WHERE h.a = 3 AND t.k < 6"
    " FOR UPDATE OF h",
    "SELECT h.a, t.id FROM {heap_zeros} AS h JOIN {t} AS t ON t.id = h.a + 100 WHERE h.a = 3 FOR UPDATE OF h",
    "SELECT h.a, t.id FROM {heap_zeros} AS h JOIN {t} AS t ON t.id = h.a AND t.k > h.b - 3 WHERE h.a = 3"
    " FOR UPDATE OF h",
]


@pytest.mark.parametrize("query", LOCKING)
def test_a_row_that_changes_while_it_is_locked_is_checked_again(
    server: Server, scans: psycopg.Connection, query: str
) -> None:
    scans.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
    answers = []
    for heap in (True, False):
        found: list[object] = []
        statement = on(query, heap=heap)
        waiting = threading.Thread(target=lambda: found.append(outcome(scans, statement)))  # noqa: B023
        with server.connect() as writer, writer.transaction():
            writer.execute("UPDATE pushed.heap_zeros SET b = b + 1 WHERE a = 3")
            waiting.start()
            wait_until_blocked(writer, scans.info.backend_pid)
        waiting.join()
        answers.extend(found)
        scans.execute("UPDATE pushed.heap_zeros SET b = b - 1 WHERE a = 3")
    assert answers[0] == answers[1]


def wait_until_blocked(db: psycopg.Connection, pid: int) -> None:
    """Wait until that backend waits for a lock."""
    query = "SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted"
    until = time.monotonic() + 20
    while not db.execute(query, [pid]).fetchone():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_cursor_holds_its_state_through_a_fallback(server: Server, scans: psycopg.Connection) -> None:
    """A scan that falls back reads the snapshot that the statement has pinned."""
    scans.execute("SET plan_cache_mode = force_generic_plan")
    with scans.transaction():
        scans.execute("DECLARE c CURSOR FOR SELECT id FROM t WHERE 100 / (k - 3) > 5 OR id < 3 ORDER BY id")
        assert outcome(scans, "FETCH ALL FROM c") == "22012"


def test_a_fallback_while_another_part_of_the_plan_is_parallel(scans: psycopg.Connection) -> None:
    scans.execute("SET debug_parallel_query = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
                  " SET min_parallel_table_scan_size = 0;"
                  " SET plan_cache_mode = force_generic_plan")  # fmt: skip
    scans.execute("PREPARE f (integer) AS SELECT (SELECT count(*) FROM t WHERE k = 10 / $1),"
                  " (SELECT count(*) FROM heap_t)")  # fmt: skip
    assert outcome(scans, "EXECUTE f (5)") == [(29, 200)]
    assert outcome(scans, "EXECUTE f (0)") == "22012"
