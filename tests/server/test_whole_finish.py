"""Queries of which PostgreSQL finishes the target list or HAVING above one query of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import NODE, heap, ours, plan, same, whole_schema

pytestmark = pytest.mark.server

FINISHED = [
    "SELECT avg(grp), avg(small), avg(big), avg(amount) FROM {items}",
    "SELECT avg(id), avg(id) FILTER (WHERE id < 0) FROM {empty}",
    "SELECT grp, avg(DISTINCT small), avg(id) FILTER (WHERE flag), count(*) FROM {items} GROUP BY grp",
    "SELECT grp, avg(big) FROM {items} GROUP BY grp ORDER BY avg(big) DESC, grp LIMIT 3",
    "SELECT grp, avg(amount) AS a FROM {items} GROUP BY grp ORDER BY grp OFFSET 2",
    "SELECT grp FROM {items} GROUP BY grp ORDER BY avg(small), grp",
    "SELECT grp, count(*) FROM {items} GROUP BY grp HAVING avg(small) > 6",
    "SELECT grp FROM {items} GROUP BY grp HAVING avg(small) > 6 ORDER BY max(id) DESC LIMIT 2",
    "SELECT DISTINCT round(avg(big), -6) FROM {items} GROUP BY grp",
    "SELECT DISTINCT flag, avg(small) > 6 FROM {items} GROUP BY grp, flag ORDER BY flag, 2",
    "SELECT format('%s has %s', grp, count(*)) FROM {items} GROUP BY grp",
    "SELECT grp, round(avg(amount), 2) + grp, sum(amount) / count(*) FROM {items} GROUP BY grp",
    "SELECT id, to_char(at, 'FMDay DD. Month') FROM {items} ORDER BY id DESC LIMIT 4",
    "SELECT to_char(day, 'YYYY-MM'), count(*), avg(id) FROM {items} GROUP BY day"
    " ORDER BY count(*) DESC, day LIMIT 3",
    "SELECT id, format('%s', (SELECT count(*) FROM {groups} AS g WHERE g.grp = i.grp)) FROM {items} AS i"
    " ORDER BY id LIMIT 5",
    "SELECT grp, avg(n) FROM (SELECT grp, name, count(*) AS n FROM {items} GROUP BY grp, name) AS x"
    " GROUP BY grp",
    "WITH x AS (SELECT grp, avg(big) AS a FROM {items} GROUP BY grp) SELECT count(*), max(a) FROM x",
    "SELECT (SELECT avg(id) FROM {items}) AS a, format('%s', 1)",
    "SELECT i.grp, g.title, avg(i.id) FROM {items} AS i JOIN {groups} AS g USING (grp)"
    " GROUP BY i.grp, g.title",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_finish", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", FINISHED)
def test_what_postgresql_finishes(db: psycopg.Connection, whole: str, text: str) -> None:
    shown = plan(db, ours(whole, text))
    assert shown.count(NODE) == 1
    assert "Foreign Scan" not in shown
    assert same(db, whole, text)


# A constant that DuckDB does not have, in a subquery, and what fails of it: an error only if there is a row.
ABOVE = [
    ("SELECT x.j - 'a' FROM (SELECT '\"t\"'::jsonb AS j FROM {empty} ORDER BY id LIMIT 5) AS x", None),
    ("SELECT x.j - 'a' FROM (SELECT '\"t\"'::jsonb AS j FROM {items} ORDER BY id LIMIT 5) AS x", "22023"),
    ("SELECT x.j - 'a' FROM (SELECT '\"t\"'::jsonb AS j FROM {empty} GROUP BY id) AS x", None),
    ("SELECT x.j - 'a' FROM (SELECT '\"t\"'::jsonb AS j FROM {items} GROUP BY grp) AS x", "22023"),
    ("SELECT x.j - 'a' FROM (SELECT '\"t\"'::jsonb AS j, max(id) FROM {empty} GROUP BY id) AS x", None),
    ("SELECT x.j - 'a' FROM (SELECT DISTINCT '\"t\"'::jsonb AS j, id FROM {empty}) AS x", None),
    ("SELECT x.j - 'a' FROM (SELECT '\"t\"'::jsonb AS j FROM {empty}, {items}) AS x", "22023"),
]


@pytest.mark.parametrize(("text", "sqlstate"), ABOVE)
def test_an_error_above_what_is_finished_needs_a_row(
    db: psycopg.Connection, whole: str, text: str, sqlstate: str | None
) -> None:
    for statement in (heap(whole, text), ours(whole, text)):
        if sqlstate is None:
            assert db.execute(statement).fetchall() == []
        else:
            with pytest.raises(psycopg.Error) as error:
                db.execute(statement)
            assert error.value.sqlstate == sqlstate
