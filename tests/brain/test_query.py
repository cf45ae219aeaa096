"""Trees of whole queries as DuckDB SQL, and what stays with PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from rvbbit_fdw.errors import NotPushable
from rvbbit_fdw.pushdown import whole
from rvbbit_fdw.request import Table

Tree = dict[str, Any]

COLUMNS = {"id": ("int4", "INTEGER"), "amount": ("numeric", "DECIMAL(10,2)"), "name": ("text", "VARCHAR")}
STORED = whole.Actual(is_computed=False, columns=tuple(COLUMNS))
NUMBERS = {name: number for number, name in enumerate(COLUMNS, 1)}


def expression(leaf: int, kind: str) -> Tree:
    collation = "pg_catalog.default" if kind == "text" else None
    return {
        "node": "column",
        "number": leaf,
        "name": "",
        "type": f"pg_catalog.{kind}",
        "collation": collation,
    }


def variable(name: str, level: int = 0, relation: int = 0) -> Tree:
    return {"leaf": "variable", "level": level, "relation": relation, "number": NUMBERS[name]}


def constant(kind: str, value: str | None) -> Tree:
    return {"node": "constant", "type": f"pg_catalog.{kind}", "value": value}


def parameter(index: int, kind: str) -> Tree:
    return {"node": "parameter", "index": index, "type": f"pg_catalog.{kind}"}


def call(operator: str, kind: str, result: str, *arguments: Tree) -> Tree:
    types = ",".join(f"pg_catalog.{kind}" for _ in arguments)
    return {
        "node": "call",
        "kind": "operator",
        "name": f"pg_catalog.{operator}({types})",
        "type": f"pg_catalog.{result}",
        "arguments": list(arguments),
    }


def target(tree: Tree, name: str = "a", ref: int = 0, *, junk: bool = False) -> Tree:
    known = {"type": tree["type"], "typmod": -1, "collation": tree.get("collation")}
    return {"ref": ref, "junk": junk, "name": name, "expression": tree, **known}


def group(ref: int, kind: str, order: str = "<") -> Tree:
    name = f"(pg_catalog.{kind},pg_catalog.{kind})"
    return {
        "ref": ref,
        "equality": f"pg_catalog.={name}",
        "order": f"pg_catalog.{order}{name}",
        "nulls_first": False,
    }


def aggregate(name: str, result: str, *arguments: Tree, sort: Sequence[Tree] = ()) -> Tree:
    return {
        "leaf": "aggregate",
        "name": f"pg_catalog.{name}",
        "type": f"pg_catalog.{result}",
        "input_collation": "pg_catalog.default",
        "direct": [],
        "arguments": list(arguments),
        "sort": list(sort),
        "distinct": [],
        "filter": None,
        "variadic": False,
    }


def table(alias: str = "t") -> Tree:
    columns = [
        {
            "number": NUMBERS[name],
            "name": name,
            "type": f"pg_catalog.{kind}",
            "options": {"duckdb_type": duckdb},
        }
        for name, (kind, duckdb) in COLUMNS.items()
    ]
    options = {"session": "s", "schema_name": "main", "table_name": "t"}
    described = {"schema": "public", "name": "t", "options": options, "columns": columns}
    return {"relation": "table", "alias": alias, "names": list(COLUMNS), "table": described}


def query(targets: Sequence[Tree], leaves: Sequence[Tree], **parts: Any) -> Tree:
    empty: Mapping[str, Any] = {
        "with": [],
        "relations": [table()],
        "from": [{"relation": 0}],
        "where": None,
        "aggregates": False,
        "group": [],
        "group_distinct": False,
        "grouping_sets": [],
        "having": None,
        "windows": [],
        "distinct": [],
        "distinct_on": False,
        "sort": [],
        "limit": None,
        "with_ties": False,
        "offset": None,
    }
    return {**empty, "targets": list(targets), "leaves": list(leaves), **parts}


def body(tree: Tree, **more: Any) -> dict[str, Any]:
    facts = {"collation_is_c": True, "case_is_unicode": True, "time_zone": "UTC"}
    server = {"name": "rvbbit", "options": {"session_dir": "/x"}}
    return {
        "version": 1,
        "server": server,
        "database": facts,
        "query": json.dumps(tree),
        "float_aggregates": True,
        **more,
    }


def asking(
    database: str = "p", actual: whole.Actual = STORED, largest: Mapping[str, int] | None = None
) -> whole.Asking:
    """The same answers about every table."""
    return whole.Asking(lambda _table: database, lambda _table: actual, lambda _table: largest or {})


def planned(tree: Tree, *, quotients: bool = False) -> dict[str, Any]:
    return whole.plan(body(tree) | {"quotients": quotients})


ID, AMOUNT, NAME = expression(0, "int4"), expression(0, "numeric"), expression(0, "text")
COUNT = expression(1, "int8")
SORTED = {"sort": [group(1, "int4")]}
NUMBERED = query([target(ID, "id", 1)], [variable("id")], **SORTED)

LATERAL = query(
    [target(expression(0, "int4"), "a")],
    [{"leaf": "variable", "level": 0, "relation": 1, "number": 1}],
    relations=[
        table(),
        {
            "relation": "subquery",
            "alias": "x",
            "names": ["b"],
            "lateral": True,
            "query": query([target(ID, "b")], [variable("id", level=1)], relations=[], **{"from": []}),
        },
    ],
    **{"from": [{"relation": 0}, {"relation": 1}]},
)

WRITTEN: Mapping[str, tuple[Tree, str]] = {
    "targets and order": (
        NUMBERED,
        'SELECT "t"."id" AS "id" FROM "s"."main"."t" AS "t" ORDER BY 1 ASC NULLS LAST',
    ),
    "names that differ in their case only": (
        query([target(ID, "a"), target(ID, "A")], [variable("id")]),
        'SELECT "t"."id" AS "a", "t"."id" AS "A_2" FROM "s"."main"."t" AS "t"',
    ),
    "groups": (
        query(
            [target(ID, "id", 1), target(COUNT, "n")],
            [variable("id"), aggregate("count()", "int8")],
            group=[group(1, "int4")],
            aggregates=True,
        ),
        'SELECT "t"."id" AS "id", count(*) AS "n" FROM "s"."main"."t" AS "t" GROUP BY "t"."id"',
    ),
    "the first rows and their equals": (
        query([target(ID, "id", 1)], [variable("id")], limit=constant("int8", "2"), with_ties=True, **SORTED),
        'SELECT "t"."id" AS "id" FROM "s"."main"."t" AS "t" QUALIFY 2 > 0'
        ' AND row_number() OVER (ORDER BY "t"."id" ASC NULLS LAST) > 0'
        ' AND rank() OVER (ORDER BY "t"."id" ASC NULLS LAST) <= 0 + 2 ORDER BY 1 ASC NULLS LAST',
    ),
    "a lateral part": (
        LATERAL,
        'SELECT "x"."b" AS "a" FROM "s"."main"."t" AS "t", LATERAL (SELECT "t"."id" AS "b") AS "x"',
    ),
    "texts in the order of themselves": (
        query(
            [target(expression(1, "text"), "a")],
            [
                variable("name"),
                aggregate(
                    "string_agg(pg_catalog.text,pg_catalog.text)",
                    "text",
                    target(NAME, ref=1),
                    target(constant("text", ",")),
                    sort=[group(1, "text")],
                ),
            ],
            aggregates=True,
        ),
        'SELECT string_agg("t"."name", \',\' ORDER BY "t"."name" ASC NULLS LAST) AS "a"'
        ' FROM "s"."main"."t" AS "t"',
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written(name: str) -> None:
    tree, sql = WRITTEN[name]
    assert planned(tree) == {"sql": sql, "fallible": False}


QUOTIENT = call("/", "numeric", "numeric", AMOUNT, AMOUNT)
AVERAGE = [variable("amount"), aggregate("avg(pg_catalog.numeric)", "numeric", target(AMOUNT))]

LOCAL: Mapping[str, tuple[Tree, str]] = {
    "a function that is not on the list": (
        query([target(call("^", "numeric", "numeric", AMOUNT, AMOUNT))], [variable("amount")]),
        "operator numeric ^ numeric is not known to be the same in DuckDB",
    ),
    "an order that the rows decide": (
        query(
            [target(expression(1, "text"))],
            [
                variable("name"),
                aggregate(
                    "string_agg(pg_catalog.text,pg_catalog.text)",
                    "text",
                    target(NAME),
                    target(constant("text", ",")),
                ),
            ],
            aggregates=True,
        ),
        "an aggregate whose result depends on the order of the rows",
    ),
    "a quotient that may fail after the first row": (
        query([target(QUOTIENT)], [variable("amount")]),
        "operator numeric / numeric is not known to be the same in DuckDB",
    ),
    "ties of distinct rows": (
        {**NUMBERED, "distinct": [group(1, "int4")], "limit": constant("int8", "2"), "with_ties": True},
        "FETCH FIRST ... WITH TIES of distinct rows or of a set operation",
    ),
}


@pytest.mark.parametrize("name", LOCAL)
def test_what_stays_local(name: str) -> None:
    tree, reason = LOCAL[name]
    reply = planned(tree)
    assert reply["reason"] == reason
    assert planned(tree, quotients=True).get("sql") is None


def test_an_average_is_finished_or_written_as_a_quotient() -> None:
    tree = query([target(COUNT | {"type": "pg_catalog.numeric"}, "a")], AVERAGE, aggregates=True)
    reply = planned(tree)
    assert (reply["finish"], reply["finish_having"], reply["has_quotients"]) == (["1"], False, True)
    assert 'sum("t"."amount")' in planned(tree, quotients=True)["sql"]


def test_an_average_inside_is_written_at_once() -> None:
    inner = query([target(COUNT | {"type": "pg_catalog.numeric"}, "a")], AVERAGE, aggregates=True)
    relation = {"relation": "subquery", "alias": "x", "names": ["a"], "lateral": False, "query": inner}
    leaf = {"leaf": "variable", "level": 0, "relation": 0, "number": 1}
    sql = planned(query([target(AMOUNT, "a")], [leaf], relations=[relation]))["sql"]
    # Its digits after the point travel beside it, so that the outermost query can write them.
    assert sql.count('"digits of a"') == 2


def test_a_limit_by_parameter_is_known_when_it_runs() -> None:
    tree = {**NUMBERED, "limit": parameter(0, "int8")}
    assert planned(tree)["sql"].endswith("LIMIT $1 OFFSET 0")
    request = body(tree, columns=[1], parameters=["3"])
    assert whole.to_run(request, asking()).sql.endswith(
        'FROM "p"."main"."t" AS "t" ORDER BY 1 ASC NULLS LAST LIMIT 3 OFFSET 0'
    )
    with pytest.raises(NotPushable, match="negative"):
        whole.to_run(body(tree, columns=[1], parameters=["-1"]), asking())


@pytest.mark.parametrize(
    ("columns", "alias"),
    [(("id", "amount"), "t"), (("id", "t"), "t_2"), (("T", "t_2"), "t_3")],
    ids=["other names", "its own name", "others that it might have"],
)
def test_an_outer_relation_is_not_called_like_a_column(columns: tuple[str, ...], alias: str) -> None:
    """Which columns there are is known for good when it runs."""
    made = whole.to_run(
        body(LATERAL, columns=[1]), asking(actual=whole.Actual(is_computed=False, columns=columns))
    )
    assert made.sql == (
        f'SELECT "x"."b" AS "a" FROM "p"."main"."t" AS "{alias}",'
        f' LATERAL (SELECT "{alias}"."id" AS "b") AS "x"'
    )


def test_what_is_remembered_of_a_run_holds_only_for_the_same() -> None:
    tree = {**NUMBERED, "limit": parameter(0, "int8")}

    def run(database: str = "p", columns: Sequence[int] = (1,), value: str = "3") -> str:
        request = body(tree, columns=list(columns), parameters=[value])
        return whole.to_run(request, asking(database)).sql

    first = run()
    assert run() == first
    assert run(database="q") == first.replace('"p"', '"q"')
    assert run(value="4") == first.replace("LIMIT 3", "LIMIT 4")
    assert run() == first


LONG = '(CAST("t"."amount" AS DECIMAL(19,2)) * "t"."amount")'
SHORT = '("t"."amount" * "t"."amount")'


def checked(sign: str, left: str, right: str) -> str:
    return f"CAST((CAST({left} AS BIGINT) {sign} CAST({right} AS BIGINT)) AS INTEGER)"


@pytest.mark.parametrize(
    ("sign", "operand", "most", "written"),
    [
        ("*", AMOUNT, None, LONG),
        ("*", AMOUNT, 10**9, LONG),
        ("*", AMOUNT, 10**9 - 1, SHORT),
        ("*", AMOUNT, 0, SHORT),
        ("+", ID, None, checked("+", '"t"."id"', '"t"."id"')),
        ("+", ID, 2**30, checked("+", '"t"."id"', '"t"."id"')),
        ("+", ID, 2**30 - 1, '("t"."id" + "t"."id")'),
        ("-", ID, 2**30, checked("-", '"t"."id"', '"t"."id"')),
        ("-", ID, 2**30 - 1, '("t"."id" - "t"."id")'),
        ("*", ID, 46341, checked("*", '"t"."id"', '"t"."id"')),
        ("*", ID, 46340, '("t"."id" * "t"."id")'),
    ],
)
def test_arithmetic_is_plain_if_what_the_table_holds_lets_it(
    sign: str, operand: Tree, most: int | None, written: str
) -> None:
    (name, kind) = ("amount", "numeric") if operand is AMOUNT else ("id", "int4")
    tree = query([target(call(sign, kind, kind, operand, operand), "a")], [variable(name)])

    def run(most: int | None) -> str:
        known = {} if most is None else {name: most}
        return whole.to_run(body(tree, columns=[1]), asking(largest=known)).sql

    assert run(most) == f'SELECT {written} AS "a" FROM "p"."main"."t" AS "t"'
    assert run(2**62) == run(None)  # what is remembered of one run is not for another table


def test_each_run_asks_what_its_tables_are() -> None:
    asked: list[str] = []

    def database(table: Table) -> str:
        asked.append(table.remote_name)
        return "p"

    request = body(NUMBERED, columns=[1])
    for _ in range(3):
        whole.to_run(request, replace(asking(), database=database))
    assert asked == ["t", "t", "t"]


def recursive(**outer: Any) -> Tree:
    self_reference = {"relation": "with", "alias": "r", "names": ["n"], "with": "r", "level": 2, "self": True}
    leaf = {"leaf": "variable", "level": 0, "relation": 0, "number": 1}
    parts = [
        query([target(ID, "n")], [variable("id")]),
        query([target(ID, "n")], [leaf], relations=[self_reference]),
    ]
    union = query(
        [target(ID, "n")],
        [leaf],
        relations=[
            {"relation": "subquery", "alias": "", "names": ["n"], "lateral": False, "query": part}
            for part in parts
        ],
        set_operation={
            "operation": "union",
            "all": False,
            "group": [group(1, "int4")],
            "left": {"relation": 0},
            "right": {"relation": 1},
        },
        **{"from": []},
    )
    recursion = {
        "name": "r",
        "names": ["n"],
        "recursive": True,
        "materialized": False,
        "search": False,
        "query": union,
    }
    reference = {"relation": "with", "alias": "r", "names": ["n"], "with": "r", "level": 0, "self": False}
    return query([target(ID, "n")], [leaf], relations=[reference], **{"with": [recursion], **outer})


def test_a_recursive_query_refers_to_itself() -> None:
    assert planned(recursive())["sql"] == (
        'WITH RECURSIVE "r" AS ((SELECT "t"."id" AS "n" FROM "s"."main"."t" AS "t") UNION'
        ' (SELECT "r_2"."n" AS "n" FROM "r" AS "r_2")) SELECT "r_3"."n" AS "n" FROM "r" AS "r_3"'
    )


def test_a_recursive_query_that_may_stop_early_stays_local() -> None:
    reason = "a recursive WITH query of which not all rows may be wanted"
    assert planned(recursive(limit=constant("int8", "1")))["reason"] == reason
