"""A scan request as a DuckDB query."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rvbbit_fdw import typemap
from rvbbit_fdw.catalog import Catalog, Relation
from rvbbit_fdw.errors import (
    AccessDenied,
    ColumnMismatch,
    ColumnNotFound,
    ColumnTypeChanged,
    NoLosslessCast,
    RvbbitError,
    SnapshotBusy,
    TableNotFound,
)
from rvbbit_fdw.guard import shown
from rvbbit_fdw.pushdown.plan import Filter
from rvbbit_fdw.request import Attribute, Table
from rvbbit_fdw.sqltext import Sql, comma, qualified, quote

COUNTING = Sql("true")
"""What a scan delivers when only its rows matter."""

Form: TypeAlias = Callable[[typemap.Travel, Sql], Sql]
"""In which form a column is delivered."""

ARROW: Form = typemap.Travel.select
TEXTS: Form = typemap.Travel.select_text

ONE_BATCH = 100_000
"""DuckDB delivers at least this many rows at once, if there are as many."""


@dataclass(frozen=True)
class Query:
    """DuckDB SQL and the decoder of each column it delivers.

    `trial` is a query that fails wherever this one would after it has delivered rows; None if it cannot.
    """

    sql: Sql
    decoders: tuple[str, ...]
    trial: Sql | None = None


def query(
    database: str,
    table: Table,
    columns: Sequence[Attribute],
    catalog: Catalog | None,
    where: Filter | None = None,
    form: Form = ARROW,
) -> Query:
    """The query for these columns; with a catalog, whatever does not agree with it is an error."""
    relation = None if catalog is None else find_relation(table, catalog)
    travels = [_travel(table, attribute, relation) for attribute in columns]
    delivered = [
        form(travel, quote(attribute.remote_name)) for travel, attribute in zip(travels, columns, strict=True)
    ]
    decoders = tuple(travel.decoder for travel in travels)
    rows = source(database, table, relation)
    if where is None:
        return Query(Sql(f"SELECT {comma(delivered) or COUNTING} FROM {rows}"), decoders)
    for attribute in where.reads:
        _travel(table, attribute, relation)
    filtered = Sql(f"FROM {rows} WHERE {where.sql}")
    sql = Sql(f"SELECT {comma(delivered) or COUNTING} {filtered}")
    needs_trial = where.fallible and not fit_a_batch([relation])
    return Query(sql, decoders, Sql(f"SELECT count(*) {filtered}") if needs_trial else None)


def fit_a_batch(relations: Sequence[Relation | None]) -> bool:
    """True if all rows of any join of these arrive at once, so that an error comes before any of them."""
    if len(relations) == 1:
        rows = _rows_of(relations[0])
        return rows is not None and rows <= ONE_BATCH
    # An outer join has a row more for each that meets none.
    counts = [_rows_of(relation) for relation in relations]
    return None not in counts and math.prod((rows or 0) + 1 for rows in counts) <= ONE_BATCH


def _rows_of(relation: Relation | None) -> int | None:
    return None if relation is None else relation.estimated_rows


def source(database: str, table: Table, relation: Relation | None) -> Sql:
    """What to read, as an item of FROM; columns that are missing and may be stand in it as nulls."""
    name = qualified(database, table.remote_schema, table.remote_name)
    if relation is None or not table.has_nulls_for_missing:
        return name
    names = {attribute.remote_name for attribute in table.attributes.values()}
    missing = sorted(name for name in names if relation.column(name) is None)
    nulls = "".join(f", CAST(NULL AS VARCHAR) AS {quote(name)}" for name in missing)
    return Sql(f"(SELECT *{nulls} FROM {name})") if missing else name


def sampled(query: Query, percent: float | None) -> Query:
    """The query for so many percent of its rows, in the order in which they are stored."""
    if percent is None:
        return query
    return replace(query, sql=Sql(f"{query.sql} USING SAMPLE {percent:.9f} PERCENT (bernoulli)"))


def ordered(query: Query, by: Sequence[Sql]) -> Query:
    """The query with its rows in this order."""
    return replace(query, sql=Sql(f"{query.sql} ORDER BY {comma(by)}")) if by else query


def count(database: str, table: Table, catalog: Catalog) -> Sql:
    """The query for the number of rows."""
    find_relation(table, catalog)
    return Sql(f"SELECT count(*) FROM {qualified(database, table.remote_schema, table.remote_name)}")


def find_relation(table: Table, catalog: Catalog) -> Relation:
    """The session's table or view behind a foreign table; TableNotFound if it is gone."""
    relation = catalog.relation(table.remote_schema, table.remote_name)
    if relation is None:
        session = table.options.get("session", "")
        message = f'session "{session}" has no table "{table.remote_name}" in schema "{table.remote_schema}"'
        raise TableNotFound(
            message,
            detail="The table was dropped or renamed after the import, or it was never there.",
            hint=_cure(table),
        )
    if relation.refused is not None:
        raise _refused(table, relation, relation.refused)
    return relation


