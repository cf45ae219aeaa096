"""Whole suites of queries, in DuckDB through us, in DuckDB in this process, and on ordinary tables.

python -m tests.bench.suites [scale of TPC-H]
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import psycopg

from tests.bench.pushed import in_postgres, in_process
from tests.bench.say import say
from tests.kit import clickbench, clickbench_queries, tpch, tpch_queries
from tests.kit.container import Server, serving
from tests.kit.writers import make_session
from tests.server.oracle import private_copy

ROUNDS = 5


@dataclass(frozen=True)
class Suite:
    """Queries that name their tables without a schema; `indexes` spare the heap what would take hours."""

    name: str
    statements: Sequence[str]
    queries: Mapping[int, str]
    indexes: Sequence[str] = ()
    any_rows: int | None = None
    """The query of which any rows will do."""


@dataclass(frozen=True)
class Figures:
    """Milliseconds of one query, and whether the session's answer was the heap's."""

    session: float
    heap: float
    duckdb: float
    planning: float
    same: bool

    def __str__(self) -> str:
        times = f"{self.session:12.1f}{self.heap:10.1f}{self.duckdb:11.1f}"
        ratios = f"{self.session / self.heap:8.2f}{self.session / self.duckdb:10.2f}"
        return times + ratios + ("" if self.same else "  ANOTHER ANSWER")


def tpch_suite(scale: float) -> Suite:
    """The 22 queries; scale 1 has six million line items."""
    keys = ("lineitem (l_partkey)", "lineitem (l_orderkey)", "partsupp (ps_partkey)")
    indexes = [f"CREATE INDEX ON {key}" for key in keys]
    return Suite(f"TPC-H, scale {scale:g}", tpch.statements(scale), tpch_queries.QUERIES, indexes)


def clickbench_suite(rows: int) -> Suite:
    """The 43 queries over a table of 105 columns."""
    queries, any_rows = clickbench_queries.QUERIES, clickbench_queries.ANY_ROWS
    return Suite(f"ClickBench, {rows:,} rows", clickbench.statements(rows), queries, any_rows=any_rows)


def main() -> None:
    """Print all figures: of TPC-H at scale 0.1 and ClickBench with 200,000 rows, or as given."""
    given = [float(argument) for argument in sys.argv[1:]]
    scale = given[0] if given else 0.1
    rows = given[1] if len(given) > 1 else 200_000
    for suite in (tpch_suite(scale), clickbench_suite(int(rows))):
        measure(suite)


def measure(suite: Suite) -> None:
    """A line per query, then the geometric means and the longest planning."""
    session = "suite-heron-5c5c5c"
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as other:
        folder = Path(name)
        folder.chmod(0o755)
        make_session(folder / f"{session}.duckdb", *suite.statements)
        copy = private_copy(folder, session, Path(other))
        with serving(folder) as server, server.connect(user="postgres") as db:
            prepare(server, db, session, suite)
            report(db, copy, suite)


def prepare(server: Server, db: psycopg.Connection, session: str, suite: Suite) -> None:
    """The session as s.*, and its copy as heap.*."""
    db.execute("CREATE SCHEMA s; CREATE SCHEMA heap; SET max_parallel_workers_per_gather = 0")
    db.execute(f'IMPORT FOREIGN SCHEMA "{session}" FROM SERVER rvbbit INTO s')
    tables = db.execute("SELECT relname FROM pg_class WHERE relnamespace = 's'::regnamespace").fetchall()
    for (table,) in tables:
        db.execute(f"CREATE TABLE heap.{table} AS TABLE s.{table}")
        db.execute(f"VACUUM (ANALYZE, FREEZE) heap.{table}")
    db.execute("SET search_path = heap")
    for index in suite.indexes:
        db.execute(index)


def report(db: psycopg.Connection, copy: Path, suite: Suite) -> None:
    """Measure every query."""
    say(f"{suite.name:34}{'session ms':>12}{'heap ms':>10}{'DuckDB ms':>11}{'/ heap':>8}{'/ DuckDB':>10}")
    all_of_them = []
    with duckdb.connect(str(copy), read_only=True, config={"threads": 1}) as own:
        for number, query in suite.queries.items():
            found = figures(db, own, query, compared=number != suite.any_rows)
            all_of_them.append(found)
            say(f"{number:<34}{found}")
    say(f"{'geometric mean':<34}{_mean(all_of_them)}")
    most = max(each.session - 1.15 * each.duckdb for each in all_of_them)
    planning = max(each.planning for each in all_of_them)
    say(f"most above 1.15 x DuckDB: {most:.1f} ms; longest planning: {planning:.1f} ms")


def _mean(all_of_them: Sequence[Figures]) -> Figures:
    """Geometric means; the ratios of them are those of the ratios."""
    mean = statistics.geometric_mean
    return Figures(
        mean(each.session for each in all_of_them),
        mean(each.heap for each in all_of_them),
        mean(each.duckdb for each in all_of_them),
        mean(each.planning for each in all_of_them),
        all(each.same for each in all_of_them),
    )


def figures(db: psycopg.Connection, own: duckdb.DuckDBPyConnection, query: str, *, compared: bool) -> Figures:
    """Measure a query on the three sides, and compare the answers of two."""
    heap, there = on_the_heap(db, query)
    db.execute("SET search_path = s")
    same = Counter(db.execute(query).fetchall()) == there or not compared
    session, process = best((partial(in_postgres, db, query), partial(in_process, own, query)))
    return Figures(session, heap, process, planned(db, query), same)


def on_the_heap(db: psycopg.Connection, query: str) -> tuple[float, Counter[tuple[object, ...]]]:
    """Milliseconds of the one run that it takes to know the answer, and the answer."""
    db.execute("SET search_path = heap")
    took = in_postgres(db, query)
    return took, Counter(db.execute(query).fetchall())


def best(ways: Iterable[partial[float]]) -> list[float]:
    """The least of some rounds for each way."""
    return [min(way() for _ in range(ROUNDS)) for way in ways]


def planned(db: psycopg.Connection, query: str) -> float:
    """The least time of planning, in milliseconds, as PostgreSQL measures it."""
    times = []
    for _ in range(3):
        lines = db.execute(f"EXPLAIN (SUMMARY) {query}").fetchall()
        found = [re.fullmatch(r"Planning Time: ([\d.]+) ms", str(line)) for (line,) in lines]
        times += [float(match[1]) for match in found if match]
    return min(times)


if __name__ == "__main__":
    main()
