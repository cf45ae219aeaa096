"""What the C host calls (fdw/host/PROTOCOL.md): JSON in, JSON and Arrow streams out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, TypeAlias

import duckdb

from rvbbit_fdw import errors, importer, importing, magnitudes, opening, options, request, scan
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.catalog import Catalog, Relation
from rvbbit_fdw.engine import Attached, Engine
from rvbbit_fdw.errors import RvbbitError
from rvbbit_fdw.importer import Notice
from rvbbit_fdw.pushdown import plan, whole
from rvbbit_fdw.request import Scan, Table
from rvbbit_fdw.scan import Query
from rvbbit_fdw.tasks import Task

Body: TypeAlias = dict[str, Any]
Description: TypeAlias = tuple[str, str, str | None, str | None, str | None]

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
        given = _request(body)
        request.check_version(given)
        return _json(run(given, running))


def open_scan(task: int, body: str) -> tuple[str, object]:
    """Start a scan; it stays open under its task's number until close_scan."""
    running = _backend.start(task)
    try:
        given = _request(body)
        if "query" in given:
            reply, stream = _open_query(given, running)
        else:
            reply, stream = _open(request.parse_scan(given), running)
        running.check()
    except BaseException:
        _backend.finish(task)
        raise
    return _json(reply), stream


def open_again(task: int, parameters: str) -> object:
    """Run an open scan once more, with these parameters: its stream."""
    running = _backend.task(task)
    running.check()
    if running.again is None:
        raise errors.Internal("the task has no scan of a table")
    stream = running.again(parameters)
    running.check()
    return stream


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


def _request(text: str) -> Body:
    """A request; behind it, on a line of its own, may stand the text of a query tree."""
    head, _, query = text.partition("\n")
    given: Body = json.loads(head)
    return given | {"query": query} if query else given


def _json(reply: Body) -> str:
    """A reply without \\u escapes, which PostgreSQL reads under some server encodings only.

    It says of snapshots that were made, also by earlier calls that failed afterwards.
    """
    copied = _backend.take_copied()
    return json.dumps(reply | {"copied": copied} if copied else reply, ensure_ascii=False)


def _description(error: RvbbitError) -> Description:
    return error.sqlstate, error.message, error.detail, error.hint, None


def _open(asked: Scan, task: Task) -> tuple[Body, object]:
    opened = opening.open_scan(_backend, asked, task)
    query_of = opened.query_of
    if query_of is not None:

        def again(parameters: str) -> object:
            values = request.parse_values(json.loads(parameters))
            return _stream(query_of(asked.with_values(values)), task)

        task.again = again
    stream = _stream(opened.query, task, opened.parameters)
    return _reply(opened.query.decoders, opened.engine, opened.notices), stream


def _stream(query: Query, task: Task, parameters: Sequence[str] = ()) -> object:
    try:
        if query.trial is not None:
            task.cursor.execute(query.trial).fetchall()
        return _run(query.sql, task, parameters)
    except duckdb.Error as error:
        raise errors.named(errors.translate(error), task.reads) from None


def _run(sql: str, task: Task, parameters: Sequence[str] = ()) -> object:
    """The stream of a query. `cursor.sql(...).__arrow_c_stream__()` gives the same, but plans it twice."""
    values = list(parameters) or None
    return task.cursor._submit(sql, values, "stream").arrow_capsule()  # type: ignore[arg-type]


def _open_query(body: Body, task: Task) -> tuple[Body, object]:
    """Run a whole query; all its sessions are attached under the same pin."""
    request.check_version(body)
    server, settings = request.parse_server(body), request.parse_settings(body)
    store, engine = _backend.store(server, settings), _backend.engine(server, settings)
    task.open(engine.cursor())
    notices: list[Notice] = []
    sizes: list[Relation | None] = []

    held: dict[str, tuple[Attached, Catalog]] = {}

    def used(table: Table) -> tuple[Attached, Catalog]:
        asked = Scan(server, settings, table, (), (), body["pin"], may_see_paths=False)
        session = opening.session_of(asked)
        if session not in held:
            file = opening.find(_backend, asked, task)
            attached = engine.use(asked.pin, file, store, task, settings.max_staleness)
            held[session] = attached, _backend.catalog(attached, task)
        return held[session]

    def actual(table: Table) -> whole.Actual:
        relation = opening.relation_of(table, used(table)[1])
        columns = relation.columns if relation else ()
        return whole.Actual(relation is not None and relation.computed, tuple(each.name for each in columns))

    def largest(table: Table) -> Mapping[str, int]:
        attached, catalog = used(table)
        relation = opening.relation_of(table, catalog)
        return {} if relation is None else _largest(table, attached, relation, task)

    def database(table: Table) -> str:
        attached, catalog = used(table)
        scan.query(attached.alias, table, tuple(table.attributes.values()), catalog)
        task.reads = scan.described(table, catalog)
        notices.extend(opening.stale(attached.snapshot))
        sizes.append(opening.relation_of(table, catalog))
        return opening.reading(_backend, attached, engine, catalog, task, sizes[-1])

    query = whole.to_run(body, whole.Asking(database, actual, largest))
    trial = None if scan.fit_a_batch(sizes) and not query.grows else query.trial
    stream = _stream(Query(query.sql, query.decoders, trial), task)
    return _reply(query.decoders, engine, notices), stream


