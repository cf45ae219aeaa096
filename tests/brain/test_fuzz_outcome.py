"""What the comparison of random statements takes for the same, and what not."""

import pytest

from tests.fuzz.outcome import INTERVAL, REAL, Outcome, Row, Rows, difference
from tests.fuzz.tree import Query, piece

NUMERIC, TEXT = 1700, 25

# A type, what one side gives and the other, and if that is the same where any of equal values may come.
EQUALS = [
    (INTERVAL, "30 days", "1 mon", True),
    (INTERVAL, "1 year", "12 mons", True),
    (INTERVAL, "1 day", "24:00:00", True),
    (INTERVAL, "-1 mons +2 days", "-28 days", True),
    (INTERVAL, "1 mon -00:00:00.000001", "29 days 23:59:59.999999", True),
    (INTERVAL, "00:00:00", "00:00:00.000001", False),
    (INTERVAL, "1 mon", "31 days", False),
    (INTERVAL, "-24:00:00", "1 day", False),
    (INTERVAL, "P1M", "P30D", False),
    (INTERVAL, "178956970 years 7 mons", "178956970 years 7 mons 00:00:00.000001", False),
    (NUMERIC, "1.0", "1.00", True),
    (NUMERIC, "1.0", "1.01", False),
    (TEXT, "1 mon", "30 days", False),
]


@pytest.mark.parametrize(("kind", "one", "other", "same"), EQUALS)
def test_equal_values_that_are_written_differently(kind: int, one: str, other: str, same: bool) -> None:
    sides: list[Outcome] = [[Rows(("c0",), ((kind, -1),), [(value,)])] for value in (one, other)]
    exact = Query(piece(None, "SELECT"))
    free = Query(piece(None, "SELECT"), by_value=frozenset({"c0"}))
    assert difference(exact, *sides) is not None
    assert (difference(free, *sides) is None) == same


FLOAT = 701
SIZED = Query(piece(None, "SELECT"), near=(("c1", "c2"),))

# Rows of (key, float, size of what was added up) on either side, and if they are the same.
NEAR: list[tuple[list[Row], list[Row], bool]] = [
    ([("a", "1.5", "3")], [("a", "1.5000000000000002", "3")], True),
    ([("a", "1.5", "3")], [("a", "1.5001", "3")], False),
    ([("a", "1.5", "3")], [("b", "1.5", "3")], False),
    ([("a", "1", "9"), ("a", "1.0000000000000002", "5")], [("a", "1", "5"), ("a", "1", "9")], True),
    ([("a", None, "9"), ("a", "1", "5")], [("a", "1", "5"), ("a", None, "9")], True),
    ([("a", "NaN", "9"), ("a", None, "9")], [("a", None, "9"), ("a", "NaN", "9")], True),
    ([("a", "1", "5"), ("a", "1", "5")], [("a", "1", "5"), ("a", "2", "5")], False),
    ([("a", "1", "5")], [("a", "1", "5"), ("a", "1", "5")], False),
]


@pytest.mark.parametrize(("one", "other", "same"), NEAR)
def test_floats_that_were_added_up_in_another_order(one: list[Row], other: list[Row], same: bool) -> None:
    names, types = ("c0", "c1", "c2"), ((TEXT, -1), (FLOAT, -1), (FLOAT, -1))
    sides: list[Outcome] = [[Rows(names, types, rows)] for rows in (one, other)]
    assert (difference(SIZED, *sides) is None) == same


# How many rows were added up, one sum of reals and the other, if they are the same; the sizes sum up to 1000.
REALS = [
    (10, "1000", "1000.005", True),
    (10, "1000", "1000.02", False),
    (150_000, "1000", "1000.5", True),
    (150_000, "1000", "1040", False),
]


@pytest.mark.parametrize(("rows", "one", "other", "same"), REALS)
def test_sums_of_many_reals_lose_more(rows: int, one: str, other: str, same: bool) -> None:
    query = Query(piece(None, "SELECT"), near=(("c0", "c1"),), rows=rows)
    types = ((REAL, -1), (FLOAT, -1))
    sides: list[Outcome] = [[Rows(("c0", "c1"), types, [(value, "1000")])] for value in (one, other)]
    assert (difference(query, *sides) is None) == same
