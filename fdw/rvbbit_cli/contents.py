"""What is in a session: its tables with their columns, and the first rows of one, attached or not."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import sql
from rich.table import Table
from rich.text import Text

from rvbbit_cli import screen
from rvbbit_cli.connection import Connection
from rvbbit_cli.failures import REFUSED, SHOWN, UNKNOWN, Failure
from rvbbit_cli.screen import Column, shown

COLUMNS: Final = ("session_id", "schema_name", "table_name", "kind", "pg_name", "estimated_rows",
                  "column_count", "comment", "error", "columns")  # fmt: skip
"""The keys of `tables --json`; `columns` is a list of objects with COLUMN_KEYS."""

COLUMN_KEYS: Final = ("column_name", "position", "duckdb_type", "pg_name", "pg_type", "comment")

_MEMBERS = sql.SQL(", ").join(
    sql.SQL("{}, c.{}").format(sql.Literal(k), sql.Identifier(k)) for k in COLUMN_KEYS
)

_TABLES = sql.SQL("""
    SELECT t.session_id, t.schema_name, t.table_name, t.kind, t.pg_name, t.estimated_rows, t.column_count,
           t.comment, t.error,
           (SELECT COALESCE(jsonb_agg(jsonb_build_object({}) ORDER BY c.position), '[]')
            FROM public.rvbbit_columns AS c
            WHERE c.session_id = {} AND c.schema_name = t.schema_name AND c.table_name = t.table_name)
    FROM public.rvbbit_tables AS t WHERE t.session_id = {}
    ORDER BY t.schema_name <> 'main', t.schema_name, t.table_name""")

_SERVER = """
    SELECT s.srvname FROM pg_foreign_table AS t JOIN pg_foreign_server AS s ON s.oid = t.ftserver
    WHERE t.ftrelid = 'public.rvbbit_sessions'::regclass"""

_UNREADABLE: Final = frozenset({"corrupt", "encrypted", "newer", "unreadable"})


# --- Tables ---------------------------------------------------------------------------------------


def fetch(connection: Connection, session_id: str) -> list[dict[str, Any]]:
    """The tables and views of a session; a Failure if there is no such session or it cannot be read."""
    require_readable(connection, session_id)
    literal = sql.Literal(session_id)
    rows = connection.execute(_TABLES.format(_MEMBERS, literal, literal))
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def require_readable(connection: Connection, session_id: str) -> None:
    """A Failure, with the ids that are alike, if no session has that id, or if it cannot be read."""
    query = "SELECT state, error FROM public.rvbbit_sessions WHERE session_id = %s"
    row = connection.execute(query, [session_id]).fetchone()
    if row is None:
        with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
            _let_the_wrapper_refuse(connection, session_id)
        raise Failure(f'session "{session_id}" does not exist', code=UNKNOWN, hint=SHOWN)
    if row[0] in _UNREADABLE:
        hint = "rvbbit-fdw doctor explains it."
        raise Failure(f'session "{session_id}" cannot be read: {row[1]}', code=REFUSED, hint=hint)


def _let_the_wrapper_refuse(connection: Connection, session_id: str) -> None:
    """Its error has a hint with the ids that are alike."""
    command = sql.SQL(
        'IMPORT FOREIGN SCHEMA main LIMIT TO (" ") FROM SERVER {} INTO public OPTIONS (session {})'
    )
    with connection.transaction(force_rollback=True):
        connection.execute(command.format(_server(connection), sql.Literal(session_id)))


def _server(connection: Connection) -> sql.Identifier:
    row = connection.execute(_SERVER).fetchone()
    return sql.Identifier(row[0] if row else "rvbbit")


def tables_as_table(rows: Sequence[dict[str, Any]]) -> Table:
    """One line for each table."""
    columns = [
        Column("TABLE", folds="name"),
        Column("KIND"),
        Column("ROWS", "right"),
        Column("COLUMNS", "right"),
    ]
    problems = any(row["error"] for row in rows)
    columns += [Column("LEFT OUT", folds="sentence")] if problems else []
    return screen.table(columns, (_table_cells(row, problems) for row in rows))


def _table_cells(row: dict[str, Any], problems: bool) -> list[Text]:
    rows = "" if row["estimated_rows"] is None else f"{row['estimated_rows']:,}"
    cells = [shown(_name(row)), shown(row["kind"]), shown(rows), shown(row["column_count"])]
    return cells + ([shown(row["error"], "red")] if problems else [])


def columns_as_table(rows: Sequence[dict[str, Any]]) -> Table:
    """One line for each column of each table."""
    titles = [Column("TABLE", folds="name"), Column("COLUMN", folds="name"), Column("TYPE", folds="name"),
              Column("DUCKDB", folds="sentence")]  # fmt: skip
    return screen.table(titles, (cells for row in rows for cells in _column_cells(row)))


def _column_cells(row: dict[str, Any]) -> Iterator[list[Text]]:
    for number, column in enumerate(row["columns"]):
        table = _name(row) if number == 0 else ""
        yield [
            shown(table),
            shown(column["pg_name"]),
            shown(column["pg_type"]),
            shown(column["duckdb_type"], "dim"),
        ]


def _name(row: dict[str, Any]) -> str:
    """As it is called here, with its schema if that is not main."""
    name = str(row["pg_name"] or row["table_name"])
    return name if row["schema_name"] == "main" else f"{row['schema_name']}.{name}"


# --- Rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """Column names, their types' oids, and the first rows as PostgreSQL writes them; None is null."""

    names: list[str]
    oids: list[int]
    rows: list[list[str | None]]


