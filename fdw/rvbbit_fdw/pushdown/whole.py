"""Whole queries: what the host asks before it plans one, and when it runs one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias, TypeVar

from rvbbit_fdw.errors import Internal, NotPushable
from rvbbit_fdw.pushdown import query as writer
from rvbbit_fdw.pushdown.nodes import Column, Value
from rvbbit_fdw.pushdown.query_names import reserved
from rvbbit_fdw.pushdown.query_nodes import Query
from rvbbit_fdw.pushdown.query_trees import parse_query
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.request import Database, Table, parse_database, parse_values
from rvbbit_fdw.sqltext import Sql

_REMEMBERED = 64
"""Queries of which is remembered what was made of them, for statements that run again and again."""

_PARSED = 8
"""Trees of queries that are kept: the host asks several times about the same one."""

_LONGEST_REMEMBERED = 128 * 1024
"""Longer texts, of long lists or constants, would stay in memory for nothing."""


_ARITHMETIC = re.compile(r"pg_catalog\.(?:[-+*]\(pg_catalog\.int[248]\b|[*/]\(pg_catalog\.numeric\b)")
"""Calls that are written in another way where the numbers are small enough."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Asked:
    """A query as the host gives it, and all that its SQL depends on before it runs.

    `inexact`: floating-point numbers may be added up in any order. `quotients`: those that PostgreSQL could
    finish are DuckDB's, too.
    """

    text: str
    server_options: tuple[tuple[str, str], ...]
    database: Database
    inexact: bool
    quotients: bool

    @property
    def query(self) -> Query:
        """The query's tree."""
        return parse(self.text, self.server_options)


class Actual(NamedTuple):
    """What a session's table is: are columns of it computed when it is read, and which has it?"""

    is_computed: bool
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Asking:
    """What is asked about each table of a query that runs.

    `database`: what its session is attached as. `largest`: a number than which none in a column is further
    from 0, counted in units of its last digit, by column, where that is known.
    """

    database: writer.Database
    actual: Callable[[Table], Actual]
    largest: Callable[[Table], Mapping[str, int]]


_Told: TypeAlias = "tuple[str, Table, object]"
"""What was asked, about which table, and the answer."""


@dataclass
class _Tables:
    """What the tables of a query are when it runs, and all that was told of them."""

    asking: Asking

    def __post_init__(self) -> None:
        self._told: dict[tuple[str, int], _Told] = {}

    @property
    def told(self) -> Sequence[_Told]:
        """What was asked, each once."""
        return tuple(self._told.values())

    def name(self, table: Table) -> str:
        """The database that the table's session is attached as."""
        return self._noted("database", table, self.asking.database(table))

    def computed(self, table: Table) -> bool:
        """Whether columns of it are computed when it is read."""
        return self._noted("actual", table, self.asking.actual(table)).is_computed

    def columns(self, table: Table) -> tuple[str, ...]:
        """All that it has."""
        return self._noted("actual", table, self.asking.actual(table)).columns

    def largest(self, table: Table) -> Mapping[str, int]:
        """How large the numbers in its columns are."""
        return self._noted("largest", table, self.asking.largest(table))

    def _noted(self, question: str, table: Table, answer: _Answer) -> _Answer:
        self._told[question, id(table)] = question, table, answer
        return answer

    def are_as(self, told: Sequence[_Told]) -> bool:
        """True if the same is told of the same tables now."""
        return all(getattr(self.asking, question)(table) == answer for question, table, answer in told)


@dataclass
class _Written:
    """The SQL of a query and what was told of its tables; None unless it ran."""

    known: tuple[writer.Result, Sequence[_Told]] | None = None


def plan(body: Mapping[str, Any]) -> dict[str, Any]:
    """The reply to plan_query: the SQL with sessions as databases, or why PostgreSQL has to do it."""
    asked = _asked(body)
    planned = _plan if len(asked.text) <= _LONGEST_REMEMBERED else _plan.__wrapped__
    return planned(asked)


