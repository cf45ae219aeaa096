"""DBeaver and other grids: the tree, a preview that stops early, filters, sorts and counts, a refresh."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import psycopg
import pytest

from tests.clients.served import ORDERS, SESSION, Matrix, rows
from tests.clients.values import NAMES, STREAMED, TYPES
from tests.fuzz.pushed import pushed
from tests.kit.container import Server
from tests.kit.writers import writing

pytestmark = pytest.mark.server

# The tree, top down, in DBeaver's style: a query for all schemas, one for a schema, one for a table.
SCHEMAS = """
    SELECT n.oid, n.nspname, d.description FROM pg_catalog.pg_namespace n
    LEFT JOIN pg_catalog.pg_description d
      ON d.objoid = n.oid AND d.objsubid = 0 AND d.classoid = 'pg_namespace'::regclass
    ORDER BY n.nspname"""
RELATIONS = """
    SELECT c.oid, c.relname, c.relkind::text, c.reltuples::bigint, d.description
    FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d
      ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
    WHERE c.relnamespace = %s AND c.relkind NOT IN ('i', 'I', 'c') ORDER BY c.relname"""
COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, d.description
    FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef ad
      ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_description d ON d.objoid = a.attrelid AND d.objsubid = a.attnum
    WHERE a.attrelid = %s AND NOT a.attisdropped AND a.attnum > 0 ORDER BY a.attnum"""


def schema_oid(db: psycopg.Connection, name: str) -> int:
    """As the tree has it after the first query."""
    return next(int(row[0]) for row in rows(db, SCHEMAS) if row[1] == name)


def relations(db: psycopg.Connection, schema: str) -> dict[str, tuple[Any, ...]]:
    """The folder of a schema, by table."""
    return {row[1]: row for row in db.execute(RELATIONS, [schema_oid(db, schema)])}


def test_the_database_is_none_of_the_systems_own(db: psycopg.Connection) -> None:
    """Tools hide databases whose OID is one of those that are reserved for the system."""
    assert rows(db, "SELECT oid >= 16384 FROM pg_database WHERE datname = current_database()") == [(True,)]


def test_schemas_with_their_comments(db: psycopg.Connection) -> None:
    comments = {row[1]: row[2] for row in rows(db, SCHEMAS)}
    attached = [row[0] for row in rows(db, "SELECT schema_name FROM _rvbbit_sessions WHERE is_attached")]
    assert len(attached) >= 10
    assert all("RVBBIT session " in (comments[name] or "") for name in attached)


def test_tables_with_kind_estimate_and_comment(db: psycopg.Connection, matrix: Matrix) -> None:
    found = relations(db, SESSION)
    assert {name: row[2] for name, row in found.items()} == dict.fromkeys(
        ("_endless", "_fails_late", "_stream", "_types"), matrix.shown.relkind
    )
    assert {name: row[3] for name, row in found.items() if name != "_endless"} == {
        "_fails_late": 300_000, "_stream": STREAMED, "_types": 3,
    }  # fmt: skip
    assert "one column of each kind" in found["_types"][4]


def test_columns_with_types_and_comments(db: psycopg.Connection) -> None:
    found = db.execute(COLUMNS, [relations(db, SESSION)["_types"][0]]).fetchall()
    assert [row[0] for row in found] == NAMES
    assert [row[1] for row in found] == TYPES
    assert not any(row[2] for row in found)
    comments = {row[0]: row[3] for row in found if row[3]}
    assert comments == {
        "money": "in euros",
        "tiny": "DuckDB type TINYINT",
        "huge": "DuckDB type HUGEINT",
        "label": "DuckDB type ENUM",
        "names": "DuckDB type VARCHAR[]",
        "record": "DuckDB type STRUCT(a INTEGER, b VARCHAR[])",
        "zoned_clock": "DuckDB type TIME WITH TIME ZONE",
    }


def test_the_definition_shows_no_path(db: psycopg.Connection, matrix: Matrix) -> None:
    options = rows(db, "SELECT ftoptions::text FROM pg_foreign_table")
    options += rows(db, "SELECT attfdwoptions::text FROM pg_attribute WHERE attfdwoptions IS NOT NULL")
    assert len(options) > 30
    assert not [row for row in options if "/" in row[0]]


