"""Cancels at random moments of every phase: how long each statement goes on afterwards."""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Thread

import psycopg
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session, writing

LONG_LIST = ", ".join(map(str, range(200_000)))
BUSY, WIDE, LARGE, LOGGED = "busy-badger-77aa01", "wide", "large", "logged"
_VIEWS = {
    "cross_join": "SELECT count(*) n FROM range(1000000) a(i), range(1000000) b(j) WHERE a.i * b.j % 7 = 3",
    "sort": "SELECT range AS n FROM range(60000000) ORDER BY hash(range) OFFSET 30000000",
    "stream": "SELECT range AS n FROM range(500000000)",
    "regex": "SELECT count(*) AS n FROM range(100000000) WHERE regexp_matches('c' || range, 'c.*7.*8.*9$')",
    "slow_bind": f"SELECT range AS n FROM range(10) WHERE range IN ({LONG_LIST})",
}
_FILES = 20_000
# Longer statements would make DuckDB print its progress among the writer's answers.
_GROW = "INSERT INTO t SELECT random() FROM range(3000000)"


@dataclass
class Phase:
    """A statement that is long in one phase; `before` makes it so again."""

    statement: str
    before: Callable[[Path], None] = lambda _folder: None


def _touch(name: str) -> Callable[[Path], None]:
    return lambda folder: os.utime(folder / name)


def _import(remote: str) -> str:
    return (
        "DO $$ BEGIN CREATE SCHEMA cancelled;"
        f" IMPORT FOREIGN SCHEMA {remote} FROM SERVER rvbbit INTO cancelled; RAISE division_by_zero; END $$"
    )


PHASES: dict[str, Phase] = {
    "listing": Phase("SELECT count(state) FROM rvbbit_sessions WHERE session_id LIKE 'many%'"),
    "copying": Phase(f"SELECT count(*) FROM {LARGE}.t", _touch(f"{LARGE}.duckdb")),
    "folding": Phase(f"SELECT count(*) FROM {LOGGED}.t", _touch(f"{LOGGED}.duckdb.wal")),
    "import": Phase(_import(WIDE)),
    "sync": Phase("CALL rvbbit.sync()", _touch(f"{WIDE}.duckdb")),
    **{name: Phase(f"SELECT count(n) FROM busy.{name}") for name in _VIEWS},
}


@dataclass
class Cancels:
    """Milliseconds between cancel and error, by phase; statements that were over before do not count."""

    server: Server
    rng: Random
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def prepare(self) -> None:
        """Write the sessions, and attach them."""
        folder = self.server.session_dir
        make_session(folder / f"{BUSY}.duckdb", *(f"CREATE VIEW {n} AS {q}" for n, q in _VIEWS.items()))
        make_session(folder / f"{WIDE}.duckdb", *(f"CREATE TABLE t{n} (i INTEGER)" for n in range(100)))
        make_session(folder / f"{LARGE}.duckdb", "CREATE TABLE t (r DOUBLE)", *[_GROW] * 8)
        with writing(folder / f"{LOGGED}.duckdb", checkpoint_threshold="1GB") as writer:
            writer.run("CREATE TABLE t (x BIGINT, y VARCHAR)")
            for _ in range(12):
                writer.run("INSERT INTO t SELECT range, md5(range::VARCHAR) FROM range(60000)")
            writer.kill()
        with self.server.connect() as db:
            db.execute("SELECT rvbbit.set_policy('none')")
            for session in (WIDE, LARGE, LOGGED):
                db.execute("SELECT rvbbit_attach_session(%s)", [session])
            _attach_busy(db)
        (folder / "many.duckdb").write_bytes((folder / f"{WIDE}.duckdb").read_bytes()[:12288])
        for number in range(_FILES):
            os.link(folder / "many.duckdb", folder / f"many{number}.duckdb")

    def run(self, each: int) -> None:
        """Cancel each phase so many times; AssertionError if a connection is not usable afterwards."""
        with self.server.connect() as db, self.server.connect(user="postgres") as killer:
            for name, phase in PHASES.items():
                for _ in range(each):
                    phase.before(self.server.session_dir)
                    self._cancel(name, phase, db, killer)
                    assert db.execute("SELECT count(*) FROM wide.t1").fetchone() == (0,)

    def summary(self) -> str:
        """Number, median, 99th percentile and maximum of each phase."""
        return "\n".join(
            f"{name:12} {len(took):4} median {statistics.median(took):6.1f} "
            f"p99 {sorted(took)[int(len(took) * 0.99)]:6.1f} max {max(took):6.1f} ms"
            for name, took in self.took.items()
        )

    def _cancel(self, name: str, phase: Phase, db: psycopg.Connection, killer: psycopg.Connection) -> None:
        ended: list[tuple[float, psycopg.Error | None]] = []

        def work() -> None:
            try:
                db.execute(phase.statement.encode())
            except psycopg.Error as error:
                ended.append((time.monotonic(), error))
            else:
                ended.append((time.monotonic(), None))

        thread = Thread(target=work)
        thread.start()
        time.sleep(self.rng.uniform(0.001, 0.25))
        asked = time.monotonic()
        killer.execute("SELECT pg_cancel_backend(%s)", [db.info.backend_pid])
        thread.join()
        when, error = ended[0]
        if isinstance(error, psycopg.errors.QueryCanceled) and when > asked:
            self.took[name].append((when - asked) * 1000)


def _attach_busy(db: psycopg.Connection) -> None:
    db.execute("CREATE SCHEMA busy")
    for name in _VIEWS:
        make = sql.SQL(
            "CREATE FOREIGN TABLE busy.{} (n bigint OPTIONS (duckdb_type 'BIGINT'))"
            " SERVER rvbbit OPTIONS (session {}, table_name {})"
        )
        db.execute(make.format(sql.Identifier(name), sql.Literal(BUSY), sql.Literal(name)))
