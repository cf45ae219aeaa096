"""PostgreSQL's expressions as frozen dataclasses: what both hosts send and all of pushdown reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

Value: TypeAlias = "str | tuple[str | None, ...] | None"
"""Null, the type's output text, or the elements of a one-dimensional array."""


@dataclass(frozen=True)
class Column:
    """A column by its attribute number; `relation` says of which relation of a query, 0 in a scan."""

    number: int
    name: str
    type: str
    typmod: int = -1
    collation: str | None = None
    relation: int = 0


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
    """A function, an operator or a cast, by its full name with argument types; `collation` is its input's."""

    kind: str
    name: str
    type: str
    arguments: tuple[Node, ...]
    collation: str | None = None
    typmod: int = -1


@dataclass(frozen=True)
class Relabel:
    """A cast that changes no bit of the value, or COLLATE; `collation` is the result's."""

    type: str
    argument: Node
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class IoCast:
    """A cast by way of text: one type's output function, then the other's input function."""

    type: str
    argument: Node
    collation: str | None = None


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
class BooleanTest:
    """IS TRUE and its kin; `test` is true, not_true, false, not_false, unknown or not_unknown."""

    test: str
    argument: Node


@dataclass(frozen=True)
class AnyOf:
    """`scalar operator ANY (array)`, or ALL when `all` is true."""

    name: str
    scalar: Node
    array: Node
    all: bool
    collation: str | None = None


@dataclass(frozen=True)
class Case:
    """CASE WHEN condition THEN result ... ELSE default END; also CASE x WHEN, whose conditions compare x."""

    type: str
    whens: tuple[tuple[Node, Node], ...]
    default: Node | None
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class Coalesce:
    """The first argument that is not null."""

    type: str
    arguments: tuple[Node, ...]
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class Extreme:
    """GREATEST or LEAST (`kind` in lower case); `collation` is the one that compares."""

    kind: str
    type: str
    arguments: tuple[Node, ...]
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class NullIf:
    """NULLIF of two arguments; `name` is the operator that finds them equal."""

    name: str
    type: str
    arguments: tuple[Node, ...]
    typmod: int = -1
    collation: str | None = None


@dataclass(frozen=True)
class Distinct:
    """IS DISTINCT FROM of two arguments; `name` is the operator that finds them equal."""

    name: str
    arguments: tuple[Node, ...]
    collation: str | None = None


@dataclass(frozen=True)
class ArrayOf:
    """ARRAY[...] of scalars; `type` is the array's."""

    type: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Subscript:
    """One element of an array: `arguments` are the array and the index; `type` is the element's."""

    type: str
    arguments: tuple[Node, ...]
    typmod: int = -1


@dataclass(frozen=True)
class Other:
    """An expression that cannot be used; `tag` says in words what it is ("a subquery")."""

    tag: str = ""


Node: TypeAlias = (
    "Column | Constant | Parameter | Call | Relabel | IoCast | Bool | NullTest | BooleanTest | AnyOf | Case"
    " | Coalesce | Extreme | NullIf | Distinct | ArrayOf | Subscript | Other"
)


def parse_value(value: object) -> Value:
    """A value of the format: null, text or a list of them."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return tuple(None if item is None else str(item) for item in value)
    raise TypeError("value")


def bind(node: Node, parameters: Sequence[Value]) -> Node:
    """The node with each parameter replaced by its value."""
    if isinstance(node, Parameter) and node.index < len(parameters):
        return Constant(node.type, parameters[node.index], node.typmod, node.collation)
    return changed(node, lambda child: bind(child, parameters))


def changed(node: Node, change: Callable[[Node], Node]) -> Node:
    """The node with `change` applied to each node directly below it."""
    match node:
        case Call() | Bool() | Coalesce() | Extreme() | NullIf() | Distinct() | ArrayOf() | Subscript():
            return replace(node, arguments=tuple(change(argument) for argument in node.arguments))
        case Relabel() | IoCast() | NullTest() | BooleanTest():
            return replace(node, argument=change(node.argument))
        case AnyOf():
            return replace(node, scalar=change(node.scalar), array=change(node.array))
        case Case():
            whens = tuple((change(condition), change(result)) for condition, result in node.whens)
            return replace(node, whens=whens, default=change(node.default) if node.default else None)
        case _:
            return node


def below(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node, in the order in which they are written."""
    match node:
        case Call() | Bool() | Coalesce() | Extreme() | NullIf() | Distinct() | ArrayOf() | Subscript():
            return node.arguments
        case Relabel() | IoCast() | NullTest() | BooleanTest():
            return (node.argument,)
        case AnyOf():
            return node.scalar, node.array
        case Case():
            default = (node.default,) if node.default else ()
            return (*(each for when in node.whens for each in when), *default)
        case _:
            return ()


def everything(node: Node) -> Iterator[Node]:
    """The node and all nodes below it."""
    yield node
    for child in below(node):
        yield from everything(child)


def operations(node: Node) -> int:
    """How many operators, functions and the like an expression has."""
    if isinstance(node, Column | Constant | Parameter):
        return 0
    return 1 + sum([operations(child) for child in below(node)])
