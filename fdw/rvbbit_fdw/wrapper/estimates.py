"""What the planner is told of a scan's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rvbbit_fdw import opening
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.pushdown.nodes import AnyOf, Bool, Call, Constant, Node, NullTest
from rvbbit_fdw.request import Attribute, Scan

_UNKNOWN = 1000
_LISTS = {"sessions": 1000, "tables": 5000, "columns": 50000, "snapshots": 100, "imports": 1000}
_EQUAL, _RANGE = 0.005, 1 / 3
"""The parts that PostgreSQL itself takes where it has no statistics."""

_WIDTHS = {"bool": 1, "int2": 2, "int4": 4, "float4": 4, "date": 4, "uuid": 16, "interval": 16}
_EIGHT = frozenset({"int8", "float8", "time", "timestamp", "timestamptz"})


def rows(backend: Backend, asked: Scan, check: Callable[[], None]) -> int:
    """How many rows the table or list has, as far as that is known without reading a session."""
    listed = _LISTS.get(asked.table.options.get("catalog", ""))
    if listed is not None:
        return listed
    known = opening.known_rows(backend, asked, check)
    return _UNKNOWN if known is None else known


def left(total: int, conditions: Sequence[Node]) -> int:
    """How many rows pass these conditions."""
    part = 1.0
    for node in conditions:
        part *= _part(node)
    return max(1, round(total * part))


def _part(node: Node) -> float:
    match node:
        case Bool(kind="and", arguments=arguments):
            return min(_part(argument) for argument in arguments) ** 2
        case AnyOf(array=Constant(value=tuple() as values)):
            return min(1.0, _EQUAL * len(values))
        case Call(name=name):
            return _EQUAL if name.startswith("pg_catalog.=(") else _RANGE
        case NullTest(negated=negated):
            return 1 - _EQUAL if negated else _EQUAL
        case _:
            return 0.5


def width(columns: Sequence[Attribute]) -> int:
    """Bytes of a row."""
    return max(1, sum(_width(attribute.type.rpartition(".")[2]) for attribute in columns))


def _width(name: str) -> int:
    return 8 if name in _EIGHT else _WIDTHS.get(name, 32)
