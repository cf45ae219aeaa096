"""What connections and snapshots take: memory, disk and time; a part of make bench.

Memory of a process is what it has for itself alone (Private_* of smaps_rollup): what it shares with the
postmaster is there once, however many connections there are.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.bench.say import say
from tests.kit.container import Server, serving
from tests.kit.writers import make_session

ROWS = 4_000_000
SESSIONS = 20
TABLES = 10

SMALL = tuple(
    f"CREATE TABLE t{n} AS SELECT range AS a, 'x' || range AS b, range * 1.5::DOUBLE AS c FROM range(1000)"
    for n in range(TABLES)
)
BIG = (
    f"CREATE TABLE big AS SELECT range AS id, hash(range) % 1000 AS k, md5(range::VARCHAR) AS text"
    f" FROM range({ROWS})",
    "CHECKPOINT",
)

STATEMENTS = {
    "1,000 groups": "SELECT k, count(*), sum(id) FROM big.big GROUP BY k",
    "4,000,000 groups": "SELECT count(*) FROM (SELECT text, count(*) FROM big.big GROUP BY text) AS g",
    "sorted": "SELECT count(text) FROM (SELECT * FROM big.big ORDER BY text OFFSET 1) AS s",
    "every row to PostgreSQL": "SELECT count(text) FROM (SELECT *, random() FROM big.big OFFSET 0) AS s",
}
LIMITS = ("memory_limit=64MB", "memory_limit=256MB", "memory_limit=1GB", "threads=2")


def main() -> None:
    """Print all figures."""
    say("resources of a server")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for number in range(SESSIONS):
            make_session(folder / f"run_{number:02}.duckdb", *SMALL)
        big = make_session(folder / "big.duckdb", *BIG)
        say(f"  big session: {big.stat().st_size / 1e6:.0f} MB, {ROWS:,} rows")
        with serving(folder, "postgres", "-c", "cron.launch_active_jobs=off") as server:
            with server.connect() as db:
                took = timed(lambda: db.execute("CALL rvbbit.sync()"))
                say(f"  first sync of {SESSIONS + 1} sessions: {took:.0f} ms")
            at_rest(server)
            connections(server)
            limits(server)
            snapshots(server)


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def inside(server: Server, command: str) -> str:
    """The output of a shell command of the server's own user."""
    return server.run("sh", "-c", command, user="postgres")


def private(server: Server, pid: int) -> float:
    """Megabytes that a process has for itself."""
    text = inside(server, f"cat /proc/{pid}/smaps_rollup")
    return sum(int(kb) for kb in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE)) / 1024


def peak(server: Server, pid: int) -> float:
    """The most megabytes that a process had resident, shared ones too."""
    return int(re.findall(r"VmHWM:\s+(\d+)", inside(server, f"cat /proc/{pid}/status"))[0]) / 1024


def threads(server: Server, pid: int) -> int:
    """Threads of a process."""
    return int(re.findall(r"Threads:\s+(\d+)", inside(server, f"cat /proc/{pid}/status"))[0])


def at_rest(server: Server) -> None:
    """All processes of a server that nobody uses."""
    text = inside(server, "cat /proc/[0-9]*/smaps_rollup")
    total = sum(int(kb) for kb in re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)) / 1024
    say(f"  all processes at rest: {total:.0f} MB")


def milliseconds(db: psycopg.Connection, statement: str) -> float:
    """Of one statement, its result read and thrown away."""
    return timed(lambda: db.execute(statement.encode()).fetchall())


def connections(server: Server) -> None:
    """Memory of one connection after each kind of statement, when it is idle again."""
    with server.connect() as db:
        pid = db.info.backend_pid

        def tell(label: str) -> None:
            memory, highest = private(server, pid), peak(server, pid)
            say(f"  {label}: {memory:.1f} MB, {threads(server, pid)} threads, peak {highest:.0f} MB")

        tell("a new connection")
        first = milliseconds(db, "SELECT count(*) FROM run_00.t0")
        tell(f"after its first query ({first:.0f} ms)")
        for number in range(SESSIONS):
            milliseconds(db, f"SELECT sum(a), min(b) FROM run_{number:02}.t1")
        tell(f"after queries of {SESSIONS} sessions")
        for label, statement in STATEMENTS.items():
            took = milliseconds(db, statement)
            tell(f"after {label} ({took:.0f} ms)")


def limits(server: Server) -> None:
    """The same statements under several limits of memory and numbers of threads."""
    for setting in LIMITS:
        with server.connect(user="postgres", options=f"-c rvbbit.{setting}") as db:
            milliseconds(db, "SELECT count(*) FROM big.big")
            for label, statement in STATEMENTS.items():
                try:
                    outcome = f"{milliseconds(db, statement):.0f} ms"
                except psycopg.Error as error:
                    outcome = f"{error.sqlstate} {error.diag.message_primary}"
                say(f"  {setting}, {label}: {outcome}, peak {peak(server, db.info.backend_pid):.0f} MB")


def snapshots(server: Server) -> None:
    """What the store has, and what a copy of the big session takes."""
    say(f"  store: {inside(server, 'du -sm /var/lib/rvbbit').split()[0]} MB")
    path = server.session_dir / "big.duckdb"
    size = path.stat().st_size / 1e6
    with server.connect() as db:
        for _ in range(3):
            path.touch()
            took, again = (milliseconds(db, "SELECT min(id) FROM big.big") for _ in range(2))
            say(f"  a statement that copies {size:.0f} MB: {took:.0f} ms, without: {again:.0f} ms")


if __name__ == "__main__":
    main()