def test_the_standards_views(db: psycopg.Connection, matrix: Matrix) -> None:
    query = "SELECT table_type, is_insertable_into FROM information_schema.tables WHERE table_schema = %s"
    assert set(db.execute(query, [SESSION])) == {(matrix.shown.standard_type, matrix.shown.insertable)}
    query = (
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = '_types'"
    )
    assert [row[0] for row in db.execute(query + " ORDER BY ordinal_position", [SESSION])] == NAMES


# What a grid sends for a page of 200 rows: no LIMIT in the text, a limit of rows in the message.
PAGES = [
    "SELECT x.* FROM client_matrix._stream x",
    "SELECT x.* FROM client_matrix._stream x WHERE x.region = 'north'",
    "SELECT x.* FROM client_matrix._stream x WHERE factorial(x.id % 3) = 1",
    "SELECT id, note FROM client_matrix._fails_late",
]


@pytest.mark.parametrize("query", PAGES)
def test_a_preview_stops_early(matrix: Matrix, query: str) -> None:
    """200 rows are sent of a million; DuckDB delivered no more than a fraction, as its counters say."""
    found, plans = asyncio.run(preview(matrix, query, 200))
    assert len(found) == 200
    assert len(plans) == 1
    delivered = [int(n) for n in re.findall(r'"DuckDB Rows": (\d+)', plans[0])]
    assert len(delivered) == 1
    assert 200 <= delivered[0] <= STREAMED / 10, delivered
    assert json.loads(plans[0][plans[0].index("{") :])["Plan"]["Actual Rows"] == 200


async def preview(matrix: Matrix, query: str, limit: int) -> tuple[list[Any], list[str]]:
    """The first rows of a portal that is executed with a row limit, and the plan as it was when it ended."""
    connection = await asyncpg.connect(matrix.url(user="postgres"))
    plans: list[str] = []
    connection.add_log_listener(lambda _, message: plans.append(str(message.message)))
    for name, value in (("min_duration", "0"), ("analyze", "on"), ("format", "json"), ("level", "notice")):
        await connection.execute(f"SET auto_explain.log_{name} = {value}")
    plans.clear()
    async with connection.transaction():
        cursor = await connection.cursor(query)
        found = await cursor.fetch(limit)
    kept = [plan for plan in plans if "DuckDB Rows" in plan]
    assert await connection.fetchval("SELECT count(*) FROM client_matrix._types") == 3
    await connection.close()
    return found, kept


def test_one_row_of_a_statement_without_a_transaction(matrix: Matrix) -> None:
    """The same message outside of a transaction, as pgJDBC's maxRows sends it."""

    async def act() -> tuple[int, int]:
        connection = await asyncpg.connect(matrix.url())
        first = await connection.fetchrow("SELECT x.* FROM client_matrix._stream x ORDER BY id DESC")
        after = await connection.fetchval("SELECT count(*) FROM client_matrix._stream")
        await connection.close()
        return first["id"], after

    assert asyncio.run(act()) == (STREAMED - 1, STREAMED)


# A filter or sort of a grid, and what of it DuckDB does: all of it ("whole"), or the filter ("scans").
GRID = [
    ("WHERE x.region = 'north'", "scans"),
    ("WHERE x.region <> 'north'", "scans"),
    ("WHERE x.region IN ('north', 'south')", "scans"),
    ("WHERE x.region LIKE 'n%'", "scans"),
    ("WHERE x.region ILIKE '%OR%'", "scans"),
    ("WHERE x.region NOT LIKE 'n%'", "scans"),
    ("WHERE x.discount IS NULL", "scans"),
    ("WHERE x.discount IS NOT NULL AND x.discount >= 0.25", "scans"),
    ("WHERE x.order_id BETWEEN 100010 AND 100020", "scans"),
    ("WHERE x.ordered_at > '2025-11-15 12:00:00'", "scans"),
    ("WHERE x.order_id = 100711 OR x.product = 'kettle'", "scans"),
    ("ORDER BY x.ordered_at DESC", "whole"),
    ("ORDER BY x.region, x.discount DESC, x.order_id", "whole"),
    ("ORDER BY 4, 1 DESC", "whole"),
    ("WHERE x.region = 'north' ORDER BY x.order_id DESC", "whole"),
]


