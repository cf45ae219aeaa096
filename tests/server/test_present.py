"""A session shown as ordinary tables is what it is as foreign ones: rows, plans; and clients find it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from tests.kit.container import PASSWORD, Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows
from tests.server.whole import NODE, OWN, TABLES, plan, rows

pytestmark = pytest.mark.server

# The same session under two names, each attached in its way, and its tables copied into the heap.
SESSIONS = {"foreign": "merry-finch-77bb01", "table": "merry-finch-77bb02"}
SCHEMAS = {"foreign": "as_foreign", "table": "as_table", "heap": "as_heap"}

WHOLE = [
    "SELECT count(*), count(small), sum(big), avg(amount), min(name), max(day) FROM {items}",
    "SELECT grp, count(*), sum(price) FROM {items} GROUP BY grp ORDER BY grp",
    "SELECT name FROM {items} WHERE flag GROUP BY name HAVING count(*) > 2 ORDER BY 1",
    "SELECT id, name FROM {items} ORDER BY id DESC LIMIT 7 OFFSET 3",
    "SELECT DISTINCT code FROM {items} ORDER BY 1",
    "SELECT i.id, g.title FROM {items} AS i LEFT JOIN {groups} AS g USING (grp) ORDER BY 1, 2",
    "SELECT a.id, b.id FROM {items} AS a JOIN {items} AS b ON a.id = b.grp ORDER BY 1, 2",
    "SELECT id FROM {items} WHERE grp IN (SELECT grp FROM {groups} WHERE title IS NOT NULL) ORDER BY 1",
    "SELECT id, rank() OVER (PARTITION BY grp ORDER BY id) FROM {items} ORDER BY 1",
    "SELECT grp FROM {items} UNION SELECT grp FROM {groups} ORDER BY 1",
    "WITH w AS (SELECT grp, count(*) AS n FROM {items} GROUP BY grp)"
    " SELECT sum(n) FROM w JOIN {groups} USING (grp)",
    "SELECT count(*) FROM {empty}",
    "SELECT i.code, count(*) FROM {items} AS i, {groups} AS g WHERE i.grp = g.grp AND g.limits > 10"
    " GROUP BY ROLLUP (i.code) ORDER BY 1, 2",
]
PARTLY = [
    "SELECT * FROM {items} ORDER BY random() < 2, id",
    "SELECT id, small, price FROM {items} WHERE small > 3 AND name LIKE 'Name 1%'",
    "SELECT i FROM {items} AS i WHERE id < 4",
    "SELECT (i).name, i.* FROM {items} AS i WHERE grp = 2",
    "SELECT id FROM {items} WHERE grp = 3 FOR UPDATE",
    "SELECT g.title, x.id FROM {groups} AS g,"
    " LATERAL (SELECT id FROM {items} AS i WHERE i.grp = g.grp ORDER BY id LIMIT 2) AS x WHERE g.grp < 2"
    " ORDER BY 1, 2",
    "SELECT id, (SELECT title FROM {groups} AS g WHERE g.grp = i.grp) FROM {items} AS i WHERE id < 9",
    "SELECT count(*) FROM {items} WHERE random() >= 0",
    "SELECT s, i.id FROM generate_series(1, 3) AS s JOIN {items} AS i ON i.id = s",
    "SELECT count(*) FROM ONLY {groups} WHERE false",
]
REFUSED = [
    ("INSERT INTO {groups} VALUES (1, 'x', 2)", "cannot insert into foreign table"),
    ("UPDATE {groups} SET title = 'x'", "cannot update foreign table"),
    ("UPDATE {groups} SET title = 'x' WHERE grp = 1 RETURNING *", "cannot update foreign table"),
    ("DELETE FROM {groups}", "cannot delete from foreign table"),
    (
        "MERGE INTO {groups} AS g USING (VALUES (1)) AS v (k) ON g.grp = v.k WHEN MATCHED THEN DELETE",
        "cannot execute MERGE on relation",
    ),
    ("TRUNCATE {groups}", "cannot truncate foreign table"),
    ("COPY {groups} FROM PROGRAM 'echo 1,a,2' CSV", "cannot insert into foreign table"),
    ("COPY {groups} TO STDOUT", "cannot copy from (foreign|partitioned) table"),
    ("SELECT * FROM {groups} TABLESAMPLE SYSTEM (50)", "TABLESAMPLE"),
    ("ALTER TABLE {groups} ADD PRIMARY KEY (grp)", "not supported on|cannot create unique index|unsupported"),
    ("CREATE UNIQUE INDEX ON {groups} (grp)", "cannot create (unique )?index on"),
]


def text_in(way: str, text: str) -> sql.Composed:
    """The statement over the tables of one schema."""
    return sql.SQL(text).format(**{name: sql.Identifier(SCHEMAS[way], name) for name in OWN})


@pytest.fixture(scope="module")
def ways(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with the three schemas."""
    first = make_session(server.session_dir / f"{SESSIONS['foreign']}.duckdb", TABLES)
    second = shutil.copy(first, first.with_stem(SESSIONS["table"]))
    target = tmp_path_factory.mktemp("present")
    with server.connect() as db:
        db.execute("CREATE SCHEMA as_heap")
        for way, session in SESSIONS.items():
            db.execute("SELECT rvbbit_attach_session(%s, %s, %s)", [session, SCHEMAS[way], way])
        copy = private_copy(server.session_dir, SESSIONS["foreign"], target)
        for name in OWN:
            like = sql.Identifier(SCHEMAS["foreign"], name)
            load(db, sql.Identifier("as_heap", name), like, text_rows(copy, name))
        yield server
        for session in SESSIONS.values():
            db.execute("SELECT rvbbit_detach_session(%s)", [session])
        db.execute("DROP SCHEMA as_heap CASCADE")
    with server.connect(user="postgres") as admin:
        admin.execute("DELETE FROM rvbbit.detachment WHERE session_id = ANY (%s)", [list(SESSIONS.values())])
    first.unlink()
    Path(second).unlink()


