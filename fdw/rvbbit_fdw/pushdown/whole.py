"""Whole queries: what the host asks before it plans one, and when it runs one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rvbbit_fdw.errors import Internal, NotPushable
from rvbbit_fdw.pushdown import query as writer
from rvbbit_fdw.pushdown.nodes import Column
from rvbbit_fdw.pushdown.query_nodes import Query
from rvbbit_fdw.pushdown.query_trees import parse_query
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.request import Table, parse_database, parse_parameters
from rvbbit_fdw.sqltext import Sql

_REMEMBERED = 64
"""Parsed trees of queries, for statements that run again and again."""


def plan(body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply to plan_query: the SQL with sessions as databases, or why PostgreSQL has to do it."""
    query = parse(body["query"], _server_options(body))
    context = _context(body, _session, query, known=False)
    try:
        planned = writer.result(query, replace(context, finished=True, names=set()))
    except Local as local:
        return {"reason": local.reason, **_finish(query, context), **_otherwise(query, context)}
    except RecursionError:
        return {"reason": "the query is nested too deeply"}
    return {"sql": planned.sql}


def _otherwise(query: Query, context: writer.Context) -> dict[str, Any]:
    """The SQL for the case that PostgreSQL cannot finish the query."""
    try:
        return {"otherwise": writer.result(query, replace(context, names=set())).sql}
    except Local:
        return {}


def _finish(query: Query, context: writer.Context) -> dict[str, Any]:
    """Which targets, by their numbers, and whether HAVING, PostgreSQL would have to compute itself."""
    level = writer.Level(query, replace(context, finished=True, names=set()))
    numbers = [number for number, target in enumerate(query.targets, 1) if not level.can_deliver(target)]
    return {"finish": [str(number) for number in numbers], "finish_having": not level.can_filter()}


def shown(body: Mapping[str, Any]) -> tuple[str, list[Table]]:
    """The SQL with sessions as databases and parameters as $1, and the tables that it reads."""
    tables: list[Table] = []

    def database(table: Table) -> str:
        tables.append(table)
        return _session(table)

    query = parse(body["query"], _server_options(body))
    try:
        written = writer.result(query, _context(body, database, query, known=False), body["columns"])
    except Local as local:
        return f"none: {local.reason}", tables
    return written.sql, tables


def to_run(
    body: Mapping[str, Any], database: writer.Database, is_computed: Callable[[Table], bool]
) -> writer.Result:
    """The query with its parameters' values and the columns that are asked for.

    `is_computed` tells of a session's table whether columns of it are computed when it is read.
    Raises NotPushable if a value turns out to be one that DuckDB does not have.
    """
    query = parse(body["query"], _server_options(body))
    context = replace(_context(body, database, query, known=True), is_computed=is_computed)
    try:
        return writer.result(query, context, body["columns"])
    except Local as local:
        raise NotPushable(local.reason) from None


@lru_cache(maxsize=_REMEMBERED)
def parse(text: str, server_options: tuple[tuple[str, str], ...]) -> Query:
    """The tree of a request; how its tables are read depends on the server's options too."""

    def complete(tree: dict[str, Any]) -> dict[str, Any]:
        return tree | {"server_options": dict(server_options)} if tree.get("relation") == "table" else tree

    return parse_query(json.loads(text, object_hook=complete))


def _server_options(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((body["server"].get("options") or {}).items()))


def _context(
    body: Mapping[str, Any], database: writer.Database, query: Query, *, known: bool
) -> writer.Context:
    facts = parse_database(body)
    scope = Scope(
        column=_no_column,
        parameter=lambda parameter: Sql(f"${parameter.index + 1}"),
        values=parse_parameters(body) if known else None,
        collation_is_c=facts.collation_is_c,
        case_is_unicode=facts.case_is_unicode,
        time_zone=facts.time_zone,
    )
    return writer.Context(
        scope, database, inexact=bool(body.get("float_aggregates")), divides=_is_complete(query)
    )


def _is_complete(query: Query) -> bool:
    """Is all of the result computed before any of it is delivered?"""
    return bool(query.aggregates or query.group or query.grouping_sets or query.sort)


def _no_column(column: Column) -> Written:
    message = f"column {column.number} stands outside of any query"
    raise Internal(message)


def _session(table: Table) -> str:
    return table.options["session"]
