"""Names that relations of a query may not have.

In a correlated subquery DuckDB takes "x"."id" for the field id of a column x of the subquery's own relations,
if there is one, and only then for a column of an outer relation x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from rvbbit_fdw.pushdown.query_nodes import (
    NoRelation,
    Query,
    Relation,
    Subquery,
    SubqueryRelation,
    TableRelation,
    Variable,
)
from rvbbit_fdw.request import Table

Columns = Callable[[Table], Iterable[str]]
"""The columns that a session's table has besides those that are declared."""


def reserved(query: Query, columns: Columns) -> set[str]:
    """The names of all columns anywhere in a query, if a part of it refers to a relation further out."""
    queries = list(_everything(query))
    if not any(isinstance(leaf, Variable) and leaf.level for each in queries for leaf in each.leaves):
        return set()
    return {name.casefold() for each in queries for name in _names(each, columns)}


def _everything(query: Query) -> Iterator[Query]:
    """The query and all queries in it."""
    yield query
    inner = [each.query for each in query.relations if isinstance(each, SubqueryRelation)]
    inner += [each.query for each in query.withs]
    inner += [each.query for each in query.leaves if isinstance(each, Subquery)]
    for each in inner:
        yield from _everything(each)


def _names(query: Query, columns: Columns) -> Iterator[str]:
    yield from (target.name for target in query.targets)
    for relation in query.relations:
        yield from _columns(relation, columns)


def _columns(relation: Relation, columns: Columns) -> Iterator[str]:
    if not isinstance(relation, NoRelation):
        yield from relation.names
    if isinstance(relation, TableRelation):
        yield from (each.remote_name for each in relation.table.attributes.values())
        yield from columns(relation.table)
