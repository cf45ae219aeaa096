"""The tree of a client such as DBeaver, as text: schemas, folders by kind, relations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import psycopg

Tree: TypeAlias = dict[str, "Tree"]

# The folders of DBeaver, in its order.
FOLDERS = {"p": "Tables", "r": "Tables", "f": "Foreign Tables", "v": "Views"}

_RELATIONS = """
    SELECT n.nspname, c.relkind::text, c.relname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (%s) AND c.relkind = ANY (%s)
    ORDER BY n.nspname, array_position(%s, c.relkind::text), c.relname"""
_SCHEMAS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1"""


def picture(db: psycopg.Connection, opened: Iterable[str]) -> str:
    """What a person sees who opens these schemas; the other schemas are only counted."""
    shown = list(opened)
    tree: Tree = {}
    for schema, kind, name in db.execute(_RELATIONS, [shown, list(FOLDERS), list(FOLDERS)]):
        tree.setdefault(schema, {}).setdefault(FOLDERS[kind], {})[name] = {}
    others = [name for (name,) in db.execute(_SCHEMAS) if name not in shown]
    ordered: Tree = {schema: tree[schema] for schema in shown[:-1]}
    ordered[f"... {len(others)} more: {', '.join(others[:3])}, ..."] = {}
    ordered[shown[-1]] = tree[shown[-1]]
    return "\n".join(["rvbbit", *_lines({"Schemas": ordered}, "")])


def _lines(tree: Tree, indent: str) -> Iterator[str]:
    for number, (name, children) in enumerate(tree.items(), 1):
        is_last = number == len(tree)
        yield f"{indent}{'└─' if is_last else '├─'} {name}"
        yield from _lines(children, indent + ("   " if is_last else "│  "))
