"""Many clients of every kind at once, for a time: no error but the expected, flat memory, bounded files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from threading import Thread

import psycopg

from tests.kit.container import Server
from tests.kit.writers import Writer, make_session
from tests.torture.kills import LIVE, ROWS, STEADY

# Busy files and schemas, given up statements: what clients meet in an ordinary life.
EXPECTED = {
    "57014": "cancelled",
    "55P03": "a lock was not to be had",
    "55006": "the session changes too fast",
    "42P01": "detached meanwhile",
    "3F000": "detached meanwhile",
    "40P01": "deadlock of two who attach and detach",
    "HV00R": "the writer replaced the table meanwhile",
    "42P06": "attached meanwhile",
    "42704": "detached meanwhile",
}
SUM = f'SELECT count(*), sum(n) FROM "{STEADY}".numbers'


def _list(db: psycopg.Connection, _rng: Random) -> None:
    assert db.execute("SELECT count(*) > 1, count(state) > 1 FROM rvbbit_sessions").fetchone() == (True, True)


def _scan(db: psycopg.Connection, _rng: Random) -> None:
    assert db.execute(SUM.encode()).fetchone() == (ROWS, ROWS * (ROWS - 1) // 2)


def _live(db: psycopg.Connection, _rng: Random) -> None:
    query = f'SELECT min(generation) = max(generation), count(*) FROM "{LIVE}".phase'
    assert db.execute(query.encode()).fetchone() == (True, 1000)


def _give_up(db: psycopg.Connection, rng: Random) -> None:
    db.execute(f"SET statement_timeout = {rng.randrange(1, 200)}".encode())
    try:
        db.execute(
            f'SELECT count(*) FROM "{STEADY}".numbers a, "{STEADY}".numbers b WHERE a.t < b.t'.encode()
        )
    finally:
        db.execute("RESET statement_timeout")


def _stop_early(db: psycopg.Connection, _rng: Random) -> None:
    with db.transaction(), db.cursor("early") as cursor:
        cursor.execute(f'SELECT t FROM "{STEADY}".numbers'.encode())
        assert len(cursor.fetchmany(10)) == 10


def _reattach(db: psycopg.Connection, rng: Random) -> None:
    alias = f"copy_{rng.randrange(4)}"
    db.execute("SELECT rvbbit_attach_session('other', %s)", [alias])


def _sync(db: psycopg.Connection, _rng: Random) -> None:
    db.execute("CALL rvbbit.sync()")


WORK: Sequence[tuple[int, Callable[[psycopg.Connection, Random], None]]] = (
    (3, _list), (6, _scan), (6, _live), (2, _give_up), (3, _stop_early), (1, _reattach), (1, _sync),
)  # fmt: skip


@dataclass
class Load:
    """What the clients did, and what went wrong unexpectedly."""

    server: Server
    clients: int
    seconds: float
    done: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    memory_kb: list[int] = field(default_factory=list)

    def run(self) -> None:
        """Let all clients work until the time is over; AssertionError if anything unexpected happened."""
        until = time.monotonic() + self.seconds
        threads = [Thread(target=self._client, args=(number, until)) for number in range(self.clients)]
        writer = Thread(target=self._write, args=(until,))
        for thread in (writer, *threads):
            thread.start()
        while time.monotonic() < until:
            time.sleep(self.seconds / 10)
            self.memory_kb.append(self.server.memory_kb())
        for thread in (writer, *threads):
            thread.join()
        assert self.faults == []

    def _client(self, number: int, until: float) -> None:
        rng = Random(number)
        weights, works = zip(*WORK, strict=True)
        with self.server.connect() as db:
            while time.monotonic() < until and len(self.faults) < 5:
                [work] = rng.choices(works, weights)
                try:
                    work(db, rng)
                    self.done[work.__name__] += 1
                except psycopg.Error as error:
                    if error.sqlstate not in EXPECTED:
                        self.faults.append(f"{work.__name__}: {error.sqlstate} {error}")
                    self.expected[error.sqlstate or ""] += 1
                except AssertionError as error:
                    self.faults.append(f"{work.__name__}: {error}")

    def _write(self, until: float) -> None:
        """A writer that replaces all rows in each commit and makes a checkpoint at times."""
        writer = Writer(self.server.session_dir / f"{LIVE}.duckdb")
        generation = 0
        while time.monotonic() < until:
            generation += 1
            writer.run(f"UPDATE phase SET generation = {generation}")
            if generation % 20 == 0:
                writer.run("CHECKPOINT")
            time.sleep(0.02)
        writer.close()


def prepare(server: Server) -> None:
    """The sessions that the clients use."""
    folder = server.session_dir
    live = "CREATE TABLE phase AS SELECT range AS i, 0 AS generation FROM range(1000)"
    make_session(folder / f"{LIVE}.duckdb", live)
    make_session(
        folder / "other.duckdb", "CREATE TABLE t AS SELECT 1 AS i", "CREATE VIEW v AS SELECT i FROM t"
    )
    numbers = f"CREATE TABLE numbers AS SELECT range AS n, 'value ' || range AS t FROM range({ROWS})"
    make_session(folder / f"{STEADY}.duckdb", numbers)
    with server.connect() as db:
        for session in (LIVE, STEADY):
            db.execute("SELECT rvbbit_attach_session(%s)", [session])
