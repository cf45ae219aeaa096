"""The statements that foreign tables and heap copies are compared by."""

from collections import Counter

import pytest

from tests.kit.statements import Case, cases, is_ordered

ORDERED = [
    ("SELECT a FROM t ORDER BY a", True),
    ("SELECT a FROM t ORDER BY a LIMIT 3", True),
    ("SELECT a FROM (SELECT a FROM t ORDER BY a) AS x", False),
    ("SELECT sum(a) OVER (ORDER BY (b)) FROM t", False),
    ("SELECT 'ORDER BY' FROM t", False),
    ("FETCH 3 FROM c", True),
]

SHAPES = [
    ("SELECT a FROM t WHERE b = 1", "SELECT c FROM u WHERE d = 'x'", True),
    ("SELECT a, b FROM t", "SELECT a FROM t", True),
    ("SELECT upper(a) FROM t", "SELECT lower(a) FROM t", False),
    ("SELECT a::text FROM t", "SELECT a::date FROM t", False),
    ("SELECT a FROM t", "SELECT DISTINCT a FROM t", False),
]


@pytest.mark.parametrize(("statement", "expected"), ORDERED)
def test_whether_order_counts(statement: str, expected: bool) -> None:
    assert is_ordered(statement) is expected


@pytest.mark.parametrize(("one", "other", "same"), SHAPES)
def test_shapes_leave_out_names_and_constants(one: str, other: str, same: bool) -> None:
    assert (Case("", (one,)).shape == Case("", (other,)).shape) is same


def test_there_are_many_and_few_are_alike() -> None:
    shapes = Counter(case.shape for case in cases())
    assert len(shapes) >= 600
    assert shapes.most_common(1)[0][1] <= 6
