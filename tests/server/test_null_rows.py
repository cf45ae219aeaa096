"""Rows with NULL in sessions that DuckDB 1.4.2 wrote: no condition, join or view loses them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows
from tests.server.whole import is_pushed

pytestmark = pytest.mark.server

SESSION, SCHEMA = "hollow-newt-55ee03", "null_rows"
TABLES = """
CREATE TABLE t AS SELECT range::INTEGER AS id, CASE WHEN range % 5 > 0 THEN range % 7 END::INTEGER AS a,
    CASE WHEN range % 3 > 0 THEN range % 11 END::INTEGER AS b,
    CASE WHEN range % 4 > 0 THEN 'x' || range % 9 END AS s
FROM range(5000);
CREATE TABLE u AS SELECT CASE WHEN range % 3 > 0 THEN range END::INTEGER AS x, -1 AS k FROM range(40);
CREATE TABLE g (id INTEGER, a INTEGER, h INTEGER GENERATED ALWAYS AS (coalesce(a, -1)));
INSERT INTO g SELECT id, a FROM t;
CREATE VIEW found AS SELECT id, a, s FROM t WHERE coalesce(a, -1) = -1;
CREATE VIEW computed AS SELECT id, coalesce(b, -1) AS c, a + 1 AS n, s FROM t;
CREATE VIEW plain AS SELECT id, a + 1 AS n FROM t WHERE b > 1;
CREATE VIEW nulls AS SELECT id, a FROM t WHERE a IS NULL;
CREATE VIEW twice AS SELECT id FROM t WHERE a IS NULL AND a IS DISTINCT FROM 3;
CREATE VIEW either AS SELECT id, a FROM t WHERE a IS DISTINCT FROM 3;
"""
NAMES = ("t", "u", "g", "found", "computed", "plain", "nulls", "twice", "either")

STATEMENTS = [
    "SELECT id FROM {found}",
    "SELECT count(*), count(a), max(s) FROM {found}",
    "SELECT id FROM {found} WHERE s IS NULL",
    "SELECT id FROM {computed} WHERE c = -1",
    "SELECT id FROM {computed} WHERE n IS NULL AND id < 100",
    "SELECT id FROM {plain} WHERE n IS NULL",
    "SELECT id FROM {plain} WHERE n = 3",
    "SELECT count(*) FROM {plain} WHERE n IS DISTINCT FROM 3",
    "SELECT id FROM {g} WHERE h = -1",
    "SELECT c, count(*) FROM {computed} GROUP BY c",
    "SELECT c, count(*) FROM {computed} GROUP BY c HAVING c = -1",
    "SELECT v.id, u.x FROM {computed} AS v JOIN {u} AS u ON v.c = u.k WHERE u.x = 4",
    "SELECT count(*) FROM {computed} WHERE c = (SELECT max(k) FROM {u})",
    "SELECT count(*) FROM {computed} WHERE c IN (SELECT k FROM {u})",
    "SELECT t.id FROM {t} AS t JOIN {u} AS u ON coalesce(t.a, -1) = u.k WHERE u.k = -1 AND u.x = 5",
    "SELECT s.id FROM (SELECT id, coalesce(b, -1) AS c FROM {t}) AS s JOIN {u} AS u ON s.c = u.k AND u.x = 7",
    "SELECT count(*) FROM (SELECT coalesce(a, -1) AS c FROM {t}) AS s WHERE c = -1",
    "SELECT count(*) FROM (SELECT a + 1 AS c FROM {t}) AS s WHERE c IS NULL",
    "SELECT count(*) FROM (SELECT a IS NOT NULL AS c FROM {t}) AS s WHERE NOT c",
    "SELECT count(t.id) FROM {u} AS u LEFT JOIN {t} AS t ON t.id = u.x AND coalesce(t.b, -1) = -1",
    "SELECT x FROM {u} AS u WHERE NOT EXISTS (SELECT FROM {t} AS t WHERE t.id = u.x AND t.b + 1 IS NULL)",
    "SELECT count(*) FROM {t} WHERE NOT (a IS NOT NULL)",
    "SELECT id FROM {t} WHERE a IS NULL",
    "SELECT id FROM {t} WHERE a IS NULL AND a IS DISTINCT FROM 3",
    "SELECT id FROM {t} WHERE s IS DISTINCT FROM 'x1' AND s IS NULL AND id < 4000",
    "SELECT id FROM {t} WHERE a IS NULL AND coalesce(a, -1) = -1",
    "SELECT count(*), max(id) FROM {t} WHERE b IS NULL AND b IS DISTINCT FROM 900",
    "SELECT id FROM {t} WHERE (a IS NULL OR a > 3) AND a IS DISTINCT FROM 5",
    "SELECT count(*) FROM (SELECT id, a FROM {t} WHERE a IS NULL) AS s WHERE s.a IS DISTINCT FROM 2",
    "SELECT count(*) FROM {nulls} WHERE a IS DISTINCT FROM 3",
    "SELECT id FROM {twice}",
    "SELECT id FROM {either} WHERE a IS NULL",
    "SELECT count(*) FROM {t} WHERE (a = 99) IS NOT TRUE",
    "SELECT count(*) FROM {t} WHERE greatest(a, -1) = -1",
    "SELECT count(*) FROM {t} WHERE concat(s, '') = ''",
    "SELECT count(*) FROM {t} WHERE CASE WHEN a IS NULL THEN 1 ELSE coalesce(b, -1) END = 1",
    "SELECT a, id FROM {t} ORDER BY a DESC, id LIMIT 5 OFFSET 990",
    "SELECT s, id FROM {t} ORDER BY s NULLS FIRST, id LIMIT 5 OFFSET 1240",
]


@pytest.fixture(scope="module")
def nulls(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A schema with the session, and what its writer saw in it as ordinary tables named heap_*."""
    path = server.session_dir / f"{SESSION}.duckdb"
    copies = (f"CREATE TABLE seen_{name} AS SELECT * FROM {name}" for name in NAMES)
    make_session(path, TABLES, *copies)
    database = private_copy(server.session_dir, SESSION, tmp_path_factory.mktemp("copies"))
    with server.connect() as db:
        db.execute(f"CREATE SCHEMA {SCHEMA}")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO {SCHEMA}')
        for name in NAMES:
            like, copy = sql.Identifier(SCHEMA, name), sql.Identifier(SCHEMA, f"heap_{name}")
            load(db, copy, like, text_rows(database, f"seen_{name}"))
        yield SCHEMA
        db.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    path.unlink()


