"""Catalogs as read from a snapshot and as kept beside it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from rvbbit_fdw import catalog
from rvbbit_fdw.catalog import Catalog, Column, Relation


def read_of(*statements: str) -> Catalog:
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS \"it's\"")
        con.execute('USE "it\'s"')
        for statement in statements:
            con.execute(statement)
        return catalog.read(con, "it's")


def test_tables_views_and_schemas() -> None:
    found = read_of(
        'CREATE TABLE t (a INTEGER NOT NULL, "B b" DECIMAL(18,3))',
        "INSERT INTO t VALUES (1, 2), (2, 3)",
        "COMMENT ON TABLE t IS 'hello'",
        "CREATE VIEW v AS SELECT a FROM t",
        "CREATE SCHEMA other",
        "CREATE TABLE other.t (x ENUM('p', 'q'))",
    )
    assert found.schemas == ("main", "other")
    table = found.relation("MAIN", "T")
    assert table is not None
    assert table.columns == (Column("a", "INTEGER", False), Column("B b", "DECIMAL(18,3)", True))
    assert (table.estimated_rows, table.comment, table.is_view) == (2, "hello", False)
    assert table.column("b B") == table.columns[1]
    assert table.column("c") is None
    view = found.relation("main", "v")
    assert view is not None
    assert view.is_view
    assert view.columns == (Column("a", "INTEGER", True),)
    assert [relation.name for relation in found.in_schema("other")] == ["t"]
    assert found.has_schema("Other")
    assert not found.has_schema("information_schema")


def test_a_broken_view_is_listed() -> None:
    found = read_of("CREATE TABLE t (a INTEGER)", "CREATE VIEW v AS SELECT a FROM t", "DROP TABLE t")
    assert [relation.name for relation in found.relations] == ["v"]


def test_an_empty_session() -> None:
    assert read_of() == Catalog(("main",), ())


def test_comments_of_columns() -> None:
    found = read_of("CREATE TABLE t (a INTEGER, b INTEGER)", "COMMENT ON COLUMN t.b IS 'it''s'")
    assert [column.comment for column in found.relations[0].columns] == [None, "it's"]


def test_views_are_tried_and_nothing_else() -> None:
    relations = (
        Relation("main", "refused", (), None, None, "no"),
        Relation("main", "t", (), 5),
        Relation("main", "v", ()),
        Relation("main", "w", ()),
    )
    problems = {"v": "broken", "w": None}
    tried = catalog.try_views(Catalog(("main",), relations), lambda relation: problems[relation.name])
    assert [relation.left_out for relation in tried.relations] == ["no", None, "broken", None]


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    relations = (
        Relation("main", "t", (Column("a", "INTEGER", True, "c"),), 5, "ü"),
        Relation("main", "v", (), None, None, None, "broken"),
    )
    path = tmp_path / "x.json"
    catalog.save(Catalog(("main",), relations), path, "key")
    assert catalog.load(path, "key") == Catalog(("main",), relations)
    assert catalog.load(path, "other") is None
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_used_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / catalog.FILE_NAME
    assert catalog.load(path) is None
    catalog.save(Catalog(), path)
    good = path.read_text()
    for bad in ["", "{", "[]", "{}", good.replace('"format":', '"format":9'), good[:-3], "\udcff"]:
        path.write_bytes(bad.encode(errors="surrogateescape"))
        assert catalog.load(path) is None


def test_saving_where_nothing_can_be_written_is_no_error(tmp_path: Path) -> None:
    catalog.save(Catalog(), tmp_path / "gone" / "x.json")


def test_texts_have_no_zero_bytes() -> None:
    (relation,) = read_of(
        "CREATE TABLE t (e ENUM ('a\0b'))",
        "COMMENT ON TABLE t IS 'not\0 so'",
        "COMMENT ON COLUMN t.e IS '\0'",
    ).relations
    assert relation.comment == "not\ufffd so"
    assert relation.columns == (Column("e", "ENUM('a\ufffdb')", True, "\ufffd"),)
