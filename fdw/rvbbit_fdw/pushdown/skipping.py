"""Conditions by which DuckDB 2.0.0 would skip rows that it must not skip.

In files that DuckDB 1.4 wrote, the least and the greatest value that are kept for each piece of a column do
not tell that there are NULLs. DuckDB 2.0.0 takes a condition on that column for false in the whole piece if
no value between them meets it: `coalesce(a, -1) = -1` and `a + 1 IS NULL` lose the rows in which `a` is NULL.
So a condition that can hold for a NULL is written such that DuckDB does not see through it; others help it
to skip data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from rvbbit_fdw.pushdown.logic import truth
from rvbbit_fdw.pushdown.nodes import (
    AnyOf,
    Bool,
    Call,
    Column,
    Constant,
    Distinct,
    IoCast,
    Node,
    NullTest,
    Parameter,
    Relabel,
)
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written

_NOT_STRICT = ("pg_catalog.concat(", "pg_catalog.concat_ws(", "pg_catalog.format(")
_REFERENCE = re.compile(r'(?:"(?:[^"]|"")*"\.)*"(?:[^"]|"")*"')


def guarded(node: Node, written: Written, scope: Scope) -> Written:
    """The condition, hidden from DuckDB's skipping if it may hold for a NULL in a column."""
    if _is_strict(node, scope) or _is_plain_test(node, scope) or _joins(node, scope):
        return written
    return truth(f"CASE WHEN {written.sql} THEN true ELSE false END", written)


def _is_strict(node: Node, scope: Scope) -> bool:
    """Surely not true where any of its columns is NULL?"""
    match node:
        case Bool(kind="and" | "or", arguments=arguments):
            return all(_is_strict(each, scope) for each in arguments)
        case AnyOf(scalar=scalar, array=array):
            return _gives_null(scalar, scope) and isinstance(array, Constant | Parameter)
        case NullTest(argument=argument, negated=True):
            return _gives_null(argument, scope)
        case _:
            return _gives_null(node, scope)


def _gives_null(node: Node, scope: Scope) -> bool:
    """Surely NULL where any of its columns is?"""
    match node:
        case Column():
            return scope.origin(node).stored
        case Constant() | Parameter():
            return True
        case Call(name=name, arguments=arguments):
            return not name.startswith(_NOT_STRICT) and all(_gives_null(each, scope) for each in arguments)
        case Bool(kind="not", arguments=arguments):
            return all(_gives_null(each, scope) for each in arguments)
        case Relabel(argument=argument) | IoCast(argument=argument):
            return _gives_null(argument, scope)
        case _:
            return False


def _is_plain_test(node: Node, scope: Scope) -> bool:
    """A test for NULL of a column as it is stored, of which DuckDB knows whether it has NULLs?"""
    match node:
        case NullTest(argument=Column() as column):
            return _is_plain(column, scope)
        case Distinct(arguments=(Column() as column, Constant() | Parameter())):
            return _is_plain(column, scope)
        case _:
            return False


def _is_plain(column: Column, scope: Scope) -> bool:
    try:
        sql = scope.column(column).sql
    except Local:
        return False
    return scope.origin(column).stored and _REFERENCE.fullmatch(sql) is not None


def _joins(node: Node, scope: Scope) -> bool:
    """Columns of several relations: no filter of one column."""
    return len({scope.origin(column).relation for column in _columns(node)}) > 1


def _columns(node: object) -> Iterator[Column]:
    if isinstance(node, Column):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from _columns(item)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _columns(getattr(node, field.name))
