"""IMPORT FOREIGN SCHEMA: a session's tables as CREATE FOREIGN TABLE commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import duckdb

from rvbbit_fdw import identifiers, options, typemap
from rvbbit_fdw.catalog import Catalog, Column, Relation
from rvbbit_fdw.errors import (
    NotSupported,
    OptionError,
    RvbbitError,
    SchemaNotFound,
    SessionNotFound,
    translate,
)
from rvbbit_fdw.guard import shown
from rvbbit_fdw.nearest import did_you_mean, nearest
from rvbbit_fdw.options import DEFAULT_SCHEMA
from rvbbit_fdw.sessions import SUFFIX, Check, SessionFile, SessionFolder, Wanted, no_check
from rvbbit_fdw.sqltext import Sql, comma, pg_options, qualified, quote
from rvbbit_fdw.tasks import Task

ALL_SESSIONS = "*"
_LONGEST_CHARACTER = 4  # bytes in UTF-8: PostgreSQL cuts off whole characters


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
    views: bool = True
    not_null: bool = True
    comments: bool = True
    shown: typemap.Shown = typemap.DEFAULT
    called: Mapping[str, str] = field(default_factory=dict)
    """What tables are called here, if not by their names in PostgreSQL."""

    def at(self, server: str, schema: str) -> Target:
        """The same at another place, for a host that names the place last; it cannot check NOT NULL."""
        return replace(self, server=server, schema=schema, not_null=False)

    def wants(self, name: str) -> bool:
        """True if a table of that PostgreSQL name is to be imported."""
        return self.restriction == "all" or (name in self.names) == (self.restriction == "limit_to")


@dataclass
class Import:
    """The tables to import by the names that PostgreSQL gives them, and what to tell."""

    file: SessionFile
    chosen: list[tuple[str, Relation]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def add(self, name: str, relation: Relation) -> None:
        """Import this table under this name."""
        if len(relation.columns) > identifiers.MAX_COLUMNS:
            self.notices.append(_too_wide(self.file, relation))
        self.chosen.append((name, relation))

    def commands(self, target: Target) -> list[Sql]:
        """The CREATE FOREIGN TABLE commands."""
        return [create(self.file, relation, name, target) for name, relation in self.chosen]


def find(
    remote_schema: str, folder: SessionFolder, check: Check = no_check, session: str | None = None
) -> tuple[SessionFile, str]:
    """The session and its schema that a remote schema names: "<session_id>" or "<session_id>.<schema>".

    A session whose own id contains the dot wins. PostgreSQL cuts names in commands at 63 bytes, so a name of
    that length stands for the one session whose id begins with it. With the option `session` the remote
    schema is the schema alone. SessionNotFound has a hint with names that are alike.
    """
    if session is not None:
        return folder.find(session, check), remote_schema
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
    found = _by_beginning(remote_schema, folder, check)
    if found is None:
        raise unknown or SessionNotFound(f'session "{remote_schema}" does not exist')
    return found, DEFAULT_SCHEMA


def target(server: str, server_options: Mapping[str, str], body: Mapping[str, Any]) -> Target:
    """What an import request asks for, its options checked; the server's say how types are shown."""
    given = body.get("options") or {}
    options.validate(options.IMPORT, given)
    called = options.import_as(given)
    restriction, names = body.get("restriction", "all"), body.get("tables") or ()
    if called is not None:
        if restriction != "all":
            raise OptionError('option "import_as" and LIMIT TO or EXCEPT exclude each other')
        restriction, names = "limit_to", tuple(called)
    return Target(
        server,
        body["local_schema"],
        restriction,
        frozenset(names),
        views=options.is_true(given, "import_views"),
        not_null=options.is_true(given, "import_not_null"),
        comments=options.is_true(given, "import_comments"),
        shown=options.shown(server_options),
        called=called or {},
    )


def choose(
    file: SessionFile,
    relations: Sequence[Relation],
    target: Target,
    bind: Callable[[Relation], str | None],
    check: Check = no_check,
) -> Import:
    """Which of these tables the target wants; `bind` gives why a view cannot be used, or None."""
    result = Import(file)
    names = dict(named(relations))
    for name, relation in names.items():
        check()
        if target.wants(name) and (target.views or not relation.is_view):
            problem = relation.refused or (bind(relation) if relation.is_view else None)
            if problem is not None:
                result.notices.append(_left_out(file, relation, problem))
            else:
                result.add(target.called.get(name, name), relation)
    if target.restriction == "limit_to":
        result.notices.extend(
            _unknown(file, name, names, check) for name in sorted(target.names - set(names))
        )
    return result


def named(relations: Sequence[Relation]) -> Iterator[tuple[str, Relation]]:
    """The tables and views of one schema with the names that PostgreSQL gives them."""
    names = identifiers.postgres_names([relation.name for relation in relations])
    return zip(names, relations, strict=True)


def named_columns(relation: Relation) -> Iterator[tuple[str, Column]]:
    """The columns that a foreign table can have, with their names in PostgreSQL."""
    columns = relation.columns[: identifiers.MAX_COLUMNS]
    return zip(identifiers.column_names([column.name for column in columns]), columns, strict=True)


def declared_type(column: Column, shown: typemap.Shown = typemap.DEFAULT) -> str:
    """The PostgreSQL type that the column is declared with."""
    return typemap.lookup(column.type, shown).declared


