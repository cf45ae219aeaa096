"""FETCH FIRST ... WITH TIES."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import query as queries
from rvbbit_fdw.pushdown.nodes import Node
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import comma

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level


def clause(level: Level) -> str:
    """The rows by their places in the order: up to the last that is wanted, and all that are its equals."""
    query = level.query
    if query.distinct or query.set_operation is not None:
        raise Local("FETCH FIRST ... WITH TIES of distinct rows or of a set operation")
    values = [level.target(target) for target in level.delivered]
    if any(isinstance(value, Written) and value.fallible for value in values):
        # DuckDB computes them of the rows that are left, PostgreSQL of all.
        raise Local("FETCH FIRST ... WITH TIES of what can fail")
    count = _number(level, query.limit)
    skipped = _number(level, query.offset) or "0"
    order = comma(level.sort_key(group) for group in query.sort)
    beyond = f"row_number() OVER (ORDER BY {order}) > {skipped}"
    if count is None:
        return f"QUALIFY {beyond}"
    return f"QUALIFY {count} > 0 AND {beyond} AND rank() OVER (ORDER BY {order}) <= {skipped} + {count}"


def _number(level: Level, node: Node | None) -> str | None:
    return None if node is None else queries.count_of_rows(level, node)
