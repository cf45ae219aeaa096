"""Requests as DuckDB queries."""

from __future__ import annotations

import pytest

from rvbbit_fdw import scan
from rvbbit_fdw.catalog import Catalog, Column, Relation
from rvbbit_fdw.errors import ColumnNotFound, ColumnTypeChanged, TableNotFound
from rvbbit_fdw.request import Attribute, Table

OUTPUT = Relation(
    "main",
    "_Output",
    (Column("Id", "INTEGER", True), Column("h", "UBIGINT", True), Column('q"', "VARCHAR", True)),
)
CATALOG = Catalog(("main",), (OUTPUT,))


def attribute(number: int, name: str, kind: str, **options: str) -> Attribute:
    return Attribute(number, name, f"pg_catalog.{kind}", -1, options)


def table(*attributes: Attribute, **options: str) -> Table:
    named = {"session": "s", "table_name": "_output", **options}
    return Table("debug", "local", named, {item.number: item for item in attributes})


def test_columns_in_order_cast_as_their_types_need() -> None:
    wanted = [
        attribute(2, "h", "numeric"),
        attribute(1, "id", "int4"),
        attribute(3, "x", "text", column_name='q"'),
    ]
    query = scan.query("s", table(*wanted), wanted, CATALOG)
    assert query.sql == 'SELECT CAST("h" AS HUGEINT), "id", "q""" FROM "s"."main"."_output"'
    assert query.decoders == ("hugeint", "int4", "text")


def test_no_column() -> None:
    query = scan.query("s (2)", table(schema_name="x"), [], None)
    assert query == scan.Query(query.sql, ())
    assert query.sql == 'SELECT true FROM "s (2)"."x"."_output"'


def test_without_a_catalog_the_imported_type_counts() -> None:
    wanted = [attribute(1, "e", "text", duckdb_type="ENUM"), attribute(2, "i", "int4")]
    query = scan.query("s", table(), wanted, None)
    assert query.sql == 'SELECT CAST("e" AS VARCHAR), CAST("i" AS VARCHAR) FROM "s"."main"."_output"'


def test_a_table_that_is_gone() -> None:
    with pytest.raises(TableNotFound) as caught:
        scan.query("s", table(table_name="gone"), [], CATALOG)
    assert caught.value.message == 'session "s" has no table "gone" in schema "main"'
    assert caught.value.hint == (
        'Drop foreign table "debug"."local" and import it again with IMPORT FOREIGN SCHEMA.'
    )
    with pytest.raises(TableNotFound):
        scan.query("s", table(schema_name="other"), [], CATALOG)


def test_only_delivered_columns_are_checked() -> None:
    gone, id_column = attribute(2, "gone", "text"), attribute(1, "id", "int4", duckdb_type="INTEGER")
    scan.query("s", table(id_column, gone), [id_column], CATALOG)
    with pytest.raises(ColumnNotFound, match='no column "gone"'):
        scan.query("s", table(id_column, gone), [gone], CATALOG)


def test_another_type_than_at_import() -> None:
    retyped = attribute(1, "id", "int8", duckdb_type="BIGINT")
    with pytest.raises(ColumnTypeChanged) as caught:
        scan.query("s", table(retyped), [retyped], CATALOG)
    assert caught.value.detail == "It was BIGINT at import and is INTEGER now."
