"""Which conditions of a scan DuckDB decides, and the WHERE that decides them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rvbbit_fdw.errors import NotPushable
from rvbbit_fdw.pushdown import allowed, columns, write
from rvbbit_fdw.pushdown.entry import Collation
from rvbbit_fdw.pushdown.logic import plain
from rvbbit_fdw.pushdown.nodes import Column, Node, everything, operations
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Origin, Scope, Written
from rvbbit_fdw.request import Attribute, Database, Scan, SortKey, Table
from rvbbit_fdw.sqltext import Sql, quote

# Texts by a collation that is not known here, and values that are equal without being the same.
_UNORDERED = frozenset({"pg_catalog.text", "pg_catalog.varchar", "pg_catalog.interval"})

LONGEST = 400_000
"""Characters of a condition that DuckDB is asked to parse; it cannot be interrupted while it does."""


@dataclass(frozen=True)
class Verdict:
    """Who decides a condition: DuckDB `all` of it, a weaker one (`part`) or none (`no`), and why not all.

    `fallible`: it gives an error for some rows.
    """

    pushed: Literal["all", "part", "no"]
    reason: str | None = None
    fallible: bool = False


@dataclass(frozen=True)
class Filter:
    """A WHERE, and the columns that it reads."""

    sql: Sql
    reads: tuple[Attribute, ...]
    fallible: bool


def scope_of(table: Table, database: Database, *, computed: bool = False) -> Scope:
    """Where the conditions of a scan stand; `computed`: columns of the table are computed when it is read."""
    return Scope(
        column=_speller(table),
        parameter=lambda parameter: Sql(f"${parameter.index + 1}"),
        collation_is_c=database.collation_is_c,
        case_is_unicode=database.case_is_unicode,
        time_zone=database.time_zone,
        origin=lambda _: Origin(of_relation=True, stored=not computed),
    )


def judge_all(conditions: Sequence[Node], scope: Scope) -> list[Verdict]:
    """Who decides each of the conditions, as long as they are not more than DuckDB plans in a moment."""
    verdicts, room = [], write.MOST
    for node in conditions:
        room -= operations(node)
        verdicts.append(judge(node, scope) if room >= 0 else Verdict("no", write.TOO_MANY))
    return verdicts


def judge(node: Node, scope: Scope) -> Verdict:
    """Who decides one condition, whatever the values of its parameters are."""
    try:
        written = _checked(write.condition(node, scope))
    except Local as local:
        return Verdict("part" if _weaker(node, scope) else "no", local.reason)
    return Verdict("all", fallible=written.fallible)


def filter_of(asked: Scan, *, computed: bool = False) -> Filter | None:
    """The WHERE of a scan; None if there is nothing to decide. `computed` as for scope_of().

    Raises NotPushable if a value turns out to be one that DuckDB does not have.
    """
    scope = scope_of(asked.table, asked.database, computed=computed)
    decided, others = asked.conditions[: asked.decided], asked.conditions[asked.decided :]
    weakened = [written for node in others if (written := _weaker(node, scope))]
    try:
        parts = [*weakened, *([write.conjunction(decided, scope)] if decided else [])]
        if not parts:
            return None
        where = _checked(plain("and", parts))
    except Local as local:
        raise NotPushable(local.reason) from None
    return Filter(where.sql, _reads(asked.conditions, asked.table), where.fallible)


def order_of(asked: Scan) -> list[Sql]:
    """What the rows of a scan are sorted by."""
    scope = scope_of(asked.table, asked.database)
    return [_sorted(key, scope) for key in asked.order]


def may_sort(key: SortKey, scope: Scope) -> bool:
    """True if DuckDB sorts by that column as PostgreSQL does, whatever the column's collation is."""
    entry = allowed.TABLE.get(f"pg_catalog.<({key.column.type},{key.column.type})")
    if entry is None or entry.collation is not Collation.IGNORED or key.column.type in _UNORDERED:
        return False
    try:
        return not scope.column(key.column).fallible
    except Local:
        return False


def _sorted(key: SortKey, scope: Scope) -> Sql:
    direction = "DESC" if key.descending else "ASC"
    nulls = "FIRST" if key.nulls_first else "LAST"
    return Sql(f"{scope.column(key.column).sql} {direction} NULLS {nulls}")


def _speller(table: Table) -> Callable[[Column], Written]:
    def spell(column: Column) -> Written:
        attribute = table.attributes[column.number]
        return columns.written(attribute, quote(attribute.remote_name))

    return spell


def _weaker(node: Node, scope: Scope) -> Written | None:
    written = write.weaker(node, scope)
    return written if written and len(written.sql) <= LONGEST else None


def _checked(written: Written) -> Written:
    if len(written.sql) > LONGEST:
        raise Local("it is too long for DuckDB to parse at once")
    return written


def _reads(nodes: Sequence[Node], table: Table) -> tuple[Attribute, ...]:
    numbers = {each.number for node in nodes for each in everything(node) if isinstance(each, Column)}
    return tuple(table.attributes[number] for number in sorted(numbers))
