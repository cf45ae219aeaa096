"""Names of every shape: a table and a column of each come through import and attach and can be read."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

SESSION = "zz_names"
LONG = "share of the monthly revenue by region, product and channel "

# Names that PostgreSQL has as they are.
SAME = [
    "plain", "Capital", "camelCase", "UPPER", "Étage", "étage", "ñandú", "größe", "ß", "SS", "İstanbul",
    "na\u00efve", "nai\u0308ve", "\u212aelvin", "kelvin", "指标", "売上", "выручка", "الإيرادات", "รายได้",
    "🐇", "👩\u200d👧 family", "🏳️‍🌈", "zero\u200bwidth", "\u202eright to left",
    " ", "  ", " leading", "trailing ", "two words", "tab\there", "line\nbreak", "return\r\nhere",
    "\x01\x1f\x7f", "no-break\u00a0space", "a.b", "main.t", ".", "..", "a/b", "../up", "back\\slash", "\\",
    "\\x41", "U&\\0041", '"', '""', 'q"uote', "'", "''", "it's", "a`b", "a;b",
    "; DROP TABLE orders; --",
    "--", "/*", "*/", "a,b", "(a)", "a = 1", "$1", "$$", ":name", "?", "%", "%s", "%I", "{}", "[1]", "@", "#",
    "&", "*", "^", "~", "|", "!", "0", "1e5", "007", "-1", "+", "_", "__", "_output", "null", "true",
    "default", "select", "from", "table", "user", "order", "group",
    "analyze", "current_date", "all", "array", "rowid",
    "oid", "public", "pg_class", "pg_catalog", "information_schema", "duckdb_tables", "sqlite_master",
    "x" * 63, "é" * 31, "🐇" * 15,
]  # fmt: skip

# Names that PostgreSQL cannot have: what they become. The end is a hash of the whole name.
OTHER = {
    "x" * 64: "x" * 54 + "_7ce10097",
    "x" * 65: "x" * 54 + "_9537c5fd",
    LONG + "net of returns": "share of the monthly revenue by region, product and ch_7b8e8054",
    LONG + "net of taxes": "share of the monthly revenue by region, product and ch_a903232c",
    "é" * 32: "é" * 27 + "_2e5152e6",
    "a" + "é" * 40: "a" + "é" * 26 + "_4831141c",
    "🐇" * 16: "🐇" * 13 + "_efe0ab87",
    "指标" * 20: "指标" * 9 + "_02bcb84b",
    "y" * 5000: "y" * 54 + "_3c45db29",
    " " * 64: " " * 54 + "_ce4153b0",
    "q" * 60 + '"""""': "q" * 54 + "_278d8e50",
}

# Names that PostgreSQL keeps for itself in columns alone.
SYSTEM = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"]
NAMES = {name: name for name in SAME} | OTHER | {name: name for name in SYSTEM}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def create(number: int, name: str) -> str:
    return f"CREATE TABLE {quoted(name)} AS SELECT {number} AS {quoted(name)}, 'x' AS other"


@pytest.fixture(scope="module")
def session(server: Server) -> Iterator[str]:
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, *(create(number, name) for number, name in enumerate(NAMES)))
    yield SESSION
    path.unlink()


def import_names(db: psycopg.Connection, schema: str) -> None:
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))


def tables(db: psycopg.Connection, schema: str) -> dict[str, str]:
    """Names in PostgreSQL by names in the session."""
    query = """
        SELECT o.option_value, c.relname
        FROM pg_class AS c LEFT JOIN pg_inherits AS i ON i.inhparent = c.oid
        JOIN pg_foreign_table AS t ON t.ftrelid = COALESCE(i.inhrelid, c.oid),
            pg_options_to_table(ftoptions) AS o
        WHERE c.relnamespace = %s::regnamespace AND o.option_name = 'table_name'"""
    return dict(db.execute(query, [quoted(schema)]).fetchall())