def read(connection: Connection, relation: sql.Composable, limit: int) -> Sample:
    """The first rows of a relation."""
    query = sql.SQL("SELECT * FROM {} LIMIT {}").format(relation, sql.Literal(limit))
    with connection.cursor() as cursor:
        cursor.execute(query)
        result = cursor.pgresult
        assert result is not None  # noqa: S101 - a SELECT has one
        width = range(result.nfields)
        names = [(result.fname(n) or b"").decode() for n in width]
        values = [[result.get_value(row, n) for n in width] for row in range(result.ntuples)]
        rows = [[None if value is None else value.decode() for value in row] for row in values]
        return Sample(names, [result.ftype(n) for n in width], rows)


def write_json(connection: Connection, relation: sql.Composable, limit: int) -> None:
    """An array with an object a line, made by PostgreSQL: every number is exact."""
    query = sql.SQL("SELECT row_to_json(t)::text FROM (SELECT * FROM {} LIMIT {}) AS t")
    rows = connection.execute(query.format(relation, sql.Literal(limit))).fetchall()
    lines = ",\n  ".join(row[0] for row in rows)
    sys.stdout.write(f"[\n  {lines}\n]\n" if rows else "[]\n")


def write_csv(connection: Connection, relation: sql.Composable, limit: int) -> None:
    """CSV with a line of names, made by PostgreSQL."""
    command = sql.SQL("COPY (SELECT * FROM {} LIMIT {}) TO STDOUT (FORMAT csv, HEADER)")
    with connection.cursor().copy(command.format(relation, sql.Literal(limit))) as lines:
        for line in lines:
            sys.stdout.write(bytes(line).decode())


@contextmanager
def visible(
    connection: Connection, session_id: str, table: str, schema: str = "main"
) -> Iterator[sql.Composable]:
    """A relation that shows a session's table while the block runs: of its attached schema, else made for it.

    What is made is a schema within a transaction that is rolled back: nobody else ever sees it.
    """
    name = _find(connection, session_id, table, schema)
    attached = _attached(connection, session_id, name) if schema == "main" else None
    if attached is not None:
        yield attached
        return
    temporary = sql.Identifier(f"rvbbit_fdw_sample_{connection.info.backend_pid}")
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL client_min_messages = warning")
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(temporary))
        connection.execute(
            sql.SQL(
                "IMPORT FOREIGN SCHEMA {} LIMIT TO ({}) FROM SERVER {} INTO {}"
                " OPTIONS (session {}, import_comments 'false', import_not_null 'false')"
            ).format(
                sql.Identifier(schema),
                sql.Identifier(name),
                _server(connection),
                temporary,
                sql.Literal(session_id),
            )
        )
        yield sql.SQL("{}.{}").format(temporary, sql.Identifier(name))


def _find(connection: Connection, session_id: str, table: str, schema: str) -> str:
    """The name that the table has here; it may be asked for by that of the session too."""
    require_readable(connection, session_id)
    query = """SELECT table_name, pg_name, error FROM public.rvbbit_tables
               WHERE session_id = %s AND schema_name = %s"""
    rows = connection.execute(query, [session_id, schema]).fetchall()
    for remote, name, error in rows:
        if table in (remote, name):
            if error:
                message = f'table "{table}" of session "{session_id}" cannot be read: {error}'
                raise Failure(message, code=REFUSED)
            return str(name)
    near = difflib.get_close_matches(table, [row[0] for row in rows], n=3, cutoff=0.5)
    meant = " or ".join(f'"{name}"' for name in near)
    raise Failure(
        f'session "{session_id}" has no table "{table}"'
        + (f' in its schema "{schema}"' if schema != "main" else ""),
        code=UNKNOWN,
        hint=f"Did you mean {meant}?" if near else f"rvbbit-fdw tables '{session_id}' shows what it has.",
    )


def _attached(connection: Connection, session_id: str, name: str) -> sql.Composable | None:
    """The table of the attached schema, foreign or ordinary, if it is there under this name."""
    query = """
        SELECT n.nspname FROM public._rvbbit_sessions AS s
        JOIN pg_namespace AS n ON n.nspname = s.schema_name
        JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = %s AND c.relkind IN ('f', 'p')
        WHERE s.session_id = %s AND has_table_privilege(c.oid, 'SELECT')"""
    row = connection.execute(query, [name, session_id]).fetchone()
    return None if row is None else sql.SQL("{}.{}").format(sql.Identifier(row[0]), sql.Identifier(name))
