"""Variances, percentiles and aggregates of sorted values in whole queries."""

from __future__ import annotations

import math
from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.server.whole import NODE, heap, is_pushed, ours, plan, rows, same, whole_schema

pytestmark = pytest.mark.server

SPREADS = ("stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp")

EXACT = [
    *(f"SELECT {name}(grp), {name}(small), {name}(big), {name}(amount), {name}(id) FROM {{items}}"
        for name in SPREADS),
    *(f"SELECT grp, flag, {name}(small), {name}(big), {name}(amount) FROM {{items}} GROUP BY grp, flag"
        for name in SPREADS),
    *(f"SELECT id, {name}(small), {name}(amount), {name}(big) FROM {{items}} GROUP BY id"
        for name in SPREADS),
    "SELECT stddev(id), var_pop(id) FROM {empty}",
    "SELECT grp, stddev(amount) FILTER (WHERE flag), var_pop(amount * 1.001) FROM {items} GROUP BY grp",
    "SELECT grp, count(*) FROM {items} GROUP BY grp HAVING stddev(small) > 3.7",
    "SELECT grp FROM {items} GROUP BY grp ORDER BY var_samp(amount) DESC, grp LIMIT 3",
    "SELECT round(stddev(amount * 100000) / avg(amount), 5), stddev(big * 1000003) FROM {items}",
    *(f"SELECT stddev(id * {n}), stddev_pop(amount * {n}), stddev(small + {n}) FROM {{items}} WHERE id < {n}"
        for n in range(3, 60, 4)),
]  # fmt: skip

PERCENTILES = [
    "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY amount) FROM {items}",
    "SELECT grp, percentile_disc(0.25) WITHIN GROUP (ORDER BY small DESC),"
    " percentile_disc(0) WITHIN GROUP (ORDER BY name) FROM {items} GROUP BY grp",
    "SELECT grp, percentile_disc(1) WITHIN GROUP (ORDER BY at) FILTER (WHERE flag) FROM {items} GROUP BY grp",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price),"
    " percentile_cont(0.9) WITHIN GROUP (ORDER BY id) FROM {items}",
    "SELECT grp, flag, percentile_cont(0.3) WITHIN GROUP (ORDER BY small DESC) FROM {items}"
    " GROUP BY grp, flag",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) FROM {empty}",
    "SELECT id, percentile_cont(0.7) WITHIN GROUP (ORDER BY price) FROM {items} GROUP BY id",
]

COLLECTED = [
    "SELECT string_agg(name, ', ' ORDER BY name) FROM {items}",
    "SELECT grp, string_agg(DISTINCT code, '' ORDER BY code DESC) FROM {items} GROUP BY grp",
    "SELECT grp, string_agg(name, '|' ORDER BY id) FILTER (WHERE flag) FROM {items} GROUP BY grp",
    "SELECT grp, array_agg(id ORDER BY id DESC), array_agg(code ORDER BY small NULLS FIRST, id)"
    " FROM {items} GROUP BY grp",
    "SELECT array_agg(DISTINCT small ORDER BY small), array_agg(day ORDER BY day), count(*) FROM {items}",
    "SELECT array_agg(id ORDER BY id), string_agg(name, ',' ORDER BY name) FROM {empty}",
    "SELECT x.n, x.l FROM"
    " (SELECT grp, count(*) AS n, array_agg(at ORDER BY at) AS l FROM {items} GROUP BY grp) AS x"
    " WHERE x.n > 28",
]

NEAR = [
    *(f"SELECT {name}(price), {name}(price::real), {name}(price * 1e100) FROM {{items}}" for name in SPREADS),
    *(f"SELECT {name}(price) FROM {{items}} WHERE id < 2" for name in SPREADS),
    "SELECT sum(price::real) FROM {items}",
]

NOT_FINITE = [
    f"SELECT {name}(CASE WHEN id = 7 THEN '{value}' ELSE price END) FROM {{items}} WHERE id {rest}"
    for name in SPREADS
    for value in ("NaN", "Infinity", "-Infinity")
    for rest in ("> 0", "= 7")
]

LOCAL = [
    "SELECT string_agg(name, ',') FROM {items} WHERE id < 2",
    "SELECT array_agg(amount ORDER BY amount) FROM {items}",
    "SELECT mode() WITHIN GROUP (ORDER BY grp) FROM {items}",
    "SELECT stddev(DISTINCT small) FROM {items}",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_aggregates", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", [*EXACT, *PERCENTILES, *COLLECTED, *NOT_FINITE])
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    shown = plan(db, ours(whole, text))
    assert shown.count(NODE) == 1
    assert "Foreign Scan" not in shown
    assert same(db, whole, text, ordered="ORDER BY var" in text)


@pytest.mark.parametrize("text", NEAR)
def test_what_is_near(db: psycopg.Connection, whole: str, text: str) -> None:
    assert is_pushed(db, ours(whole, text))
    found, expected = (db.execute(side(whole, text)).fetchall() for side in (ours, heap))
    exact = 1e-5 if "sum(" in text else 1e-12
    for one, other in zip(found[0], expected[0], strict=True):
        assert one == other or math.isclose(one, other, rel_tol=exact)


@pytest.mark.parametrize("text", NEAR)
def test_verify_takes_what_is_near_for_equal(db: psycopg.Connection, whole: str, text: str) -> None:
    db.execute("SET rvbbit.verify = on")
    assert len(db.execute(ours(whole, text)).fetchall()) == 1


@pytest.mark.parametrize("text", LOCAL)
def test_what_postgresql_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT length(string_agg(name, ',' ORDER BY code)) FROM {items}",
        "SELECT grp, array_length(array_agg(id ORDER BY flag), 1) FROM {items} GROUP BY grp",
    ],
)
def test_an_order_that_is_not_total_falls_back(db: psycopg.Connection, whole: str, text: str) -> None:
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    assert NODE in plan(db, ours(whole, text))
    assert sorted(rows(db, ours(whole, text))) == sorted(rows(db, heap(whole, text)))
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() != before


@pytest.mark.parametrize(
    "text", ["SELECT stddev(price * 1e200) FROM {items}", "SELECT sum(3e38::real + price::real) FROM {items}"]
)
def test_what_is_too_great_is_postgresqls_error(db: psycopg.Connection, whole: str, text: str) -> None:
    for side in (ours, heap):
        with pytest.raises(psycopg.errors.NumericValueOutOfRange):
            db.execute(side(whole, text))
