"""Values at the edges of every type that travels natively equal those that PostgreSQL read itself."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import differences, load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSION = "zz_native_types"

# DuckDB type: literals; NULL comes along by itself.
VALUES = {
    "BOOLEAN": ["true", "false"],
    "TINYINT": ["-128", "127"],
    "SMALLINT": ["-32768", "32767"],
    "INTEGER": ["-2147483648", "2147483647"],
    "BIGINT": ["-9223372036854775808", "9223372036854775807"],
    "UTINYINT": ["0", "255"],
    "USMALLINT": ["0", "65535"],
    "UINTEGER": ["0", "4294967295"],
    "UBIGINT": ["0", "9223372036854775808", "18446744073709551615"],
    "HUGEINT": ["-170141183460469231731687303715884105728", "-1", "170141183460469231731687303715884105727"],
    "UHUGEINT": ["0", "340282366920938463463374607431768211455"],
    "FLOAT": ["nan", "inf", "-inf", "-0.0", "3.4028235e38", "1e-45", "0.1"],
    "DOUBLE": ["nan", "inf", "-inf", "-0.0", "1.7976931348623157e308", "5e-324", "0.1"],
    "DECIMAL(4,2)": ["-99.99", "0", "99.99"],
    "DECIMAL(9,0)": ["-999999999", "999999999"],
    "DECIMAL(18,3)": ["-999999999999999.999", "0.001"],
    "DECIMAL(38,10)": ["-9999999999999999999999999999.9999999999", "0.0000000001", "100000"],
    "DECIMAL(38,38)": ["-0.99999999999999999999999999999999999999", "0"],
    "VARCHAR": ["", "NULL", "\\N", "a\tb\nc", "crème 💚", "x" * 100000],
    "ENUM ('', 'b', 'ä')": ["", "b", "ä"],
    "DATE": ["4713-01-01 (BC)", "0044-03-15 (BC)", "0001-01-01", "9999-12-31", "290000-01-01",
             "infinity", "-infinity"],
    "TIME": ["00:00:00", "23:59:59.999999", "24:00:00"],
    "TIMESTAMP": ["4713-01-01 (BC) 00:00:00", "1969-12-31 23:59:59.999999",
                  "294246-12-31 23:59:59.999999", "infinity"],
    "TIMESTAMP_S": ["1969-12-31 23:59:59", "9999-12-31 00:00:00"],
    "TIMESTAMP_MS": ["1969-12-31 23:59:59.999", "9999-12-31 00:00:00.001"],
    "TIMESTAMP_NS": ["1969-12-31 23:59:59.999999", "2262-01-01 00:00:00.000001",
                     "2000-01-01 00:00:00.123456"],
    "TIMESTAMPTZ": ["1969-12-31 23:59:59.999999+00", "2024-03-31 02:30:00+02", "infinity", "-infinity"],
    "INTERVAL": ["0 days", "1 year 2 months -3 days 04:05:06.7",
                 "-1 months 1 day -00:00:00.000001", "178956970 years"],
    "UUID": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "BLOB": ["", "\\x00\\xFF", "abc\\x5C"],
    "JSON": ["null", "{}", "[]", '"text"',
             '{"b": [1, 2.50, 1e400], "a": "ä\\"", "c": 123456789012345678901234567890}'],
}  # fmt: skip
TABLES = {f"t{number}": kind for number, kind in enumerate(VALUES)}


def literal(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


def create(table: str, kind: str) -> str:
    """A table of these values, with NULLs between them, longer than one of DuckDB's vectors."""
    rows = ", ".join(f"({number}, {literal(value)})" for number, value in enumerate(VALUES[kind]))
    values = f"SELECT n, CAST(v AS {kind}) AS v FROM (VALUES {rows}, (-1, NULL)) AS t (n, v)"
    return f"CREATE TABLE {table} AS SELECT n, v, r FROM ({values}) AS v, range({repeat(kind)}) AS r (r)"


def repeat(kind: str) -> int:
    """How often the values come: the long text makes its table large enough by itself."""
    return 20 if kind == "VARCHAR" else 1500


@pytest.fixture(scope="module")
def session(server: Server) -> Iterator[Path]:
    path = server.session_dir / f"{SESSION}.duckdb"
    make_session(path, *(create(table, kind) for table, kind in TABLES.items()))
    yield path
    path.unlink()


@pytest.mark.parametrize("table", TABLES, ids=TABLES.values())
def test_edges_of_a_type(
    db: psycopg.Connection, schema: str, session: Path, tmp_path: Path, table: str
) -> None:
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} LIMIT TO ({}) FROM SERVER rvbbit INTO {}")
    db.execute(command.format(*(sql.Identifier(name) for name in (SESSION, table, schema))))
    foreign, heap = sql.Identifier(schema, table), sql.Identifier(schema, "heap")
    load(db, heap, foreign, text_rows(private_copy(session.parent, SESSION, tmp_path), table))
    assert differences(db, foreign, heap) == []
