"""Values that PostgreSQL cannot hold: an error that names them, or what the option on_unrepresentable says."""

# Tables are read by their lines.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import NEWEST_VERSION, make_session

pytestmark = pytest.mark.server

SESSION = "zz_unrepresentable"
RANGE = psycopg.errors.DatetimeFieldOverflow
HINT = (
    'Leave the column out of the query, or set the option "on_unrepresentable" of the foreign table or server '
    'to "null" or "replace".'
)


@dataclass(frozen=True)
class Bad:
    """A value, what its error says, and what it is replaced by."""

    kind: str
    value: str
    error: type[psycopg.Error]
    problem: str
    shown: str | None
    replaced: str
    null: str | None = None


CASES = {
    "nul": Bad("VARCHAR", "'goo' || chr(0) || 'se'", psycopg.errors.CharacterNotInRepertoire,
               "contains a NUL character, which text cannot hold", r'"goo\x00se"', "goo\N{REPLACEMENT CHARACTER}se"),
    "nul_in_array": Bad("VARCHAR[]", "['a', chr(0)]", psycopg.errors.CharacterNotInRepertoire,
                        "contains a NUL character, which text cannot hold", r'"\x00"',
                        "{a,\N{REPLACEMENT CHARACTER}}", "{a,NULL}"),
    "nul_in_struct": Bad("STRUCT(a VARCHAR)", "{'a': chr(0)}", psycopg.errors.UntranslatableCharacter,
                         "cannot be read as type jsonb", r'"{"a":"\u0000"}": unsupported Unicode escape sequence',
                         '{"a": "\N{REPLACEMENT CHARACTER}"}'),
    "nul_in_json": Bad("JSON", r"""'["\u0000", 1.10]'""", psycopg.errors.UntranslatableCharacter,
                       "cannot be read as type jsonb", r'"["\u0000", 1.10]": unsupported Unicode escape sequence',
                       '["\N{REPLACEMENT CHARACTER}", 1.10]'),
    "nan_in_json": Bad("JSON", "'[NaN, -Infinity]'", psycopg.errors.InvalidTextRepresentation,
                       "cannot be read as type jsonb", '"[NaN, -Infinity]": invalid input syntax for type json',
                       '["NaN", "-Infinity"]'),
    "late_date": Bad("DATE", "'5881580-07-10'", RANGE, "is out of range for type date", "5881580-07-10", "infinity"),
    "early_date": Bad("DATE", "'5877642-06-25 (BC)'", RANGE, "is out of range for type date", "5877642-06-25 BC",
                      "-infinity"),
    "day_before": Bad("DATE", "'4714-11-23 (BC)'", RANGE, "is out of range for type date", "4714-11-23 BC", "-infinity"),
    "early_timestamp": Bad("TIMESTAMP", "'290309-12-22 (BC) 00:00:00'", RANGE, "is out of range for type timestamp",
                           "290309-12-22 00:00:00.000000 BC", "-infinity"),
    "early_timestamptz": Bad("TIMESTAMPTZ", "'4714-11-23 (BC) 23:59:59.5+00'", RANGE,
                             "is out of range for type timestamp", "4714-11-23 23:59:59.500000 BC", "-infinity"),
    "infinite_interval": Bad("INTERVAL", f"to_months({2**31 - 1}) + to_days({2**31 - 1}) + to_microseconds({2**63 - 1})",
                             RANGE, "means an infinity in PostgreSQL, which it is not in DuckDB", "infinity",
                             "178956970 years 7 mons 2147483647 days 2562047788:00:54.775806"),
    "long_bignum": Bad("BIGNUM", "'-' || repeat('9', 131073)", psycopg.errors.NumericValueOutOfRange,
                       "cannot be read as type numeric", f'"-{"9" * 59}...": value overflows numeric format', "-Infinity"),
    "null_list": Bad("INTEGER[2][2]", "[[1, 2], NULL]", psycopg.errors.ArraySubscriptError,
                     "has a null in place of an inner list, which an array cannot hold", None, "{{1,2},{NULL,NULL}}"),
}  # fmt: skip


@pytest.fixture(scope="module")
def _session(server: Server) -> Iterator[None]:
    path = server.session_dir / f"{SESSION}.duckdb"
    tables = (
        f"CREATE TABLE {name} AS SELECT CAST({bad.value} AS {bad.kind}) AS v" for name, bad in CASES.items()
    )
    make_session(path, "SET TimeZone = 'UTC'", *tables, version=NEWEST_VERSION)
    yield
    path.unlink()


@pytest.fixture
def foreign(db: psycopg.Connection, schema: str, _session: None) -> str:
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
    db.execute("SET TimeZone = 'UTC'")
    return schema


def read(db: psycopg.Connection, schema: str, table: str) -> str | None:
    """The table's one value as text."""
    row = db.execute(sql.SQL("SELECT v::text FROM {}").format(sql.Identifier(schema, table))).fetchone()
    assert row is not None
    return row[0] and str(row[0])


@pytest.mark.parametrize("table", CASES)
def test_by_default_it_is_an_error_that_names_table_column_and_value(
    db: psycopg.Connection, foreign: str, table: str
) -> None:
    bad = CASES[table]
    with pytest.raises(bad.error) as raised:
        read(db, foreign, table)
    shown = raised.value.diag
    assert shown.message_primary == f'value of column "v" of foreign table "{table}" {bad.problem}'
    assert shown.message_detail == (bad.shown and f"The value is {bad.shown}.")
    assert shown.message_hint == HINT


@pytest.mark.parametrize("table", CASES)
def test_it_may_be_null(db: psycopg.Connection, foreign: str, table: str) -> None:
    option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'null')")
    db.execute(option.format(sql.Identifier(foreign, table)))
    assert read(db, foreign, table) == CASES[table].null


@pytest.mark.parametrize("table", CASES)
def test_it_may_be_replaced(db: psycopg.Connection, foreign: str, table: str) -> None:
    option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'replace')")
    db.execute(option.format(sql.Identifier(foreign, table)))
    assert read(db, foreign, table) == CASES[table].replaced


def test_the_servers_option_holds_where_the_table_has_none(
    server: Server, db: psycopg.Connection, foreign: str
) -> None:
    with server.connect("postgres") as admin:
        admin.execute("ALTER SERVER rvbbit OPTIONS (ADD on_unrepresentable 'replace')")
        try:
            assert read(db, foreign, "late_date") == "infinity"
            option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'error')")
            db.execute(option.format(sql.Identifier(foreign, "late_date")))
            with pytest.raises(RANGE):
                read(db, foreign, "late_date")
        finally:
            admin.execute("ALTER SERVER rvbbit OPTIONS (DROP on_unrepresentable)")


def test_the_option_takes_no_other_value(db: psycopg.Connection, foreign: str) -> None:
    option = sql.SQL("ALTER FOREIGN TABLE {} OPTIONS (on_unrepresentable 'guess')")
    with pytest.raises(
        psycopg.errors.FdwInvalidAttributeValue, match="it must be one of: error, null, replace"
    ):
        db.execute(option.format(sql.Identifier(foreign, "nul")))
