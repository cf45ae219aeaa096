"""Variances, percentiles, modes, regression and aggregates of sorted values in whole queries."""

from __future__ import annotations

import math
from collections.abc import Iterator

import psycopg
import pytest

from rvbbit_fdw.pushdown import query_pairs
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

MODES = [
    "SELECT mode() WITHIN GROUP (ORDER BY grp), mode() WITHIN GROUP (ORDER BY grp DESC) FROM {items}",
    "SELECT grp, mode() WITHIN GROUP (ORDER BY name), mode() WITHIN GROUP (ORDER BY code DESC NULLS LAST),"
    " mode() WITHIN GROUP (ORDER BY amount) FILTER (WHERE flag) FROM {items} GROUP BY grp",
    "SELECT flag, mode() WITHIN GROUP (ORDER BY day DESC), mode() WITHIN GROUP (ORDER BY at),"
    " mode() WITHIN GROUP (ORDER BY tag), mode() WITHIN GROUP (ORDER BY grp < 6) FROM {items} GROUP BY flag",
    "SELECT id, mode() WITHIN GROUP (ORDER BY small), mode() WITHIN GROUP (ORDER BY big) FROM {items}"
    " GROUP BY id",
    "SELECT mode() WITHIN GROUP (ORDER BY id), mode() WITHIN GROUP (ORDER BY name) FROM {empty}",
    "SELECT grp FROM {items} GROUP BY grp HAVING mode() WITHIN GROUP (ORDER BY small DESC) > 11",
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

JSON = [
    "SELECT grp, json_agg(id ORDER BY id DESC), jsonb_agg(small ORDER BY small, id)"
    " FROM {items} GROUP BY grp",
    "SELECT json_agg(name ORDER BY id), jsonb_agg(code ORDER BY id), json_agg(flag ORDER BY id),"
    " json_agg(big ORDER BY big), jsonb_agg(amount ORDER BY id), json_agg(amount ORDER BY id) FROM {items}",
    "SELECT grp, json_agg(code ORDER BY code) FROM {items} GROUP BY grp ORDER BY grp",
    "SELECT json_agg(0.25 ORDER BY id), jsonb_agg((amount / 100)::numeric(3,3) ORDER BY id),"
    " jsonb_object_agg(id, -0.5) FROM {items} WHERE amount < 90",
    "SELECT json_agg(small ORDER BY id) FILTER (WHERE flag), jsonb_agg(doc ORDER BY id) FROM {items}",
    "SELECT json_agg(id ORDER BY id), jsonb_agg(name ORDER BY id), jsonb_object_agg(id, name),"
    " json_object_agg(name, id ORDER BY id) FROM {empty}",
    "SELECT grp, json_object_agg(id, name ORDER BY id), jsonb_object_agg(name, small ORDER BY id)"
    " FROM {items} GROUP BY grp",
    "SELECT grp, jsonb_object_agg(id, doc), jsonb_object_agg(id, flag) FILTER (WHERE NOT flag)"
    " FROM {items} GROUP BY grp",
    "SELECT json_object_agg(name, code ORDER BY name, id DESC) FROM {items}",
    "SELECT x.grp, x.l FROM (SELECT grp, jsonb_agg(id ORDER BY id) AS l FROM {items} GROUP BY grp) AS x"
    " ORDER BY x.grp",
    "SELECT json_agg(name ORDER BY id), json_object_agg(name, name ORDER BY id) FROM {letters}"
    " WHERE id NOT IN (11, 14, 15) AND NOT id BETWEEN 26 AND 31",
    "SELECT jsonb_agg(name ORDER BY id), jsonb_object_agg(name, name), json_agg(id ORDER BY name)"
    " FROM {letters}",
]

NEAR = [
    *(f"SELECT {name}(price), {name}(price::real), {name}(price * 1e100) FROM {{items}}" for name in SPREADS),
    *(f"SELECT {name}(price) FROM {{items}} WHERE id < 2" for name in SPREADS),
    "SELECT sum(price::real) FROM {items}",
]

PAIRS = [
    f"SELECT {name}(price, amount), {name}(id, price), {name}(small, grp) FILTER (WHERE flag) FROM {{items}}"
    for name in query_pairs.NAMES
]
PAIRS += [
    *(f"SELECT {name}(price, id) FROM {{items}} GROUP BY grp HAVING count(*) > 28 ORDER BY grp"
        for name in query_pairs.NAMES),
    *(f"SELECT {name}(price, amount) FROM {{items}} WHERE id = 4" for name in query_pairs.NAMES),
    "SELECT corr(price, amount), covar_samp(price, amount), regr_count(price, id) FROM {items}"
    " WHERE id IN (4, 5, 10)",
    "SELECT corr(id, id), regr_avgx(id, id), regr_sxx(id, id), regr_count(id, id) FROM {empty}",
    "SELECT corr(price, day - date '1970-01-01'), regr_slope(price, day - date '1970-01-01') FROM {items}",
]  # fmt: skip

POSTGRESQLS = [
    *(f"SELECT {name}(price, CASE WHEN id = 7 THEN '{value}' ELSE price END), {name}('{value}', price)"
        f" FROM {{items}}" for name in query_pairs.NAMES[1:] for value in ("NaN", "Infinity", "-Infinity")),
    *(f"SELECT {name}(price, 0.1), {name}(0.1, price) FROM {{items}}"
        for name in ("corr", "regr_slope", "regr_intercept", "regr_r2")),
    "SELECT corr(price, 1e6 + price / 1e6) FROM {items}",
    "SELECT regr_slope(price, extract(epoch FROM at)::float8) FROM {items}",
    "SELECT corr(price * 1e-160, price) FROM {items}",
    *(f"SELECT {name}(1e12 + price / 1e3, 1e12 + id / 1e3) FROM {{items}}"
        for name in ("covar_pop", "covar_samp", "regr_sxx", "regr_syy", "regr_sxy")),
]  # fmt: skip

NOT_FINITE = [
    f"SELECT {name}(CASE WHEN id = 7 THEN '{value}' ELSE price END) FROM {{items}} WHERE id {rest}"
    for name in SPREADS
    for value in ("NaN", "Infinity", "-Infinity")
    for rest in ("> 0", "= 7")
]

LOCAL = [
    "SELECT string_agg(name, ',') FROM {items} WHERE id < 2",
    "SELECT array_agg(amount ORDER BY amount) FROM {items}",
    "SELECT mode() WITHIN GROUP (ORDER BY span) FROM {items} WHERE id < 2",
    "SELECT mode() WITHIN GROUP (ORDER BY price) FROM {items}",
    "SELECT corr(DISTINCT price, id) FROM {items}",
    "SELECT stddev(DISTINCT small) FROM {items}",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_aggregates", tmp_path_factory.mktemp("copies")) as name:
        yield name


@pytest.mark.parametrize("text", [*EXACT, *PERCENTILES, *MODES, *COLLECTED, *JSON, *NOT_FINITE])
def test_what_duckdb_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    shown = plan(db, ours(whole, text))
    assert shown.count(NODE) == 1
    assert "Foreign Scan" not in shown
    assert same(db, whole, text, ordered="ORDER BY var" in text)


@pytest.mark.parametrize("text", [*NEAR, *PAIRS])
def test_what_is_near(db: psycopg.Connection, whole: str, text: str) -> None:
    assert is_pushed(db, ours(whole, text))
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    found, expected = (db.execute(side(whole, text)).fetchall() for side in (ours, heap))
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() == before
    exact = 1e-5 if "sum(" in text else 1e-12
    for row, other_row in zip(found, expected, strict=True):
        for one, other in zip(row, other_row, strict=True):
            assert one == other or math.isclose(one, other, rel_tol=exact)


@pytest.mark.parametrize("text", [*NEAR, *PAIRS])
def test_verify_takes_what_is_near_for_equal(db: psycopg.Connection, whole: str, text: str) -> None:
    db.execute("SET rvbbit.verify = on")
    assert len(db.execute(ours(whole, text)).fetchall()) >= 1


@pytest.mark.parametrize("text", POSTGRESQLS)
def test_what_hangs_on_rounding_falls_back(db: psycopg.Connection, whole: str, text: str) -> None:
    assert NODE in plan(db, ours(whole, text))
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    assert rows(db, ours(whole, text)) == rows(db, heap(whole, text))
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() != before


@pytest.mark.parametrize("text", LOCAL)
def test_what_postgresql_runs(db: psycopg.Connection, whole: str, text: str) -> None:
    assert not is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT length(string_agg(name, ',' ORDER BY code)) FROM {items}",
        "SELECT grp, array_length(array_agg(id ORDER BY flag), 1) FROM {items} GROUP BY grp",
        "SELECT json_array_length(json_agg(name ORDER BY code)) FROM {items}",
        "SELECT length(json_object_agg(name, id ORDER BY name)::text) FROM {items}",
        "SELECT count(*) FROM (SELECT jsonb_object_agg(grp, id % 7) AS o FROM {items} WHERE id > 0) AS x"
        " WHERE x.o IS NOT NULL",
        "SELECT json_agg(name ORDER BY id) FROM {letters}",
    ],
)
def test_an_order_that_is_not_total_falls_back(db: psycopg.Connection, whole: str, text: str) -> None:
    before = db.execute("SHOW rvbbit.fallbacks").fetchone()
    assert NODE in plan(db, ours(whole, text))
    assert sorted(rows(db, ours(whole, text))) == sorted(rows(db, heap(whole, text)))
    assert db.execute("SHOW rvbbit.fallbacks").fetchone() != before


