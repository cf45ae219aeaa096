"""What the snapshot store shows of itself, and statements that accept an older state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import writing
from tests.server.test_import import import_session

pytestmark = pytest.mark.server

SESSION = "snapshot-newt-0a1b2c"


@pytest.fixture
def session_path(server: Server) -> Iterator[Path]:
    """Where the session lies; it is gone after the test."""
    path = server.session_dir / f"{SESSION}.duckdb"
    yield path
    for file in server.session_dir.glob(f"{SESSION}.*"):
        file.unlink()


def shown(db: psycopg.Connection) -> list[tuple[bool]]:
    """Which of the session's snapshots are current, by age."""
    query = "SELECT is_current FROM rvbbit.snapshots WHERE session_id = %s ORDER BY taken_at"
    return db.execute(query, [SESSION]).fetchall()


def test_a_live_session_has_a_current_snapshot_once_it_was_read(
    db: psycopg.Connection, schema: str, session_path: Path
) -> None:
    count = sql.SQL("SELECT count(*) FROM {}.phase").format(sql.Identifier(schema))
    with writing(session_path) as writer:
        writer.run("CREATE TABLE phase AS SELECT range AS n FROM range(10)")
        import_session(db, schema, SESSION)
        assert shown(db) == [(True,)]
        writer.run("INSERT INTO phase VALUES (11)")
        assert shown(db) == [(False,)]
        assert db.execute(count).fetchone() == (11,)
        assert shown(db) == [(False,), (True,)]


def test_size_and_age(db: psycopg.Connection, schema: str) -> None:
    table = min(import_session(db, schema, "agile-finch-4acdcc"))
    # What an import needs to know may be known without a snapshot.
    db.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table)))
    query = """SELECT min(size_bytes) >= 12288, bool_and(age_seconds BETWEEN 0 AND 3600),
                      bool_and(taken_at <= now() AND last_used_at >= taken_at)
               FROM rvbbit.snapshots WHERE session_id = 'agile-finch-4acdcc'"""
    assert db.execute(query).fetchone() == (True, True, True)


def test_a_dashboard_may_accept_an_older_state(
    server: Server, db: psycopg.Connection, schema: str, session_path: Path
) -> None:
    count = sql.SQL("SELECT count(*) FROM {}.phase").format(sql.Identifier(schema))
    with writing(session_path) as writer, server.connect() as dashboard:
        writer.run("CREATE TABLE phase AS SELECT range AS n FROM range(10)")
        import_session(db, schema, SESSION)
        dashboard.execute("SET rvbbit.max_staleness = '1h'")
        assert dashboard.execute(count).fetchone() == (10,)
        writer.run("INSERT INTO phase VALUES (11)")
        assert dashboard.execute(count).fetchone() == (10,)
        assert db.execute(count).fetchone() == (11,)
        assert dashboard.execute(count).fetchone() == (11,)
        dashboard.execute("RESET rvbbit.max_staleness")
        writer.run("INSERT INTO phase VALUES (12)")
        assert dashboard.execute(count).fetchone() == (12,)


def test_a_staleness_below_zero_is_refused(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        db.execute("SET rvbbit.max_staleness = -1")


def test_a_reader_sees_the_snapshots_and_nobody_else_does(db: psycopg.Connection) -> None:
    query = """SELECT has_table_privilege('rvbbit_reader', 'rvbbit.snapshots', 'SELECT'),
                      has_table_privilege('rvbbit_reader', 'public.rvbbit_snapshots', 'SELECT'),
                      (SELECT count(*) FROM pg_class, aclexplode(relacl) AS a
                       WHERE oid = 'rvbbit.snapshots'::regclass AND a.grantee = 0)"""
    assert db.execute(query).fetchone() == (True, True, 0)
