"""Cancels at random moments of every phase, and how long other backends wait meanwhile."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from threading import Thread

import psycopg
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session, writing
from tests.torture.store import COPIED, litter

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
_SMALL = "CREATE TABLE small AS SELECT range AS i, 'text ' || range AS t FROM range(1000)"
# Longer statements would make DuckDB print its progress among the writer's answers.
_GROW = "INSERT INTO t SELECT random() FROM range(3000000)"


_ACTIVE = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = %(pid)s"
_COPYING = f"SELECT ({COPIED}) > 0 AND %(pid)s > 0"
# A log is copied before its database, and folded afterwards.
_FOLDING = _COPYING
_LONGEST = 0.25


@dataclass
class Phase:
    """A statement that is long in one phase; `before` makes it so again.

    `begun` tells from another connection whether the phase has begun, `within` how many seconds of it are
    sure to follow; if that is not known it is measured.
    """

    statement: str
    before: Callable[[Path], None] = lambda _folder: None
    begun: str = _ACTIVE
    within: float | None = None


def _touch(name: str) -> Callable[[Path], None]:
    return lambda folder: os.utime(folder / name)


def _import(remote: str) -> str:
    return (
        "DO $$ BEGIN CREATE SCHEMA cancelled;"
        f" IMPORT FOREIGN SCHEMA {remote} FROM SERVER rvbbit INTO cancelled; RAISE division_by_zero; END $$"
    )


def _join(tables: int) -> str:
    joined = " JOIN ".join(f"wide.t{n}" + (" USING (i)" if n else "") for n in range(tables))
    return f"SELECT count(*) FROM {joined}"


PHASES: dict[str, Phase] = {
    "listing": Phase("SELECT count(state) FROM rvbbit_sessions WHERE session_id LIKE 'many%'"),
    "copying": Phase(f"SELECT count(*) FROM {LARGE}.t", _touch(f"{LARGE}.duckdb"), _COPYING, 0.03),
    "folding": Phase(f"SELECT count(*) FROM {LOGGED}.t", _touch(f"{LOGGED}.duckdb.wal"), _FOLDING, 0.1),
    "import": Phase(_import(WIDE)),
    "sync": Phase("CALL rvbbit.sync()", _touch(f"{WIDE}.duckdb")),
    "long_list": Phase(f"SELECT count(*) FROM {LARGE}.small WHERE i IN ({LONG_LIST})"),
    "long_text": Phase(f"SELECT count(*) FROM {LARGE}.small WHERE t <> '{'x' * 5_000_000}'"),
    "wide_join": Phase(_join(64)),
    **{name: Phase(f"SELECT count(n) FROM busy.{name}", within=_LONGEST) for name in _VIEWS},
}


@dataclass
class Cancels:
    """Milliseconds between cancel and error, by phase; statements that were over before do not count."""

    server: Server
    rng: Random
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    tried: Counter[str] = field(default_factory=Counter)

    def before(self, killer: psycopg.Connection) -> None:
        """Make what `during` needs."""

    def during(self, killer: psycopg.Connection) -> None:
        """Do something else while the backend is busy, ahead of its cancel."""

    def seconds(self, began: float, cancelled: float, ended: float) -> float:
        """What is measured, of the moments when `during` began, the cancel was sent, the statement ended."""
        del began
        return ended - cancelled

    def run(self, each: int) -> None:
        """Catch each phase so many times; AssertionError if a connection is not usable afterwards."""
        with self.server.connect() as db, self.server.connect(user="postgres") as killer:
            db.prepare_threshold = None  # a statement that is prepared is not planned again
            for name, phase in PHASES.items():
                within = phase.within or _duration(phase, self.server, db)
                while len(self.took[name]) < each and self.tried[name] < 4 * each:
                    self.tried[name] += 1
                    self.before(killer)
                    phase.before(self.server.session_dir)
                    self._catch(name, replace(phase, within=within), db, killer)
                    assert db.execute("SELECT count(*) FROM wide.t1").fetchone() == (0,)
        assert litter(self.server, "building", seconds=60) == []

    def summary(self) -> str:
        """Number, median, 99th percentile and maximum of each phase."""
        return "\n".join(
            f"{name:12} {len(took):4} of {self.tried[name]:4} median {statistics.median(took):6.1f} "
            f"p99 {sorted(took)[int(len(took) * 0.99)]:6.1f} max {max(took):6.1f} ms"
            for name, took in self.took.items()
        )

    def _catch(self, name: str, phase: Phase, db: psycopg.Connection, killer: psycopg.Connection) -> None:
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
        while not ended and not _has(killer, phase.begun, db.info.backend_pid):
            pass
        time.sleep(self.rng.uniform(0.001, phase.within or _LONGEST))
        began = time.monotonic()
        self.during(killer)
        cancelled = time.monotonic()
        killer.execute("SELECT pg_cancel_backend(%s)", [db.info.backend_pid])
        thread.join()
        when, error = ended[0]
        if isinstance(error, psycopg.errors.QueryCanceled) and when > cancelled:
            self.took[name].append(self.seconds(began, cancelled, when) * 1000)


class Barriers(Cancels):
    """Milliseconds that DROP DATABASE takes, which waits until the busy backend has taken note."""

    def before(self, killer: psycopg.Connection) -> None:
        killer.execute("DROP DATABASE IF EXISTS bystander")
        killer.execute("CREATE DATABASE bystander")

    def during(self, killer: psycopg.Connection) -> None:
        killer.execute("DROP DATABASE bystander")

    def seconds(self, began: float, cancelled: float, ended: float) -> float:
        del ended
        return cancelled - began


def prepare(server: Server) -> None:
    """Write the sessions, and attach them."""
    folder = server.session_dir
    make_session(folder / f"{BUSY}.duckdb", *(f"CREATE VIEW {n} AS {q}" for n, q in _VIEWS.items()))
    make_session(folder / f"{WIDE}.duckdb", *(f"CREATE TABLE t{n} (i INTEGER)" for n in range(100)))
    make_session(folder / f"{LARGE}.duckdb", "CREATE TABLE t (r DOUBLE)", *[_GROW] * 8, _SMALL)
    with writing(folder / f"{LOGGED}.duckdb", checkpoint_threshold="1GB") as writer:
        writer.run("CREATE TABLE t (x BIGINT, y VARCHAR)")
        for _ in range(12):
            writer.run("INSERT INTO t SELECT range, md5(range::VARCHAR) FROM range(60000)")
        writer.kill()
    with server.connect() as db:
        db.execute("SELECT rvbbit.set_policy('none')")
        for session in (WIDE, LARGE, LOGGED):
            db.execute("SELECT rvbbit_attach_session(%s)", [session])
        _attach_busy(db)
    (folder / "many.duckdb").write_bytes((folder / f"{WIDE}.duckdb").read_bytes()[:12288])
    for number in range(_FILES):
        os.link(folder / "many.duckdb", folder / f"many{number}.duckdb")


def _duration(phase: Phase, server: Server, db: psycopg.Connection) -> float:
    """Seconds that the statement takes; a moment less, so that a cancel seldom comes too late."""
    phase.before(server.session_dir)
    began = time.monotonic()
    with suppress(psycopg.errors.DivisionByZero):
        db.execute(phase.statement.encode())
    return min(_LONGEST, 0.8 * (time.monotonic() - began))


def _has(killer: psycopg.Connection, begun: str, pid: int) -> bool:
    row = killer.execute(begun.encode(), {"pid": pid}).fetchone()
    return row is not None and bool(row[0])


def _attach_busy(db: psycopg.Connection) -> None:
    db.execute("CREATE SCHEMA busy")
    for name in _VIEWS:
        make = sql.SQL(
            "CREATE FOREIGN TABLE busy.{} (n bigint OPTIONS (duckdb_type 'BIGINT'))"
            " SERVER rvbbit OPTIONS (session {}, table_name {})"
        )
        db.execute(make.format(sql.Identifier(name), sql.Literal(BUSY), sql.Literal(name)))
