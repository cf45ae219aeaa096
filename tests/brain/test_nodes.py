"""The host's trees as dataclasses."""

from __future__ import annotations

from typing import Any

import pytest

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
    below,
    bind,
    changed,
    everything,
)
from rvbbit_fdw.pushdown.trees import parse

COLUMN = {
    "node": "column",
    "number": 1,
    "name": "id",
    "type": "pg_catalog.int4",
    "typmod": -1,
    "collation": None,
}
PARAMETER = {"node": "parameter", "index": 0, "type": "pg_catalog.int4", "typmod": -1, "collation": None}
EQUAL = "pg_catalog.=(pg_catalog.int4,pg_catalog.int4)"
TYPED = {"type": "pg_catalog.int4", "typmod": -1, "collation": None}

ID, FIRST = Column(1, "id", "pg_catalog.int4"), Parameter(0, "pg_catalog.int4")
INT4 = "pg_catalog.int4"
TEXT = {"type": "pg_catalog.text", "typmod": -1, "collation": "pg_catalog.C"}

# A tree and its node.
NODES: list[tuple[dict[str, Any], Node]] = [
    (
        TYPED | {"node": "case", "whens": [[COLUMN, PARAMETER]], "default": None},
        Case(INT4, ((ID, FIRST),), None),
    ),
    (TYPED | {"node": "case", "whens": [], "default": COLUMN}, Case(INT4, (), ID)),
    (
        TEXT | {"node": "coalesce", "arguments": [COLUMN]},
        Coalesce("pg_catalog.text", (ID,), -1, "pg_catalog.C"),
    ),
    (TYPED | {"node": "greatest", "arguments": [COLUMN, PARAMETER]}, Extreme("greatest", INT4, (ID, FIRST))),
    (TYPED | {"node": "least", "arguments": [COLUMN]}, Extreme("least", INT4, (ID,))),
    (
        TYPED | {"node": "nullif", "name": EQUAL, "arguments": [COLUMN, PARAMETER]},
        NullIf(EQUAL, INT4, (ID, FIRST)),
    ),
    ({"node": "distinct", "name": EQUAL, "arguments": [COLUMN, PARAMETER]}, Distinct(EQUAL, (ID, FIRST))),
    ({"node": "boolean_test", "test": "not_unknown", "argument": COLUMN}, BooleanTest("not_unknown", ID)),
    (TEXT | {"node": "io_cast", "argument": COLUMN}, IoCast("pg_catalog.text", ID, "pg_catalog.C")),
    (
        {"node": "array", "type": "pg_catalog._int4", "arguments": [COLUMN]},
        ArrayOf("pg_catalog._int4", (ID,)),
    ),
    (TYPED | {"node": "subscript", "arguments": [COLUMN, PARAMETER]}, Subscript(INT4, (ID, FIRST))),
    (COLUMN | {"relation": 2}, Column(1, "id", INT4, relation=2)),
]


@pytest.mark.parametrize(("tree", "node"), NODES, ids=lambda item: str(item)[:40])
def test_nodes(tree: dict[str, Any], node: Node) -> None:
    assert parse(tree) == node
    assert changed(node, lambda child: child) == node
    assert next(iter(everything(node))) == node


def test_everything_below_a_node_is_seen_in_order() -> None:
    one, two, three = (Constant(INT4, text) for text in "123")
    case = Case(INT4, ((one, two),), three)
    assert below(case) == (one, two, three)
    assert list(everything(Bool("not", (case,)))) == [Bool("not", (case,)), case, one, two, three]


def test_every_kind_of_node() -> None:
    call = {"node": "call", "kind": "operator", "name": EQUAL, "type": "pg_catalog.bool", "collation": None}
    column, parameter = Column(1, "id", "pg_catalog.int4"), Parameter(0, "pg_catalog.int4")
    equal = Call("operator", EQUAL, "pg_catalog.bool", (column, parameter))
    assert parse(call | {"arguments": [COLUMN, PARAMETER]}) == equal
    assert parse({"node": "and", "arguments": [COLUMN]}) == Bool("and", (column,))
    assert parse({"node": "null_test", "argument": COLUMN, "negated": True}) == NullTest(column, True)
    relabel = {"node": "relabel", "type": "pg_catalog.text", "typmod": -1, "argument": COLUMN}
    assert parse(relabel) == Relabel("pg_catalog.text", column)
    some = {"node": "any", "name": EQUAL, "collation": None, "all": False, "arguments": [COLUMN, PARAMETER]}
    assert parse(some) == AnyOf(EQUAL, column, parameter, False)
    constant = {"node": "constant", "type": "pg_catalog._int4", "typmod": -1, "collation": None}
    assert parse(constant | {"value": ["1", None]}) == Constant("pg_catalog._int4", ("1", None))
    assert parse(constant | {"value": None}) == Constant("pg_catalog._int4", None)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        1,
        [],
        "x",
        {},
        {"node": "future"},
        {"node": "column"},
        {"node": "any", "arguments": []},
        {"node": "and"},
        {"node": "boolean_test", "test": "perhaps", "argument": COLUMN},
        TYPED | {"node": "nullif", "name": EQUAL, "arguments": [COLUMN]},
        TYPED | {"node": "case", "whens": [[COLUMN]], "default": None},
    ],
)
def test_what_is_not_understood_is_other(tree: object) -> None:
    assert isinstance(parse(tree), Other)


def test_other_keeps_its_tag() -> None:
    assert parse({"node": "other", "tag": "SubPlan"}) == Other("SubPlan")


def test_parameters_are_filled_in_everywhere() -> None:
    some = {"node": "any", "name": EQUAL, "collation": None, "all": False, "arguments": [COLUMN, PARAMETER]}
    relabel = {"node": "relabel", "type": "pg_catalog.int4", "typmod": -1, "argument": PARAMETER}
    test = {"node": "null_test", "argument": relabel, "negated": False}
    call = {"node": "call", "kind": "function", "name": "f()", "type": "x", "collation": None}
    case = TYPED | {"node": "case", "whens": [[PARAMETER, COLUMN], [COLUMN, PARAMETER]], "default": PARAMETER}
    tree = {"node": "or", "arguments": [some, test, case, call | {"arguments": [PARAMETER]}]}
    bound = repr(bind(parse(tree), ["7"]))
    assert bound.count("value='7'") == 6
    assert "Parameter" not in bound


def test_a_parameter_without_value_stays() -> None:
    assert bind(parse(PARAMETER), []) == Parameter(0, "pg_catalog.int4")
