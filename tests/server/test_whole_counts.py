"""Outer joins of which DuckDB knows one side to be empty: it takes the number of their rows for zero.

By that number DuckDB 2.0.0 leaves out a LIMIT, decides an EXISTS, and takes sums for small.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import is_pushed, ours, same, whole_schema

pytestmark = pytest.mark.server

NONE = "(SELECT id FROM {items} WHERE id > 5000) AS none"
"""No row: the session's own statistics say so."""

LEFT = "{huge} AS h LEFT JOIN " + NONE + " ON none.id = h.id"

JOINS = {
    "left": LEFT,
    "right": NONE + " RIGHT JOIN {huge} AS h ON none.id = h.id",
    "full": "{huge} AS h FULL JOIN " + NONE + " ON none.id = h.id",
    "lateral": "{huge} AS h"
    " LEFT JOIN LATERAL (SELECT i.id FROM {items} AS i WHERE i.id > 5000 AND i.id = h.id) AS none ON true",
    "inner query": "(SELECT h.id, h.big, h.amount FROM " + LEFT + " WHERE h.id > 3) AS h",
}

LIMITS = [
    "SELECT count(*) FROM (SELECT h.id FROM {} LIMIT 3) AS x",
    "SELECT count(*) FROM"
    " (SELECT h.id, lag(h.id) OVER (ORDER BY h.id) AS b FROM {} ORDER BY b, 1 LIMIT 3) AS x",
    "SELECT count(*) FROM (SELECT h.id FROM {} LIMIT 3 OFFSET 1) AS x",
    "SELECT h.id FROM {} ORDER BY h.id DESC LIMIT 3",
]

SUMS = [
    "SELECT sum(h.big), avg(h.big), sum(h.amount), avg(h.amount), count(*) FROM {}",
    "SELECT h.id % 3, sum(h.big), sum(h.amount) FROM {} GROUP BY 1",
    "SELECT sum(h.big) FILTER (WHERE h.id > 9), sum(DISTINCT h.big + h.id) FROM {}",
    "SELECT h.id % 3, sum(h.id), avg(h.id), sum(h.amount) FROM {} GROUP BY 1 ORDER BY 2, 4",
    "SELECT DISTINCT sum(h.id), sum(h.id + h.big) FROM {} GROUP BY h.id % 7",
    "SELECT x.s, count(*), max(x.a) FROM"
    " (SELECT sum(h.id) AS s, sum(h.amount) AS a FROM {} GROUP BY h.id % 7) AS x GROUP BY x.s ORDER BY 1",
    "SELECT h.id % 7, sum(h.id), count(*), rank() OVER (ORDER BY sum(h.id) DESC) FROM {} GROUP BY 1",
    "SELECT h.id, sum(h.big) OVER (PARTITION BY h.id % 3), sum(h.amount) OVER (ORDER BY h.id) FROM {}",
]

EXISTENCE = [
    "SELECT i.id FROM {{items}} AS i WHERE EXISTS (SELECT FROM {})",
    "SELECT i.id FROM {{items}} AS i WHERE NOT EXISTS (SELECT h.id FROM {})",
    "SELECT i.id, EXISTS (SELECT FROM {} WHERE h.id > 7) FROM {{items}} AS i",
    "SELECT i.id FROM {{items}} AS i WHERE EXISTS (SELECT FROM {} WHERE h.id = i.id)",
    "SELECT i.id FROM {{items}} AS i WHERE (3, 4) IN (SELECT h.id, h.id + 1 FROM {})",
    "SELECT i.id FROM {{items}} AS i WHERE (i.id, 4) IN (SELECT h.id, h.id + 1 FROM {})",
    "SELECT i.id FROM {{items}} AS i WHERE 5 IN (SELECT h.id FROM {})",
    "SELECT i.id FROM {{items}} AS i WHERE i.id NOT IN (SELECT h.id FROM {})",
    "SELECT i.id, (SELECT max(h.id) FROM {}) FROM {{items}} AS i",
]


@pytest.fixture(scope="module")
def schema(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with whole_schema(server, "test_counts", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("text", [*LIMITS, *SUMS])
def test_limits_and_sums(db: psycopg.Connection, schema: str, text: str, join: str) -> None:
    query = text.format(JOINS[join])
    assert is_pushed(db, ours(schema, query))
    assert same(db, schema, query, ordered=False)


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("text", EXISTENCE)
def test_existence(db: psycopg.Connection, schema: str, text: str, join: str) -> None:
    assert same(db, schema, text.replace("{{", "{").replace("}}", "}").replace("{}", JOINS[join]))
