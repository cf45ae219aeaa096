"""The 43 queries of ClickBench on a session give what they give on a heap copy."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from psycopg import sql

from tests.fuzz.outcome import Rows, Side, plan
from tests.fuzz.pushed import pushed
from tests.kit.clickbench import TABLE, columns, statements
from tests.kit.clickbench_queries import ANY_ROWS, QUERIES
from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSION = "hits-osprey-4f4f4f"
ROWS = int(os.environ.get("CLICKBENCH_ROWS", "20000"))

SCAN = 20
"""A condition on one table and nothing more: a scan, of which DuckDB computes everything."""


@pytest.fixture(scope="module")
def sides(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """A connection that finds the session's table, and one that finds its heap copy."""
    path = make_session(server.session_dir / f"{SESSION}.duckdb", *statements(ROWS))
    copy = private_copy(server.session_dir, SESSION, tmp_path_factory.mktemp("copy"))
    with server.connect() as db:
        db.execute("CREATE SCHEMA clickbench; CREATE SCHEMA clickbench_heap")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO clickbench')
        heap = sql.Identifier("clickbench_heap", TABLE)
        load(db, heap, sql.Identifier("clickbench", TABLE), text_rows(copy, TABLE))
        one, other = (Side(server.connect, name) for name in ("clickbench", "clickbench_heap"))
        yield one, other
        one.connection.close()
        other.connection.close()
        db.execute("DROP SCHEMA clickbench CASCADE; DROP SCHEMA clickbench_heap CASCADE")
    path.unlink()


def test_the_table_is_as_wide_as_it_has_to_be() -> None:
    assert len(dict(columns())) == 105
    assert len(QUERIES) == 43


@pytest.mark.parametrize("number", QUERIES)
def test_a_query_gives_what_the_heap_gives(sides: tuple[Side, Side], number: int) -> None:
    before = sides[0].fallbacks()
    session, heap = (side.run([QUERIES[number]])[0] for side in sides)
    assert isinstance(session, Rows), session
    assert isinstance(heap, Rows), heap
    assert heap.rows
    assert (session.names, session.types) == (heap.names, heap.types)
    if number == ANY_ROWS:
        assert len(session.rows) == len(heap.rows)
    elif "ORDER BY" in QUERIES[number]:
        assert session.rows == heap.rows
    else:
        assert Counter(session.rows) == Counter(heap.rows)
    assert sides[0].fallbacks() == before


@pytest.mark.parametrize("number", QUERIES)
def test_a_query_is_one_of_duckdb(sides: tuple[Side, Side], number: int) -> None:
    what = pushed(plan(sides[0].run([f"EXPLAIN (FORMAT JSON) {QUERIES[number]}"])))
    assert not what.local
    assert what.whole == (number != SCAN), what.not_whole
    assert what.anything or " WHERE " not in QUERIES[number]
