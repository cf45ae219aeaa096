"""kill -9 at random moments: of backends, of the syncer, of folds, of writers, of the whole server."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Thread

import psycopg

from tests.kit.container import Server, wait_until_healthy
from tests.kit.writers import Writer, make_session
from tests.torture.store import litter

STEADY = "steady-heron-5d5d5d"
LIVE = "busy-badger-77aa01"
ROWS = 300_000
_VICTIMS = ("backend", "backend", "syncer", "fold", "writer")
# Kill the newest process whose command line fits; it may take a moment to appear.
_KILL = """
for try in $(seq 40); do
    sleep 0.0$((RANDOM % 10))
    for process in $(ls -d /proc/[0-9]* | sort -Vr); do
        if tr '\\0' ' ' < $process/cmdline 2> /dev/null | grep -q '{}'; then
            kill -9 ${{process#/proc/}} && echo killed && exit
        fi
    done
done
"""
# What a backend does when it is killed.
WORK = (
    f'SELECT count(*), sum(n) FROM "{STEADY}".numbers',
    f'SELECT t FROM "{STEADY}".numbers ORDER BY t',
    f"SELECT count(*) FROM rvbbit_tables WHERE session_id = '{LIVE}'",
    "SELECT sum(table_count) FROM rvbbit_sessions",
    "CALL rvbbit.sync()",
    f"SELECT rvbbit_detach_session('{STEADY}'), rvbbit_attach_session('{STEADY}')",
)


@dataclass
class Killer:
    """Kills, and looks whether everything answers again."""

    server: Server
    rng: Random
    killed: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    done: bool = False

    def prepare(self) -> None:
        """Write the session that is asked, and attach it."""
        make_session(
            self.server.session_dir / f"{STEADY}.duckdb",
            f"CREATE TABLE numbers AS SELECT range AS n, 'value ' || range AS t FROM range({ROWS})",
        )
        with self.server.connect() as db:
            db.execute("SELECT rvbbit_attach_session(%s)", [STEADY])

    def run(self, count: int) -> None:
        """Kill `count` times; AssertionError if the server does not answer rightly afterwards."""
        for number in range(count):
            with self._writer(self.server.session_dir / f"{LIVE}.duckdb") as writer:
                victim = "server" if number % 10 == 9 else self.rng.choice(_VICTIMS)
                _KILLS[victim](self, writer)
            self._wait_until_it_answers()
        assert litter(self.server, "work", "building") == []

    def _writer(self, path: Path) -> _Live:
        return _Live(path, self.rng)

    def _wait_until_it_answers(self) -> None:
        started = time.monotonic()
        while not self._answers():
            assert time.monotonic() - started < 60, "the server does not answer"
            time.sleep(0.1)
        self.longest = max(self.longest, time.monotonic() - started)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), self.server.connect() as db:
            db.execute("SELECT rvbbit_attach_session(%s)", [STEADY])
            row = db.execute(WORK[0].encode()).fetchone()
            assert row == (ROWS, ROWS * (ROWS - 1) // 2)
            return True
        return False

    def busy(self, statement: str) -> Thread:
        """A client that runs the statement, a random moment later."""

        def work() -> None:
            until = time.monotonic() + 4
            with suppress(psycopg.OperationalError), self.server.connect() as db:
                while time.monotonic() < until and not self.done:
                    with suppress(psycopg.DatabaseError):
                        db.execute(statement.encode())

        self.done = False
        thread = Thread(target=work)
        thread.start()
        time.sleep(self.rng.uniform(0, 0.25))
        return thread

    def signal(self, victim: str, pattern: str) -> None:
        """SIGKILL to the newest process of the container whose command line fits, if one appears."""
        self.server.allow("was terminated by signal 9")
        done = self.server.run("bash", "-c", _KILL.format(pattern), user="postgres")
        self.killed[victim] += done.count("killed")
        self.done = True


def _kill_backend(killer: Killer, _writer: Writer) -> None:
    thread = killer.busy(killer.rng.choice(WORK))
    killer.signal("backend", "[p]ostgres: .*rvbbit")
    thread.join()


def _kill_syncer(killer: Killer, writer: Writer) -> None:
    writer.run(f"CREATE TABLE phase_{killer.rng.randrange(1 << 30)} AS SELECT 1 AS i")
    thread = killer.busy("CALL rvbbit.sync()")
    killer.signal("syncer", "[p]ostgres: .*CALL")
    thread.join()


def _kill_fold(killer: Killer, writer: Writer) -> None:
    """The process that folds a large log."""
    writer.run("CREATE OR REPLACE TABLE large (x BIGINT, y VARCHAR)")
    for _ in range(8):  # larger pieces would be written past the log
        writer.run("INSERT INTO large SELECT range, md5(range::VARCHAR) FROM range(60000)")
    hunter = Thread(target=killer.signal, args=("fold", "[r]vbbit_fdw.fold"))
    hunter.start()
    time.sleep(0.3)
    thread = killer.busy(WORK[2])
    hunter.join()
    thread.join()


def _kill_writer(killer: Killer, writer: Writer) -> None:
    thread = killer.busy(killer.rng.choice(WORK))
    writer.kill()
    killer.done = True
    killer.killed["writer"] += 1
    thread.join()


def _kill_server(killer: Killer, _writer: Writer) -> None:
    thread = killer.busy(killer.rng.choice(WORK))
    container = killer.server.container.get_wrapped_container()
    container.kill()
    killer.done = True
    killer.killed["server"] += 1
    container.start()
    thread.join()
    wait_until_healthy(killer.server.container)


_KILLS: dict[str, Callable[[Killer, Writer], None]] = {
    "backend": _kill_backend,
    "syncer": _kill_syncer,
    "fold": _kill_fold,
    "writer": _kill_writer,
    "server": _kill_server,
}


class _Live:
    """A session that is written while others are killed; attached under its own name."""

    def __init__(self, path: Path, rng: Random) -> None:
        self._path = path
        self._rng = rng
        self._writer: Writer | None = None

    def __enter__(self) -> Writer:
        self._writer = Writer(self._path, checkpoint_threshold="1GB")
        rows = self._rng.randrange(1000)
        self._writer.run(f"CREATE OR REPLACE TABLE phase AS SELECT range AS i FROM range({rows})")
        return self._writer

    def __exit__(self, *_: object) -> None:
        if self._writer is not None and self._writer.process.returncode is None:
            self._writer.close()
