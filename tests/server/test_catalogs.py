"""rvbbit_tables and rvbbit_columns: what an import would make of every session, without attaching any."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.server.test_import import import_session

pytestmark = pytest.mark.server

IMPORTED = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = %s::regnamespace
"""

# The declared types as PostgreSQL prints them.
LISTED = """
    SELECT t.pg_name, c.pg_name,
           CASE c.pg_type WHEN 'timetz' THEN 'time with time zone'
                          WHEN 'timestamp' THEN 'timestamp without time zone'
                          WHEN 'timestamptz' THEN 'timestamp with time zone'
                          WHEN 'time' THEN 'time without time zone' ELSE c.pg_type END
    FROM rvbbit_tables AS t JOIN rvbbit_columns AS c USING (session_id, schema_name, table_name)
    WHERE session_id = %s AND schema_name = %s AND t.error IS NULL
"""

# A question over all sessions, and what it answers on the demo folder.
QUESTIONS = [
    (
        "SELECT DISTINCT session_id FROM rvbbit_columns WHERE table_name = '_score_leads' ORDER BY 1",
        {"Churn_Model_V2", "agile-finch-4acdcc", "golden-stoat-3e71fa", "übersicht_café_märz"},
    ),
    ("SELECT session_id FROM rvbbit_tables WHERE error IS NOT NULL", {"pg_client_default"}),
    ("SELECT session_id FROM rvbbit_tables WHERE session_id = 'no such session'", set[str]()),
    ("SELECT session_id FROM rvbbit_columns WHERE session_id = 'hollow-vole-6d1f08'", set[str]()),
    ("SELECT schema_name FROM rvbbit_tables WHERE session_id = 'pg_client_default'",
     {"main", "analytics", "_results_20251220"}),
    ("SELECT DISTINCT kind FROM rvbbit_tables", {"table", "view"}),
]  # fmt: skip


def readable(db: psycopg.Connection) -> list[tuple[str, str]]:
    """Session and schema of all that can be imported."""
    query = "SELECT DISTINCT session_id, schema_name FROM rvbbit_tables ORDER BY 1, 2"
    return [(str(session), str(schema)) for session, schema in db.execute(query)]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS)
def test_questions(db: psycopg.Connection, question: str, answer: set[str]) -> None:
    assert {row[0] for row in db.execute(sql.SQL(question))} == answer


def test_names_and_types_are_those_of_an_import(db: psycopg.Connection) -> None:
    sessions = readable(db)
    assert len(sessions) >= 25
    for session, schema in sessions:
        db.execute("CREATE SCHEMA compared")
        command = "IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO compared OPTIONS (session {})"
        db.execute(sql.SQL(command).format(sql.Identifier(schema), sql.Literal(session)))
        imported = set(db.execute(IMPORTED, ("compared",)))
        assert set(db.execute(LISTED, (session, schema))) == imported, session
        db.execute("DROP SCHEMA compared CASCADE")


def test_every_readable_session_is_counted_alike(db: psycopg.Connection) -> None:
    counted = "SELECT session_id, table_count FROM rvbbit_sessions WHERE table_count > 0"
    listed = "SELECT session_id, count(column_count)::int FROM rvbbit_tables GROUP BY 1"
    assert set(db.execute(counted)) == set(db.execute(listed))


def test_estimates_are_those_of_duckdb(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, "agile-cardinal-490cb1")
    query = "SELECT pg_name, estimated_rows FROM rvbbit_tables WHERE session_id = 'agile-cardinal-490cb1'"
    for name, rows in db.execute(query).fetchall():
        counted = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
        assert db.execute(counted).fetchone() == (rows,)


def test_only_the_sessions_named_are_looked_at(db: psycopg.Connection) -> None:
    query = "EXPLAIN (COSTS OFF) SELECT pg_name FROM rvbbit_columns WHERE session_id IN ('a', 'b')"
    plan = "\n".join(line for (line,) in db.execute(query))
    assert "Catalog: columns" in plan
    assert "Pruned by: session_id" in plan


def test_what_attaches_by_itself_is_ranked_and_its_state_asked(db: psycopg.Connection) -> None:
    query = "SELECT session_id FROM rvbbit_sessions WHERE auto_attach AND is_named AND state = 'ready'"
    plan = "\n".join(line for (line,) in db.execute(f"EXPLAIN (COSTS OFF) {query}"))
    assert "Pruned by: auto_attach, is_named" in plan
    found = {row[0] for row in db.execute(sql.SQL(query))}
    assert {"cascade_test", "production_etl_2024_12_20", "q4 revenue report"} <= found
    assert not {name for name in found if "_sounding_" in name or name.startswith("pg_client_")}


def test_a_second_look_needs_no_snapshot(server: Server, db: psycopg.Connection) -> None:
    query = "SELECT * FROM rvbbit_columns ORDER BY session_id, schema_name, table_name, position"
    first = db.execute(query).fetchall()
    server.run("sh", "-c", "rm -rf /var/lib/rvbbit/sessions/*", user="postgres")
    with server.connect() as other:
        assert other.execute(query).fetchall() == first
    assert server.run("ls", "/var/lib/rvbbit/sessions", user="postgres") == ""
