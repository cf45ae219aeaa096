"""LATERAL, WITH TIES, frames by distance and recursive WITH in DuckDB as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import heap, is_pushed, ours, plan, rows, same, whole_schema

pytestmark = pytest.mark.server

LATERAL = [
    "SELECT i.id, x.m FROM {items} AS i, LATERAL (SELECT max(g.limits) AS m FROM {groups} AS g"
    " WHERE g.grp < i.grp) AS x",
    "SELECT g.grp, x.id FROM {groups} AS g LEFT JOIN LATERAL (SELECT id FROM {items} AS i WHERE i.grp = g.grp"
    " ORDER BY id DESC LIMIT 2) AS x ON true",
    "SELECT g.grp, x.id FROM {groups} AS g JOIN LATERAL (SELECT id, small FROM {items} AS i"
    " WHERE i.grp = g.grp) AS x ON x.small < g.limits",
    "SELECT i.id, y.d FROM {items} AS i, LATERAL (SELECT i.id + i.grp AS s) AS x,"
    " LATERAL (SELECT x.s * 2 AS d) AS y WHERE i.id < 30",
    "SELECT g.title, x.n, y.m FROM {groups} AS g CROSS JOIN LATERAL (SELECT count(*) AS n FROM {items} AS i"
    " WHERE i.grp = g.grp) AS x LEFT JOIN LATERAL (SELECT min(id) AS m FROM {items} AS i WHERE i.id > x.n)"
    " AS y ON true",
    "SELECT i.id, v.k, v.x FROM {items} AS i, LATERAL (VALUES ('grp', i.grp::bigint), ('big', i.big))"
    " AS v (k, x) WHERE i.id < 20",
    "SELECT i.id, x.t FROM {items} AS i, LATERAL (SELECT g.title AS t FROM {groups} AS g WHERE g.grp = i.grp"
    " UNION ALL SELECT i.name) AS x",
    "SELECT count(*) FROM {items} AS i WHERE EXISTS (SELECT FROM {groups} AS g,"
    " LATERAL (SELECT g.limits + i.id AS s) AS x WHERE x.s > 100 AND g.grp = i.grp)",
]

CORRELATED = [
    "SELECT id, coalesce((SELECT g.title FROM {groups} AS g WHERE g.grp < i.grp ORDER BY 1 LIMIT 1), 'no')"
    " FROM {items} AS i",
    "SELECT id, (SELECT g.title FROM {groups} AS g WHERE g.grp <= i.grp ORDER BY g.grp DESC LIMIT 1)"
    " FROM {items} AS i",
    "SELECT id FROM {items} AS i WHERE small IN"
    " (SELECT g.limits / 10 FROM {groups} AS g WHERE g.grp <> i.grp)",
    "SELECT id FROM {items} AS i WHERE small NOT IN (SELECT g.grp FROM {groups} AS g WHERE g.limits > i.id)",
    "SELECT id FROM {items} AS i WHERE id > ALL (SELECT g.limits FROM {groups} AS g WHERE g.grp = i.grp)",
    "SELECT g.grp, (SELECT count(*) FROM {items} AS i WHERE i.grp = g.grp AND EXISTS"
    " (SELECT FROM {labels} AS l WHERE l.id = i.id AND l.id > g.grp)) FROM {groups} AS g",
    "SELECT grp, count(*) FROM {items} AS i GROUP BY grp"
    " HAVING count(*) > (SELECT sum(g.limits) FROM {groups} AS g WHERE g.grp = i.grp)",
    "SELECT i.id, CASE WHEN i.id < 9 THEN (SELECT max(l.label) FROM {labels} AS l WHERE l.id = i.id)"
    " ELSE i.code END FROM {items} AS i",
    "SELECT i.id, g.title FROM {items} AS i LEFT JOIN {groups} AS g"
    " ON g.grp = (SELECT min(l.id) FROM {labels} AS l WHERE l.id > i.grp)",
    "SELECT g.grp, (SELECT avg(i.amount) > 11 FROM {items} AS i WHERE i.grp = g.grp),"
    " (SELECT count(DISTINCT i.small) FROM {items} AS i WHERE i.grp > g.grp) FROM {groups} AS g",
    "SELECT id, (SELECT sum(x.n) FROM (SELECT count(*) AS n FROM {labels} AS l WHERE l.id < i.grp"
    " GROUP BY l.id) AS x) FROM {items} AS i",
    "SELECT g.grp, (SELECT string_agg(i.name, ',' ORDER BY i.name) FROM {items} AS i"
    " WHERE i.grp = g.grp AND i.id < 40) FROM {groups} AS g",
    "SELECT g.grp, (SELECT rank() OVER (ORDER BY i.small, i.id) FROM {items} AS i WHERE i.grp = g.grp"
    " ORDER BY i.id DESC LIMIT 1) FROM {groups} AS g",
]

TIES = [
    "SELECT id, small FROM {items} ORDER BY small FETCH FIRST 2 ROWS WITH TIES",
    "SELECT id, grp FROM {items} WHERE grp IS NOT NULL ORDER BY grp DESC FETCH FIRST 1 ROW WITH TIES",
    "SELECT small FROM {items} ORDER BY small DESC NULLS LAST OFFSET 3 FETCH FIRST 20 ROWS WITH TIES",
    "SELECT id FROM {items} ORDER BY id FETCH FIRST 1000 ROWS WITH TIES",
    "SELECT grp, count(*) FROM {items} GROUP BY grp ORDER BY count(*) DESC FETCH FIRST 1 ROW WITH TIES",
    "SELECT count(*) FROM (SELECT id FROM {items} ORDER BY code FETCH FIRST 1 ROW WITH TIES) AS x",
    "SELECT grp FROM {items} ORDER BY grp OFFSET 195 FETCH FIRST 9 ROWS WITH TIES",
]

FRAMES = [
    "SELECT id, sum(id) OVER (ORDER BY grp RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM {items}",
    "SELECT id, count(*) OVER (ORDER BY small RANGE BETWEEN 2 PRECEDING AND 3 FOLLOWING) FROM {items}",
    "SELECT id, max(id) OVER (ORDER BY small DESC RANGE BETWEEN 4 FOLLOWING AND 6 FOLLOWING) FROM {items}",
    "SELECT id, count(*) OVER (PARTITION BY flag ORDER BY small NULLS FIRST"
    " RANGE BETWEEN 3 PRECEDING AND 1 PRECEDING EXCLUDE CURRENT ROW) FROM {items}",
    "SELECT id, sum(small) OVER (ORDER BY big RANGE BETWEEN 2000006 PRECEDING AND 0 FOLLOWING) FROM {items}",
    "SELECT id, count(*) OVER (ORDER BY day RANGE BETWEEN '1 month' PRECEDING AND '3 days' FOLLOWING)"
    " FROM {items}",
    "SELECT id, min(id) OVER (ORDER BY at DESC RANGE BETWEEN '2 hours' PRECEDING AND '30 minutes' FOLLOWING"
    " EXCLUDE TIES) FROM {items}",
    "SELECT id, first_value(id) OVER (ORDER BY grp, id GROUPS BETWEEN 2 PRECEDING AND 1 PRECEDING"
    " EXCLUDE GROUP) FROM {items}",
]

RECURSIVE = [
    "WITH RECURSIVE r (id, n) AS (SELECT id, 1 FROM {items} WHERE id <= 2 UNION ALL"
    " SELECT i.id, r.n + 1 FROM r JOIN {items} AS i ON i.id = r.id * 3) SELECT id, n FROM r ORDER BY id, n",
    "WITH RECURSIVE r (grp) AS (SELECT grp FROM {groups} WHERE grp = 0 UNION"
    " SELECT i.grp FROM r JOIN {items} AS i ON i.id % 7 = (r.grp + 2) % 7 WHERE i.id < 60)"
    " SELECT grp FROM r ORDER BY grp",
    "WITH RECURSIVE r (id, path) AS (SELECT id, name FROM {items} WHERE id = 1 UNION ALL"
    " SELECT i.id, r.path || '/' || i.name FROM r, {items} AS i WHERE i.id = r.id * 2)"
    " SELECT max(length(path)), count(*) FROM r",
    "WITH RECURSIVE top AS (SELECT id, grp FROM {items} WHERE id < 4), r AS (SELECT id, grp FROM top UNION"
    " SELECT i.id, r.grp FROM {items} AS i JOIN r ON i.grp = r.grp AND i.id < 40)"
    " SELECT a.grp, count(*) FROM r AS a JOIN r AS b USING (id) GROUP BY a.grp ORDER BY 1",
    "WITH RECURSIVE r (grp) AS (SELECT grp FROM {empty} AS e, {groups} UNION ALL SELECT grp FROM r)"
    " SELECT count(*) FROM r",
]

INTERVALS = [
    "SELECT extract(epoch FROM span), count(*) FROM {items} GROUP BY span ORDER BY span",
    "SELECT count(DISTINCT span), min(id) FROM {items} GROUP BY grp ORDER BY 1, 2",
    "SELECT span, id FROM {items} ORDER BY span DESC, id",
    "SELECT - span AS s, id FROM (SELECT span - (span + span) AS span, id FROM {items}) AS x ORDER BY s, id",
    "SELECT count(*) FROM (SELECT DISTINCT span FROM {items}) AS x",
    "SELECT count(*) FROM {items} AS a JOIN {items} AS b ON a.span = b.span",
]

LOCAL = [
    "WITH RECURSIVE r (n) AS (SELECT min(id) FROM {items} UNION ALL SELECT n + 1 FROM r)"
    " SELECT n FROM r LIMIT 5",
    "SELECT id, sum(id) OVER (ORDER BY price RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM {items}",
    "SELECT DISTINCT span FROM {items} ORDER BY span DESC",
    "SELECT DISTINCT small FROM {items} ORDER BY small FETCH FIRST 2 ROWS WITH TIES",
    "SELECT id FROM {items} ORDER BY id FETCH FIRST 0 ROWS WITH TIES",
]


# PostgreSQL computes all columns of what it does not inline; DuckDB those that are read.
FAILING = "WITH x AS {how} (SELECT id, 10 / (grp - grp) AS q FROM {{items}})"
UNREAD = [
    FAILING.format(how="MATERIALIZED") + " SELECT count(id) FROM x",
    FAILING.format(how="") + " SELECT a.id FROM x AS a JOIN x AS b USING (id)",
    FAILING.format(how="MATERIALIZED") + " SELECT id FROM {items} WHERE id IN (SELECT id FROM x)",
]
INLINED = [
    FAILING.format(how="") + " SELECT count(id) FROM x",
    "WITH x AS MATERIALIZED (SELECT id, 10 / (grp + 1) AS q FROM {items}) SELECT id FROM x WHERE q > 1",
    "WITH x AS (SELECT id, 10 / (grp + 1) AS q FROM {items})"
    " SELECT a.id, b.q FROM x AS a JOIN x AS b ON a.id = b.id AND a.q > 1",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_forms", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", [*LATERAL, *CORRELATED, *TIES, *FRAMES, *RECURSIVE, *INTERVALS])
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert is_pushed(db, ours(whole, text)), plan(db, ours(whole, text))
    assert same(db, whole, text, ordered=text in INTERVALS or text in RECURSIVE)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 10 / (grp - grp) FROM {items} INTERSECT SELECT id FROM {items} WHERE %(none)s",
        "SELECT id FROM {items} WHERE %(none)s EXCEPT SELECT 10 / (grp - grp) FROM {items}",
        "SELECT id FROM {items} WHERE 10 / (grp - grp) > 1 INTERSECT SELECT id FROM {items} WHERE %(none)s",
        "SELECT id, 10 / (id - 150) FROM {items} ORDER BY id FETCH FIRST 2 ROWS WITH TIES",
    ],
)
def test_what_fails_in_rows_that_are_left_out(db: psycopg.Connection, whole: str, text: str) -> None:
    for side in (ours, heap):
        query = side(whole, text.replace("%(none)s", "NULL::int IS NOT NULL"))
        with pytest.raises(psycopg.errors.DivisionByZero):
            db.execute(query)


@pytest.mark.parametrize("text", INLINED)
def test_columns_of_a_with_query_that_can_fail(db: psycopg.Connection, whole: str, text: str) -> None:
    assert is_pushed(db, ours(whole, text)), plan(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize("text", UNREAD)
def test_a_column_that_fails_and_is_not_read(db: psycopg.Connection, whole: str, text: str) -> None:
    for side in (ours, heap):
        with pytest.raises(psycopg.errors.DivisionByZero):
            db.execute(side(whole, text))


@pytest.mark.parametrize("text", LOCAL)
def test_what_postgresql_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text, ordered=False)


def test_a_frame_beyond_the_type_is_postgresqls(db: psycopg.Connection, whole: str) -> None:
    """DuckDB adds the distance to the key, which may be too much for the key's type."""
    text = (
        "SELECT id, count(*) OVER (ORDER BY grp RANGE BETWEEN 2147483647 PRECEDING AND 2147483647 FOLLOWING)"
    )
    text += " FROM {items}"
    assert sorted(rows(db, ours(whole, text))) == sorted(rows(db, heap(whole, text)))


def test_a_lateral_part_beside_an_ordinary_table(db: psycopg.Connection, whole: str) -> None:
    text = (
        "SELECT n, x.m FROM generate_series(0, 5) AS n,"
        " LATERAL (SELECT max(id) AS m FROM {items} AS i WHERE i.grp = n) AS x"
    )
    assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text)
