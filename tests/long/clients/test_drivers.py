"""psycopg2 and pg8000, the drivers of older Python programs, and Ibis: names, types, values, and an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import pg8000.dbapi
import psycopg2
import pytest

from tests.clients.served import ORDERS, SESSION, Matrix
from tests.clients.values import FAILS_AT, NAMES, ROWS, STREAMED
from tests.kit.container import PASSWORD

pytestmark = pytest.mark.server

UNITS = {"east": 3142, "north": 3112, "overseas": 2975, "south": 3055, "west": 2887}

# What a driver gives in place of the value: by column, a function of it.
GIVEN: dict[str, dict[str, Any]] = {
    "psycopg2": {"uid": str},
    "pg8000": {"zoned_clock": lambda value: value.isoformat().removesuffix(":00")},
}
DRIVERS = {"psycopg2": psycopg2, "pg8000": pg8000.dbapi}


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    """Its name."""
    return str(request.param)


@pytest.fixture
def connection(driver: str, matrix: Matrix) -> Iterator[Any]:
    """A connection of it, in a transaction as its standard wants it."""
    where = {"host": matrix.host, "port": matrix.port, "user": "rvbbit", "password": PASSWORD}
    made = DRIVERS[driver].connect(database="rvbbit", **where)
    yield made
    made.close()


def answer(connection: Any, query: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows."""
    cursor = connection.cursor()
    cursor.execute(query, values)
    return [tuple(row) for row in cursor.fetchall()]


def test_names_and_values(connection: Any, driver: str) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SELECT * FROM {SESSION}._types ORDER BY id")
    assert [column[0] for column in cursor.description] == NAMES
    given = GIVEN[driver]
    expected = [
        tuple(
            value if value is None or name not in given else given[name](value)
            for name, value in zip(NAMES, row, strict=True)
        )
        for row in ROWS
    ]
    rows = [[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in cursor.fetchall()]
    assert [tuple(row) for row in rows] == expected


def test_parameters(connection: Any) -> None:
    query = f"SELECT count(*) FROM {SESSION}._stream WHERE region = %s AND price >= %s"
    prices = [n % 3 for n in range(STREAMED) if n % 10 > 0 and (n % 400) / 4 >= 95]
    for number, region in enumerate(("north", "south", "east")):
        assert answer(connection, query, region, 95.0) == [(prices.count(number),)]


def test_a_late_error_leaves_the_connection_usable(connection: Any, driver: str) -> None:
    with pytest.raises(DRIVERS[driver].Error, match="note"):
        answer(connection, f"SELECT id, note FROM {SESSION}._fails_late")
    connection.rollback()
    with pytest.raises(DRIVERS[driver].Error, match="permission denied"):
        answer(connection, f"DELETE FROM {SESSION}._types")
    connection.rollback()
    counted = answer(connection, f"SELECT count(*) FROM {SESSION}._fails_late WHERE id < {FAILS_AT}")
    assert counted == [(FAILS_AT,)]


def test_psycopg2_reads_portions_by_a_named_cursor(matrix: Matrix) -> None:
    with psycopg2.connect(matrix.url()) as opened, opened.cursor("portions") as cursor:
        cursor.itersize = 5000
        cursor.execute(f"SELECT id FROM {SESSION}._stream")
        ids = [row[0] for row in cursor]
    opened.close()
    assert (len(ids), sum(ids)) == (STREAMED, STREAMED * (STREAMED - 1) // 2)


@pytest.fixture
def tables(matrix: Matrix) -> Iterator[Any]:
    """Ibis, connected."""
    made = ibis.postgres.connect(
        host=matrix.host, port=matrix.port, user="rvbbit", password=PASSWORD, database="rvbbit"
    )
    yield made
    made.disconnect()


# As Ibis understands them.
KINDS = {
    "id": "int32", "flag": "boolean", "tiny": "int16", "int": "int32", "big": "int64", "huge": "decimal",
    "money": "decimal(12, 2)", "short": "float32", "double": "float64", "words": "string", "label": "string",
    "bytes": "binary", "uid": "uuid", "day": "date", "clock": "time", "zoned_clock": "time",
    "span": "interval('s')", "moment": "timestamp(6)", "instant": "timestamp('UTC', 6)",
    "numbers": "array<int32>", "names": "array<string>", "record": "jsonb", "document": "jsonb",
    "constructor": "string", "Größe in cm": "float64",
}  # fmt: skip


def test_ibis_lists_tables_and_types(tables: Any) -> None:
    assert set(tables.list_tables(database=SESSION)) == {"_endless", "_fails_late", "_stream", "_types"}
    schema = tables.table("_types", database=SESSION).schema()
    assert {name: str(kind) for name, kind in schema.items()} == KINDS


def test_ibis_groups_and_sorts(tables: Any) -> None:
    orders = tables.table("_extract_data", database=ORDERS)
    grouped = orders.group_by("region").aggregate(units=orders.quantity.sum())
    assert {row["region"]: row["units"] for row in grouped.to_pyarrow().to_pylist()} == UNITS
    stream = tables.table("_stream", database=SESSION)
    by_day = stream.group_by(day=stream.sold_at.truncate("D")).aggregate(rows=stream.count()).order_by("day")
    assert [row["rows"] for row in by_day.limit(3).to_pyarrow().to_pylist()] == [86400] * 3
