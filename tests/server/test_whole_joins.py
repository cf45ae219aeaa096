"""Joins, subqueries, WITH and set operations that run in DuckDB as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import is_pushed, ours, same, whole_schema

pytestmark = pytest.mark.server

JOINS = [
    "SELECT i.id, g.title FROM {items} AS i JOIN {groups} AS g ON g.grp = i.grp",
    "SELECT i.id, g.title FROM {items} AS i LEFT JOIN {groups} AS g ON g.grp = i.grp AND g.limits > 10",
    "SELECT i.id, g.title FROM {items} AS i RIGHT JOIN {groups} AS g ON g.grp = i.grp",
    "SELECT i.id, g.title, l.label FROM {items} AS i FULL JOIN {groups} AS g ON g.grp = i.grp"
    " FULL JOIN {labels} AS l ON l.id = i.id",
    "SELECT grp, count(*) FROM {items} FULL JOIN {groups} USING (grp) GROUP BY grp",
    "SELECT grp, id, title FROM {items} NATURAL JOIN {groups} WHERE id < 50",
    "SELECT j.grp, j.title FROM ({items} JOIN {groups} USING (grp)) AS j WHERE j.id < 20",
    "SELECT count(*) FROM {items}, {groups}, {labels}",
    "SELECT a.id, b.id FROM {items} AS a JOIN {items} AS b ON b.id = a.id + 1 WHERE a.grp < b.grp",
    "SELECT l.label, i.name FROM {labels} AS l JOIN {items} AS i ON i.id = l.id",
    "SELECT g.title, sum(i.amount), count(i.id) FROM {groups} AS g LEFT JOIN {items} AS i ON i.grp = g.grp"
    " GROUP BY g.title ORDER BY 3 DESC, 1 LIMIT 3",
    "SELECT i.doc, i.span FROM {labels} AS l LEFT JOIN {items} AS i ON i.id = l.id",
    "SELECT i.at, g.grp FROM {groups} AS g LEFT JOIN {items} AS i ON i.id = g.limits",
    "SELECT x.grp, x.n FROM (SELECT grp, count(*) AS n FROM {items} GROUP BY grp) AS x WHERE x.n > 28",
    "SELECT x.n, g.title FROM (SELECT grp, count(*) AS n FROM {items} GROUP BY grp) AS x"
    " LEFT JOIN {groups} AS g USING (grp)",
    "SELECT max(n) FROM (SELECT name, count(*) AS n FROM {items} GROUP BY name) AS x",
    "SELECT id FROM (SELECT id FROM {items} ORDER BY id DESC LIMIT 5) AS x ORDER BY id",
    "SELECT a, b, c FROM (SELECT id AS a, id AS b, doc FROM {items}) AS x (a, b, c) ORDER BY b LIMIT 3",
    "SELECT v.n, count(i.id) FROM (VALUES (1, 'a'), (2, NULL), (NULL, 'c')) AS v (n, t)"
    " LEFT JOIN {items} AS i ON i.grp = v.n GROUP BY v.n",
    "SELECT 1 FROM {items} AS a JOIN {labels} AS b ON true WHERE a.id = 5",
]

SUBQUERIES = [
    "SELECT id FROM {items} WHERE grp IN (SELECT grp FROM {groups} WHERE limits > 10)",
    "SELECT id FROM {items} WHERE grp NOT IN (SELECT grp FROM {groups} WHERE grp IS NOT NULL)",
    "SELECT id FROM {items} WHERE grp NOT IN (SELECT grp FROM {groups})",
    "SELECT id FROM {items} WHERE small NOT IN (SELECT id FROM {empty})",
    "SELECT id FROM {items} WHERE id > ALL (SELECT limits FROM {groups} WHERE limits IS NOT NULL)",
    "SELECT id FROM {items} WHERE id < ANY (SELECT limits FROM {groups})",
    "SELECT id, id = ANY (SELECT limits FROM {groups}) FROM {items} WHERE id < 30",
    "SELECT id FROM {items} AS i"
    " WHERE EXISTS (SELECT FROM {groups} AS g WHERE g.grp = i.grp AND g.limits > i.id)",
    "SELECT id FROM {items} AS i WHERE NOT EXISTS (SELECT FROM {groups} AS g WHERE g.grp = i.grp)",
    "SELECT id, (SELECT title FROM {groups} AS g WHERE g.grp = i.grp) FROM {items} AS i WHERE id < 40",
    "SELECT id, (SELECT count(*) FROM {labels} AS l WHERE l.id = i.id) FROM {items} AS i WHERE id < 10",
    "SELECT id, (SELECT max(limits) FROM {groups}) FROM {items} WHERE id < 5",
    "SELECT (SELECT count(*) FROM {items}), (SELECT min(id) FROM {empty})",
    "SELECT id FROM {items} WHERE amount > (SELECT max(amount) - 1 FROM {items})",
    "SELECT grp, count(*) FROM {items} GROUP BY grp HAVING count(*) > (SELECT min(limits) FROM {groups})",
    "SELECT id FROM {items} AS a WHERE id = (SELECT max(b.id) FROM {items} AS b WHERE b.grp = a.grp)",
    "SELECT count(*) FILTER (WHERE id IN (SELECT limits FROM {groups})) FROM {items}",
    "SELECT CASE WHEN EXISTS (SELECT FROM {empty}) THEN 1 ELSE 2 END, count(*) FROM {items} GROUP BY 1",
]

WITHS = [
    "WITH x AS (SELECT grp, count(*) AS n FROM {items} GROUP BY grp)"
    " SELECT a.n, b.n FROM x AS a JOIN x AS b USING (grp)",
    "WITH x AS MATERIALIZED (SELECT id FROM {items} WHERE id < 10), y AS (SELECT max(id) AS m FROM x)"
    " SELECT x.id, y.m FROM x, y",
    "WITH items AS (SELECT id FROM {items} WHERE id < 3) SELECT count(*) FROM items",
    "WITH x (a, b) AS (SELECT id, name FROM {items})"
    " SELECT (SELECT count(*) FROM x WHERE a < 9), max(b) FROM x",
]

SETS = [
    "SELECT id FROM {items} WHERE id < 5 UNION ALL SELECT id FROM {labels}",
    "SELECT grp FROM {items} UNION SELECT grp FROM {groups}",
    "SELECT grp FROM {items} INTERSECT SELECT grp FROM {groups}",
    "SELECT grp FROM {items} INTERSECT ALL SELECT grp FROM {groups}",
    "SELECT grp FROM {groups} EXCEPT SELECT grp FROM {items}",
    "SELECT grp FROM {items} EXCEPT ALL SELECT grp FROM {groups}",
    "SELECT grp, name FROM {items} UNION SELECT id, label FROM {labels} ORDER BY 2, 1 LIMIT 9",
    "(SELECT id FROM {items} ORDER BY id DESC LIMIT 2) UNION ALL (SELECT id FROM {labels} LIMIT 0)",
    "SELECT small FROM {items} UNION SELECT big FROM {items} WHERE id < 9 UNION SELECT limits FROM {groups}",
    "SELECT id FROM {items} WHERE id < 9 EXCEPT (SELECT id FROM {labels} UNION SELECT grp FROM {groups})",
    "SELECT count(*) FROM (SELECT id FROM {items} UNION ALL SELECT id FROM {labels}) AS x",
    "SELECT id, 'item' AS t FROM {items} WHERE id < 3 UNION ALL SELECT grp, title FROM {groups}",
    "SELECT doc FROM {items} WHERE id < 3 UNION ALL SELECT doc FROM {items} WHERE id > 198",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_joins", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", [*JOINS, *SUBQUERIES, *WITHS, *SETS])
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


def test_a_subquery_of_two_rows_is_postgresqls_error(db: psycopg.Connection, whole: str) -> None:
    for text in (
        "SELECT id, (SELECT label FROM {labels} AS l WHERE l.id = i.id) FROM {items} AS i",
        "SELECT count(*) FROM {items} WHERE id = (SELECT id FROM {labels})",
    ):
        assert is_pushed(db, ours(whole, text))
        with pytest.raises(psycopg.errors.CardinalityViolation):
            db.execute(ours(whole, text))
