"""Whole queries inside everything that PostgreSQL does with a query: rights, plans, cursors, transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.whole import SESSION, heap, is_pushed, ours, plan, rows, whole_schema

pytestmark = pytest.mark.server

GROUPED = "SELECT grp, count(*) AS n, max(name) AS name FROM {items} GROUP BY grp"
EXPECTED = [(0, 28), (1, 29), (2, 29), (3, 29), (4, 29), (5, 28), (6, 28)]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_statements", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.fixture
def root(server: Server) -> Iterator[psycopg.Connection]:
    """A connection of the superuser."""
    with server.connect("postgres") as connection:
        yield connection


@pytest.fixture
def local(db: psycopg.Connection, schema: str) -> sql.Identifier:
    """An ordinary table with the numbers 0 to 9."""
    name = sql.Identifier(schema, "numbers")
    db.execute(sql.SQL("CREATE TABLE {} AS SELECT n::int FROM generate_series(0, 9) AS n").format(name))
    return name


def counts(db: psycopg.Connection, query: sql.SQL | sql.Composed) -> list[tuple[int, int]]:
    """The first two columns in order, from a prepared statement."""
    return sorted((row[0], row[1]) for row in db.execute(query, prepare=True).fetchall())


MIXED = [
    "SELECT x.n, l.n FROM ({grouped}) AS x JOIN {local} AS l ON l.n = x.grp",
    "SELECT l.n, (SELECT count(*) FROM {items}) FROM {local} AS l",
    "SELECT n FROM {local} WHERE n IN (SELECT grp FROM {items} GROUP BY grp HAVING count(*) > 28)",
    "WITH x AS ({grouped}) SELECT x.n, l.n FROM x RIGHT JOIN {local} AS l ON l.n = x.grp",
    "WITH x AS MATERIALIZED ({grouped}) SELECT (SELECT max(n) FROM x), n FROM {local}",
    "SELECT grp FROM {items} GROUP BY grp UNION SELECT n FROM {local}",
    "SELECT grp, count(*) FROM {items} GROUP BY grp UNION ALL SELECT n, n FROM {local}",
    "SELECT l.n, x.name FROM {local} AS l LEFT JOIN LATERAL ({grouped}) AS x ON x.grp = l.n",
    "SELECT l.n, x FROM {local} AS l JOIN ({grouped}) AS x ON x.grp = l.n",
    "SELECT sum(x.n) OVER (ORDER BY x.grp), random() < 2 FROM ({grouped}) AS x",
    "SELECT (SELECT max(i.id) FROM {items} AS i WHERE i.grp = l.n) FROM {local} AS l",
    "SELECT count(*) FROM {local} AS l, ({grouped}) AS x, ({grouped}) AS y",
]


@pytest.mark.parametrize("text", MIXED)
def test_a_query_with_other_tables_keeps_its_parts(
    db: psycopg.Connection, whole: str, local: sql.Identifier, text: str
) -> None:
    filled = text.replace("{grouped}", GROUPED).replace("{local}", local.as_string(db))
    assert not is_pushed(db, ours(whole, filled))
    assert ("DuckDB Query" in plan(db, ours(whole, filled))) == (
        "SELECT max(i.id)" not in text and "x FROM" not in text
    )
    assert sorted(rows(db, ours(whole, filled))) == sorted(rows(db, heap(whole, filled)))
    db.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
    assert sorted(rows(db, ours(whole, filled))) == sorted(rows(db, heap(whole, filled)))


def test_what_writes_to_ordinary_tables(db: psycopg.Connection, whole: str, schema: str) -> None:
    made = sql.Identifier(schema, "made")
    query = ours(whole, GROUPED)
    db.execute(sql.SQL("CREATE TABLE {} AS {}").format(made, query))
    assert counts(db, sql.SQL("SELECT * FROM {}").format(made)) == EXPECTED
    db.execute(sql.SQL("INSERT INTO {} (n, grp) SELECT n, n FROM ({}) AS x").format(made, query))
    db.execute(sql.SQL("INSERT INTO {} {} ON CONFLICT DO NOTHING").format(made, query))
    assert db.execute(sql.SQL("SELECT count(*) FROM {}").format(made)).fetchone() == (21,)
    db.execute(
        sql.SQL("UPDATE {} AS m SET n = x.n + 1 FROM ({}) AS x WHERE x.grp = m.grp").format(made, query)
    )
    assert db.execute(sql.SQL("SELECT max(n) FROM {}").format(made)).fetchone() == (30,)
    db.execute(sql.SQL("DELETE FROM {} USING ({}) AS x WHERE x.grp = 3").format(made, query))
    db.execute(
        sql.SQL("MERGE INTO {} AS m USING ({}) AS x ON x.grp = m.grp WHEN MATCHED THEN DELETE").format(
            made, query
        )
    )
    assert db.execute(sql.SQL("SELECT count(*) FROM {}").format(made)).fetchone() == (0,)


def test_copy_and_materialized_views(db: psycopg.Connection, whole: str, schema: str) -> None:
    query = ours(whole, "SELECT grp, count(*) FROM {items} GROUP BY grp ORDER BY grp")
    with db.cursor() as cursor, cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
        assert b"".join(copy).decode().splitlines()[:2] == ["0\t28", "1\t29"]
    view = sql.Identifier(schema, "view")
    db.execute(sql.SQL("CREATE MATERIALIZED VIEW {} AS {}").format(view, query))
    db.execute(sql.SQL("REFRESH MATERIALIZED VIEW {}").format(view))
    assert counts(db, sql.SQL("SELECT * FROM {}").format(view)) == EXPECTED


def test_cursors(db: psycopg.Connection, whole: str) -> None:
    query = ours(whole, "SELECT id FROM {items} ORDER BY id DESC")
    with db.transaction(), db.cursor("a", scrollable=True) as one, db.cursor("b") as two:
        one.execute(query)
        two.execute(query)
        assert one.fetchmany(2) == [(200,), (199,)]
        assert two.fetchmany(1) == [(200,)]
        one.scroll(-2)
        assert one.fetchone() == (200,)
        assert two.fetchone() == (199,)
    with db.transaction():
        held = db.cursor("held", withhold=True)
        held.execute(query)
        held.fetchone()
    assert held.fetchone() == (199,)
    held.close()


def test_views_show_what_their_owners_may_see(
    db: psycopg.Connection, root: psycopg.Connection, whole: str, schema: str
) -> None:
    view, items = sql.Identifier(schema, "view"), ours(whole, "{items}")
    db.execute(sql.SQL("CREATE VIEW {} AS {}").format(view, ours(whole, GROUPED)))
    root.execute("CREATE ROLE whole_reader")
    try:
        root.execute(
            sql.SQL("GRANT USAGE ON SCHEMA {}, {} TO whole_reader").format(
                sql.Identifier(schema), sql.Identifier(whole)
            )
        )
        root.execute(sql.SQL("GRANT SELECT ON {} TO whole_reader").format(view))
        root.execute("SET ROLE whole_reader")
        assert counts(root, sql.SQL("SELECT * FROM {}").format(view)) == EXPECTED
        assert is_pushed(root, sql.SQL("SELECT count(*) FROM {}").format(view))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            root.execute(ours(whole, GROUPED))
        root.execute("RESET ROLE")
        root.execute(sql.SQL("GRANT SELECT (id, grp) ON {} TO whole_reader").format(items))
        root.execute("SET ROLE whole_reader")
        counted = ours(whole, "SELECT grp, count(id) FROM {items} GROUP BY grp")
        for _ in range(7):
            assert counts(root, counted) == EXPECTED
        for text in (GROUPED, "SELECT count(*) FROM {items} WHERE name = 'x'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                root.execute(ours(whole, text))
        root.execute("RESET ROLE")
        root.execute(sql.SQL("REVOKE SELECT (id) ON {} FROM whole_reader").format(items))
        root.execute(sql.SQL("ALTER VIEW {} SET (security_invoker = true)").format(view))
        root.execute("SET ROLE whole_reader")
        for query in (counted, sql.SQL("SELECT * FROM {}").format(view)):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                root.execute(query)
    finally:
        root.execute("RESET ROLE")
        root.execute("DROP OWNED BY whole_reader; DROP ROLE whole_reader")


def test_a_security_barrier_is_not_pushed(db: psycopg.Connection, whole: str, schema: str) -> None:
    view = sql.Identifier(schema, "barrier")
    db.execute(
        sql.SQL("CREATE VIEW {} WITH (security_barrier) AS {}").format(
            view, ours(whole, "SELECT id, grp FROM {items} WHERE grp < 3")
        )
    )
    query = sql.SQL("SELECT grp, count(*) FROM {} GROUP BY grp").format(view)
    assert "DuckDB Query" not in plan(db, query)
    assert counts(db, query) == EXPECTED[:3]


def test_prepared_plans_follow_what_changes(db: psycopg.Connection, server: Server, schema: str) -> None:
    path = server.session_dir / "quiet-lark-77aa03.duckdb"
    make_session(path, "CREATE TABLE t AS SELECT range::INTEGER AS a, 1 AS b FROM range(10)")
    command = 'IMPORT FOREIGN SCHEMA "quiet-lark-77aa03" FROM SERVER rvbbit INTO {}'
    db.execute(sql.SQL(command).format(sql.Identifier(schema)))
    table = sql.Identifier(schema, "t")
    db.execute("SET plan_cache_mode = force_generic_plan")
    db.execute(sql.SQL("PREPARE p AS SELECT sum(a), count(*) FROM {} AS t").format(table))
    db.execute(sql.SQL("PREPARE p2 AS SELECT count(*) FROM {}").format(table))
    assert db.execute("EXECUTE p").fetchall() == [(45, 10)]
    db.execute("SET rvbbit.pushdown = off")
    assert "DuckDB Query" not in "".join(row[0] for row in db.execute("EXPLAIN EXECUTE p"))
    db.execute("RESET rvbbit.pushdown")
    assert "DuckDB Query" in "".join(row[0] for row in db.execute("EXPLAIN EXECUTE p"))
    db.execute(sql.SQL("ALTER FOREIGN TABLE {} ALTER a OPTIONS (SET column_name 'b')").format(table))
    assert db.execute("EXECUTE p").fetchall() == [(10, 10)]
    db.execute(
        sql.SQL("ALTER FOREIGN TABLE {} ALTER a TYPE bigint, ALTER a OPTIONS (DROP duckdb_type)").format(
            table
        )
    )
    assert db.execute("EXECUTE p2").fetchall() == [(10,)]
    db.execute(sql.SQL("CREATE TABLE {} () INHERITS ({})").format(sql.Identifier(schema, "child"), table))
    db.execute(sql.SQL("INSERT INTO {} (a) VALUES (5)").format(sql.Identifier(schema, "child")))
    assert db.execute("EXECUTE p2").fetchall() == [(11,)]
    path.unlink()


def test_a_function_runs_them_again_and_again(db: psycopg.Connection, whole: str, schema: str) -> None:
    body = ours(
        whole,
        "SELECT count(*) INTO found FROM {items} WHERE grp = g AND id < 100; RETURN found",
    ).as_string(db)
    name = sql.Identifier(schema, "counted")
    db.execute(
        sql.SQL(
            "CREATE FUNCTION {}(g int) RETURNS int LANGUAGE plpgsql AS $$DECLARE found int; BEGIN {}; END$$"
        ).format(name, sql.SQL(body))
    )
    query = sql.SQL("SELECT g, {}(g) FROM generate_series(0, 6) AS g").format(name)
    expected = [(0, 14), (1, 15), *((g, 14) for g in range(2, 7))]
    for _ in range(3):
        assert counts(db, query) == expected


def open_and_fail(db: psycopg.Connection, query: sql.Composed, failing: sql.Composed) -> None:
    """Leave a cursor in the middle of its rows by an error."""
    db.execute(sql.SQL("DECLARE middle CURSOR FOR {}").format(query))
    db.execute("FETCH 3 FROM middle")
    db.execute(failing)


def test_a_failure_in_a_savepoint_leaves_nothing_open(
    db: psycopg.Connection, server: Server, whole: str
) -> None:
    query = ours(whole, "SELECT a.id FROM {items} AS a, {items} AS b ORDER BY a.id, b.id")
    failing = ours(whole, "SELECT max(id / (grp - 3)) FROM {items}")
    with db.transaction(), db.cursor("outer") as cursor:
        cursor.execute(query)
        assert cursor.fetchone() == (1,)
        for _ in range(5):
            with pytest.raises(psycopg.errors.DivisionByZero), db.transaction():
                open_and_fail(db, query, failing)
        cursor.fetchmany(399)
        assert cursor.fetchone() == (3,)
    assert db.execute(ours(whole, "SELECT count(*) FROM {items}")).fetchone() == (200,)


def test_cancel(db: psycopg.Connection, whole: str) -> None:
    query = ours(
        whole,
        "SELECT count(*) FROM {items} AS a, {items} AS b, {items} AS c, {items} AS d"
        " WHERE lower(a.name || b.name) < lower(c.name || d.name)",
    )
    db.execute("SET statement_timeout = '300ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        db.execute(query)
    db.execute("RESET statement_timeout")
    assert db.execute(ours(whole, "SELECT count(*) FROM {items}")).fetchone() == (200,)


def test_a_locked_row_is_checked_again(
    db: psycopg.Connection, server: Server, whole: str, local: sql.Identifier
) -> None:
    """An update waits for another one, then PostgreSQL checks the new row against the query again."""
    update = sql.SQL(
        "UPDATE {} SET n = n + 100 WHERE n IN ({}) OR n > (SELECT max(grp) + 100 FROM {}) RETURNING n"
    ).format(local, ours(whole, "SELECT grp FROM {items} GROUP BY grp"), ours(whole, "{items}"))
    with server.connect() as other:
        with other.transaction():
            other.execute(sql.SQL("UPDATE {} SET n = 4 WHERE n = 9").format(local))
            with psycopg.connect(db.info.dsn, password="rvbbit") as waiting:
                waiting.execute("SET lock_timeout = '200ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    waiting.execute(sql.SQL("SELECT * FROM {} WHERE n = 9 FOR UPDATE").format(local))
        assert len(db.execute(update).fetchall()) == 8


def test_a_vanished_session_is_an_error(db: psycopg.Connection, server: Server, schema: str) -> None:
    path: Path = server.session_dir / "pale-crow-77aa04.duckdb"
    make_session(path, "CREATE TABLE t AS SELECT 1 AS a")
    command = 'IMPORT FOREIGN SCHEMA "pale-crow-77aa04" FROM SERVER rvbbit INTO {}'
    db.execute(sql.SQL(command).format(sql.Identifier(schema)))
    path.unlink()
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, "t"))
    assert is_pushed(db, query)
    with pytest.raises(psycopg.Error, match="does not exist"):
        db.execute(query)


def test_all_sessions_of_a_query_are_shown(db: psycopg.Connection, whole: str) -> None:
    query = ours(whole, "SELECT count(*) FROM {items} JOIN {labels} USING (id)")
    shown = plan(db, query)
    assert SESSION in shown


@pytest.mark.parametrize(
    "text",
    [
        "SELECT grp, count(*), avg(big), sum(price) FROM {items} GROUP BY grp ORDER BY 2, 1",
        "SELECT id, name FROM {items} ORDER BY id DESC LIMIT 5",
        "SELECT i.id, g.title FROM {items} AS i LEFT JOIN {groups} AS g USING (grp) ORDER BY 1, 2",
        "SELECT count(*) FROM {items} WHERE grp IN (SELECT grp FROM {groups})",
    ],
)
def test_verify_runs_both_and_gives_the_rows(db: psycopg.Connection, whole: str, text: str) -> None:
    db.execute("SET rvbbit.verify = on")
    assert db.execute(ours(whole, text)).fetchall() == db.execute(heap(whole, text)).fetchall()
    shown = plan(db, ours(whole, text), "ANALYZE", "VERBOSE", "TIMING OFF", "SUMMARY OFF")
    assert "never executed" not in shown


def test_verify_sees_every_row(db: psycopg.Connection, whole: str) -> None:
    db.execute("SET rvbbit.verify = on")
    text = "SELECT DISTINCT grp, small FROM {items}"  # each side gives them in an order of its own
    assert sorted(map(str, db.execute(ours(whole, text)))) == sorted(map(str, db.execute(heap(whole, text))))
