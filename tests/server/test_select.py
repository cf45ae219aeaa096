"""SELECT on foreign tables gives what the same statement gives on an ordinary table with the same rows."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.server.oracle import differences, load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSIONS = [
    "production_etl_2024_12_20", "cascade_test", "test_comp_003", "q4 revenue report", "Churn_Model_V2",
    "übersicht_café_märz", "agile-cardinal-490cb1", "quick-fox-a1b2c3", "brave-lynx-19ab40",
    "dusty-marten-e8830d", "nb_4f1d2c3b5a69", "agile-finch-4acdcc_sub",
]  # fmt: skip

# {o}: all orders, {r}: those shipped, with revenue; each statement ends in a total order or gives one row.
STATEMENTS = [
    "SELECT count(*) FROM {o}",
    "SELECT * FROM {o} ORDER BY order_id LIMIT 5",
    "SELECT order_id FROM {o} ORDER BY order_id DESC LIMIT 3 OFFSET 10",
    "SELECT discount, order_id FROM {o} WHERE discount IS NULL ORDER BY 2",
    "SELECT order_id FROM {o} WHERE region = 'north' AND quantity > 5 ORDER BY 1",
    "SELECT order_id FROM {o} WHERE region IN ('east', 'west') OR unit_price < 10 ORDER BY 1",
    "SELECT order_id FROM {o} WHERE ordered_at BETWEEN '2025-11-03' AND '2025-11-05 12:00' ORDER BY 1",
    "SELECT order_id FROM {o} WHERE product LIKE '%é%' OR product ILIKE 'NOTE%' ORDER BY 1",
    "SELECT 1 FROM {o} WHERE false",
    "SELECT region, channel, count(*), sum(quantity), min(ordered_at) FROM {o} GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT product FROM {o} GROUP BY product HAVING count(*) > 250 ORDER BY 1",
    "SELECT DISTINCT region FROM {o} ORDER BY 1",
    "SELECT region, rank() OVER (PARTITION BY region ORDER BY order_id) FROM {o} ORDER BY order_id LIMIT 40",
    "SELECT o.order_id, r.revenue FROM {o} AS o JOIN {r} AS r USING (order_id) ORDER BY 1 LIMIT 30",
    "SELECT count(*) FROM {o} AS o LEFT JOIN {r} AS r USING (order_id) WHERE r.order_id IS NULL",
    "SELECT count(*) FROM {o} AS a JOIN {o} AS b ON b.order_id = a.order_id + 1",
    "SELECT order_id FROM {o} EXCEPT SELECT order_id FROM {r} ORDER BY 1",
    "SELECT count(*) FROM {o} AS o WHERE EXISTS (SELECT FROM {r} AS r WHERE r.order_id = o.order_id)",
    "SELECT EXISTS (SELECT FROM {o} WHERE quantity = 9), EXISTS (SELECT FROM {o} WHERE quantity = 99)",
    "SELECT order_id, (SELECT max(r.revenue) FROM {r} AS r WHERE r.region = o.region AND r.order_id < 100050)"
    " FROM {o} AS o WHERE order_id < 100020 ORDER BY 1",
    "SELECT n, (SELECT count(*) FROM {o} WHERE quantity = n) FROM generate_series(1, 9) AS n ORDER BY 1",
    "SELECT n, t.order_id FROM generate_series(1, 3) AS n, LATERAL (SELECT order_id FROM {o}"
    " WHERE quantity = n ORDER BY 1 LIMIT 2) AS t ORDER BY 1, 2",
    "SELECT l.n, count(o.order_id) FROM (VALUES (1, 'north'), (2, 'nowhere')) AS l (n, region)"
    " LEFT JOIN {o} AS o USING (region) GROUP BY 1 ORDER BY 1",
    "WITH RECURSIVE s (id) AS (SELECT min(order_id) FROM {o} UNION ALL SELECT o.order_id FROM s JOIN {o} AS o"
    " ON o.order_id = s.id + 1 WHERE s.id < 100006) SELECT id FROM s ORDER BY 1",
    "SELECT o FROM {o} AS o WHERE order_id = 100007",
    "SELECT to_jsonb(o) - 'customer' FROM {o} AS o ORDER BY order_id LIMIT 2",
    "SELECT count(*) FILTER (WHERE o IS NOT NULL) FROM {o} AS o",
    "SELECT order_id, order_id + quantity, upper(region) FROM {o} ORDER BY 2, 1 LIMIT 4",
]  # fmt: skip

REFUSED = [
    ("INSERT INTO {} DEFAULT VALUES", "cannot insert into foreign table"),
    ("UPDATE {} SET quantity = 0", "cannot update foreign table"),
    ("DELETE FROM {}", "cannot delete from foreign table"),
    ("TRUNCATE {}", "cannot truncate foreign table"),
    ("COPY {} TO STDOUT", "cannot copy from foreign table"),
    ("COPY {} FROM STDIN", "cannot insert into foreign table"),
]


def import_all(db: psycopg.Connection, session: str, schema: str) -> list[str]:
    """Import the session and give its tables' names."""
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(session), sql.Identifier(schema)))
    query = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'f' ORDER BY 1"
    return [row[0] for row in db.execute(query, [schema])]


