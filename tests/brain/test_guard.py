"""What stored texts may do: attacks that must show nothing, and ordinary views that must work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from rvbbit_fdw import guard, native, purity
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.errors import RvbbitError
from tests.kit.folder import Folder, column
from tests.kit.writers import make_session
from tests.torture.attacks import NEIGHBOUR, OTHERS, SECRET, SETTING, VIEWS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    made = Folder(tmp_path)
    made.write("neighbour", *NEIGHBOUR)
    return made


def write(folder: Folder, *statements: str, session: str = "attacker") -> None:
    """Make a session while another one is attached, as whoever attacks would."""
    with duckdb.connect(str(folder.sessions / f"{session}.duckdb")) as con:
        con.execute(f"ATTACH '{folder.sessions / 'neighbour.duckdb'}' AS neighbour (READ_ONLY)")
        for statement in statements:
            con.execute(statement)


def read(folder: Folder, relation: str, *, session: str = "attacker", schema: str = "main") -> object:
    """The rows of a relation, or the error, as a user sees it; the neighbour is in use meanwhile."""
    other = folder.request("neighbour", "t", [column(1, "i", "text")], pin=4711)
    wanted = folder.request(session, relation, [column(1, "k", "text")], pin=4711, schema_name=schema)
    task = folder.next_task()
    native.open_scan(task, json.dumps(other))
    try:
        return folder.rows(wanted)
    except (RvbbitError, duckdb.Error) as error:
        return native.describe(error)
    finally:
        native.close_scan(task)


def leaks(folder: Folder, seen: object) -> list[str]:
    """What of the server shows in what was seen."""
    text = str(seen)
    return [secret for secret in (str(folder.root), SECRET, "/secrets", "root:") if secret in text]


def assert_nothing_shows(folder: Folder) -> None:
    reply = folder.import_schema("attacker")
    assert leaks(folder, reply["commands"]) == []
    assert leaks(folder, reply["notices"]) == []
    imported = {command.split('"')[3] for command in reply["commands"]}
    assert "v" not in imported
    assert any('"v" of session "attacker" is left out: ' in notice["message"] for notice in reply["notices"])
    seen = read(folder, "v")
    assert leaks(folder, seen) == []
    assert isinstance(seen, tuple)
    assert seen[0] == "42501"
    assert seen[1].endswith('"v" of session "attacker" may not be read')
    assert read(folder, "t") == [("1",)]


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_shows_nothing_of_the_server(folder: Folder, name: str) -> None:
    try:
        write(folder, "CREATE TABLE t AS SELECT 1::VARCHAR AS k, 1 AS i", f"CREATE VIEW v AS {VIEWS[name]}")
    except duckdb.Error as error:
        pytest.fail(f"the attack itself is wrong: {error}")
    assert_nothing_shows(folder)


@pytest.mark.parametrize("name", OTHERS)
def test_neither_do_macros_generated_columns_and_strange_names(folder: Folder, name: str) -> None:
    write(folder, "CREATE TABLE t AS SELECT 1::VARCHAR AS k, 1 AS i", *OTHERS[name])
    assert_nothing_shows(folder)


PLAIN = {
    "columns": "SELECT i, k FROM t",
    "expressions": (
        "SELECT i * 2 + 1 AS a, -i AS b, i % 2 = 0 AS c, i BETWEEN 1 AND 2 AS d, i IN (1, 2) AS e FROM t"
    ),
    "join": "SELECT a.k FROM t a JOIN u b USING (i) LEFT JOIN t c ON a.i = c.i",
    "other_joins": "SELECT a.i FROM t a POSITIONAL JOIN u b ASOF JOIN t c ON a.i >= c.i",
    "semi_join": "SELECT i FROM t SEMI JOIN u USING (i)",
    "aggregates": (
        "SELECT k, count(*), sum(i), avg(i), median(i), list(i ORDER BY i) FROM t GROUP BY k "
        "HAVING count(*) > 0"
    ),
    "grouping_sets": "SELECT k, i, count(*) FROM t GROUP BY ROLLUP (k, i)",
    "aggregate_filter": "SELECT count(*) FILTER (WHERE i > 1), string_agg(DISTINCT k, ',') FROM t",
    "window": (
        "SELECT row_number() OVER w, lag(i, 1) OVER w, sum(i) OVER (ORDER BY i ROWS 1 PRECEDING) "
        "FROM t WINDOW w AS (ORDER BY i)"
    ),
    "qualify": "SELECT i FROM t QUALIFY rank() OVER (PARTITION BY k ORDER BY i DESC) = 1",
    "cast": "SELECT i::VARCHAR, TRY_CAST(k AS DOUBLE), CAST(k AS JSON), DATE '2024-01-01' FROM t",
    "user_type": "SELECT k::mood AS m FROM u",
    "cte": "WITH a AS (SELECT i FROM t), b AS MATERIALIZED (SELECT i FROM a) SELECT * FROM b",
    "recursive": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n"
    ),
    "strings": (
        "SELECT upper(k), k || 'x', k LIKE 'a%', regexp_replace(k, 'a', 'b'), split_part(k, ',', "
        "1), k[1:2], printf('%s', k) FROM t"
    ),
    "dates": (
        "SELECT date_trunc('month', d), d + INTERVAL 1 DAY, strftime(d, '%Y'), extract(year FROM "
        "d), date_diff('day', d, d) FROM t"
    ),
    "now": "SELECT now() > '2000-01-01'::TIMESTAMPTZ, current_date > DATE '2000-01-01', today() - 1 FROM t",
    "math": "SELECT round(sqrt(i), 2), ln(i), greatest(i, 2), i // 2, i ** 2, pi() FROM t",
    "lists": (
        "SELECT list_transform([1, 2], lambda x: x + i), [x * 2 FOR x IN [1, 2] IF x > 1], "
        "list_sum([i]), len([i]), [1, 2][1] FROM t"
    ),
    "structs": "SELECT {'a': i}.a, struct_pack(b := i), row(1, 2), MAP {'x': i}['x'] FROM t",
    "json": "SELECT j->'a', j->>'$.a', json_extract_string(j, '$.a'), json_object('x', i), to_json(i) FROM t",
    "json_each": "SELECT e.key, e.value FROM t, json_each(t.j) e",
    "range": "SELECT a FROM range(3) r(a)",
    "generate_series": "SELECT generate_series FROM generate_series(1, 3)",
    "unnest": "SELECT unnest([1, 2]) AS x, u FROM t, unnest([i]) AS z(u)",
    "values": "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(a, b)",
    "subqueries": (
        "SELECT (SELECT max(i) FROM u) FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.i = t.i) OR i "
        "IN (SELECT i FROM u)"
    ),
    "lateral": "SELECT x.y FROM t, LATERAL (SELECT t.i + 1 AS y) AS x",
    "case": (
        "SELECT CASE WHEN i = 1 THEN 'one' ELSE coalesce(k, 'x') END, if(i = 1, 2, 3), nullif(i, "
        "2), ifnull(k, '') FROM t"
    ),
    "union": (
        "SELECT i FROM t UNION ALL BY NAME SELECT i FROM u EXCEPT SELECT 7 INTERSECT SELECT 8 "
        "ORDER BY 1 LIMIT 5 OFFSET 0"
    ),
    "star": "SELECT * EXCLUDE (j) REPLACE (i + 1 AS i) FROM t",
    "columns_star": "SELECT max(COLUMNS('i|k')) FROM t",
    "distinct": "SELECT DISTINCT ON (k) k, i FROM t ORDER BY k, i",
    "sample": "SELECT i FROM t USING SAMPLE 100%",
    "pivot": "SELECT * FROM (PIVOT t ON k IN ('a', 'b') USING sum(i))",
    "unpivot": "SELECT * FROM (UNPIVOT (SELECT i, i + 1 AS j FROM t) ON i, j INTO NAME n VALUE x)",
    "collate": "SELECT k COLLATE NOCASE AS k FROM t ORDER BY k COLLATE NOCASE",
    "blob_and_hash": "SELECT md5(k), sha256(k), hash(i), encode(k), base64(encode(k)) FROM t",
    "macro": "SELECT twice(i) AS a, main.twice(i) AS b FROM t",
    "table_macro": "SELECT * FROM above(0)",
    "view": "SELECT * FROM other.w",
    "generated": "SELECT g FROM u",
    "strange_names": 'SELECT "a.b" FROM "x.csv"',
    "deep": "SELECT " + " + ".join(["i"] * 100) + " AS s FROM t",
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("plain"))
    folder.write(
        "good",
        "CREATE TYPE mood AS ENUM ('a', 'b')",
        "CREATE TABLE t AS SELECT i::INTEGER AS i, 'a' AS k, DATE '2024-01-31' AS d, '{\"a\": 1}'::JSON AS j"
        " FROM range(1, 4) r(i)",
        "CREATE TABLE u (i INTEGER, k VARCHAR, x INTEGER DEFAULT 5, g INTEGER GENERATED ALWAYS AS (i + 1))",
        "INSERT INTO u (i, k) VALUES (1, 'a'), (2, 'b')",
        'CREATE TABLE "x.csv" AS SELECT 1 AS "a.b"',
        "CREATE MACRO twice(x) AS 2 * x",
        "CREATE MACRO above(x) AS TABLE SELECT i FROM t WHERE i > x",
        "CREATE SCHEMA other",
        "CREATE TABLE other.local AS SELECT 1 AS i",
        "CREATE VIEW other.w AS SELECT local.i FROM local",
        *(f'CREATE VIEW "v_{name}" AS {sql}' for name, sql in PLAIN.items()),
    )
    return folder


@pytest.mark.parametrize("name", PLAIN)
def test_an_ordinary_view_works(plain: Folder, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_backend", Backend())
    request = plain.request("good", f"v_{name}", [], wanted=[])
    assert len(plain.rows(request)) > 0


def test_nothing_ordinary_is_left_out(plain: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_backend", Backend())
    reply = plain.import_schema("good")
    assert reply["notices"] == []
    assert len(reply["commands"]) == len(PLAIN) + 3


def test_the_verdict_is_kept_beside_the_snapshot(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, f"CREATE VIEW v AS SELECT {SETTING} AS k")
    first = read(folder, "v")
    monkeypatch.setattr(native, "_backend", Backend())
    monkeypatch.setattr(guard, "verdicts", None)
    assert read(folder, "v") == first
    assert isinstance(first, tuple)
    assert first[2] == 'It calls the function "current_setting".'


def test_texts_of_errors_forge_no_lines(folder: Folder) -> None:
    text = "a" + chr(10) + "NOTICE:  forged" + chr(10) + str(folder.root) + "/x"
    write(
        folder,
        f"CREATE VIEW v AS SELECT error('{text}') AS k",
        f'CREATE VIEW "two{chr(10)}NOTICE: lines" AS SELECT {SETTING} AS k',
    )
    for notice in folder.import_schema("attacker")["notices"]:
        assert chr(10) not in notice["message"]
    with pytest.raises(RvbbitError, match="could not read") as caught:
        folder.rows(folder.request("attacker", "v", [column(1, "k", "text")]))
    _, message, *rest = native.describe(caught.value)
    assert chr(10) not in message
    assert str(folder.root) not in str((message, rest))


def test_all_that_is_allowed_exists() -> None:
    with duckdb.connect() as con:
        rows: list[Any] = con.execute(
            "SELECT DISTINCT lower(function_name) FROM duckdb_functions()"
        ).fetchall()
    syntax = {"coalesce", "cume_dist", "dense_rank", "fill", "first_value", "grouping", "grouping_id", "lag"}
    syntax |= {
        "last_value",
        "lead",
        "nth_value",
        "ntile",
        "percent_rank",
        "rank",
        "rank_dense",
        "row_number",
        "try",
    }
    assert purity.SCALAR_FUNCTIONS - {row[0] for row in rows} - syntax == set()
    assert {row[0] for row in rows} >= purity.TABLE_FUNCTIONS


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("/*", "*/"), ("-- ", chr(10)), ('"" /*', '*/ ""'), ("'", "''"), ("$$", "$"), ("x) /*", "*/ (")],
)
def test_names_and_values_cannot_hide_a_call(folder: Folder, opening: str, closing: str) -> None:
    names = [f'"{name.replace(chr(34), chr(34) * 2)}"' for name in (opening, closing)]
    values = ["'" + value.replace("'", "''") + "'" for value in (opening, closing)]
    a, b = names
    write(
        folder,
        "CREATE TABLE t AS SELECT '1' AS k, 1 AS i",
        f"CREATE VIEW v1 AS SELECT 1 AS {a}, {SETTING} AS k, 2 AS {b}",
        f"CREATE VIEW v2 AS SELECT {values[0]} AS x, {SETTING} AS k, {values[1]} AS y",
        f"CREATE VIEW v3 AS WITH {a} AS (SELECT 1), x AS (SELECT {SETTING} AS k), {b} AS (SELECT 1) FROM x",
        f"CREATE VIEW v4 AS SELECT {{{a}: 1, 'k': {SETTING}, {b}: 2}} AS k",
        f"CREATE VIEW v5 AS SELECT sum(1) OVER {a}, {SETTING} AS k FROM t WINDOW {a} AS (), {b} AS ()",
        f"CREATE VIEW v6 AS SELECT NULL::STRUCT({a} INTEGER), {SETTING} AS k, NULL::ENUM({values[1]})",
        f"CREATE VIEW v7 AS SELECT * RENAME (z AS {a}), {SETTING} AS k, 1 AS {b} FROM (SELECT 1 AS z)",
        f"CREATE VIEW v8 AS SELECT {SETTING} AS k FROM t AS {a} JOIN t AS {b} USING (i)",
    )
    reply = folder.import_schema("attacker")
    assert len(reply["notices"]) == 8
    assert [command.split('"')[3] for command in reply["commands"]] == ["t"]


@pytest.mark.parametrize(
    ("printed", "select"),
    [
        ("CREATE VIEW v AS SELECT 1;", "SELECT 1;"),
        ('CREATE VIEW s."a AS b" (x, "y AS (") AS SELECT 1;', "SELECT 1;"),
        ('CREATE VIEW "a""b"."c" AS FROM t;', "FROM t;"),
        ("CREATE VIEW v", None),
        ("CREATE TEMP VIEW v AS SELECT 1", None),
        ("", None),
    ],
)
def test_the_select_of_a_printed_view(printed: str, select: str | None) -> None:
    assert guard.view_select(printed) == select


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE neighbour.t AS SELECT '' AS i", "CREATE VIEW v AS SELECT i AS k FROM neighbour.t"],
        ["CREATE MACRO neighbour.own(x) AS x", "CREATE VIEW v AS SELECT neighbour.own('') AS k"],
        [
            "CREATE MACRO neighbour.rows() AS TABLE SELECT '' AS i",
            "CREATE VIEW v AS SELECT i AS k FROM neighbour.rows()",
        ],
        [
            "CREATE TYPE neighbour.mood AS ENUM ('')",
            "CREATE VIEW v AS SELECT enum_range(NULL::neighbour.mood)::VARCHAR AS k",
        ],
    ],
)
def test_a_schema_named_as_the_neighbour_is_no_way_to_it(folder: Folder, statements: Sequence[str]) -> None:
    folder.write("attacker", "CREATE SCHEMA neighbour", *statements)
    seen = read(folder, "v")
    assert leaks(folder, seen) == []
    assert isinstance(seen, tuple)


OWN = (
    "CREATE TABLE t AS SELECT 'mine' AS k",
    'CREATE VIEW v AS SELECT k FROM "own-1".main.t',
    'CREATE VIEW "half" AS SELECT "own-1".t.k FROM "OWN-1".t',
    "CREATE VIEW through AS SELECT k FROM v",
)


@pytest.mark.parametrize("view", ["v", "half", "through"])
def test_a_view_may_name_its_own_session(folder: Folder, view: str) -> None:
    make_session(folder.sessions / "own-1.duckdb", *OWN)
    assert read(folder, view, session="own-1") == [("mine",)]
    assert len(folder.import_schema("own-1")["commands"]) == 4


@pytest.mark.parametrize("first", [True, False])
def test_a_view_that_names_its_session_never_reads_another_state(folder: Folder, first: bool) -> None:
    make_session(folder.sessions / "own-1.duckdb", *OWN)
    wanted = folder.request("own-1", "through", [column(1, "k", "text")], pin=1)
    plain = folder.request("own-1", "t", [column(1, "k", "text")], pin=1)
    task = folder.next_task()
    native.open_scan(task, json.dumps(wanted if first else plain))
    make_session(folder.sessions / "own-1.duckdb", "UPDATE t SET k = 'newer'")
    assert folder.rows(plain | {"pin": 2}) == [("newer",)]
    with pytest.raises(RvbbitError) as caught:
        folder.rows(wanted | {"pin": 2})
    assert caught.value.sqlstate == "55006"
    assert "names its session" in str(caught.value.detail)
    assert len(folder.import_schema("own-1")["notices"]) == 3
    assert folder.rows(plain) == [("mine",)]  # releases the first pin
    native.close_scan(task)
    assert folder.rows(wanted | {"pin": 3}) == [("newer",)]
    assert len(folder.import_schema("own-1")["commands"]) == 4


def test_a_session_named_as_a_database_of_duckdb_does_not_reach_that(folder: Folder) -> None:
    make_session(
        folder.sessions / "memory.duckdb",
        "CREATE TABLE t AS SELECT 'mine' AS k",
        "CREATE VIEW v AS SELECT k FROM memory.main.t",
    )
    seen = read(folder, "v", session="memory")
    assert isinstance(seen, tuple)
    assert seen[0] == "55006"


GONE = (
    "CREATE TABLE gone AS SELECT 'x' AS k",
    "CREATE SCHEMA s",
    "CREATE TABLE s.gone AS SELECT 'x' AS k",
    "CREATE TABLE s.other AS SELECT 'x' AS k",
    "CREATE VIEW plain AS SELECT k FROM gone",
    "CREATE VIEW main_ AS SELECT k FROM main.gone",
    "CREATE VIEW named AS SELECT k FROM own.main.gone",
    "CREATE VIEW in_schema AS SELECT k FROM s.gone",
    "CREATE VIEW through AS SELECT k FROM main_",
    "DROP TABLE gone",
    "DROP TABLE s.gone",
)


@pytest.mark.parametrize("view", ["plain", "main_", "named", "in_schema", "through"])
def test_a_view_of_a_dropped_table(folder: Folder, view: str) -> None:
    make_session(folder.sessions / "own.duckdb", *GONE)
    seen = read(folder, view, session="own")
    assert isinstance(seen, tuple)
    assert seen[0] == "HV00R"
    assert f'view "{view}" of session "own"' in seen[1]
    assert "outside" not in str(seen)
    assert "may not" not in str(seen)


@pytest.mark.parametrize(
    ("kind", "message", "sqlstate"),
    [
        ("interrupt", "INTERRUPT Error: Interrupted!", "57014"),
        ("out of memory", "Out of Memory Error: failed to allocate data", "53200"),
    ],
)
def test_what_went_wrong_while_parsing_is_no_verdict(kind: str, message: str, sqlstate: str) -> None:
    """The verdict is kept for as long as the snapshot lives: a passing trouble must not become one."""
    answer = {"error": True, "error_type": kind, "error_message": message}
    reader = guard._Reader(
        guard.Session(guard.BuiltIn(frozenset(), frozenset()), {}), guard.Stored("main", ())
    )
    with pytest.raises(RvbbitError) as caught:
        reader.read(json.dumps(answer))
    assert caught.value.sqlstate == sqlstate
