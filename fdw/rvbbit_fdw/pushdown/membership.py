"""`scalar operator ANY (array)` and ALL, which is also what PostgreSQL makes of IN and NOT IN."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rvbbit_fdw.pushdown import allowed, kinds, literals
from rvbbit_fdw.pushdown.conditional import unify
from rvbbit_fdw.pushdown.entry import Call
from rvbbit_fdw.pushdown.logic import plain, truth
from rvbbit_fdw.pushdown.nodes import AnyOf, ArrayOf, Constant, Node, Other, Parameter, Relabel, Value
from rvbbit_fdw.pushdown.reasons import Local, unknown_call, unknown_type
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.sqltext import Sql, comma

MOST_COMPARED = 200
"""Elements of an array that are compared one by one, because there is no IN for the operator."""

_NULL = Written(Sql("CAST(NULL AS BOOLEAN)"), kinds.BOOL)
_BY_HAND = frozenset({kinds.INTERVAL, kinds.FLOAT4, kinds.FLOAT8})
"""Types with values that are equal and not alike (30 days, -0), which a hash could tell apart."""

_Write = Callable[[Node], Written]


def write(node: AnyOf, scalar: Written, scope: Scope, write_node: _Write) -> Written:
    """The test of the scalar against each element."""
    entry = allowed.TABLE.get(node.name)
    if entry is None or entry.result != kinds.BOOL.type:
        raise unknown_call("operator", node.name)
    check_collation(entry.collation, node.collation, scope)
    array = _without_relabels(node.array)
    if isinstance(array, Parameter) and scope.values is None:
        return _planned(node, scalar, scope.parameter(array), array.type)
    elements = _elements(array, scope, write_node)
    if scalar.fallible and (not elements or elements[0].value is None):
        # PostgreSQL computes it whatever the array holds.
        raise Local("an array is compared with an expression that can fail")
    if elements is None:
        return truth(_NULL.sql, scalar)
    if not elements:
        return truth("true" if node.all else "false", scalar)
    function, _, _ = node.name.partition("(")
    listed = {("pg_catalog.=", False): "IN", ("pg_catalog.<>", True): "NOT IN"}.get((function, node.all))
    if listed and scalar.kind not in _BY_HAND and len(elements) > 1:
        return _listed(listed, scalar, elements)
    return _one_by_one(node, entry.spell, scalar, elements, scope)


def _without_relabels(node: Node) -> Node:
    while isinstance(node, Relabel) and node.type in {"pg_catalog._text", "pg_catalog._varchar"}:
        node = node.argument
    return node


def _planned(node: AnyOf, scalar: Written, array: Sql, array_type: str) -> Written:
    """With an array that is not known yet: for a plan, not for a query."""
    if kinds.of_type(kinds.element_of(array_type)) is None:
        raise unknown_type(array_type)
    operator = node.name.partition("(")[0].removeprefix("pg_catalog.")
    return truth(f"({scalar.sql} {operator} {'ALL' if node.all else 'ANY'} ({array}))", scalar)


def _elements(array: Node, scope: Scope, write_node: _Write) -> list[Written] | None:
    """The elements, or None for a null array."""
    if isinstance(array, ArrayOf):
        return [write_node(argument) for argument in array.arguments]
    if isinstance(array, Parameter) and scope.values is not None:
        return _values(array.type, scope.values[array.index])
    if isinstance(array, Constant):
        return _values(array.type, array.value)
    if isinstance(array, Other):
        reason = f"{array.tag} cannot be sent to DuckDB"
        raise Local(reason)
    raise Local("an array that is not a constant is not known to be the same in DuckDB")


def _values(array_type: str, value: Value) -> list[Written] | None:
    if value is None:
        return None
    if isinstance(value, str):
        raise Local("an array of several dimensions is not known to be the same in DuckDB")
    element = kinds.element_of(array_type)
    return [Written(*literals.literal(element, each), value=each) for each in value]


def _listed(operator: str, scalar: Written, elements: Sequence[Written]) -> Written:
    sqls, _, _ = unify([scalar, *elements])
    return truth(f"({sqls[0]} {operator} ({comma(sqls[1:])}))", scalar, *elements)


def _one_by_one(
    node: AnyOf,
    spell: Callable[[Call], Written],
    scalar: Written,
    elements: Sequence[Written],
    scope: Scope,
) -> Written:
    if len(elements) > MOST_COMPARED:
        reason = (
            f"an array of more than {MOST_COMPARED} elements is compared by {node.name.partition('(')[0]}"
        )
        raise Local(reason)
    if len(elements) > 1 and any(part.fallible for part in (scalar, *elements)):
        raise Local("an array is compared with an expression that can fail")
    tests = [_NULL if each.value is None else spell(Call([scalar, each], scope)) for each in elements]
    return plain("and" if node.all else "or", tests)