def remembered_type(column: Column) -> str:
    """The DuckDB type that the column's option `duckdb_type` remembers."""
    return typemap.canonical(column.type)


def column_comments(relation: Relation, shown: typemap.Shown = typemap.DEFAULT) -> dict[str, str]:
    """The comments on the columns of a foreign table, by their names in PostgreSQL; most need none."""
    comments = ((name, _comment(column, shown)) for name, column in named_columns(relation))
    return {name: comment for name, comment in comments if comment is not None}


def _comment(column: Column, shown: typemap.Shown) -> str | None:
    kind = _kind_told(column.type, shown)
    if kind is None or column.comment is None:
        return kind if column.comment is None else column.comment
    return f"{kind}: {column.comment}"


@lru_cache(maxsize=1024)
def _kind_told(duckdb_type: str, shown: typemap.Shown) -> str | None:
    """What is said of a type that PostgreSQL has under another name, or not at all."""
    kind = typemap.canonical(duckdb_type)
    declared = typemap.lookup(duckdb_type, shown).declared
    return None if typemap.is_alike(kind, declared) else f"DuckDB type {kind}"


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


@dataclass
class Binder:
    """Tries views of an attached session, each in the database in which it is read.

    `settled` is False once something went wrong that passes.
    """

    reading: Callable[[Relation], str]
    task: Task
    settled: bool = True

    def __call__(self, view: Relation) -> str | None:
        """A sentence part that says why the view cannot be used, or None."""
        try:
            name = qualified(self.reading(view), view.schema, view.name)
            self.task.cursor.sql(Sql(f"SELECT * FROM {name} LIMIT 0"))
        except (duckdb.Error, RvbbitError) as error:
            self.task.check()
            problem = translate(error)
            self.settled = self.settled and not problem.passes
            return problem.message
        return None


def _by_beginning(beginning: str, folder: SessionFolder, check: Check) -> SessionFile | None:
    """The session whose id PostgreSQL has cut to this text; SessionNotFound if several begin with it."""
    if len(beginning.encode()) <= identifiers.MAX_BYTES - _LONGEST_CHARACTER:
        return None
    alike = [
        file
        for file in folder.list(Wanted(prefix=beginning), check)
        if identifiers.cut(file.session_id, identifiers.MAX_BYTES) == beginning
    ]
    if len(alike) > 1:
        message = f'more than one session id begins with "{beginning}"'
        raise SessionNotFound(
            message,
            detail=f"PostgreSQL cuts names at {identifiers.MAX_BYTES} bytes; {len(alike)} ids begin alike.",
            hint="Name the session by an option: "
            "IMPORT FOREIGN SCHEMA main ... OPTIONS (session '<session_id>').",
        )
    return alike[0] if alike else None


def _readings(remote_schema: str) -> list[tuple[str, str]]:
    """All ways to read the name, the whole as an id first, then the longest id first."""
    readings = [(remote_schema, DEFAULT_SCHEMA)]
    dot = remote_schema.rfind(".")
    while dot > 0:
        if dot + 1 < len(remote_schema):
            readings.append((remote_schema[:dot], remote_schema[dot + 1 :]))
        dot = remote_schema.rfind(".", 0, dot)
    return readings


def _left_out(file: SessionFile, relation: Relation, problem: str) -> Notice:
    message = (
        f'{relation.kind} "{shown(relation.name)}" of session "{file.session_id}" is left out: {problem}'
    )
    return Notice("NOTICE", message)


def _unknown(file: SessionFile, name: str, names: Mapping[str, Relation], check: Check) -> Notice:
    """A name of LIMIT TO that means nothing; PostgreSQL has cut it if the table's own name is too long."""
    meant = [known for known, relation in names.items() if _is_cut_from(name, relation.name)]
    hint = did_you_mean(meant or nearest(name, list(names), check))
    return Notice("NOTICE", f'session "{file.session_id}" has no table "{shown(name)}" to import', hint=hint)


def _is_cut_from(name: str, whole: str) -> bool:
    return name != whole and identifiers.cut(whole, identifiers.MAX_BYTES) == name


def create(file: SessionFile, relation: Relation, name: str, target: Target) -> Sql:
    """The CREATE FOREIGN TABLE command of one table."""
    definitions = comma(_column(*pair, target) for pair in named_columns(relation))
    given = [("session", file.session_id), ("table_name", relation.name)]
    if relation.schema != DEFAULT_SCHEMA:
        given.insert(1, ("schema_name", relation.schema))
    table, server = qualified(target.schema, name), quote(target.server)
    return Sql(f"CREATE FOREIGN TABLE {table} ({definitions}) SERVER {server} {pg_options(given)}")


def _too_wide(file: SessionFile, relation: Relation) -> Notice:
    left_out = len(relation.columns) - identifiers.MAX_COLUMNS
    return Notice(
        "WARNING",
        f'{relation.kind} "{shown(relation.name)}" of session "{file.session_id}" '
        f"is imported without its last {left_out} columns",
        detail=f"It has {len(relation.columns)} columns; "
        f"a table of PostgreSQL has {identifiers.MAX_COLUMNS} at most.",
    )


def _column(name: str, column: Column, target: Target) -> Sql:
    # The name also where it is the same: the column may be renamed later.
    given = pg_options([("column_name", column.name), ("duckdb_type", remembered_type(column))])
    not_null = " NOT NULL" if target.not_null and not column.nullable else ""
    return Sql(f"{quote(name)} {declared_type(column, target.shown)} {given}{not_null}")
