"""IMPORT FOREIGN SCHEMA: which tables come, under which names and types, and which requests are refused."""

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server

pytestmark = pytest.mark.server

CARDINAL = {"_extract_data", "_transform", "_output", "_output_by_region", "_output_by_product"}

IMPORTS = [
    ("agile-cardinal-490cb1", "", CARDINAL),
    ("agile-cardinal-490cb1", 'LIMIT TO ("_output", "_transform")', {"_output", "_transform"}),
    ("agile-cardinal-490cb1", 'LIMIT TO ("_output", "_no_such_table")', {"_output"}),
    ("agile-cardinal-490cb1", 'EXCEPT ("_output", "_no_such_table")', CARDINAL - {"_output"}),
    ("pg_client_default", 'EXCEPT ("warehouse__shipments")', {"orders", "user_types", "top_customers"}),
    ("pg_client_default.main", 'LIMIT TO ("orders")', {"orders"}),
    ("pg_client_default.analytics", "", {"daily", "units_by_week"}),
    ("pg_client_default._results_20251220", "", {"q_5f2c81aa"}),
    ("q4 revenue report", 'LIMIT TO ("_output")', {"_output"}),
    ("übersicht_café_märz", "", {"_extract_data", "_score_leads"}),
    ("Churn_Model_V2", 'EXCEPT ("_extract_data")', {"_score_leads"}),
    ("brave-lynx-19ab40", "", {"_extract_data", "_transform", "_output"}),
    ("frosty-owl-5b6c2a", "", set[str]()),
]

REFUSED = [
    ("agile-cardinal-490cb", "HV00Q", "does not exist", 'Did you mean "agile-cardinal-490cb1"'),
    ("Agile-Cardinal-490CB1", "HV00Q", "does not exist", 'Did you mean "agile-cardinal-490cb1"'),
    ("nothing like it at all", "HV00Q", "does not exist", ""),
    ("pg_client_default.analytic", "HV00Q", "", ""),
    ("../sessions/cascade_test", "HV00Q", "does not exist", ""),
    ("*", "0A000", "not supported", ""),
]

FRAME_TYPES = {
    "int_column": "bigint",
    "float_column": "double precision",
    "bool_column": "boolean",
    "str_column": "text",
    "bytes_column": "bytea",
    "uuid_column": "uuid",
    "decimal_column": "numeric(18,3)",
    "datetime_column": "timestamp without time zone",
    "aware_column": "timestamp with time zone",
    "date_column": "date",
    "time_column": "time without time zone",
    "timedelta_column": "interval",
    "category_column": "text",
    "u8_column": "smallint",
    "i32_column": "integer",
    "f32_column": "real",
    "none_column": "integer",
}


def import_session(db: psycopg.Connection, schema: str, remote: str, restriction: str = "") -> set[str]:
    """Import into the schema and return the names of the tables that are now there."""
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} {} FROM SERVER rvbbit INTO {}")
    restriction_sql = sql.SQL(restriction)
    db.execute(command.format(sql.Identifier(remote), restriction_sql, sql.Identifier(schema)))
    query = "SELECT foreign_table_name FROM information_schema.foreign_tables WHERE foreign_table_schema = %s"
    return {row[0] for row in db.execute(query, [schema])}


def columns(db: psycopg.Connection, table: str) -> dict[str, str]:
    """Names and types of a table's columns, in order."""
    query = """
        SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"""
    return dict(db.execute(query, [table]).fetchall())


@pytest.mark.parametrize(("remote", "restriction", "expected"), IMPORTS)
def test_tables_that_come(
    db: psycopg.Connection, schema: str, remote: str, restriction: str, expected: set[str]
) -> None:
    assert import_session(db, schema, remote, restriction) == expected


@pytest.mark.parametrize(("remote", "sqlstate", "message", "hint"), REFUSED)
def test_what_is_refused(
    db: psycopg.Connection, schema: str, remote: str, sqlstate: str, message: str, hint: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        import_session(db, schema, remote)
    assert caught.value.sqlstate == sqlstate
    assert message in (caught.value.diag.message_primary or "")
    assert hint in (caught.value.diag.message_hint or "")
    assert import_session(db, schema, "cascade_test") == {"_extract_data", "_transform", "_output"}


def test_a_view_over_a_missing_database_is_left_out_by_name(db: psycopg.Connection, schema: str) -> None:
    told: list[str] = []
    db.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary or ""))
    assert "warehouse__shipments" not in import_session(db, schema, "pg_client_default")
    assert [message for message in told if '"warehouse__shipments"' in message], told


def test_an_id_that_is_longer_than_a_name_of_postgresql(db: psycopg.Connection, schema: str) -> None:
    long = "production_etl_2024_12_20_sounding_2_inline_validator_totals_match_t1_0"
    tables = import_session(db, schema, long)
    assert len(tables) == 1
    query = """
        SELECT option_value FROM pg_foreign_table, pg_options_to_table(ftoptions)
        WHERE ftrelid = %s::regclass AND option_name = 'session'"""
    assert db.execute(query, [f"{schema}.{tables.pop()}"]).fetchone() == (long,)


def test_types_of_a_data_frame(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, "nb_4f1d2c3b5a69")
    found = columns(db, f"{schema}._frame")
    assert {name: found[name] for name in FRAME_TYPES} == FRAME_TYPES


def test_odd_column_names_stay_and_long_ones_stay_apart(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, "test_comp_003")
    names = list(columns(db, f"{schema}._odd_columns"))
    short = ["a", "a_1", "0", "('a', 'sum')", "Region", "region_1", "unit price (net)", "select", "größe"]
    assert names[:9] == short
    assert len(set(names)) == 11
    assert all(name.startswith("share of the monthly revenue") for name in names[9:])
    returns, taxes = (sql.Identifier(name) for name in names[9:])
    query = sql.SQL("SELECT bool_and(a = {} AND a_1 = {}) FROM {}")
    assert db.execute(query.format(returns, taxes, sql.Identifier(schema, "_odd_columns"))).fetchone() == (
        True,
    )


def test_no_option_shows_a_path(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, "test_comp_003")
    query = """
        SELECT ftoptions::text FROM pg_foreign_table
        UNION ALL SELECT attfdwoptions::text FROM pg_attribute WHERE attfdwoptions IS NOT NULL"""
    shown = [row[0] for row in db.execute(query)]
    assert shown
    assert not [text for text in shown if "/" in text or ".duckdb" in text]


def test_importing_twice_names_the_table_that_is_there(db: psycopg.Connection, schema: str) -> None:
    import_session(db, schema, "cascade_test")
    with pytest.raises(psycopg.errors.DuplicateTable, match="_extract_data"):
        import_session(db, schema, "cascade_test")


def test_import_takes_no_options(db: psycopg.Connection, schema: str) -> None:
    command = "IMPORT FOREIGN SCHEMA cascade_test FROM SERVER rvbbit INTO {} OPTIONS (colour 'blue')"
    with pytest.raises(psycopg.Error) as caught:
        db.execute(sql.SQL(command).format(sql.Identifier(schema)))
    assert caught.value.sqlstate == "HV00D"


def test_a_reader_may_not_import(server: Server, db: psycopg.Connection, schema: str) -> None:
    with server.connect(user="postgres") as admin, admin.transaction(force_rollback=True):
        admin.execute("SET LOCAL ROLE rvbbit_reader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            import_session(admin, "public", "cascade_test")
