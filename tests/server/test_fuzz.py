"""Some thousand random statements give on session tables what they give on their heap copies (tests/fuzz)."""

from collections.abc import Iterator

import pytest

from tests.fuzz.outcome import Failure, Rows
from tests.fuzz.run import Fuzz, fuzzing
from tests.fuzz.tree import Items, Query, piece
from tests.kit.container import Server

pytestmark = pytest.mark.server

SEEDS = {"first": 1000, "second": 1000}
LEAST_SHARE = 0.6


@pytest.fixture(scope="module")
def fuzz(server: Server) -> Iterator[Fuzz]:
    with fuzzing(server) as made:
        yield made


def test_random_statements_give_what_the_heap_gives(fuzz: Fuzz) -> None:
    for seed, count in SEEDS.items():
        report = fuzz.run(seed, range(count))
        assert not report.differences, "\n\n".join(report.differences)
        assert report.share() >= LEAST_SHARE, str(report)
        assert report.share_of_whole() >= LEAST_SHARE, str(report)


FAILS = piece("bool", "(10 / (", piece("int4", "t.id"), " - 7) > 0)")
"""An error for one row."""

# What else WHERE has, and if that makes the error one of a value that decides nothing.
BESIDE = [("true", False), ("t.id = 8", True), ("t.id <> 7", True), ("t.id < 8", False)]


@pytest.mark.parametrize(("beside", "nothing"), BESIDE)
def test_an_error_counts_where_its_row_may_be_one_of_the_result(
    fuzz: Fuzz, beside: str, nothing: bool
) -> None:
    where = Items((FAILS, piece("bool", beside)), " AND ", " WHERE ")
    without = fuzz.heap.run([f"SELECT id FROM t50 AS t WHERE id <> 7 AND 10 / (id - 7) > 0 AND {beside}"])
    assert fuzz.decides_nothing(Query(piece(None, "SELECT id FROM t50 AS t", where)), without) == nothing


def test_a_value_of_limited_precision_may_decide_nothing(fuzz: Fuzz) -> None:
    short = piece("numeric", "CAST(", piece("numeric", "t.n"), " AS numeric(3,1))")
    columns = Items((piece(None, short, " AS n"), piece(None, "t.id")), ", ")
    first = "FROM t50 AS t ORDER BY abs(n) NULLS LAST, id LIMIT 1"
    query = Query(piece(None, "SELECT ", columns, f" {first}"))
    assert isinstance(fuzz.heap.run(query.calls())[0], Failure)
    found = fuzz.heap.run([f"SELECT CAST(n AS numeric(3,1)) AS n, id FROM (SELECT n, id {first}) AS t"])
    assert isinstance(found[0], Rows)
    assert fuzz.decides_nothing(query, found)


def test_a_key_that_fails_may_decide_nothing(fuzz: Fuzz) -> None:
    key = piece("int4", "(10 / (", piece("int4", "t.id"), " - 7))")
    grouping, sets = (
        piece("int4", "grouping(", key, ")"),
        piece(None, " GROUP BY GROUPING SETS (", key, ", ())"),
    )
    query = Query(piece(None, "SELECT ", grouping, " AS g FROM t50 AS t", sets, " HAVING max(t.id) < 0"))
    assert isinstance(fuzz.heap.run(query.calls())[0], Failure)
    assert fuzz.decides_nothing(query, fuzz.heap.run(["SELECT 1 AS g WHERE false"]))


# What else WHERE has, and if it fails for rows that do not divide by zero.
ERRORS = [("t.id::text::date > '2020-01-01'", True), ("t.id + 2147483640 > 0", True), ("t.id > 0", False)]


@pytest.mark.parametrize(("beside", "fails"), ERRORS)
def test_which_of_two_errors_comes_is_open(fuzz: Fuzz, beside: str, fails: bool) -> None:
    where = Items((FAILS, piece(None, beside)), " AND ", " WHERE ")
    divided = fuzz.heap.run(["SELECT id FROM t50 AS t WHERE 10 / (id - 7) > 0"])
    other = fuzz.heap.run([f"SELECT id FROM t50 AS t WHERE {beside}"])
    query = Query(piece(None, "SELECT id FROM t50 AS t", where))
    assert fuzz.fails_twice(query, other, divided) == fails
