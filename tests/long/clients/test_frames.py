"""pandas, polars and ADBC: the dtype of each column, and its values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pandas as pd
import polars as pl
import pytest
import sqlalchemy as sa

from tests.clients.served import ORDERS, Matrix
from tests.clients.values import NAMES, ROWS, STREAMED

pytestmark = pytest.mark.server

TYPED = "SELECT * FROM client_matrix._types ORDER BY id"
STREAM = "SELECT id, region, sold_at, price FROM client_matrix._stream"
ORDER_SUMS = (
    f'SELECT region, sum(quantity)::bigint AS units FROM "{ORDERS}"._extract_data GROUP BY 1 ORDER BY 1'
)
UNITS = {"east": 3142, "north": 3112, "overseas": 2975, "south": 3055, "west": 2887}


@pytest.fixture(scope="module")
def engine(matrix: Matrix) -> Iterator[sa.Engine]:
    """SQLAlchemy's engine, which pandas wants."""
    made = sa.create_engine(matrix.url("postgresql+psycopg"))
    yield made
    made.dispose()


@pytest.fixture
def arrow(matrix: Matrix) -> Iterator[Any]:
    """A connection of ADBC's."""
    with adbc.connect(matrix.url()) as connection:
        yield connection


def test_pandas(engine: sa.Engine) -> None:
    frame = pd.read_sql(sa.text(STREAM + " ORDER BY id LIMIT 10000"), engine)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "id": "int64", "region": "str", "sold_at": "datetime64[us]", "price": "float64",
    }  # fmt: skip
    assert frame["id"].tolist() == list(range(10000))
    assert frame["sold_at"].iloc[-1] == pd.Timestamp("2026-01-01 02:46:39")
    assert frame["price"].isna().sum() == 1000
    assert frame["price"].sum() == sum((n % 400) / 4 for n in range(10000) if n % 10 > 0)


def test_pandas_with_every_type(engine: sa.Engine) -> None:
    """Numbers that are exact come as floats unless pandas is told not to."""
    assert str(pd.read_sql(sa.text(TYPED), engine)["money"].dtype) == "float64"
    frame = pd.read_sql(sa.text(TYPED), engine, coerce_float=False)
    assert list(frame.columns) == NAMES
    for name, number in ((name, number) for name in NAMES for number in (0, 1)):
        found, expected = frame[name].iloc[number], ROWS[number][NAMES.index(name)]
        if name in ("int", "tiny", "big"):  # a column with a null is of floats
            assert found == float(expected)
        elif name != "moment":
            assert found == expected, name
    assert frame.iloc[2, 1:].isna().all()


def test_pandas_in_portions(engine: sa.Engine) -> None:
    with engine.connect().execution_options(stream_results=True) as connection:
        parts = pd.read_sql(sa.text(STREAM), connection, chunksize=100_000)
        sizes = [(len(part), int(part["id"].sum())) for part in parts]
    assert [size for size, _ in sizes] == [100_000] * 10
    assert sum(total for _, total in sizes) == STREAMED * (STREAMED - 1) // 2


def test_pandas_through_adbc(arrow: Any) -> None:
    frame = pd.read_sql(ORDER_SUMS, arrow)
    assert dict(zip(frame["region"], frame["units"], strict=True)) == UNITS
    assert str(frame["units"].dtype) == "int64"


def test_polars(matrix: Matrix) -> None:
    frame = pl.read_database_uri(STREAM, matrix.url(), engine="adbc")
    assert frame.schema == {
        "id": pl.Int64,
        "region": pl.String,
        "sold_at": pl.Datetime("us"),
        "price": pl.Float64,
    }
    assert frame.height == STREAMED
    assert frame["id"].sum() == STREAMED * (STREAMED - 1) // 2
    assert frame["price"].null_count() == STREAMED // 10
    assert frame["region"].value_counts().height == 3
    units = pl.read_database_uri(ORDER_SUMS, matrix.url(), engine="adbc")
    assert dict(units.iter_rows()) == UNITS


def test_polars_through_sqlalchemy(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        frame = pl.read_database(sa.text(ORDER_SUMS), connection)
    assert frame.schema == {"region": pl.String, "units": pl.Int64}
    assert dict(frame.iter_rows()) == UNITS


# As ADBC's driver gives them; types that Arrow has no place for come as text or as bytes.
ARROW = {
    "id": "int32", "flag": "bool", "tiny": "int16", "int": "int32", "big": "int64", "short": "float",
    "double": "double", "words": "string", "label": "string", "bytes": "binary", "day": "date32[day]",
    "moment": "timestamp[us]", "instant": "timestamp[us, tz=UTC]", "clock": "time64[us]",
    "span": "month_day_nano_interval", "numbers": "list<item: int32>", "names": "list<item: string>",
}  # fmt: skip


def test_adbc_types_and_values(arrow: Any) -> None:
    with arrow.cursor() as cursor:
        cursor.execute(TYPED)
        table = cursor.fetch_arrow_table()
    assert table.column_names == NAMES
    kinds = {field.name: str(field.type) for field in table.schema}
    assert {name: kinds[name] for name in ARROW} == ARROW
    rows = table.to_pylist()
    for name in ARROW.keys() - {"span"}:
        for number in (0, 1):
            assert rows[number][name] == ROWS[number][NAMES.index(name)], name
    assert rows[0]["money"] == "1234.50"
    assert rows[1]["huge"] == str(2**127 - 1)
    assert set(rows[2]) == set(NAMES)
    assert all(rows[2][name] is None for name in NAMES[1:])


def test_adbc_streams_and_goes_on_after_an_error(arrow: Any) -> None:
    with arrow.cursor() as cursor:
        cursor.execute(STREAM)
        batches = [
            (batch.num_rows, sum(batch.column("id").to_pylist())) for batch in cursor.fetch_record_batch()
        ]
    assert sum(count for count, _ in batches) == STREAMED
    assert sum(total for _, total in batches) == STREAMED * (STREAMED - 1) // 2
    with arrow.cursor() as cursor, pytest.raises(adbc.Error, match="note"):
        cursor.execute("SELECT id, note FROM client_matrix._fails_late").fetch_arrow_table()
    arrow.rollback()
    with arrow.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM client_matrix._types")
        assert cursor.fetchall() == [(3,)]


def test_adbc_lists_tables(arrow: Any, matrix: Matrix) -> None:
    objects = arrow.adbc_get_objects(depth="tables", db_schema_filter="client_matrix").read_all().to_pylist()
    schemas = next(item for item in objects if item["catalog_name"] == "rvbbit")["catalog_db_schemas"]
    tables = next(item for item in schemas if item["db_schema_name"] == "client_matrix")["db_schema_tables"]
    assert {table["table_name"] for table in tables} == {"_endless", "_fails_late", "_stream", "_types"}
    assert len({table["table_type"] for table in tables}) == 1
