"""Window functions, grouping sets, DISTINCT ON and sums of floating-point numbers that DuckDB computes."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import is_pushed, ours, plan, rows, same, whole_schema

pytestmark = pytest.mark.server

WINDOWS = [
    "SELECT id, row_number() OVER (ORDER BY id DESC) FROM {items}",
    "SELECT id, rank() OVER (PARTITION BY grp ORDER BY small), dense_rank() OVER (ORDER BY code)"
    " FROM {items}",
    "SELECT id, percent_rank() OVER w, cume_dist() OVER w FROM {items}"
    " WINDOW w AS (PARTITION BY grp ORDER BY id)",
    "SELECT id, ntile(7) OVER (ORDER BY id) FROM {items}",
    "SELECT id, lag(name) OVER w, lead(small, 2) OVER w FROM {items} WINDOW w AS (ORDER BY id)",
    "SELECT id, first_value(id) OVER w, last_value(amount) OVER w, nth_value(code, 2) OVER w FROM {items}"
    " WINDOW w AS (PARTITION BY flag ORDER BY id)",
    "SELECT id, sum(small) OVER (PARTITION BY grp ORDER BY id), count(*) OVER (ORDER BY day) FROM {items}",
    "SELECT id, sum(big) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM {items}",
    "SELECT id, max(id) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) FROM {items}",
    "SELECT id, count(*) OVER (ORDER BY grp GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM {items}",
    "SELECT id, sum(id) OVER (ORDER BY grp RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING EXCLUDE TIES)"
    " FROM {items}",
    "SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW)"
    " FROM {items}",
    "SELECT id, count(*) FILTER (WHERE flag) OVER (PARTITION BY grp) FROM {items}",
    "SELECT grp, sum(count(*)) OVER (ORDER BY grp) FROM {items} GROUP BY grp",
    "SELECT grp, rank() OVER (ORDER BY count(*) DESC, grp) FROM {items} GROUP BY grp",
    "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY grp ORDER BY id) AS n FROM {items}) AS x"
    " WHERE n = 2",
    "SELECT id, sum(price) OVER (PARTITION BY grp) FROM {items}",
]

GROUPING = [
    "SELECT grp, flag, count(*) FROM {items} GROUP BY ROLLUP (grp, flag)",
    "SELECT grp, flag, code, sum(id), grouping(grp, flag, code) FROM {items} GROUP BY CUBE (grp, flag, code)",
    "SELECT grp, flag, count(*) FROM {items} GROUP BY GROUPING SETS ((grp, flag), (flag), ())",
    "SELECT grp, flag, count(*) FROM {items} GROUP BY flag, ROLLUP (grp) HAVING count(*) > 10",
    "SELECT grp, count(*) FROM {empty} AS e, {groups} AS g GROUP BY GROUPING SETS ((grp), ())",
    "SELECT grp + 1, count(*) FROM {items} GROUP BY ROLLUP (grp) ORDER BY grouping(grp), grp LIMIT 20",
    "SELECT grp, avg(small), grouping(grp) FROM {items} GROUP BY ROLLUP (grp)",
]

OTHERS = [
    "SELECT DISTINCT ON (grp) grp, id, name FROM {items} ORDER BY grp, id DESC",
    "SELECT DISTINCT ON (flag, code) id FROM {items} ORDER BY flag, code, id",
    "SELECT sum(price), avg(price), count(price) FROM {items}",
    "SELECT grp, avg(price), sum(price) FILTER (WHERE id < 0) FROM {items} GROUP BY grp",
    "SELECT sum(CASE WHEN id = 1 THEN 'Infinity' ELSE price END) FROM {items}",
    "SELECT sum(CASE WHEN id = 1 THEN 'NaN' ELSE price END) FROM {items}",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_windows", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", [*WINDOWS, *GROUPING, *OTHERS])
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert "Foreign Scan" not in plan(db, ours(whole, text))
    assert is_pushed(db, ours(whole, text)) or "avg(small)" in text
    assert same(db, whole, text, ordered=False if text in WINDOWS else None)


def test_a_sum_too_great_is_an_error(db: psycopg.Connection, whole: str) -> None:
    query = ours(whole, "SELECT sum(1e308 + price) FROM {items}")
    assert is_pushed(db, query)
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        db.execute(query)


def test_a_setting_keeps_sums_of_floats_with_postgresql(db: psycopg.Connection, whole: str) -> None:
    text = "SELECT sum(price), avg(price) FROM {items}"
    db.execute("SET rvbbit.float_aggregates = off")
    assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


def test_explain(db: psycopg.Connection, whole: str) -> None:
    query = ours(whole, "SELECT i.id, l.label FROM {items} AS i JOIN {labels} AS l USING (id) ORDER BY 1, 2")
    lines = [line.strip() for line in plan(db, query).splitlines()]
    assert lines[0] == "Custom Scan (DuckDB Query)"
    assert lines[1] == "Sessions: calm-otter-77aa01, keen-heron-77aa02"
    assert lines[2].startswith('DuckDB SQL: SELECT "i"."id" AS "id", "l"."label" AS "label" FROM ')
    assert lines[3].startswith("Snapshot: calm-otter-77aa01: ")
    analyzed = plan(db, query, "ANALYZE", "TIMING OFF", "SUMMARY OFF")
    assert "DuckDB Rows: 4" in analyzed
    assert "Fallback" not in analyzed


@pytest.mark.parametrize(
    "text",
    [
        "SELECT + grp, count(*) FROM {items} GROUP BY ROLLUP (grp, + grp)",
        "SELECT grp, + grp, grouping(+ grp), count(*) FROM {items} GROUP BY CUBE (+ grp, grp)",
    ],
)
def test_keys_that_duckdb_cannot_tell_apart(db: psycopg.Connection, whole: str, text: str) -> None:
    """One of them is NULL where the other is not; for DuckDB they are the same."""
    reason = "keys of grouping sets that are written alike in DuckDB"
    assert f"Query Not Whole: {reason}" in plan(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT grp, grp::int8, grp + 1 FROM {items} GROUP BY GROUPING SETS ((grp), (grp::int8))",
        "SELECT grp, count(*) FROM {items} GROUP BY GROUPING SETS ((grp), (grp::int8)) HAVING grp * 2 > 3",
        "SELECT amount, amount::text, amount::float8 FROM {items}"
        " GROUP BY GROUPING SETS ((amount), (amount::text))",
        "SELECT small + 1, (small + 1)::int8, small + 1 + 1 FROM {items}"
        " GROUP BY ROLLUP ((small + 1)::int8, small + 1)",
        "SELECT grp, count(*) FROM {items} GROUP BY ROLLUP (grp::int8, grp) ORDER BY grp + 1, 1, 2",
    ],
)
def test_what_is_computed_of_a_key_is_not_another_key(db: psycopg.Connection, whole: str, text: str) -> None:
    """DuckDB's grp + 1 has CAST(grp AS BIGINT) in it, which is NULL where that key is."""
    reason = "an expression of a key of grouping sets that is part of another key"
    assert f"Query Not Whole: {reason}" in plan(db, ours(whole, text))
    assert same(db, whole, text)


