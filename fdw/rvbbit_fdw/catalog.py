"""Tables, views and columns of one snapshot, read once and kept beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from rvbbit_fdw import guard, shield
from rvbbit_fdw.guard import Name, Stored, shown
from rvbbit_fdw.identifiers import folded
from rvbbit_fdw.shield import Piece
from rvbbit_fdw.sqltext import Sql, literal

FILE_NAME = "catalog.json"
# To be raised also when the guard judges differently: what is kept holds its verdicts.
_FORMAT = 6
_NUL, _SHOWN_NUL = "\0", "\ufffd"
_RENAMED = "it names its session, whose name is taken by another state of it, or by DuckDB itself"

# Each of these is one cheap pass: DuckDB plans joins, unions and orders longer than it runs them.
_SCHEMAS = "SELECT schema_name, internal FROM duckdb_schemas() WHERE database_name = {database}"

_TABLES = """
SELECT schema_name, table_name, estimated_size, comment, sql FROM duckdb_tables()
WHERE database_name = {database}
"""

_VIEWS = "SELECT schema_name, view_name, comment FROM duckdb_views() WHERE database_name = {database}"

# Apart from the views, because DuckDB prints the texts of all its own views to answer it.
_VIEW_TEXTS = "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE database_name = {database}"

_COLUMNS = """
SELECT schema_name, table_name, column_name, data_type, is_nullable, column_default, comment
FROM duckdb_columns()
WHERE database_name = {database}
"""


@dataclass(frozen=True)
class Column:
    """A column; `type` as duckdb_columns() writes it."""

    name: str
    type: str
    nullable: bool
    comment: str | None = None


@dataclass(frozen=True)
class Relation:
    """A table or a view (a view has no `estimated_rows`); deleted rows count in the estimate."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    estimated_rows: int | None = None
    comment: str | None = None
    refused: str | None = None
    """Why it may not be read; its columns are then not known."""
    broken: str | None = None
    """Why it cannot be read, if it is a view that was tried."""
    missing: bool = False
    """The reason is a table that the session does not have."""
    by_session: bool = False
    """It names its session as the database, which is right only under the session's own name."""
    computed: bool = False
    """It is a view, or has generated columns."""
    shielded: bool = False
    """It has to be read by way of the catalog's shield."""

    @property
    def kind(self) -> str:
        """What it is called in messages: table or view."""
        return "view" if self.is_view else "table"

    @property
    def left_out(self) -> str | None:
        """Why an import leaves it out; None if it does not."""
        return self.refused or self.broken

    @property
    def is_view(self) -> bool:
        """True for a view."""
        return self.estimated_rows is None

    def column(self, name: str) -> Column | None:
        """The column of that name; DuckDB's names differ not by case alone."""
        return self._by_name.get(folded(name))

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {folded(column.name): column for column in self.columns}


@dataclass(frozen=True)
class Catalog:
    """What one snapshot holds."""

    schemas: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = field(default=())
    shield: tuple[Piece, ...] = ()
    """What shielded relations are read by way of (shield.py)."""

    def relation(self, schema: str, name: str) -> Relation | None:
        """The table or view of that name, in any case of letters."""
        return self._by_name.get((folded(schema), folded(name)))

    def in_schema(self, schema: str) -> list[Relation]:
        """The tables and views of one schema."""
        return [relation for relation in self.relations if folded(relation.schema) == folded(schema)]

    def has_schema(self, schema: str) -> bool:
        """True if the session has that schema."""
        return folded(schema) in {folded(known) for known in self.schemas}

    def count_readable(self) -> int:
        """How many tables and views may be read, broken views among them."""
        return sum(relation.refused is None for relation in self.relations)

    @property
    def names_session(self) -> bool:
        """True if anything is right only under the session's own name."""
        return any(relation.by_session for relation in self.relations)

    def under_another_name(self) -> Catalog:
        """The catalog of a session that is not attached under its own name."""
        if not self.names_session:
            return self
        return replace(self, relations=tuple(map(_renamed, self.relations)))

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Relation]:
        return {(folded(relation.schema), folded(relation.name)): relation for relation in self.relations}


def read(cursor: duckdb.DuckDBPyConnection, alias: str, session_id: str = "") -> Catalog:
    """The catalog of the session that is attached under that name."""
    # DuckDB calls every database's own "main" internal.
    schemas = [name for name, internal in _rows(cursor, _SCHEMAS, alias) if not internal or name == "main"]
    columns: dict[Name, list[Column]] = {}
    defaults: dict[Name, list[str]] = {}
    for schema, table, name, kind, nullable, default, comment in _rows(cursor, _COLUMNS, alias):
        columns.setdefault((schema, table), []).append(Column(name, kind, bool(nullable), comment))
        defaults.setdefault((schema, table), []).extend([default] if default else [])
    found, selects = _relations(cursor, alias, defaults)
    judged = guard.verdicts(cursor, alias, selects, session_id)
    relations = [_storable(_known(relation, columns, judged)) for relation in found]
    relations.sort(key=lambda relation: (relation.schema, relation.name))
    named = {(folded(relation.schema), folded(relation.name)): relation for relation in relations}
    pieces = shield.pieces(judged, named)
    return Catalog(tuple(sorted(map(_without_nul, schemas))), tuple(relations), pieces)


