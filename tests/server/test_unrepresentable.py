"""Values that PostgreSQL cannot hold: an error that names them, or what on_unrepresentable says."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.unrepresentable_cases import CASES, RANGE, SETUP
from tests.kit.writers import NEWEST_VERSION, make_session

pytestmark = pytest.mark.server

SESSION = "zz_unrepresentable"
HINT = (
    'Leave the column out of the query, or set the option "on_unrepresentable" of the foreign table or '
    'server to "null" or "replace".'
)


@pytest.fixture(scope="module")
def _session(server: Server) -> Iterator[None]:
    path = server.session_dir / f"{SESSION}.duckdb"
    tables = (
        f"CREATE TABLE {name} AS SELECT CAST({bad.value} AS {bad.kind}) AS v" for name, bad in CASES.items()
    )
    make_session(path, *SETUP, *tables, version=NEWEST_VERSION)
    yield
    path.unlink()


@pytest.fixture
def foreign(db: psycopg.Connection, schema: str, _session: None) -> str:
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
    db.execute("SET TimeZone = 'UTC'")
    return schema


def read(db: psycopg.Connection, schema: str, table: str) -> str | None:
    """The table's one value as text."""
    row = db.execute(sql.SQL("SELECT v::text FROM {}").format(sql.Identifier(schema, table))).fetchone()
    assert row is not None
    return row[0] and str(row[0])


@pytest.mark.parametrize("table", CASES)
def test_by_default_it_is_an_error_that_names_table_column_and_value(
    db: psycopg.Connection, foreign: str, table: str
) -> None:
    bad = CASES[table]
    with pytest.raises(bad.error) as raised:
        read(db, foreign, table)
    shown = raised.value.diag
    assert shown.message_primary == f'value of column "v" of foreign table "{table}" {bad.problem}'
    assert shown.message_detail == (bad.shown and f"The value is {bad.shown}.")
    assert shown.message_hint == HINT


@pytest.mark.parametrize("table", CASES)
def test_it_may_be_null(db: psycopg.Connection, foreign: str, table: str) -> None:
    option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'null')")
    db.execute(option.format(sql.Identifier(foreign, table)))
    assert read(db, foreign, table) == CASES[table].null


@pytest.mark.parametrize("table", CASES)
def test_it_may_be_replaced(db: psycopg.Connection, foreign: str, table: str) -> None:
    option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'replace')")
    db.execute(option.format(sql.Identifier(foreign, table)))
    assert read(db, foreign, table) == CASES[table].replaced


def test_the_servers_option_holds_where_the_table_has_none(
    server: Server, db: psycopg.Connection, foreign: str
) -> None:
    with server.connect("postgres") as admin:
        admin.execute("ALTER SERVER rvbbit OPTIONS (ADD on_unrepresentable 'replace')")
        try:
            assert read(db, foreign, "late_date") == "infinity"
            option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'error')")
            db.execute(option.format(sql.Identifier(foreign, "late_date")))
            with pytest.raises(RANGE):
                read(db, foreign, "late_date")
        finally:
            admin.execute("ALTER SERVER rvbbit OPTIONS (DROP on_unrepresentable)")


def test_the_option_takes_no_other_value(db: psycopg.Connection, foreign: str) -> None:
    option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'guess')")
    with pytest.raises(
        psycopg.errors.FdwInvalidAttributeValue, match="it must be one of: error, null, replace"
    ):
        db.execute(option.format(sql.Identifier(foreign, "nul")))