@pytest.mark.parametrize(("clause", "expected"), GRID)
def test_filters_and_sorts_of_a_grid_run_in_duckdb(
    db: psycopg.Connection, clause: str, expected: str
) -> None:
    query = f'SELECT x.* FROM "{ORDERS}"._extract_data x {clause}'
    what = pushed(rows(db, f"EXPLAIN (FORMAT JSON) {query}")[0][0][0]["Plan"])
    assert ("whole" if what.whole else "scans" if what.anything else "columns") == expected
    statement = "".join(str(part) for part in what.statements) + str(what.whole)
    for word in ("WHERE", "ORDER BY"):
        assert (word in clause) == (word in statement), statement
    db.execute("SET rvbbit.pushdown = full")
    page = rows(db, f"SELECT * FROM ({query}) p LIMIT 50")
    db.execute("SET rvbbit.pushdown = off")
    local = rows(db, query)
    assert (page == local[:50]) if "ORDER BY" in clause else (set(page) <= set(local))
    assert len(page) == min(50, len(local))


def test_counts_and_value_lists_of_a_grid(db: psycopg.Connection) -> None:
    assert rows(db, "SELECT count(*) FROM client_matrix._stream x WHERE x.region = 'north'") == [(333_334,)]
    values = "SELECT DISTINCT region FROM client_matrix._stream WHERE region ILIKE '%th%' ORDER BY 1"
    assert rows(db, values) == [("north",), ("south",)]
    pairs = "SELECT region, count(*) FROM client_matrix._stream GROUP BY region ORDER BY 2 DESC, 1"
    assert rows(db, pairs) == [("north", 333_334), ("east", 333_333), ("south", 333_333)]


@pytest.fixture
def run(server: Server, db: psycopg.Connection) -> Iterator[Any]:
    """A writer in the middle of its run, attached."""
    path = server.session_dir / "run_of_today.duckdb"
    with writing(path) as writer:
        writer.run("CREATE TABLE _extract AS SELECT range AS id FROM range(10)")
        db.execute("CALL rvbbit.sync()")
        yield writer
    path.unlink()
    for _ in range(2):
        db.execute("CALL rvbbit.sync()")


def test_a_refresh_shows_new_phases(db: psycopg.Connection, run: Any) -> None:
    """Both refreshes: of the schema's tables, and of a grid that is open."""
    page = "SELECT x.* FROM run_of_today._extract x"
    assert set(relations(db, "run_of_today")) == {"_extract"}
    assert len(rows(db, page)) == 10
    run.run("CREATE TABLE _transform AS SELECT id, id * 2 AS doubled FROM _extract")
    run.run("INSERT INTO _extract SELECT 99 FROM range(5)")
    assert len(rows(db, page)) == 15
    db.execute("CALL rvbbit.sync()")
    found = relations(db, "run_of_today")
    assert {name: row[3] for name, row in found.items()} == {"_extract": 15, "_transform": 10}
    columns = db.execute(COLUMNS, [found["_transform"][0]]).fetchall()
    assert [row[:2] for row in columns] == [("id", "bigint"), ("doubled", "bigint")]
    assert rows(db, "SELECT sum(doubled) FROM run_of_today._transform") == [(90,)]


def test_a_cell_cannot_be_edited(db: psycopg.Connection) -> None:
    """What a grid with a virtual key sends; the transaction goes on after it is rolled back."""
    table = f'"{ORDERS}"._extract_data'
    for statement in (
        f"UPDATE {table} SET region = 'x' WHERE order_id = 100000",
        f"DELETE FROM {table} WHERE order_id = 100000",
        f"INSERT INTO {table} (order_id) VALUES (1)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            db.execute(statement)
    assert rows(db, f"SELECT count(*) FROM {table}") == [(3000,)]
