"""PostgreSQL expressions as DuckDB SQL that computes exactly the same.

Only what the allow-list has is written; anything else raises reasons.Local. Three-valued logic, the order of
evaluation and the type of the result are PostgreSQL's: where a part can fail, CASE keeps DuckDB from
computing it for rows for which PostgreSQL would not.
"""

from __future__ import annotations

from collections.abc import Sequence

from rvbbit_fdw.pushdown import allowed, kinds, literals, membership, skipping
from rvbbit_fdw.pushdown import entry as entries
from rvbbit_fdw.pushdown.conditional import write_case, write_coalesce, write_extreme, write_nullif
from rvbbit_fdw.pushdown.logic import both, chain, negated, tested
from rvbbit_fdw.pushdown.nodes import (
    AnyOf,
    Bool,
    BooleanTest,
    Call,
    Case,
    Coalesce,
    Column,
    Constant,
    Distinct,
    Extreme,
    IoCast,
    Node,
    NullIf,
    NullTest,
    Other,
    Parameter,
    Relabel,
    operations,
)
from rvbbit_fdw.pushdown.reasons import Local, unknown_call, unknown_type
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.sqltext import Sql

DEEPEST = 100
"""Deeper expressions stay with PostgreSQL: DuckDB parses and binds by recursion."""

MOST = 300
"""Operations in a condition: the time that DuckDB takes to plan them grows with their square."""

TOO_MANY = "DuckDB takes too long to plan that many conditions"

_SAME_CARRIER = {"pg_catalog.text", "pg_catalog.varchar"}


def expression(node: Node, scope: Scope, depth: int = 0) -> Written:
    """The expression, of the carrier that its type has; Local if any part of it is not on the allow-list."""
    if depth > DEEPEST:
        raise Local("the expression is nested too deeply")
    if scope.outside is not None and scope.is_key is not None and scope.is_key(node):
        return skipping.key(expression(node, scope.outside, depth), scope)
    match node:
        case Column():
            return scope.column(node)
        case Constant():
            return _constant(node)
        case Parameter():
            return _parameter(node, scope)
        case Call():
            return _call(node, scope, depth)
        case Relabel():
            return _relabel(node, scope, depth)
        case IoCast():
            return _io_cast(node, scope, depth)
        case Bool():
            return _bool(node, _all(node.arguments, scope, depth))
        case NullTest() | BooleanTest() | Distinct():
            return skipping.hidden(_test(node, scope, depth), scope)
        case _:
            return _compound(node, scope, depth)


def _test(node: NullTest | BooleanTest | Distinct, scope: Scope, depth: int) -> Written:
    """What is true or false and never null."""
    if isinstance(node, Distinct):
        return _distinct(node, _compared(node.arguments, scope, depth), scope)
    argument = expression(node.argument, scope, depth + 1)
    return tested(node.test, argument) if isinstance(node, BooleanTest) else _null_test(node, argument)


def _compound(node: Node, scope: Scope, depth: int) -> Written:
    match node:
        case AnyOf():
            scalar = expression(node.scalar, scope, depth + 1)
            return membership.write(node, scalar, scope, lambda each: expression(each, scope, depth + 1))
        case Case():
            return _case(node, scope, depth)
        case Coalesce():
            return write_coalesce(_all(node.arguments, skipping.inside(node, scope), depth))
        case Extreme():
            return write_extreme(node, _all(node.arguments, skipping.inside(node, scope), depth), scope)
        case NullIf():
            return write_nullif(node, _all(node.arguments, scope, depth), scope)
        case Other():
            reason = f"{node.tag or 'an expression of this kind'} cannot be sent to DuckDB"
            raise Local(reason)
        case _:
            raise Local("an array expression is not known to be the same in DuckDB")


def condition(node: Node, scope: Scope) -> Written:
    """A condition of which only the truth counts: false and null are the same."""
    if operations(node) > MOST:
        raise Local(TOO_MANY)
    if isinstance(node, Bool) and node.kind in {"and", "or"}:
        parts = [condition(argument, scope) for argument in node.arguments]
        return chain(node.kind, parts)
    if isinstance(node, NullTest | Distinct) and skipping.is_plain(node, scope):
        return _test(node, scope, 0)
    return expression(node, scope)


