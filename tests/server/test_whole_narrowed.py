"""Conditions around a part that DuckDB runs: it filters by them, and PostgreSQL checks them again."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import NODE, heap, ours, plan, rows, same, whole_schema

pytestmark = pytest.mark.server

# A function in FROM is none of DuckDB's, so all of these are joins with something local.
LOCAL = "generate_series(0, 9) AS l (k)"
GROUPED = (
    "(SELECT grp, count(*) AS n, sum(amount) AS total, avg(amount) AS mean FROM {items} GROUP BY grp) AS s"
)

NARROWED = {
    "a key": f"SELECT * FROM {GROUPED} JOIN {LOCAL} ON l.k = s.grp WHERE s.grp = 5",
    "a key of the other side": f"SELECT * FROM {LOCAL} JOIN {GROUPED} ON l.k = s.grp WHERE l.k = 5",
    "several values": f"SELECT * FROM {GROUPED} JOIN {LOCAL} ON l.k = s.grp WHERE s.grp IN (2, 4, 90)",
    "an aggregate": f"SELECT * FROM {GROUPED} JOIN {LOCAL} ON l.k = s.grp WHERE s.n > 28 AND s.total < 400",
    "a quotient beside a key": f"SELECT s.mean FROM {GROUPED}, {LOCAL} WHERE s.grp = 3",
    "the inner side of an outer join":
        f"SELECT * FROM {LOCAL} LEFT JOIN {GROUPED} ON l.k = s.grp AND s.n > 28",
    "DISTINCT": "SELECT s.code, l.k FROM (SELECT DISTINCT grp, code FROM {items}) AS s"
        f" JOIN {LOCAL} ON l.k = s.grp WHERE s.code = 'a'",
    "a join": "SELECT s.title, l.k FROM (SELECT * FROM {items} JOIN {groups} USING (grp)) AS s"
        f" JOIN {LOCAL} ON l.k = s.grp WHERE s.id < 20 AND s.title IS NOT NULL",
    "UNION": "SELECT s.id FROM (SELECT id FROM {items} UNION SELECT id FROM {labels}) AS s"
        f" JOIN {LOCAL} ON l.k = s.id WHERE s.id < 3",
    "a window": "SELECT s.id FROM (SELECT id, grp, rank() OVER (PARTITION BY grp ORDER BY id) AS r"
        f" FROM {{items}}) AS s JOIN {LOCAL} ON l.k = s.grp WHERE s.r = 1",
}  # fmt: skip

AS_IT_IS = {
    "ORDER BY": "SELECT s.id FROM (SELECT id FROM {items} ORDER BY id) AS s"
        f" JOIN {LOCAL} ON l.k = s.id WHERE s.id < 4",
    "LIMIT": "SELECT s.id FROM (SELECT id FROM {items} ORDER BY id LIMIT 5) AS s"
        f" JOIN {LOCAL} ON l.k = s.id WHERE s.id > 2",
    "OFFSET": "SELECT count(*) > 0 FROM (SELECT id FROM {items} OFFSET 100) AS s"
        f", {LOCAL} WHERE s.id > 2",
    "an unknown function": f"SELECT * FROM {GROUPED}, {LOCAL} WHERE s.grp = 5 AND format('%s', s.n) = '28'",
    "a value of another row": f"SELECT * FROM {GROUPED} JOIN {LOCAL} ON s.n > l.k",
    "what can fail": f"SELECT * FROM {GROUPED}, {LOCAL} WHERE 100 / (s.n - 27) > 60",
    "what can fail, before what keeps it from that":
        f"SELECT * FROM {GROUPED}, {LOCAL} WHERE 100 / (s.n - 28) > 60 AND s.n <> 28",
    "a value of a subquery":
        f"SELECT * FROM {GROUPED}, {LOCAL} WHERE s.grp = (SELECT max(k) - 4 FROM {LOCAL})",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_narrowed", tmp_path_factory.mktemp("copies")) as name:
        yield name


def duckdb_sql(db: psycopg.Connection, schema: str, text: str) -> str:
    """What DuckDB is to run, of a plan with one part that it runs."""
    shown = plan(db, ours(schema, text))
    assert shown.count(NODE) == 1
    assert "Foreign Scan" not in shown
    return next(line for line in shown.splitlines() if "DuckDB SQL: " in line)


@pytest.mark.parametrize("verify", ["off", "on"])
@pytest.mark.parametrize("text", NARROWED.values(), ids=NARROWED)
def test_duckdb_filters(db: psycopg.Connection, whole: str, text: str, verify: str) -> None:
    db.execute(f"SET rvbbit.verify = {verify}")
    assert " WHERE " in duckdb_sql(db, whole, text)
    assert same(db, whole, text)


@pytest.mark.parametrize("verify", ["off", "on"])
@pytest.mark.parametrize("text", AS_IT_IS.values(), ids=AS_IT_IS)
def test_postgresql_filters_alone(db: psycopg.Connection, whole: str, text: str, verify: str) -> None:
    db.execute(f"SET rvbbit.verify = {verify}")
    assert " WHERE " not in duckdb_sql(db, whole, text)
    assert same(db, whole, text)


def test_fewer_rows_are_delivered(db: psycopg.Connection, whole: str) -> None:
    shown = plan(db, ours(whole, NARROWED["an aggregate"]), "ANALYZE", "TIMING OFF", "SUMMARY OFF")
    assert "Rows Removed by Filter" not in shown


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
def test_by_a_parameter(db: psycopg.Connection, whole: str, plans: str) -> None:
    db.execute(f"SET plan_cache_mode = {plans}")
    text = f"SELECT s.grp, s.n FROM {GROUPED} JOIN {LOCAL} ON l.k = s.grp WHERE s.grp = %s"
    for value in (5, 0, 77, None):
        found, expected = (
            db.execute(side(whole, text), [value], prepare=True).fetchall() for side in (ours, heap)
        )
        assert found == expected


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        ("100 / (s.n - 28) > 60", psycopg.errors.DivisionByZero),
        ("s.n + 9223372036854775807 > 3", psycopg.errors.NumericValueOutOfRange),
    ],
)
def test_an_error_is_postgresqls(
    db: psycopg.Connection, whole: str, condition: str, error: type[psycopg.Error]
) -> None:
    text = f"SELECT * FROM {GROUPED}, {LOCAL} WHERE {condition}"
    for side in (ours, heap):
        with pytest.raises(error):
            rows(db, side(whole, text))