LARGE = "CASE WHEN id > 150 THEN 1.7e308::float8 ELSE price END"
TOO_GREAT = [
    "SELECT stddev(price * 1e200) FROM {items}",
    "SELECT sum(3e38::real + price::real) FROM {items}",
    # PostgreSQL adds up the groups that HAVING leaves out, too.
    f"SELECT grp, sum({LARGE}) FROM {{items}} GROUP BY grp HAVING max(id) < 100",
    f"SELECT grp FROM {{items}} GROUP BY grp HAVING max(id) < 100 AND avg({LARGE}) > 1",
    f"SELECT grp FROM {{items}} GROUP BY grp HAVING max(id) < 100 ORDER BY sum({LARGE})",
    f"SELECT grp, sum({LARGE}) FROM {{items}} GROUP BY ROLLUP (grp) HAVING grp > 100",
]
# But not those that a condition on the key leaves out: it moves it into WHERE.
LARGE_IN_3 = "CASE WHEN grp = 3 THEN 1.7e308::float8 ELSE 1 END"
GREAT_ELSEWHERE = [
    f"SELECT grp, sum({LARGE_IN_3}) FROM {{items}} GROUP BY grp HAVING grp <> 3",
    f"SELECT grp, sum({LARGE_IN_3}) FROM {{items}} GROUP BY grp HAVING count(*) > 28 AND grp <> 3",
]


@pytest.mark.parametrize("text", GREAT_ELSEWHERE)
def test_what_is_too_great_in_groups_that_are_not_there(
    db: psycopg.Connection, whole: str, text: str
) -> None:
    assert is_pushed(db, ours(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize("text", TOO_GREAT)
def test_what_is_too_great_is_postgresqls_error(db: psycopg.Connection, whole: str, text: str) -> None:
    for side in (ours, heap):
        with pytest.raises(psycopg.errors.NumericValueOutOfRange):
            db.execute(side(whole, text))