def over(text: str, prefix: str = "") -> sql.Composed:
    return sql.SQL(text).format(**{name: sql.Identifier(SCHEMA, f"{prefix}{name}") for name in NAMES})


@pytest.mark.parametrize("text", STATEMENTS)
@pytest.mark.usefixtures("nulls")
def test_no_row_with_null_is_lost(db: psycopg.Connection, text: str) -> None:
    found, expected = db.execute(over(text)).fetchall(), db.execute(over(text, "heap_")).fetchall()
    assert found == expected if "ORDER BY" in text else sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.usefixtures("nulls")
def test_joins_and_subqueries_run_in_duckdb(db: psycopg.Connection) -> None:
    assert all(is_pushed(db, over(text)) for text in STATEMENTS if "JOIN" in text or "(SELECT" in text)


@pytest.mark.usefixtures("nulls")
def test_what_is_pushed_is_what_postgresql_finds(db: psycopg.Connection) -> None:
    db.execute("SET rvbbit.verify = on")
    for text in STATEMENTS:
        db.execute(over(text))


@pytest.mark.usefixtures("nulls")
def test_analyze_counts_all_rows(db: psycopg.Connection) -> None:
    db.execute(over("ANALYZE {found}"))
    query = over("SELECT reltuples FROM pg_class WHERE oid = '{found}'::regclass")
    assert (
        db.execute(query).fetchone() == db.execute(over("SELECT count(*) FROM {found}", "heap_")).fetchone()
    )