def described(table: Table, catalog: Catalog) -> str:
    """What a foreign table reads, for messages."""
    relation = catalog.relation(table.remote_schema, table.remote_name)
    kind = "view" if relation is not None and relation.is_view else "table"
    return f'{kind} "{shown(table.remote_name)}" of session "{table.options.get("session", "")}"'


def _refused(table: Table, relation: Relation, reason: str) -> RvbbitError:
    kind = "view" if relation.is_view else "table"
    named = f'{kind} "{shown(relation.name)}" of session "{table.options.get("session", "")}"'
    if relation.missing:
        return TableNotFound(
            f"{named} cannot be read",
            detail=reason[0].upper() + reason[1:] + ".",
            hint="Its table was dropped or renamed in the session.",
        )
    if relation.by_session:
        return SnapshotBusy(
            f"{named} cannot be read now",
            detail=reason[0].upper() + reason[1:] + ".",
            hint="Close the cursors that read an earlier state of the session.",
        )
    return AccessDenied(
        f"{named} may not be read",
        detail=reason[0].upper() + reason[1:] + ".",
        hint="Views of a session may use its own tables, and functions of nothing but their arguments.",
    )


def _travel(table: Table, attribute: Attribute, relation: Relation | None) -> typemap.Travel:
    actual = attribute.duckdb_type if relation is None else _actual_type(table, attribute, relation)
    try:
        return typemap.travel(actual or "", attribute.type, attribute.typmod, attribute.unrepresentable)
    except NoLosslessCast as error:
        message = f'column "{attribute.name}" of foreign table "{table.name}" cannot be read: {error.message}'
        raise NoLosslessCast(message, hint=error.hint) from None


def _actual_type(table: Table, attribute: Attribute, relation: Relation) -> str:
    column = relation.column(attribute.remote_name)
    if column is None and table.has_nulls_for_missing:
        return ""
    if column is None:
        message = (
            f'table "{relation.name}" of session "{table.options.get("session", "")}" has no column '
            f'"{attribute.remote_name}"'
        )
        raise ColumnNotFound(
            message,
            detail=f'Column "{attribute.name}" of foreign table "{table.name}" stands for it.',
            hint=f"{_cure(table)} With its option missing_columns 'null' such a column is null.",
        )
    declared = attribute.duckdb_type
    if declared is not None and typemap.canonical(declared) != typemap.canonical(column.type):
        message = (
            f'column "{attribute.remote_name}" of table "{relation.name}" in session '
            f'"{table.options.get("session", "")}" has changed its type'
        )
        raise ColumnTypeChanged(
            message,
            detail=f"It was {declared} at import and is {typemap.canonical(column.type)} now.",
            hint=_cure(table),
        )
    if attribute.not_null and column.nullable and declared is not None and not relation.is_view:
        message = (
            f'column "{attribute.remote_name}" of table "{relation.name}" in session '
            f'"{table.options.get("session", "")}" may have become null'
        )
        raise ColumnMismatch(
            message,
            detail=f'Column "{attribute.name}" of foreign table "{table.name}" is declared NOT NULL.',
            hint=f"{_alter(table)} ALTER COLUMN {quote(attribute.name)} DROP NOT NULL makes it right.",
        )
    return column.type


def _alter(table: Table) -> str:
    return f"ALTER FOREIGN TABLE {table.local_name}"


def _cure(table: Table) -> str:
    return f"Drop foreign table {table.local_name} and import it again with IMPORT FOREIGN SCHEMA."
