"""Expressions by which DuckDB 2.0.0 would skip rows that it must not skip.

In files that DuckDB 1.4 wrote, the least and the greatest value that are kept for each piece of a column do
not tell that there are NULLs. DuckDB 2.0.0 takes a condition on that column for false in the whole piece if
no value between them meets it: `coalesce(a, -1) = -1` and `a + 1 IS NULL` lose the rows in which `a` is NULL.
It also finds such conditions by itself, by way of joins and subqueries. So whatever tells NULL from values is
written with a CASE, through which DuckDB does not see; what gives NULL for NULL helps it to skip data.
"""

from __future__ import annotations

import re
from dataclasses import replace

from rvbbit_fdw.pushdown.logic import truth
from rvbbit_fdw.pushdown.nodes import Call, Column, Constant, Distinct, Node, NullTest, Parameter
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.sqltext import Sql

_NOT_STRICT = ("pg_catalog.concat(", "pg_catalog.concat_ws(")
_REFERENCE = re.compile(r'(?:"(?:[^"]|"")*"\.)*"(?:[^"]|"")*"')


def inside(node: Node, scope: Scope) -> Scope:
    """Where the arguments of an expression stand: columns are hidden in one that tells NULL from values."""
    if scope.unseen or (isinstance(node, Call) and not node.name.startswith(_NOT_STRICT)):
        return scope
    return replace(scope, column=lambda column: _hidden(column, scope), unseen=True, hides=True)


def key(written: Written, scope: Scope) -> Written:
    """An expression that rows are grouped by, from outside of what hides columns."""
    return hide(written) if scope.hides else written


def unseen(scope: Scope) -> Scope:
    """What stands in the tests of a CASE, where DuckDB sees no condition."""
    return replace(scope, unseen=True)


def hidden(test: Written, scope: Scope) -> Written:
    """A test of which the result is never NULL."""
    return test if scope.unseen else truth(f"CASE WHEN {test.sql} THEN true ELSE false END", test)


def is_plain(node: Node, scope: Scope) -> bool:
    """What DuckDB decides rightly: it is not true of NULL, or compares a column as it is stored.

    IS NULL of a column is right by itself, and loses rows beside any other condition on the column.
    """
    match node:
        case NullTest():
            return node.negated
        case Distinct(arguments=(Column() as column, Constant() | Parameter())):
            return _is_stored(column, scope)
        case _:
            return False


def _hidden(column: Column, scope: Scope) -> Written:
    written = scope.column(column)
    return hide(written) if scope.origin(column).of_relation else written


def hide(written: Written) -> Written:
    """The same value, of which DuckDB knows nothing when it plans."""
    return replace(written, sql=Sql(f"CASE WHEN {written.sql} IS NOT NULL THEN {written.sql} END"))


def _is_stored(column: Column, scope: Scope) -> bool:
    if not scope.origin(column).stored:
        return False
    try:
        return _REFERENCE.fullmatch(scope.column(column).sql) is not None
    except Local:
        return False
