"""What lists, attaching and sync cost, by the number and size of sessions; a part of make bench."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from tests.bench.say import say
from tests.kit.container import Server, serving
from tests.kit.writers import make_session, writing

ROUNDS = 10
MANY = 20_000
WIDE = "wide_report"
LIVE_ROWS = 3_100_000

SMALL = ("CREATE TABLE _extract AS SELECT range AS id, 'x' || range AS t FROM range(1000)",)
TABLES_30 = tuple(
    f"CREATE TABLE t{n} AS SELECT range AS a, 'x' AS b, 1.5::DOUBLE AS c, DATE '2026-01-01' AS d, true AS e,"
    f" {n}::DECIMAL(9, 2) AS f, TIMESTAMP '2026-01-01' AS g, 7::INTEGER AS h FROM range(100)"
    for n in range(30)
)
# About 100 MB.
LIVE = (
    "SET enable_progress_bar = false",
    f"CREATE TABLE t AS SELECT range AS a, md5(range::VARCHAR) || md5((range + 1)::VARCHAR) AS b"
    f" FROM range({LIVE_ROWS})",
    "CHECKPOINT",
)

# The shapes of ids, and of 206 sessions how many have each.
SHAPES = (
    ("report_{n}", 60),
    ("calm-otter-{n:06x}", 90),
    ("calm-otter-{n:06x}_sounding_1", 40),
    ("pg_client_{n}", 16),
)

LISTS = {
    "all ids": "SELECT session_id FROM rvbbit_sessions",
    "names, sizes and times": "SELECT session_id, size_mb, modified_at, age_hours FROM rvbbit_sessions",
    "which attach by themselves": "SELECT session_id FROM rvbbit_sessions WHERE auto_attach",
    "with states": "SELECT session_id, state, error FROM rvbbit_sessions",
    "count(*)": "SELECT count(*) FROM rvbbit_sessions",
    "one session": "SELECT session_id, state, size_mb FROM rvbbit_sessions WHERE session_id = 'report_1'",
    "one session of _rvbbit_sessions": "SELECT * FROM _rvbbit_sessions WHERE session_id = 'report_1'",
}


def main() -> None:
    """Print all figures."""
    say("attach and sync: best and median of some rounds, in milliseconds")
    with folder_of() as folder:
        attaching(folder)
    with folder_of(206) as folder:
        few(folder)
    with folder_of(MANY) as folder:
        many(folder)
    live_ones()


def attaching(folder: Path) -> None:
    """A session of 30 tables, attached and detached again."""
    make_session(folder / f"{WIDE}.duckdb", *TABLES_30)
    attach, detach = f"SELECT rvbbit_attach_session('{WIDE}')", f"SELECT rvbbit_detach_session('{WIDE}')"
    with ticking_by_hand(folder) as server:
        with server.connect() as db:
            say(f"{'attach 30 tables, first of all':44}{timed(db, attach):10.1f}")
            db.execute(detach)
        with server.connect() as db:
            say(f"{'attach 30 tables, first in a connection':44}{timed(db, attach):10.1f}")
            db.execute(detach)
            attaches = [timed(db, attach) + 0 * timed(db, detach) for _ in range(ROUNDS)]
        line("attach 30 tables, again", attaches)


def few(folder: Path) -> None:
    """As many sessions as a few days bring."""
    with ticking_by_hand(folder) as server, server.connect() as db:
        line("smart, from nothing (206 sessions)", [timed(db, "CALL rvbbit.sync()")])
        ticks(db, "idle tick, 206 sessions, smart")
        lists(db)
        db.execute("SELECT rvbbit.set_policy('none')")
        db.execute("CALL rvbbit.sync()")
        db.execute("SELECT rvbbit.set_policy('all')")
        line("all, from nothing", [timed(db, "CALL rvbbit.sync()")])
        ticks(db, "idle tick, all 206 attached")


def many(folder: Path) -> None:
    """A folder that nobody ever tidied up."""
    with ticking_by_hand(folder) as server, server.connect() as db:
        db.execute("CALL rvbbit.sync()")
        ticks(db, f"idle tick, {MANY} sessions")
        lists(db)


def live_ones() -> None:
    """Ten sessions of about 100 MB that are being written."""
    with folder_of() as folder, ExitStack() as stack:
        paths = [folder / f"report_{n}.duckdb" for n in range(10)]
        make_session(paths[0], *LIVE)
        for path in paths[1:]:
            shutil.copy(paths[0], path)
        say(f"ten live sessions of {paths[0].stat().st_size >> 20} MB:")
        writers = [stack.enter_context(writing(path)) for path in paths]
        with ticking_by_hand(folder) as server, server.connect() as db:
            line("the first tick", [timed(db, "CALL rvbbit.sync()")])
            ticks(db, "a tick while none writes")
            costs = []
            for _ in range(3):
                for writer in writers:
                    writer.run("INSERT INTO t SELECT range, 'more' FROM range(1000)")
                costs.append(timed(db, "CALL rvbbit.sync()"))
            line("a tick after each of them wrote", costs)


@contextmanager
def folder_of(count: int = 0) -> Iterator[Path]:
    """A folder of that many sessions: the newest 206 can be read, the others have names, sizes and times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        if count:
            fill(folder, count)
        yield folder


def fill(folder: Path, count: int) -> None:
    """Make the sessions, each an hour older than the one before it."""
    first = make_session(folder / "first.duckdb", *SMALL)
    size, now = first.stat().st_size, time.time()
    for number, session_id in enumerate(ids(count)):
        path = folder / f"{session_id}.duckdb"
        if number < 206:
            shutil.copy(first, path)
        else:
            path.touch()
            os.truncate(path, size)
        os.utime(path, (now, now - number * 60))
    first.unlink()


def ids(count: int) -> list[str]:
    """Ids of all shapes, mixed."""
    total = sum(share for _, share in SHAPES)
    pattern = [shape for shape, share in SHAPES for _ in range(share)]
    step = 89  # has no divisor in common with 206
    return [pattern[n * step % total].format(n=n) for n in range(count)]


@contextmanager
def ticking_by_hand(folder: Path) -> Iterator[Server]:
    """A server whose background job does not run."""
    with serving(folder, "postgres", "-c", "cron.launch_active_jobs=off") as server:
        yield server


def ticks(db: psycopg.Connection, label: str) -> None:
    """What a tick costs when there is nothing to do."""
    line(label, [timed(db, "CALL rvbbit.sync()") for _ in range(ROUNDS)])


def lists(db: psycopg.Connection) -> None:
    """What looking into the folder costs."""
    for label, query in LISTS.items():
        line(f"  {label}", [timed(db, query) for _ in range(ROUNDS)])


def timed(db: psycopg.Connection, statement: str) -> float:
    """Milliseconds of a statement, its result read."""
    start = time.perf_counter()
    db.execute(statement)
    return (time.perf_counter() - start) * 1000


def line(label: str, figures: Sequence[float]) -> None:
    """One line: best and median."""
    say(f"{label:44}{min(figures):10.1f}{statistics.median(figures):10.1f}")


if __name__ == "__main__":
    main()
