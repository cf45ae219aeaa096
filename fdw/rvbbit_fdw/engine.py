"""The sealed DuckDB instance of a backend: what it may do, what is attached to it, and for whom.

After sealing the instance can read no file but those of its own workplace, where a snapshot's files are
linked for the moment of ATTACH alone. Views that are stored in a session can therefore read that session and
what else the same statement uses, and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from rvbbit_fdw import catalog, guard, shield
from rvbbit_fdw.errors import SnapshotBusy, SnapshotGone, of_session, translate
from rvbbit_fdw.request import Settings
from rvbbit_fdw.sessions import SessionFile
from rvbbit_fdw.shield import Piece, Shield
from rvbbit_fdw.snapshot import Snapshot, SnapshotStore
from rvbbit_fdw.sqltext import Sql, literal, quote
from rvbbit_fdw.storage import WAL_SUFFIXES
from rvbbit_fdw.tasks import Task

RESERVED_ALIASES = frozenset({"memory", "system", "temp", "main", "pg_catalog", "information_schema"})
"""Names that DuckDB gives to databases and schemas of its own."""

_TRIES = 5


def connect_idle() -> duckdb.DuckDBPyConnection:
    """An in-memory instance without any thread of its own, so that it survives a fork."""
    return duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "async_threads": 0,
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "allow_community_extensions": False,
            "python_enable_replacements": False,
        },
    )


def warm(idle: duckdb.DuckDBPyConnection) -> None:
    """Let the instance do once what is slow the first time; it still has no thread of its own."""
    with idle.cursor() as cursor:
        cursor.execute("SET GLOBAL TimeZone = 'UTC'")
        guard.built_in(cursor)
        catalog.read(cursor, "memory")
        cursor.sql("SELECT 1 AS i, 'x' AS t").__arrow_c_stream__()


@dataclass
class Attached:
    """A snapshot that is attached under a name; `pins` are the statements that need it."""

    alias: str
    snapshot: Snapshot
    pins: set[Hashable] = field(default_factory=set)
    shield: Shield | None = None
    largest: dict[tuple[str, str], dict[str, int | None]] = field(default_factory=dict)
    """What is known of the numbers of its tables, by schema and table, for columns that were asked for."""

    @property
    def renamed(self) -> bool:
        """True if the name is not the session's own."""
        return self.alias != self.snapshot.session_id


