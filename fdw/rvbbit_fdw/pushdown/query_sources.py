"""FROM: the relations of a query and their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import delivery, query_conditions, query_sets
from rvbbit_fdw.pushdown.conditional import unify
from rvbbit_fdw.pushdown.query_nodes import (
    FromItem,
    Join,
    Reference,
    SubqueryRelation,
    TableRelation,
    ValuesRelation,
    Variable,
    WithRelation,
)
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.selected import Selected, unique_names
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, comma, qualified, quote

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.delivery import Value
    from rvbbit_fdw.pushdown.query import Level

_JOINS = {"inner": "JOIN", "left": "LEFT JOIN", "right": "RIGHT JOIN", "full": "FULL JOIN"}

_ALL = -1
"""The relation that stands for all operands of a set operation."""


class Sources:
    """The relations of one level."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._aliases: dict[int, str] = {}
        self._selected: dict[int, Selected] = {}
        self._columns: dict[tuple[int, int], Value] = {}

    def variable(self, variable: Variable) -> Value:
        """A column of a relation here or further out."""
        sources = self._level.further_out(variable.level).sources
        key = variable.relation, variable.number
        if key not in sources._columns:
            sources._columns[key] = sources._column(*key)
        return sources._columns[key]

    def take(self, relation: int, selected: Selected) -> None:
        """A relation that is already written."""
        self._selected[relation] = selected

    def clause(self) -> str:
        """FROM with all relations; nothing if there are none."""
        if self._level.query.set_operation is not None:
            return f"FROM {self._bracketed(_ALL)}"
        items = [self._item(item) for item in self._level.query.sources]
        return f"FROM {comma(items)}" if items else ""

    def _alias(self, relation: int) -> str:
        if relation not in self._aliases:
            name = "rows" if relation == _ALL else self._level.query.relations[relation].alias
            self._aliases[relation] = self._level.context.unique(name)
        return self._aliases[relation]

    def _column(self, relation: int, number: int) -> Value:
        if self._level.query.set_operation is not None:
            relation = _ALL
        else:
            found = self._level.query.relations[relation]
            if isinstance(found, TableRelation):
                attribute = found.table.attributes[number]
                name = attribute.remote_name
                reference = qualified(self._alias(relation), name)
                value = delivery.of_attribute(attribute, reference)
                return delivery.bounded(value, self._level.context.largest(found.table).get(name))
        selected, alias = self._select(relation), self._alias(relation)
        name, value = selected.columns[number - 1]
        self._use(relation, name)
        scales = selected.scales.get(name)
        return delivery.rename(value, qualified(alias, name), qualified(alias, scales) if scales else None)

    def _use(self, relation: int, column: str) -> None:
        found = None if relation == _ALL else self._level.query.relations[relation]
        if isinstance(found, WithRelation):
            self._level.further_out(found.level).withs.use(found.name, column)

    def _item(self, item: FromItem) -> Sql:
        if isinstance(item, Reference):
            return self._relation(item.relation)
        left, right = self._item(item.left), self._item(item.right)
        if item.kind == "inner" and item.on is None:
            return Sql(f"({left} CROSS JOIN {right})")
        condition = "true" if item.on is None else query_conditions.on(item.on, self._level)
        return Sql(f"({left} {_join(item)} {right} ON {condition})")

    def _relation(self, relation: int) -> Sql:
        found = self._level.query.relations[relation]
        if isinstance(found, TableRelation):
            if found.table.has_nulls_for_missing:
                raise Local("the session's table may lack columns, which are then null")
            database = self._level.context.database(found.table)
            source = qualified(database, found.table.remote_schema, found.table.remote_name)
            return Sql(f"{source} AS {quote(self._alias(relation))}")
        if isinstance(found, WithRelation):
            return Sql(f"{self._select(relation).sql} AS {quote(self._alias(relation))}")
        return self._bracketed(relation)

    def _bracketed(self, relation: int) -> Sql:
        selected = self._select(relation)
        names = comma(quote(name) for name, _ in selected.columns)
        alias = f"{quote(self._alias(relation))}" + (f"({names})" if selected.positional else "")
        found = None if relation == _ALL else self._level.query.relations[relation]
        lateral = isinstance(found, SubqueryRelation) and found.lateral
        return Sql(f"{'LATERAL ' if lateral else ''}({selected.sql}) AS {alias}")

    def _select(self, relation: int) -> Selected:
        if relation not in self._selected:
            self._selected[relation] = self._make(relation)
        return self._selected[relation]

    def _make(self, relation: int) -> Selected:
        level = self._level
        if relation == _ALL:
            level.context.grows = True
            return query_sets.combine(level)
        found = level.query.relations[relation]
        if isinstance(found, SubqueryRelation):
            return level.subquery(found.query, with_scales=True)
        if isinstance(found, WithRelation):
            return level.further_out(found.level).withs.reference(found)
        if isinstance(found, ValuesRelation):
            return self._values(found)
        raise Local("a relation of this kind is not known to be the same in DuckDB")

    def _values(self, relation: ValuesRelation) -> Selected:
        self._level.context.grows = True
        rows = [[self._level.expression(node) for node in row] for row in relation.rows]
        unified = [unify(column) for column in zip(*rows, strict=True)]
        cells = zip(*(sqls for sqls, _, _ in unified), strict=True)
        listed = comma(Sql(f"({comma(row)})") for row in cells)
        names = unique_names(relation.names)
        values = [Written(Sql(""), kind, same_scale=same) for _, kind, same in unified]
        return Selected(Sql(f"VALUES {listed}"), tuple(zip(names, values, strict=True)), positional=True)


def _join(join: Join) -> str:
    if join.kind not in _JOINS:
        raise Local("a join of this kind is not known to be the same in DuckDB")
    return _JOINS[join.kind]
