"""What EXPLAIN (FORMAT JSON) says was handed to DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fuzz.tree import Query, entries


@dataclass(frozen=True)
class Pushed:
    """DuckDB's statements of a plan, what stayed local with its reason, and why the query is not whole."""

    statements: tuple[str, ...]
    local: tuple[str, ...]
    whole: bool
    not_whole: str = ""

    @property
    def anything(self) -> bool:
        """Does DuckDB do more than give columns?"""
        return self.whole or any(" WHERE " in statement for statement in self.statements)

    def entries(self, query: Query) -> set[str]:
        """The entries of the query's expressions that DuckDB surely computed."""
        if self.whole and not self.local:
            return set(entries(query.body))
        return set(query.filters) if self.anything and not self.local else set()


def pushed(plan: Any) -> Pushed:
    """From the plan's top node."""
    nodes = list(_nodes(plan or {}))
    statements = tuple(str(node["DuckDB SQL"]) for node in nodes if "DuckDB SQL" in node)
    local = tuple(str(text) for node in nodes for text in node.get("Local", []))
    reasons = [str(node["Query Not Whole"]) for node in nodes if "Query Not Whole" in node]
    whole = any(node.get("Node Type") == "Custom Scan" for node in nodes)
    return Pushed(statements, local, whole, "; ".join(dict.fromkeys(reasons)))


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from _nodes(child)
