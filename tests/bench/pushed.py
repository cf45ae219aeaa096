"""What DuckDB does for a statement: a session beside an ordinary table and beside DuckDB in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import psycopg

ROUNDS = 5

SCANS = {
    "filtered scan, 1 %": "SELECT a, c, d FROM {t} WHERE b < 10",
    "filtered scan, 50 %": "SELECT a, c, d FROM {t} WHERE b < 500",
    "point query": "SELECT * FROM {t} WHERE a = 777777",
    "top-N": "SELECT a, c FROM {t} ORDER BY c DESC, a LIMIT 10",
    "ordered scan": "SELECT a, b FROM {t} ORDER BY b, a",
    "1,000 parameterised rescans of 10,000 rows": (
        "SELECT n, x.c FROM generate_series(1, 1000) AS g (n),"
        " LATERAL (SELECT c FROM {t}_some WHERE a = n * 7 LIMIT 1) AS x"
    ),
}
WHOLE = {
    "count with a filter": "SELECT count(*) FROM {t} WHERE d LIKE '%77%'",
    "sums": "SELECT sum(a), sum(f), avg(b) FROM {t}",
    "sums of integers computed": "SELECT sum(a + b), sum(b * 3 - a), sum(a * 2) FROM {t}",
    "sum of quotients": "SELECT sum(f / 7), sum(b / 1000.0) FROM {t}",
    "group by, 1,000 groups": "SELECT b, count(*), sum(f), max(e) FROM {t} GROUP BY b",
    "group by, 1 M groups": "SELECT a, count(*) FROM {t} GROUP BY a ORDER BY 2 DESC, 1 LIMIT 10",
    "join": "SELECT x.b, count(*) FROM {t} AS x JOIN {t}_some AS y ON x.a = y.a GROUP BY 1",
    "window": "SELECT a, rank() OVER (PARTITION BY b ORDER BY a) FROM {t}_some",
}


def report(db: psycopg.Connection, session_file: Path, say: Callable[[str], None]) -> None:
    """Print a line per statement. `session_file` is a copy that DuckDB may open."""
    say(f"{'':46}{'session ms':>12}{'heap ms':>10}{'DuckDB ms':>11}{'/ heap':>8}{'/ DuckDB':>10}")
    with duckdb.connect(str(session_file), read_only=True, config={"threads": 1}) as own:
        for label, statement in {**SCANS, **WHOLE}.items():
            ways = [partial(in_postgres, db, statement.format(t=table)) for table in ("s.t", "heap.t")]
            ways.append(partial(in_process, own, statement.format(t="t")))
            session, heap, process = best(ways)
            ratios = f"{session / heap:8.2f}{session / process:10.2f}"
            say(f"{label:46}{session:12.1f}{heap:10.1f}{process:11.1f}{ratios}")


def best(ways: list[partial[float]]) -> list[float]:
    """The least of some rounds for each way; all ways in turn, so that a disturbance hits all of them."""
    rounds = [[way() for way in ways] for _ in range(ROUNDS)]
    return [min(figures) for figures in zip(*rounds, strict=True)]


def in_postgres(db: psycopg.Connection, statement: str) -> float:
    """Milliseconds until the whole result is here, as text."""
    start = time.perf_counter()
    db.execute(statement)
    return (time.perf_counter() - start) * 1000


def in_process(own: duckdb.DuckDBPyConnection, statement: str) -> float:
    """Milliseconds until DuckDB has the whole result."""
    start = time.perf_counter()
    own.execute(f"CREATE OR REPLACE TEMP TABLE result AS {statement}")
    return (time.perf_counter() - start) * 1000
