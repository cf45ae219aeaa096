"""Every DuckDB type, written by the oldest and the newest DuckDB, equals what PostgreSQL read itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.type_cases import BOTH, CASES, Case
from tests.kit.writers import make_session
from tests.server.oracle import differences

pytestmark = pytest.mark.server

ROWS = 4096  # two of DuckDB's vectors, and no byte to spare in an Arrow buffer of fixed width


def session_name(version: str) -> str:
    """The session that DuckDB of this version wrote."""
    return f"zz_types_{version}"


def table_name(case: Case) -> str:
    """The table of a case."""
    return f"t{CASES.index(case)}"


def create(case: Case) -> str:
    """A table of rounds of the values, each with a null."""
    rows = ", ".join(f"({number}, {given})" for number, (given, _) in enumerate(case.pairs))
    values = f"SELECT n, CAST(v AS {case.kind}) AS v FROM (VALUES {rows}, (-1, NULL)) AS t (n, v)"
    rows = f"SELECT n, v, r FROM ({values}) AS v, range({ROWS}) AS r (r)"
    rows += f" WHERE r * {len(case.values) + 1} + n + 1 < {count(case)}"
    return f"CREATE {case.stored} {table_name(case)} AS {rows}"


def count(case: Case) -> int:
    """How many rows the table has: long texts make it large enough by themselves."""
    return 64 if case.row == "VARCHAR" else ROWS


@pytest.fixture(scope="module")
def sessions(server: Server) -> Iterator[Mapping[str, Path]]:
    paths = {version: server.session_dir / f"{session_name(version)}.duckdb" for version in BOTH}
    for version, path in paths.items():
        statements = [create(case) for case in CASES if version in case.versions]
        make_session(path, "SET TimeZone = 'UTC'", *statements, version=version)
    yield paths
    for path in paths.values():
        path.unlink()


@pytest.mark.parametrize(
    ("version", "case"),
    [pytest.param(version, case, id=f"{version}-{case.kind}") for case in CASES for version in case.versions],
)
def test_type(
    db: psycopg.Connection, schema: str, sessions: Mapping[str, Path], version: str, case: Case
) -> None:
    foreign = imported(db, schema, session_name(version), table_name(case))
    heap = sql.Identifier(schema, "heap")
    assert declared(db, schema, table_name(case)) == case.declared
    fill(db, heap, case)
    assert differences(db, foreign, heap) == []
    assert binary(db, foreign) == binary(db, heap)


def test_sync_wants_of_every_type_what_an_import_declares(
    server: Server, sessions: Mapping[str, Path], schema: str
) -> None:
    session = session_name(BOTH[-1])
    with server.connect("postgres") as db:
        db.execute("SELECT rvbbit_attach_session(%s, %s)", (session, f"{schema}_attached"))
        try:
            drift = "SELECT action, table_name, command FROM rvbbit._drift(%s, %s)"
            assert db.execute(drift, (session, f"{schema}_attached")).fetchall() == []
        finally:
            db.execute("SELECT rvbbit_detach_session(%s)", (session,))


def imported(db: psycopg.Connection, schema: str, session: str, table: str) -> sql.Identifier:
    """The foreign table of one table of a session."""
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} LIMIT TO ({}) FROM SERVER rvbbit INTO {}")
    db.execute(command.format(*(sql.Identifier(name) for name in (session, table, schema))))
    return sql.Identifier(schema, table)


def declared(db: psycopg.Connection, schema: str, table: str) -> str:
    """The type of the column v."""
    row = db.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = format('%%I.%%I', %s::text, %s::text)::regclass AND attname = 'v'",
        (schema, table),
    ).fetchone()
    assert row is not None
    return str(row[0])


def fill(db: psycopg.Connection, heap: sql.Identifier, case: Case) -> None:
    """An ordinary table with the values as PostgreSQL reads them."""
    db.execute(sql.SQL("CREATE TABLE {} (n int, v " + case.declared + ", r bigint)").format(heap))
    copy = sql.SQL("COPY {} (n, v, r) FROM STDIN").format(heap)
    with db.cursor() as cursor, cursor.copy(copy) as rows:
        values = [None, *(None if case.row == "NULL" else expected for _, expected in case.pairs)]
        for row in range(count(case)):
            rows.write_row((row % len(values) - 1, values[row % len(values)], row // len(values)))


def binary(db: psycopg.Connection, table: sql.Identifier) -> bytes:
    """The table in PostgreSQL's binary protocol, in a fixed order."""
    copy = sql.SQL("COPY (SELECT * FROM {} ORDER BY r, n) TO STDOUT (FORMAT binary)").format(table)
    with db.cursor() as cursor, cursor.copy(copy) as rows:
        return b"".join(bytes(part) for part in rows)


