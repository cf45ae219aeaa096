"""What the C host calls (fdw/host/PROTOCOL.md): JSON in, JSON and Arrow streams out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any, TypeAlias

import duckdb

from rvbbit_fdw import errors, importer, options, request, scan
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.catalog import Catalog, Relation
from rvbbit_fdw.engine import Attached, Engine
from rvbbit_fdw.errors import RvbbitError
from rvbbit_fdw.importer import Notice
from rvbbit_fdw.listing import DEPTHS, Look
from rvbbit_fdw.listings import listing_of
from rvbbit_fdw.pushdown import plan, prune, whole
from rvbbit_fdw.request import Scan, Table
from rvbbit_fdw.sessions import SessionFile, Wanted
from rvbbit_fdw.snapshot import Snapshot
from rvbbit_fdw.sqltext import qualified
from rvbbit_fdw.tasks import Task

Body: TypeAlias = dict[str, Any]
Description: TypeAlias = tuple[str, str, str | None, str | None, str | None]

_VANISHED = "Drop the foreign tables of this session, or bring its file back."

_backend = Backend()


def preload() -> None:
    """Make the idle DuckDB instance; importing this module has imported all others."""
    _backend.preload()


def call(task: int, operation: str, body: str) -> str:
    """Run one operation."""
    run = _OPERATIONS.get(operation)
    if run is None:
        message = f'unknown operation "{operation}"'
        raise errors.Internal(message)
    with _backend.running(task) as running:
        given = json.loads(body)
        request.check_version(given)
        return _json(run(given, running))


def open_scan(task: int, body: str) -> tuple[str, object]:
    """Start a scan; it stays open under its task's number until close_scan."""
    running = _backend.start(task)
    try:
        given = json.loads(body)
        if "query" in given:
            reply, stream = _open_query(given, running)
        else:
            reply, stream = _open(request.parse_scan(given), running)
        running.check()
    except BaseException:
        _backend.finish(task)
        raise
    return _json(reply), stream


def close_scan(task: int) -> None:
    """Close the scan's cursor; nothing if the task is unknown."""
    _backend.finish(task)


def interrupt(task: int) -> None:
    """Make the task stop soon; nothing if it is unknown."""
    _backend.interrupt(task)


def describe(error: BaseException) -> Description:
    """SQLSTATE, message, detail, hint and context of any exception."""
    try:
        return _description(errors.translate(error))
    except Exception:  # the error must reach the user even if the translation has a fault
        return _description(errors.Internal("internal error of rvbbit_fdw"))


def describe_text(task: int, text: str) -> Description:
    """The same for the error text of a scan's Arrow stream."""
    try:
        return _description(errors.named(errors.translate_text(text), _backend.read_by(task)))
    except Exception:
        return _description(errors.Internal("internal error of rvbbit_fdw"))


def _json(reply: Body) -> str:
    """A reply without \\u escapes, which PostgreSQL reads under some server encodings only.

    It says of snapshots that were made, also by earlier calls that failed afterwards.
    """
    copied = _backend.take_copied()
    return json.dumps(reply | {"copied": copied} if copied else reply, ensure_ascii=False)


def _description(error: RvbbitError) -> Description:
    return error.sqlstate, error.message, error.detail, error.hint, None


def _open(asked: Scan, task: Task) -> tuple[Body, object]:
    store = _backend.store(asked.server, asked.settings)
    engine = _backend.engine(asked.server, asked.settings)
    task.open(engine.cursor())
    if "catalog" in asked.table.options:
        return _open_listing(asked, engine, task)
    file = _find(asked, task)
    attached = engine.use(asked.pin, file, store, task, asked.settings.max_staleness)
    catalog = _backend.catalog(attached, task)
    task.reads = scan.described(asked.table, catalog)
    relation = _relation(asked.table, catalog)
    where = plan.filter_of(asked, computed=relation is not None and relation.computed)
    database = _reading(attached, engine, catalog, task, relation)
    query = scan.query(database, asked.table, asked.columns, catalog, where)
    query = scan.sampled(query, asked.sample)
    notices = _stale(attached.snapshot)
    try:
        if query.trial is not None:
            task.cursor.execute(query.trial).fetchall()
        stream = task.cursor.sql(query.sql).__arrow_c_stream__()
    except duckdb.Error as error:
        raise errors.named(errors.translate(error), task.reads) from None
    return _reply(query.decoders, engine, notices), stream


