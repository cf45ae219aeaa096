"""The sessions that generated queries read, and their heap copies, loaded without the wrapper."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.fuzz.values import KINDS
from tests.kit.writers import NEWEST_VERSION, RVBBIT_VERSION, make_session
from tests.server.oracle import load, private_copy, text_rows

SESSION_SIDE, HEAP_SIDE, SHARED = "fuzz_session", "fuzz_heap", "fuzz_shared"
ORDERS = {"fuzz_reversed": "id DESC", "fuzz_mixed": "md5(id::text)", "fuzz_other": "md5(id || 'x')"}
"""Schemas with the heap copies once more, and the order in which their rows lie there."""

SIZES = (0, 1, 50, 3000)
SESSIONS = {"fuzz-otter-0a0a0a": "t", "fuzz-stoat-1b1b1b": "u"}
WRITERS = {"t": RVBBIT_VERSION, "u": NEWEST_VERSION}
HAND = "h50"

VIEWS = {"v50": "t50", "y3000": "t3000 WHERE coalesce(u1, 3) = 3"}
"""Views of the first session, in which columns are computed: the table that each reads, and a condition."""

_COMPUTED = """
SELECT * REPLACE (coalesce(s4, -7) AS s4, s8 + 1 AS s8, coalesce(w, 'none') AS w, coalesce(g, 'none') AS g,
    bo IS NULL AS bo, greatest(dt, DATE '2000-01-01') AS dt)