def _largest(table: Table, attached: Attached, relation: Relation, task: Task) -> Mapping[str, int]:
    """How large the numbers in the table's columns are, where that is known; each is asked once."""
    known = attached.largest.setdefault((table.remote_schema, table.remote_name), {})
    names = [each.remote_name for each in table.attributes.values()]
    missing = [name for name in names if name not in known]
    if missing:
        found = magnitudes.largest(task.cursor, attached.alias, relation, missing)
        known.update({name: found.get(name) for name in missing})
    return {name: most for name in names if (most := known[name]) is not None}


def _reply(decoders: Iterable[str], engine: Engine, notices: Iterable[Notice]) -> Body:
    return {
        "columns": [{"decoder": decoder} for decoder in decoders],
        "notices": [asdict(notice) for notice in notices],
        "cleanup": [str(engine.workplace)],
    }


def _options(_body: Body, _task: Task) -> Body:
    return {context: _options_of(context) for context in options.CONTEXTS}


def _options_of(context: str) -> Body:
    return {
        option.name: {
            "privileged": option.privileged,
            "checked": option.check is not None and not option.is_text,
            "text": option.is_text,
        }
        for option in options.of_context(context).values()
    }


def _validate_options(body: Body, _task: Task) -> Body:
    options.validate(body["context"], body.get("options") or {})
    return {}


def _import_schema(body: Body, task: Task) -> Body:
    session = (body.get("options") or {}).get("session")
    server, settings = request.parse_server(body), request.parse_settings(body)
    target = importer.target(server.name, server.options, body)
    made = importing.choose(_backend, server, settings, body["remote_schema"], session, target, task)
    return {
        "commands": made.commands(target),
        "comments": target.comments,
        "notices": [asdict(notice) for notice in made.notices],
        "cleanup": [str(_backend.engine(server, settings).workplace)],
    }


def _count_rows(body: Body, task: Task) -> Body:
    asked = request.parse_scan(body)
    file = opening.find(_backend, asked, task)
    engine = _backend.engine(asked.server, asked.settings)
    task.open(engine.cursor())
    with engine.using(file, _backend.store(asked.server, asked.settings), task) as attached:
        catalog = _backend.catalog(attached, task)
        task.reads = scan.described(asked.table, catalog)
        relation = opening.relation_of(asked.table, catalog)
        database = opening.reading(_backend, attached, engine, catalog, task, relation)
        counting = scan.count(database, asked.table, catalog)
        try:
            (rows,) = task.cursor.execute(counting).fetchall()[0]
        except duckdb.Error as error:
            raise errors.named(errors.translate(error), task.reads) from None
    return {"rows": str(rows), "cleanup": [str(engine.workplace)]}


def _explain_scan(body: Body, task: Task) -> Body:
    asked = request.parse_scan(body)
    if "catalog" in asked.table.options:
        return {"lines": opening.explain_list(asked)}
    session = opening.session_of(asked)
    query = scan.query(session, asked.table, asked.columns, None, plan.filter_of(asked))
    lines = [["Session", session], ["DuckDB SQL", query.sql], ["Snapshot", _snapshot_age(asked, task)]]
    return {"lines": lines}


def _plan_scan(body: Body, task: Task) -> Body:
    asked = request.parse_scan(body)
    scope = plan.scope_of(asked.table, asked.database)
    verdicts = [asdict(verdict) for verdict in plan.judge_all(asked.conditions, scope)]
    return {"conditions": verdicts, "rows": opening.known_rows(_backend, asked, task.check)}


def _snapshot_age(asked: Scan, task: Task) -> str:
    with suppress(RvbbitError):
        file = opening.file_of(_backend, asked, task.check)
        snapshot = _backend.store(asked.server, asked.settings).find(file) if file else None
        if snapshot is not None:
            return f"taken {max(0.0, time.time() - snapshot.taken_at):.0f} s ago"
    return "none yet"


def _plan_query(body: Body, _task: Task) -> Body:
    return whole.plan(body)


def _explain_query(body: Body, task: Task) -> Body:
    server, settings = request.parse_server(body), request.parse_settings(body)
    sql, tables = whole.shown(body)
    scans = [Scan(server, settings, table, (), (), None, may_see_paths=False) for table in tables]
    ages = {opening.session_of(each): _snapshot_age(each, task) for each in scans}
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
