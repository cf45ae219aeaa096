"""A writer that never pauses, and snapshots of it: each must be one committed state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

import duckdb

from rvbbit_fdw.sessions import SessionFolder
from rvbbit_fdw.snapshot import Snapshot, SnapshotStore
from tests.kit.writers import looping

Locks: TypeAlias = Literal["seen", "unseen"]
LOCKS: Final[tuple[Locks, ...]] = ("seen", "unseen")

# Every commit keeps sum(v) = 0 and adds one to the counter; the log says what was committed.
_PROGRAM = """
import os, sys, duckdb
path, log, stop = sys.argv[1:]
connection = duckdb.connect(path, config={{"checkpoint_threshold": "200KB"}})
{after_open}
connection.execute("CREATE TABLE a AS SELECT range AS i, 0 AS v FROM range(2000)")
connection.execute("CREATE TABLE c AS SELECT 0 AS n")
with open(log, "w") as out:
    n = 0
    while not os.path.exists(stop):
        n += 1
        connection.execute("BEGIN")
        connection.execute("UPDATE a SET v = v + 1 WHERE i = ?", [n % 1000])
        connection.execute("UPDATE a SET v = v - 1 WHERE i = ?", [1000 + n % 1000])
        connection.execute("UPDATE c SET n = n + 1")
        if n % 50 == 0:
            connection.execute("CREATE OR REPLACE TABLE b AS SELECT range AS x FROM range(130000)")
        connection.execute("COMMIT")
        out.write(f"{{n}}\\n")
        out.flush()
        if n % 8 == 0:
            connection.execute("CHECKPOINT")
"""

# A process loses its POSIX locks on a file with the first of its descriptors of it that is closed.
AFTER_OPEN: Final[dict[Locks, str]] = {"seen": "", "unseen": "os.close(os.open(path, os.O_RDONLY))"}


class Place:
    """A session folder with a store inside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = SessionFolder(str(root))
        self.store = SnapshotStore(str(root / "store"), 1 << 30)

    def take(self, session_id: str = "s", check: Callable[[], None] = lambda: None) -> Snapshot:
        """A snapshot of the session as it is now."""
        return self.store.take(self.folder.find(session_id), check)

    def read(self, snapshot: Snapshot, sql: str) -> tuple[int, ...]:
        """The first row of a query on the snapshot."""
        place = self.store.workplace()
        with duckdb.connect(snapshot.link_into(place, "x"), read_only=True) as connection:
            row: tuple[int, ...] | None = connection.execute(sql).fetchone()
        self.store.leave(place)
        assert row is not None
        return row

    def building(self) -> list[Path]:
        """What is in the making."""
        return list((self.root / "store" / "building").glob("*"))

    def published(self) -> list[Path]:
        """The snapshots that exist."""
        return list((self.root / "store" / "sessions").glob("*/*"))


@dataclass
class Tally:
    """What was read of a busy writer."""

    snapshots: int = 0
    stale: int = 0
    states: set[int] = field(default_factory=set)


@contextmanager
def writing_for_ever(place: Place, locks: Locks = "seen") -> Iterator[Path]:
    """A writer of the session "s", with a checkpoint after each eighth commit; gives its log."""
    with looping(place.root / "s.duckdb", _PROGRAM.format(after_open=AFTER_OPEN[locks])) as log:
        yield log


def committed(log: Path) -> int:
    """How many commits the writer has made at least."""
    lines = log.read_text().split("\n")
    return int(lines[-2]) if len(lines) > 1 else 0


def read_states(place: Place, log: Path, go_on: Callable[[Tally], bool]) -> Tally:
    """Take snapshots and read them; each is one committed state and, unless it says otherwise, the newest."""
    tally = Tally()
    while go_on(tally):
        least = committed(log)
        found = place.take()
        total, number = place.read(found, "SELECT (SELECT sum(v) FROM a), (SELECT n FROM c)")
        assert total == 0
        assert number >= least or found.stale_seconds is not None
        tally.snapshots += 1
        tally.stale += found.stale_seconds is not None
        tally.states.add(number)
    return tally
