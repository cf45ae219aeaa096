"""Views of a session that DuckDB 1.4.2 wrote give the rows that DuckDB 1.4.2 gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from rvbbit_fdw import native
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.errors import RvbbitError
from tests.kit.folder import Folder, column
from tests.kit.writers import make_session, writing

ID = column(1, "id", "int8")


def node_of(column_: dict[str, Any]) -> dict[str, Any]:
    return {"node": "column", "number": column_["number"], "name": column_["name"], "type": column_["type"]}


def equal(column_: dict[str, Any], value: str) -> dict[str, Any]:
    constant = {"node": "constant", "type": "pg_catalog.int8", "value": value}
    name = "pg_catalog.=(pg_catalog.int8,pg_catalog.int8)"
    arguments = [node_of(column_), constant]
    return {
        "node": "call",
        "kind": "operator",
        "name": name,
        "type": "pg_catalog.bool",
        "arguments": arguments,
    }


def is_null(column_: dict[str, Any]) -> dict[str, Any]:
    return {"node": "null_test", "argument": node_of(column_), "negated": False}


TABLES = (
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    """CREATE TABLE t AS SELECT range AS id, CASE WHEN range % 5 > 0 THEN range % 7 END AS a,
       CASE WHEN range % 3 > 0 THEN range % 11 END AS b,
       CASE WHEN range % 4 > 0 THEN 'x' || range % 9 END AS s,
       CASE WHEN range % 6 > 0 THEN range % 2 = 0 END AS f,
       CASE WHEN range % 8 > 0 THEN DATE '2024-01-01' + (range % 40)::INTEGER END AS d,
       CASE WHEN range % 7 > 0 THEN range / 3 END::DOUBLE AS r,
       CASE WHEN range % 6 > 0 THEN {'x': CASE WHEN range % 4 > 0 THEN range END} END AS st,
       CASE WHEN range % 9 > 0 THEN CASE WHEN range % 2 = 0 THEN 'sad' ELSE 'glad' END END::mood AS m
       FROM range(5000)""",
    "CREATE TABLE u AS SELECT CASE WHEN range % 3 > 0 THEN range END AS x, -1 AS k FROM range(300)",
    "CREATE TABLE g (id BIGINT, a BIGINT, h BIGINT GENERATED ALWAYS AS (coalesce(a, -1)),"
    " n BIGINT GENERATED ALWAYS AS (a + 1))",
    "INSERT INTO g SELECT id, a FROM t",
    "CREATE SCHEMA other",
    "CREATE TABLE other.t AS SELECT id, b AS a FROM t",
    "CREATE MACRO unknown(v) AS coalesce(v, -1) = -1",
    "CREATE MACRO either(v, w) AS coalesce(v, w), (v) AS coalesce(v, -1)",
    "CREATE MACRO lost(v) AS TABLE SELECT id FROM t WHERE coalesce(a, v) = v",
    "CREATE VIEW base AS SELECT id, coalesce(a, -1) AS c, a + 1 AS n, b FROM t",
    "CREATE VIEW plain AS SELECT id, a + 1 AS n, b FROM t",
    "CREATE VIEW renamed(p, q) AS SELECT id, coalesce(b, -1) FROM t",
    "CREATE TABLE few (x BIGINT NOT NULL)",
    "INSERT INTO few VALUES (7)",
    "CREATE TABLE vast AS SELECT range AS id, 4611686018427387904 AS b FROM range(50)",
    "CREATE VIEW lonely AS SELECT t.* FROM t LEFT JOIN (SELECT x FROM few WHERE x > 900) AS o ON x = id",
    "CREATE VIEW other.inner_t AS SELECT id FROM t WHERE a + 1 IS NULL",
)

VIEWS = {
    "a value in place of NULL": "SELECT id FROM t WHERE coalesce(a, 0) = 0",
    "a value that the column has not": "SELECT id FROM t WHERE coalesce(a, -1) = -1",
    "ifnull": "SELECT id FROM t WHERE ifnull(s, 'none') = 'none'",
    "no sum": "SELECT id FROM t WHERE a + 1 IS NULL",
    "no cast": "SELECT id FROM t WHERE a::DOUBLE IS NULL",
    "no try_cast": "SELECT id FROM t WHERE TRY_CAST(s AS INTEGER) IS NULL AND s IS NULL",
    "no length": "SELECT id FROM t WHERE upper(s) IS NULL",
    "a column": "SELECT id FROM t WHERE a IS NULL",
    "a column or a value": "SELECT id FROM t WHERE a IS NULL OR a = -1",
    "not not null": "SELECT id FROM t WHERE NOT (a IS NOT NULL)",
    "not null": "SELECT id FROM t WHERE a IS NOT NULL",
    "both": "SELECT id FROM t WHERE a IS NULL AND a + 1 IS NULL",
    "greatest": "SELECT id FROM t WHERE greatest(a, -1) = -1",
    "between": "SELECT id FROM t WHERE coalesce(a, -1) BETWEEN -3 AND -1",
    "in": "SELECT id FROM t WHERE coalesce(a, -1) IN (-1, -2)",
    "distinct": "SELECT id FROM t WHERE a IS DISTINCT FROM 3",
    "not true": "SELECT id FROM t WHERE (a = 99) IS NOT TRUE",
    "boolean": "SELECT id FROM t WHERE coalesce(f, true)",
    "no boolean": "SELECT id FROM t WHERE f IS NOT TRUE",
    "if": "SELECT id FROM t WHERE if(a IS NULL, true, false)",
    "case": "SELECT id FROM t WHERE CASE WHEN a IS NULL THEN 1 ELSE 0 END = 1",
    "case around": "SELECT id FROM t WHERE CASE WHEN 1 = 1 THEN coalesce(a, -1) END = -1",
    "concat": "SELECT id FROM t WHERE concat(s, '') = ''",
    "date": "SELECT id FROM t WHERE coalesce(d, DATE '1999-01-01') < DATE '2000-01-01'",
    "year": "SELECT id FROM t WHERE year(d) IS NULL",
    "double": "SELECT id FROM t WHERE isnan(r) IS NULL",
    "struct": "SELECT id FROM t WHERE coalesce(st.x, -1) = -1",
    "enum": "SELECT id FROM t WHERE coalesce(m, 'sad'::mood) = 'sad'",
    "like": "SELECT id FROM t WHERE coalesce(s, '') LIKE ''",
    "rows of two": (
        "SELECT id FROM t WHERE (coalesce(b, -1) = -1 AND id = 6) OR (coalesce(b, -1) = -1 AND id = 9)"
    ),
    "having": "SELECT b AS id, count(*) AS n FROM t GROUP BY b HAVING coalesce(b, -1) = -1",
    "above a group": (
        "SELECT * FROM (SELECT coalesce(b, -1) AS id, count(*) AS n FROM t GROUP BY ALL) WHERE id = -1"
    ),
    "above a window": (
        "SELECT id FROM (SELECT id, coalesce(b, -1) AS c, row_number() OVER (PARTITION BY coalesce(b, -1)"
        " ORDER BY id) AS n FROM t) WHERE c = -1 AND n < 9"
    ),
    "qualify": (
        "SELECT id FROM t QUALIFY row_number() OVER (PARTITION BY b ORDER BY id) < 3 AND coalesce(b, -1) = -1"
    ),
    "subquery": "SELECT id FROM (SELECT id, coalesce(a, -1) AS c FROM t) WHERE c = -1",
    "subquery of a sum": "SELECT id FROM (SELECT id, a + 1 AS c FROM t) WHERE c IS NULL",
    "two columns": "SELECT id FROM (SELECT id, coalesce(a, -1) AS c, -1 AS k FROM t) WHERE c = k",
    "with": "WITH w AS (SELECT id, coalesce(a, -1) AS c FROM t) SELECT id FROM w WHERE c = -1",
    "with of the same name": "WITH t AS (SELECT id, a + 1 AS a FROM t) SELECT id FROM t WHERE a IS NULL",
    "union": (
        "SELECT id FROM (SELECT id, coalesce(b, -1) AS c FROM t UNION ALL SELECT x, x FROM u) WHERE c = -1"
    ),
    "join by a constant": "SELECT id FROM t, u WHERE coalesce(t.a, -1) = u.k AND u.k = -1 AND u.x = 5",
    "join of a computed column": (
        "SELECT v.id FROM (SELECT id, coalesce(b, -1) AS c FROM t) AS v JOIN u ON v.c = u.k WHERE u.x = 4"
    ),
    "condition of a join": (
        "SELECT t.id FROM u LEFT JOIN t ON t.id = u.x AND coalesce(t.b, -1) = -1"
    ),
    "semi join": "SELECT x AS id FROM u SEMI JOIN t ON t.id = u.x AND t.b + 1 IS NULL",
    "anti join": "SELECT x AS id FROM u ANTI JOIN t ON t.id = u.x AND t.b + 1 IS NULL",
    "left join": "SELECT t.id FROM t LEFT JOIN u ON t.b = u.x WHERE u.x IS NULL",
    "exists": "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = coalesce(t.b, -1))",
    "in a subquery": "SELECT id FROM t WHERE id IN (SELECT id FROM t WHERE coalesce(a, -1) = -1)",
    "scalar subquery": "SELECT (SELECT count(*) FROM t WHERE coalesce(a, -1) = -1) AS id",
    "filter": "SELECT count(*) FILTER (WHERE coalesce(a, -1) = -1) AS id FROM t",
    "generated": "SELECT id FROM g WHERE h = -1",
    "macro": "SELECT id FROM t WHERE unknown(a)",
    "macros of one name": "SELECT id FROM t WHERE either(a, -2) = -2 OR either(b, -1) = -1",
    "table macro": "SELECT id FROM lost(-1)",
    "view": "SELECT id FROM base WHERE c = -1",
    "sum of a view": "SELECT id FROM base WHERE n IS NULL",
    "sum of a plain view": "SELECT id FROM plain WHERE n IS NULL",
    "view with its own names": "SELECT p AS id FROM renamed WHERE q = -1",
    "other schema": "SELECT id FROM other.t WHERE coalesce(a, -1) = -1",
    "view of the other schema": "SELECT id FROM other.inner_t",
    "limit": "SELECT id FROM (SELECT id, coalesce(b, -1) AS c FROM t ORDER BY c, id LIMIT 2000) WHERE c = -1",
    "order": "SELECT id FROM t ORDER BY coalesce(a, -1), id LIMIT 20",
    "values": "SELECT id FROM t JOIN (VALUES (-1)) AS v(k) ON coalesce(t.a, -1) = v.k",
    "list": "SELECT id FROM t WHERE [a] = [NULL]",
    "row": "SELECT id FROM t WHERE {'a': a} = {'a': NULL}",
    "limit of an outer join": (
        "SELECT count(*) AS id FROM (SELECT t.id FROM t LEFT JOIN (SELECT x FROM few WHERE x > 900) ON x = id"
        " LIMIT 3)"
    ),
    "limit of a view with an outer join": "SELECT count(*) AS id FROM (SELECT id FROM lonely LIMIT 3)",
    "existence of an outer join": "SELECT x AS id FROM u WHERE EXISTS (SELECT 1 FROM lonely)",
    "no existence of an outer join": (
        "SELECT x AS id FROM u WHERE NOT EXISTS"
        " (SELECT 1 FROM (SELECT x AS y FROM few WHERE x > 900) RIGHT JOIN t ON y = id)"
    ),
    "sum of an outer join": (
        "SELECT (sum(b) // 1000000000000)::BIGINT AS id"
        " FROM vast LEFT JOIN (SELECT x FROM few WHERE x > 900) ON x = vast.id"
    ),
    "pivot": (
        "SELECT * FROM (PIVOT (SELECT id % 3 AS id, coalesce(f, true) AS f FROM t) ON f IN (true, false)"
        " USING count(*))"
    ),
}  # fmt: skip

C, N, H = (column(2, name, "int8", duckdb_type="BIGINT", column_name=name) for name in "cnh")
FILTERS = {
    "a computed column": ("base", C, "c = -1", equal(C, "-1")),
    "a sum that is NULL": ("base", N, "n IS NULL", is_null(N)),
    "a sum of a plain view that is NULL": ("plain", N, "n IS NULL", is_null(N)),
    "a sum of a plain view": ("plain", N, "n = 1", equal(N, "1")),
    "a generated column": ("g", H, "h = -1", equal(H, "-1")),
    "a generated column that is NULL": ("g", N, "n IS NULL", is_null(N)),
}
"""Conditions of whoever reads a view: as DuckDB writes them, and as the host sends them."""


@dataclass
class Written:
    """A session of DuckDB 1.4.2, and its own answers."""

    folder: Folder
    answers: dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = Folder(tmp_path_factory.mktemp("shield"))
    path = folder.sessions / "old.duckdb"
    views = [f'CREATE VIEW "{name}" AS {sql}' for name, sql in VIEWS.items()]
    make_session(path, *TABLES, *views)  # closed, so that the answers come from the file as ours do
    with writing(path) as writer:
        asked = {name: f'SELECT id FROM "{name}"' for name in VIEWS}
        asked |= {
            name: f"SELECT id FROM {view} WHERE {where}" for name, (view, _, where, _) in FILTERS.items()
        }
        answers = {name: [tuple(row) for row in writer.run(sql)] for name, sql in asked.items()}
    return Written(folder, answers)


@pytest.fixture(autouse=True, scope="module")
def own_backend() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "_backend", Backend())
        yield


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_the_rows_that_its_writer_sees(written: Written, name: str) -> None:
    found = written.folder.rows(written.folder.request("old", name, [ID]))
    assert Counter(found) == Counter(written.answers[name])


@pytest.mark.parametrize("name", FILTERS)
def test_a_condition_on_what_is_computed_finds_all_rows(written: Written, name: str) -> None:
    view, tested, _, condition = FILTERS[name]
    request = written.folder.request("old", view, [ID, tested], wanted=[1])
    found = written.folder.rows(request | {"conditions": [condition], "decided": 1})
    assert Counter(found) == Counter(written.answers[name])
    assert found


def test_nothing_is_left_out_of_an_import(written: Written) -> None:
    assert written.folder.import_schema("old")["notices"] == []


def test_a_view_that_names_its_session_cannot_be_shielded(written: Written) -> None:
    table = "CREATE TABLE t AS SELECT CASE WHEN range % 2 = 0 THEN range END AS id FROM range(10)"
    views = {"told": "coalesce(id, 0) = 0", "not_told": "id = 0"}
    read = (
        f"CREATE VIEW {name} AS SELECT id FROM named.main.t WHERE {where}" for name, where in views.items()
    )
    above = "CREATE VIEW above AS SELECT id FROM told WHERE id > 3"
    make_session(written.folder.sessions / "named.duckdb", table, *read, above)
    notices = [notice["message"] for notice in written.folder.import_schema("named")["notices"]]
    assert len(notices) == 2
    assert all(
        "is left out: it names its session, and DuckDB 2.0 might leave out rows" in text for text in notices
    )
    assert written.folder.rows(written.folder.request("named", "not_told", [ID])) == [(0,)]


def test_what_cannot_be_defined_twice_is_left_out(written: Written) -> None:
    table = "CREATE TABLE t AS SELECT range AS id FROM range(10)"
    view = "CREATE VIEW {} AS SELECT rowid AS id FROM t WHERE coalesce({}, 0) = 0"
    written.folder.write(
        "rowids", table, view.format("good", "0"), "CREATE VIEW plain AS SELECT rowid AS id FROM t"
    )
    (notice,) = written.folder.import_schema("rowids")["notices"]
    assert (
        'view "good" of session "rowids" is left out: referenced column "rowid" not found'
        in notice["message"]
    )
    with pytest.raises(
        RvbbitError, match='could not read view "good" of session "rowids": referenced column'
    ):
        written.folder.rows(written.folder.request("rowids", "good", [ID]))
    assert len(written.folder.rows(written.folder.request("rowids", "plain", [ID]))) == 10


def test_a_shield_goes_with_its_session(written: Written) -> None:
    written.folder.write("another", "CREATE TABLE t AS SELECT 1 AS id")
    databases = "SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY 1"
    (engine,) = native._backend._engines.values()

    def attached() -> list[str]:
        with engine.cursor() as cursor:
            return [name for (name,) in cursor.execute(databases).fetchall()]

    written.folder.rows(written.folder.request("old", "view", [ID]))
    assert attached() == ["memory", "old", "old (shield)"]
    written.folder.rows(written.folder.request("another", "t", [ID]))
    assert attached() == ["another", "memory"]
