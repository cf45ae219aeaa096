"""The rows of rvbbit_tables and rvbbit_columns: what each session holds and what an import makes of it.

Names and types are those of the importer's own functions. A session that cannot be read has no rows;
its table_count in rvbbit_sessions is then null, which tells it from a session without tables.

rvbbit._imports has a row for every session, with all that an attach is to know of it: to read a list costs
some milliseconds, however little it has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from rvbbit_fdw import importer, options, typemap
from rvbbit_fdw.catalog import Catalog, Column, Relation
from rvbbit_fdw.errors import FolderUnusable, StoreFull
from rvbbit_fdw.inspection import inspect
from rvbbit_fdw.listing import SNAPSHOTS, ListedColumn, Listing, Look
from rvbbit_fdw.sessions import SessionFile, Wanted

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


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A session, and what an import makes of its tables and views."""

    file: SessionFile
    catalog: Catalog
    shown: typemap.Shown

    @property
    def state(self) -> str:
        """Its state, as rvbbit_sessions has it."""
        return inspect(self.file).state

    @property
    def tables(self) -> str:
        """A JSON array, without \\u escapes, which PostgreSQL reads under some server encodings only."""
        return self._listed(self._commented)

    @property
    def uncommented(self) -> str:
        """The same without comments, of which some server encodings do not have every character."""
        return self._listed(_uncommented)

    def _listed(self, told: Callable[[TableRow], dict[str, Any]]) -> str:
        rows = [told(row) for row in _tables_of(self.file.session_id, self.catalog)]
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))

    def _commented(self, row: TableRow) -> dict[str, Any]:
        columns = importer.column_comments(row.relation, self.shown)
        return _uncommented(row) | {"comment": row.relation.comment, "column_comments": columns}


def _uncommented(row: TableRow) -> dict[str, Any]:
    return {name: TABLES.columns[name].value(row) for name in _TOLD}


def _described(look: Look, wanted: Wanted) -> Iterator[tuple[SessionFile, Catalog]]:
    for file in look.folder.list(wanted, look.check):
        look.check()
        catalog, problem = look.try_describe(file)
        if isinstance(problem, FolderUnusable | StoreFull):  # what no session is to blame for hides none
            raise problem
        yield file, catalog or Catalog()


def _tables(look: Look, wanted: Wanted) -> Iterator[TableRow]:
    for file, catalog in _described(look, wanted):
        yield from _tables_of(file.session_id, catalog)


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


def _imports(look: Look, wanted: Wanted) -> Iterator[ImportRow]:
    shown = options.shown(look.scan.server.options)
    return (ImportRow(file, catalog, shown) for file, catalog in _described(look, wanted))


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

_TOLD = ("schema_name", "table_name", "kind", "pg_name", "estimated_rows", "error")
"""What rvbbit._imports says of each table, by the names that rvbbit_tables has for it."""

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

IMPORTS: Listing[ImportRow] = Listing(
    "list of imports",
    {
        "session_id": _listed("VARCHAR", lambda row: row.file.session_id),
        "state": _listed("VARCHAR", lambda row: row.state),
        "tables": ListedColumn("JSON", SNAPSHOTS, lambda row: row.tables, "VARCHAR"),
        "uncommented": ListedColumn("JSON", SNAPSHOTS, lambda row: row.uncommented, "VARCHAR"),
    },
    _imports,
)