@pytest.mark.parametrize("verified", [False, True])
@pytest.mark.parametrize("text", WHOLE + PARTLY)
def test_rows_are_those_of_a_heap(ways: Server, text: str, verified: bool) -> None:
    # A superuser, who may lock rows.
    with ways.connect(user="postgres") as db:
        db.execute("SELECT set_config('rvbbit.verify', %s, false)", [str(verified)])
        expected = rows(db, text_in("heap", text))
        for way in SESSIONS:
            found = rows(db, text_in(way, text))
            assert found == expected if "ORDER BY" in text else sorted(found) == sorted(expected)
        assert db.execute("SHOW rvbbit.fallbacks").fetchone() == ("0",)


def shape(server: Server, way: str, text: str, *options: str) -> str:
    """The plan, with the names of one way replaced by those of both."""
    with server.connect() as db:
        shown = plan(db, text_in(way, text), *options)
    shown = re.sub(r"Snapshot: .*", "", shown)
    shown = shown.replace(SESSIONS[way], "session").replace(SCHEMAS[way], "schema")
    # On a table of the same name no alias is shown.
    return re.sub(r'on "session\.(\w+)" (\w+?)(_\d+)?$', r"on \1 \2", shown, flags=re.MULTILINE)


@pytest.mark.parametrize("text", WHOLE)
def test_whole_queries_are_pushed(ways: Server, text: str) -> None:
    assert NODE in shape(ways, "table", text)
    assert shape(ways, "table", text) == shape(ways, "foreign", text)


@pytest.mark.parametrize("way", SESSIONS)
def test_a_nested_loop_sends_its_values(ways: Server, way: str) -> None:
    inner = "(SELECT id FROM {items} WHERE id = s LIMIT 1)"
    text = f"SELECT s, i.id FROM generate_series(1, 1) AS s, LATERAL {inner} AS i"
    with ways.connect() as db:
        assert re.search(r'WHERE \(("id" = \$1|\$1 = "id")\)', plan(db, text_in(way, text)))
        assert db.execute(text_in(way, text)).fetchall() == [(1, 1)]