@lru_cache(maxsize=_REMEMBERED)
def _plan(asked: Asked) -> dict[str, Any]:
    query = asked.query
    context = _context(asked, _session, query)
    level = writer.Level(query, replace(context, finished=not asked.quotients))
    try:
        refusals = _refusals(level)
        if not refusals:
            planned = writer.complete(level)
            return {"sql": planned.sql, "fallible": planned.fallible}
    except Local as local:
        refusals = {"": local.reason}
    except RecursionError:
        return {"reason": "the query is nested too deeply"}
    return {
        "reason": next(iter(refusals.values())),
        "finish": [number for number in refusals if number],
        "finish_having": not level.can_filter(),
        "has_quotients": context.divides and not asked.quotients,
    }


def _refusals(level: writer.Level) -> dict[str, str]:
    """The targets, by their numbers, that PostgreSQL would have to compute itself, and why."""
    reasons = {str(number): level.refusal(target) for number, target in enumerate(level.query.targets, 1)}
    return {number: reason for number, reason in reasons.items() if reason is not None}


def shown(body: Mapping[str, Any]) -> tuple[str, list[Table]]:
    """The SQL with sessions as databases and parameters as $1, and the tables that it reads."""
    tables: list[Table] = []

    def database(table: Table) -> str:
        tables.append(table)
        return _session(table)

    asked = _asked(body)
    query = asked.query
    try:
        written = writer.result(query, _context(asked, database, query), body["columns"])
    except Local as local:
        return f"none: {local.reason}", tables
    return written.sql, tables


def to_run(body: Mapping[str, Any], asking: Asking) -> writer.Result:
    """The query with its parameters' values and the columns that are asked for.

    Raises NotPushable if a value turns out to be one that DuckDB does not have.
    """
    asked, values = _asked(body), tuple(parse_values(body.get("parameters")))
    tables = _Tables(asking)
    written = _written(asked, values, tuple(body["columns"]))
    if written.known is None or not tables.are_as(written.known[1]):
        written.known = _to_run(asked, values, body["columns"], tables), tables.told
    return written.known[0]


def _to_run(asked: Asked, values: Sequence[Value], columns: Sequence[int], tables: _Tables) -> writer.Result:
    query = asked.query
    context = _context(asked, tables.name, query, values)
    context.names |= reserved(query, tables.columns)
    context = replace(context, is_computed=tables.computed)
    if _ARITHMETIC.search(asked.text):
        context = replace(context, largest=tables.largest)
    try:
        return writer.result(query, context, columns)
    except Local as local:
        raise NotPushable(local.reason) from None


def _written(asked: Asked, values: tuple[Value, ...], columns: tuple[int, ...]) -> _Written:
    long = len(asked.text) + sum(len(str(value)) for value in values) > _LONGEST_REMEMBERED
    return _Written() if long else _remembered(asked, values, columns)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(_asked: Asked, _values: tuple[Value, ...], _columns: tuple[int, ...]) -> _Written:
    return _Written()


def parse(text: str, server_options: tuple[tuple[str, str], ...]) -> Query:
    """The tree of a request; how its tables are read depends on the server's options too."""
    read = _parsed if len(text) <= _LONGEST_REMEMBERED else _parse
    return read(text, server_options)


def _parse(text: str, server_options: tuple[tuple[str, str], ...]) -> Query:
    return parse_query(json.loads(text), dict(server_options))


_parsed = lru_cache(maxsize=_PARSED)(_parse)


def _asked(body: Mapping[str, Any]) -> Asked:
    options = tuple(sorted((body["server"].get("options") or {}).items()))
    flags = bool(body.get("float_aggregates")), bool(body.get("quotients"))
    return Asked(body["query"], options, parse_database(body), *flags)


def _context(
    asked: Asked, database: writer.Database, query: Query, values: Sequence[Value] | None = None
) -> writer.Context:
    facts = asked.database
    scope = Scope(
        column=_no_column,
        parameter=lambda parameter: Sql(f"${parameter.index + 1}"),
        values=values,
        collation_is_c=facts.collation_is_c,
        case_is_unicode=facts.case_is_unicode,
        time_zone=facts.time_zone,
    )
    names = reserved(query, lambda _table: ())
    divides = writer.is_complete(query)
    return writer.Context(scope, database, inexact=asked.inexact, divides=divides, names=names)


def _no_column(column: Column) -> Written:
    message = f"column {column.number} stands outside of any query"
    raise Internal(message)


def _session(table: Table) -> str:
    return table.options["session"]