def first_column(db: psycopg.Connection, schema: str, table: str) -> tuple[str, str]:
    """Name in the session and in PostgreSQL."""
    query = """
        SELECT o.option_value, a.attname FROM pg_attribute AS a, pg_options_to_table(attfdwoptions) AS o
        WHERE attrelid = COALESCE((SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass),
                                  %(table)s::regclass)
          AND attnum = 1 AND o.option_name = 'column_name'"""
    row = db.execute(query, {"table": f"{quoted(schema)}.{quoted(table)}"}).fetchone()
    assert row
    return row


def assert_all_can_be_read(db: psycopg.Connection, schema: str) -> None:
    assert tables(db, schema) == NAMES
    for number, (name, table) in enumerate(NAMES.items()):
        remote, column = first_column(db, schema, table)
        assert (remote, column) == (name, name + "_" if name in SYSTEM else table)
        query = sql.SQL("SELECT t.{0}, t FROM {1} AS t WHERE {0} = {2}")
        names = sql.Identifier(column), sql.Identifier(schema, table)
        assert db.execute(query.format(*names, number)).fetchall() == [(number, f"({number},x)")], name


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 120
    assert len(set(NAMES.values())) == len(NAMES)
    assert all(len(name.encode()) <= 63 for name in NAMES.values())


def test_import(db: psycopg.Connection, schema: str, session: str) -> None:
    import_names(db, schema)
    assert_all_can_be_read(db, schema)


@pytest.mark.parametrize("way", ["foreign", "table"])
def test_attach_and_sync(db: psycopg.Connection, session: str, way: str) -> None:
    db.execute("SELECT rvbbit_attach_session(%s, present_as => %s)", [session, way])
    try:
        assert_all_can_be_read(db, session)
        query = "SELECT count(*) FROM rvbbit._drift(%s, %s)"
        with db.transaction():
            assert db.execute(query, [session, session]).fetchone() == (0,)
    finally:
        db.execute("SELECT rvbbit_detach_session(%s)", [session])


def test_limit_to_and_except_go_by_the_names_in_postgresql(
    db: psycopg.Connection, schema: str, session: str
) -> None:
    long = NAMES["x" * 64]
    told: list[tuple[str | None, str | None]] = []
    db.add_notice_handler(lambda notice: told.append((notice.message_primary, notice.message_hint)))
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} LIMIT TO ({}) FROM SERVER rvbbit INTO {}")
    wanted = sql.SQL(", ").join(map(sql.Identifier, [long, "it's", "no such", "y" * 63]))
    db.execute(command.format(sql.Identifier(session), wanted, sql.Identifier(schema)))
    assert set(tables(db, schema).values()) == {long, "it's"}
    assert told == [
        (f'session "{session}" has no table "no such" to import', None),
        (f'session "{session}" has no table "{"y" * 63}" to import', f'Did you mean "{NAMES["y" * 5000]}"?'),
    ]


def test_names_altered_by_hand(db: psycopg.Connection, schema: str, session: str) -> None:
    import_names(db, schema)
    for command in [
        "ALTER FOREIGN TABLE {0}.plain RENAME TO simple",
        "ALTER FOREIGN TABLE {0}.simple RENAME COLUMN plain TO number",
        "ALTER FOREIGN TABLE {0}.simple ADD COLUMN again integer OPTIONS (column_name 'plain')",
        "ALTER FOREIGN TABLE {0}.simple DROP COLUMN other",
        "ALTER FOREIGN TABLE {0}.simple ADD COLUMN other text",
        "ALTER FOREIGN TABLE {0}.simple ALTER number OPTIONS (SET column_name 'PLAIN')",
    ]:
        db.execute(sql.SQL(command).format(sql.Identifier(schema)))
    query = sql.SQL("SELECT number, again, other FROM {}.simple WHERE number = 0")
    assert db.execute(query.format(sql.Identifier(schema))).fetchall() == [(0, 0, "x")]
    change = "ALTER FOREIGN TABLE {}.simple OPTIONS (SET table_name 'camelCase')"
    db.execute(sql.SQL(change).format(sql.Identifier(schema)))
    with pytest.raises(psycopg.Error) as caught:
        db.execute(query.format(sql.Identifier(schema)))
    assert caught.value.sqlstate == "HV005"
