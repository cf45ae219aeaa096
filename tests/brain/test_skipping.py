"""DuckDB skips no row with a NULL in a file that RVBBIT's version of it wrote."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from rvbbit_fdw.pushdown import kinds, write
from rvbbit_fdw.pushdown.nodes import (
    Bool,
    BooleanTest,
    Call,
    Case,
    Coalesce,
    Column,
    Constant,
    Distinct,
    Extreme,
    Node,
    NullIf,
    NullTest,
)
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.sqltext import Sql
from tests.kit.writers import make_session

INT, BOOL, TEXT = "pg_catalog.int4", "pg_catalog.bool", "pg_catalog.text"
PLUS = f"pg_catalog.+({INT},{INT})"
EQUAL = f"pg_catalog.=({INT},{INT})"
SAME_TEXT = f"pg_catalog.=({TEXT},{TEXT})"
A = Column(1, "a", INT)
COLUMNS = {"a": kinds.FIXED[INT], "f": kinds.BOOL, "s": kinds.FIXED[TEXT]}


def number(value: int) -> Constant:
    return Constant(INT, str(value))


def call(name: str, kind: str, *arguments: Node) -> Call:
    return Call("operator", name, kind, arguments)


def equal(one: Node, other: Node) -> Call:
    return call(EQUAL, BOOL, one, other)


def coalesce(*arguments: Node) -> Coalesce:
    return Coalesce(INT, arguments)


NEXT = call(PLUS, INT, A, number(1))
UNKNOWN = coalesce(A, number(-5))
NO_SUM = NullTest(NEXT, negated=False)
LABEL = Call("function", "pg_catalog.concat(pg_catalog.any)", TEXT, (Column(3, "s", TEXT),))

CONDITIONS: dict[str, Node] = {
    "a column without a value": NullTest(A, negated=False),
    "an expression without a value": NO_SUM,
    "not null": NullTest(NEXT, negated=True),
    "not not null": Bool("not", (NullTest(NEXT, negated=True),)),
    "not a column that is not null": Bool("not", (NullTest(A, negated=True),)),
    "a column and an expression without a value": Bool("and", (NullTest(A, negated=False), NO_SUM)),
    "either": Bool("or", (NullTest(A, negated=False), equal(A, number(-1)))),
    "a value in place of NULL": equal(UNKNOWN, number(-5)),
    "deeper": equal(call(PLUS, INT, coalesce(UNKNOWN, number(0)), number(1)), number(-4)),
    "a value for one NULL of two": equal(coalesce(A, coalesce(A, number(-5))), number(-5)),
    "the greatest": equal(Extreme("greatest", INT, (A, number(-5))), number(-5)),
    "nothing for a value": NullTest(NullIf(EQUAL, INT, (NEXT, number(1))), negated=False),
    "a case": equal(Case(INT, ((NO_SUM, number(1)),), number(2)), number(1)),
    "a case that is another expression": equal(Case(INT, ((equal(A, A), A),), UNKNOWN), number(-5)),
    "unlike NULL": Distinct(EQUAL, (A, number(3))),
    "unlike NULL, an expression": Distinct(EQUAL, (NEXT, number(3))),
    "not true": BooleanTest("not_true", equal(A, number(99))),
    "unknown": BooleanTest("unknown", Column(2, "f", BOOL)),
    "false in place of NULL": Bool("not", (Coalesce(BOOL, (Column(2, "f", BOOL), Constant(BOOL, "f"))),)),
    "no text": Call("operator", SAME_TEXT, BOOL, (LABEL, Constant(TEXT, "")), "pg_catalog.default"),
    "equal": equal(A, number(3)),
}

COMPUTED = {
    "a value in place of NULL": (UNKNOWN, "c = -5"),
    "an expression without a value": (NO_SUM, "c"),
    "not not null": (NullTest(A, negated=True), "NOT c"),
    "by way of a join": (UNKNOWN, "c = (SELECT k FROM k)"),
}
"""What a subquery computes, and a condition that somebody has for it."""


@pytest.fixture(scope="module")
def written_by_rvbbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    a = "CASE WHEN range % 5 > 0 THEN range % 7 END::INTEGER AS a"
    f = "CASE WHEN range % 5 > 0 THEN true END AS f"
    s = "CASE WHEN range % 5 > 0 THEN 'x' || range % 9 END AS s"
    path = tmp_path_factory.mktemp("sessions") / "s.duckdb"
    make_session(
        path, f"CREATE TABLE t AS SELECT {a}, {f}, {s} FROM range(5000)", "CREATE TABLE k AS SELECT -5 AS k"
    )
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


@pytest.fixture
def scope() -> Scope:
    return Scope(
        column=lambda column: Written(Sql(f'"{column.name}"'), COLUMNS[column.name]),
        parameter=lambda _: Sql(""),
        collation_is_c=True,
    )


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
def test_a_filter_finds_what_the_condition_says(
    written_by_rvbbit: duckdb.DuckDBPyConnection, scope: Scope, condition: Node
) -> None:
    where = write.condition(condition, scope).sql
    found = written_by_rvbbit.execute(f"SELECT count(*) FROM t WHERE {where}").fetchone()
    right = written_by_rvbbit.execute(f"SELECT count(*) FILTER (WHERE {where}) FROM t").fetchone()
    assert found == right


@pytest.mark.parametrize(("value", "where"), COMPUTED.values(), ids=COMPUTED)
def test_a_filter_finds_what_a_subquery_computes(
    written_by_rvbbit: duckdb.DuckDBPyConnection, scope: Scope, value: Node, where: str
) -> None:
    computed = write.expression(value, scope).sql
    inner = f"(SELECT {computed} AS c FROM t)"
    found = written_by_rvbbit.execute(f"SELECT count(*) FROM {inner} WHERE {where}").fetchone()
    right = written_by_rvbbit.execute(f"SELECT count(*) FILTER (WHERE {where}) FROM {inner}").fetchone()
    assert found == right == (1000,)


def test_a_join_by_a_constant_finds_all_rows(
    written_by_rvbbit: duckdb.DuckDBPyConnection, scope: Scope
) -> None:
    value = write.expression(UNKNOWN, scope).sql
    joined = f"SELECT count(*) FROM t JOIN k ON {value} = k.k WHERE k.k = -5"
    assert written_by_rvbbit.execute(joined).fetchone() == (1000,)