@pytest.fixture
def orders(server: Server, db: psycopg.Connection, schema: str, tmp_path: Path) -> dict[str, sql.Identifier]:
    """Foreign and ordinary tables of one session: orders, revenue, heap_orders, heap_revenue."""
    import_all(db, "agile-cardinal-490cb1", schema)
    database = private_copy(server.session_dir, "agile-cardinal-490cb1", tmp_path)
    names = {}
    for role, table in (("orders", "_extract_data"), ("revenue", "_transform")):
        names[role], names[f"heap_{role}"] = (
            sql.Identifier(schema, table),
            sql.Identifier(schema, f"heap_{role}"),
        )
        load(db, names[f"heap_{role}"], names[role], text_rows(database, table))
    return names


@pytest.mark.parametrize("session", SESSIONS)
def test_every_table_of_a_session_equals_its_copy(
    server: Server, db: psycopg.Connection, schema: str, tmp_path: Path, session: str
) -> None:
    database = private_copy(server.session_dir, session, tmp_path)
    for table in import_all(db, session, schema):
        foreign, heap = sql.Identifier(schema, table), sql.Identifier(schema, f"heap{table}")
        load(db, heap, foreign, text_rows(database, table))
        assert differences(db, foreign, heap) == []


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_gives_the_same_rows(
    db: psycopg.Connection, orders: dict[str, sql.Identifier], statement: str
) -> None:
    text = sql.SQL(statement)
    foreign = db.execute(text.format(o=orders["orders"], r=orders["revenue"])).fetchall()
    heap = db.execute(text.format(o=orders["heap_orders"], r=orders["heap_revenue"])).fetchall()
    mixed = db.execute(text.format(o=orders["orders"], r=orders["heap_revenue"])).fetchall()
    assert foreign == heap == mixed


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan", "force_custom_plan"])
def test_a_prepared_statement_follows_its_parameters(
    db: psycopg.Connection, orders: dict[str, sql.Identifier], mode: str
) -> None:
    db.execute(sql.SQL("SET plan_cache_mode = {}").format(sql.Literal(mode)))
    query = "SELECT count(*), min(order_id) FROM {} WHERE region = %s AND quantity >= %s"
    for name, limit in [("north", 1), ("north", 9), ("west", 5), (None, 5), ("nowhere", 0)] * 2:
        foreign, heap = (
            db.execute(sql.SQL(query).format(orders[table]), [name, limit], prepare=True).fetchone()
            for table in ("orders", "heap_orders")
        )
        assert foreign == heap


def test_cursors_move_side_by_side(db: psycopg.Connection, orders: dict[str, sql.Identifier]) -> None:
    query = sql.SQL("SELECT order_id FROM {} ORDER BY order_id").format(orders["orders"])
    with db.transaction(), db.cursor("one", scrollable=True) as one, db.cursor("two") as two:
        one.execute(query)
        two.execute(query)
        assert [row[0] for row in one.fetchmany(3)] == [100000, 100001, 100002]
        assert [row[0] for row in two.fetchmany(2)] == [100000, 100001]
        one.scroll(-2)
        assert one.fetchone() == (100001,)
        assert two.fetchone() == (100002,)


def test_a_cursor_without_sorting_sees_each_row_once(
    db: psycopg.Connection, orders: dict[str, sql.Identifier]
) -> None:
    with db.transaction(), db.cursor("all_rows") as cursor:
        cursor.itersize = 700
        cursor.execute(sql.SQL("SELECT order_id FROM {}").format(orders["orders"]))
        assert sorted(row[0] for row in cursor) == list(range(100000, 103000))


def test_a_cursor_with_hold_outlives_its_transaction(
    db: psycopg.Connection, orders: dict[str, sql.Identifier]
) -> None:
    with db.transaction():
        held = db.cursor("held", withhold=True)
        held.execute(sql.SQL("SELECT order_id FROM {} ORDER BY 1").format(orders["orders"]))
        assert held.fetchone() == (100000,)
    assert held.fetchone() == (100001,)
    assert len(held.fetchall()) == 2998
    held.close()


