"""What the texts that a session stores may do: views, macros and generated columns.

A text passes if all it consists of is known to be harmless: tables, views and macros of its own session, and
functions that look at nothing but their arguments (purity.py). Everything else is refused, known or unknown:
server paths, settings, other sessions and files can then not be reached, however a text is put together.
Texts are judged as DuckDB itself prints and parses them, once for each snapshot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import duckdb

from rvbbit_fdw.counts import hangs_on_count, has_outer_join
from rvbbit_fdw.errors import translate_text
from rvbbit_fdw.identifiers import folded
from rvbbit_fdw.nulls import tells_null
from rvbbit_fdw.purity import EXPRESSIONS, NODES, SCALAR_FUNCTIONS, TABLE_FUNCTIONS
from rvbbit_fdw.sqltext import Sql, literal

Name: TypeAlias = tuple[str, str]
"""Schema and name, folded as DuckDB compares names."""

_BUILT_IN_SCHEMAS: Sequence[list[str]] = ([], ["main"], ["pg_catalog"])
_RESERVED_SCHEMAS = frozenset({"pg_catalog", "information_schema", "system", "temp", "memory"})
_FILE_LIKE = re.compile(r"[./\\:*?\[]")
_UNREADABLE = "its text cannot be understood"
_NOT_TWICE = "it names its session, and DuckDB 2.0 might leave out rows with NULLs that it looks for"
_FAULTS_OF_TEXT = frozenset({"parser", "not implemented"})
"""What json_serialize_sql() says of a wrong text; it answers with interrupts and lack of memory too."""

_IDENTIFIER = r'(?:"(?:[^"]|"")*"|[^\s".(),;]+)'
_CREATE_VIEW = re.compile(
    rf"CREATE VIEW {_IDENTIFIER}(?:\.{_IDENTIFIER})?(?: \({_IDENTIFIER}(?:, {_IDENTIFIER})*\))? AS (.*)",
    re.DOTALL,
)

# Defaults of a macro's parameters are not printed anywhere: a call has to give all of them.
_MACROS = """
SELECT
    schema_name, function_name, function_type = 'table_macro', parameters, macro_definition
FROM duckdb_functions() WHERE database_name = {database}
"""

_FUNCTIONS = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE database_name = 'system'"

_VIEWS = """
SELECT view_name FROM duckdb_views() WHERE internal AND schema_name IN ('main', 'pg_catalog')
"""

_PARSE = """
SELECT json_serialize_sql(text, skip_null := true, skip_empty := true)
FROM (SELECT unnest(?::VARCHAR[]) AS text)
"""


@dataclass
class Stored:
    """A relation or a macro, the SELECTs that its text amounts to, and why it is refused, if it is."""

    schema: str
    selects: Sequence[str | None]
    parameters: int = 0
    uses: set[tuple[str, Name]] = field(default_factory=set)
    problem: str | None = None
    missing: bool = False
    """The problem is a table that its session does not have."""
    by_session: bool = False
    """It names its session as the database, which is right only under the session's own name."""
    signatures: list[tuple[bool, tuple[str, ...]]] = field(default_factory=list)
    """Of a macro, for each of the SELECTs: whether it gives a table, and its parameters."""
    tells: list[bool] = field(default_factory=list)
    joins_outer: bool = False
    counts: bool = False
    shielded: bool = False
    """Somewhere in it NULL is told from values, or the number of rows counts (nulls.py, counts.py)."""


@dataclass(frozen=True)
class BuiltIn:
    """Names that DuckDB itself knows."""

    functions: frozenset[str]
    views: frozenset[str]


@dataclass
class Session:
    """All that one session stores, by kind ("relation" or "macro") and name."""

    built_in: BuiltIn
    stored: dict[tuple[str, Name], Stored]
    session_id: str = ""

    def has_schema(self, name: str) -> bool:
        """True if something is stored in a schema of that name, or if every session has it."""
        return name == "main" or any(item.schema == name for item in self.stored.values())

    def named(self, kind: str, name: str) -> list[tuple[str, Name]]:
        """Everything of that kind and name, in any schema."""
        return [key for key in self.stored if key[0] == kind and key[1][1] == name]


def view_select(sql: str) -> str | None:
    """The SELECT in a CREATE VIEW as duckdb_views() prints it; None if it is not understood."""
    match = _CREATE_VIEW.fullmatch(sql)
    return match[1] if match else None


def shown(name: str) -> str:
    """A name from a session for a message: on one line, and not without end."""
    text = "".join(letter if letter.isprintable() else "?" for letter in name)
    return text if len(text) <= 80 else text[:77] + "..."


