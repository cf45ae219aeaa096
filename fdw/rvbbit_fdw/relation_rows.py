"""The rows of rvbbit_tables and rvbbit_columns: what each session holds and what an import makes of it.

Names and types are those of the importer's own functions. A session that cannot be read has no rows;
its table_count in rvbbit_sessions is then null, which tells it from a session without tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from rvbbit_fdw import importer, options
from rvbbit_fdw.catalog import Catalog, Column, Relation
from rvbbit_fdw.errors import FolderUnusable, StoreFull
from rvbbit_fdw.listing import SNAPSHOTS, ListedColumn, Listing, Look
from rvbbit_fdw.sessions import Wanted

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A table or view of a session, and its name in PostgreSQL."""

    session_id: str
    relation: Relation
    pg_name: str


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column of a table that an import takes."""

    table: TableRow
    column: Column
    pg_name: str
    position: int
    pg_type: str


def _tables(look: Look, wanted: Wanted) -> Iterator[TableRow]:
    for file in look.folder.list(wanted, look.check):
        look.check()
        catalog, problem = look.try_describe(file)
        if isinstance(problem, FolderUnusable | StoreFull):  # what no session is to blame for hides none
            raise problem
        yield from _tables_of(file.session_id, catalog or Catalog())


def _tables_of(session_id: str, catalog: Catalog) -> Iterator[TableRow]:
    for schema in catalog.schemas:
        for name, relation in importer.named(catalog.in_schema(schema)):
            yield TableRow(session_id, relation, name)


def _columns(look: Look, wanted: Wanted) -> Iterator[ColumnRow]:
    shown = options.shown(look.scan.server.options)
    for table in _tables(look, wanted):
        if table.relation.left_out is None:
            for number, (name, column) in enumerate(importer.named_columns(table.relation), 1):
                yield ColumnRow(table, column, name, number, importer.declared_type(column, shown))


def _column_count(row: TableRow) -> int | None:
    return None if row.relation.refused else len(row.relation.columns)


def _listed(duckdb_type: str, value: Callable[[RowT], Any]) -> ListedColumn[RowT]:
    return ListedColumn(duckdb_type, SNAPSHOTS, value)


TABLES: Listing[TableRow] = Listing(
    "list of tables",
    {
        "session_id": _listed("VARCHAR", lambda row: row.session_id),
        "schema_name": _listed("VARCHAR", lambda row: row.relation.schema),
        "table_name": _listed("VARCHAR", lambda row: row.relation.name),
        "kind": _listed("VARCHAR", lambda row: row.relation.kind),
        "pg_name": _listed("VARCHAR", lambda row: row.pg_name),
        "estimated_rows": _listed("BIGINT", lambda row: row.relation.estimated_rows),
        "column_count": _listed("INTEGER", _column_count),
        "comment": _listed("VARCHAR", lambda row: row.relation.comment),
        "error": _listed("VARCHAR", lambda row: row.relation.left_out),
    },
    _tables,
)

COLUMNS: Listing[ColumnRow] = Listing(
    "list of columns",
    {
        "session_id": _listed("VARCHAR", lambda row: row.table.session_id),
        "schema_name": _listed("VARCHAR", lambda row: row.table.relation.schema),
        "table_name": _listed("VARCHAR", lambda row: row.table.relation.name),
        "column_name": _listed("VARCHAR", lambda row: row.column.name),
        "position": _listed("INTEGER", lambda row: row.position),
        "duckdb_type": _listed("VARCHAR", lambda row: importer.remembered_type(row.column)),
        "pg_name": _listed("VARCHAR", lambda row: row.pg_name),
        "pg_type": _listed("VARCHAR", lambda row: row.pg_type),
        "comment": _listed("VARCHAR", lambda row: row.column.comment),
    },
    _columns,
)
