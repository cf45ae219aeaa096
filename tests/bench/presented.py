"""What ordinary tables cost beside foreign ones: python -m tests.bench.presented [sessions], 400 if not said.

Both presentations take turns, statement by statement, so that what else the machine does touches both alike.
"""

from __future__ import annotations

import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import psycopg

from tests.bench.say import say
from tests.bench.sync import TABLES_30, ticking_by_hand, timed
from tests.kit.container import Server
from tests.kit.writers import make_session

WAYS = ("foreign", "table")
ROUNDS = 40
SESSION = "bench_tables"

JOINED = " JOIN ".join(f"{{0}}.t{n}" + (f" USING (a) /* {n} */" if n else "") for n in range(6))
STATEMENTS = {
    "count(*)": "SELECT count(*) FROM {0}.t0",
    "one row": "SELECT * FROM {0}.t0 WHERE a = 7",
    "a group of one table": "SELECT b, count(*) FROM {0}.t0 GROUP BY b",
    "six tables": f"SELECT count(*) FROM {JOINED}",
}
CATALOGS = ("pg_class", "pg_attribute", "pg_type", "pg_depend", "pg_description")
SIZE = " + ".join(f"pg_total_relation_size('{name}')" for name in CATALOGS)


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        first = make_session(folder / f"{SESSION}_foreign.duckdb", *TABLES_30)
        for number in range(count):
            shutil.copy(first, folder / f"many_{number:04}.duckdb")
        shutil.copy(first, folder / f"{SESSION}_table.duckdb")
        with ticking_by_hand(folder) as server:
            say(f"best and median in milliseconds{'foreign':>24}{'':10}{'table':>10}{'':10}{'ratio':>8}")
            statements(server)
            attaching(server)
            many(server, count)


def statements(server: Server) -> None:
    """Planning and running."""
    with server.connect() as db:
        for way in WAYS:
            attach = "SELECT rvbbit_attach_session(%s, %s, %s)"
            db.execute(attach, [f"{SESSION}_{way}", f"as_{way}", way])
        for label, text in STATEMENTS.items():
            for pushdown in ("full", "scans"):
                db.execute(f"SET rvbbit.pushdown = {pushdown}")
                line(f"planning {label}, {pushdown}", *(turns(planning, db, text)))
            db.execute("RESET rvbbit.pushdown")
            line(f"running {label}", *turns(running, db, text))


def planning(db: psycopg.Connection, statement: str) -> float:
    """Planning time as PostgreSQL tells it."""
    shown = "\n".join(str(row[0]) for row in db.execute(f"EXPLAIN (SUMMARY) {statement}"))
    found = re.search(r"Planning Time: ([\d.]+) ms", shown)
    assert found is not None
    return float(found[1])


def running(db: psycopg.Connection, statement: str) -> float:
    """All of it, as a client sees it."""
    return timed(db, statement)


def turns(measure: object, db: psycopg.Connection, text: str) -> tuple[list[float], list[float]]:
    """The figures of both ways, taken in turns."""
    assert callable(measure)
    figures: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way in WAYS:
            figures[way].append(measure(db, text.format(f"as_{way}")))
    return figures["foreign"], figures["table"]


def attaching(server: Server) -> None:
    """A session of 30 tables, attached, presented otherwise, and detached."""
    figures: dict[str, dict[str, list[float]]] = {
        name: {way: [] for way in WAYS} for name in ("attach", "detach")
    }
    switch: dict[str, list[float]] = {way: [] for way in WAYS}
    with server.connect() as db:
        for _ in range(5):
            for way in WAYS:
                other = WAYS[1 - WAYS.index(way)]
                attach = f"SELECT rvbbit_attach_session('many_0000', present_as => '{way}')"
                figures["attach"][way].append(timed(db, attach))
                figures["detach"][way].append(timed(db, "SELECT rvbbit_detach_session('many_0000')"))
                db.execute(f"SELECT rvbbit_attach_session('many_0000', present_as => '{other}')")
                switch[way].append(timed(db, attach))
                db.execute("SELECT rvbbit_detach_session('many_0000')")
        for name, both in figures.items():
            line(f"{name} 30 tables", both["foreign"], both["table"])
        line("present 30 tables otherwise: as", switch["foreign"], switch["table"])


def many(server: Server, count: int) -> None:
    """Sync of a folder, in each way, twice."""
    labels = ("attach, s", "idle tick, ms", "detach, s", "catalogs, MB")
    figures: dict[str, dict[str, list[float]]] = {label: {way: [] for way in WAYS} for label in labels}
    with server.connect(user="postgres") as admin:
        admin.execute("TRUNCATE rvbbit.detachment")
        for _ in range(2):
            for way in WAYS:
                for label, figure in zip(labels, one_sync(server, admin, way), strict=True):
                    figures[label][way].append(figure)
    for label, both in figures.items():
        line(f"sync of {count} sessions: {label}", both["foreign"], both["table"])


def one_sync(server: Server, admin: psycopg.Connection, way: str) -> tuple[float, float, float, float]:
    """Attaching all sessions, finding nothing to do, taking them away, and by how much catalogs grow."""
    with server.connect() as db:
        admin.execute("VACUUM FULL " + ", ".join(CATALOGS))
        before = size(admin)
        db.execute("SELECT rvbbit.set_policy('all', present_as => %s)", [way])
        attach = timed(db, "CALL rvbbit.sync()")
        grown = size(admin) - before
        idle = min(timed(db, "CALL rvbbit.sync()") for _ in range(5))
        db.execute("SELECT rvbbit.set_policy('none')")
        detach = timed(db, "CALL rvbbit.sync()")
        db.execute("CALL rvbbit.sync()")
        return attach / 1000, idle, detach / 1000, grown / (1 << 20)


def size(admin: psycopg.Connection) -> float:
    """Bytes of the catalogs that grow with tables."""
    row = admin.execute(f"SELECT {SIZE}").fetchone()
    assert row is not None
    return float(row[0])


def line(label: str, foreign: list[float], table: list[float]) -> None:
    """Best and median of both, and the ratio of the medians."""
    medians = statistics.median(foreign), statistics.median(table)
    say(
        f"{label:44}{min(foreign):11.2f}{medians[0]:10.2f}{min(table):10.2f}{medians[1]:10.2f}"
        f"{medians[1] / medians[0]:8.2f}"
    )


if __name__ == "__main__":
    main()
