"""FROM: the relations of a query and their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import delivery
from rvbbit_fdw.pushdown.query_nodes import (
    FromItem,
    Join,
    Reference,
    TableRelation,
    Variable,
)
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.sqltext import Sql, comma, qualified, quote

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.delivery import Value
    from rvbbit_fdw.pushdown.query import Level


class Sources:
    """The relations of one level."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._aliases: dict[int, str] = {}

    def variable(self, variable: Variable) -> Value:
        """A column of a relation here or further out."""
        level: Level | None = self._level
        for _ in range(variable.level):
            level = None if level is None else level.outer
        if level is None:
            raise Local("a reference to an outer query")
        return level.sources._column(variable.relation, variable.number)

    def clause(self) -> str:
        """FROM with all relations; nothing if there are none."""
        items = [self._item(item) for item in self._level.query.sources]
        return f"FROM {comma(items)}" if items else ""

    def _alias(self, relation: int) -> str:
        if relation not in self._aliases:
            name = self._level.query.relations[relation].alias
            self._aliases[relation] = self._level.context.unique(name)
        return self._aliases[relation]

    def _column(self, relation: int, number: int) -> Value:
        found = self._level.query.relations[relation]
        alias = self._alias(relation)
        if isinstance(found, TableRelation):
            attribute = found.table.attributes[number]
            return delivery.of_attribute(attribute, qualified(alias, attribute.remote_name))
        raise Local("a column of a relation that is no table")

    def _item(self, item: FromItem) -> Sql:
        if isinstance(item, Join):
            raise Local("a join")
        return self._relation(item)

    def _relation(self, reference: Reference) -> Sql:
        found = self._level.query.relations[reference.relation]
        alias = quote(self._alias(reference.relation))
        if isinstance(found, TableRelation):
            table = found.table
            database = self._level.context.database(table)
            return Sql(f"{qualified(database, table.remote_schema, table.remote_name)} AS {alias}")
        raise Local("a relation that is no table")
