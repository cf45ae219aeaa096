"""IMPORT FOREIGN SCHEMA on real sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from rvbbit_fdw import importer, native
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.errors import (
    NotSupported,
    OptionError,
    OptionValueError,
    SchemaNotFound,
    SessionNotFound,
)
from rvbbit_fdw.importer import Target
from rvbbit_fdw.sessions import SessionFolder
from tests.kit.folder import Folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    return Folder(tmp_path)


def names_of(folder: Folder, remote: str) -> tuple[str, str]:
    file, schema = importer.find(remote, SessionFolder(str(folder.sessions)))
    return file.session_id, schema


def test_a_table_with_its_options(folder: Folder) -> None:
    folder.write("a-1", 'CREATE TABLE "it\'s" ("a""b" INTEGER, ctid VARCHAR, e ENUM(\'x\'), n DECIMAL(9,2))')
    (command,) = folder.import_schema("a-1")["commands"]
    assert command == (
        'CREATE FOREIGN TABLE "debug"."it\'s" ('
        '"a""b" integer OPTIONS ("column_name" \'a"b\', "duckdb_type" \'INTEGER\'), '
        '"ctid_" text OPTIONS ("column_name" \'ctid\', "duckdb_type" \'VARCHAR\'), '
        '"e" text OPTIONS ("column_name" \'e\', "duckdb_type" \'ENUM\'), '
        '"n" numeric(9,2) OPTIONS ("column_name" \'n\', "duckdb_type" \'DECIMAL(9,2)\')) '
        "SERVER \"rvbbit\" OPTIONS (\"session\" 'a-1', \"table_name\" 'it''s')"
    )


def test_another_schema_of_the_session(folder: Folder) -> None:
    folder.write("a", "CREATE TABLE t (i INTEGER)", "CREATE SCHEMA s", "CREATE TABLE s.u (i INTEGER)")
    (command,) = folder.import_schema("a.s")["commands"]
    assert '"debug"."u"' in command
    assert "OPTIONS (\"session\" 'a', \"schema_name\" 's', \"table_name\" 'u')" in command
    with pytest.raises(SchemaNotFound, match='session "a" has no schema "x"'):
        folder.import_schema("a.x")


def test_how_remote_schemas_are_read(folder: Folder) -> None:
    for session_id in ["a", "a.b", "c"]:
        folder.write(session_id)
    assert names_of(folder, "a") == ("a", "main")
    assert names_of(folder, "a.b") == ("a.b", "main")
    assert names_of(folder, "a.b.x") == ("a.b", "x")
    assert names_of(folder, "c.x.y") == ("c", "x.y")


def test_limit_to_and_except(folder: Folder) -> None:
    folder.write("a", *(f"CREATE TABLE {name} (i INTEGER)" for name in "pqr"))
    reply = folder.import_schema("a", "limit_to", ["p", "P", "zzz"])
    assert len(reply["commands"]) == 1
    assert [(notice["level"], notice["message"], notice["hint"]) for notice in reply["notices"]] == [
        ("NOTICE", 'session "a" has no table "P" to import', 'Did you mean "p"?'),
        ("NOTICE", 'session "a" has no table "zzz" to import', None),
    ]
    assert len(folder.import_schema("a", "except", ["p", "zzz"])["commands"]) == 2
    assert Target("s", "x", "limit_to", frozenset()).wants("p") is False


def test_tables_under_other_names(folder: Folder) -> None:
    folder.write("a", *(f"CREATE TABLE {name} (i INTEGER)" for name in "pqr"))
    reply = folder.import_schema("a", import_as='{"p": "r", "q": "a.q", "z": "y"}')
    assert [text.split(" (")[0].split(".", 1)[1] for text in reply["commands"]] == ['"r"', '"a.q"']
    assert all(f"\"table_name\" '{name}'" in text for name, text in zip("pq", reply["commands"], strict=True))
    assert [notice["message"] for notice in reply["notices"]] == ['session "a" has no table "z" to import']
    assert folder.import_schema("a", import_as="{}")["commands"] == []
    with pytest.raises(OptionError, match='"import_as" and LIMIT TO or EXCEPT exclude each other'):
        folder.import_schema("a", "except", ["p"], import_as="{}")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("p", "a JSON object of names is needed"),
        ('["p"]', "a JSON object of names is needed"),
        ('{"p": 1}', "a JSON object of names is needed"),
        ('{"p": ""}', "a name has from 1 to 63 bytes"),
        (f'{{"p": "{"é" * 32}"}}', "a name has from 1 to 63 bytes"),
        ('{"p": "x", "q": "x"}', "no two tables may have the same name"),
        ('{"p": "x", "p": "y"}', "no two tables may have the same name"),
        ('{"p": {"q": "x"}}', "a JSON object of names is needed"),
        ('[["p", "x"]]', "a JSON object of names is needed"),
        ('{"p":' * 100_000, "a JSON object of names is needed"),
        ('{"p": "\\ud800"}', "a name has from 1 to 63 bytes"),
        ('{"p": "x\\u0000"}', "a name has from 1 to 63 bytes, none of them zero"),
    ],
)
def test_names_that_tables_cannot_have(folder: Folder, value: str, problem: str) -> None:
    folder.write("a")
    with pytest.raises(OptionValueError, match=problem):
        folder.import_schema("a", import_as=value)


def test_an_unknown_session_with_a_near_name(folder: Folder) -> None:
    folder.write("agile-cardinal-490cb1")
    with pytest.raises(SessionNotFound) as caught:
        folder.import_schema("agile-cardinal-490cb2")
    assert caught.value.hint == 'Did you mean "agile-cardinal-490cb1"?'
    assert str(folder.root) not in str(vars(caught.value))


def test_all_sessions_and_options_are_refused(folder: Folder) -> None:
    with pytest.raises(NotSupported):
        folder.import_schema("*")
    with pytest.raises(OptionError, match='invalid option "x"') as caught:
        folder.import_schema("a", x="1")
    assert caught.value.hint == (
        "Valid options in this context are: "
        "import_as, import_comments, import_not_null, import_views, session."
    )
    with pytest.raises(OptionError) as caught:
        folder.import_schema("a", import_view="false")
    assert caught.value.hint == 'Perhaps you meant the option "import_views".'
    with pytest.raises(OptionValueError, match='invalid value for option "import_views": true or false'):
        folder.import_schema("a", import_views="perhaps")


def test_ids_that_postgres_cuts(folder: Folder) -> None:
    long, wide = "x" * 80, "é" * 40
    for session_id in [long, wide]:
        folder.write(session_id, "CREATE TABLE t (i INTEGER)")
    assert names_of(folder, long[:63]) == (long, "main")
    assert names_of(folder, wide[:31]) == (wide, "main")
    with pytest.raises(SessionNotFound):
        names_of(folder, long[:62])
    folder.write(long + "2")
    with pytest.raises(SessionNotFound, match="more than one session id begins with") as caught:
        names_of(folder, long[:63])
    assert caught.value.hint
    assert "OPTIONS (session " in caught.value.hint
    folder.write("x" * 63, "CREATE TABLE short (i INTEGER)")
    assert names_of(folder, long[:63]) == ("x" * 63, "main")


def test_a_session_by_the_option(folder: Folder) -> None:
    long = "x" * 80
    folder.write(long, "CREATE TABLE t (i INTEGER)", "CREATE SCHEMA s", "CREATE TABLE s.u (i INTEGER)")
    folder.write(long + "2")
    (command,) = folder.import_schema("main", session=long)["commands"]
    assert f"OPTIONS (\"session\" '{long}', \"table_name\" 't')" in command
    (command,) = folder.import_schema("s", session=long)["commands"]
    assert "\"schema_name\" 's'" in command
    with pytest.raises(SchemaNotFound):
        folder.import_schema(long[:63], session=long)
    with pytest.raises(SessionNotFound, match=r'session "\.\./x" does not exist'):
        folder.import_schema("main", session="../x")


def test_views_are_imported_and_broken_ones_named(folder: Folder) -> None:
    folder.write(
        "a",
        "CREATE TABLE t (i INTEGER)",
        "CREATE VIEW good AS SELECT i FROM t",
        "CREATE TABLE gone (i INTEGER)",
        "CREATE VIEW broken AS SELECT i FROM gone",
        "CREATE VIEW thief AS SELECT content FROM read_text('/etc/passwd')",
        "DROP TABLE gone",
    )
    reply = folder.import_schema("a")
    assert [command.split(" (")[0].split(".")[1] for command in reply["commands"]] == ['"good"', '"t"']
    broken, thief = reply["notices"]
    assert broken["level"] == "NOTICE"
    assert broken["message"] == (
        'view "broken" of session "a" is left out: table with name gone does not exist'
    )
    assert "/etc" not in str(thief)
    assert folder.import_schema("a", "limit_to", ["good"])["notices"] == []


def test_names_too_long_and_equal_in_63_bytes(folder: Folder) -> None:
    long = "x" * 70
    folder.write(
        "a", f"CREATE TABLE {long}1 ({long}1 INTEGER, {long}2 INTEGER)", f"CREATE TABLE {long}2 (i INTEGER)"
    )
    first, second = folder.import_schema("a")["commands"]
    assert first.split(" ")[3] != second.split(" ")[3]
    assert first.count(f"'{long}") == 3


def test_too_many_columns(folder: Folder) -> None:
    columns = ", ".join(f"c{number} INTEGER" for number in range(1605))
    folder.write("a", f"CREATE TABLE wide ({columns})")
    reply = folder.import_schema("a")
    assert reply["commands"][0].count(" integer ") == 1600
    (notice,) = reply["notices"]
    assert notice["level"] == "WARNING"
    assert notice["message"] == 'table "wide" of session "a" is imported without its last 5 columns'
    assert notice["detail"] == "It has 1605 columns; a table of PostgreSQL has 1600 at most."


def test_an_empty_session_gives_nothing(folder: Folder) -> None:
    folder.write("empty")
    assert folder.import_schema("empty")["commands"] == []


LONG = "a" * 60 + "éé"  # 64 bytes: PostgreSQL's parser keeps 62, whole characters only


def test_an_id_that_postgresql_cuts_is_found_by_its_start(folder: Folder) -> None:
    folder.write(LONG)
    folder.write("b" * 70)
    assert names_of(folder, "a" * 60 + "é") == (LONG, "main")
    assert names_of(folder, "b" * 63) == ("b" * 70, "main")
    with pytest.raises(SessionNotFound, match="does not exist"):
        names_of(folder, "b" * 62)


def test_a_cut_id_that_means_two_sessions(folder: Folder) -> None:
    folder.write("b" * 70)
    folder.write("b" * 71)
    with pytest.raises(SessionNotFound, match="more than one session") as caught:
        names_of(folder, "b" * 63)
    assert "2 ids" in str(caught.value.detail)


def test_a_file_name_for_a_session_id(folder: Folder) -> None:
    folder.write("a-1", "CREATE TABLE t (a INTEGER)")
    with pytest.raises(SchemaNotFound, match="no schema") as caught:
        folder.import_schema("a-1.duckdb")
    assert caught.value.hint == 'The name of a session is its file\'s without ".duckdb": "a-1".'


RICH = [
    "CREATE TABLE t (a INTEGER NOT NULL, b VARCHAR, c INTEGER PRIMARY KEY, ctid INTEGER)",
    "CREATE VIEW v AS SELECT * FROM t",
    "COMMENT ON TABLE t IS 'it''s a table'",
    "COMMENT ON COLUMN t.ctid IS 'renamed'",
    "COMMENT ON VIEW v IS 'a view'",
    "CREATE TABLE silent (i INTEGER)",
]


def test_whether_comments_come_along(folder: Folder) -> None:
    folder.write("a", *RICH)
    assert folder.import_schema("a")["comments"] is True
    assert folder.import_schema("a", import_comments="off")["comments"] is False


def test_not_null_comes_along(folder: Folder) -> None:
    folder.write("a", *RICH)
    (with_it,) = folder.import_schema("a", "limit_to", ["t"])["commands"]
    assert [part.count(" NOT NULL") for part in with_it.split('"column_name"')] == [0, 1, 0, 1, 0]
    (without,) = folder.import_schema("a", "limit_to", ["t"], import_not_null="false")["commands"]
    assert "NOT NULL" not in without


def test_views_may_stay_away(folder: Folder) -> None:
    folder.write("a", *RICH)
    assert len(folder.import_schema("a")["commands"]) == 3
    assert len(folder.import_schema("a", import_views="0")["commands"]) == 2


def test_zero_bytes_in_names_and_comments(folder: Folder) -> None:
    folder.write(
        "a",
        'CREATE TABLE "z\0ero" (i INTEGER)',
        "CREATE TABLE fine (i INTEGER)",
        'CREATE TABLE inside ("c\0ol" INTEGER, j INTEGER)',
        "CREATE TABLE kinds (e ENUM ('a\0b'), s STRUCT(\"k\0\" INTEGER))",
    )
    reply = folder.import_schema("a")
    assert [command.split('"')[3] for command in reply["commands"]] == ["fine", "kinds"]
    assert [notice["message"] for notice in reply["notices"]] == [
        'table "inside" of session "a" is left out: PostgreSQL cannot hold the zero byte in the name "c?ol"',
        'table "z\ufffdero" of session "a" is left out: '
        'PostgreSQL cannot hold the zero byte in the name "z?ero"',
    ]
    assert "\0" not in str(reply)


def test_names_that_differ_in_the_case_of_other_letters_than_a_to_z(folder: Folder) -> None:
    folder.write(
        "a",
        'CREATE TABLE "É" ("Ä" INTEGER, "ä" VARCHAR)',
        'CREATE TABLE "é" (i INTEGER)',
        'CREATE SCHEMA "Ö"',
        'CREATE SCHEMA "ö"',
        'CREATE TABLE "ö".t (i INTEGER)',
    )
    first, second = folder.import_schema("a")["commands"]
    assert '"Ä" integer' in first
    assert '"ä" text' in first
    assert '"i" integer' in second
    assert folder.import_schema("a.Ö")["commands"] == []
    assert len(folder.import_schema("a.ö")["commands"]) == 1