def _open_query(body: Body, task: Task) -> tuple[Body, object]:
    """Run a whole query; all its sessions are attached under the same pin."""
    request.check_version(body)
    server, settings = request.parse_server(body), request.parse_settings(body)
    store, engine = _backend.store(server, settings), _backend.engine(server, settings)
    task.open(engine.cursor())
    notices: list[Notice] = []

    def used(table: Table) -> tuple[Attached, Catalog]:
        asked = Scan(server, settings, table, (), (), body["pin"], may_see_paths=False)
        attached = engine.use(asked.pin, _find(asked, task), store, task, settings.max_staleness)
        return attached, _backend.catalog(attached, task)

    def is_computed(table: Table) -> bool:
        relation = _relation(table, used(table)[1])
        return relation is not None and relation.computed

    def database(table: Table) -> str:
        attached, catalog = used(table)
        scan.query(attached.alias, table, tuple(table.attributes.values()), catalog)
        task.reads = scan.described(table, catalog)
        notices.extend(_stale(attached.snapshot))
        return _reading(attached, engine, catalog, task, _relation(table, catalog))

    query = whole.to_run(body, database, is_computed)
    try:
        stream = task.cursor.sql(query.sql).__arrow_c_stream__()
    except duckdb.Error as error:
        raise errors.named(errors.translate(error), task.reads) from None
    return _reply(query.decoders, engine, notices), stream


def _relation(table: Table, catalog: Catalog) -> Relation | None:
    return catalog.relation(table.remote_schema, table.remote_name)


def _reading(
    attached: Attached, engine: Engine, catalog: Catalog, task: Task, relation: Relation | None
) -> str:
    """The database in which a relation is read."""
    try:
        return _backend.reading(attached, engine, catalog, relation)
    except (duckdb.Error, RvbbitError) as error:
        raise errors.named(errors.translate(error), task.reads) from None


def _open_listing(asked: Scan, engine: Engine, task: Task) -> tuple[Body, object]:
    def describe(file: SessionFile) -> Catalog:
        return _backend.describe(file, asked.server, asked.settings, task)

    listing = listing_of(asked)
    query = listing.query(asked)
    folder, store = _backend.folder(asked.server), _backend.store(asked.server, asked.settings)
    document = listing.document(Look(asked, folder, describe, store, task.check))
    stream = task.cursor.sql(query.sql, params=[document]).__arrow_c_stream__()
    return _reply(query.decoders, engine, []), stream


def _reply(decoders: Iterable[str], engine: Engine, notices: Iterable[Notice]) -> Body:
    return {
        "columns": [{"decoder": decoder} for decoder in decoders],
        "notices": [asdict(notice) for notice in notices],
        "cleanup": [str(engine.workplace)],
    }


def _find(asked: Scan, task: Task) -> SessionFile:
    """The session of a foreign table; if it is gone the error says which table needs it."""
    session = _session_of(asked)
    try:
        return _backend.folder(asked.server).find(session, task.check)
    except errors.SessionNotFound as error:
        raise errors.SessionNotFound(
            error.message,
            detail=f"Foreign table {qualified(asked.table.schema, asked.table.name)} reads it.",
            hint=" ".join(filter(None, [error.hint, _VANISHED])),
        ) from None


def _session_of(asked: Scan) -> str:
    session = asked.table.options.get("session")
    if session is None:
        options.validate("table", asked.table.options)
        raise errors.OptionMissing('option "session" is required')
    return session


def _stale(snapshot: Snapshot) -> list[Notice]:
    if snapshot.stale_seconds is None:
        return []
    message = f'session "{snapshot.session_id}" is shown as it was {snapshot.stale_seconds:.0f} seconds ago'
    return [Notice("WARNING", message, detail=snapshot.stale_because)]


def _options(_body: Body, _task: Task) -> Body:
    return {context: _options_of(context) for context in options.CONTEXTS}


def _options_of(context: str) -> Body:
    return {
        option.name: {"privileged": option.privileged, "checked": option.check is not None}
        for option in options.of_context(context).values()
    }


def _validate_options(body: Body, _task: Task) -> Body:
    options.validate(body["context"], body.get("options") or {})
    return {}


def _import_schema(body: Body, task: Task) -> Body:
    session = (body.get("options") or {}).get("session")
    server, settings = request.parse_server(body), request.parse_settings(body)
    target = importer.target(server.name, server.options, body)
    file, schema = importer.find(body["remote_schema"], _backend.folder(server), task.check, session)
    engine = _backend.engine(server, settings)
    task.open(engine.cursor())
    with engine.using(file, _backend.store(server, settings), task) as attached:
        catalog = _backend.catalog(attached, task)
        relations = importer.relations_of(file, schema, catalog)
        bind = importer.Binder(partial(_backend.reading, attached, engine, catalog), task)
        made = importer.commands(file, relations, target, bind, task.check)
    stale = _stale(attached.snapshot)
    return {
        "commands": made.commands,
        "comments": target.comments,
        "notices": [asdict(notice) for notice in [*stale, *made.notices]],
        "cleanup": [str(engine.workplace)],
    }


