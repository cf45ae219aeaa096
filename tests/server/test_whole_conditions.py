"""Conditions that can fail beside joins: DuckDB still joins by equalities, and answers are PostgreSQL's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import heap, is_pushed, ours, plan, rows, same, whole_schema

pytestmark = pytest.mark.server

_CASE = re.compile(r"CASE(?:(?!CASE).)*? END")
_JOINED = re.compile(r'\("b(_2)?"\."id" = | = "b(_2)?"\."id"\)')

JOINED = [
    "SELECT a.id, b.id FROM {items} AS a JOIN {items} AS b ON b.id = a.id + 1 AND a.big > b.big",
    "SELECT a.id, b.id FROM {items} AS a JOIN {items} AS b ON a.id + 1 = b.id AND a.small + b.small > 9",
    "SELECT a.id, b.id FROM {items} AS a LEFT JOIN {items} AS b ON b.id = a.id + 1 AND b.small > 5",
    "SELECT a.id, b.id FROM {items} AS a LEFT JOIN {items} AS b ON b.id = a.id + 1 AND a.small > 5",
    "SELECT a.id, b.id FROM {items} AS a, {items} AS b WHERE 10 / b.id > 0 AND b.id = a.id AND a.grp > 3",
    "SELECT a.id FROM {items} AS a WHERE EXISTS (SELECT FROM {items} AS b WHERE b.id = a.id + 1 AND b.flag)",
    "SELECT a.id FROM {items} AS a"
    " WHERE NOT EXISTS (SELECT FROM {items} AS b WHERE b.id = a.id - 1 AND b.grp = a.grp)",
    "SELECT a.id, (SELECT max(b.amount) FROM {items} AS b WHERE b.id = a.id + 1 AND b.grp > a.grp)"
    " FROM {items} AS a",
]

# The row that would fail is one that another condition leaves out, or none that the result hangs on.
GUARDED = [
    "SELECT a.id, b.id FROM {items} AS a, {items} AS b WHERE b.id = 100 / a.grp AND a.grp <> 0",
    "SELECT a.id, b.id FROM {items} AS a JOIN {items} AS b ON b.id = 100 / a.grp"
    " WHERE a.grp > 0 AND b.grp > 0",
    "SELECT a.id, b.id FROM {items} AS a LEFT JOIN {items} AS b ON b.id = 100 / a.grp WHERE a.grp > 0",
]

FAILING = [
    "SELECT a.id, b.id FROM {items} AS a, {items} AS b WHERE b.id = 100 / a.grp",
    "SELECT a.id, b.id FROM {items} AS a, {items} AS b WHERE b.id = a.id AND 10 / (a.grp - b.grp) > 0",
]


@pytest.fixture(scope="module")
def schema(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with whole_schema(server, "test_conditions", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", JOINED)
def test_an_equality_of_two_relations_joins(db: psycopg.Connection, schema: str, text: str) -> None:
    """Hidden in a CASE it would leave DuckDB no way but to compare each row with each."""
    assert is_pushed(db, ours(schema, text))
    assert _JOINED.search(_without_cases(plan(db, ours(schema, text))))
    assert same(db, schema, text)


@pytest.mark.parametrize("text", GUARDED)
def test_rows_that_would_fail_and_are_left_out(db: psycopg.Connection, schema: str, text: str) -> None:
    assert is_pushed(db, ours(schema, text))
    assert sorted(rows(db, ours(schema, text))) == sorted(rows(db, heap(schema, text)))


@pytest.mark.parametrize("text", FAILING)
def test_rows_that_fail(db: psycopg.Connection, schema: str, text: str) -> None:
    for query in (ours(schema, text), heap(schema, text)):
        with pytest.raises(psycopg.errors.DivisionByZero), db.transaction():
            rows(db, query)


def _without_cases(text: str) -> str:
    shorter = _CASE.sub("", text)
    return text if shorter == text else _without_cases(shorter)
