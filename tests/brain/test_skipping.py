"""DuckDB skips no row with a NULL in a file that RVBBIT's version of it wrote."""

from collections.abc import Iterator

import duckdb
import pytest

from rvbbit_fdw.pushdown import kinds, write
from rvbbit_fdw.pushdown.nodes import (
    Bool,
    Call,
    Coalesce,
    Column,
    Constant,
    Distinct,
    Extreme,
    Node,
    NullTest,
)
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.sqltext import Sql
from tests.kit.writers import make_session

PLUS = "pg_catalog.+(pg_catalog.int4,pg_catalog.int4)"
EQUAL = "pg_catalog.=(pg_catalog.int4,pg_catalog.int4)"
A = Column(1, "a", "pg_catalog.int4")


def number(value: int) -> Constant:
    return Constant("pg_catalog.int4", str(value))


def call(name: str, kind: str, *arguments: Node) -> Call:
    return Call("operator", name, f"pg_catalog.{kind}", arguments)


def equal(one: Node, other: Node) -> Call:
    return call(EQUAL, "bool", one, other)


NEXT = call(PLUS, "int4", A, number(1))
CONDITIONS = {
    "a column without a value": NullTest(A, negated=False),
    "an expression without a value": NullTest(NEXT, negated=False),
    "not null": NullTest(NEXT, negated=True),
    "not not null": Bool("not", (NullTest(NEXT, negated=True),)),
    "a value in place of NULL": equal(Coalesce("pg_catalog.int4", (A, number(-5))), number(-5)),
    "the greatest": equal(Extreme("greatest", "pg_catalog.int4", (A, number(-5))), number(-5)),
    "unlike NULL": Distinct(EQUAL, (A, number(3))),
    "unlike NULL, an expression": Distinct(EQUAL, (NEXT, number(3))),
    "equal": equal(A, number(3)),
}


@pytest.fixture(scope="module")
def written_by_rvbbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    values = "CASE WHEN range % 5 > 0 THEN range % 7 END::INTEGER AS a"
    path = tmp_path_factory.mktemp("sessions") / "s.duckdb"
    make_session(path, f"CREATE TABLE t AS SELECT {values} FROM range(5000)")
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_a_filter_finds_what_the_condition_says(
    written_by_rvbbit: duckdb.DuckDBPyConnection, condition: Node
) -> None:
    integer = kinds.FIXED["pg_catalog.int4"]
    scope = Scope(
        column=lambda column: Written(Sql(f'"{column.name}"'), integer), parameter=lambda _: Sql("")
    )
    where = write.condition(condition, scope).sql
    found = written_by_rvbbit.execute(f"SELECT count(*) FROM t WHERE {where}").fetchone()
    right = written_by_rvbbit.execute(f"SELECT count(*) FILTER (WHERE {where}) FROM t").fetchone()
    assert found == right
