"""Opening a scan, up to the query that delivers its rows: the same for every host."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from rvbbit_fdw import errors, options, scan
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.catalog import Catalog, Relation
from rvbbit_fdw.engine import Attached, Engine
from rvbbit_fdw.errors import RvbbitError
from rvbbit_fdw.importer import Notice
from rvbbit_fdw.listing import DEPTHS, Look
from rvbbit_fdw.listings import listing_of
from rvbbit_fdw.pushdown import plan, prune
from rvbbit_fdw.request import Scan, Table
from rvbbit_fdw.scan import Query
from rvbbit_fdw.sessions import SessionFile, Wanted
from rvbbit_fdw.snapshot import Snapshot
from rvbbit_fdw.tasks import Task

_VANISHED = "Drop the foreign tables of this session, or bring its file back."


@dataclass(frozen=True)
class Opened:
    """The query of a scan with its parameters, whose sessions are attached to the engine.

    `query_of` gives the query of the same scan with other values; None for a list.
    """

    query: Query
    parameters: list[str]
    engine: Engine
    notices: list[Notice]
    query_of: Callable[[Scan], Query] | None = None


def open_scan(backend: Backend, asked: Scan, task: Task, form: scan.Form = scan.ARROW) -> Opened:
    """Attach what the scan reads, under its pin, and write its query; the task gets a cursor."""
    engine = backend.engine(asked.server, asked.settings)
    task.open(engine.cursor())
    if "catalog" in asked.table.options:
        return _open_listing(backend, asked, task, engine, form)
    store = backend.store(asked.server, asked.settings)
    file = find(backend, asked, task)
    attached = engine.use(asked.pin, file, store, task, asked.settings.max_staleness)
    catalog = backend.catalog(attached, task)
    task.reads = scan.described(asked.table, catalog)
    relation = relation_of(asked.table, catalog)
    computed = relation is not None and relation.computed
    database = reading(backend, attached, engine, catalog, task, relation)

    def query_of(asked: Scan) -> Query:
        where = plan.filter_of(asked, computed=computed)
        query = scan.query(database, asked.table, asked.columns, catalog, where, form)
        return scan.ordered(scan.sampled(query, asked.sample), plan.order_of(asked))

    return Opened(query_of(asked), [], engine, stale(attached.snapshot), query_of)


def relation_of(table: Table, catalog: Catalog) -> Relation | None:
    """What a foreign table shows, if its session has it."""
    return catalog.relation(table.remote_schema, table.remote_name)


def reading(
    backend: Backend,
    attached: Attached,
    engine: Engine,
    catalog: Catalog,
    task: Task,
    relation: Relation | None,
) -> str:
    """The database in which a relation is read."""
    try:
        return backend.reading(attached, engine, catalog, relation)
    except (duckdb.Error, RvbbitError) as error:
        raise errors.named(errors.translate(error), task.reads) from None


def _open_listing(backend: Backend, asked: Scan, task: Task, engine: Engine, form: scan.Form) -> Opened:
    def describe(file: SessionFile) -> Catalog:
        return backend.describe(file, asked.server, asked.settings, task)

    listing = listing_of(asked)
    query = listing.query(asked, form)
    folder, store = backend.folder(asked.server), backend.store(asked.server, asked.settings)
    document = listing.document(Look(asked, folder, describe, store, task.check))
    return Opened(query, [document], engine, [])


def find(backend: Backend, asked: Scan, task: Task) -> SessionFile:
    """The session of a foreign table; if it is gone the error says which table needs it."""
    session = session_of(asked)
    try:
        return backend.folder(asked.server).find(session, task.check)
    except errors.SessionNotFound as error:
        raise errors.SessionNotFound(
            error.message,
            detail=f"Foreign table {asked.table.local_name} reads it.",
            hint=" ".join(filter(None, [error.hint, _VANISHED])),
        ) from None


def session_of(asked: Scan) -> str:
    """The id of the scan's session; OptionMissing if its table names none."""
    session = asked.table.options.get("session")
    if session is None:
        options.validate("table", asked.table.options)
        raise errors.OptionMissing('option "session" is required')
    return session


def stale(snapshot: Snapshot) -> list[Notice]:
    """What to tell of a snapshot that is not the newest state."""
    if snapshot.stale_seconds is None:
        return []
    message = f'session "{snapshot.session_id}" is shown as it was {snapshot.stale_seconds:.0f} seconds ago'
    return [Notice("WARNING", message, detail=snapshot.stale_because)]


def known_rows(backend: Backend, asked: Scan, check: Callable[[], None]) -> int | None:
    """The table's rows, as far as they are known without reading the session."""
    with suppress(RvbbitError):
        file = file_of(backend, asked, check)
        known = backend.known(file, asked.server, asked.settings) if file else None
        relation = known.relation(asked.table.remote_schema, asked.table.remote_name) if known else None
        return relation.estimated_rows if relation else None
    return None


def file_of(backend: Backend, asked: Scan, check: Callable[[], None]) -> SessionFile | None:
    """The scan's session, if it is there."""
    wanted = Wanted(ids=frozenset({session_of(asked)}))
    return next(iter(backend.folder(asked.server).list(wanted, check)), None)


def explain_list(asked: Scan) -> list[list[str]]:
    """What EXPLAIN shows of a scan of a list: labels and texts."""
    listing = listing_of(asked)
    lines = [["Catalog", asked.table.options["catalog"]]]
    pruned = prune.describe(listing.wanted(asked))
    if pruned:
        lines.append(["Pruned by", pruned])
    return [*lines, ["Reads", DEPTHS[listing.depth_of(asked)]]]