"""

_LATE = f"""CREATE FUNCTION {SHARED}.late(boolean) RETURNS boolean LANGUAGE plpgsql IMMUTABLE COST 100000
    AS 'BEGIN RETURN $1; END'"""

_TEXT_TAME, _TEXT_ALL = KINDS["text"].tame, KINDS["text"].all
_LISTS = {
    "INTEGER[]": ("[]", "[NULL]", "[1, NULL, 3]", "[-2147483648, 2147483647]", "[1]", "[1, 2, 3]",
    "[3, 2, 1]", "[5, 7]"),
    "VARCHAR[]": ("[]", "[NULL]", "[a]", "[a, b]", "[EU, US]", "[ä, NULL]"),
}  # fmt: skip


_RANDOM = random.Random("smooth")
_SMOOTH = [_RANDOM.uniform(0.001, 20) for _ in range(97)]
"""Numbers of which every function has a value."""


@dataclass(frozen=True)
class Filling:
    """A column of the sessions: its DuckDB type and the texts of its values."""

    name: str
    kind: str
    values: Sequence[str | None]


def _of(name: str, kind: str, pg: str, *, tame: bool = False, nulls: bool = True) -> Filling:
    values = KINDS[pg].tame if tame else KINDS[pg].all
    return Filling(name, kind, [*values, None] if nulls else values)


FILLINGS = (
    Filling("k", "INTEGER", [*map(str, range(10)), None]),
    Filling("p", "INTEGER", [str(n) for n in range(1, 10)]),
    Filling("q", "DOUBLE", ["0.5", "1", "1.25", "2", "3", "100"]),
    Filling("g", "VARCHAR", ["EU", "US", "north", "Südost", "", None]),
    _of("w", "VARCHAR", "text", tame=True),
    _of("bo", "BOOLEAN", "bool"),
    Filling("i1", "TINYINT", ["-128", "127", "0", "-1", "5", None]),
    _of("i2", "SMALLINT", "int2"),
    _of("i4", "INTEGER", "int4"),
    _of("i8", "BIGINT", "int8"),
    _of("s2", "SMALLINT", "int2", tame=True),
    _of("s4", "INTEGER", "int4", tame=True),
    _of("s8", "BIGINT", "int8", tame=True),
    Filling("u1", "UTINYINT", ["0", "255", "1", "128", None]),
    Filling("u2", "USMALLINT", ["0", "65535", "1", "32768", None]),
    Filling("u4", "UINTEGER", ["0", "4294967295", "1", "2147483648", None]),
    Filling("u8", "UBIGINT", ["0", "18446744073709551615", "1", "9223372036854775808", None]),
    Filling("hu", "HUGEINT", ["0", "-170141183460469231731687303715884105728", "-1", "7",
                              "170141183460469231731687303715884105727", None]),
    Filling("d4", "DECIMAL(4,1)", ["0", "999.9", "-999.9", "0.5", "-0.5", "2.5", None]),
    _of("d18", "DECIMAL(18,3)", "numeric"),
    Filling("d38", "DECIMAL(38,10)", ["0", "9999999999999999999999999999.9999999999", "0.0000000001",
        "-1.5", "2",
                                      "-9999999999999999999999999999.9999999999", None]),
    _of("n", "DECIMAL(9,3)", "numeric", tame=True),
    _of("f4", "FLOAT", "float4"),
    _of("f8", "DOUBLE", "float8"),
    _of("r4", "FLOAT", "float4", tame=True),
    _of("r8", "DOUBLE", "float8", tame=True),
    _of("tx", "VARCHAR", "text"),
    Filling("en", "ENUM ('', 'b', 'ä', 'EU', 'B')", ["", "b", "ä", "EU", "B", None]),
    _of("da", "DATE", "date"),
    _of("dt", "DATE", "date", tame=True),
    _of("ti", "TIME", "time"),
    _of("ts", "TIMESTAMP", "timestamp"),
    _of("tt", "TIMESTAMP", "timestamp", tame=True),
    Filling("ss", "TIMESTAMP_S", ["1969-12-31 23:59:59", "9999-12-31 00:00:00", "2024-02-29 12:00:00", None]),
    Filling("sm", "TIMESTAMP_MS", ["1969-12-31 23:59:59.999", "9999-12-31 00:00:00.001",
        "2024-02-29 12:00:00", None]),
    Filling("sn", "TIMESTAMP_NS", ["1969-12-31 23:59:59.999999", "2262-01-01 00:00:00.000001",
        "2000-01-01 00:00:00.123456", None]),
    _of("tz", "TIMESTAMPTZ", "timestamptz"),
    _of("tu", "TIMESTAMPTZ", "timestamptz", tame=True),
    _of("iv", "INTERVAL", "interval"),
    _of("it", "INTERVAL", "interval", tame=True),
    _of("uu", "UUID", "uuid"),
    Filling("bl", "BLOB", ["", "\\x00", "\\x00\\xFF", "\\xFF", "a\\x00\\x5C", "\\xC3\\xA4", "a", "ab", "b",
        None]),
    _of("js", "JSON", "jsonb"),
    Filling("ai", "INTEGER[]", [*_LISTS["INTEGER[]"], None]),
    Filling("at", "VARCHAR[]", [*_LISTS["VARCHAR[]"], None]),
    Filling("rr", "DOUBLE", [*map(repr, _SMOOTH), None]),
)  # fmt: skip

# Declared by hand: what is not as an import declares it goes through the type's input function.
_HAND_DECLARED = {
    "id": ("bigint", "INTEGER"), "k": ("smallint", "INTEGER"), "g": ("varchar(12)", "VARCHAR"),
    "w": ("bpchar(8)", "VARCHAR"),
    "n": ("numeric(12,5)", "DECIMAL(9,3)"), "s4": ("text", "INTEGER"), "tt": ("timestamp(6)", "TIMESTAMP"),
    "dt": ("timestamp", "DATE"), "en": ("fuzz_shared.label", "ENUM"), "r8": ("numeric", "DOUBLE"),
    "p": ("numeric", "INTEGER"),
    "it": ("interval", "INTERVAL"),
}  # fmt: skip


def prepare(server_dir: Path, db: psycopg.Connection) -> None:
    """Write the sessions into the folder, import them, and load the heap copies."""
    for number, (session, letter) in enumerate(SESSIONS.items()):
        statements = [_table(letter, size, number + 2 * place) for place, size in enumerate(SIZES)]
        statements += [] if number else _views()
        make_session(server_dir / f"{session}.duckdb", *statements, version=WRITERS[letter])
    for schema in (SESSION_SIDE, HEAP_SIDE, SHARED):
        db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for session in SESSIONS:
        command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
        db.execute(command.format(sql.Identifier(session), sql.Identifier(SESSION_SIDE)))
    _declare_by_hand(db)
    with tempfile.TemporaryDirectory() as name:
        _load_heap(server_dir, db, Path(name))
    _load_in_other_orders(db)
    db.execute(_LATE)
    db.execute(f"CREATE TABLE {SHARED}.local50 AS TABLE {HEAP_SIDE}.u50")
    db.execute(f"ANALYZE {SHARED}.local50")


def remove(server_dir: Path, db: psycopg.Connection) -> None:
    """Take away what prepare() made."""
    for schema in (SESSION_SIDE, HEAP_SIDE, SHARED, *ORDERS):
        db.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
    for session in SESSIONS:
        (server_dir / f"{session}.duckdb").unlink()


def _load_heap(server_dir: Path, db: psycopg.Connection, folder: Path) -> None:
    for session, letter in SESSIONS.items():
        database = private_copy(server_dir, session, folder)
        for size in SIZES:
            _load(db, f"{letter}{size}", text_rows(database, f"{letter}{size}"))
    first, letter = next(iter(SESSIONS.items()))
    for view in VIEWS:
        _load(db, view, text_rows(folder / f"{first}.duckdb", _answer(view)))
    names = ["id", *(filling.name for filling in FILLINGS)]
    wanted = [names.index(name) for name in _HAND_DECLARED]
    rows = text_rows(folder / f"{first}.duckdb", f"{letter}50")
    _load(db, HAND, [tuple(row[place] for place in wanted) for row in rows])


def _load_in_other_orders(db: psycopg.Connection) -> None:
    tables = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [HEAP_SIDE]).fetchall()
    for schema, order in ORDERS.items():
        db.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        for (table,) in tables:
            copy, heap = sql.Identifier(schema, table), sql.Identifier(HEAP_SIDE, table)
            query = sql.SQL("CREATE TABLE {} AS SELECT * FROM {} ORDER BY {}")
            db.execute(query.format(copy, heap, sql.SQL(order)))


def _load(db: psycopg.Connection, table: str, rows: list[tuple[str | None, ...]]) -> None:
    heap, foreign = sql.Identifier(HEAP_SIDE, table), sql.Identifier(SESSION_SIDE, table)
    arrays = _array_columns(db, table)
    load(db, heap, foreign, [tuple(_read(text, n in arrays) for n, text in enumerate(row)) for row in rows])
    db.execute(sql.SQL("ANALYZE {}").format(heap))


def _array_columns(db: psycopg.Connection, table: str) -> set[int]:
    query = """SELECT attnum - 1 FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = atttypid
        WHERE attrelid = %s::regclass AND attnum > 0 AND typcategory = 'A'"""
    return {row[0] for row in db.execute(query, [f"{SESSION_SIDE}.{table}"])}


def _read(text: str | None, is_array: bool) -> str | None:
    """DuckDB's text of one of our values as PostgreSQL reads it."""
    return text if text is None or not is_array else "{" + text[1:-1] + "}"


