"""WITH RECURSIVE.

Both engines compute all rows of a step from those of the step before, until there are none. But PostgreSQL
stops as soon as nobody wants more rows, and DuckDB does not: a query that goes on for ever may have an end in
PostgreSQL where it has a LIMIT, or is asked only whether there is a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown.delivery import Carried, Value, bounded, check_grouped
from rvbbit_fdw.pushdown.entry import Collation
from rvbbit_fdw.pushdown.query_nodes import (
    Query,
    Reference,
    SetOperation,
    Subquery,
    SubqueryRelation,
    With,
    everywhere,
)
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.selected import Selected
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.sqltext import Sql

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level

_Begin = Callable[[str, str, Selected], None]


def make(level: Level, found: With, begin: _Begin) -> tuple[str, Selected]:
    """The query under its name here; `begin` is told of it once its columns are known."""
    if may_stop_early(level.outermost.query):
        raise Local("a recursive WITH query of which not all rows may be wanted")
    level.context.grows = True
    inner = level.inside(found.query)
    operation = found.query.set_operation
    if operation is None or operation.kind != "union":
        raise Local("a recursive WITH query that is no union of two")
    first = inner.subquery(_operand(found.query, operation.left))
    name = level.context.unique(found.name)
    columns = tuple((name, bounded(value, None)) for name, value in first.columns)
    begin(found.name, name, Selected(Sql(""), columns))
    further = inner.subquery(_operand(found.query, operation.right))
    _check_columns(inner, operation, [value for _, value in columns], [v for _, v in further.columns])
    word = "UNION ALL" if operation.all else "UNION"
    return name, Selected(Sql(f"({first.sql}) {word} ({further.sql})"), columns)


def _operand(query: Query, operand: Reference | SetOperation) -> Query:
    relation = query.relations[operand.relation] if isinstance(operand, Reference) else None
    if not isinstance(relation, SubqueryRelation):
        raise Local("a recursive WITH query that is no union of two")
    return relation.query


def _check_columns(
    level: Level, operation: SetOperation, first: Sequence[Value], further: Sequence[Value]
) -> None:
    for target, one, other in zip(level.query.delivered, first, further, strict=True):
        if isinstance(one, Carried) or isinstance(other, Carried):
            raise Local("a recursive WITH query of values that only pass through")
        if one.kind.duckdb != other.kind.duckdb or not (one.same_scale and other.same_scale):
            raise Local("a recursive WITH query whose columns change their type in DuckDB")
        if not operation.all and check_grouped(one).kind.duckdb == "VARCHAR":
            check_collation(Collation.EQUALITY, target.collation, level.scope)


def may_stop_early(query: Query) -> bool:
    """Is there a LIMIT, or a subquery in an expression, anywhere in the query?"""
    return any(
        each.limit is not None or any(isinstance(leaf, Subquery) for leaf in each.leaves)
        for each in everywhere(query)
    )
