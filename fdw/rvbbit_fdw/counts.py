"""Whether the answer of a text that a session stores hangs on how many rows DuckDB thinks there are.

DuckDB 2.0.0 takes the rows of an outer join, of which the statistics of a file say that one side is empty,
for none. By that number it leaves out a LIMIT, decides an uncorrelated EXISTS, and takes sums for small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

_Node: TypeAlias = "Mapping[str, Any]"

_OUTER = frozenset({"LEFT", "RIGHT", "FULL"})
_SUMS = frozenset({"sum", "avg", "mean"})


def has_outer_join(statement: object) -> bool:
    """Whether a text, as json_serialize_sql() parses it, has an outer join anywhere."""
    return any(node.get("type") == "JOIN" and node.get("join_type") in _OUTER for node in _nodes(statement))


def hangs_on_count(statement: object) -> bool:
    """Whether it has anything anywhere for which DuckDB looks at the number of rows."""
    return any(map(_looks, _nodes(statement)))


def _looks(node: _Node) -> bool:
    form = str(node.get("type"))
    if form == "FUNCTION":
        return str((node.get("qualified_name", {}).get("path") or [""])[-1]).lower() in _SUMS
    return "LIMIT" in form or (form == "SUBQUERY" and "EXISTS" in str(node.get("subquery_type")))


def _nodes(tree: object) -> Iterator[_Node]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            yield node
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
