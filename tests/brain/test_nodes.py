"""The host's trees as dataclasses."""

from __future__ import annotations

import pytest

from rvbbit_fdw.pushdown.nodes import (
    AnyOf,
    Bool,
    Call,
    Column,
    Constant,
    NullTest,
    Other,
    Parameter,
    Relabel,
    bind,
    parse,
)

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
    tree = {"node": "or", "arguments": [some, test, call | {"arguments": [PARAMETER]}]}
    bound = repr(bind(parse(tree), ["7"]))
    assert bound.count("value='7'") == 3
    assert "Parameter" not in bound


def test_a_parameter_without_value_stays() -> None:
    assert bind(parse(PARAMETER), []) == Parameter(0, "pg_catalog.int4")
