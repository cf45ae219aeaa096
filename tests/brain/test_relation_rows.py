"""The rows of rvbbit_tables and rvbbit_columns, and the catalogs kept for a second look."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from rvbbit_fdw import native, options
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.catalog import Catalog
from rvbbit_fdw.catalog_cache import CatalogCache
from rvbbit_fdw.engine import Engine
from rvbbit_fdw.errors import ColumnNotFound, FolderUnusable, Interrupted, StoreFull
from rvbbit_fdw.listings import LISTINGS
from rvbbit_fdw.snapshot import SnapshotStore
from tests.kit.folder import Folder, column, session_is

ODD = "agile-cardinal-490cb1"
LONG = "n" * 70


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    made = Folder(tmp_path)
    made.write(
        "etl",
        "CREATE TABLE _output AS SELECT i::INTEGER AS id, 1.5::DECIMAL(9,2) AS revenue FROM range(7) r(i)",
        "COMMENT ON TABLE _output IS 'the end'",
        "COMMENT ON COLUMN _output.revenue IS 'in €'",
        "CREATE VIEW v AS SELECT id FROM _output",
        "CREATE TABLE gone (i INTEGER)",
        "CREATE VIEW broken AS SELECT i FROM gone",
        "CREATE VIEW thief AS SELECT content FROM read_text('/etc/passwd')",
        "DROP TABLE gone",
        "CREATE SCHEMA other",
        "CREATE TABLE other._output (e ENUM('x', 'y'))",
    )
    made.write(ODD, f"CREATE TABLE {LONG}1 (ctid HUGEINT, {LONG}a JSON, {LONG}b INTEGER[], \"a\"\"b'\" DATE)",
               f"CREATE TABLE {LONG}2 (i INTEGER)")  # fmt: skip
    made.write("nothing")
    (made.sessions / "bad.duckdb").write_bytes(b"\0" * 20_000)
    (made.sessions / "secret.duckdb").symlink_to("/etc/passwd")
    return made


def rows_of(
    folder: Folder, catalog: str, *names: str, conditions: tuple[object, ...] = ()
) -> list[tuple[Any, ...]]:
    return sorted(folder.rows(folder.listing_request(*names, catalog=catalog, conditions=conditions)))


def everything(folder: Folder) -> list[list[tuple[Any, ...]]]:
    names = {name: tuple(LISTINGS[name].columns) for name in ("tables", "columns")}
    return [
        sorted(folder.rows(folder.listing_request(*names[name], catalog=name)), key=repr) for name in names
    ]


def another_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_backend", Backend())


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on neither snapshots nor DuckDB's attachments."""

    def forbidden(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(SnapshotStore, "take", forbidden)
    monkeypatch.setattr(Engine, "use", forbidden)


def test_every_list_has_its_option() -> None:
    assert tuple(LISTINGS) == options.CATALOGS
    assert all(next(iter(listing.columns)) == "session_id" for listing in LISTINGS.values())


def test_tables(folder: Folder) -> None:
    rows = folder.rows(
        folder.listing_request(*LISTINGS["tables"].columns, catalog="tables", conditions=[session_is("etl")])
    )
    found = {row[1:3]: row[3:] for row in rows}
    assert {row[0] for row in rows} == {"etl"}
    assert found["main", "_output"] == ("table", "_output", 7, 2, "the end", None)
    assert found["main", "v"] == ("view", "v", None, 1, None, None)
    assert found["other", "_output"] == ("table", "_output", 0, 1, None, None)
    kind, _, _, _, _, error = found["main", "broken"]
    assert (kind, error) == ("view", "table with name gone does not exist")
    _, _, _, count, _, error = found["main", "thief"]
    assert count is None
    assert error
    assert "/etc" not in error
    assert len(found) == 5


def test_columns(folder: Folder) -> None:
    rows = folder.rows(
        folder.listing_request(
            *LISTINGS["columns"].columns, catalog="columns", conditions=[session_is("etl")]
        )
    )
    assert sorted(rows) == [
        ("etl", "main", "_output", "id", 1, "INTEGER", "id", "integer", None),
        ("etl", "main", "_output", "revenue", 2, "DECIMAL(9,2)", "revenue", "numeric(9,2)", "in €"),
        ("etl", "main", "v", "id", 1, "INTEGER", "id", "integer", None),
        ("etl", "other", "_output", "e", 1, "ENUM", "e", "text", None),
    ]


def test_imports_have_what_an_attach_needs(folder: Folder) -> None:
    found = {row[0]: row[1:] for row in rows_of(folder, "imports", "session_id", "state", "tables")}
    assert {session: state for session, (state, _) in found.items()} == {
        "etl": "ready", ODD: "ready", "nothing": "empty", "bad": "corrupt"
    }  # fmt: skip
    tables = {session: json.loads(text) for session, (_, text) in found.items()}
    assert tables["nothing"] == tables["bad"] == []
    names = ("schema_name", "table_name", "kind", "pg_name", "estimated_rows", "comment", "error")
    listed = rows_of(folder, "tables", *names, conditions=(session_is("etl"),))
    assert sorted((tuple(each[name] for name in names) for each in tables["etl"]), key=repr) == sorted(
        listed, key=repr
    )
    comments = {(each["schema_name"], each["table_name"]): each["column_comments"] for each in tables["etl"]}
    assert comments["main", "_output"] == {"revenue": "in €"}
    assert comments["other", "_output"] == {"e": "DuckDB type ENUM"}
    assert comments["main", "thief"] == comments["main", "v"] == {}
    assert tables[ODD][0]["column_comments"]["ctid_"] == "DuckDB type HUGEINT"
    assert "€" in found["etl"][1]
    ((plain,),) = rows_of(folder, "imports", "uncommented", conditions=(session_is("etl"),))
    told = [{name: each[name] for name in names if name != "comment"} for each in tables["etl"]]
    assert json.loads(plain) == told


@pytest.mark.parametrize(("session", "schema"), [("etl", "main"), ("etl", "other"), (ODD, "main")])
def test_names_and_types_are_those_of_an_import(folder: Folder, session: str, schema: str) -> None:
    commands = folder.import_schema(session if schema == "main" else f"{session}.{schema}")["commands"]
    tables = rows_of(folder, "tables", "session_id", "schema_name", "table_name", "pg_name", "error")
    columns = folder.rows(
        folder.listing_request(
            "session_id", "schema_name", "table_name", "position", "pg_name", "pg_type", "duckdb_type",
            catalog="columns",
        )
    )  # fmt: skip
    made = {}
    for row in tables:
        if row[:2] == (session, schema) and row[4] is None:
            mine = sorted(column[3:] for column in columns if column[:3] == row[:3])
            pieces = [[quoted(name), kind, remembered] for _, name, kind, remembered in mine]
            made[f'CREATE FOREIGN TABLE "debug".{quoted(row[3])}'] = pieces
    assert made == dict(parsed(command) for command in commands)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def parsed(command: str) -> tuple[str, list[list[str]]]:
    """The command's start and of each column name, type and DuckDB type."""
    start, rest = command.split(" (", 1)
    found = re.findall(r'("(?:[^"]|"")+") (\S+) OPTIONS \([^)]*?"duckdb_type" \'([^\']*)\'\)', rest)
    return start, [list(column) for column in found]


def test_sessions_that_cannot_be_read_have_no_rows(folder: Folder) -> None:
    torn = folder.write("torn", "CREATE TABLE t AS SELECT * FROM range(100000)")
    os.truncate(torn, 20_480)
    for name in ("tables", "columns"):
        assert {row[0] for row in rows_of(folder, name, "session_id")} == {"etl", ODD}


def test_what_cannot_be_read_is_told_from_what_is_empty(folder: Folder) -> None:
    torn = folder.write("torn", "CREATE TABLE t AS SELECT * FROM range(100000)")
    os.truncate(torn, 20_480)
    folder.write("dropped", "CREATE TABLE t (i INTEGER)", "CHECKPOINT", "DROP TABLE t")
    rows = folder.rows(folder.listing_request("session_id", "table_count"))
    assert {name for name, count in rows if count is None} == {"bad", "torn"}
    assert {name for name, count in rows if count == 0} == {"nothing", "dropped"}


@pytest.mark.parametrize("problem", [StoreFull("full"), FolderUnusable("gone"), OSError(28, "full")])
def test_a_store_that_fails_is_an_error(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def failing(*_arguments: object) -> Catalog:
        raise problem

    monkeypatch.setattr(Backend, "describe", failing)
    with pytest.raises((StoreFull, FolderUnusable)):
        rows_of(folder, "tables", "session_id")
    assert folder.rows(folder.listing_request("table_count"))


def test_no_column_counts_rows(folder: Folder) -> None:
    assert len(folder.run(folder.listing_request(catalog="tables"))[1].rows) == 7
    assert len(folder.run(folder.listing_request(catalog="columns"))[1].rows) == 9


def test_only_the_sessions_asked_for_are_looked_at(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    describe = Backend.describe

    def watch(self: Backend, file: Any, *rest: Any) -> Catalog:
        seen.append(file.session_id)
        return describe(self, file, *rest)

    monkeypatch.setattr(Backend, "describe", watch)
    rows = rows_of(folder, "columns", "column_name", conditions=(session_is("etl"),))
    assert ("revenue",) in rows
    assert seen == ["etl"]
    assert rows_of(folder, "tables", "pg_name", conditions=(session_is("unknown"),)) == []


def test_the_second_look_needs_neither_copy_nor_duckdb(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = everything(folder)
    another_backend(monkeypatch)
    forbid(monkeypatch)
    assert everything(folder) == first
    counts = dict(folder.rows(folder.listing_request("session_id", "table_count")))
    assert counts == {"etl": 4, ODD: 2, "nothing": 0, "bad": None}


def test_a_changed_session_is_looked_at_again(folder: Folder) -> None:
    first = rows_of(folder, "columns", "session_id", "column_name")
    folder.write("etl", "ALTER TABLE _output ADD COLUMN extra DATE", "DROP TABLE other._output")
    second = rows_of(folder, "columns", "session_id", "column_name")
    assert set(second) - set(first) == {("etl", "extra")}
    assert set(first) - set(second) == {("etl", "e")}
    (folder.sessions / "etl.duckdb").unlink()
    assert {row[0] for row in rows_of(folder, "tables", "session_id")} == {ODD}


def test_damaged_files_are_made_again(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = everything(folder)
    kept = list((folder.store / "catalogs").iterdir())
    assert len(kept) == 2  # what headers tell to be empty or unreadable needs none
    for path in kept:
        path.write_text(path.read_text()[:-5])
    another_backend(monkeypatch)
    assert everything(folder) == first
    assert all(json.loads(path.read_text()) for path in kept)


def test_the_cache_is_bounded_and_drops_what_was_not_used(tmp_path: Path) -> None:
    cache = CatalogCache(str(tmp_path), 20 * 4096)
    for number in range(30):
        cache.save(f"s{number}", "k", Catalog())
        os.utime(tmp_path / f"s{number}", (number, number))
    assert cache.load("s0", "k") == Catalog()
    assert cache.load("s1", "other") is None
    CatalogCache(str(tmp_path), 20 * 4096).save("new", "k", Catalog())
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"s0", "new", *(f"s{number}" for number in range(14, 30))}


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = CatalogCache(str(tmp_path / "file" / "catalogs"), 1)
    cache.save("s", "k", Catalog())
    assert cache.load("s", "k") is None


def test_interrupts_are_noticed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> Catalog:
        raise Interrupted

    monkeypatch.setattr(Backend, "describe", interrupted)
    with pytest.raises(Interrupted):
        rows_of(folder, "tables", "session_id")


def test_unknown_columns_are_named(folder: Folder) -> None:
    request = folder.listing_request("session_id", catalog="tables")
    request["table"]["columns"].append(column(99, "colour", "text"))
    with pytest.raises(ColumnNotFound, match='the list of tables has no column "colour"') as caught:
        folder.rows(request | {"columns": [99]})
    assert caught.value.hint
    assert "estimated_rows" in caught.value.hint


def test_explain(folder: Folder) -> None:
    request = folder.listing_request("pg_name", catalog="columns", conditions=[session_is("etl")])
    assert folder.call("explain_scan", request)["lines"] == [
        ["Catalog", "columns"],
        ["Pruned by", "session_id"],
        ["Reads", "snapshots"],
    ]
    assert not folder.store.exists()
