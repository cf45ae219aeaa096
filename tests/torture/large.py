"""A session that takes long to copy: nobody else waits for that, it can be cancelled, and it happens once."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

import psycopg

from tests.kit.container import Server
from tests.kit.writers import writing
from tests.torture.store import STORE, copied_bytes, litter

LARGE, SMALL = "large", "small"
# Hashes do not compress: 8 bytes for each row.
_PIECE_ROWS = 5_000_000
PIECE_BYTES = _PIECE_ROWS * 8
COUNT = f"SELECT count(*), count(h) FROM {LARGE}.t"
_OTHERS = {
    "a session": f"SELECT count(*) FROM {SMALL}.t",
    "sessions": f"SELECT count(*), count(state) FROM rvbbit_sessions WHERE session_id <> '{LARGE}'",
    "a changed session": f"SELECT count(*) FROM {SMALL}.t",
    "snapshots": "SELECT count(*) FROM rvbbit.snapshots",
    "sync": "CALL rvbbit.sync()",
}


@dataclass
class UnderWay:
    """A statement that copies the session in a thread of its own, and how it ended."""

    pid: int
    ended: list[psycopg.Error | None] = field(default_factory=list)
    ended_at: float = 0.0

    def work(self, db: psycopg.Connection) -> None:
        """Run the statement and note its end."""
        error = None
        try:
            db.execute(COUNT.encode())
        except psycopg.Error as caught:
            error = caught
        self.ended_at = time.monotonic()
        self.ended.append(error)


@dataclass
class Large:
    """A server with a session of so many pieces, which no snapshot in its store has, and a small one."""

    server: Server
    pieces: int
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def prepare(self) -> None:
        """Write both sessions and attach them."""
        with writing(self.server.session_dir / f"{SMALL}.duckdb") as writer:
            writer.run("CREATE TABLE t AS SELECT range AS i FROM range(1000)")
        with writing(self.server.session_dir / f"{LARGE}.duckdb") as writer:
            writer.run("CREATE TABLE t (h UBIGINT)")
            for number in range(self.pieces):
                first = number * _PIECE_ROWS
                writer.run(f"INSERT INTO t SELECT hash(range) FROM range({first}, {first + _PIECE_ROWS})")
        with self.server.connect() as db:
            db.execute("SELECT rvbbit.set_policy('none')")
            for session in (SMALL, LARGE):
                db.execute("SELECT rvbbit_attach_session(%s)", [session])
            db.execute("CALL rvbbit.sync()")

    @property
    def rows(self) -> tuple[int, int]:
        """What COUNT gives."""
        return self.pieces * _PIECE_ROWS, self.pieces * _PIECE_ROWS

    def forget(self) -> None:
        """Empty the store, as an eviction does: the next statement copies."""
        self.server.run("bash", "-c", f"rm -rf {STORE}/sessions/*", user="postgres")

    @contextmanager
    def copying(self, db: psycopg.Connection, superuser: psycopg.Connection) -> Iterator[UnderWay]:
        """The block begins when a part of the session is copied; at its end the statement ends."""
        self.forget()
        under_way = UnderWay(db.info.backend_pid)
        thread = Thread(target=under_way.work, args=(db,))
        thread.start()
        try:
            while copied_bytes(superuser) == 0:
                assert not under_way.ended, "copying was not seen: a file system that clones files?"
            yield under_way
        finally:
            thread.join()

    def others(self) -> None:
        """What other connections do meanwhile, and how many milliseconds each thing takes."""
        for what, statement in _OTHERS.items():
            if what == "a changed session":
                os.utime(self.server.session_dir / f"{SMALL}.duckdb")
            with self.server.connect() as db:
                began = time.monotonic()
                db.execute(statement.encode())
                self.took[what].append((time.monotonic() - began) * 1000)

    def assert_nothing_is_left(self, superuser: psycopg.Connection) -> None:
        """No snapshot of the session, and no part of one."""
        assert self.snapshots(superuser) == []
        assert litter(self.server, "building") == []

    def snapshots(self, db: psycopg.Connection) -> list[tuple[object, ...]]:
        """The session's snapshots: when taken, and whether it is the state of now."""
        query = "SELECT taken_at, is_current FROM rvbbit.snapshots WHERE session_id = %s"
        return db.execute(query, [LARGE]).fetchall()

    def assert_copied_once(self, db: psycopg.Connection) -> None:
        """Two statements on the unchanged session, which is in the store afterwards: one copy at most."""
        assert db.execute(COUNT.encode()).fetchone() == self.rows
        before = copies(db), self.snapshots(db)
        assert len(before[1]) == 1
        with self.server.connect() as another:
            assert another.execute(COUNT.encode()).fetchone() == self.rows
        assert db.execute(COUNT.encode()).fetchone() == self.rows
        after = copies(db), self.snapshots(db)
        assert after == before


def copies(db: psycopg.Connection) -> int:
    """How many snapshots all connections made."""
    row = db.execute("SELECT snapshots FROM rvbbit.stats").fetchone()
    assert row is not None
    return int(row[0])


def signal(superuser: psycopg.Connection, name: str, pid: int) -> None:
    """Send a signal to a backend."""
    superuser.execute(f"COPY (SELECT 1 WHERE false) TO PROGRAM 'kill -{name} {pid}'".encode())