def test_an_outer_portal_survives_a_savepoint(
    db: psycopg.Connection, orders: dict[str, sql.Identifier]
) -> None:
    query = sql.SQL("SELECT order_id FROM {}").format(orders["orders"])
    with db.transaction(), db.cursor("outer_rows") as outer:
        outer.execute(query)
        first = outer.fetchmany(10)
        with pytest.raises(psycopg.errors.DivisionByZero), db.transaction():
            db.execute(sql.SQL("SELECT 1 / (order_id - 100500) FROM {}").format(orders["orders"]))
        with db.transaction(force_rollback=True), db.cursor("inner_rows") as inner:
            inner.execute(query)
            inner.fetchmany(5)
        assert len({row[0] for row in first + outer.fetchall()}) == 3000


def test_an_error_in_the_middle_ends_that_statement_alone(
    db: psycopg.Connection, orders: dict[str, sql.Identifier]
) -> None:
    failing = sql.SQL("SELECT sum(1 / (order_id - 102000)) FROM {}").format(orders["orders"])
    for _ in range(5):
        with pytest.raises(psycopg.errors.DivisionByZero):
            db.execute(failing)
        assert db.execute(sql.SQL("SELECT count(*) FROM {}").format(orders["orders"])).fetchone() == (3000,)


def test_a_plpgsql_loop_may_leave_early_and_query_inside(
    db: psycopg.Connection, schema: str, orders: dict[str, sql.Identifier]
) -> None:
    body = sql.SQL("""
        CREATE FUNCTION {function}() RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE r record; found bigint; total bigint := 0;
        BEGIN
            FOR r IN SELECT order_id, quantity FROM {orders} LOOP
                SELECT count(*) INTO found FROM {orders} AS o WHERE o.order_id = r.order_id;
                total := total + found * r.quantity;
                EXIT WHEN r.order_id >= 100011;
            END LOOP;
            BEGIN
                PERFORM 1 / (quantity - quantity) FROM {orders};
            EXCEPTION WHEN division_by_zero THEN NULL;
            END;
            RETURN total;
        END $$""")
    function = sql.Identifier(schema, "total")
    db.execute(body.format(function=function, orders=orders["orders"]))
    query = sql.SQL("SELECT sum(quantity) FROM {} WHERE order_id <= 100011").format(orders["heap_orders"])
    assert db.execute(sql.SQL("SELECT {}()").format(function)).fetchone() == db.execute(query).fetchone()


def test_tableoid_names_the_foreign_table(
    db: psycopg.Connection, schema: str, orders: dict[str, sql.Identifier]
) -> None:
    query = sql.SQL("SELECT DISTINCT tableoid::regclass::text FROM {}").format(orders["orders"])
    assert db.execute(query).fetchall() == [(f"{schema}._extract_data",)]


def test_copy_of_a_query(db: psycopg.Connection, orders: dict[str, sql.Identifier]) -> None:
    lines = []
    for table in ("orders", "heap_orders"):
        command = sql.SQL("COPY (SELECT * FROM {} ORDER BY order_id) TO STDOUT").format(orders[table])
        with db.cursor() as cursor, cursor.copy(command) as copy:
            lines.append(b"".join(bytes(block) for block in copy))
    assert lines[0] == lines[1]


def test_rows_go_into_local_tables(db: psycopg.Connection, orders: dict[str, sql.Identifier]) -> None:
    made = sql.SQL("CREATE TEMP TABLE made ON COMMIT DROP AS SELECT * FROM {}").format(orders["orders"])
    with db.transaction():
        db.execute(made)
        db.execute(sql.SQL("INSERT INTO made SELECT * FROM {} WHERE quantity = 1").format(orders["orders"]))
        ones = db.execute(
            sql.SQL("SELECT count(*) FROM {} WHERE quantity = 1").format(orders["heap_orders"])
        ).fetchone()
        assert ones
        assert db.execute("SELECT count(*) FROM made").fetchone() == (3000 + ones[0],)


def run(db: psycopg.Connection, statement: sql.Composed) -> None:
    """Run any statement, COPY too."""
    if b"COPY" not in statement.as_bytes(db):
        db.execute(statement)
        return
    with db.cursor() as cursor, cursor.copy(statement) as copy:
        copy.read() if b"STDOUT" in statement.as_bytes(db) else copy.write(b"\n")


@pytest.mark.parametrize(("statement", "message"), REFUSED)
def test_writing_is_refused_in_the_servers_own_words(
    server: Server, schema: str, orders: dict[str, sql.Identifier], statement: str, message: str
) -> None:
    text = sql.SQL(statement).format(orders["orders"])
    with server.connect() as own, pytest.raises(psycopg.Error, match=message) as caught:
        run(own, text)
    assert caught.value.sqlstate in {"0A000", "42809", "55000"}
