"""IMPORT FOREIGN SCHEMA: a session's tables as CREATE FOREIGN TABLE commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import duckdb

from rvbbit_fdw import identifiers, typemap
from rvbbit_fdw.catalog import Catalog, Column, Relation
from rvbbit_fdw.errors import NotSupported, OptionError, SchemaNotFound, SessionNotFound, translate
from rvbbit_fdw.guard import shown
from rvbbit_fdw.nearest import did_you_mean, nearest
from rvbbit_fdw.options import DEFAULT_SCHEMA
from rvbbit_fdw.sessions import SUFFIX, Check, SessionFile, SessionFolder, Wanted, no_check
from rvbbit_fdw.sqltext import Sql, comma, pg_options, qualified, quote
from rvbbit_fdw.tasks import Task

ALL_SESSIONS = "*"


@dataclass(frozen=True)
class Notice:
    """A message to the client that is no error; `level` is NOTICE or WARNING."""

    level: str
    message: str
    detail: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Target:
    """Where the foreign tables go, and which of them are wanted ("all", "limit_to" or "except" `names`)."""

    server: str
    schema: str
    restriction: str = "all"
    names: frozenset[str] = frozenset()

    def wants(self, name: str) -> bool:
        """True if a table of that PostgreSQL name is to be imported."""
        return self.restriction == "all" or (name in self.names) == (self.restriction == "limit_to")


def find(remote_schema: str, folder: SessionFolder, check: Check = no_check) -> tuple[SessionFile, str]:
    """The session and its schema that a remote schema names: "<session_id>" or "<session_id>.<schema>".

    A session whose own id contains the dot wins. PostgreSQL cuts names in commands at 63 bytes, so a name of
    that length stands for the one session whose id begins with it. SessionNotFound has a hint with names that
    are alike.
    """
    if remote_schema == ALL_SESSIONS:
        raise NotSupported(
            "importing all sessions as one schema is not supported",
            hint='Import one session by its id: IMPORT FOREIGN SCHEMA "<session_id>" ...',
        )
    unknown: SessionNotFound | None = None
    for session_id, schema in _readings(remote_schema):
        try:
            return folder.find(session_id, check), schema
        except SessionNotFound as error:
            unknown = unknown or error
    cut_off = _beginning_with(remote_schema, folder, check)
    if len(cut_off) == 1:
        return cut_off[0], DEFAULT_SCHEMA
    if cut_off:
        raise _ambiguous(remote_schema, cut_off)
    raise unknown or SessionNotFound(f'session "{remote_schema}" does not exist')


def refuse_options(options: Iterable[str]) -> None:
    """OptionError for any option of the command: it takes none."""
    for name in options:
        message = f'invalid option "{name}"'
        raise OptionError(message, hint="There are no valid options in this context.")


def commands(
    file: SessionFile,
    relations: Sequence[Relation],
    target: Target,
    bind: Callable[[Relation], str | None],
    check: Check = no_check,
) -> tuple[list[str], list[Notice]]:
    """The commands for these tables and what to tell; `bind` gives why a view cannot be used, or None."""
    result: list[str] = []
    notices: list[Notice] = []
    names = identifiers.postgres_names([relation.name for relation in relations])
    for name, relation in zip(names, relations, strict=True):
        check()
        if target.wants(name):
            problem = relation.refused or (bind(relation) if relation.is_view else None)
            if problem is not None:
                notices.append(_left_out(file, relation, problem))
            else:
                result.append(_create(file, relation, name, target, notices))
    return result, notices


def relations_of(file: SessionFile, schema: str, catalog: Catalog) -> list[Relation]:
    """The tables and views of a schema; SchemaNotFound if the session has no such schema."""
    if not catalog.has_schema(schema):
        message = f'session "{file.session_id}" has no schema "{schema}"'
        raise SchemaNotFound(message, hint=_schema_hint(file, schema, catalog))
    return catalog.in_schema(schema)


def _schema_hint(file: SessionFile, schema: str, catalog: Catalog) -> str | None:
    if f".{schema}" == SUFFIX:
        return f'The name of a session is its file\'s without "{SUFFIX}": "{file.session_id}".'
    return did_you_mean(nearest(schema, catalog.schemas))


def binder(alias: str, task: Task) -> Callable[[Relation], str | None]:
    """Tries a view of the attached session: a sentence part that says why it cannot be used, or None."""

    def bind(view: Relation) -> str | None:
        try:
            task.cursor.sql(Sql(f"SELECT * FROM {qualified(alias, view.schema, view.name)} LIMIT 0"))
        except duckdb.Error as error:
            task.check()
            return translate(error).message
        return None

    return bind


def _readings(remote_schema: str) -> list[tuple[str, str]]:
    """All ways to read the name, the whole as an id first, then the longest id first."""
    readings = [(remote_schema, DEFAULT_SCHEMA)]
    dot = remote_schema.rfind(".")
    while dot > 0:
        if dot + 1 < len(remote_schema):
            readings.append((remote_schema[:dot], remote_schema[dot + 1 :]))
        dot = remote_schema.rfind(".", 0, dot)
    return readings


def _beginning_with(remote_schema: str, folder: SessionFolder, check: Check) -> list[SessionFile]:
    """The sessions whose ids PostgreSQL would cut to this name."""
    files = folder.list(Wanted(prefix=remote_schema), check)
    return [
        file for file in files if identifiers.cut(file.session_id, identifiers.MAX_BYTES) == remote_schema
    ]


def _ambiguous(remote_schema: str, files: Sequence[SessionFile]) -> SessionNotFound:
    message = f'more than one session id begins with "{remote_schema}"'
    return SessionNotFound(
        message,
        detail=f"PostgreSQL cuts names at {identifiers.MAX_BYTES} bytes; {len(files)} ids begin alike.",
        hint='Create the foreign tables with CREATE FOREIGN TABLE, whose option "session" has no such limit.',
    )


def _left_out(file: SessionFile, relation: Relation, problem: str) -> Notice:
    kind = "view" if relation.is_view else "table"
    named = f'{kind} "{shown(relation.name)}" of session "{file.session_id}"'
    return Notice("NOTICE", f"{named} is left out: {problem}")


def _create(file: SessionFile, relation: Relation, name: str, target: Target, notices: list[Notice]) -> Sql:
    columns = relation.columns
    if len(columns) > identifiers.MAX_COLUMNS:
        columns = columns[: identifiers.MAX_COLUMNS]
        notices.append(_too_wide(file, relation))
    names = identifiers.column_names([column.name for column in columns])
    definitions = comma(_column(*pair) for pair in zip(names, columns, strict=True))
    options = [("session", file.session_id), ("table_name", relation.name)]
    if relation.schema != DEFAULT_SCHEMA:
        options.insert(1, ("schema_name", relation.schema))
    table, server = qualified(target.schema, name), quote(target.server)
    return Sql(f"CREATE FOREIGN TABLE {table} ({definitions}) SERVER {server} {pg_options(options)}")


def _too_wide(file: SessionFile, relation: Relation) -> Notice:
    return Notice(
        "WARNING",
        f'table "{shown(relation.name)}" of session "{file.session_id}" has {len(relation.columns)} columns, '
        f"only the first {identifiers.MAX_COLUMNS} are imported",
        detail="PostgreSQL allows no more columns in a table.",
    )


def _column(name: str, column: Column) -> Sql:
    # The name also where it is the same: the column may be renamed later.
    options = [("column_name", column.name), ("duckdb_type", typemap.canonical(column.type))]
    return Sql(f"{quote(name)} {typemap.lookup(column.type).declared} {pg_options(options)}")
