"""The host's query trees as frozen dataclasses.

In an expression of a query a `nodes.Column` stands for a *leaf*: its number is the place in the query's list
of leaves, which says what it is: a column of one of several relations, an aggregate, a subquery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rvbbit_fdw.pushdown.nodes import Column, Node
from rvbbit_fdw.request import Table


@dataclass(frozen=True)
class SortGroup:
    """A target, by its reference number, that rows are grouped or sorted by.

    `equality` and `order` are operators; without an order the target can only be hashed.
    """

    ref: int
    equality: str
    order: str | None
    nulls_first: bool


@dataclass(frozen=True)
class Target:
    """An expression that a query, or an aggregate, has. Junk is computed and not delivered."""

    ref: int
    junk: bool
    name: str
    type: str
    typmod: int
    collation: str | None
    expression: Node


@dataclass(frozen=True)
class Variable:
    """A column of a relation of the query `level` queries further out."""

    level: int
    relation: int
    number: int


@dataclass(frozen=True)
class Aggregate:
    """An aggregate call; `type` is its result's."""

    name: str
    type: str
    collation: str | None
    direct: tuple[Node, ...]
    arguments: tuple[Target, ...]
    sort: tuple[SortGroup, ...]
    distinct: tuple[SortGroup, ...]
    filter: Node | None
    variadic: bool


@dataclass(frozen=True)
class WindowCall:
    """A window function, or an aggregate over a window."""

    name: str
    type: str
    collation: str | None
    window: int
    arguments: tuple[Node, ...]
    filter: Node | None


@dataclass(frozen=True)
class Grouping:
    """GROUPING() of targets by their reference numbers."""

    refs: tuple[int, ...]


@dataclass(frozen=True)
class Subquery:
    """A subquery in an expression; `kind` is exists, any, all, scalar, array or other."""

    kind: str
    type: str
    test: Node | None
    query: Query


@dataclass(frozen=True)
class SubqueryColumn:
    """A column of the subquery in whose test it stands, counted from 1."""

    number: int


@dataclass(frozen=True)
class UnknownLeaf:
    """A leaf of a kind that this version does not know."""


Leaf: TypeAlias = "Variable | Aggregate | WindowCall | Grouping | Subquery | SubqueryColumn | UnknownLeaf"


@dataclass(frozen=True)
class TableRelation:
    """A session's table; `names` are its columns' names in the query."""

    alias: str
    names: tuple[str, ...]
    table: Table


@dataclass(frozen=True)
class SubqueryRelation:
    """A subquery in FROM."""

    alias: str
    names: tuple[str, ...]
    query: Query
    lateral: bool = False


@dataclass(frozen=True)
class WithRelation:
    """A reference to a WITH query of the query `level` queries further out."""

    alias: str
    names: tuple[str, ...]
    name: str
    level: int
    is_self: bool


@dataclass(frozen=True)
class ValuesRelation:
    """VALUES in FROM."""

    alias: str
    names: tuple[str, ...]
    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class NoRelation:
    """An entry of the range table that stands for no rows of its own, such as a join."""

    alias: str = ""
    names: tuple[str, ...] = ()


Relation: TypeAlias = "TableRelation | SubqueryRelation | WithRelation | ValuesRelation | NoRelation"


@dataclass(frozen=True)
class Reference:
    """A relation in FROM, by its number."""

    relation: int


@dataclass(frozen=True)
class Join:
    """A join; `kind` is inner, left, right, full or other; no condition is a cross join."""

    kind: str
    left: FromItem
    right: FromItem
    on: Node | None


FromItem: TypeAlias = "Reference | Join"


@dataclass(frozen=True)
class SetOperation:
    """UNION, INTERSECT or EXCEPT (`kind` in lower case) of two of the query's relations or of such."""

    kind: str
    all: bool
    group: tuple[SortGroup, ...]
    left: Reference | SetOperation
    right: Reference | SetOperation


@dataclass(frozen=True)
class GroupingSet:
    """`kind`: empty, simple (`refs`), rollup, cube or sets (`content`)."""

    kind: str
    refs: tuple[int, ...]
    content: tuple[GroupingSet, ...]


@dataclass(frozen=True)
class Window:
    """A window by its number; `frame` has PostgreSQL's bits FRAMEOPTION_*."""

    number: int
    frame: int
    partition: tuple[SortGroup, ...]
    sort: tuple[SortGroup, ...]
    start: Node | None
    end: Node | None


@dataclass(frozen=True)
class With:
    """A WITH query."""

    name: str
    names: tuple[str, ...]
    recursive: bool
    materialized: bool
    search: bool
    query: Query


@dataclass(frozen=True)
class Query:
    """A SELECT."""

    withs: tuple[With, ...] = ()
    relations: tuple[Relation, ...] = ()
    sources: tuple[FromItem, ...] = ()
    where: Node | None = None
    targets: tuple[Target, ...] = ()
    aggregates: bool = False
    group: tuple[SortGroup, ...] = ()
    group_distinct: bool = False
    grouping_sets: tuple[GroupingSet, ...] = ()
    having: Node | None = None
    windows: tuple[Window, ...] = ()
    distinct: tuple[SortGroup, ...] = ()
    distinct_on: bool = False
    sort: tuple[SortGroup, ...] = ()
    limit: Node | None = None
    with_ties: bool = False
    offset: Node | None = None
    set_operation: SetOperation | None = None
    leaves: tuple[Leaf, ...] = ()

    @property
    def delivered(self) -> tuple[Target, ...]:
        """The targets that are columns of the result, in order."""
        return tuple(target for target in self.targets if not target.junk)


def everywhere(query: Query) -> Iterator[Query]:
    """The query and all queries inside."""
    yield query
    for inside in _inside(query):
        yield from everywhere(inside)


def _inside(query: Query) -> Iterator[Query]:
    yield from (each.query for each in query.relations if isinstance(each, SubqueryRelation))
    yield from (each.query for each in query.leaves if isinstance(each, Subquery))
    yield from (each.query for each in query.withs)


def is_correlated(query: Query, depth: int = 0) -> bool:
    """Does it read columns of a query around it?"""
    variables = (leaf for leaf in query.leaves if isinstance(leaf, Variable))
    if any(leaf.level > depth for leaf in variables):
        return True
    return any(is_correlated(each, depth + 1) for each in _inside(query))


def has_outer_join(query: Query) -> bool:
    """Is one of its own joins LEFT, RIGHT or FULL?"""
    return any(_is_outer(item) for item in query.sources)


def _is_outer(item: FromItem) -> bool:
    return isinstance(item, Join) and (item.kind != "inner" or _is_outer(item.left) or _is_outer(item.right))


def is_stored(query: Query, leaf: Leaf, is_computed: Callable[[Table], bool]) -> bool:
    """False for a column that a subquery or a session's view computes, or may compute."""
    if not isinstance(leaf, Variable) or leaf.level:
        return False
    if query.set_operation is not None:
        return False
    relation = query.relations[leaf.relation]
    if isinstance(relation, SubqueryRelation) and relation.query.set_operation is None:
        value, leaves = relation.query.delivered[leaf.number - 1].expression, relation.query.leaves
        return isinstance(value, Column) and is_stored(relation.query, leaves[value.number], is_computed)
    return isinstance(relation, TableRelation) and not is_computed(relation.table)