# What each column of DuckDB's own test table is in PostgreSQL: its least and its greatest value, as text.
ALL_TYPES: Mapping[str, tuple[str, str]] = {
    "bool": ("false", "true"),
    "tinyint": ("-128", "127"),
    "smallint": ("-32768", "32767"),
    "int": ("-2147483648", "2147483647"),
    "bigint": ("-9223372036854775808", "9223372036854775807"),
    "hugeint": ("-170141183460469231731687303715884105728", "170141183460469231731687303715884105727"),
    "uhugeint": ("0", "340282366920938463463374607431768211455"),
    "utinyint": ("0", "255"),
    "usmallint": ("0", "65535"),
    "uint": ("0", "4294967295"),
    "ubigint": ("0", "18446744073709551615"),
    "bignum": (str(-(2**1024 - 2**971)), str(2**1024 - 2**971)),
    "varint": (str(-(2**1024 - 2**971)), str(2**1024 - 2**971)),
    "date": ("-infinity", "infinity"),
    "time": ("00:00:00", "24:00:00"),
    "time_ns": ("00:00:00", "24:00:00"),
    "timestamp": ("-infinity", "294247-01-10 04:00:54.775806"),
    "timestamp_s": ("-infinity", "294247-01-10 04:00:54"),
    "timestamp_ms": ("-infinity", "294247-01-10 04:00:54.775"),
    "timestamp_ns": ("1677-09-22 00:00:00", "2262-04-11 23:47:16.854775"),
    "time_tz": ("00:00:00+15:59:59", "24:00:00-15:59:59"),
    "timestamp_tz": ("-infinity", "294247-01-10 04:00:54.775806+00"),
    "timestamp_tz_ns": ("1677-09-22 00:00:00+00", "2262-04-11 23:47:16.854775+00"),
    "float": ("-3.4028235e+38", "3.4028235e+38"),
    "double": ("-1.7976931348623157e+308", "1.7976931348623157e+308"),
    "dec_4_1": ("-999.9", "999.9"),
    "dec_9_4": ("-99999.9999", "99999.9999"),
    "dec_18_6": ("-999999999999.999999", "999999999999.999999"),
    "dec38_10": ("-9999999999999999999999999999.9999999999", "9999999999999999999999999999.9999999999"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "interval": ("00:00:00", "83 years 3 mons 999 days 00:16:39.999999"),
    "varchar": ("🦆🦆🦆🦆🦆🦆", "goo\N{REPLACEMENT CHARACTER}se"),
    "blob": (r"\x746869736973616c6f6e67626c6f6200776974686e756c6c6279746573", r"\x00000061"),
    "bit": ("0010001001011100010101011010111", "10101"),
    "small_enum": ("DUCK_DUCK_ENUM", "GOOSE"),
    "medium_enum": ("enum_0", "enum_299"),
    "large_enum": ("enum_0", "enum_69999"),
    "int_array": ("{}", "{42,999,NULL,NULL,-42}"),
    "double_array": ("{}", "{42,NaN,Infinity,-Infinity,NULL,-42}"),
    "date_array": ("{}", "{1970-01-01,infinity,-infinity,NULL,2022-05-12}"),
    "timestamp_array": ("{}", '{"1970-01-01 00:00:00",infinity,-infinity,NULL,"2022-05-12 16:23:45"}'),
    "timestamptz_array": (
        "{}",
        '{"1970-01-01 00:00:00+00",infinity,-infinity,NULL,"2022-05-12 23:23:45+00"}',
    ),
    "varchar_array": ("{}", '{🦆🦆🦆🦆🦆🦆,goose,NULL,""}'),
    "nested_int_array": ("[]", "[[], [42, 999, null, null, -42], null, [], [42, 999, null, null, -42]]"),
    "struct": ('{"a": null, "b": null}', '{"a": 42, "b": "🦆🦆🦆🦆🦆🦆"}'),
    "empty_struct": ("{}", "{}"),
    "struct_of_arrays": (
        '{"a": null, "b": null}',
        '{"a": [42, 999, null, null, -42], "b": ["🦆🦆🦆🦆🦆🦆", "goose", null, ""]}',
    ),
    "array_of_structs": ("[]", '[{"a": null, "b": null}, {"a": 42, "b": "🦆🦆🦆🦆🦆🦆"}, null]'),
    "map": ("{}", '{"key1": "🦆🦆🦆🦆🦆🦆", "key2": "goose"}'),
    "union": ('{"name": "Frank"}', '{"age": 5}'),
    "fixed_int_array": ("{NULL,2,3}", "{4,5,6}"),
    "fixed_varchar_array": ("{a,NULL,c}", "{d,e,f}"),
    "fixed_nested_int_array": ("{{NULL,2,3},{NULL,NULL,NULL},{NULL,2,3}}", "{{4,5,6},{NULL,2,3},{4,5,6}}"),
    "fixed_nested_varchar_array": (
        "{{a,NULL,c},{NULL,NULL,NULL},{a,NULL,c}}",
        "{{d,e,f},{a,NULL,c},{d,e,f}}",
    ),
    "fixed_struct_array": (
        '[{"a": null, "b": null}, {"a": 42, "b": "🦆🦆🦆🦆🦆🦆"}, {"a": null, "b": null}]',
        '[{"a": 42, "b": "🦆🦆🦆🦆🦆🦆"}, {"a": null, "b": null}, {"a": 42, "b": "🦆🦆🦆🦆🦆🦆"}]',
    ),
    "struct_of_fixed_array": (
        '{"a": [null, 2, 3], "b": ["a", null, "c"]}',
        '{"a": [4, 5, 6], "b": ["d", "e", "f"]}',
    ),
    "fixed_array_of_int_list": (
        "[[], [42, 999, null, null, -42], []]",
        "[[42, 999, null, null, -42], [], [42, 999, null, null, -42]]",
    ),
    "list_of_fixed_int_array": ("{{NULL,2,3},{4,5,6},{NULL,2,3}}", "{{4,5,6},{NULL,2,3},{4,5,6}}"),
    "geometry": (
        "POINT EMPTY",
        "GEOMETRYCOLLECTION (POINT (1 2), POINT EMPTY, LINESTRING (0 0, 1 1), LINESTRING EMPTY, "
        "POLYGON ((0 0, 0 1, 1 1, 1 0, 0 0)), POLYGON EMPTY, ",
    ),
    "tuple": ("[null, null]", '[42, "🦆🦆🦆🦆🦆🦆"]'),
}


@pytest.mark.parametrize("version", BOTH)
def test_all_types_of_duckdb(server: Server, db: psycopg.Connection, schema: str, version: str) -> None:
    session = f"zz_all_types_{version}"
    path = server.session_dir / f"{session}.duckdb"
    make_session(path, "CREATE TABLE t AS SELECT * FROM test_all_types()", version=version)
    try:
        foreign = imported(db, schema, session, "t")
        db.execute(sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'replace')").format(foreign))
        db.execute("SET TimeZone = 'UTC'")
        with db.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(foreign)) as cursor:
            names = [column.name for column in cursor.description or ()]
        texts = [sql.SQL("{}::text").format(sql.Identifier(name)) for name in names]
        rows = db.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(texts), foreign)).fetchall()
    finally:
        path.unlink()
    least, greatest, null = (dict(zip(names, row, strict=True)) for row in rows)
    assert set(null.values()) == {None}
    for name in names:
        found = least[name], greatest[name]
        if name == "geometry":
            found = found[0], found[1][: len(ALL_TYPES[name][1])]
        assert found == ALL_TYPES[name], name