@pytest.mark.parametrize(("text", "message"), REFUSED)
@pytest.mark.parametrize("way", SESSIONS)
def test_what_is_refused(ways: Server, way: str, text: str, message: str) -> None:
    with ways.connect(user="postgres") as db, pytest.raises(psycopg.Error, match=message):
        db.execute(text_in(way, text))


@pytest.mark.parametrize("way", SESSIONS)
def test_a_reader_may_read_and_nothing_else(ways: Server, way: str) -> None:
    with ways.connect() as db:
        assert db.execute(text_in(way, "SELECT count(*) FROM {groups}")).fetchone() == (6,)
        for text in ("DELETE FROM {groups}", "SELECT * FROM {groups} FOR UPDATE"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="groups"):
                db.execute(text_in(way, text))


# How clients ask for ordinary tables; pgJDBC has a kind of its own for partitioned ones.
LISTINGS = {
    "information_schema": (
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = %s AND table_type = 'BASE TABLE'",
        True,
    ),
    "psql \\dt": (
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 's', '')",
        True,
    ),
    "pg_tables": ("SELECT tablename FROM pg_tables WHERE schemaname = %s", True),
    "pgJDBC TABLE": (
        "SELECT c.relname FROM pg_namespace AS n, pg_class AS c WHERE c.relnamespace = n.oid"
        " AND n.nspname LIKE %s AND c.relkind = 'r' AND n.nspname !~ '^pg_'",
        False,
    ),
    "pgJDBC PARTITIONED TABLE": (
        "SELECT c.relname FROM pg_namespace AS n, pg_class AS c WHERE c.relnamespace = n.oid"
        " AND n.nspname LIKE %s AND c.relkind = 'p' AND n.nspname !~ '^pg_'",
        True,
    ),
}


@pytest.mark.parametrize(("query", "is_there"), LISTINGS.values(), ids=LISTINGS)
def test_where_clients_look_for_tables(ways: Server, query: str, is_there: bool) -> None:
    with ways.connect() as db:
        assert db.execute(query, [SCHEMAS["foreign"]]).fetchall() == []
        found = {name for (name,) in db.execute(query, [SCHEMAS["table"]])}
        assert found == (set(OWN) if is_there else set())


def test_sqlalchemy_reflects_ordinary_tables(ways: Server) -> None:
    host, port = ways.container.get_container_host_ip(), ways.container.get_exposed_port(5432)
    engine = sa.create_engine(f"postgresql+psycopg://rvbbit:{PASSWORD}@{host}:{port}/rvbbit")
    found = sa.MetaData()
    found.reflect(engine, schema=SCHEMAS["table"])
    assert {table.name for table in found.sorted_tables} == set(OWN)
    engine.dispose()


def test_partitions_are_out_of_sight(ways: Server) -> None:
    with ways.connect() as db:
        for name in ("tables", "columns", "table_privileges"):
            query = f"SELECT count(*) FROM information_schema.{name} WHERE table_schema = 'rvbbit_partitions'"
            assert db.execute(query).fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(f'SELECT * FROM rvbbit_partitions."{SESSIONS["table"]}.items"')


@pytest.mark.parametrize("way", SESSIONS)
def test_what_tools_show_of_a_table(ways: Server, way: str) -> None:
    """Its row count and its comments."""
    table = f"{SCHEMAS[way]}.items"
    with ways.connect() as db:
        query = """
            SELECT reltuples, relpages > 0, obj_description(oid, 'pg_class') FROM pg_class
            WHERE oid = %s::regclass"""
        told = f'table of the RVBBIT session "{SESSIONS[way]}", 200 rows when imported'
        assert db.execute(query, [table]).fetchone() == (200, True, told)
        query = """
            SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
            WHERE attrelid = %s::regclass AND col_description(attrelid, attnum) IS NOT NULL ORDER BY attnum"""
        assert ("doc", "DuckDB type STRUCT(k BIGINT)") in db.execute(query, [table]).fetchall()
        query = "SELECT present_as, schema_name FROM _rvbbit_sessions WHERE session_id = %s"
        assert db.execute(query, [SESSIONS[way]]).fetchone() == (way, SCHEMAS[way])
