"""Stored texts that DuckDB 2.0.0 would answer wrongly, read over tables that hide what it keeps of columns.

A text that tells NULL from values (nulls.py), or whose answer hangs on the number of rows (counts.py), is
defined a second time, word for word, in a database in memory: beside it stand views of the session's tables,
whose columns pass through a CASE. DuckDB then finds nothing to skip data by. Names mean there what they mean
in the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from rvbbit_fdw.errors import RvbbitError, translate
from rvbbit_fdw.identifiers import folded
from rvbbit_fdw.sqltext import Sql, comma, literal, qualified, quote

if TYPE_CHECKING:
    from rvbbit_fdw.catalog import Relation
    from rvbbit_fdw.guard import Name, Stored

_LABELS = """
SELECT schema_name, type_name, labels FROM duckdb_types()
WHERE database_name = {database} AND NOT internal AND logical_type = 'ENUM'
"""


@dataclass(frozen=True)
class Piece:
    """Something to define: `kind` is table, view or macro.

    `names` are the columns; `text` is what the session stores, for a macro with its parameters.
    """

    kind: str
    schema: str
    name: str
    names: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Shield:
    """The database in memory, and what could not be defined in it, by folded schema and name."""

    alias: str
    problems: Mapping[Name, RvbbitError]

    def problem(self, schema: str, name: str) -> RvbbitError | None:
        """Why a relation cannot be read; None if it can."""
        return self.problems.get((folded(schema), folded(name)))


def pieces(
    stored: Mapping[tuple[str, Name], Stored], relations: Mapping[Name, Relation]
) -> tuple[Piece, ...]:
    """What has to be defined for all relations that are shielded: each after what it uses."""
    found: dict[tuple[str, Name], Piece] = {}
    todo = [
        key for key, item in stored.items() if key[0] == "relation" and item.shielded and not item.problem
    ]
    seen: set[tuple[str, Name]] = set()
    while todo:
        key = todo.pop()
        inner = [each for each in stored[key].uses if each not in seen and each not in found]
        if key not in seen and inner:
            todo += [key, *inner]
        elif key not in found:
            found[key] = _piece(key, stored[key], relations.get(key[1]))
        seen.add(key)
    return tuple(found.values())


def _piece(key: tuple[str, Name], item: Stored, relation: Relation | None) -> Piece:
    kind, (schema, name) = key
    names = () if relation is None else tuple(column.name for column in relation.columns)
    if kind == "macro":
        return Piece(kind, schema, name, text=_overloads(item))
    if relation is not None and relation.is_view:
        return Piece("view", schema, name, names, item.selects[0] or "")
    return Piece("table", schema, name, names)


def _overloads(item: Stored) -> str:
    bodies = []
    for select, (is_table, parameters) in zip(item.selects, item.signatures, strict=True):
        text = select or ""
        body = f"TABLE {text}" if is_table else f"({text.removeprefix('SELECT ')})"
        bodies.append(f"({comma(map(quote, parameters))}) AS {body}")
    return ", ".join(bodies)


def build(cursor: duckdb.DuckDBPyConnection, database: str, alias: str, wanted: Sequence[Piece]) -> Shield:
    """Define what is wanted over a session's database; the cursor is of no use for anything else then."""
    cursor.execute(f"ATTACH ':memory:' AS {quote(alias)}")
    for schema in {piece.schema for piece in wanted}:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {qualified(alias, schema)}")
    for statement in _enums(cursor, database, alias):
        cursor.execute(statement)
    problems: dict[Name, RvbbitError] = {}
    for piece in wanted:
        try:
            cursor.execute(f"USE {qualified(alias, piece.schema)}")
            cursor.execute(_definition(piece, database, alias))
        except duckdb.Error as error:
            problem = translate(error)
            if problem.passes:
                raise problem from None
            problems[piece.schema, piece.name] = problem
    return Shield(alias, problems)


def _enums(cursor: duckdb.DuckDBPyConnection, database: str, alias: str) -> Iterator[Sql]:
    rows: Iterable[tuple[str, str, list[str]]]
    rows = cursor.execute(_LABELS.format(database=literal(database))).fetchall()
    for schema, name, labels in rows:
        yield Sql(f"CREATE SCHEMA IF NOT EXISTS {qualified(alias, schema)}")
        yield Sql(f"CREATE TYPE {qualified(alias, schema, name)} AS ENUM ({comma(map(literal, labels))})")


def _definition(piece: Piece, database: str, alias: str) -> Sql:
    name, names = qualified(alias, piece.schema, piece.name), comma(map(quote, piece.names))
    if piece.kind == "macro":
        return Sql(f"CREATE MACRO {name}{piece.text}")
    if piece.kind == "view":
        return Sql(f"CREATE VIEW {name}{f' ({names})' if names else ''} AS {piece.text}")
    hidden = comma(map(_hidden, piece.names))
    columns = f"* REPLACE ({hidden})" if hidden else "*"
    return Sql(f"CREATE VIEW {name} AS SELECT {columns} FROM {qualified(database, piece.schema, piece.name)}")


def _hidden(column: str) -> Sql:
    name = quote(column)
    return Sql(f"CASE WHEN {name} IS NOT NULL THEN {name} END AS {name}")
