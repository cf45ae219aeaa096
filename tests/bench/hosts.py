"""What the same statements cost on Multicorn2, on our own host and on an ordinary table, in one run.

RVBBIT_HOST=multicorn2 python -m tests.bench.hosts, after make image HOST=multicorn2 MULTICORN2_IMAGE=...: one
server has both hosts, ours preloaded. Figures are minima over some rounds, in milliseconds: of the clock, and
of the backend's processor time, in which threads of DuckDB count too.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import psycopg

from tests.bench.run import ROUNDS, SESSION, TABLE, resident, run
from tests.bench.say import say
from tests.kit.container import Server, image_with, serving
from tests.kit.writers import make_session

STATEMENTS = {
    "EXPLAIN (ANALYZE, TIMING OFF) SELECT *": "EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM {}.t",
    "COPY (SELECT *)": "COPY (SELECT * FROM {}.t) TO STDOUT",
    "count(*)": "SELECT count(*) FROM {}.t",
    "integer = 5, 1000 rows": "SELECT * FROM {}.t WHERE b = 5",
    "text = '...', 1 row": "SELECT * FROM {}.t WHERE d = 'text value 4711'",
    "sum(a)": "SELECT sum(a) FROM {}.t",
}
SCHEMAS = {"multicorn2": "rvbbit", "own": "own", "heap": None}
OWN = (
    "CREATE SERVER own FOREIGN DATA WRAPPER rvbbit_fdw"
    " OPTIONS (session_dir '/sessions', snapshot_dir '/var/lib/rvbbit')"
)
TICK = 1000 / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print all figures."""
    command = ("postgres", "-c", "shared_preload_libraries=rvbbit_fdw")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_session(folder / f"{SESSION}.duckdb", TABLE).chmod(0o644)
        with serving(folder, *command, image=image_with("both_hosts")) as server:
            prepare(server)
            report(server)


def prepare(server: Server) -> None:
    """Import the session by each host, and copy it."""
    with server.connect(user="postgres") as db:
        db.execute("CREATE EXTENSION rvbbit_fdw")
        db.execute(OWN.encode())
        for schema, source in SCHEMAS.items():
            db.execute(f"CREATE SCHEMA {schema}".encode())
            if source:
                db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER {source} INTO {schema}'.encode())
        db.execute("CREATE TABLE heap.t AS TABLE own.t")
        db.execute("VACUUM (ANALYZE, FREEZE) heap.t")


def report(server: Server) -> None:
    """Print a line for each statement, then one of each connection's memory."""
    connections = {schema: server.connect(user="postgres") for schema in SCHEMAS}
    say(f"{'clock / processor, ms':42}" + "".join(f"{schema:>18}" for schema in SCHEMAS))
    for db in connections.values():
        db.execute("SET max_parallel_workers_per_gather = 0")
    for label, statement in STATEMENTS.items():
        figures: dict[str, list[tuple[float, float]]] = {schema: [] for schema in SCHEMAS}
        for _ in range(ROUNDS):  # in turn, so that a disturbance hits all
            for schema, db in connections.items():
                figures[schema].append(measure(db, statement.format(schema)))
        say(f"{label:42}" + "".join(cell(found) for found in figures.values()))
    say(f"{'memory of the backend, MB':42}" + "".join(f"{resident(db):18.0f}" for db in connections.values()))
    for db in connections.values():
        db.close()


def measure(db: psycopg.Connection, statement: str) -> tuple[float, float]:
    """Milliseconds of the clock and of the backend's processor time."""
    before = processor(db)
    clock = run(db, statement, "")
    return clock, processor(db) - before


def processor(db: psycopg.Connection) -> float:
    """Milliseconds that the backend has computed, in hundredths of a second."""
    row = db.execute("SELECT pg_read_file(format('/proc/%s/stat', pg_backend_pid()))").fetchone()
    fields = str(row[0]).rpartition(")")[2].split() if row else []
    return (int(fields[11]) + int(fields[12])) * TICK


def cell(figures: list[tuple[float, float]]) -> str:
    """The least of each."""
    return f"{min(clock for clock, _ in figures):10.1f} /{min(cpu for _, cpu in figures):6.0f}"


if __name__ == "__main__":
    main()
