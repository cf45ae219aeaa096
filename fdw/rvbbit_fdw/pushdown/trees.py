"""The host's expression trees (JSON) as nodes.

What is not a node of the format becomes `Other`: whoever reads a tree treats it as an expression about which
nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from rvbbit_fdw.pushdown.nodes import (
    AnyOf,
    ArrayOf,
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
    Subscript,
    parse_value,
)

Tree: TypeAlias = Mapping[str, Any]

BOOLEAN_TESTS = frozenset({"true", "not_true", "false", "not_false", "unknown", "not_unknown"})


def parse(tree: object) -> Node:
    """The node for one JSON object; `Other` for anything that is not a node of the format."""
    if not isinstance(tree, dict):
        return Other()
    kind = str(tree.get("node"))
    make = _MAKERS.get(kind)
    try:
        return make(tree) if make else Other(str(tree.get("tag", kind)))
    except (KeyError, TypeError, ValueError):
        return Other(kind)


def _common(tree: Tree) -> dict[str, Any]:
    return {
        "type": str(tree["type"]),
        "typmod": int(tree.get("typmod", -1)),
        "collation": tree.get("collation"),
    }


def _arguments(tree: Tree) -> tuple[Node, ...]:
    return tuple([parse(argument) for argument in tree["arguments"]])


def _pair(tree: Tree) -> tuple[Node, ...]:
    one, other = _arguments(tree)
    return one, other


def _column(tree: Tree) -> Node:
    number, name, typmod = int(tree["number"]), str(tree.get("name", "")), int(tree.get("typmod", -1))
    return Column(
        number, name, str(tree["type"]), typmod, tree.get("collation"), int(tree.get("relation", 0))
    )


def _constant(tree: Tree) -> Node:
    return Constant(value=parse_value(tree["value"]), **_common(tree))


def _parameter(tree: Tree) -> Node:
    return Parameter(int(tree["index"]), **_common(tree))


def _call(tree: Tree) -> Node:
    names = str(tree["kind"]), str(tree["name"]), str(tree["type"])
    return Call(*names, _arguments(tree), tree.get("collation"), int(tree.get("typmod", -1)))


def _relabel(tree: Tree) -> Node:
    return Relabel(argument=parse(tree["argument"]), **_common(tree))


def _io_cast(tree: Tree) -> Node:
    return IoCast(str(tree["type"]), parse(tree["argument"]), tree.get("collation"))


def _bool(tree: Tree) -> Node:
    return Bool(str(tree["node"]), _arguments(tree))


def _null_test(tree: Tree) -> Node:
    return NullTest(parse(tree["argument"]), bool(tree["negated"]))


def _boolean_test(tree: Tree) -> Node:
    if tree["test"] not in BOOLEAN_TESTS:
        raise ValueError(tree["test"])
    return BooleanTest(str(tree["test"]), parse(tree["argument"]))


def _any(tree: Tree) -> Node:
    scalar, array = _pair(tree)
    return AnyOf(str(tree["name"]), scalar, array, bool(tree["all"]), tree.get("collation"))


def _case(tree: Tree) -> Node:
    whens = tuple([(parse(condition), parse(result)) for condition, result in tree["whens"]])
    default = None if tree["default"] is None else parse(tree["default"])
    return Case(whens=whens, default=default, **_common(tree))


def _coalesce(tree: Tree) -> Node:
    return Coalesce(arguments=_arguments(tree), **_common(tree))


def _extreme(tree: Tree) -> Node:
    return Extreme(kind=str(tree["node"]), arguments=_arguments(tree), **_common(tree))


def _null_if(tree: Tree) -> Node:
    return NullIf(name=str(tree["name"]), arguments=_pair(tree), **_common(tree))


def _distinct(tree: Tree) -> Node:
    return Distinct(str(tree["name"]), _pair(tree), tree.get("collation"))


def _array(tree: Tree) -> Node:
    return ArrayOf(str(tree["type"]), _arguments(tree))


def _subscript(tree: Tree) -> Node:
    return Subscript(str(tree["type"]), _pair(tree), int(tree.get("typmod", -1)))


_MAKERS: Mapping[str, Callable[[Tree], Node]] = {
    "column": _column,
    "constant": _constant,
    "parameter": _parameter,
    "call": _call,
    "relabel": _relabel,
    "io_cast": _io_cast,
    "and": _bool,
    "or": _bool,
    "not": _bool,
    "null_test": _null_test,
    "boolean_test": _boolean_test,
    "any": _any,
    "case": _case,
    "coalesce": _coalesce,
    "greatest": _extreme,
    "least": _extreme,
    "nullif": _null_if,
    "distinct": _distinct,
    "array": _array,
    "subscript": _subscript,
}
