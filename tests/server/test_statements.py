"""Every statement of statements/*.sql gives on session tables what it gives on ordinary ones.

Rows, names and types of columns, command tags, notices and SQLSTATEs, in the text and in the binary protocol;
once more with half of the tables ordinary ones, so that joins are never all of one kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit import statement_tables
from tests.kit.container import Server
from tests.kit.statements import Case, Runner, cases, compare, complaint
from tests.kit.writers import make_session
from tests.server.oracle import differences, load, private_copy, text_rows

pytestmark = pytest.mark.server

FOREIGN, HEAP, HALF = "statements_foreign", "statements_heap", "statements_half"
IN_HALF = ("customers", "edges", "nothing")
SETTINGS: tuple[str, ...] = ()
"""What each transaction begins with, to run all of this under another setting."""

ALL = cases()
ACCEPTED = [case for case in ALL if case.refused is None]
REFUSED = [case for case in ALL if case.refused is not None]


@dataclass
class Runners:
    """A connection each for foreign tables and for heap copies, in text and in binary, and for both mixed."""

    foreign: Runner
    heap: Runner
    foreign_binary: Runner
    heap_binary: Runner
    mixed: Runner


@pytest.fixture(scope="module")
def folder(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A private copy of the session, for the oracle."""
    path = server.session_dir / f"{statement_tables.SESSION}.duckdb"
    make_session(path, *statement_tables.STATEMENTS)
    yield private_copy(server.session_dir, statement_tables.SESSION, tmp_path_factory.mktemp("oracle"))
    path.unlink()


@pytest.fixture(scope="module")
def runners(server: Server, folder: Path) -> Iterator[Runners]:
    connections = [server.connect() for _ in range(5)]
    for connection in connections:
        connection.prepare_threshold = None
    make_schemas(connections[0], folder)
    yield Runners(
        Runner(connections[0], [FOREIGN], settings=SETTINGS),
        Runner(connections[1], [HEAP]),
        Runner(connections[2], [FOREIGN], binary=True, settings=SETTINGS),
        Runner(connections[3], [HEAP], binary=True),
        Runner(connections[4], [HALF, FOREIGN], settings=SETTINGS),
    )
    for schema in (FOREIGN, HEAP, HALF):
        connections[0].execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
    for connection in connections:
        connection.close()


def make_schemas(db: psycopg.Connection, database: Path) -> None:
    """The session's tables as foreign tables, as heap copies, and some of the copies once more."""
    for schema in (FOREIGN, HEAP, HALF):
        db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(*map(sql.Identifier, (statement_tables.SESSION, FOREIGN))))
    for table in statement_tables.TABLES:
        rows = text_rows(database, table)
        for schema in (HEAP, HALF) if table in IN_HALF else (HEAP,):
            load(db, sql.Identifier(schema, table), sql.Identifier(FOREIGN, table), rows)


@pytest.mark.parametrize("table", statement_tables.TABLES)
def test_the_tables_are_equal_to_begin_with(runners: Runners, table: str) -> None:
    foreign, heap = sql.Identifier(FOREIGN, table), sql.Identifier(HEAP, table)
    assert differences(runners.heap.db, foreign, heap) == []


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_a_statement_gives_what_it_gives_on_a_heap(runners: Runners, case: Case) -> None:
    heap = runners.heap.run(case)
    assert case.may_fail or not [outcome.message for outcome in heap if outcome.sqlstate]
    assert compare(case, runners.foreign.run(case), heap) == []
    if not case.close:
        assert compare(case, runners.foreign_binary.run(case), runners.heap_binary.run(case)) == []
    assert compare(case, runners.mixed.run(case), heap) == []


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_a_statement_is_refused(runners: Runners, case: Case) -> None:
    assert complaint(case, runners.foreign.run(case)) is None
