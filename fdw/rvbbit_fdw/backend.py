"""All that one PostgreSQL backend keeps between calls."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb

from rvbbit_fdw import catalog, importer
from rvbbit_fdw.catalog import Catalog, Relation
from rvbbit_fdw.catalog_cache import CatalogCache
from rvbbit_fdw.engine import Attached, Engine, connect_idle, warm
from rvbbit_fdw.fingerprint import boot
from rvbbit_fdw.inspection import inspect
from rvbbit_fdw.protocol import fingerprint, unusable
from rvbbit_fdw.request import Server, Settings
from rvbbit_fdw.sessions import SessionFile, SessionFolder
from rvbbit_fdw.snapshot import SnapshotStore, session_name
from rvbbit_fdw.tasks import Task

_CATALOGS = 256
"""Of how many sessions a catalog stays in memory, each that of one state."""

_CACHE_PART = 8
"""The catalogs of all sessions take at most one part in this many of what snapshots may take."""


class Backend:
    """Tasks, the sealed instance of each snapshot store, and catalogs by snapshot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: duckdb.DuckDBPyConnection | None = None
        self._tasks: dict[int, Task] = {}
        self._stores: dict[str, tuple[int, SnapshotStore]] = {}
        self._caches: dict[str, CatalogCache] = {}
        self._engines: dict[str, Engine] = {}
        self._catalogs: dict[str, tuple[str, Catalog]] = {}
        self._known: dict[str, tuple[tuple[int, int, int], Catalog]] = {}
        self._described: tuple[str, Catalog] | None = None

    def preload(self) -> None:
        """Make the idle instance that forked backends inherit, with all modules that are loaded now, and what
        is slow to find out and stays the same.

        All of it stays for ever, so garbage collectors need not look: that would copy its pages.
        """
        self._idle = connect_idle()
        warm(self._idle)
        boot()
        gc.collect()
        gc.freeze()

    def start(self, number: int) -> Task:
        """A new task, which `interrupt` can find from now on."""
        task = Task(number)
        self._tasks[number] = task
        return task

    def task(self, number: int) -> Task:
        """The task of that number, which was started."""
        return self._tasks[number]

    def finish(self, number: int) -> None:
        """Close the task and forget it; nothing if it is unknown."""
        task = self._tasks.pop(number, None)
        if task is not None:
            task.close()

    def read_by(self, number: int) -> str:
        """What the scan of that number reads; nothing if it is unknown."""
        task = self._tasks.get(number)
        return "" if task is None else task.reads

    @contextmanager
    def running(self, number: int) -> Iterator[Task]:
        """A task for the time of the block."""
        try:
            yield self.start(number)
        finally:
            self.finish(number)

    def interrupt(self, number: int) -> None:
        """Interrupt the task, if it is still known."""
        task = self._tasks.get(number)
        if task is not None:
            task.interrupt()

    def folder(self, server: Server) -> SessionFolder:
        """The server's session folder."""
        return SessionFolder(server.session_dir)

    def store(self, server: Server, settings: Settings) -> SnapshotStore:
        """The server's snapshot store, under the limit that holds now."""
        known = self._stores.get(server.snapshot_dir)
        if known is None or known[0] != settings.snapshot_limit:
            known = (settings.snapshot_limit, SnapshotStore(server.snapshot_dir, settings.snapshot_limit))
            self._stores[server.snapshot_dir] = known
        return known[1]

    def take_copied(self) -> int:
        """How many snapshots this backend made since this was last asked."""
        return sum(store.take_copied() for _, store in list(self._stores.values()))

    def engine(self, server: Server, settings: Settings) -> Engine:
        """The sealed instance that reads the server's snapshots, made at its first use.

        Limits are those of its first use: a sealed instance takes no others.
        """
        engine = self._engines.get(server.snapshot_dir)
        if engine is not None:
            return engine
        store = self.store(server, settings)
        made = Engine(self._take_idle() or connect_idle(), Path(store.workplace()), settings)
        with self._lock:
            engine = self._engines.setdefault(server.snapshot_dir, made)
        if engine is not made:  # another thread was faster
            store.leave(str(made.workplace))
        return engine

    def release(self, pin: int) -> None:
        """Release a pin everywhere."""
        for engine in list(self._engines.values()):
            engine.release(pin)

    def catalog(self, attached: Attached, task: Task) -> Catalog:
        """The catalog of an attached snapshot: from memory, from its file, or read now."""
        directory = attached.snapshot.directory
        found = self._kept(directory)
        if found is None:
            found = catalog.read(task.cursor, attached.alias, attached.snapshot.session_id)
            task.check()  # DuckDB's parser may take an interrupt for a fault of the text
            if attached.renamed and found.names_session:  # its columns may be those of another state
                return found.under_another_name()
            catalog.save(found, Path(directory, catalog.FILE_NAME))
        self._remember(directory, found)
        return found.under_another_name() if attached.renamed else found

    def reading(self, attached: Attached, engine: Engine, found: Catalog, relation: Relation | None) -> str:
        """The database in which a relation is read: the session's own, or one that shields it.

        Raises what is wrong with the relation if it cannot be defined there.
        """
        if relation is None or not relation.shielded or relation.refused is not None:
            return attached.alias
        made = engine.shield(attached, found.shield)
        problem = made.problem(relation.schema, relation.name)
        if problem is not None:
            raise problem
        return made.alias

    def described(self, file: SessionFile, server: Server, settings: Settings) -> Catalog | None:
        """What describe() found out of the session's newest state, in any backend; None if that is not known.

        Raises SessionNotFound and SessionUnusable.
        """
        session, key = session_name(file), fingerprint(file).key
        state = f"{server.snapshot_dir} {session} {key}"
        last = self._described  # an attach asks several times
        if last is None or last[0] != state:
            found = self._cache(self.store(server, settings), server, settings).load(session, key)
            if found is None:
                return None
            self._described = last = state, found
        return last[1]

    def describe(self, file: SessionFile, server: Server, settings: Settings, task: Task) -> Catalog:
        """The session's tables with what is wrong with its views; from a snapshot only if it has changed.

        Raises what taking a snapshot raises.
        """
        found = self.described(file, server, settings)
        if found is None and not _has_tables(file):
            return Catalog()
        if found is None:
            store, engine = self.store(server, settings), self.engine(server, settings)
            with engine.using(file, store, task) as attached:
                read = self.catalog(attached, task)
                bind = importer.Binder(partial(self.reading, attached, engine, read), task)
                found = catalog.try_views(read, bind)
            # What is wrong for the moment is not kept: a name that is taken, memory that ran out.
            if bind.settled and not (attached.renamed and found.names_session):
                self._cache(store, server, settings).save(session_name(file), attached.snapshot.key, found)
        return found

    def known(self, file: SessionFile, server: Server, settings: Settings) -> Catalog | None:
        """What is known of the session without reading it: of this state, else of the last seen here.

        Raises SessionNotFound and SessionUnusable.
        """
        state = (file.size_bytes, file.wal_bytes, file.modified_ns)
        seen = self._known.get(file.path)
        if seen is not None and seen[0] == state:
            return seen[1]
        store = self.store(server, settings)
        snapshot = store.find(file)
        found = self._kept(snapshot.directory) if snapshot else None
        if found is None:
            cache = self._cache(store, server, settings)
            found = cache.load(session_name(file), fingerprint(file).key)
        if found is None:
            return seen[1] if seen else None
        with self._lock:
            self._known[file.path] = (state, found)
            while len(self._known) > _CATALOGS:
                del self._known[next(iter(self._known))]
        return found

    def _kept(self, directory: str) -> Catalog | None:
        """The catalog of a snapshot, from memory or from its file."""
        remembered = self._catalogs.get(os.path.dirname(directory))  # noqa: PTH120
        if remembered is not None and remembered[0] == directory:
            return remembered[1]
        return catalog.load(Path(directory, catalog.FILE_NAME))

    def _remember(self, directory: str, found: Catalog) -> None:
        """Instead of that of an earlier state: a session that is written has a new snapshot at each look."""
        with self._lock:
            self._catalogs[os.path.dirname(directory)] = (directory, found)  # noqa: PTH120
            while len(self._catalogs) > _CATALOGS:
                del self._catalogs[next(iter(self._catalogs))]

    def _cache(self, store: SnapshotStore, server: Server, settings: Settings) -> CatalogCache:
        known = self._caches.get(server.snapshot_dir)
        if known is None:
            known = CatalogCache(store.catalogs, settings.snapshot_limit // _CACHE_PART)
            self._caches[server.snapshot_dir] = known
        return known

    def _take_idle(self) -> duckdb.DuckDBPyConnection | None:
        with self._lock:
            idle, self._idle = self._idle, None
            return idle


def _has_tables(file: SessionFile) -> bool:
    """False if the headers alone tell that there is none; SessionUnusable if it cannot be read."""
    found = inspect(file)
    if found.state not in {"ready", "live", "empty"}:
        raise unusable(file.session_id, found)
    return found.state != "empty"