def _declare_by_hand(db: psycopg.Connection) -> None:
    db.execute(f"CREATE TYPE {SHARED}.label AS ENUM ('b', '', 'EU', 'B', 'ä')")
    columns = ", ".join(
        f"{name} {declared} OPTIONS (duckdb_type '{kind}')"
        for name, (declared, kind) in _HAND_DECLARED.items()
    )
    session, letter = next(iter(SESSIONS.items()))
    options = f"session '{session}', table_name '{letter}50'"
    db.execute(f"CREATE FOREIGN TABLE {SESSION_SIDE}.{HAND} ({columns}) SERVER rvbbit OPTIONS ({options})")


def _table(letter: str, size: int, salt: int) -> str:
    """A table whose columns go through their values in orders of their own."""
    columns = ["range::INTEGER AS id", *(_column(filling, salt + 1) for filling in FILLINGS)]
    return f"CREATE TABLE {letter}{size} AS SELECT {', '.join(columns)} FROM range({size})"


def _views() -> list[str]:
    """The views, and beside each what its writer sees in it."""
    made = []
    for view, source in VIEWS.items():
        made.append(f"CREATE VIEW {view} AS {_COMPUTED} FROM {source}")
        made.append(f"CREATE TABLE {_answer(view)} AS SELECT * FROM {view}")
    return made


def _answer(view: str) -> str:
    return f"answer_{view}"


def _column(filling: Filling, salt: int) -> str:
    number = FILLINGS.index(filling) + 1
    values = ", ".join("NULL" if value is None else _quoted(value) for value in filling.values)
    place = f"(range * 7919 + {number * 104729 + salt}) * 48271 % 2147483647 % 10007 % {len(filling.values)}"
    return f"CAST([{values}] AS {filling.kind}[])[1 + {place}] AS {filling.name}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
