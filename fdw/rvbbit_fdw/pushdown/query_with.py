"""WITH."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import query_recursive
from rvbbit_fdw.pushdown.query_nodes import With, WithRelation
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.selected import Selected
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, comma, quote

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level


class Withs:
    """The WITH queries of one level, in the order in which they are written."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._made: dict[str, tuple[str, Selected]] = {}
        self._used: dict[str, set[str]] = defaultdict(set)
        self._references: Counter[str] = Counter()

    def use(self, name: str, column: str) -> None:
        """A column of a WITH query is read."""
        self._used[name].add(column)

    def clause(self) -> str:
        """WITH and all queries of this level that are used; nothing if there are none."""
        for each in self._level.query.withs:
            self._check_unused(each)
        parts = [
            Sql(f"{quote(name)} AS {self._hint(each)}({selected.sql})")
            for each in self._level.query.withs
            if each.name in self._made
            for name, selected in [self._made[each.name]]
        ]
        word = "WITH RECURSIVE" if any(each.recursive for each in self._level.query.withs) else "WITH"
        return f"{word} {comma(parts)}" if parts else ""

    def _begin(self, name: str, unique: str, selected: Selected) -> None:
        """Let a recursive query refer to itself while it is written."""
        self._made[name] = unique, selected

    def reference(self, relation: WithRelation) -> Selected:
        """The query that a relation refers to, by its name here."""
        found = next((each for each in self._level.query.withs if each.name == relation.name), None)
        if found is None or found.search:
            raise Local("a WITH query with SEARCH or CYCLE")
        self._references[found.name] += 1
        # Read twice, it stands for its tables' rows twice, which are counted once.
        self._level.context.grows |= found.name in self._made
        if found.recursive and found.name not in self._made:
            self._made[found.name] = query_recursive.make(self._level, found, self._begin)
        if found.name not in self._made:
            selected = self._level.subquery(found.query, with_scales=True)
            self._made[found.name] = self._level.context.unique(found.name), selected
        name, selected = self._made[found.name]
        return Selected(quote(name), selected.columns, scales=selected.scales)

    def _check_unused(self, each: With) -> None:
        """PostgreSQL computes all columns of what it does not inline, DuckDB those that are read."""
        inlined = self._references[each.name] == 1 and not (each.materialized or each.recursive)
        columns = () if inlined or each.name not in self._made else self._made[each.name][1].columns
        for name, value in columns:
            if isinstance(value, Written) and value.fallible and name not in self._used[each.name]:
                raise Local("a column of a WITH query that can fail and is not read")

    def _hint(self, each: With) -> str:
        return "MATERIALIZED " if each.materialized else ""
