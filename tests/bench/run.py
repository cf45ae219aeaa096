"""What reading a session costs beside an ordinary table of the same rows, measured in one run: make bench.

Figures are minima over some rounds, in milliseconds, and their ratio; they are for comparison on one machine.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg

from tests.bench import pushed, resources, sync, types
from tests.bench.say import say
from tests.kit.container import Server, serving
from tests.kit.writers import make_session
from tests.server.oracle import private_copy

ROWS = 1_000_000
ROUNDS = 5
SESSION = "bench-falcon-b3b3b3"

TABLE = f"""
    CREATE TABLE t AS
    SELECT range::BIGINT AS a, (range % 1000)::INTEGER AS b, range * 1.5::DOUBLE AS c,
           'text value ' || range AS d, TIMESTAMP '2025-01-01' + to_seconds(range) AS e,
           (range / 100.0)::DECIMAL(18, 2) AS f, range % 2 = 0 AS g,
           DATE '2020-01-01' + (range % 1000)::INTEGER AS h
    FROM range({ROWS})
"""

STATEMENTS = {
    "EXPLAIN (ANALYZE, TIMING OFF) SELECT *": "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM {}",
    "COPY (SELECT *)": "COPY (SELECT * FROM {}) TO STDOUT",
    "COPY (SELECT *), binary": "COPY (SELECT * FROM {}) TO STDOUT (FORMAT binary)",
    "sum(a)": "SELECT sum(a) FROM {}",
    "count(*)": "SELECT count(*) FROM {}",
    "one row of ten": "SELECT * FROM {}_small WHERE b = 5",
}


def main() -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        small = "CREATE TABLE t_small AS SELECT * FROM t LIMIT 10"
        some = "CREATE TABLE t_some AS SELECT * FROM t LIMIT 10000"
        make_session(folder / f"{SESSION}.duckdb", TABLE, small, some)
        types.write(folder)
        with serving(folder) as server:
            prepare(server)
            report(server)
            with admin(server) as db:
                types.report(db, lambda statement: run(db, statement, ""), say)
    resources.main()
    sync.main()


def prepare(server: Server) -> None:
    """Import the session as s.*, and copy its tables to heap.*."""
    with admin(server) as db:
        db.execute("CREATE SCHEMA s; CREATE SCHEMA heap")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO s')
        for table in ("t", "t_small", "t_some"):
            db.execute(f"CREATE TABLE heap.{table} AS TABLE s.{table}")
            db.execute(f"VACUUM (ANALYZE, FREEZE) heap.{table}")


def report(server: Server) -> None:
    """Print a line per statement, then connections, then memory."""
    say(f"{'':42}{'session ms':>12}{'heap ms':>10}{'ratio':>8}")
    with admin(server) as db:
        # Both sides in one process: the figure is the cost of a scan, not of a second core.
        db.execute("SET max_parallel_workers_per_gather = 0")
        for label, statement in STATEMENTS.items():
            line(label, partial(run, db, statement))
        with tempfile.TemporaryDirectory() as name:
            pushed.report(db, private_copy(server.session_dir, SESSION, Path(name)), say)
    line("first query of a new connection", partial(first_query, server))
    memory(server)


def line(label: str, measure: Callable[[str], float]) -> None:
    """Measure both sides in turn, so that a disturbance hits both."""
    session, heap = [], []
    for _ in range(ROUNDS):
        session.append(measure("s.t"))
        heap.append(measure("heap.t"))
    best = min(session), min(heap)
    say(f"{label:42}{best[0]:12.1f}{best[1]:10.1f}{best[0] / best[1]:8.2f}")


def run(db: psycopg.Connection, statement: str, table: str) -> float:
    """Milliseconds of one statement, its result read and thrown away."""
    statement = statement.format(table)
    start = time.perf_counter()
    with db.cursor() as cursor:
        if statement.startswith("COPY"):
            with cursor.copy(statement) as copy:
                for _ in copy:
                    pass
        else:
            cursor.execute(statement)
    return (time.perf_counter() - start) * 1000


def first_query(server: Server, table: str) -> float:
    """Milliseconds of the first statement in a connection; the connection itself is not counted."""
    with admin(server) as db:
        return run(db, STATEMENTS["one row of ten"], table)


def memory(server: Server) -> None:
    """The backend's memory over 50 scans of all rows and columns."""
    figures = []
    with admin(server) as db:
        for _ in range(50):
            db.execute("SELECT count(t) FROM s.t")
            figures.append(resident(db))
    early, late = statistics.median(figures[15:20]), statistics.median(figures[-5:])
    say(f"memory of the backend after 15 to 20 and after 45 to 50 scans: {early:.0f} MB, {late:.0f} MB")


def resident(db: psycopg.Connection) -> float:
    """The backend's own memory in MB, without what it shares."""
    row = db.execute("SELECT pg_read_file(format('/proc/%s/status', pg_backend_pid()))").fetchone()
    found = re.search(r"RssAnon:\s+(\d+) kB", row[0] if row else "")
    return int(found[1]) / 1024 if found else 0.0


def admin(server: Server) -> psycopg.Connection:
    """A connection that may read /proc."""
    return server.connect(user="postgres")


if __name__ == "__main__":
    main()
