"""GROUP BY and HAVING."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import write
from rvbbit_fdw.pushdown.entry import Collation, failure
from rvbbit_fdw.pushdown.nodes import Bool, Column, Constant, Node, Parameter, everything
from rvbbit_fdw.pushdown.query_nodes import Aggregate, Grouping, GroupingSet, SortGroup, Subquery
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.sqltext import Sql, comma

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level


def clause(level: Level) -> str:
    """GROUP BY with all keys and sets; nothing if rows are not grouped."""
    query = level.query
    if not query.group:
        return _sets(level) or ("GROUP BY ()" if query.having is not None and not query.aggregates else "")
    if query.grouping_sets:
        return _sets(level)
    return "GROUP BY " + comma(key(level, group) for group in query.group)


def _sets(level: Level) -> str:
    if level.query.group_distinct:
        raise Local("GROUP BY DISTINCT")
    keys = [level.group_key(group.ref).strip("() ") for group in level.query.group]
    if len(set(keys)) < len(keys):
        # Both would be NULL wherever one of them is.
        raise Local("keys of grouping sets that are written alike in DuckDB")
    if _is_inside_another(keys) and not _is_of_keys(level):
        # What is computed of the one may be written with the other in it: a + 1 is CAST(a AS BIGINT) + 1.
        raise Local("an expression of a key of grouping sets that is part of another key")
    context = level.context
    if level.query.grouping_sets:
        context.add_hash_tables(prod(map(_count, level.query.grouping_sets)) * (1 + context.hash_tables))
    sets = [_set(level, each, outermost=True) for each in level.query.grouping_sets]
    return f"GROUP BY {', '.join(sets)}" if sets else ""


def _count(grouping_set: GroupingSet) -> int:
    """How many sets it stands for."""
    content = grouping_set.content
    if grouping_set.kind == "cube":
        return 1 << len(content)
    if grouping_set.kind == "rollup":
        return len(content) + 1
    return sum(map(_count, content)) if grouping_set.kind == "sets" else 1


def _is_inside_another(keys: Sequence[str]) -> bool:
    return any(one != other and one in other for one in keys for other in keys)


def _is_of_keys(level: Level) -> bool:
    """Is nothing but keys and aggregates computed of the groups?"""
    query = level.query
    refs = {group.ref for group in query.group}
    others = [target.expression for target in query.targets if target.ref not in refs]
    return query.having is None and all(
        isinstance(other, Column) and isinstance(query.leaves[other.number], Aggregate | Grouping)
        for other in others
    )


def _set(level: Level, grouping_set: GroupingSet, *, outermost: bool) -> str:
    if grouping_set.kind == "empty":
        return "()"
    if grouping_set.kind == "simple":
        return f"({comma(level.group_key(ref) for ref in grouping_set.refs)})"
    if not outermost:
        raise Local("grouping sets in grouping sets")
    content = ", ".join(_set(level, each, outermost=False) for each in grouping_set.content)
    word = {"rollup": "ROLLUP", "cube": "CUBE", "sets": "GROUPING SETS"}[grouping_set.kind]
    return f"{word} ({content})"


def key(level: Level, group: SortGroup) -> Sql:
    """What rows are grouped by."""
    check_operator(group.equality, "=")
    target, value = level.keyed(group, Collation.EQUALITY)
    position = level.position(target)
    if not isinstance(target.expression, Constant | Parameter):
        return value.sql
    if position is None or level.query.grouping_sets:
        raise Local("a constant that rows are grouped by")
    return Sql(str(position))


def having(level: Level) -> str:
    """HAVING, once all aggregates of the level are written; nothing if there is none."""
    condition = level.query.having
    if condition is None:
        return ""
    nodes = condition.arguments if isinstance(condition, Bool) and condition.kind == "and" else (condition,)
    # Where nothing is aggregated in it, PostgreSQL moves a condition into WHERE.
    early = [] if level.query.grouping_sets else [node for node in nodes if not _is_of_groups(node, level)]
    late = [node for node in nodes if node not in early]
    written = write.conjunction([*early, *late], level.scope)
    level.context.fallible |= written.fallible
    if not late or not level.leaves.overflows:
        return f"HAVING {written.sql}"
    first = write.conjunction(early, level.scope).sql if early else "true"
    error = failure("value out of range: overflow", "BOOLEAN")
    overflow = " OR ".join(level.leaves.overflows)
    # PostgreSQL adds up all groups before it leaves any out.
    return f"HAVING CASE WHEN ({first}) AND ({overflow}) THEN {error} ELSE {written.sql} END"


def _is_of_groups(node: Node, level: Level) -> bool:
    """Has the condition an aggregate or a subquery in it?"""
    leaves = [level.query.leaves[each.number] for each in everything(node) if isinstance(each, Column)]
    return any(isinstance(leaf, Aggregate | Subquery) for leaf in leaves)


def check_operator(name: str | None, operator: str) -> None:
    """Local if rows are told apart or put in order by another operator than this one."""
    if name is None or not name.startswith(f"pg_catalog.{operator}("):
        raise Local("rows are grouped or sorted by an operator of another kind than = < >")
