"""WHERE and ON.

PostgreSQL decides what is about one relation when it reads that, equalities between relations when it joins
them, and the rest of the conditions on the rows that it has then. Where a condition can fail DuckDB's order
is a CASE, through which no join sees an equality; so equalities stand beside it as well. What they give too
early is an error before the first row, and PostgreSQL computes the query.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from rvbbit_fdw.pushdown import logic, query_rows, write
from rvbbit_fdw.pushdown.nodes import Bool, Call, Column, Node, everything
from rvbbit_fdw.pushdown.query_nodes import Leaf, Variable
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level

_Relation: TypeAlias = tuple[int, int]
"""How many levels further out, and which there."""

_SEVERAL = frozenset({(-1, 0), (-1, 1)})
"""What a subquery reads."""


def where(level: Level) -> str:
    """WHERE with all conditions; nothing if there is none."""
    condition = level.query.where
    if condition is None:
        return ""
    nodes = _parts(condition)
    of_rows = [query_rows.test(node, level) for node in nodes]
    others = [node for node, test in zip(nodes, of_rows, strict=True) if test is None]
    written = _conjunction(others, level) if others else None
    tests = [test for test in (written, *of_rows) if test is not None]
    if len(others) < len(nodes) and written is not None and written.fallible:
        raise Local("a condition that can fail beside a comparison of several columns with a subquery")
    level.fallible = any(test.fallible for test in tests)
    level.context.fallible |= level.fallible
    return "WHERE " + " AND ".join(test.sql for test in tests)


def on(condition: Node, level: Level) -> str:
    """The condition of a join."""
    written = _conjunction(_parts(condition), level)
    level.context.fallible |= written.fallible
    return written.sql


def _parts(condition: Node) -> Sequence[Node]:
    return condition.arguments if isinstance(condition, Bool) and condition.kind == "and" else (condition,)


def _conjunction(nodes: Sequence[Node], level: Level) -> Written:
    ordered = sorted(nodes, key=lambda node: len(_relations(node, level)) > 1)
    written = [write.condition(node, level.filter_scope) for node in ordered]
    return logic.both(written, _alone(ordered, written, level))


def _alone(nodes: Sequence[Node], written: Sequence[Written], level: Level) -> list[Written]:
    """Conditions that may come before others: nothing that they read is in one before them that can fail."""
    found: list[Written] = []
    failing: set[_Relation] = set()
    for node, condition in zip(nodes, written, strict=True):
        read = _relations(node, level)
        is_early = not (condition.fallible or failing & (read or failing))
        if is_early or _joins(node, level):
            found.append(condition)
        if condition.fallible:
            failing |= read or _SEVERAL
    return found


def _joins(node: Node, level: Level) -> bool:
    """Is it an equality of what two relations have?"""
    if not isinstance(node, Call) or not node.name.startswith("pg_catalog.=(") or len(node.arguments) != 2:
        return False
    left, right = (_relations(argument, level) for argument in node.arguments)
    return bool(left and right) and not left & right and not _SEVERAL & (left | right)


def _relations(node: Node, level: Level) -> frozenset[_Relation]:
    """The relations that an expression reads."""
    leaves = (level.query.leaves[each.number] for each in everything(node) if isinstance(each, Column))
    return _union(_read(leaf) for leaf in leaves)


def _read(leaf: Leaf) -> frozenset[_Relation]:
    return frozenset({(leaf.level, leaf.relation)}) if isinstance(leaf, Variable) else _SEVERAL


def _union(sets: Iterable[frozenset[_Relation]]) -> frozenset[_Relation]:
    return frozenset[_Relation]().union(*sets)
