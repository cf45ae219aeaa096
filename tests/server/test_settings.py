"""Rows are the same in any encoding and under any settings, and memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import errors, sql

from tests.kit.container import Server
from tests.kit.host import WRAPPER
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

SESSION = "plain-crane-c0c0c0"
TEXTS = [(1, "", "one", ""), (2, "two", "", ""), (3, "", "three", "x"), (4, "grün", "", "ÿ")]


@pytest.fixture(scope="module", autouse=True)
def session(server: Server) -> Iterator[Path]:
    """Texts that are empty or not ASCII, intervals of mixed signs, and views that want memory."""
    path = server.session_dir / f"{SESSION}.duckdb"
    rows = ", ".join(str(row) for row in TEXTS)
    make_session(
        path,
        f"CREATE TABLE texts AS FROM (VALUES {rows}) AS t(id, a, b, c)",
        "CREATE TABLE spans AS SELECT INTERVAL (-1) DAY + INTERVAL 2 HOUR AS mixed,"
        " INTERVAL (-14) MONTH - INTERVAL 3 SECOND AS negative, INTERVAL 0 DAY AS zero",
        "CREATE VIEW one_text AS SELECT repeat('x', 2000000000) AS t FROM range(100)",
        "CREATE VIEW doubling AS WITH RECURSIVE d AS (SELECT 'x' AS t, 1 AS n UNION ALL"
        " SELECT t || t, n + 1 FROM d WHERE n < 40) SELECT t FROM d",
    )
    yield path
    path.unlink()


def import_session(db: psycopg.Connection, schema: str) -> None:
    """Import the session's tables."""
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))


@contextmanager
def encoded(server: Server, encoding: str) -> Iterator[psycopg.Connection]:
    """A database of that encoding with both extensions and a schema s."""
    name = f"encoded_{encoding.lower()}"
    with server.connect(user="postgres") as admin:
        admin.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'"
        )
        try:
            with server.connect(user="postgres", dbname=name) as db:
                db.execute(f"CREATE EXTENSION {WRAPPER}; CREATE EXTENSION rvbbit")
                db.execute("CALL rvbbit.setup(session_dir => '/sessions', snapshot_dir => '/var/lib/rvbbit')")
                db.execute("CREATE SCHEMA s")
                yield db
        finally:
            admin.execute(f"DROP DATABASE {name}")


def test_comments_that_the_encoding_does_not_have(server: Server) -> None:
    path = server.session_dir / "snow-owl-070707.duckdb"
    make_session(path, "CREATE TABLE t AS SELECT 1 AS a", "COMMENT ON COLUMN t.a IS 'snow \u2603'")
    command = 'IMPORT FOREIGN SCHEMA "snow-owl-070707" FROM SERVER rvbbit INTO s'
    with encoded(server, "LATIN1") as db:
        with pytest.raises(psycopg.errors.UntranslatableCharacter):
            db.execute(command)
        db.execute(f"{command} OPTIONS (import_comments 'false')")
        assert db.execute("SELECT a FROM s.t").fetchall() == [(1,)]
    path.unlink()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "UTF8"])
def test_texts_in_a_database_of_another_encoding(server: Server, encoding: str) -> None:
    with encoded(server, encoding) as db:
        import_session(db, "s")
        rows = db.execute("SELECT id, a::bytea, b::bytea, c::bytea FROM s.texts ORDER BY id").fetchall()
    used = "latin-1" if encoding == "LATIN1" else "utf-8"
    assert [(row[0], *(bytes(text).decode(used) for text in row[1:])) for row in rows] == TEXTS


TODAY = "modified_at >= date_trunc('day', now())"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize(
    "condition",
    [
        TODAY,
        "modified_at >= date_trunc('day', now() - interval '2 days')",
        "session_id <> to_char(now(), 'HH24') AND modified_at > make_timestamptz(2026, 1, 1, 0, 0, 0.5)",
        "session_id = ANY (ARRAY['plain-crane-c0c0c0', to_char(now(), 'TZH')])",
    ],
)
def test_conditions_mean_what_the_time_zone_says(db: psycopg.Connection, zone: str, condition: str) -> None:
    """Sessions chosen by a condition are those that it holds for when all are looked at."""
    db.execute("SELECT set_config('timezone', %s, false)", [zone])
    chosen = f"SELECT count(*) FROM rvbbit_sessions WHERE {condition}"
    all_of_them = f"SELECT count(*) FROM (SELECT * FROM rvbbit_sessions OFFSET 0) AS s WHERE {condition}"
    assert db.execute(chosen).fetchone() == db.execute(all_of_them).fetchone()


@pytest.mark.parametrize("style", ["postgres", "postgres_verbose", "sql_standard", "iso_8601"])
def test_intervals_under_any_style(db: psycopg.Connection, schema: str, style: str) -> None:
    import_session(db, schema)
    db.execute("SELECT set_config('intervalstyle', %s, false)", [style])
    query = sql.SQL(
        "SELECT extract(epoch FROM mixed)::bigint,"
        " extract(epoch FROM negative - interval '-14 months')::bigint, extract(month FROM negative)::int,"
        " zero = interval '0' FROM {}.spans"
    )
    assert db.execute(query.format(sql.Identifier(schema))).fetchone() == (-79200, -3, -2, True)
    assert db.execute("SHOW intervalstyle").fetchone() == (style,)


@pytest.mark.parametrize("view", ["one_text", "doubling"])
def test_a_view_that_wants_all_memory_is_an_error(db: psycopg.Connection, schema: str, view: str) -> None:
    import_session(db, schema)
    query = sql.SQL("SELECT count(*) FROM {} WHERE length(t) > 0").format(sql.Identifier(schema, view))
    with pytest.raises(errors.OutOfMemory):
        db.execute(query)
    small = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, "texts"))
    assert db.execute(small).fetchone() == (4,)


def test_only_a_superuser_sets_limits(server: Server, db: psycopg.Connection) -> None:
    for name in ("memory_limit", "process_limit", "temp_limit", "snapshot_limit", "threads"):
        with pytest.raises((errors.InsufficientPrivilege, errors.CantChangeRuntimeParam)):
            db.execute(f"SET rvbbit.{name} = 1")
