"""The host's expression trees as frozen dataclasses.

A node of a kind that this version does not know becomes `Other`: whoever reads a tree treats it as an
expression about which nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = "str | tuple[str | None, ...] | None"
"""Null, the type's output text, or the elements of a one-dimensional array."""


@dataclass(frozen=True)
class Column:
    """A column of the scanned table by its attribute number."""

    number: int
    name: str
    type: str
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class Constant:
    """A value known at planning, or a parameter's value filled in."""

    type: str
    value: Value
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class Parameter:
    """A value known when the scan starts: the index into the request's parameters."""

    index: int
    type: str
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class Call:
    """A function, an operator or a cast, by its full name with argument types."""

    kind: str
    name: str
    type: str
    arguments: tuple[Node, ...]
    collation: str | None = None


@dataclass(frozen=True)
class Relabel:
    """A cast that changes no bit of the value."""

    type: str
    argument: Node
    typmod: int = -1


@dataclass(frozen=True)
class Bool:
    """AND, OR or NOT (`kind` in lower case) of conditions."""

    kind: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class NullTest:
    """IS NULL, or IS NOT NULL when negated."""

    argument: Node
    negated: bool


@dataclass(frozen=True)
class AnyOf:
    """`scalar operator ANY (array)`, or ALL when `all` is true."""

    name: str
    scalar: Node
    array: Node
    all: bool
    collation: str | None = None


@dataclass(frozen=True)
class Other:
    """An expression that cannot be used."""

    tag: str = ""


Node: TypeAlias = "Column | Constant | Parameter | Call | Relabel | Bool | NullTest | AnyOf | Other"


def parse(tree: object) -> Node:
    """The node for one JSON object; `Other` for anything that is not a node of the format."""
    if not isinstance(tree, Mapping):
        return Other()
    kind = str(tree.get("node"))
    make = _MAKERS.get(kind)
    try:
        return make(tree) if make else Other(str(tree.get("tag", kind)))
    except (KeyError, TypeError, ValueError):
        return Other(kind)


def parse_value(value: object) -> Value:
    """A value of the format: null, text or a list of them."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return tuple(None if item is None else str(item) for item in value)
    raise TypeError("value")


def bind(node: Node, parameters: Sequence[Value]) -> Node:
    """The node with each parameter replaced by its value."""
    match node:
        case Parameter(index=index) if index < len(parameters):
            return Constant(node.type, parameters[index], node.typmod, node.collation)
        case Call():
            return Call(
                node.kind, node.name, node.type, _bind_all(node.arguments, parameters), node.collation
            )
        case Relabel():
            return Relabel(node.type, bind(node.argument, parameters), node.typmod)
        case Bool():
            return Bool(node.kind, _bind_all(node.arguments, parameters))
        case NullTest():
            return NullTest(bind(node.argument, parameters), node.negated)
        case AnyOf():
            scalar, array = bind(node.scalar, parameters), bind(node.array, parameters)
            return AnyOf(node.name, scalar, array, node.all, node.collation)
        case _:
            return node


def _bind_all(nodes: Sequence[Node], parameters: Sequence[Value]) -> tuple[Node, ...]:
    return tuple(bind(node, parameters) for node in nodes)


_Tree: TypeAlias = Mapping[str, Any]


def _common(tree: _Tree) -> dict[str, Any]:
    return {
        "type": str(tree["type"]),
        "typmod": int(tree.get("typmod", -1)),
        "collation": tree.get("collation"),
    }


def _arguments(tree: _Tree) -> tuple[Node, ...]:
    return tuple(parse(argument) for argument in tree["arguments"])


def _column(tree: _Tree) -> Node:
    return Column(int(tree["number"]), str(tree["name"]), **_common(tree))


def _constant(tree: _Tree) -> Node:
    return Constant(value=parse_value(tree["value"]), **_common(tree))


def _parameter(tree: _Tree) -> Node:
    return Parameter(int(tree["index"]), **_common(tree))


def _call(tree: _Tree) -> Node:
    names = str(tree["kind"]), str(tree["name"]), str(tree["type"])
    return Call(*names, _arguments(tree), tree.get("collation"))


def _relabel(tree: _Tree) -> Node:
    return Relabel(str(tree["type"]), parse(tree["argument"]), int(tree.get("typmod", -1)))


def _bool(tree: _Tree) -> Node:
    return Bool(str(tree["node"]), _arguments(tree))


def _null_test(tree: _Tree) -> Node:
    return NullTest(parse(tree["argument"]), bool(tree["negated"]))


def _any(tree: _Tree) -> Node:
    scalar, array = _arguments(tree)
    return AnyOf(str(tree["name"]), scalar, array, bool(tree["all"]), tree.get("collation"))


_MAKERS = {
    "column": _column,
    "constant": _constant,
    "parameter": _parameter,
    "call": _call,
    "relabel": _relabel,
    "and": _bool,
    "or": _bool,
    "not": _bool,
    "null_test": _null_test,
    "any": _any,
}
