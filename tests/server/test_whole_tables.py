"""Queries on one table that run in DuckDB as a whole give what PostgreSQL gives on an ordinary table."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.server.whole import heap, is_pushed, ours, plan, same, whole_schema

pytestmark = pytest.mark.server

# Statements that are pushed whole; with a total order, or compared as a set.
PUSHED = [
    "SELECT count(*) FROM {items}",
    "SELECT count(*), count(small), count(DISTINCT grp), count(code), count(span), count(doc) FROM {items}",
    "SELECT sum(grp), sum(small), sum(big), sum(amount) FROM {items}",
    "SELECT sum(id), min(id), max(id) FROM {empty}",
    "SELECT name, count(*) FROM {empty} GROUP BY name",
    "SELECT grp, sum(DISTINCT small), count(*) FILTER (WHERE flag) FROM {items} GROUP BY grp",
    "SELECT min(small), max(small), min(big), max(price), min(amount), max(day), min(at) FROM {items}",
    "SELECT min(name), max(code) FROM {items}",
    "SELECT bool_and(flag), bool_or(flag), every(id > 0) FROM {items}",
    "SELECT bit_and(grp), bit_or(small), bit_xor(big) FROM {items}",
    "SELECT code, flag, count(*) FROM {items} GROUP BY code, flag",
    "SELECT price, count(*) FROM {items} GROUP BY price",
    "SELECT amount, max(id) FROM {items} GROUP BY amount HAVING count(*) > 1 AND max(id) < 190",
    "SELECT day, tag, count(*) FROM {items} GROUP BY tag, day ORDER BY day LIMIT 3",
    "SELECT grp + 1, count(*) FROM {items} GROUP BY grp + 1 ORDER BY grp + 1 DESC",
    "SELECT grp * 2 + sum(small) FROM {items} GROUP BY grp",
    "SELECT coalesce(grp + 1, 0), count(*) FROM {items} GROUP BY grp + 1",
    "SELECT coalesce(grp, 0), count(*) FROM {items} GROUP BY grp",
    "SELECT CASE WHEN small IS NULL THEN 1 ELSE 2 END, count(*) FROM {items} GROUP BY small IS NULL",
    "SELECT coalesce(small, 0::smallint) + 1, count(*) FROM {items} GROUP BY coalesce(small, 0::smallint)",
    "SELECT coalesce(grp, 0) IS NULL, sum(small) FROM {items} GROUP BY coalesce(grp, 0)",
    "SELECT grp % 3, count(*) FROM {items} GROUP BY grp % 3 HAVING coalesce(grp % 3, 0) = 0",
    "SELECT 1 FROM {items} HAVING count(*) > 3",
    "SELECT 1 FROM {empty} HAVING count(*) > 3",
    "SELECT DISTINCT code FROM {items}",
    "SELECT DISTINCT grp, flag FROM {items} ORDER BY flag DESC, grp",
    "SELECT id, name FROM {items} ORDER BY name DESC, id LIMIT 5",
    "SELECT id FROM {items} ORDER BY small NULLS FIRST, id DESC LIMIT 7 OFFSET 3",
    "SELECT id FROM {items} ORDER BY price DESC, id OFFSET 195",
    "SELECT id, doc, span, tag FROM {items} ORDER BY id LIMIT 4",
    "SELECT id FROM {items} WHERE grp = 3 AND name LIKE 'Name 1%' ORDER BY id",
    "SELECT id FROM {items} ORDER BY id LIMIT NULL OFFSET 198",
    "SELECT id FROM {items} ORDER BY id LIMIT 2 OFFSET 1000",
    "SELECT id FROM {items} ORDER BY id LIMIT 9223372036854775807 OFFSET 199",
    "SELECT FROM {items} ORDER BY id LIMIT 3",
    'SELECT id AS "Id", id AS "ID", id AS id FROM {items} ORDER BY 1 LIMIT 2',
    "SELECT max(id) AS id FROM {items} WHERE id < 100 ORDER BY max(id)",
]

# Statements that stay with PostgreSQL, at least in part, and are right.
LOCAL = [
    "SELECT id FROM {items} ORDER BY id LIMIT 0",
    "SELECT count(*), max(grp) FROM {items} WHERE 1 <> 1",
    "SELECT i.id FROM {items} AS i JOIN {groups} AS g USING (grp) WHERE NULL ORDER BY 1",
    "WITH x AS (SELECT 1 / (id - id) FROM {items}) SELECT count(*) FROM {groups}",
    "SELECT id FROM {items}",
    "SELECT id FROM {items} WHERE id < 3",
    "SELECT items FROM {items} AS items ORDER BY id LIMIT 1",
    "SELECT span, count(*) FROM {items} GROUP BY span",
    "SELECT id, random() < 2 FROM {items} ORDER BY id LIMIT 2",
    "SELECT id FROM {items} ORDER BY small FETCH FIRST 2 ROWS WITH TIES",
    "SELECT id, generate_series(1, 2) FROM {items} ORDER BY 1, 2 LIMIT 3",
    "SELECT tableoid::regclass::text <> '', count(*) FROM {items} GROUP BY 1",
    "SELECT count(*) FROM ONLY {items} TABLESAMPLE system (100)",
    'SELECT name COLLATE "en-x-icu" FROM {items} ORDER BY 1 LIMIT 3',
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_tables", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", PUSHED)
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize("text", [text for text in LOCAL if "TABLESAMPLE" not in text])
def test_what_postgresql_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text.replace("ONLY ", ""))


@pytest.mark.parametrize("text", PUSHED)
def test_the_settings_turn_it_off(db: psycopg.Connection, whole: str, text: str) -> None:
    for value in ("scans", "off"):
        db.execute(sql.SQL("SET rvbbit.pushdown = {}").format(sql.Literal(value)))
        assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("SELECT id FROM {items} ORDER BY id LIMIT -1", "2201W"),
        ("SELECT id FROM {items} ORDER BY id OFFSET -1", "2201X"),
        ("SELECT max(id / (grp - 3)) FROM {items}", "22012"),
        ("SELECT grp, max(2147483600 + id::int) FROM {items} GROUP BY grp", "22003"),
    ],
)
def test_errors_are_postgresqls(db: psycopg.Connection, whole: str, text: str, state: str) -> None:
    for query in (ours(whole, text), heap(whole, text)):
        with pytest.raises(psycopg.Error) as caught:
            db.execute(query)
        assert caught.value.sqlstate == state


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan", "force_custom_plan"])
def test_parameters_follow_each_execution(db: psycopg.Connection, whole: str, mode: str) -> None:
    db.execute(sql.SQL("SET plan_cache_mode = {}").format(sql.Literal(mode)))
    text = (
        "SELECT id, name, big + %s FROM {items} WHERE grp = %s AND name LIKE %s"
        " ORDER BY id LIMIT %s OFFSET %s"
    )
    for values in [
        (1, 3, "Name%", 5, 0), (2, 4, "%1", 3, 1), (None, 0, "%", None, 2), (0, None, "%", 1, None),
        (7, 5, "Name _", 0, 0), (7, 1, "%6", 4, 0),
    ] * 2:  # fmt: skip
        found, expected = (
            db.execute(query, values, prepare=True).fetchall()
            for query in (ours(whole, text), heap(whole, text))
        )
        assert found == expected


def test_what_duckdb_refuses_when_it_runs_falls_back(db: psycopg.Connection, whole: str) -> None:
    """NaN is a numeric of PostgreSQL that DuckDB does not have."""
    text = "SELECT count(*) FROM {items} WHERE amount < %s"
    db.execute("SET plan_cache_mode = force_generic_plan")
    query = ours(whole, text)
    assert db.execute(query, ["NaN"], prepare=True).fetchall() == [(200,)]
    assert db.execute(query, ["3"], prepare=True).fetchall() == (
        db.execute(heap(whole, text), ["3"], prepare=True).fetchall()
    )


def test_explain_shows_the_local_plan_only_when_verbose(db: psycopg.Connection, whole: str) -> None:
    query = ours(whole, "SELECT grp, count(*) FROM {items} GROUP BY grp")
    assert "Foreign Scan" not in plan(db, query)
    assert "Foreign Scan" in plan(db, query, "VERBOSE")
    assert "never executed" in plan(db, query, "VERBOSE", "ANALYZE", "TIMING OFF", "SUMMARY OFF")
    for form in ("json", "xml", "yaml"):
        assert "DuckDB SQL" in plan(db, query, f"FORMAT {form}").replace("-", " ")
