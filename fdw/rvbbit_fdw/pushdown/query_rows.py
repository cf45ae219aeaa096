"""`(a, b) IN (SELECT ...)` and NOT IN, as conditions of a WHERE, of which only the truth counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import kinds, skipping
from rvbbit_fdw.pushdown.delivery import check_outer, rename
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED
from rvbbit_fdw.pushdown.nodes import Bool, Call, Column, Node, everything
from rvbbit_fdw.pushdown.query_nodes import (
    Query,
    Subquery,
    SubqueryColumn,
    Variable,
    WithRelation,
    everywhere,
)
from rvbbit_fdw.pushdown.query_sublinks import comparison_of
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.selected import Selected
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, qualified, quote

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level

_SEVERAL = "a comparison of several columns with a subquery"


def test(node: Node, level: Level) -> Written | None:
    """The condition, if it is one of these; None if it is another one."""
    negated = isinstance(node, Bool) and node.kind == "not"
    leaf = _subquery(node.arguments[0] if isinstance(node, Bool) and negated else node, level)
    if leaf is None or not isinstance(leaf.test, Bool):
        return None
    rows = _Rows(leaf, leaf.test, level)
    return Written(rows.none_matches() if negated else rows.some_matches(), kinds.BOOL)


def _subquery(node: Node, level: Level) -> Subquery | None:
    leaf = level.query.leaves[node.number] if isinstance(node, Column) else None
    return leaf if isinstance(leaf, Subquery) and leaf.kind == "any" else None


class _Rows:
    """The rows of the subquery beside one of the query around it."""

    def __init__(self, leaf: Subquery, test: Bool, level: Level) -> None:
        self._leaf, self._level = leaf, level
        self._selected = level.subquery(leaf.query)
        self._alias = level.context.unique("list")
        self._pairs = [_pair(call, self._selected, self._alias, level) for call in test.arguments]
        tests = [equal for _, _, equal in self._pairs]
        if test.kind != "and" or any(each.fallible for each in tests):
            raise Local(_SEVERAL)
        if not any(_is_of_rows(call, level) for call in test.arguments):
            raise Local("a comparison of several constants with a subquery")
        self._equal = " AND ".join(each.sql for each in tests)

    def some_matches(self) -> Sql:
        """IN."""
        return Sql(self._exists(self._equal))

    def none_matches(self) -> Sql:
        """NOT IN: true if no row is equal, nor would be with other values for what is null.

        DuckDB compares all rows with all others where nulls are to be looked at, so those that have none are
        kept apart.
        """
        if _is_open(self._leaf.query) or len(self._selected.sql) > LONGEST_REPEATED:
            raise Local("NOT IN of several columns and a subquery that may not be computed more than once")
        mine = self._nulls([one.sql for one, _, _ in self._pairs])
        others = self._nulls([other.sql for _, other, _ in self._pairs])
        open_ = self._hidden(f"({self._equal}) IS NOT FALSE")
        tests = (self._equal, f"{others} AND {open_}", f"{mine} AND {open_}")
        for _ in tests:
            self._level.context.add_correlated()
        return Sql(" AND ".join(f"NOT {self._exists(each)}" for each in tests))

    def _exists(self, where: str) -> str:
        return f"EXISTS (SELECT 1 FROM ({self._selected.sql}) AS {quote(self._alias)} WHERE {where})"

    def _nulls(self, values: list[Sql]) -> Sql:
        return self._hidden(" OR ".join(f"{each} IS NULL" for each in values))

    def _hidden(self, test: str) -> Sql:
        return skipping.hidden(Written(Sql(test), kinds.BOOL), self._level.scope).sql


def _pair(call: Node, selected: Selected, alias: str, level: Level) -> tuple[Written, Written, Written]:
    """An expression, the column of the subquery that it is compared with, and the comparison."""
    column = call.arguments[1] if isinstance(call, Call) and len(call.arguments) == 2 else None
    leaf = level.query.leaves[column.number] if isinstance(column, Column) else None
    if not isinstance(call, Call) or not isinstance(leaf, SubqueryColumn):
        raise Local(_SEVERAL)
    operator, comparison, entry = comparison_of(call)
    check_collation(entry.collation, call.collation, level.scope)
    name, value = selected.columns[leaf.number - 1]
    element = rename(value, qualified(alias, name))
    if operator != "=" or not isinstance(element, Written):
        raise Local(_SEVERAL)
    _check_computed(call.arguments[0], level)
    mine = level.expression(call.arguments[0])
    return mine, element, comparison.compare("=", mine, element)


def _check_computed(node: Node, level: Level) -> None:
    """Local if an expression that is written into a subquery computes what DuckDB might compute of equals."""
    for each in everything(node):
        if isinstance(each, Column) and each is not node:
            check_outer(level.leaves.value(level.query.leaves[each.number]))


def _is_of_rows(call: Node, level: Level) -> bool:
    """Is a column of a relation in it? Else DuckDB finds out once and for all whether there is such a row."""
    leaves = (level.query.leaves[each.number] for each in everything(call) if isinstance(each, Column))
    return any(isinstance(leaf, Variable) and not leaf.level for leaf in leaves)


def _is_open(query: Query) -> bool:
    """May the query have other rows when it is computed once more?

    A WITH query around it is not known here, and is taken for one that may.
    """
    return any(
        each.limit is not None
        or each.offset is not None
        or each.distinct_on
        or each.windows
        or any(isinstance(relation, WithRelation) for relation in each.relations)
        for each in everywhere(query)
    )
