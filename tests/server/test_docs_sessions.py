"""docs/sessions.md says what is so: each statement of its table is run, in DuckDB and here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rvbbit_fdw import options
from tests.kit.container import ROOT, Server
from tests.kit.writers import Writer

pytestmark = pytest.mark.server

PAGE = (ROOT / "docs" / "sessions.md").read_text()
TABLE = PAGE.split("\n## ")[1]
ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| (.*) ?\|$", re.MULTILINE)


@pytest.fixture
def duckdb(tmp_path: Path) -> Iterator[Writer]:
    """DuckDB of RVBBIT's version, with a database "memory" of its own; files that it writes go beside it."""
    writer = Writer(tmp_path / "memory.duckdb")
    yield writer
    writer.close()


@pytest.fixture
def db(server: Server) -> Iterator[psycopg.Connection]:
    """A connection as people have it; what they made is gone afterwards."""
    with server.connect() as connection:
        yield connection
        connection.execute("SELECT rvbbit_detach_session('cascade_test')")
        connection.execute("DROP TABLE IF EXISTS public.mine")
        connection.execute("DROP SCHEMA IF EXISTS daily CASCADE")
    with server.connect(user="postgres") as admin:
        admin.execute("DELETE FROM rvbbit.detachment")


def here(db: psycopg.Connection, statement: str) -> list[tuple[str, ...]]:
    """The rows of a statement as texts; what COPY gives counts as rows too."""
    cursor = db.cursor()
    if statement.startswith("COPY"):
        with cursor.copy(statement.encode()) as lines:
            return [(bytes(line).decode(),) for line in lines]
    cursor.execute(statement.encode())
    return [tuple(map(str, row)) for row in cursor.fetchall()] if cursor.description else []


def there(duckdb: Writer, statement: str, **folders: Path) -> list[tuple[str, ...]]:
    """The rows of a statement in DuckDB as texts; files are in these folders."""
    for name, folder in folders.items():
        statement = statement.replace(f"'{name}", f"'{folder}")
    return [tuple(map(str, row)) for row in duckdb.run(statement)]


def test_each_row_of_the_table(
    server: Server, db: psycopg.Connection, duckdb: Writer, tmp_path: Path
) -> None:
    rows = ROW.findall(TABLE)
    assert len(rows) == sum(line.startswith("| `") for line in TABLE.splitlines()) >= 15
    same = 0
    for theirs, ours, remark in rows:
        rows_there = there(duckdb, theirs, session_dbs=server.session_dir, output=tmp_path / "output")
        rows_here = here(db, ours)
        if remark.startswith("="):
            assert sorted(rows_there) == sorted(rows_here) != [], ours
            same += 1
    assert same >= 6


def test_attached_is_read_only(db: psycopg.Connection) -> None:
    here(db, "SELECT rvbbit_attach_session('cascade_test', 'a')")
    with pytest.raises(psycopg.Error) as caught:
        db.execute("INSERT INTO a._output (status) VALUES ('x')")
    assert f"`{caught.value.diag.message_primary}`" in PAGE


def test_each_row_of_the_table_of_presentations(db: psycopg.Connection) -> None:
    table = PAGE.partition("\n| to have | |\n")[2].partition("\n\n")[0]
    statements = re.findall(r"`(SELECT [^`]+)`", table)
    assert len(statements) == 3
    with db.transaction(force_rollback=True):
        for statement in statements:
            here(db, statement)


def test_the_options_of_an_import() -> None:
    table = PAGE.partition("\n| option of the command | meaning |\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(options.of_context("import"))


def test_sync_in_a_transaction_block_is_refused(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InvalidTransactionTermination), db.transaction():
        db.execute("CALL rvbbit.sync()")