def _count_rows(body: Body, task: Task) -> Body:
    asked = request.parse_scan(body)
    file = _find(asked, task)
    engine = _backend.engine(asked.server, asked.settings)
    task.open(engine.cursor())
    with engine.using(file, _backend.store(asked.server, asked.settings), task) as attached:
        catalog = _backend.catalog(attached, task)
        task.reads = scan.described(asked.table, catalog)
        database = _reading(attached, engine, catalog, task, _relation(asked.table, catalog))
        counting = scan.count(database, asked.table, catalog)
        try:
            (rows,) = task.cursor.execute(counting).fetchall()[0]
        except duckdb.Error as error:
            raise errors.named(errors.translate(error), task.reads) from None
    return {"rows": str(rows), "cleanup": [str(engine.workplace)]}


def _explain_scan(body: Body, task: Task) -> Body:
    asked = request.parse_scan(body)
    if "catalog" in asked.table.options:
        return {"lines": _explain_listing(asked)}
    session = _session_of(asked)
    query = scan.query(session, asked.table, asked.columns, None, plan.filter_of(asked))
    lines = [["Session", session], ["DuckDB SQL", query.sql], ["Snapshot", _snapshot_age(asked, task)]]
    return {"lines": lines}


def _plan_scan(body: Body, task: Task) -> Body:
    asked = request.parse_scan(body)
    scope = plan.scope_of(asked.table, asked.database)
    verdicts = [asdict(verdict) for verdict in plan.judge_all(asked.conditions, scope)]
    return {"conditions": verdicts, "rows": _rows(asked, task)}


def _rows(asked: Scan, task: Task) -> int | None:
    """The table's rows, as far as they are known without reading the session."""
    with suppress(RvbbitError):
        file = _file_of(asked, task)
        known = _backend.known(file, asked.server, asked.settings) if file else None
        relation = known.relation(asked.table.remote_schema, asked.table.remote_name) if known else None
        return relation.estimated_rows if relation else None
    return None


def _file_of(asked: Scan, task: Task) -> SessionFile | None:
    """The scan's session, if it is there."""
    wanted = Wanted(ids=frozenset({_session_of(asked)}))
    return next(iter(_backend.folder(asked.server).list(wanted, task.check)), None)


def _snapshot_age(asked: Scan, task: Task) -> str:
    with suppress(RvbbitError):
        file = _file_of(asked, task)
        snapshot = _backend.store(asked.server, asked.settings).find(file) if file else None
        if snapshot is not None:
            return f"taken {max(0.0, time.time() - snapshot.taken_at):.0f} s ago"
    return "none yet"


def _explain_listing(asked: Scan) -> list[list[str]]:
    listing = listing_of(asked)
    lines = [["Catalog", asked.table.options["catalog"]]]
    pruned = prune.describe(listing.wanted(asked))
    if pruned:
        lines.append(["Pruned by", pruned])
    return [*lines, ["Reads", DEPTHS[listing.depth_of(asked)]]]


def _plan_query(body: Body, _task: Task) -> Body:
    return whole.plan(body)


def _explain_query(body: Body, task: Task) -> Body:
    server, settings = request.parse_server(body), request.parse_settings(body)
    sql, tables = whole.shown(body)
    scans = [Scan(server, settings, table, (), (), None, may_see_paths=False) for table in tables]
    ages = {_session_of(each): _snapshot_age(each, task) for each in scans}
    label = "Session" if len(ages) == 1 else "Sessions"
    listed = [f"{session}: {age}" for session, age in ages.items()] if len(ages) > 1 else list(ages.values())
    return {"lines": [[label, ", ".join(ages)], ["DuckDB SQL", sql], ["Snapshot", "; ".join(listed)]]}


def _release_pin(body: Body, _task: Task) -> Body:
    _backend.release(body["pin"])
    return {}


_OPERATIONS: Mapping[str, Callable[[Body, Task], Body]] = {
    "options": _options,
    "validate_options": _validate_options,
    "import_schema": _import_schema,
    "count_rows": _count_rows,
    "plan_scan": _plan_scan,
    "explain_scan": _explain_scan,
    "plan_query": _plan_query,
    "explain_query": _explain_query,
    "release_pin": _release_pin,
}
