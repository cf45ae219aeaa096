"""What dashboards and database tools send gives on a session what it gives on a heap copy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.clients.bi_shapes import COLUMNS, NOTHING, SCANS, SHAPES, WHOLE, Shape
from tests.fuzz.outcome import Rows, Side, plan
from tests.fuzz.pushed import Pushed, pushed
from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSIONS = {1: "bi-heron-1c1c1c", 2: "bi-heron-2d2d2d"}

# Prices are such that their sums are exact, in any order.
SALES = """
    CREATE TABLE sales AS
    SELECT range::BIGINT AS id, [NULL, 'EU', 'US', 'north', 'Südost', 'é'][1 + range * 7 % 6] AS region,
        TIMESTAMPTZ '2025-11-01 00:00:00+00' + to_seconds(range * 7919) AS sold_at,
        CASE WHEN range % 9 > 0 THEN TIMESTAMPTZ '2025-11-01 06:00:00+00' + to_seconds(range * 7950) END
            AS shipped_at,
        CASE WHEN range % 11 > 0 THEN (range * 37 % 400) / 4.0 END::DOUBLE AS price,
        CASE WHEN range % 13 > 0 THEN range % 50 END::INTEGER AS qty,
        (range * 31 % 1000 / 7)::DECIMAL(12, 2) AS cost,
        [true, false, NULL][1 + range % 3] AS ok,
        [NULL, 'late 12', 'Test late', 'a@b', 'x', 'LATE', ''][1 + range * 5 % 7] AS note
    FROM range({rows})"""
ITEMS = """
    CREATE TABLE items AS
    SELECT range AS id, range * 3 % 3000 AS sale_id, 'sku ' || range % 20 AS sku FROM range(2000)"""


@pytest.fixture(scope="module")
def sides(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """A connection that finds the sessions' tables, and one that finds heap copies under the same names."""
    folder = tmp_path_factory.mktemp("copies")
    with server.connect() as db:
        for number, session in SESSIONS.items():
            path = server.session_dir / f"{session}.duckdb"
            make_session(path, SALES.format(rows=3000 if number == 1 else 500), ITEMS)
            import_both(db, number, session, private_copy(server.session_dir, session, folder))
        one, other = Side(server.connect, "s1"), Side(server.connect, "h1")
        yield one, other
        one.connection.close()
        other.connection.close()
        for number, session in SESSIONS.items():
            db.execute(f"DROP SCHEMA s{number} CASCADE; DROP SCHEMA h{number} CASCADE")
            (server.session_dir / f"{session}.duckdb").unlink()


def import_both(db: psycopg.Connection, number: int, session: str, copy: Path) -> None:
    """The session's tables as s1 or s2, their copies as h1 or h2."""
    db.execute(f"CREATE SCHEMA s{number}; CREATE SCHEMA h{number}")
    db.execute(f'IMPORT FOREIGN SCHEMA "{session}" FROM SERVER rvbbit INTO s{number}')
    for table in ("sales", "items"):
        heap, foreign = sql.Identifier(f"h{number}", table), sql.Identifier(f"s{number}", table)
        load(db, heap, foreign, text_rows(copy, table))
        db.execute(sql.SQL("ANALYZE {}").format(heap))


def results(sides: tuple[Side, Side], shape: Shape) -> tuple[Rows, Rows]:
    """What both sides answer."""
    session, heap = (
        sides[0].run([shape.sql]),
        sides[1].run([shape.sql.replace("s1.", "h1.").replace("s2.", "h2.")]),
    )
    assert isinstance(session[0], Rows), session
    assert isinstance(heap[0], Rows), heap
    return session[0], heap[0]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_shape_gives_what_the_heap_gives(sides: tuple[Side, Side], shape: Shape) -> None:
    session, heap = results(sides, shape)
    assert (session.names, session.types, len(session.rows)) == (heap.names, heap.types, len(heap.rows))
    if shape.near:
        assert all(map(is_near, session.rows[0], heap.rows[0]))
    elif not shape.any_rows:
        assert Counter(session.rows) == Counter(heap.rows)


def is_near(one: str | None, other: str | None) -> bool:
    """Equal but for the rounding of sums of floats."""
    return math.isclose(float(one or "nan"), float(other or "nan"), rel_tol=1e-12)


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.pushed != NOTHING])
def test_explain_says_what_of_a_shape_runs_in_duckdb(sides: tuple[Side, Side], name: str) -> None:
    what = pushed(explained(sides[0], SHAPES[name]))
    assert done(what) == SHAPES[name].pushed, what
    assert what.not_whole == SHAPES[name].reason


@pytest.mark.parametrize("name", [name for name, shape in SHAPES.items() if shape.pushed == NOTHING])
def test_a_shape_without_rows_reads_nothing(sides: tuple[Side, Side], name: str) -> None:
    text = str(explained(sides[0], SHAPES[name]))
    assert "'One-Time Filter': 'false'" in text
    assert " Scan'" not in text


def explained(side: Side, shape: Shape) -> Any:
    """The top node of a shape's plan."""
    return plan(side.run([f"EXPLAIN (FORMAT JSON) {shape.sql}"]))


def done(what: Pushed) -> str:
    """What of a plan runs in DuckDB, in a word."""
    if what.whole:
        return WHOLE
    if not what.statements:
        return NOTHING
    return SCANS if what.anything else COLUMNS


@pytest.mark.parametrize("name", ["A4", "A6", "B5", "B7", "C8", "C9", "C10", "D5", "D9", "G2"])
def test_a_sorted_shape_comes_in_the_heaps_order(sides: tuple[Side, Side], name: str) -> None:
    session, heap = results(sides, SHAPES[name])
    assert session.rows == heap.rows


def test_a_grid_with_the_rows_places_shows_the_same_columns(sides: tuple[Side, Side]) -> None:
    session, heap = results(sides, Shape("SELECT t.*, ctid FROM sales t LIMIT 501", any_rows=True))
    assert session.names == heap.names
    assert len(session.rows) == len(heap.rows)


def test_a_cursor_that_outlives_its_transaction(sides: tuple[Side, Side]) -> None:
    query = "SELECT CAST(region AS text) FROM sales GROUP BY 1 ORDER BY 1 ASC NULLS FIRST"
    declare = [
        "BEGIN",
        f"DECLARE c1 CURSOR WITH HOLD FOR {query}",
        "FETCH 2 IN c1",
        "COMMIT",
        "FETCH 2048 IN c1",
    ]
    outcomes = [side.run([*declare, "CLOSE c1"]) for side in sides]
    assert outcomes[0] == outcomes[1]
    assert [len(part.rows) for part in outcomes[0] if isinstance(part, Rows)] == [2, 4]
