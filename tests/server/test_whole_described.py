"""How the result of a whole query is described: the same names, types and typmods as over the heap."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.server.whole import NODE, heap, ours, plan, same, whole_schema

pytestmark = pytest.mark.server

DESCRIBED = [
    "SELECT CASE WHEN 1 < 2 THEN amount ELSE 0.5 END AS x, id FROM {items} ORDER BY id",
    "SELECT CASE WHEN 1 > 2 THEN 0.5 ELSE amount END AS x, id FROM {items} ORDER BY x, id",
    "SELECT CASE WHEN 1 > 2 THEN 0.50 ELSE amount END AS x FROM {items} GROUP BY 1"
    " ORDER BY 1 DESC NULLS FIRST",
    "SELECT DISTINCT CASE WHEN 1 > 2 THEN 0.50 ELSE amount END AS x FROM {items} ORDER BY 1",
    "SELECT coalesce(NULL::numeric, amount), coalesce(amount, 1) FROM {items} ORDER BY id",
    "SELECT x, x + 1 FROM (SELECT CASE WHEN true THEN amount ELSE 0.5 END AS x, id FROM {items}) AS s"
    " ORDER BY id",
    "SELECT x FROM (SELECT CASE WHEN true THEN amount ELSE 0.5 END AS x FROM {items} OFFSET 0) AS s"
    " ORDER BY 1",
    "SELECT CASE WHEN true THEN amount ELSE 0.50 END FROM {items} UNION SELECT amount FROM {items}"
    " ORDER BY 1",
    "SELECT amount FROM {items} UNION ALL SELECT 0.25 FROM {groups} ORDER BY 1",
    "SELECT CASE WHEN false THEN 0.5 ELSE amount END AS x, grp, format('%s', id) FROM {items}"
    " ORDER BY x, grp, id",
    "SELECT CASE WHEN true THEN max(amount) ELSE 0 END, CASE WHEN true THEN amount ELSE 0.5 END, avg(small)"
    " FROM {items} GROUP BY amount ORDER BY 2",
    "SELECT name::varchar(9), CASE WHEN true THEN name::varchar(20) ELSE 'x' END FROM {items} ORDER BY id",
]


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The schema with the tables of two sessions and their copies."""
    with whole_schema(server, "whole_described", tmp_path_factory.mktemp("copies")) as name:
        yield name


def described(db: psycopg.Connection, query: sql.Composed) -> list[tuple[str, int, int]]:
    """Name, type and typmod of each column, as the server sends them before the rows."""
    result = db.execute(query).pgresult
    assert result is not None
    return [
        ((result.fname(n) or b"").decode(), result.ftype(n), result.fmod(n)) for n in range(result.nfields)
    ]


@pytest.mark.parametrize("text", DESCRIBED)
def test_columns_are_described_as_over_the_heap(db: psycopg.Connection, whole: str, text: str) -> None:
    assert NODE in plan(db, ours(whole, text))
    assert described(db, ours(whole, text)) == described(db, heap(whole, text))
    assert same(db, whole, text)


@pytest.mark.parametrize("text", DESCRIBED)
def test_verified_rows_are_described_alike_too(db: psycopg.Connection, whole: str, text: str) -> None:
    db.execute("SET rvbbit.verify = on")
    assert described(db, ours(whole, text)) == described(db, heap(whole, text))


def test_a_table_made_of_it_has_the_same_columns(db: psycopg.Connection, whole: str, schema: str) -> None:
    text = "SELECT CASE WHEN true THEN amount ELSE 0.5 END AS x FROM {items}"
    columns = []
    for number, query in enumerate((ours(whole, text), heap(whole, text))):
        table = sql.Identifier(schema, f"made_{number}")
        db.execute(sql.SQL("CREATE TABLE {} AS {}").format(table, query))
        found = (
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0"
        )
        columns.append(db.execute(found, [table.as_string(db)]).fetchall())
    assert columns[0] == columns[1] == [("numeric(12,2)",)]