def conjunction(nodes: Sequence[Node], scope: Scope) -> Written:
    """All conditions, for a WHERE: evaluated in this order as soon as one of them can fail."""
    return both([condition(node, scope) for node in nodes])


def weaker(node: Node, scope: Scope) -> Written | None:
    """A condition that holds wherever this one does and cannot fail; None if there is none to write."""
    if isinstance(node, Bool) and node.kind == "and":
        parts = [part for part in (weaker(argument, scope) for argument in node.arguments) if part]
        return chain("and", parts) if parts else None
    if isinstance(node, Bool) and node.kind == "or":
        arms = [weaker(argument, scope) for argument in node.arguments]
        known = [arm for arm in arms if arm]
        return chain("or", known) if len(known) == len(arms) else None
    try:
        written = condition(node, scope)
    except Local:
        return None
    return None if written.fallible else written


def _all(nodes: Sequence[Node], scope: Scope, depth: int) -> list[Written]:
    return [expression(node, scope, depth + 1) for node in nodes]


def _compared(nodes: Sequence[Node], scope: Scope, depth: int) -> list[Written]:
    """As _all, for what only compares them."""
    spell = scope.compared
    if spell is None:
        return _all(nodes, scope, depth)
    return [spell(node) if isinstance(node, Column) else expression(node, scope, depth + 1) for node in nodes]


def _constant(node: Constant) -> Written:
    if isinstance(node.value, tuple):
        raise unknown_type(node.type)
    sql, kind = literals.literal(node.type, node.value)
    return Written(sql, kind, value=node.value, most=literals.units(kind, node.value))


def _parameter(node: Parameter, scope: Scope) -> Written:
    if scope.values is not None:
        return _constant(Constant(node.type, scope.values[node.index], node.typmod, node.collation))
    kind = kinds.of_type(node.type)
    if kind is None:
        raise unknown_type(node.type)
    return Written(scope.parameter(node), kind)


def _call(node: Call, scope: Scope, depth: int) -> Written:
    entry = allowed.TABLE.get(node.name)
    if entry is None:
        raise unknown_call(node.kind, node.name)
    check_collation(entry.collation, node.collation, scope)
    inside = skipping.inside(node, scope)
    arguments = (_compared if node.name in allowed.COMPARISONS else _all)(node.arguments, inside, depth)
    written = entry.spell(entries.Call(arguments, scope))
    if written.kind.type != entry.result:
        reason = f"the result of {node.name} has another type in DuckDB"
        raise Local(reason)
    return written


def _relabel(node: Relabel, scope: Scope, depth: int) -> Written:
    argument = expression(node.argument, scope, depth + 1)
    if node.type == argument.kind.type or {node.type, argument.kind.type} <= _SAME_CARRIER:
        return argument
    raise unknown_type(node.type)


def _io_cast(node: IoCast, scope: Scope, depth: int) -> Written:
    argument = expression(node.argument, scope, depth + 1)
    target = "pg_catalog.text" if node.type == "pg_catalog.varchar" else node.type
    name = f"{target}({argument.kind.type})"
    entry = allowed.IO_CASTS.get(name)
    if entry is None:
        raise unknown_call("cast", name)
    return entry.spell(entries.Call([argument], scope))


def _case(node: Case, scope: Scope, depth: int) -> Written:
    tests = skipping.unseen(scope)
    whens = [
        (expression(test, tests, depth + 1), expression(result, scope, depth + 1))
        for test, result in node.whens
    ]
    default = None if node.default is None else expression(node.default, scope, depth + 1)
    return write_case(whens, default)


def _bool(node: Bool, arguments: list[Written]) -> Written:
    return negated(arguments[0]) if node.kind == "not" else chain(node.kind, arguments, value=True)


def _null_test(node: NullTest, argument: Written) -> Written:
    test = "IS NOT NULL" if node.negated else "IS NULL"
    return Written(Sql(f"({argument.sql} {test})"), kinds.BOOL, argument.fallible)


def _distinct(node: Distinct, arguments: list[Written], scope: Scope) -> Written:
    equality = allowed.equality(node.name)
    check_collation(equality.collation, node.collation, scope)
    return equality.compare("IS DISTINCT FROM", arguments[0], arguments[1])
