"""Quotients, averages inside of queries and numerics of mixed scale: DuckDB has PostgreSQL's digits."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.server.whole import NODE, heap, is_pushed, ours, plan, rows, same, whole_schema

pytestmark = pytest.mark.server

QUOTIENTS = [
    "SELECT id, amount / 7.0 FROM {items} ORDER BY id",
    "SELECT id, amount / 300, amount / 10000.5, -amount / 3 FROM {items} ORDER BY id",
    "SELECT id, (amount - 10) / 0.007 FROM {items} ORDER BY id",
    "SELECT amount / 7.0 AS q, id FROM {items} ORDER BY q DESC, id",
    "SELECT CASE WHEN flag THEN amount ELSE 10 END AS q, id FROM {items} ORDER BY q, id DESC LIMIT 50",
    "SELECT id, amount / grp FROM {items} WHERE grp > 0 ORDER BY amount / grp, id LIMIT 20",
    "SELECT sum(amount / 8) FROM {items}",
    "SELECT count(*) FROM {items} WHERE amount / 3 > 7.00000001",
    "SELECT floor(amount / 3) * 3 AS bin, count(*) FROM {items} GROUP BY 1 ORDER BY 1",
    "SELECT round(amount / (grp + 1), 3), count(*) FROM {items} GROUP BY 1 ORDER BY 1",
    "SELECT grp, sum(amount) / nullif(sum(small), 0) AS share FROM {items} GROUP BY grp"
    " HAVING sum(amount) / count(*) > 11 ORDER BY grp",
    "SELECT x.q, x.q * 2 + 1 FROM (SELECT id, amount / 9 AS q FROM {items}) AS x ORDER BY x.id",
    "SELECT x.q::text, x.q::float8 FROM (SELECT id, 0 - amount / 11 AS q FROM {items}) AS x ORDER BY x.id",
]

AVERAGES = [
    "SELECT grp, a FROM (SELECT grp, avg(amount) AS a FROM {items} GROUP BY grp) AS x WHERE a > 11"
    " ORDER BY a",
    "SELECT max(a), min(b) > 3, count(*)"
    " FROM (SELECT avg(small) AS a, avg(big) AS b FROM {items} GROUP BY grp) AS x",
    "WITH x AS (SELECT grp, avg(id) AS a, avg(amount) AS b FROM {items} GROUP BY grp)"
    " SELECT x.grp, x.a, y.b FROM x JOIN x AS y USING (grp) ORDER BY x.grp",
    "SELECT id FROM {items} WHERE amount > (SELECT avg(amount) FROM {items}) ORDER BY id",
    "SELECT id FROM {items} AS i WHERE amount < (SELECT 0.2 * avg(amount) FROM {items} AS j"
    " WHERE j.grp = i.grp) ORDER BY id",
    "SELECT id, avg(amount) OVER (PARTITION BY grp) FROM {items}"
    " ORDER BY avg(amount) OVER (PARTITION BY grp), id LIMIT 30",
    "SELECT grp, rank() OVER (ORDER BY avg(small) DESC, grp) FROM {items} GROUP BY grp ORDER BY grp",
    "SELECT a, count(*) FROM (SELECT round(avg(amount), 2) AS a FROM {items} GROUP BY grp) AS x GROUP BY a"
    " ORDER BY a",
    "SELECT grp, a * 2, a / 3 FROM (SELECT grp, avg(small - small) AS a FROM {items} GROUP BY grp) AS x"
    " ORDER BY grp",
]

MIXED = [
    "SELECT sum(CASE WHEN flag THEN 1 ELSE 0.0 END) FROM {items}",
    "SELECT grp, sum(CASE WHEN id < 20 THEN amount ELSE 0 END), count(*) FROM {items} GROUP BY grp"
    " ORDER BY grp",
    "SELECT sum(CASE WHEN id < 0 THEN amount ELSE 0 END) FROM {items}",
    "SELECT grp, sum(CASE WHEN flag THEN amount * 1.10 WHEN id < 50 THEN 1 END) FROM {items} GROUP BY grp"
    " ORDER BY grp",
    "SELECT id, CASE WHEN flag THEN 1.50 ELSE 2 END + amount FROM {items} ORDER BY id",
    "SELECT id, coalesce(CASE WHEN flag THEN 1.5 END, 20) * 3.3 FROM {items} ORDER BY id",
    "SELECT id, nullif(CASE WHEN flag THEN 1.5 ELSE 2 END, 2) FROM {items} ORDER BY id",
    "SELECT x.v FROM (SELECT id, CASE WHEN flag THEN 1.500 ELSE 2 END AS v FROM {items}) AS x ORDER BY x.id",
    "SELECT 100.00 * sum(CASE WHEN name LIKE 'Name 1%' THEN amount * (1 - 0.05) ELSE 0 END) / sum(amount)"
    " FROM {items}",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_numbers", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", [*QUOTIENTS, *AVERAGES, *MIXED])
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    shown = plan(db, ours(whole, text))
    assert shown.count(NODE) == 1
    assert "Foreign Scan" not in shown
    assert same(db, whole, text)


def test_a_quotient_that_may_come_late_stays_with_postgresql(db: psycopg.Connection, whole: str) -> None:
    """DuckDB's room would not do for all values, and rows before those could be delivered already."""
    text = "SELECT i.id FROM {items} AS i, {groups} AS g WHERE i.amount / i.id > 0.001"
    assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


def test_what_duckdb_has_no_room_for_falls_back(db: psycopg.Connection, whole: str) -> None:
    text = "SELECT count(*) FROM {items} WHERE 1.0 / (big * 1000000) < 0.0000000000001"
    assert is_pushed(db, ours(whole, text))
    assert rows(db, ours(whole, text)) == rows(db, heap(whole, text))


@pytest.mark.parametrize("divisor", ["0", "0.00", "(grp - 3)"])
def test_division_by_zero_is_postgresqls_error(db: psycopg.Connection, whole: str, divisor: str) -> None:
    text = "SELECT max(amount / {divisor}) FROM {items}".replace("{divisor}", divisor)
    for query in (ours(whole, text), heap(whole, text)):
        with pytest.raises(psycopg.errors.DivisionByZero):
            db.execute(query)


def test_a_parameter_divides(db: psycopg.Connection, whole: str) -> None:
    text = sql.SQL("SELECT count(*) FROM {} WHERE amount / %s > 2")
    db.execute("SET plan_cache_mode = force_generic_plan")
    for value in ("3", "0.5", "100", "-7.25", "1e-30", None, "NaN"):
        found, expected = (
            db.execute(text.format(table), [value], prepare=True).fetchall()
            for table in (ours(whole, "{items}"), heap(whole, "{items}"))
        )
        assert found == expected
