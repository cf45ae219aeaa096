"""node-postgres: the class and the value of each cell, parameters of a named statement, and errors."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.clients.served import SESSION, Matrix
from tests.clients.values import NAMES, ROWS, STREAMED
from tests.long.clients.box import Box, address

pytestmark = pytest.mark.server

# What JavaScript has in place of Python's value, in the first row: class and value.
FIRST = {
    "big": ["String", "9007199254740993"],
    "huge": ["String", "1"],
    "money": ["String", "1234.50"],
    "bytes": ["Buffer", "00ff6162"],
    "uid": ["String", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "day": ["String", "2026-02-28"],
    "clock": ["String", "23:59:59.999999"],
    "zoned_clock": ["String", "08:30:00+02"],
    "span": [
        "PostgresInterval",
        {"years": 0, "months": 0, "days": 3, "hours": 4, "minutes": 5, "seconds": 6, "milliseconds": 700},
    ],
    "moment": ["Date", "2026-03-29T02:30:00.000Z"],
    "instant": ["Date", "2026-03-29T02:30:00.500Z"],
}
CLASSES = {bool: "Boolean", int: "Number", float: "Number", str: "String", list: "Array", dict: "Object"}


@pytest.fixture
def facts(matrix: Matrix, box: Box) -> dict[str, Any]:
    """What the program found."""
    return found(matrix, box)


@cache
def found(matrix: Matrix, box: Box) -> dict[str, Any]:
    """One run of it."""
    target = f"postgresql://rvbbit:rvbbit@{address(matrix)}:5432/rvbbit"
    answer: dict[str, Any] = json.loads(box.run("node", "/clients/node.js", target, SESSION, TZ="UTC"))
    return answer


def test_names_classes_and_values(facts: dict[str, Any]) -> None:
    assert facts["names"] == NAMES
    first, second, third = (dict(zip(NAMES, row, strict=True)) for row in facts["rows"])
    known = dict(zip(NAMES, ROWS[0], strict=True))
    assert first == {name: FIRST.get(name) or [CLASSES[type(known[name])], known[name]] for name in NAMES}
    assert second["huge"] == ["String", str(2**127 - 1)]
    assert second["day"] == ["String", "0001-01-01"]
    assert [third[name] for name in NAMES[1:]] == [["null", None]] * (len(NAMES) - 1)


def test_parameters_of_a_named_statement(facts: dict[str, Any]) -> None:
    prices = [n % 3 for n in range(STREAMED) if n % 10 > 0 and (n % 400) / 4 >= 95]
    assert facts["parameters"] == [str(prices.count(number)) for number in (0, 1, 9)]


def test_mishaps_leave_the_connection_usable(facts: dict[str, Any]) -> None:
    assert (facts["timeout"], facts["late"], facts["write"]) == ("57014", "22021", "42501")
    assert facts["after"] == "3"
