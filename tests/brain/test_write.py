"""Trees as DuckDB SQL: what DuckDB then answers, row by row, and what is refused with which reason."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.nodes import (
    AnyOf,
    ArrayOf,
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
    Other,
    Parameter,
    Relabel,
)
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.write import condition, conjunction, expression, weaker
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.sqltext import Sql

INT4, TEXT, BOOL, NUMERIC = (f"pg_catalog.{name}" for name in ("int4", "text", "bool", "numeric"))
DEFAULT = "pg_catalog.default"

COLUMNS = {
    "i": kinds.INT4,
    "j": kinds.INT4,
    "t": kinds.TEXT,
    "b": kinds.BOOL,
    "d": kinds.decimal(9, 2),
    "h": kinds.HUGEINT,
    "f": kinds.FLOAT8,
}
ROWS = (
    "(1, 0, 'a', true, 1.5, 1, 'nan'), (2, 2, 'b', false, 2.5, 2, 0), (NULL, 1, NULL, NULL, NULL, NULL, NULL)"
)


def column(name: str) -> Column:
    return Column(0, name, COLUMNS[name].type, -1, DEFAULT if name == "t" else None)


I, J, T, B, D, H, F = (column(name) for name in COLUMNS)  # noqa: E741


def integer(value: int | None) -> Constant:
    return Constant(INT4, None if value is None else str(value))


def text(value: str) -> Constant:
    return Constant(TEXT, value, -1, DEFAULT)


def call(operator: str, left: Node, right: Node, type_name: str = "int4") -> Call:
    result = INT4 if operator in "+-*/%" else BOOL
    name = f"pg_catalog.{operator}(pg_catalog.{type_name},pg_catalog.{type_name})"
    return Call("operator", name, result, (left, right), DEFAULT if type_name == "text" else None)


def equal(left: Node, right: Node) -> Call:
    return call("=", left, right)


def any_of(
    operator: str, scalar: Node, array: Node, *, every: bool = False, type_name: str = "int4"
) -> AnyOf:
    name = f"pg_catalog.{operator}(pg_catalog.{type_name},pg_catalog.{type_name})"
    return AnyOf(name, scalar, array, every, DEFAULT if type_name == "text" else None)


def ints(*values: str | None) -> Constant:
    return Constant("pg_catalog._int4", values)


def scope(**facts: object) -> Scope:
    return Scope(
        column=lambda node: Written(Sql(node.name), COLUMNS[node.name]),
        parameter=lambda node: Sql(f"${node.index + 1}"),
        **{"collation_is_c": True, "case_is_unicode": True, **facts},  # type: ignore[arg-type]
    )


@pytest.fixture(name="duck", scope="module")
def fixture_duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        declared = ", ".join(f"{name} {kind.duckdb}" for name, kind in COLUMNS.items())
        connection.execute(f"CREATE TABLE r ({declared})")
        connection.execute(f"INSERT INTO r VALUES {ROWS}")
        yield connection


EIGHT_FOUR = "pg_catalog.=(pg_catalog.int8,pg_catalog.int4)"
WIDE = Call("cast", "pg_catalog.int8(pg_catalog.int4)", "pg_catalog.int8", (I,))

GREETING = Call(
    "function", "pg_catalog.concat(pg_catalog.any)", TEXT, (T, Constant("pg_catalog.unknown", "!"), J)
)

HALF = call("/", integer(4), J)
FALLIBLE = call(">", HALF, integer(1))
"""4 / j > 1: an error in the first row, false in the second (4 / 2 > 1 is true), true in the third."""

VALUES: list[tuple[Node, list[object]]] = [
    (equal(I, integer(1)), [True, False, None]),
    (Bool("not", (equal(I, integer(1)),)), [False, True, None]),
    (Bool("and", (B, equal(I, integer(1)))), [True, False, None]),
    (Bool("or", (B, equal(J, integer(2)))), [True, True, None]),
    (NullTest(I, negated=False), [False, False, True]),
    (NullTest(I, negated=True), [True, True, False]),
    (BooleanTest("true", B), [True, False, False]),
    (BooleanTest("not_true", B), [False, True, True]),
    (BooleanTest("false", B), [False, True, False]),
    (BooleanTest("not_false", B), [True, False, True]),
    (BooleanTest("unknown", B), [False, False, True]),
    (BooleanTest("not_unknown", B), [True, True, False]),
    (Distinct(equal(I, J).name, (I, J)), [True, False, True]),
    (Distinct(equal(I, J).name, (I, integer(None))), [True, True, False]),
    (NullIf(equal(I, J).name, INT4, (I, J)), [1, None, None]),
    (Coalesce(INT4, (I, J)), [1, 2, 1]),
    (Extreme("greatest", INT4, (I, J)), [1, 2, 1]),
    (Extreme("least", INT4, (I, J)), [0, 2, 1]),
    (Case(TEXT, ((B, text("yes")),), text("no")), ["yes", "no", "no"]),
    (Case(INT4, ((B, I),), None), [1, None, None]),
    (Case(INT4, (), I), [1, 2, None]),
    (Relabel("pg_catalog.varchar", T), ["a", "b", None]),
    (GREETING, ["a!0", "b!2", "!1"]),
    # IN and NOT IN with nulls
    (any_of("=", I, ints("1", "3")), [True, False, None]),
    (AnyOf(EIGHT_FOUR, WIDE, ints("1", "3"), all=False), [True, False, None]),
    (any_of("=", I, ints("1", None)), [True, None, None]),
    (any_of("<>", I, ints("1", "3"), every=True), [False, True, None]),
    (any_of("<>", I, ints("1", None), every=True), [False, None, None]),
    (any_of("=", I, ints()), [False, False, False]),
    (any_of("<>", I, ints(), every=True), [True, True, True]),
    (any_of("=", I, Constant("pg_catalog._int4", None)), [None, None, None]),
    (any_of("<", I, ints("2", None)), [True, None, None]),
    (any_of(">=", I, ints("1", "2"), every=True), [False, True, None]),
    (any_of("<>", I, ints("1", "2")), [True, True, None]),
    (any_of("=", I, ArrayOf("pg_catalog._int4", (J, integer(1)))), [True, True, None]),
    (any_of("~~", T, Constant("pg_catalog._text", ("a%", None)), type_name="text"), [True, None, None]),
    (any_of("=", F, Constant("pg_catalog._float8", ("NaN", "-0")), type_name="float8"), [True, True, None]),
    (any_of("=", H, Constant("pg_catalog._numeric", ("1", "5")), type_name="numeric"), [True, False, None]),
    (call(">", D, Constant(NUMERIC, "1.50"), "numeric"), [False, True, None]),
    (call(">", D, Constant(NUMERIC, "1.4999999999"), "numeric"), [True, True, None]),
    # where a part can fail, it is computed only where PostgreSQL computes it
    (Bool("and", (call("<>", J, integer(0)), FALLIBLE)), [False, True, True]),
    (Bool("and", (call("<>", J, integer(0)), equal(I, integer(2)), FALLIBLE)), [False, True, None]),
    (Bool("or", (equal(J, integer(0)), FALLIBLE)), [True, True, True]),
    (Bool("or", (equal(J, integer(0)), equal(I, integer(9)), Bool("not", (FALLIBLE,)))), [True, False, None]),
    (Case(INT4, ((equal(J, integer(0)), integer(-1)),), HALF), [-1, 2, 4]),
    (Coalesce(INT4, (I, HALF)), [1, 2, 4]),
]


@pytest.mark.parametrize(("node", "expected"), VALUES, ids=lambda item: str(item)[:60])
def test_values(duck: duckdb.DuckDBPyConnection, node: Node, expected: list[object]) -> None:
    written = expression(node, scope())
    relation = duck.sql(f"SELECT {written.sql} FROM r")
    assert [row[0] for row in relation.fetchall()] == expected
    assert str(relation.types[0]) == written.kind.duckdb


@pytest.mark.parametrize(
    ("node", "expected"),
    [item for item in VALUES if expression(item[0], scope()).kind is kinds.BOOL],
    ids=lambda item: str(item)[:60],
)
def test_conditions(duck: duckdb.DuckDBPyConnection, node: Node, expected: list[object]) -> None:
    sql = conjunction([node], scope()).sql
    rows = duck.sql(f"SELECT rowid FROM r WHERE {sql} ORDER BY rowid").fetchall()
    assert rows == [(number,) for number, truth in enumerate(expected) if truth]


def test_a_condition_that_can_fail_waits_for_those_before_it(duck: duckdb.DuckDBPyConnection) -> None:
    sql = conjunction([call("<>", J, integer(0)), FALLIBLE], scope()).sql
    assert duck.sql(f"SELECT j FROM r WHERE {sql} ORDER BY j").fetchall() == [(1,), (2,)]


def test_a_condition_that_fails_first_fails(duck: duckdb.DuckDBPyConnection) -> None:
    sql = conjunction([FALLIBLE, call("<>", J, integer(0))], scope()).sql
    with pytest.raises(duckdb.Error, match="Division by zero"):
        duck.sql(f"SELECT j FROM r WHERE {sql}").fetchall()


MYSTERY = Call("function", "public.my_udf(pg_catalog.int4)", BOOL, (I,))
LATIN = Call("operator", call("<", T, text("x"), "text").name, BOOL, (T, text("x")), "pg_catalog.en-x-icu")

REFUSED: list[tuple[Node, str]] = [
    (MYSTERY, "function public.my_udf(integer) is not known to be the same in DuckDB"),
    (LATIN, 'the order of texts under collation "en-x-icu" may not be the same in DuckDB'),
    (Other("a subquery"), "a subquery cannot be sent to DuckDB"),
    (call("=", D, Constant(NUMERIC, "NaN"), "numeric"), "DuckDB has no numeric NaN"),
    (
        call("=", H, Constant(NUMERIC, "0.5"), "numeric"),
        "the numerics compared need more than 38 digits together",
    ),
    (call("~~", T, T, "text"), "the pattern is not a constant"),
    (call("~~", T, text("a\\"), "text"), "the pattern ends with its escape character"),
    (Constant("pg_catalog.point", "(0,0)"), "values of type point are not known to be the same in DuckDB"),
    (
        any_of("~~", T, T, type_name="text"),
        "an array that is not a constant is not known to be the same in DuckDB",
    ),
]


@pytest.mark.parametrize(("node", "reason"), REFUSED, ids=lambda item: str(item)[:60])
def test_reasons(node: Node, reason: str) -> None:
    with pytest.raises(Local) as raised:
        expression(node, scope())
    assert raised.value.reason == reason


def test_texts_are_ordered_only_where_the_database_orders_by_code_point() -> None:
    order, same = call("<", T, text("x"), "text"), call("=", T, text("x"), "text")
    assert expression(same, scope(collation_is_c=False)).sql == "(t = 'x')"
    with pytest.raises(Local):
        expression(order, scope(collation_is_c=False))


def test_deep_nesting_stays_local() -> None:
    node: Node = I
    for _ in range(150):
        node = call("+", node, integer(1))
    with pytest.raises(Local, match="nested too deeply"):
        expression(node, scope())


def test_a_parameter_is_a_placeholder_until_its_value_is_known() -> None:
    node = equal(I, Parameter(0, INT4))
    assert expression(node, scope()).sql == "(i = $1)"
    assert expression(node, scope(values=["7"])).sql == "(i = CAST(7 AS INTEGER))"
    listed = any_of("=", I, Parameter(0, "pg_catalog._int4"))
    assert expression(listed, scope()).sql == "(i = ANY ($1))"
    assert expression(listed, scope(values=[("7", None)])).sql.startswith("(i IN (CAST(7 AS INTEGER)")


@pytest.mark.parametrize(
    ("node", "sql"),
    [
        (Bool("and", (equal(I, integer(1)), MYSTERY)), "(i = CAST(1 AS INTEGER))"),
        (Bool("or", (equal(I, integer(1)), MYSTERY)), None),
        (Bool("or", (B, Bool("and", (equal(I, J), MYSTERY)))), "(b OR (i = j))"),
        (MYSTERY, None),
        (FALLIBLE, None),
    ],
)
def test_a_weaker_condition_of_what_is_known(node: Node, sql: str | None) -> None:
    found = weaker(node, scope())
    assert (found and found.sql) == sql


def test_only_the_truth_of_a_condition_counts() -> None:
    node = Bool("and", (B, FALLIBLE))
    assert "AND" not in condition(node, scope()).sql
    assert "AND" in expression(node, scope()).sql