def test_keys_that_are_part_of_another(db: psycopg.Connection, whole: str) -> None:
    text = "SELECT grp::int8, grp, sum(grp + 1), grouping(grp) FROM {items} GROUP BY CUBE (grp::int8, grp)"
    assert is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT count(*) FROM {items}, generate_series(1, 2)", "a function in FROM"),
        ("SELECT string_agg(name, ',') FROM {items}", "an aggregate whose result depends on the order"),
    ],
)
def test_explain_says_why_not(db: psycopg.Connection, whole: str, text: str, reason: str) -> None:
    shown = plan(db, ours(whole, text))
    assert "Custom Scan" not in shown
    assert f"Query Not Whole: {reason}" in shown


ZEROS = [
    "SELECT DISTINCT ON (grp) grp, - (id * 0)::real, id FROM {items} ORDER BY grp, id",
    "SELECT DISTINCT ON (grp) grp, - (id * 0)::float8, id FROM {items} ORDER BY grp, id",
    "SELECT (SELECT - (i.id * 0)::real FROM {items} AS i WHERE i.grp = g.grp ORDER BY i.id LIMIT 1)"
    " FROM {groups} AS g ORDER BY g.grp",
    "SELECT (SELECT - (i.id * 0)::float8 FROM {items} AS i WHERE i.grp = g.grp ORDER BY i.id LIMIT 1)"
    " FROM {groups} AS g ORDER BY g.grp",
    "SELECT x.r FROM {groups} AS g, LATERAL (SELECT - (i.id * 0)::real AS r FROM {items} AS i"
    " WHERE i.grp = g.grp ORDER BY i.id LIMIT 1) AS x",
    "SELECT x.r FROM (SELECT - (id * 0)::real AS r, row_number() OVER (PARTITION BY grp ORDER BY id) AS n"
    " FROM {items}) AS x WHERE x.n = 1",
]
"""The first rows of groups, in which there is a negative zero."""


@pytest.mark.parametrize("text", ZEROS)
def test_a_zero_keeps_its_sign(db: psycopg.Connection, whole: str, text: str) -> None:
    assert any("-0" in row[0] for row in rows(db, ours(whole, text)))
    assert same(db, whole, text)
