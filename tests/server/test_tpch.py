"""The 22 queries of TPC-H on a session give what they give on a heap copy."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from psycopg import sql

from tests.fuzz.outcome import Rows, Side, plan
from tests.fuzz.pushed import pushed
from tests.kit.container import Server
from tests.kit.tpch import TABLES, statements
from tests.kit.tpch_queries import QUERIES
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSION = "tpch-egret-3e3e3e"
SCALE = float(os.environ.get("TPCH_SCALE", "0.01"))


@pytest.fixture(scope="module")
def sides(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """A connection that finds the session's tables, and one that finds their heap copies."""
    path = make_session(server.session_dir / f"{SESSION}.duckdb", *statements(SCALE))
    copy = private_copy(server.session_dir, SESSION, tmp_path_factory.mktemp("copy"))
    with server.connect() as db:
        db.execute("CREATE SCHEMA tpch; CREATE SCHEMA tpch_heap")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO tpch')
        for table in TABLES:
            heap = sql.Identifier("tpch_heap", table)
            load(db, heap, sql.Identifier("tpch", table), text_rows(copy, table))
            db.execute(sql.SQL("ANALYZE {}").format(heap))
        # Without them the correlated queries would take an hour on the heap.
        db.execute(
            "CREATE INDEX ON tpch_heap.lineitem (l_partkey); CREATE INDEX ON tpch_heap.partsupp (ps_partkey)"
        )
        long = ("statement_timeout = '300s'",)
        one, other = (Side(server.connect, name, settings=long) for name in ("tpch", "tpch_heap"))
        yield one, other
        one.connection.close()
        other.connection.close()
        db.execute("DROP SCHEMA tpch CASCADE; DROP SCHEMA tpch_heap CASCADE")
    path.unlink()


@pytest.mark.parametrize("number", QUERIES)
def test_a_query_gives_what_the_heap_gives(sides: tuple[Side, Side], number: int) -> None:
    session, heap = (side.run([QUERIES[number]])[0] for side in sides)
    assert isinstance(session, Rows), session
    assert isinstance(heap, Rows), heap
    assert heap.rows
    assert (session.names, session.types) == (heap.names, heap.types)
    assert Counter(session.rows) == Counter(heap.rows)


@pytest.mark.parametrize("number", QUERIES)
def test_a_query_is_one_of_duckdb(sides: tuple[Side, Side], number: int) -> None:
    what = pushed(plan(sides[0].run([f"EXPLAIN (FORMAT JSON) {QUERIES[number]}"])))
    assert what.whole, what.not_whole
    assert not what.not_whole
