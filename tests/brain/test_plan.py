"""Who decides the conditions of a scan, and the WHERE that comes of it."""

from __future__ import annotations

import pytest

from rvbbit_fdw import scan
from rvbbit_fdw.catalog import Catalog, Column, Relation
from rvbbit_fdw.errors import ColumnTypeChanged, NotPushable
from rvbbit_fdw.pushdown import nodes, plan, write
from rvbbit_fdw.pushdown.nodes import Bool, Call, Constant, Node, Other, Parameter
from rvbbit_fdw.request import Attribute, Database, Scan, Server, Settings, Table

INT4 = "pg_catalog.int4"
DATABASE = Database(collation_is_c=True, case_is_unicode=True, time_zone="UTC")
TABLE = Table(
    "x",
    "t",
    {"session": "s"},
    {
        1: Attribute(1, "a", INT4, -1, {"duckdb_type": "INTEGER"}),
        2: Attribute(2, "b", INT4, -1, {"duckdb_type": "INTEGER"}),
        3: Attribute(3, "unknown", INT4, -1, {}),
        5: Attribute(5, "t", "pg_catalog.text", -1, {"duckdb_type": "VARCHAR"}),
        4: Attribute(4, "n", "pg_catalog.numeric", -1, {"duckdb_type": "DECIMAL(9,2)"}),
    },
)
TEXT = "pg_catalog.text"
A_TEXT = nodes.Column(5, "t", TEXT, collation="pg_catalog.default")
A, B = nodes.Column(1, "a", INT4), nodes.Column(2, "b", INT4)


def compare(left: Node, operator: str, right: Node, kind: str = INT4) -> Node:
    collation = "pg_catalog.default" if kind == TEXT else None
    return Call(
        "operator", f"pg_catalog.{operator}({kind},{kind})", "pg_catalog.bool", (left, right), collation
    )


def number(value: int) -> Node:
    return Constant(INT4, str(value))


A_IS_1 = compare(A, "=", number(1))
B_IS_2 = compare(B, "=", number(2))
MINE = Call("function", "public.mine(pg_catalog.int4)", "pg_catalog.bool", (A,))
DIVIDED = compare(Call("operator", f"pg_catalog./({INT4},{INT4})", INT4, (A, B)), ">", number(3))

MINE_REASON = "function public.mine(integer) is not known to be the same in DuckDB"

# A condition, how much of it DuckDB decides, whether it can fail, and why not all.
JUDGED = [
    (A_IS_1, "all", False, None),
    (compare(A, "=", Parameter(0, INT4)), "all", False, None),
    (DIVIDED, "all", True, None),
    (MINE, "no", False, MINE_REASON),
    (Bool("and", (A_IS_1, MINE)), "part", False, MINE_REASON),
    (Bool("or", (A_IS_1, MINE)), "no", False, MINE_REASON),
    (Bool("or", (Bool("and", (A_IS_1, MINE)), B_IS_2)), "part", False, MINE_REASON),
    (Bool("and", (MINE, DIVIDED)), "no", False, MINE_REASON),
    (Other("a subquery"), "no", False, "a subquery cannot be sent to DuckDB"),
    (
        compare(nodes.Column(3, "unknown", INT4), "=", number(1)),
        "no",
        False,
        'the type of column "unknown" in the session is not known',
    ),
]


@pytest.mark.parametrize(("node", "pushed", "fallible", "reason"), JUDGED)
def test_who_decides(node: Node, pushed: str, fallible: bool, reason: str | None) -> None:
    verdict = plan.judge(node, plan.scope_of(TABLE, DATABASE))
    assert (verdict.pushed, verdict.fallible, verdict.reason) == (pushed, fallible, reason)


def test_a_condition_that_is_too_long_stays_local() -> None:
    long = compare(A_TEXT, "=", Constant(TEXT, "x" * 400_000), TEXT)
    verdict = plan.judge(long, plan.scope_of(TABLE, DATABASE))
    assert (verdict.pushed, verdict.reason) == ("no", "it is too long for DuckDB to parse at once")


def test_more_conditions_than_duckdb_plans_in_a_moment_stay_local() -> None:
    verdicts = plan.judge_all([A_IS_1] * write.MOST + [B_IS_2], plan.scope_of(TABLE, DATABASE))
    assert [verdict.pushed for verdict in verdicts] == ["all"] * write.MOST + ["no"]
    one = Bool("or", (A_IS_1,) * write.MOST)
    (verdict,) = plan.judge_all([one], plan.scope_of(TABLE, DATABASE))
    assert (verdict.pushed, verdict.reason) == ("no", "DuckDB takes too long to plan that many conditions")


def asked(*conditions: Node, decided: int) -> Scan:
    server = Server("rvbbit", "/sessions", "/store")
    columns = (TABLE.attributes[2],)
    return Scan(server, Settings(), TABLE, columns, conditions, None, False, decided, DATABASE)


# Conditions, how many of them PostgreSQL does not check again, and the WHERE.
FILTERS = [
    ((A_IS_1,), 1, '("a" = CAST(1 AS INTEGER))'),
    ((A_IS_1, B_IS_2), 2, '(("a" = CAST(1 AS INTEGER)) AND ("b" = CAST(2 AS INTEGER)))'),
    ((Bool("and", (A_IS_1, MINE)),), 0, '("a" = CAST(1 AS INTEGER))'),
    ((A_IS_1, Bool("and", (B_IS_2, MINE))), 1, '(("b" = CAST(2 AS INTEGER)) AND ("a" = CAST(1 AS INTEGER)))'),
    ((MINE,), 0, None),
    ((), 0, None),
]


@pytest.mark.parametrize(("conditions", "decided", "where"), FILTERS)
def test_filters(conditions: tuple[Node, ...], decided: int, where: str | None) -> None:
    found = plan.filter_of(asked(*conditions, decided=decided))
    assert (found.sql if found else None) == where


def test_a_value_that_duckdb_does_not_have() -> None:
    column = nodes.Column(4, "n", "pg_catalog.numeric")
    nan = compare(column, ">", Constant("pg_catalog.numeric", "NaN"), "pg_catalog.numeric")
    with pytest.raises(NotPushable, match="DuckDB has no numeric NaN"):
        plan.filter_of(asked(nan, decided=1))


def relation(rows: int | None, a: str = "INTEGER") -> Catalog:
    columns = (Column("a", a, True), Column("b", "INTEGER", True))
    return Catalog(("main",), (Relation("main", "t", columns, rows),))


# Rows of the table as far as they are known, a condition, and whether it is tried before rows are delivered.
TRIALS = [
    (scan.ONE_BATCH, DIVIDED, False),
    (scan.ONE_BATCH + 1, DIVIDED, True),
    (None, DIVIDED, True),
    (None, A_IS_1, False),
]


@pytest.mark.parametrize(("rows", "condition", "tried"), TRIALS)
def test_what_may_fail_late_is_tried_first(rows: int | None, condition: Node, tried: bool) -> None:
    """A condition that fails has to fail before PostgreSQL has seen a row."""
    given = asked(condition, decided=1)
    query = scan.query("s", TABLE, given.columns, relation(rows), plan.filter_of(given))
    assert (query.trial is not None) == tried
    if query.trial is not None:
        assert query.trial.partition(" WHERE ")[2] == query.sql.partition(" WHERE ")[2]


def test_columns_that_are_only_filtered_by_are_checked_too() -> None:
    given = asked(A_IS_1, decided=1)
    with pytest.raises(ColumnTypeChanged):
        scan.query("s", TABLE, given.columns, relation(1, a="BIGINT"), plan.filter_of(given))
