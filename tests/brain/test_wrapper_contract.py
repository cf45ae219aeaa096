"""Contract tests: the wrapper class, called as Multicorn2 3.2 calls it.

They say that the wrapper keeps to what Multicorn2 expects, not that Multicorn2 works with it: that is what
the server's tests say, where there is an image with it.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.kit import multicorn_caller as caller
from tests.kit.folder import Folder
from tests.kit.multicorn_caller import Definition, Process, Qual, SortKey, Told

caller.provide_package()

from rvbbit_fdw.wrapper import session as kept  # noqa: E402 - the package that it imports stands in its place now
from rvbbit_fdw.wrapper.foreign import RvbbitWrapper  # noqa: E402
from rvbbit_fdw.wrapper.session import Session  # noqa: E402

SLOW = "CREATE VIEW slow AS SELECT max(hash(a.i, b.i)) AS s FROM range(1000000) a(i), range(100000) b(i)"

KINDS = """
    CREATE TABLE kinds AS SELECT
        i::SMALLINT AS s, i::INTEGER AS i, i::BIGINT AS b, i / 10.0::DOUBLE AS f, (i / 10.0)::FLOAT AS r,
        (i / 8.0)::DECIMAL(9,3) AS n, i % 2 = 0 AS t, 'n' || i AS x, DATE '2025-01-01' + i::INTEGER AS d,
        TIMESTAMP '2025-01-01 00:00:00.5' + to_seconds(i) AS ts,
        TIMESTAMPTZ '2025-01-01 00:00:00.25+00' + to_seconds(i) AS tz,
        CAST('00000000-0000-0000-0000-' || lpad(i::VARCHAR, 12, '0') AS UUID) AS u,
        CASE WHEN i % 3 = 0 THEN NULL ELSE i END::INTEGER AS z
    FROM range(20) r(i)
