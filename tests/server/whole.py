"""What the tests of whole queries share: a session, its copy in the heap, and how a plan is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows

NODE = "DuckDB Query"
SESSION = "calm-otter-77aa01"
OTHER = "keen-heron-77aa02"

# Ties, nulls, groups of one row and of many, values at the edges of their types.
TABLES = """
CREATE TABLE items AS
SELECT i AS id, (i % 7)::INTEGER AS grp, (CASE WHEN i % 11 = 0 THEN NULL ELSE i % 13 END)::SMALLINT AS small,
    (i * 1000003)::BIGINT AS big, (CASE WHEN i % 5 = 0 THEN NULL ELSE i * 7 % 100 / 8.0 END)::DOUBLE AS price,
    (i * 31 % 97 / 4.0)::DECIMAL(12, 2) AS amount, ('Name ' || (i % 17)) AS name,
    (CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'B' END) AS code, DATE '2024-01-30' + i::INTEGER AS day,
    TIMESTAMP '2024-01-30 12:00:00' + to_minutes(i * 17) AS at, (i % 4 = 0) AS flag,
    to_days((i % 3)::INTEGER) AS span, uuid '00000000-0000-0000-0000-000000000000' AS tag,
    {'k': i} AS doc
FROM range(1, 201) AS r (i);
CREATE TABLE groups (grp INTEGER, title VARCHAR, limits BIGINT);
INSERT INTO groups VALUES (0, 'zero', 10), (1, 'one', 20), (2, 'two', NULL), (3, NULL, 40), (9, 'nine', 50),
    (NULL, 'none', 60);
CREATE TABLE empty (id INTEGER, name VARCHAR);
CREATE TABLE huge AS
SELECT i::INTEGER AS id, 4611686018427387904 AS big, 9999999999999999.99::DECIMAL(18, 2) AS amount
FROM range(500) AS r (i);
CREATE TABLE letters AS
SELECT i::INTEGER AS id, 'a' || chr(i::INTEGER) || '\\"/' AS name FROM range(1, 300) AS r (i);
"""
OTHER_TABLES = """
CREATE TABLE labels (id INTEGER, label VARCHAR);
INSERT INTO labels VALUES (1, 'first'), (2, 'second'), (2, 'again'), (7, 'seventh'), (NULL, 'nobody');
"""

OWN = ("items", "groups", "empty", "huge", "letters")
"""The tables of SESSION."""

NAMES = {**dict.fromkeys(OWN, SESSION), "labels": OTHER}


@contextmanager
def whole_schema(server: Server, name: str, target: Path) -> Iterator[str]:
    """A schema with all tables of two sessions, and copies of them in the heap named heap_*."""
    texts = {SESSION: TABLES, OTHER: OTHER_TABLES}
    for session, text in texts.items():
        make_session(server.session_dir / f"{session}.duckdb", text)
    with server.connect() as db:
        db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        for session in texts:
            command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
            db.execute(command.format(sql.Identifier(session), sql.Identifier(name)))
        for table, session in NAMES.items():
            rows = text_rows(private_copy(server.session_dir, session, target), table)
            load(db, sql.Identifier(name, f"heap_{table}"), sql.Identifier(name, table), rows)
        try:
            yield name
        finally:
            db.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
            for session in texts:
                (server.session_dir / f"{session}.duckdb").unlink()


def _named(schema: str, prefix: str) -> Mapping[str, sql.Identifier]:
    return {table: sql.Identifier(schema, f"{prefix}{table}") for table in NAMES}


def ours(schema: str, text: str) -> sql.Composed:
    """The statement over the sessions' tables: `{items}` and so on in the text."""
    return sql.SQL(text).format(**_named(schema, ""))


def heap(schema: str, text: str) -> sql.Composed:
    """The same statement over the copies."""
    return sql.SQL(text).format(**_named(schema, "heap_"))


def rows(db: psycopg.Connection, query: sql.Composable) -> list[tuple[str, ...]]:
    """The rows as text, so that numerics differ by their scale too."""
    with db.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT ROW(t.*)::text FROM ({}) AS t").format(query))
        return cursor.fetchall()


def plan(db: psycopg.Connection, query: sql.Composable, *options: str) -> str:
    """The plan as text."""
    command = sql.SQL("EXPLAIN ({}) {}").format(sql.SQL(", ".join(["COSTS OFF", *options])), query)
    return "\n".join(str(row[0]) for row in db.execute(command))


def is_pushed(db: psycopg.Connection, query: sql.Composable) -> bool:
    """True if the whole statement is one query of DuckDB."""
    return plan(db, query).splitlines()[0] == f"Custom Scan ({NODE})"


def same(db: psycopg.Connection, schema: str, text: str, *, ordered: bool | None = None) -> bool:
    """Both give the same rows, in the same order if the statement ends in one; DuckDB does not refuse."""
    ordered = "ORDER BY" in text if ordered is None else ordered
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    found, expected = rows(db, ours(schema, text)), rows(db, heap(schema, text))
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() == before
    return found == expected if ordered else sorted(found) == sorted(expected)