def verdicts(
    cursor: duckdb.DuckDBPyConnection,
    alias: str,
    selects: Mapping[Name, Sequence[str | None]],
    session_id: str = "",
) -> dict[tuple[str, Name], Stored]:
    """What is to be said of relations and macros; `selects` has every relation, a plain table with none.

    Nothing if no relation has a text. Names are folded.
    """
    if not any(selects.values()):
        return {}
    stored = {("relation", _lower(name)): Stored(folded(name[0]), texts) for name, texts in selects.items()}
    session = Session(built_in(cursor), stored, folded(session_id))
    shadow = _add_macros(cursor, alias, session)
    _judge_each(cursor, session, shadow)
    _spread_telling(stored)
    _spread(stored)
    return stored


def built_in(cursor: duckdb.DuckDBPyConnection) -> BuiltIn:
    """What DuckDB itself knows; asked once in a process."""
    if not _built_in:
        functions, views = (
            frozenset(folded(row[0]) for row in cursor.execute(query).fetchall())
            for query in (_FUNCTIONS, _VIEWS)
        )
        _built_in.append(BuiltIn(functions, views))
    return _built_in[0]


_built_in: list[BuiltIn] = []


def _add_macros(cursor: duckdb.DuckDBPyConnection, alias: str, session: Session) -> str | None:
    """Add the session's macros; the name of one that takes a built-in function's place, if there is one.

    Operators and many other things call functions without naming them, so such a macro is everywhere.
    """
    shadow = None
    rows = cursor.execute(Sql(_MACROS.format(database=literal(alias)))).fetchall()
    for *named, is_table, parameters, definition in rows:
        select = definition if is_table or definition is None else f"SELECT {definition}"
        schema, name = map(folded, named)
        known = session.stored.setdefault(("macro", (schema, name)), Stored(schema, ()))
        known.selects = (*known.selects, select)
        known.parameters = max(known.parameters, len(parameters))
        known.signatures.append((is_table, tuple(parameters)))
        shadow = name if name in session.built_in.functions else shadow
    return shadow


def _judge_each(cursor: duckdb.DuckDBPyConnection, session: Session, shadow: str | None) -> None:
    texts = [text for item in session.stored.values() for text in item.selects]
    trees = iter(cursor.execute(_PARSE, [[text or "" for text in texts]]).fetchall())
    for item in session.stored.values():
        for (tree,) in [next(trees) for _ in item.selects]:
            if item.problem is None:
                item.problem = _Reader(session, item).read(tree)
        if item.selects and shadow is not None:
            item.missing = False
            item.problem = f'the session has a macro in place of the function "{shown(shadow)}"'


def _spread_telling(stored: Mapping[tuple[str, Name], Stored]) -> None:
    """Note what has to be shielded; what names its session would then read it as it was."""
    for item in stored.values():
        item.shielded = any(item.tells)
    changed = True
    while changed:
        changed = False
        for item in stored.values():
            used = [stored[key] for key in item.uses]
            joins_outer = item.joins_outer or any(each.joins_outer for each in used)
            shielded = item.shielded or (item.counts and joins_outer) or any(each.shielded for each in used)
            by_session = item.by_session or any(each.by_session for each in used)
            now, before = (
                (shielded, by_session, joins_outer),
                (item.shielded, item.by_session, item.joins_outer),
            )
            changed = changed or now != before
            item.shielded, item.by_session, item.joins_outer = now
    for item in stored.values():
        if item.shielded and item.by_session and item.problem is None:
            item.problem = _NOT_TWICE


