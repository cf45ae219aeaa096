"""Every DuckDB type, written by the oldest and the newest DuckDB, equals what PostgreSQL read itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.type_cases import BOTH, CASES, Case
from tests.kit.writers import make_session
from tests.server.oracle import differences

pytestmark = pytest.mark.server

ROWS = 2500  # more than one of DuckDB's vectors


def session_name(version: str) -> str:
    """The session that DuckDB of this version wrote."""
    return f"zz_types_{version}"


def table_name(case: Case) -> str:
    """The table of a case."""
    return f"t{CASES.index(case)}"


def create(case: Case) -> str:
    """A table of the values with a null between two rounds of them."""
    rows = ", ".join(f"({number}, {given})" for number, (given, _) in enumerate(case.pairs))
    values = f"SELECT n, CAST(v AS {case.kind}) AS v FROM (VALUES {rows}, (-1, NULL)) AS t (n, v)"
    rows = f"SELECT n, v, r FROM ({values}) AS v, range({repeat(case)}) AS r (r)"
    return f"CREATE {case.stored} {table_name(case)} AS {rows}"


def repeat(case: Case) -> int:
    """How often the values come: long texts make their table large enough by themselves."""
    return 10 if case.row == "VARCHAR" else ROWS // (len(case.values) + 1)


@pytest.fixture(scope="module")
def sessions(server: Server) -> Iterator[Mapping[str, Path]]:
    paths = {version: server.session_dir / f"{session_name(version)}.duckdb" for version in BOTH}
    for version, path in paths.items():
        statements = [create(case) for case in CASES if version in case.versions]
        make_session(path, "SET TimeZone = 'UTC'", *statements, version=version)
    yield paths
    for path in paths.values():
        path.unlink()


@pytest.mark.parametrize(
    ("version", "case"),
    [pytest.param(version, case, id=f"{version}-{case.kind}") for case in CASES for version in case.versions],
)
def test_type(
    db: psycopg.Connection, schema: str, sessions: Mapping[str, Path], version: str, case: Case
) -> None:
    foreign = imported(db, schema, session_name(version), table_name(case))
    heap = sql.Identifier(schema, "heap")
    assert declared(db, schema, table_name(case)) == case.declared
    fill(db, heap, case)
    assert differences(db, foreign, heap) == []
    assert binary(db, foreign) == binary(db, heap)


def imported(db: psycopg.Connection, schema: str, session: str, table: str) -> sql.Identifier:
    """The foreign table of one table of a session."""
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} LIMIT TO ({}) FROM SERVER rvbbit INTO {}")
    db.execute(command.format(*(sql.Identifier(name) for name in (session, table, schema))))
    return sql.Identifier(schema, table)


def declared(db: psycopg.Connection, schema: str, table: str) -> str:
    """The type of the column v."""
    row = db.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass AND attname = 'v'",
        (schema, table),
    ).fetchone()
    assert row is not None
    return str(row[0])


def fill(db: psycopg.Connection, heap: sql.Identifier, case: Case) -> None:
    """An ordinary table with the values as PostgreSQL reads them."""
    db.execute(sql.SQL("CREATE TABLE {} (n int, v " + case.declared + ", r bigint)").format(heap))
    copy = sql.SQL("COPY {} (n, v, r) FROM STDIN").format(heap)
    with db.cursor() as cursor, cursor.copy(copy) as rows:
        for round_number in range(repeat(case)):
            for number, (_, expected) in enumerate(case.pairs):
                rows.write_row(
                    (number, None if expected == "\\N" and case.row == "NULL" else expected, round_number)
                )
            rows.write_row((-1, None, round_number))


def binary(db: psycopg.Connection, table: sql.Identifier) -> bytes:
    """The table in PostgreSQL's binary protocol, in a fixed order."""
    copy = sql.SQL("COPY (SELECT * FROM {} ORDER BY n, r) TO STDOUT (FORMAT binary)").format(table)
    with db.cursor() as cursor, cursor.copy(copy) as rows:
        return b"".join(bytes(part) for part in rows)