"""

# name, PostgreSQL's number of its type, the DuckDB type
COLUMNS = [
    ("s", 21, "SMALLINT"), ("i", 23, "INTEGER"), ("b", 20, "BIGINT"), ("f", 701, "DOUBLE"),
    ("r", 700, "FLOAT"), ("n", 1700, "DECIMAL(9,3)"), ("t", 16, "BOOLEAN"), ("x", 25, "VARCHAR"),
    ("d", 1082, "DATE"), ("ts", 1114, "TIMESTAMP"), ("tz", 1184, "TIMESTAMP WITH TIME ZONE"),
    ("u", 2950, "UUID"), ("z", 23, "INTEGER"),
]  # fmt: skip
PLACE = [name for name, _, _ in COLUMNS].index("i")
UUID_3 = "00000000-0000-0000-0000-000000000003"

# column, operator, value as Multicorn2 hands it over; the numbers of the rows that have to be delivered, and
# of those that are: more is right, less is not.
PUSHED: list[tuple[str, Any, Any, set[int], set[int]]] = [
    ("s", "=", "3", {3}, {3}),
    ("i", "=", 3, {3}, {3}),
    ("i", "<", 3, {0, 1, 2}, {0, 1, 2}),
    ("i", ">=", 18, {18, 19}, {18, 19}),
    ("i", ("=", True), [3, 5, None], {3, 5}, {3, 5}),
    ("b", "=", "3", {3}, {3}),
    ("b", "<=", 1, {0, 1}, {0, 1}),
    ("b", ("=", True), ["3", "5"], {3, 5}, {3, 5}),
    ("f", "=", "0.3", {3}, {3}),
    ("f", "<", "0.3", {0, 1, 2}, {0, 1, 2, 3}),
    ("f", ">", "1.7", {18, 19}, {17, 18, 19}),
    ("r", "=", "0.3", {3}, {3}),
    ("r", ">", "1.7", {18, 19}, {17, 18, 19}),
    ("n", "=", 0.375, {3}, {3}),
    ("n", "<", 0.375, {0, 1, 2}, {0, 1, 2, 3}),
    ("t", "=", "t", set(range(0, 20, 2)), set(range(0, 20, 2))),
    ("d", "=", date(2025, 1, 4), {3}, {3}),
    ("d", "<", date(2025, 1, 3), {0, 1}, {0, 1}),
    ("ts", "=", datetime(2025, 1, 1, 0, 0, 3), {3}, {3}),
    ("ts", "<", datetime(2025, 1, 1, 0, 0, 3), {0, 1, 2}, {0, 1, 2, 3}),
    ("ts", ">", datetime(2025, 1, 1, 0, 0, 17), {17, 18, 19}, {17, 18, 19}),
    ("tz", "=", "2025-01-01 01:00:03.25+01", {3}, {3}),
    ("tz", ">=", "2024-12-31 19:00:18.25-05:00", {18, 19}, {18, 19}),
    ("u", "=", UUID_3, {3}, {3}),
    ("z", "=", None, {0, 3, 6, 9, 12, 15, 18}, {0, 3, 6, 9, 12, 15, 18}),
    ("z", "<>", None, set(), {1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19}),
]

EVERY = set(range(20))

# Conditions of which nothing is believed: what the value was is not sure, or DuckDB might judge otherwise.
NOT_PUSHED: list[tuple[str, Any, Any]] = [
    ("x", "=", "n3"),
    ("x", "<", "n3"),
    ("x", "~~", "n%"),
    ("x", ("=", True), ["n3"]),
    ("i", "=", "3"),
    ("i", "<>", 3),
    ("i", "===", 3),
    ("i", ("=", True), -2121637512),
    ("i", ("=", False), [3]),
    ("i", ("<>", False), [3]),
    ("b", "=", "99999999999999999999999"),
    ("f", "=", "NaN"),
    ("f", "=", "Infinity"),
    ("n", "=", float("nan")),
    ("d", "=", "2025-01-04 00:00:00+00"),
    ("d", "=", datetime(2025, 1, 4)),
    ("ts", "=", "2025-01-01 00:00:03.5+00"),
    ("ts", "=", date(2025, 1, 1)),
    ("tz", "=", "01/01/2025 00:00:03.25 UTC"),
    ("tz", "=", datetime(2025, 1, 1)),
    ("t", "<>", "t"),
    ("t", "IS NOT", "t"),
    ("tableoid", "=", "1"),
]

# What may come when the scan starts is no constant: a function's value read as the column's type, an array as
# an element.
NOT_CONSTANT: list[tuple[str, Any, Any]] = [
    ("i", "<", 1),
    ("s", "<", "1"),
    ("f", "=", "6.5e-315"),
    ("n", "=", 0.0),
    ("ts", ">=", datetime(2002, 12, 26)),
    ("i", ("=", True), [3]),
]


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path)


@pytest.fixture
def folder(tmp_path: Path, process: Process, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(kept._Current, "session", Session(process))
    made = Folder(tmp_path)
    made.write("agile-cardinal-490cb1", KINDS, SLOW)
    return made


def options(folder: Folder, **more: str) -> dict[str, str]:
    """Table and server options in one, as Multicorn2 merges them."""
    return {**more, "session_dir": str(folder.sessions), "snapshot_dir": str(folder.store)}


def column(name: str, type_oid: int, duckdb_type: str) -> Definition:
    """An imported column."""
    return Definition(name, type_oid, options={"column_name": name, "duckdb_type": duckdb_type})


@pytest.fixture
def kinds(folder: Folder) -> RvbbitWrapper:
    given = options(folder, session="agile-cardinal-490cb1", table_name="kinds")
    return RvbbitWrapper(given, caller.definitions(*(column(*each) for each in COLUMNS)))


def sessions(folder: Folder, *more: Definition) -> RvbbitWrapper:
    """The list of sessions."""
    given = options(folder, catalog="sessions")
    listed = [Definition("session_id", 25), Definition("table_count", 23), Definition("state", 25)]
    return RvbbitWrapper(given, caller.definitions(*listed, *more))


def table(folder: Folder, name: str, type_oid: int, duckdb_type: str, **more: str) -> RvbbitWrapper:
    """A table of one column."""
    given = options(folder, session="agile-cardinal-490cb1", table_name=name, **more)
    return RvbbitWrapper(given, caller.definitions(column("v", type_oid, duckdb_type)))


def numbers(rows: Sequence[Sequence[Any]]) -> set[int]:
    """The column i of the rows."""
    return {int(row[PLACE]) for row in rows}


def test_rows_are_tuples_of_all_columns_in_their_order(kinds: RvbbitWrapper) -> None:
    rows = caller.rows(kinds, named=["i"])
    assert len(rows) == 20
    assert rows[3] == (
        3, 3, 3, "0.3", "0.3", "0.375", False, "n3", "2025-01-04", "2025-01-01 00:00:03.5",
        "2025-01-01 00:00:03.25+00", UUID_3, None,
    )  # fmt: skip


@pytest.mark.parametrize(("name", "operator", "value", "wanted", "delivered"), PUSHED)
def test_a_condition_leaves_out_no_row_that_it_holds_for(
    kinds: RvbbitWrapper, name: str, operator: Any, value: Any, wanted: set[int], delivered: set[int]
) -> None:
    rows = numbers(caller.rows(kinds, [Qual(name, operator, value)], [name]))
    assert wanted <= rows
    assert rows == delivered


@pytest.mark.parametrize(("name", "operator", "value"), NOT_PUSHED)
def test_what_is_not_sure_is_not_pushed(kinds: RvbbitWrapper, name: str, operator: Any, value: Any) -> None:
    assert numbers(caller.rows(kinds, [Qual(name, operator, value)])) == EVERY


@pytest.mark.parametrize(("name", "operator", "value"), NOT_CONSTANT)
def test_what_was_no_constant_is_not_believed(
    kinds: RvbbitWrapper, name: str, operator: Any, value: Any
) -> None:
    assert numbers(caller.rows(kinds, at_start=[Qual(name, operator, value)])) == EVERY


def test_a_constant_is_believed_in_its_own_transaction(kinds: RvbbitWrapper) -> None:
    qual = Qual("i", "<", 1)
    assert numbers(caller.rows(kinds, [qual])) == {0}
    assert numbers(caller.rows(kinds, at_start=[qual])) == EVERY
    assert numbers(caller.rows(kinds, at_start=[Qual("b", "<", "1")])) == {0}


def test_limits_and_paths_are_refused_always(kinds: RvbbitWrapper) -> None:
    assert kinds.can_limit(1, None) is False
    assert kinds.can_limit(None, None) is False
    assert kinds.get_path_keys() == []


@pytest.mark.parametrize("name", [name for name, _, _ in COLUMNS if name != "x"])
@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("nulls_first", [False, True])
def test_sorted_as_postgresql_does(
    kinds: RvbbitWrapper, name: str, is_reversed: bool, nulls_first: bool
) -> None:
    keys = [SortKey(name, 1, is_reversed, nulls_first), SortKey("i", 2, True, True)]
    rows = [(row[COLUMNS.index(next(c for c in COLUMNS if c[0] == name))], row[PLACE])
            for row in caller.rows(kinds, sortkeys=keys)]  # fmt: skip
    nulls = [position for position, row in enumerate(rows) if row[0] is None]
    assert nulls == (list(range(len(nulls))) if nulls_first else list(range(20 - len(nulls), 20)))
    if name not in {"t", "z"}:
        assert [number for _, number in rows] == sorted(EVERY, reverse=is_reversed)


def test_no_order_of_texts_or_of_lists(kinds: RvbbitWrapper, folder: Folder) -> None:
    by_i, by_x = SortKey("i", 1, False, False), SortKey("x", 8, False, False)
    assert kinds.can_sort([by_x]) == []
    assert kinds.can_sort([by_i, by_x]) == []
    assert kinds.can_sort([SortKey("no such column", 1, False, False)]) == []
    assert sessions(folder).can_sort([SortKey("table_count", 2, False, False)]) == []


def test_an_estimate_is_a_pair_of_numbers(kinds: RvbbitWrapper, folder: Folder) -> None:
    first = kinds.get_rel_size([], {"i"})
    assert isinstance(first, tuple)
    assert [type(number) for number in first] == [int, int]
    assert first[0] == 1000
    caller.rows(kinds)
    assert kinds.get_rel_size([], {"i"})[0] == 20
    assert kinds.get_rel_size([Qual("i", "=", 3)], {"i"})[0] == 1
    assert sessions(folder).get_rel_size([], set())[0] == 1000


def test_what_needs_every_session_is_left_out_of_a_list(folder: Folder) -> None:
    assert caller.rows(sessions(folder), named=["session_id"]) == [("agile-cardinal-490cb1", None, "ready")]
    assert caller.rows(sessions(folder), named=["table_count"]) == [("agile-cardinal-490cb1", 2, "ready")]
    assert caller.rows(sessions(folder)) == [("agile-cardinal-490cb1", None, "ready")]


def test_a_list_is_asked_for_the_ids_that_are_named(folder: Folder) -> None:
    folder.write("cascade_test", "CREATE TABLE t (n INTEGER)")
    chosen = [Qual("session_id", "=", "cascade_test")]
    assert caller.rows(sessions(folder), chosen, ["session_id"]) == [("cascade_test", None, "ready")]
    several = [Qual("session_id", ("=", True), ["cascade_test", "none"])]
    assert caller.rows(sessions(folder), several, ["session_id"]) == [("cascade_test", None, "ready")]


def test_import_gives_whole_commands(folder: Folder) -> None:
    made = caller.commands(RvbbitWrapper, "agile-cardinal-490cb1", options(folder), "limit", ["kinds"])
    assert len(made) == 1
    assert made[0].startswith('CREATE FOREIGN TABLE "debug"."kinds" ("s" smallint OPTIONS (')
    assert made[0].endswith(
        """SERVER "rvbbit" OPTIONS ("session" 'agile-cardinal-490cb1', "table_name" 'kinds')"""
    )
    others = caller.commands(RvbbitWrapper, "agile-cardinal-490cb1", options(folder), "except", ["kinds"])
    assert [command.partition(" (")[0] for command in others] == ['CREATE FOREIGN TABLE "debug"."slow"']
    assert len(caller.commands(RvbbitWrapper, "agile-cardinal-490cb1", options(folder))) == 2


def test_import_declares_no_not_null(folder: Folder) -> None:
    folder.write("cascade_test", "CREATE TABLE t (n INTEGER NOT NULL)")
    (made,) = caller.commands(RvbbitWrapper, "cascade_test", options(folder))
    assert "NOT NULL" not in made


SESSION = "agile-cardinal-490cb1"


def imported(schema: str, **given: str) -> Callable[[Folder], object]:
    """An import of that remote schema."""
    return lambda folder: caller.commands(RvbbitWrapper, schema, options(folder), **given)


def read(name: str, **more: str) -> Callable[[Folder], object]:
    """A scan of a table with a text v."""
    return lambda folder: caller.rows(table(folder, name, 25, "VARCHAR", **more))


# What is done, and the error's message and hint.
REFUSED: list[tuple[Callable[[Folder], object], str, str]] = [
    (imported("agile-cardinal"), "does not exist", "Did you mean"),
    (imported("*"), "not supported", "by its id"),
    (imported(SESSION, import_view="true"), "invalid option", "import_views"),
    (read("kinds", sesion="x"), 'invalid option "sesion"', "session"),
    (read("kinds", policy="any"), "invalid value", "smart"),
    (read("gone"), 'no table "gone"', "import it again"),
    (read("kinds"), 'no column "v"', "import it again"),
    (lambda f: table(f, "kinds", 25, "VARCHAR").rowid_column, "can only be read", "Copy the rows"),
]


@pytest.mark.parametrize(("act", "message", "hint"), REFUSED)
def test_errors_come_with_message_and_hint(
    folder: Folder, act: Callable[[Folder], object], message: str, hint: str
) -> None:
    with pytest.raises(Told, match=message) as caught:
        act(folder)
    assert hint in (caught.value.hint or "")
    assert str(folder.root) not in f"{caught.value.message}{caught.value.hint}{caught.value.detail}"


def test_making_an_instance_never_fails() -> None:
    RvbbitWrapper({"no": "such option"}, {})


def test_what_a_database_cannot_write_is_escaped(folder: Folder, process: Process) -> None:
    process.database_encoding = "LATIN1"
    with pytest.raises(Told, match=r'no table "\\u20ac"'):
        caller.rows(table(folder, "€", 25, "VARCHAR"))


# What cannot be handed over: DuckDB's value, PostgreSQL's number of the type, and the error.
IMPOSSIBLE = [
    ("'a' || chr(0) || 'b'", "VARCHAR", 25, "NUL"),
    ("['a' || chr(0) || 'b']", "VARCHAR[]", 1009, "NUL"),
]


@pytest.mark.parametrize(("value", "kind", "type_oid", "message"), IMPOSSIBLE)
def test_values_that_would_be_taken_for_others_are_errors(
    folder: Folder, value: str, kind: str, type_oid: int, message: str
) -> None:
    folder.write("agile-cardinal-490cb1", f"CREATE TABLE bad AS SELECT {value} AS v")
    with pytest.raises(Told, match=message):
        caller.rows(table(folder, "bad", type_oid, kind))
    assert caller.rows(table(folder, "bad", type_oid, kind, on_unrepresentable="null")) != []


def test_a_varchar_is_no_longer_than_it_may_be(folder: Folder) -> None:
    folder.write("agile-cardinal-490cb1", "CREATE TABLE long AS SELECT unnest(['abc', 'abcd  ', NULL]) AS v")
    given = options(folder, session="agile-cardinal-490cb1", table_name="long")

    def of_length(most: int) -> RvbbitWrapper:
        definition = Definition("v", 1043, most + 4, options={"column_name": "v", "duckdb_type": "VARCHAR"})
        return RvbbitWrapper(given, caller.definitions(definition))

    assert caller.rows(of_length(5)) == [("abc",), ("abcd ",), (None,)]
    with pytest.raises(Told, match=r"value too long for type character varying\(3\)"):
        caller.rows(of_length(3))


def test_one_run_of_the_executor_sees_one_state(folder: Folder, process: Process) -> None:
    folder.write("agile-cardinal-490cb1", "CREATE TABLE t AS SELECT range AS v FROM range(3)")
    read = table(folder, "t", 20, "BIGINT")
    read.begin(0)
    first = read.execute([], {"v"})
    assert next(first) == (0,)
    folder.write("agile-cardinal-490cb1", "INSERT INTO t VALUES (3)")
    # A rescan, and another client's statement that fetches from the same cursor.
    assert len(list(read.execute([], {"v"}))) == 3
    process.statement = 2
    assert len(list(read.execute([], {"v"}))) == 3
    # A statement of its own, while the cursor is open.
    process.place = 2000
    assert len(list(read.execute([], {"v"}))) == 4
    # One at the cursor's place, after it was closed.
    first.close()
    del first
    gc.collect()
    process.place, process.statement = 1000, 3
    assert len(list(read.execute([], {"v"}))) == 4
    read.commit()


def test_a_repeatable_transaction_sees_one_state(folder: Folder, process: Process) -> None:
    folder.write("agile-cardinal-490cb1", "CREATE TABLE t AS SELECT range AS v FROM range(3)")
    read = table(folder, "t", 20, "BIGINT")
    process.repeatable = True
    assert len(list(read.execute([], {"v"}))) == 3
    folder.write("agile-cardinal-490cb1", "INSERT INTO t VALUES (3)")
    process.place, process.statement = 2000, 2
    assert len(list(read.execute([], {"v"}))) == 3
    read.commit()
    process.transaction = 2
    assert len(list(read.execute([], {"v"}))) == 4


def test_scans_are_closed_when_their_transaction_ends(kinds: RvbbitWrapper) -> None:
    kinds.begin(0)
    leaked = kinds.execute([], {"i"})
    next(leaked)
    assert len(kept.session()._levels) == 1
    kinds.rollback()
    assert kept.session()._levels == {}
    assert kept.session().backend._tasks == {}


def test_a_subtransaction_takes_its_own_scans_along(kinds: RvbbitWrapper, folder: Folder) -> None:
    folder.write("agile-cardinal-490cb1", "CREATE TABLE t AS SELECT range AS v FROM range(100000)")
    read = table(folder, "t", 20, "BIGINT")
    read.begin(0)
    outer = read.execute([], {"v"})
    next(outer)
    read.sub_begin(2)
    inner = read.execute([], {"v"})
    next(inner)
    read.sub_rollback(2)
    assert sum(1 for _ in outer) == 99_999
    with pytest.raises(Told, match="has ended with the subtransaction"):
        list(inner)
    read.sub_begin(2)
    kept = read.execute([], {"v"})
    next(kept)
    read.sub_commit(2)
    assert sum(1 for _ in kept) == 99_999
    read.commit()


@pytest.mark.parametrize(("by_timeout", "cause"), [(False, "user request"), (True, "statement timeout")])
def test_an_interrupt_ends_a_call_that_blocks(
    folder: Folder, process: Process, by_timeout: bool, cause: str
) -> None:
    process.has_timed_out = by_timeout
    slow = table(folder, "slow", 1700, "UBIGINT")
    given = slow._options
    slow = RvbbitWrapper(given, caller.definitions(column("s", 1700, "UBIGINT")))
    threading.Timer(0.3, lambda: setattr(process, "is_interrupted", True)).start()
    start = time.monotonic()
    with pytest.raises(Told, match=f"canceling statement due to {cause}"):
        list(slow.execute([], {"s"}))
    assert time.monotonic() - start < 0.3 + 0.4
    slow.rollback()
    process.is_interrupted = False
    assert len(caller.rows(sessions(folder), named=["session_id"])) == 1


def test_rows_come_in_batches(folder: Folder) -> None:
    folder.write("agile-cardinal-490cb1", "CREATE TABLE t AS SELECT range AS v FROM range(1000000)")
    read = table(folder, "t", 20, "BIGINT")
    rows = read.execute([], {"v"})
    assert next(rows) == (0,)
    rows.close()
    assert kept.session()._levels == {}


def test_no_value_is_taken_for_the_end_of_the_rows(folder: Folder) -> None:
    folder.write("agile-cardinal-490cb1", "CREATE TABLE nulls AS SELECT NULL::INTEGER AS v FROM range(5)")
    assert caller.rows(table(folder, "nulls", 23, "INTEGER")) == [(None,)] * 5


def test_duckdb_is_the_version_of_the_allow_list() -> None:
    assert duckdb.__version__ == "2.0.0"
