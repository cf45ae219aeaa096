"""docs/reference.md, made from what a server says of itself and from the table of options."""

# The lines are those of the page.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from rvbbit_fdw.options import IMPORT, OPTIONS

_INTRODUCTION = """\
# Reference

<!-- Made from the comments of a running server and from the table of options by "make docs"; a test compares the two. -->

What the server offers in SQL. In DBeaver and psql the same texts stand as comments beside the objects.
"""

_ROUTINES = """
    SELECT p.oid::regproc::text, pg_get_function_arguments(p.oid),
           CASE p.prokind WHEN 'p' THEN '' ELSE pg_get_function_result(p.oid) END, obj_description(p.oid, 'pg_proc'),
           CASE WHEN has_function_privilege('public', p.oid, 'EXECUTE') THEN 'everybody'
                WHEN has_function_privilege('rvbbit_reader', p.oid, 'EXECUTE') THEN 'rvbbit_reader'
                WHEN has_function_privilege('rvbbit_operator', p.oid, 'EXECUTE') THEN 'rvbbit_operator'
                ELSE 'superusers' END,
           p.prokind = 'p'
    FROM pg_proc AS p
    WHERE (p.pronamespace = 'rvbbit'::regnamespace
           OR p.pronamespace = 'public'::regnamespace AND p.proname ~ '^rvbbit')
      AND p.proname !~ '^_' AND p.prorettype NOT IN ('fdw_handler'::regtype, 'event_trigger'::regtype)
      AND obj_description(p.oid, 'pg_proc') !~ '^internal' AND p.proname !~ 'validator$'
    ORDER BY p.pronamespace = 'rvbbit'::regnamespace, 1"""

_RELATIONS = """
    SELECT c.oid, c.oid::regclass::text, obj_description(c.oid, 'pg_class'),
           CASE WHEN has_table_privilege('public', c.oid, 'SELECT') THEN 'everybody' ELSE 'rvbbit_reader' END
    FROM pg_class AS c
    WHERE c.relkind IN ('r', 'v', 'f', 'p')
      AND (c.relnamespace = 'rvbbit'::regnamespace AND c.relname !~ '^_'
           OR c.relnamespace = 'public'::regnamespace AND c.relname ~ '^_?rvbbit')
      AND has_table_privilege('rvbbit_reader', c.oid, 'SELECT')
    ORDER BY c.relnamespace = 'rvbbit'::regnamespace, c.relkind <> 'f', c.relname"""

_COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), col_description(attrelid, attnum)
    FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""

_SETTINGS = """
    SELECT name, boot_val || COALESCE(unit, ''), context, short_desc, extra_desc
    FROM pg_settings WHERE name LIKE 'rvbbit.%' ORDER BY name"""

_WHO = {
    "user": "everybody, at any time",
    "superuser-backend": "superusers, for connections that begin afterwards",
    "sighup": "superusers, by ALTER SYSTEM and pg_reload_conf()",
    "internal": "nobody",
}

_ROLES = """
    SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname ~ '^rvbbit' ORDER BY rolname"""

_CONTEXTS = {
    "server": ("of the server", "ALTER SERVER rvbbit OPTIONS (...)"),
    "table": ("of a foreign table", "ALTER FOREIGN TABLE ... OPTIONS (...)"),
    "column": ("of a column of a foreign table", "ALTER FOREIGN TABLE ... ALTER COLUMN ... OPTIONS (...)"),
    IMPORT: ("of IMPORT FOREIGN SCHEMA", "IMPORT FOREIGN SCHEMA ... OPTIONS (...)"),
}


def page(db: psycopg.Connection) -> str:
    """The page; RuntimeError names what has no comment."""
    parts = [_INTRODUCTION, *_routines(db), *_relations(db), *_settings(db), *_options(), *_roles(db)]
    return "\n".join(parts)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _commented(what: str, comment: Any) -> str:
    if not comment:
        message = f"{what} has no comment"
        raise RuntimeError(message)
    return str(comment)


def _routines(db: psycopg.Connection) -> Iterator[str]:
    yield "## Functions and procedures\n"
    rows = []
    for name, arguments, result, comment, who, is_procedure in db.execute(_ROUTINES):
        shown = re.sub(r"::\w+|\bIN ", "", arguments).replace(" DEFAULT ", " = ")
        call = f"{'CALL ' if is_procedure else ''}{name}({shown})"
        rows.append([f"`{call}`", f"`{result}`" if result else "", who, _commented(name, comment)])
    yield from _table(["call", "answers", "who may", ""], rows)


def _relations(db: psycopg.Connection) -> Iterator[str]:
    yield "## Lists and views\n"
    yield (
        "Conditions on `session_id` (`=`, `IN`, `LIKE 'x%'`) and `modified_at` spare the files that they rule out;"
        " columns that are not asked for cost nothing.\n"
    )
    for oid, name, comment, who in db.execute(_RELATIONS).fetchall():
        yield f"### {name}\n"
        yield f"{_sentence(_commented(name, comment))} May be read by: {who}.\n"
        columns = db.execute(_COLUMNS, [oid]).fetchall()
        yield from _table(
            ["column", "type", ""],
            [[f"`{column}`", kind, _commented(f"{name}.{column}", text)] for column, kind, text in columns],
        )


def _settings(db: psycopg.Connection) -> Iterator[str]:
    yield "## Settings\n"
    yield (
        "`SHOW`, `SET`, `ALTER ROLE ... SET`, `ALTER SYSTEM SET`, or `-c name=value` after the image's name. The view"
        " `rvbbit.settings` shows what holds.\nThe image derives `rvbbit.memory_limit` and `rvbbit.process_limit` from"
        " the container's memory ([sizing](operations.md#sizing)).\n"
    )
    rows = [
        [f"`{name}`", f"`{default}`", _WHO[context], " ".join(filter(None, [short, extra]))]
        for name, default, context, short, extra in db.execute(_SETTINGS)
    ]
    yield from _table(["setting", "default", "who may change it", ""], rows)


def _options() -> Iterator[str]:
    yield "## Options\n"
    for context, (title, command) in _CONTEXTS.items():
        yield f"### Options {title}\n"
        yield f"`{command}`. Those marked * may be set by superusers only.\n"
        rows = [
            [f"`{option.name}`{' *' if option.privileged else ''}", option.doc]
            for option in OPTIONS
            if option.context == context
        ]
        yield from _table(["option", ""], rows)


def _roles(db: psycopg.Connection) -> Iterator[str]:
    yield "## Roles\n"
    rows = [[f"`{name}`", _commented(name, comment)] for name, comment in db.execute(_ROLES)]
    yield from _table(["role", ""], rows)


def _sentence(text: str) -> str:
    first = text[0] if text.startswith("rvbbit") else text[0].upper()
    return f"{first}{text[1:].rstrip('.')}."
