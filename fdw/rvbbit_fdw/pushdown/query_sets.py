"""UNION, INTERSECT and EXCEPT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.conditional import unify
from rvbbit_fdw.pushdown.delivery import Carried, Value, check_grouped
from rvbbit_fdw.pushdown.entry import Collation
from rvbbit_fdw.pushdown.query_nodes import Query, Reference, SetOperation, SubqueryRelation, Target
from rvbbit_fdw.pushdown.reasons import Local, type_words
from rvbbit_fdw.pushdown.selected import Selected
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, comma, qualified, quote

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level

_WORDS = {"union": "UNION", "intersect": "INTERSECT", "except": "EXCEPT"}
_INTEGERS = ("pg_catalog.int2", "pg_catalog.int4", "pg_catalog.int8", kinds.NUMERIC)


def combine(level: Level) -> Selected:
    """All operands of the level's set operation as one query."""
    operation = level.query.set_operation
    if operation is None:
        raise Local("no set operation")
    operands = _operands(level, operation)
    targets = [target for target in level.query.targets if not target.junk]
    columns = [_column(target, position, operands) for position, target in enumerate(targets)]
    if not all(_is_plain(each) for each in _operations(operation)):
        for target, value in zip(targets, columns, strict=True):
            _check_distinct(level, target, value)
    names = [name for name, _ in next(iter(operands.values())).columns]
    sqls = {number: _operand(level, operand, columns) for number, operand in operands.items()}
    return Selected(_written(operation, sqls), tuple(zip(names, columns, strict=True)), positional=True)


def _operands(level: Level, operation: SetOperation) -> dict[int, Selected]:
    """The operands; DuckDB may leave some uncomputed where another is empty, so none of those may fail."""
    others, level.context.fallible = level.context.fallible, False
    operands = {number: level.subquery(query) for number, query in _leaves(level, operation)}
    if level.context.fallible and any(each.kind != "union" for each in _operations(operation)):
        raise Local("an intersection or difference of what can fail")
    level.context.fallible |= others
    return operands


def _is_plain(operation: SetOperation) -> bool:
    return operation.kind == "union" and operation.all


def _operations(node: Reference | SetOperation) -> list[SetOperation]:
    if isinstance(node, Reference):
        return []
    return [node, *_operations(node.left), *_operations(node.right)]


def _leaves(level: Level, node: Reference | SetOperation) -> list[tuple[int, Query]]:
    if isinstance(node, SetOperation):
        return [*_leaves(level, node.left), *_leaves(level, node.right)]
    relation = level.query.relations[node.relation]
    if not isinstance(relation, SubqueryRelation):
        raise Local("an operand that is no query")
    return [(node.relation, relation.query)]


def _column(target: Target, position: int, operands: dict[int, Selected]) -> Value:
    """What all operands deliver in one place."""
    values = [operand.columns[position][1] for operand in operands.values()]
    carried = [value for value in values if isinstance(value, Carried)]
    if carried:
        if len(carried) < len(values) or len({value.decoder for value in carried}) > 1:
            raise Local(carried[0].reason)
        return carried[0]
    promoted = [_promoted(value, target.type) for value in values if isinstance(value, Written)]
    _, kind, same = unify(promoted)
    return Written(Sql(""), kind, same_scale=same)


def _promoted(value: Written, type_name: str) -> Written:
    """An integer as a wider one, as PostgreSQL makes the operands' types the same."""
    given = value.kind.type
    if given == type_name or {given, type_name} == {"pg_catalog.text", "pg_catalog.varchar"}:
        return value
    if given in _INTEGERS and type_name in _INTEGERS and _INTEGERS.index(given) < _INTEGERS.index(type_name):
        kind = kinds.decimal(19, 0) if type_name == kinds.NUMERIC else kinds.FIXED[type_name]
        return Written(value.sql, kind)
    reason = f"a set operation makes {type_words(given)} {type_words(type_name)}"
    raise Local(reason)


def _check_distinct(level: Level, target: Target, value: Value) -> None:
    if check_grouped(value).kind.duckdb == "VARCHAR":
        check_collation(Collation.EQUALITY, target.collation, level.scope)


def _operand(level: Level, operand: Selected, columns: Sequence[Value]) -> Sql:
    """The operand with its columns in the carriers that all operands have."""
    alias = level.context.unique("part")
    items = [
        _cast(qualified(alias, name), mine, common)
        for (name, mine), common in zip(operand.columns, columns, strict=True)
    ]
    if all(item == qualified(alias, name) for item, (name, _) in zip(items, operand.columns, strict=True)):
        return operand.sql
    return Sql(f"SELECT {comma(items)} FROM ({operand.sql}) AS {quote(alias)}")


def _cast(reference: Sql, mine: Value, common: Value) -> Sql:
    if isinstance(mine, Carried) or isinstance(common, Carried) or mine.kind.duckdb == common.kind.duckdb:
        return reference
    return Sql(f"CAST({reference} AS {common.kind.duckdb})")


def _written(node: Reference | SetOperation, sqls: dict[int, Sql]) -> Sql:
    if isinstance(node, Reference):
        return Sql(f"({sqls[node.relation]})")
    word = _WORDS.get(node.kind)
    if word is None:
        raise Local("a set operation of this kind")
    left, right = _written(node.left, sqls), _written(node.right, sqls)
    return Sql(f"({left} {word}{' ALL' if node.all else ''} {right})")