def _spread(stored: Mapping[tuple[str, Name], Stored]) -> None:
    """Judge whatever uses something like that, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for item in stored.values():
            bad = None if item.problem else next((key for key in item.uses if stored[key].problem), None)
            if bad is not None:
                item.missing = stored[bad].missing
                why = "reads what its session does not have" if item.missing else "may not be used"
                item.problem = f'it uses {_kind(bad)} "{shown(bad[1][1])}", which {why}'
                changed = True


def _kind(key: tuple[str, Name]) -> str:
    return "macro" if key[0] == "macro" else "table or view"


def _fault(parsed: Mapping[str, Any]) -> str:
    """A text that is no SELECT to DuckDB; anything else that went wrong is no verdict, and raised."""
    if parsed.get("error_type") not in _FAULTS_OF_TEXT:
        raise translate_text(str(parsed.get("error_message")))
    return _UNREADABLE


def _lower(name: Name) -> Name:
    return folded(name[0]), folded(name[1])


class _Reader:
    """Goes through one parsed text; the first thing that is not allowed is its problem."""

    def __init__(self, session: Session, item: Stored) -> None:
        self._session = session
        self._item = item
        self._problem: str | None = None

    def read(self, tree: str) -> str | None:
        """Why the text is refused, or None; notes what it uses."""
        try:
            parsed = json.loads(tree)
        except RecursionError:
            return "its text is nested too deeply"
        if parsed["error"]:
            return _fault(parsed)
        if len(parsed["statements"]) != 1:
            return _UNREADABLE
        (statement,) = parsed["statements"]
        self._item.tells.append(tells_null(statement))
        self._item.joins_outer |= has_outer_join(statement)
        self._item.counts |= hangs_on_count(statement)
        todo: list[Any] = [statement]
        while todo and self._problem is None:
            node = todo.pop()
            if isinstance(node, dict):
                todo.extend(self._visit(node))
            elif isinstance(node, list):
                todo.extend(node)
        return self._problem

    def _visit(self, node: dict[str, Any]) -> Iterable[Any]:
        """Judge one node; what is to be visited next."""
        kind, form = node.get("class"), node.get("type")
        if kind == "CONSTANT":
            return ()
        if kind is not None:
            self._expression(kind, node)
        elif isinstance(form, str):
            self._node(form, node)
        if kind is None and form == "TABLE_FUNCTION":
            called = node.pop("function")
            self._call(called, TABLE_FUNCTIONS)
            return [*node.values(), *called.values()]
        return node.values()

    def _expression(self, kind: str, node: dict[str, Any]) -> None:
        if kind not in EXPRESSIONS:
            self._refuse(f"it has an expression of the kind {kind}")
        elif kind in {"FUNCTION", "WINDOW"}:
            self._call(node, SCALAR_FUNCTIONS)
        elif kind == "TYPE":
            self._type(_path(node))

    def _node(self, form: str, node: dict[str, Any]) -> None:
        if form not in NODES:
            self._refuse(f"it has a part of the kind {form}")
        elif form == "BASE_TABLE":
            self._table(_path(node))

    def _call(self, node: dict[str, Any], allowed: frozenset[str]) -> None:
        *schema, name = _path(node)
        macros = self._session.named("macro", name)
        given = len(node.get("arguments") or ())
        # A schema of the session is no proof: looking for functions, DuckDB prefers a database of that name.
        if schema not in _BUILT_IN_SCHEMAS:
            self._refuse(f'it calls the function "{shown(name)}" of "{shown(".".join(schema))}"')
        elif any(given < self._session.stored[key].parameters for key in macros):
            self._refuse(f'it calls the macro "{shown(name)}" without all its parameters')
        elif not macros and name not in allowed:
            self._refuse(f'it calls the function "{shown(name)}"')
        self._item.uses.update(macros)

    def _type(self, path: list[str]) -> None:
        *schema, name = path
        if schema not in _BUILT_IN_SCHEMAS:
            self._refuse(f'it uses the type "{shown(name)}" of "{shown(".".join(schema))}"')

    def _table(self, path: list[str]) -> None:
        *schema, name = path
        schema = self._within_session(schema)
        if not schema:
            keys = self._session.named("relation", name)
            own = any(key[1][0] in {self._item.schema, "main"} for key in keys)
            # What is no table of the session and no system view, nor looks like a file, DuckDB will not find.
            known = name not in self._session.built_in.views and (own or not _FILE_LIKE.search(name))
        else:
            keys = [("relation", (schema[0], name))]
            known = (
                len(schema) == 1 and schema[0] not in _RESERVED_SCHEMAS and keys[0] in self._session.stored
            )
        if known:
            self._item.uses.update(keys)
        elif (
            len(schema) == 1
            and self._session.has_schema(schema[0])
            and schema[0] not in _RESERVED_SCHEMAS
            and name not in self._session.built_in.views
        ):
            self._item.missing = self._problem is None
            self._refuse(f'it reads "{shown(".".join(path))}", which its session does not have')
        else:
            self._refuse(f'it reads "{shown(".".join(path))}", which is no table or view of its session')

    def _within_session(self, schema: list[str]) -> list[str]:
        """The schema without the session's own name as that of the database."""
        own = self._session.session_id
        if own and schema and schema[0] == own and (len(schema) == 2 or not self._session.has_schema(own)):
            self._item.by_session = True
            return schema[1:] or ["main"]
        return schema

    def _refuse(self, problem: str) -> None:
        self._problem = self._problem or problem


def _path(node: dict[str, Any]) -> list[str]:
    """The parts of a node's name, in lower case; no part at all is a name that nothing has."""
    return [folded(str(part)) for part in node.get("qualified_name", {}).get("path", ())] or [""]
