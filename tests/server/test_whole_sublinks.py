"""Rows that are looked for in a subquery, and arrays of what a subquery finds."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import heap, is_pushed, ours, plan, rows, same, whole_schema

pytestmark = pytest.mark.server

ROWS = [
    "SELECT id FROM {items} WHERE (grp, small) IN (SELECT id, grp FROM {labels}, {groups})",
    "SELECT id FROM {items} AS i WHERE id < 190 AND (grp, big) IN (SELECT grp, max(big) FROM {items} AS j"
    " WHERE j.id <= i.id GROUP BY grp)",
    "SELECT count(*) FROM {items}"
    " WHERE (grp, amount, name) IN (SELECT grp, min(amount), max(name) FROM {items}"
    " GROUP BY grp) AND flag",
    "SELECT id FROM {items} WHERE (small, code) IN (SELECT id, name FROM {empty})",
]

NOT_IN = [
    "SELECT id FROM {items} WHERE (grp, small) NOT IN (SELECT grp, 3 FROM {groups} WHERE grp > 1)",
    "SELECT id FROM {items} WHERE (grp, small) NOT IN (SELECT id, grp FROM {labels}, {groups})",
    "SELECT id FROM {items} WHERE (grp, small) NOT IN (SELECT id, grp FROM {labels}, {groups}"
    " WHERE id IS NOT NULL AND grp IS NOT NULL) AND flag",
    "SELECT id FROM {items} WHERE (small, code) NOT IN (SELECT id, name FROM {empty})",
    "SELECT id FROM {items} WHERE (id, code) NOT IN (SELECT id, code FROM {items} WHERE id % 2 = 0)",
    "SELECT id FROM {items} WHERE NOT (code, price) IN (SELECT code, price FROM {items} WHERE id < 7)",
    "SELECT count(*) FROM {items} WHERE (small, amount, name) NOT IN"
    " (SELECT small, min(amount), max(name) FROM {items} GROUP BY small)",
    "SELECT id FROM {items} AS i WHERE (grp, small) NOT IN"
    " (SELECT g.grp, g.limits / 10 FROM {groups} AS g WHERE g.limits > i.id)",
    "SELECT id FROM {items} WHERE (grp, 2) NOT IN (SELECT g.grp, l.id FROM {groups} AS g, {labels} AS l)",
    "SELECT id FROM {items} WHERE (grp, day, at) NOT IN (SELECT grp, day, at FROM {items} WHERE id > 100)",
]

# All sets of eight pairs, and each pair with and without nulls beside each set.
VALUES = (
    "(VALUES (1, 1, 1), (2, 1, NULL), (4, NULL, 1), (8, NULL, NULL), (16, 2, 1), (32, 2, NULL), (64, 1, 2)"
)
VALUES += ", (128, NULL, 2)) AS {name} (bit, a, b)"
MINE, OTHERS = VALUES.replace("{name}", "o"), VALUES.replace("{name}", "s")
EVERY_SET = (
    f"SELECT l.id, o.bit FROM {{letters}} AS l, {MINE} WHERE (o.a, o.b) {{word}}"
    f" (SELECT s.a, s.b FROM {OTHERS} WHERE l.id & s.bit <> 0)"
)

ARRAYS = [
    "SELECT g.grp, ARRAY(SELECT i.id FROM {items} AS i WHERE i.grp = g.grp AND i.id < 40 ORDER BY i.id)"
    " FROM {groups} AS g",
    "SELECT g.grp, ARRAY(SELECT i.name FROM {items} AS i WHERE i.grp = g.grp ORDER BY i.small DESC, i.id)"
    " FROM {groups} AS g",
    "SELECT ARRAY(SELECT small FROM {items} ORDER BY small NULLS FIRST, id DESC), count(*) FROM {items}",
    "SELECT grp, ARRAY(SELECT DISTINCT code FROM {items} ORDER BY code DESC) FROM {groups}",
    "SELECT ARRAY(SELECT name FROM {items} ORDER BY name LIMIT 5 OFFSET 2) AS a"
    " FROM {empty} RIGHT JOIN {groups} ON true",
    "SELECT g.grp, ARRAY(SELECT i.name FROM {items} AS i WHERE i.grp = g.grp ORDER BY i.name DESC LIMIT 3)"
    " FROM {groups} AS g",
    "SELECT g.grp, ARRAY(SELECT i.grp FROM {items} AS i WHERE i.grp < g.grp"
    " UNION SELECT l.id FROM {labels} AS l ORDER BY 1) FROM {groups} AS g",
    "SELECT grp, ARRAY(SELECT max(id) FROM {items} AS i WHERE i.grp >= g.grp GROUP BY i.grp ORDER BY i.grp)"
    " FROM {groups} AS g",
    "SELECT x.a, x.grp FROM (SELECT grp, ARRAY(SELECT l.label FROM {labels} AS l WHERE l.id = g.grp"
    " ORDER BY l.label) AS a FROM {groups} AS g) AS x WHERE x.grp < 5",
    "SELECT id, ARRAY(SELECT g.grp + i.id FROM {groups} AS g WHERE g.grp < i.grp ORDER BY g.grp + i.id)"
    " FROM {items} AS i",
]

COLUMNS = ("flag", "grp", "small", "big", "price", "name", "code", "day", "at", "at AT TIME ZONE 'UTC'")

LOCAL = [
    "SELECT id FROM {items} WHERE (grp, small) NOT IN"
    " (SELECT grp, limits FROM {groups} ORDER BY 1, 2 LIMIT 3)",
    "WITH x AS (SELECT grp, limits FROM {groups}) SELECT id FROM {items} WHERE (grp, small) NOT IN"
    " (SELECT grp, limits FROM x)",
    "SELECT id, (grp, small) NOT IN (SELECT grp, 3 FROM {groups}) FROM {items}",
    "SELECT id FROM {items} WHERE (1, 2) NOT IN (SELECT grp, small FROM {items})",
    "SELECT id FROM {items} WHERE id < 9 OR (grp, small) NOT IN (SELECT grp, 3 FROM {groups})",
    "SELECT grp, ARRAY(SELECT amount FROM {items} ORDER BY amount) FROM {groups}",
    "SELECT grp FROM {groups} AS g"
    " WHERE ARRAY(SELECT i.id FROM {items} AS i WHERE i.grp = g.grp ORDER BY i.id) = '{{}}'",
    "SELECT g.grp, ARRAY(SELECT i.id FROM {items} AS i ORDER BY i.day LIMIT 3) FROM {groups} AS g",
    "SELECT ARRAY(SELECT DISTINCT ON (grp) id FROM {items} ORDER BY grp, id) FROM {groups}",
    "SELECT ARRAY(SELECT g.grp FROM {groups} AS g WHERE g.grp = l.id) FROM {labels} AS l",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_sublinks", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", [*ROWS, *NOT_IN, *ARRAYS])
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert is_pushed(db, ours(whole, text)), plan(db, ours(whole, text))
    assert same(db, whole, text, ordered=False)


@pytest.mark.parametrize("word", ["IN", "NOT IN"])
def test_every_row_beside_every_set(db: psycopg.Connection, whole: str, word: str) -> None:
    text = EVERY_SET.replace("{word}", word)
    assert is_pushed(db, ours(whole, text)), plan(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize("column", COLUMNS)
def test_elements_of_every_type(db: psycopg.Connection, whole: str, column: str) -> None:
    text = (
        f"SELECT ARRAY(SELECT {column} FROM {{items}} ORDER BY id DESC), ARRAY(SELECT {column} FROM {{items}}"
        " WHERE id > 200 ORDER BY id) FROM {groups}"
    )
    assert is_pushed(db, ours(whole, text)), plan(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize("text", LOCAL)
def test_what_postgresql_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert not is_pushed(db, ours(whole, text)), plan(db, ours(whole, text))
    assert same(db, whole, text, ordered=False)


def test_elements_with_the_same_keys_are_ordered_by_postgresql(db: psycopg.Connection, whole: str) -> None:
    listed = "SELECT grp, ARRAY(SELECT id FROM {items} ORDER BY flag) AS ids FROM {groups}"
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    found, expected = rows(db, ours(whole, listed)), rows(db, heap(whole, listed))
    assert len(found) == len(expected)
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() != before