class Engine:
    """One sealed instance and its workplace.

    Attachments and pins change in short steps under a lock that is never held over a call of DuckDB, because
    any call may be abandoned while it blocks.
    """

    def __init__(self, idle: duckdb.DuckDBPyConnection, workplace: Path, settings: Settings) -> None:
        self.workplace = workplace
        self._connection = idle
        self._lock = threading.Lock()
        self._attached: dict[str, Attached] = {}
        self._aliases: set[str] = set(RESERVED_ALIASES)
        self._pins: dict[Hashable, dict[str, Attached]] = {}
        self._links = 0
        for statement in _sealing(str(workplace), settings):
            idle.execute(statement)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for one scan: it can be interrupted and closed without touching any other."""
        return self._connection.cursor()

    def use(
        self, pin: Hashable, file: SessionFile, store: SnapshotStore, task: Task, max_age: float = 0
    ) -> Attached:
        """The session's snapshot under this pin.

        The pin's first use takes the newest committed state, or a snapshot of at most `max_age` seconds.
        """
        with self._lock:
            held = self._pins.get(pin, {}).get(file.path)
        if held is not None:
            return held
        for _ in range(_TRIES):
            snapshot = store.take(file, task.check, max_age)
            store.keep_workplace(str(self.workplace))
            with suppress(SnapshotGone):
                return self._use_snapshot(pin, file, snapshot, task)
        message = f'session "{file.session_id}" is being replaced faster than it can be read'
        raise SnapshotBusy(message)

    @contextmanager
    def using(self, file: SessionFile, store: SnapshotStore, task: Task) -> Iterator[Attached]:
        """The session's newest snapshot, for the time of the block."""
        pin = object()
        try:
            yield self.use(pin, file, store, task)
        finally:
            self.release(pin)

    def release(self, pin: Hashable) -> None:
        """Forget the pin. What nobody needs is detached before the next session is used."""
        with self._lock:
            for attached in self._pins.pop(pin, {}).values():
                attached.pins.discard(pin)

    def shield(self, attached: Attached, pieces: Sequence[Piece]) -> Shield:
        """What the snapshot's shielded relations are read by way of; made at its first use."""
        if attached.shield is not None:
            return attached.shield
        alias = self._reserve_alias(f"{attached.alias} (shield)")
        try:
            with self.cursor() as cursor:
                made = shield.build(cursor, attached.alias, alias, pieces)
        except BaseException:
            self._detach(alias)
            raise
        with self._lock:
            # An abandoned task may come here later than another one, or when the snapshot is gone.
            kept = attached.shield is None and any(each is attached for each in self._attached.values())
            if kept:
                attached.shield = made
        if not kept:
            self._detach(alias)
        return attached.shield or made

    def attached_aliases(self) -> set[str]:
        """The names under which snapshots are attached now."""
        with self._lock:
            return {attached.alias for attached in self._attached.values()}

    def _use_snapshot(self, pin: Hashable, file: SessionFile, snapshot: Snapshot, task: Task) -> Attached:
        attached = self._adopt(pin, file, snapshot, task)
        self._sweep()
        if attached is None:
            attached = self._attach(pin, file, snapshot, task)
        return attached

    def _adopt(self, pin: Hashable, file: SessionFile, snapshot: Snapshot, task: Task) -> Attached | None:
        with self._lock:
            attached = self._attached.get(snapshot.directory)
            if attached is None or self._can_have_own_name(attached):
                return None
            self._hold(pin, file, attached, task)
            return attached

    def _can_have_own_name(self, attached: Attached) -> bool:
        """True if nobody needs it under its name, and its session's own is free or will be."""
        name = attached.snapshot.session_id.casefold()
        if not attached.renamed or attached.pins or name in RESERVED_ALIASES:
            return False
        return not any(each.pins and each.alias.casefold() == name for each in self._attached.values())

    def _hold(self, pin: Hashable, file: SessionFile, attached: Attached, task: Task) -> None:
        """Note the use, unless the task was interrupted: its pin may have been released already."""
        task.check()
        attached.pins.add(pin)
        self._pins.setdefault(pin, {})[file.path] = attached

    def _attach(self, pin: Hashable, file: SessionFile, snapshot: Snapshot, task: Task) -> Attached:
        alias = self._reserve_alias(file.session_id)
        try:
            self._attach_file(alias, snapshot, task)
        except BaseException:
            self._detach(alias)  # an interrupt may come when DuckDB has already attached it
            raise
        attached = Attached(alias, snapshot)
        with self._lock:
            # Two tasks may have attached the same snapshot at the same time; the later one goes its own way.
            self._attached.setdefault(snapshot.directory, attached)
            if self._attached[snapshot.directory] is not attached:
                self._attached[f"{snapshot.directory} {alias}"] = attached
            self._hold(pin, file, attached, task)
        return attached

    def _attach_file(self, alias: str, snapshot: Snapshot, task: Task) -> None:
        name = self._next_link()
        try:
            path = literal(snapshot.link_into(self.workplace, name))
            task.cursor.execute(f"ATTACH {path} AS {quote(alias)} (TYPE duckdb, READ_ONLY)")
        except duckdb.Error as error:
            raise of_session(translate(error), snapshot.session_id) from None
        finally:
            for suffix in ("", *WAL_SUFFIXES):
                Path(self.workplace, name + suffix).unlink(missing_ok=True)

    def _sweep(self) -> None:
        with self._lock:
            idle = {key: attached for key, attached in self._attached.items() if not attached.pins}
            for key in idle:
                del self._attached[key]
        for attached in idle.values():
            if attached.shield is not None:
                self._detach(attached.shield.alias)
            self._detach(attached.alias)

    def _detach(self, alias: str) -> None:
        """Let go of a database; by a cursor of its own, which no interrupt of a task can reach."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"DETACH DATABASE IF EXISTS {quote(alias)}")
        # The name stays taken until DuckDB has really let go of it.
        with self._lock:
            self._aliases.discard(alias.casefold())

    def _next_link(self) -> str:
        with self._lock:
            self._links += 1
            return f"{self._links}.duckdb"

    def _reserve_alias(self, session_id: str) -> str:
        with self._lock:
            alias, number = session_id, 1
            while alias.casefold() in self._aliases:
                number += 1
                alias = f"{session_id} ({number})"
            self._aliases.add(alias.casefold())
            return alias


def _sealing(directory: str, settings: Settings) -> list[Sql]:
    return [
        Sql(f"SET allowed_directories = [{literal(directory)}]"),
        # Global: each scan has a connection of its own, which does not inherit local settings.
        Sql("SET GLOBAL TimeZone = 'UTC'"),
        Sql("SET enable_progress_bar = false"),
        Sql("SET arrow_large_buffer_size = true"),
        Sql("SET allow_persistent_secrets = false"),
        Sql(f"SET secret_directory = {literal(directory + '/secrets')}"),
        Sql(f"SET memory_limit = '{settings.memory_limit // 1024}KiB'"),
        Sql(f"SET temp_directory = {literal(directory + '/temp')}"),
        Sql(f"SET max_temp_directory_size = '{settings.temp_limit // 1024}KiB'"),
        Sql(f"SET threads = {settings.threads}"),
        Sql("SET enable_external_access = false"),
        Sql("SET lock_configuration = true"),
    ]
