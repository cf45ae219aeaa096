"""Subqueries in DuckDB that refer to the queries around them: equal values that differ, and names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows
from tests.server.whole import is_pushed, rows

pytestmark = pytest.mark.server

SESSION, SCHEMA = "calm-otter-77aa03", "test_outer"

TABLES = """
CREATE TABLE spans (id INTEGER, grp INTEGER, span INTERVAL, price DOUBLE, pair STRUCT(price DOUBLE));
INSERT INTO spans VALUES (1, 1, INTERVAL '1 month', 0.0, {'price': 0.0}),
    (2, 1, INTERVAL '30 days', '-0'::DOUBLE, {'price': '-0'::DOUBLE}),
    (3, 1, INTERVAL '720 hours', 'nan', NULL),
    (4, NULL, NULL, NULL, {'price': NULL}), (5, 2, INTERVAL '2 days', 1.5, {'price': 1.5});
CREATE TABLE docs (id INTEGER, js JSON, st STRUCT(id INTEGER, price DOUBLE), mp MAP(VARCHAR, INTEGER));
INSERT INTO docs VALUES (1, '{"id": 7}', {'id': 2, 'price': 1}, MAP {'id': 7}), (2, '[]', NULL, NULL);
"""

COMPUTED = [
    "SELECT s.id, (SELECT extract(month FROM s.span) FROM {docs} AS d WHERE d.id = 1) FROM {spans} AS s",
    "SELECT s.id, x.v FROM {spans} AS s,"
    " LATERAL (SELECT s.span + interval '1 day' AS v FROM {docs} AS d) AS x",
    "SELECT s.id, x.v FROM {spans} AS s, LATERAL (SELECT s.price * d.id AS v FROM {docs} AS d) AS x",
    "SELECT s.id, x.v FROM {spans} AS s, LATERAL (SELECT s.price AS v FROM {docs} AS d WHERE d.id = 1) AS x",
    "SELECT s.id, x.v FROM {spans} AS s, LATERAL (SELECT s.pair AS v FROM {docs} AS d WHERE d.id = 1) AS x",
    "SELECT id FROM {spans} AS s"
    " WHERE (extract(month FROM s.span)::int, s.grp) IN (SELECT d.id - 1, 1 FROM {docs} AS d)",
]

COMPARED = [
    "SELECT s.id, (SELECT count(*) FROM {spans} AS t WHERE t.span = s.span) FROM {spans} AS s",
    "SELECT s.id, (SELECT max(t.id) FROM {spans} AS t WHERE t.price <= s.price) FROM {spans} AS s",
    "SELECT s.id FROM {spans} AS s WHERE EXISTS (SELECT FROM {spans} AS t WHERE t.price > s.price)",
    "SELECT s.id, (SELECT count(*) FROM {spans} AS t WHERE t.span BETWEEN s.span AND '40 days')"
    " FROM {spans} AS s",
    "SELECT s.id FROM {spans} AS s WHERE EXISTS"
    " (SELECT FROM {spans} AS t WHERE t.price IS NOT DISTINCT FROM s.price AND t.id > s.id)",
]

NAMES = [
    "SELECT js.id, (SELECT max(d.id) FROM {docs} AS d WHERE d.id = js.id) FROM {spans} AS js",
    "SELECT st.id, (SELECT count(*) FROM {docs} AS d WHERE d.id > 0 AND st.id = 2) FROM {spans} AS st",
    "SELECT mp.id FROM {spans} AS mp WHERE mp.id IN (SELECT d.id FROM {docs} AS d WHERE d.id = mp.id)",
    "SELECT st.id, x.id FROM {spans} AS st LEFT JOIN LATERAL"
    " (SELECT d.id FROM {docs} AS d WHERE d.id = st.id) AS x ON true",
    "SELECT js.n FROM (SELECT count(*) AS n FROM {spans}) AS js"
    " WHERE EXISTS (SELECT FROM {docs} AS d WHERE d.id < js.n)",
]


@pytest.fixture(scope="module")
def tables(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A session's tables, and copies of them in the heap named heap_*."""
    path = make_session(server.session_dir / f"{SESSION}.duckdb", TABLES)
    copy: Path = private_copy(server.session_dir, SESSION, tmp_path_factory.mktemp("copy"))
    with server.connect() as db:
        db.execute(f"CREATE SCHEMA {SCHEMA}")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO {SCHEMA}')
        for name in ("spans", "docs"):
            heap, foreign = sql.Identifier(SCHEMA, f"heap_{name}"), sql.Identifier(SCHEMA, name)
            load(db, heap, foreign, text_rows(copy, name))
        yield
        db.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    path.unlink()


def _named(text: str, prefix: str = "") -> sql.Composed:
    names = {name: sql.Identifier(SCHEMA, prefix + name) for name in ("spans", "docs")}
    return sql.SQL(text).format(**names)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", [*COMPUTED, *COMPARED, *NAMES])
def test_same_rows(db: psycopg.Connection, text: str) -> None:
    """DuckDB or not, the rows are PostgreSQL's."""
    assert sorted(rows(db, _named(text))) == sorted(rows(db, _named(text, "heap_")))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", COMPUTED)
def test_not_pushed(db: psycopg.Connection, text: str) -> None:
    """DuckDB computes a subquery once for all outer values that are equal."""
    assert not is_pushed(db, _named(text))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("text", [*COMPARED, *NAMES])
def test_pushed(db: psycopg.Connection, text: str) -> None:
    """Comparisons of such values stay in DuckDB, whatever the tables are called."""
    assert is_pushed(db, _named(text))
