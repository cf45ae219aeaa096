"""What comes along with an import, what does not, and what a foreign table made by hand may be."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.test_import import columns, import_session

pytestmark = pytest.mark.server

SESSION = "zz.import options"
STATEMENTS = [
    "CREATE TABLE t (a INTEGER NOT NULL, b TEXT, twice INTEGER GENERATED ALWAYS AS (a * 2), c DATE UNIQUE)",
    "INSERT INTO t (a, b) VALUES (1, 'x'), (2, NULL)",
    "COMMENT ON TABLE t IS 'all of ''it'''",
    "COMMENT ON COLUMN t.b IS 'text, mostly'",
    "CREATE VIEW v AS SELECT a, b FROM t",
    "COMMENT ON VIEW v IS 'a part'",
    "CREATE TABLE gone (i INTEGER)",
    "CREATE VIEW broken AS SELECT i FROM gone",
    "DROP TABLE gone",
    "CREATE SCHEMA other",
    'CREATE TABLE other."t" (i INTEGER)',
    "CREATE SCHEMA nothing",
    "CREATE SEQUENCE s",
    "CREATE INDEX i ON t (a)",
    "CREATE MACRO m(x) AS x + 1",
    "CREATE MACRO rows() AS TABLE SELECT 1 AS i",
    "CREATE TYPE mood AS ENUM ('a', 'b')",
    "CREATE TEMP TABLE temporary (i INTEGER)",
    "ATTACH ':memory:' AS elsewhere",
    "CREATE TABLE elsewhere.main.foreign_one (i INTEGER)",
    f"CREATE TABLE wide ({', '.join(f'c{number} SMALLINT' for number in range(1610))})",
    f"INSERT INTO wide VALUES ({', '.join(str(number) for number in range(1610))})",
]

COMMENTS = {
    ("t", None): f"table of the RVBBIT session \"{SESSION}\", 2 rows when imported: all of 'it'",
    ("t", "b"): "text, mostly",
    ("v", None): f'view of the RVBBIT session "{SESSION}": a part',
}

BAD_OPTIONS = [
    ("colour 'blue'", "HV00D", "Valid options in this context are: import_as, import_comments"),
    ("import_views 'maybe'", "HV024", "Whether views come along"),
    ("import_as '[]'", "HV024", "a JSON object"),
    ("session_dir '/'", "HV00D", ""),
    ("import_comment 'true'", "HV00D", 'Perhaps you meant the option "import_comments"'),
]


@pytest.fixture(scope="module", autouse=True)
def session(server: Server) -> Iterator[str]:
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, *STATEMENTS)
    yield SESSION
    path.unlink()


def import_with(db: psycopg.Connection, schema: str, options: str, restriction: str = "") -> None:
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} {} FROM SERVER rvbbit INTO {} OPTIONS ({})")
    names = sql.Identifier(SESSION), sql.SQL(restriction), sql.Identifier(schema), sql.SQL(options)
    db.execute(command.format(*names))


def comments(db: psycopg.Connection, schema: str) -> dict[tuple[str, str | None], str]:
    query = """
        SELECT c.relname, a.attname, d.description
        FROM pg_description AS d JOIN pg_class AS c ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass
        LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0
        WHERE c.relnamespace = %s::regnamespace"""
    return {(table, column): text for table, column, text in db.execute(query, [schema])}


def not_null(db: psycopg.Connection, schema: str) -> list[str]:
    query = """
        SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
        WHERE relnamespace = %s::regnamespace AND attnum > 0 AND attnotnull ORDER BY 1"""
    return [row[0] for row in db.execute(query, [schema])]


def test_tables_and_views_alone(db: psycopg.Connection, schema: str) -> None:
    told: list[str] = []
    db.add_notice_handler(lambda notice: told.append(f"{notice.severity}: {notice.message_primary}"))
    assert import_session(db, schema, SESSION) == {"t", "v", "wide"}
    view = f'view "broken" of session "{SESSION}" is left out: '
    assert [text for text in told if text.startswith(f"NOTICE: {view}")]
    assert f'WARNING: table "wide" of session "{SESSION}" is imported without its last 10 columns' in told


def test_the_first_1600_columns(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, SESSION, "LIMIT TO (wide)")
    assert len(columns(db, f"{schema}.wide")) == 1600
    row = db.execute(sql.SQL("SELECT * FROM {}.wide").format(sql.Identifier(schema))).fetchone()
    assert row == tuple(range(1600))


@pytest.mark.parametrize(("remote", "expected"), [("other", {"t"}), ("nothing", set[str]()), ("main", {"v"})])
def test_each_schema_of_a_session_whose_id_has_a_dot(
    db: psycopg.Connection, schema: str, remote: str, expected: set[str]
) -> None:
    restriction = "LIMIT TO (v)" if remote == "main" else ""
    assert import_session(db, schema, f"{SESSION}.{remote}", restriction) == expected


def test_comments_come_along(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, SESSION, "EXCEPT (wide)")
    assert comments(db, schema) == COMMENTS


def test_comments_of_the_tables_that_come(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, SESSION, "EXCEPT (t, wide)")
    assert comments(db, schema) == {("v", None): COMMENTS["v", None]}


def test_tables_under_other_names(db: psycopg.Connection, schema: str) -> None:
    import_with(db, schema, """import_as '{"t": "v", "v": "Other"}'""")
    assert comments(db, schema) == {
        ("v", None): COMMENTS["t", None],
        ("v", "b"): COMMENTS["t", "b"],
        ("Other", None): COMMENTS["v", None],
    }


def test_comments_may_stay_away(db: psycopg.Connection, schema: str) -> None:
    import_with(db, schema, "import_comments 'false'", "EXCEPT (wide)")
    assert comments(db, schema) == {}


def test_each_import_of_a_transaction_says_so_for_itself(db: psycopg.Connection, schema: str) -> None:
    with db.transaction():
        import_with(db, schema, "import_comments 'false'", "LIMIT TO (t)")
        import_session(db, schema, SESSION, "LIMIT TO (v)")
    assert comments(db, schema) == {("v", None): COMMENTS["v", None]}


def test_an_import_that_fails_leaves_nothing(db: psycopg.Connection, schema: str) -> None:
    create = sql.SQL("CREATE FOREIGN TABLE {}.{} (b integer) SERVER rvbbit OPTIONS (session 'x')")
    db.execute(create.format(sql.Identifier(schema), sql.Identifier("t")))
    with pytest.raises(psycopg.errors.DuplicateTable):
        import_session(db, schema, SESSION)
    db.execute(create.format(sql.Identifier(schema), sql.Identifier("v")))
    assert comments(db, schema) == {}
    query = "SELECT count(*) FROM pg_class WHERE relnamespace = %s::regnamespace"
    assert db.execute(query, [schema]).fetchone() == (2,)


def test_not_null_comes_along(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, SESSION, "EXCEPT (wide)")
    assert not_null(db, schema) == ["t.a"]


def test_not_null_may_stay_away(db: psycopg.Connection, schema: str) -> None:
    import_with(db, schema, "import_not_null 'off', import_views 'no'", "EXCEPT (wide)")
    assert not_null(db, schema) == []
    assert columns(db, f"{schema}.t") == {"a": "integer", "b": "text", "twice": "integer", "c": "date"}


def test_generated_columns_are_read(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, SESSION, "LIMIT TO (t)")
    query = sql.SQL("SELECT a, twice FROM {}.t ORDER BY a").format(sql.Identifier(schema))
    assert db.execute(query).fetchall() == [(1, 2), (2, 4)]


@pytest.mark.parametrize(("options", "sqlstate", "hint"), BAD_OPTIONS)
def test_options_that_are_none(
    db: psycopg.Connection, schema: str, options: str, sqlstate: str, hint: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        import_with(db, schema, options)
    assert caught.value.sqlstate == sqlstate
    assert hint in (caught.value.diag.message_hint or "")


def by_hand(db: psycopg.Connection, schema: str, definition: str, options: str = "") -> sql.Composed:
    """A foreign table that somebody wrote; its name."""
    command = "CREATE FOREIGN TABLE {}.mine ({}) SERVER rvbbit OPTIONS (session {}, table_name 't'{})"
    db.execute(
        sql.SQL(command).format(sql.Identifier(schema), sql.SQL(definition), SESSION, sql.SQL(options))
    )
    return sql.SQL("{}.mine").format(sql.Identifier(schema))


def test_a_table_by_hand(db: psycopg.Connection, schema: str) -> None:
    name = by_hand(db, schema, "doubled bigint OPTIONS (column_name 'twice'), b varchar(3), A numeric(5,1)")
    rows = db.execute(sql.SQL("SELECT * FROM {} ORDER BY a").format(name)).fetchall()
    assert [tuple(map(str, row)) for row in rows] == [("2", "x", "1.0"), ("4", "None", "2.0")]


def test_a_column_that_the_session_does_not_have(db: psycopg.Connection, schema: str) -> None:
    name = by_hand(db, schema, "a integer, no_such date")
    assert db.execute(sql.SQL("SELECT a FROM {}").format(name)).fetchall() == [(1,), (2,)]
    with pytest.raises(psycopg.Error) as caught:
        db.execute(sql.SQL("SELECT * FROM {}").format(name))
    assert caught.value.sqlstate == "HV005"
    assert "missing_columns" in (caught.value.diag.message_hint or "")


def test_a_missing_column_may_be_null(db: psycopg.Connection, schema: str) -> None:
    name = by_hand(db, schema, 'a integer, no_such date, "No_Such" integer[]', ", missing_columns 'null'")
    for query, expected in [
        ("SELECT * FROM {} ORDER BY a", [(1, None, None), (2, None, None)]),
        ("SELECT count(*) FROM {} WHERE no_such IS NULL", [(2,)]),
        ("SELECT count(no_such) FROM {} WHERE no_such > '2020-01-01' OR a > 1", [(0,)]),
        ("SELECT no_such, sum(a) FROM {} GROUP BY no_such", [(None, 3)]),
    ]:
        assert db.execute(sql.SQL(query).format(name)).fetchall() == expected
    with pytest.raises(psycopg.Error) as caught:
        db.execute(sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (SET missing_columns 'perhaps')").format(name))
    assert caught.value.sqlstate == "HV024"


def test_a_promise_of_not_null_that_the_session_no_longer_makes(
    server: Server, db: psycopg.Connection, schema: str
) -> None:
    path = server.session_dir / "zz_promise.duckdb"
    make_session(path, "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER)")
    try:
        import_session(db, schema, "zz_promise")
        make_session(path, "ALTER TABLE t ALTER a DROP NOT NULL", "INSERT INTO t VALUES (NULL, 1)")
        name = sql.SQL("{}.t").format(sql.Identifier(schema))
        assert db.execute(sql.SQL("SELECT b FROM {}").format(name)).fetchall() == [(1,)]
        with pytest.raises(psycopg.Error) as caught:
            db.execute(sql.SQL("SELECT a FROM {}").format(name))
        assert caught.value.sqlstate == "HV021"
        for condition in ("a IS NULL", "a IS NOT NULL", "a > 0"):
            with pytest.raises(psycopg.Error, match="session"):
                db.execute(sql.SQL("SELECT count(*) FROM {} WHERE " + condition).format(name))
        db.execute((caught.value.diag.message_hint or "").removesuffix(" makes it right.").encode())
        assert db.execute(sql.SQL("SELECT a FROM {}").format(name)).fetchall() == [(None,)]
    finally:
        path.unlink()


def test_an_attached_session_promises_nothing_and_has_its_comments(
    server: Server, db: psycopg.Connection
) -> None:
    path = server.session_dir / "zz_attached.duckdb"
    make_session(path, "CREATE TABLE t (a INTEGER NOT NULL)", "COMMENT ON TABLE t IS 'by phase one'")
    db.execute("SELECT rvbbit_attach_session('zz_attached')")
    try:
        assert not_null(db, "zz_attached") == []
        assert comments(db, "zz_attached")["t", None].endswith(": by phase one")
    finally:
        db.execute("SELECT rvbbit_detach_session('zz_attached')")
        path.unlink()


def test_a_type_that_changed_names_its_cure_and_sync_is_one(server: Server, db: psycopg.Connection) -> None:
    path = server.session_dir / "zz_changed.duckdb"
    make_session(path, "CREATE TABLE t AS SELECT 1::INTEGER AS a")
    db.execute("SELECT rvbbit_attach_session('zz_changed')")
    try:
        make_session(path, "ALTER TABLE t ALTER a TYPE VARCHAR")
        with pytest.raises(psycopg.Error) as caught:
            db.execute("SELECT a FROM zz_changed.t")
        assert caught.value.sqlstate == "HV004"
        assert caught.value.diag.message_detail == "It was INTEGER at import and is VARCHAR now."
        assert "import it again" in (caught.value.diag.message_hint or "")
        with server.connect(user="postgres") as admin:
            admin.execute("SELECT rvbbit._sync_step('zz_changed')")
        assert db.execute("SELECT a FROM zz_changed.t").fetchall() == [("1",)]
    finally:
        db.execute("SELECT rvbbit_detach_session('zz_changed')")
        path.unlink()