def try_views(catalog: Catalog, bind: Callable[[Relation], str | None]) -> Catalog:
    """The catalog with what is wrong with its views; `bind` gives why a view cannot be read, or None."""
    tried = (
        replace(relation, broken=bind(relation)) if relation.is_view and not relation.refused else relation
        for relation in catalog.relations
    )
    return replace(catalog, relations=tuple(tried))


def load(path: Path, key: str = "") -> Catalog | None:
    """The catalog of the state `key` kept in that file, or None if there is none that can be used."""
    try:
        body = json.loads(path.read_bytes())
        if [body["format"], body["duckdb"], body["key"]] != [_FORMAT, duckdb.__version__, key]:
            return None
        relations = tuple(_relation(item) for item in body["relations"])
        return Catalog(tuple(body["schemas"]), relations, tuple(map(_piece, body["shield"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(catalog: Catalog, path: Path, key: str = "") -> None:
    """Keep the catalog in that file; not being able to costs only time."""
    body = asdict(catalog) | {"format": _FORMAT, "duckdb": duckdb.__version__, "key": key}
    temporary = Path(f"{path}.{os.getpid()}")
    with suppress(OSError):
        try:
            temporary.write_text(json.dumps(body, separators=(",", ":")))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _relations(
    cursor: duckdb.DuckDBPyConnection, alias: str, defaults: Mapping[Name, Sequence[str]]
) -> tuple[list[Relation], dict[Name, Sequence[str | None]]]:
    """Tables and views still without columns, and the SELECTs that reading each of them amounts to."""
    relations: list[Relation] = []
    selects: dict[Name, Sequence[str | None]] = {}
    for schema, name, rows, comment, sql in _rows(cursor, _TABLES, alias):
        relations.append(Relation(schema, name, (), rows, comment))
        # Defaults and generated columns are listed alike; only generated columns count when a table is read.
        generated = defaults.get((schema, name), ()) if "GENERATED" in sql else ()
        selects[schema, name] = [f"SELECT {expression}" for expression in generated]
    for schema, name, comment in _rows(cursor, _VIEWS, alias):
        relations.append(Relation(schema, name, (), None, comment))
        selects[schema, name] = [None]
    if any(relation.is_view for relation in relations):
        for schema, name, sql in _rows(cursor, _VIEW_TEXTS, alias):
            selects[schema, name] = [guard.view_select(sql or "")]
    return relations, selects


def _known(
    relation: Relation, columns: Mapping[Name, Sequence[Column]], judged: Mapping[tuple[str, Name], Stored]
) -> Relation:
    """The relation with its columns; with nothing of what its text may have made, if it is refused."""
    name = relation.schema, relation.name
    known = replace(relation, columns=tuple(columns.get(name, ())))
    verdict = judged.get(("relation", (folded(relation.schema), folded(relation.name))))
    if verdict is None:
        return known
    if verdict.problem is not None:
        return replace(relation, comment=None, refused=verdict.problem, missing=verdict.missing)
    return replace(
        known,
        by_session=verdict.by_session,
        computed=bool(verdict.selects),
        shielded=verdict.shielded,
    )


def _storable(relation: Relation) -> Relation:
    """The relation without zero bytes, which PostgreSQL has in no text; refused if a name has one."""
    columns = relation.columns
    names = [relation.schema, relation.name, *(column.name for column in columns)]
    texts = [relation.comment, *(text for column in columns for text in (column.type, column.comment))]
    bad = next((name for name in names if _NUL in name), None)
    if bad is not None:
        schema, name = _without_nul(relation.schema), _without_nul(relation.name)
        reason = relation.refused or f'PostgreSQL cannot hold the zero byte in the name "{shown(bad)}"'
        return replace(relation, columns=(), comment=None, refused=reason, schema=schema, name=name)
    if any(text and _NUL in text for text in texts):
        columns = tuple(
            replace(
                column, type=_without_nul(column.type), comment=_without_nul(column.comment or "") or None
            )
            for column in columns
        )
        return replace(relation, columns=columns, comment=_without_nul(relation.comment or "") or None)
    return relation


def _without_nul(text: str) -> str:
    return text.replace(_NUL, _SHOWN_NUL)


def _renamed(relation: Relation) -> Relation:
    if not relation.by_session:
        return relation
    return replace(relation, columns=(), comment=None, refused=_RENAMED)


def _rows(cursor: duckdb.DuckDBPyConnection, template: str, alias: str) -> Iterable[tuple[Any, ...]]:
    return cursor.execute(Sql(template.format(database=literal(alias)))).fetchall()


def _piece(item: dict[str, Any]) -> Piece:
    return Piece(**item | {"names": tuple(item["names"])})


def _relation(item: dict[str, Any]) -> Relation:
    columns = tuple(Column(**column) for column in item.pop("columns"))
    return Relation(columns=columns, **item)
