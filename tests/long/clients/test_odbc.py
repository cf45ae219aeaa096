"""psqlODBC through pyodbc, reading results at once and through a cursor of the server's."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.clients.served import SESSION, Matrix
from tests.clients.values import NAMES, ROWS, STREAMED, TYPES
from tests.long.clients.box import Box, address

pytestmark = pytest.mark.server

SETTINGS = {
    "at once": "UseDeclareFetch=0",
    "by cursor": "UseDeclareFetch=1;Fetch=100",
    "old types": "BoolsAsChar=0",
}

# Of pyodbc; what ODBC has no type for is text.
PYTHON = {
    "smallint": "int", "integer": "int", "bigint": "int", "numeric": "Decimal", "numeric(12,2)": "Decimal",
    "real": "float", "double precision": "float", "bytea": "bytes", "date": "date", "uuid": "str",
    "time without time zone": "time", "timestamp without time zone": "datetime",
    "timestamp with time zone": "datetime",
}  # fmt: skip


@pytest.fixture(params=SETTINGS)
def facts(request: pytest.FixtureRequest, matrix: Matrix, box: Box) -> dict[str, Any]:
    """What the program found."""
    return found(matrix, box, SETTINGS[request.param])


@cache
def found(matrix: Matrix, box: Box, settings: str) -> dict[str, Any]:
    """One run of it."""
    where = f"Server={address(matrix)};Port=5432;Database=rvbbit;Uid=rvbbit;Pwd=rvbbit"
    target = f"Driver={{PostgreSQL Unicode}};{where};{settings}"
    answer: dict[str, Any] = json.loads(box.run("python3", "/clients/odbc.py", target, SESSION))
    return answer


def test_the_lists_of_a_tool(facts: dict[str, Any], matrix: Matrix) -> None:
    """Unlike others this driver gives foreign tables to those who ask for tables."""
    names = ["_endless", "_fails_late", "_stream", "_types"]
    for kind in ("TABLE", "TABLE,VIEW", "None"):
        assert sorted(row[0] for row in facts["tables"][kind]) == names, kind
    assert [row[0] for row in facts["columns"]] == NAMES
    money = next(row for row in facts["columns"] if row[0] == "money")
    assert money[1:4] == ["numeric", 12, 2]
    assert facts["keys"] == [0]


def test_names_types_and_values(facts: dict[str, Any]) -> None:
    assert facts["names"] == NAMES
    first, second, third = facts["rows"]
    for name, kind, cell, value in zip(NAMES, TYPES, first, ROWS[0], strict=True):
        if kind in PYTHON:
            assert cell[0] == PYTHON[kind], name
        if kind in ("integer", "bigint", "smallint", "text", "date", "numeric", "numeric(12,2)", "uuid"):
            assert cell[1] == (str(value).upper() if kind == "uuid" else str(value)), name
    assert dict(zip(NAMES, second, strict=True))["huge"][1] == str(2**127 - 1)
    assert third[1:] == [["NoneType", "None"]] * (len(NAMES) - 1)


def test_parameters_and_portions(facts: dict[str, Any]) -> None:
    prices = [(n, n % 3) for n in range(STREAMED) if n % 10 > 0 and (n % 400) / 4 >= 95]
    assert facts["parameters"] == [sum(region == number for _, region in prices) for number in (0, 1, 9)]
    assert facts["portions"] == [STREAMED, STREAMED * (STREAMED - 1) // 2]


def test_mishaps_leave_the_connection_usable(facts: dict[str, Any]) -> None:
    trouble = facts["trouble"]
    assert "user request" in trouble["cancel"][1]
    assert "statement timeout" in trouble["timeout"][1]
    assert 'column "note"' in trouble["late"][1]
    assert "permission denied" in trouble["write"][1]
    assert [found[-1] for found in trouble.values()] == [3, 3, 3, 3]
