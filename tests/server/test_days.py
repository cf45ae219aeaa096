"""Dates compared with constant moments: DuckDB compares days, and the answer is PostgreSQL's."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSION = "early-finch-dadada"

# Both ends of what the two engines have, midnight's neighbours, and days that no timestamp of DuckDB has.
DAYS = """
CREATE TABLE days AS SELECT row_number() OVER () AS id, CAST(day AS DATE) AS day FROM (VALUES
    (NULL), ('-infinity'), ('infinity'), ('4714-11-24 (BC)'), ('0044-03-15 (BC)'), ('0001-01-01'),
    ('1999-12-31'), ('2000-01-01'), ('2000-01-02'), ('294246-12-31'), ('294247-01-10'), ('294247-01-11'),
    ('5874897-12-31')) AS v (day)
"""
MOMENTS = [
    "2000-01-01 00:00:00",
    "2000-01-01 00:00:00.000001",
    "2000-01-01 10:20:30",
    "1999-12-31 23:59:59.999999",
    "0001-01-01 00:00:00",
    "0044-03-15 00:00:00 BC",
    "0044-03-15 10:00:00 BC",
    "4714-11-24 00:00:00 BC",
    "294246-12-31 00:00:00",
    "294246-12-31 12:00:00",
    "294247-01-10 00:00:00",
    "294276-12-31 23:59:59.999999",
    "infinity",
    "-infinity",
    "1999-12-31 24:00:00",
]
OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"]
ORDERS = ["day {operator} {moment}", "{moment} {operator} day"]


@pytest.fixture(scope="module")
def days(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection]:
    """The session's table days.days, and days.copy of the same rows."""
    make_session(server.session_dir / f"{SESSION}.duckdb", DAYS)
    rows = text_rows(private_copy(server.session_dir, SESSION, tmp_path_factory.mktemp("days")), "days")
    with server.connect() as db:
        db.execute("CREATE SCHEMA days")
        db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO days')
        load(db, sql.Identifier("days", "copy"), sql.Identifier("days", "days"), rows)
        yield db
        db.execute("DROP SCHEMA days CASCADE")
    (server.session_dir / f"{SESSION}.duckdb").unlink()


def answer(db: psycopg.Connection, statement: str, table: str) -> list[tuple[object, ...]]:
    return db.execute(statement.format(table=f"days.{table}").encode()).fetchall()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_day_and_a_moment(days: psycopg.Connection, moment: str, operator: str, order: str) -> None:
    compared = order.format(operator=operator, moment=f"TIMESTAMP '{moment}'")
    for statement in (
        f"SELECT id FROM {{table}} WHERE {compared} ORDER BY id",
        f"SELECT id, {compared} FROM {{table}} WHERE id > 0 ORDER BY id",
        f"SELECT {compared} AS c, count(*), min(id) FROM {{table}} GROUP BY 1 ORDER BY 1, 3",
    ):
        assert answer(days, statement, "days") == answer(days, statement, "copy")


@pytest.mark.parametrize("moment", MOMENTS[:4])
def test_a_moment_that_is_a_parameter(days: psycopg.Connection, moment: str) -> None:
    for operator in OPERATORS[:6]:
        for table in ("days", "copy"):
            text = f"SELECT count(*), min(id) FROM days.{table} WHERE day {operator} $1"
            days.execute(f"PREPARE {table} (timestamp) AS {text}".encode())
        days.execute("SET plan_cache_mode = force_generic_plan")
        found, expected = (
            days.execute(f"EXECUTE {table} ('{moment}')".encode()).fetchall() for table in ("days", "copy")
        )
        days.execute("RESET plan_cache_mode; DEALLOCATE ALL")
        assert found == expected


def test_duckdb_compares_days(days: psycopg.Connection) -> None:
    lines = days.execute(
        "EXPLAIN SELECT count(*) FROM days.days WHERE day < TIMESTAMP '2001-01-01 00:00:00'"
    ).fetchall()
    assert any("\"day\" < CAST('2001-01-01' AS DATE)" in line for (line,) in lines), lines
