"""Values that PostgreSQL cannot hold, what their errors say, and what they are replaced by: a table to be read."""

# Tables are read by their lines.
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass

import psycopg

RANGE = psycopg.errors.DatetimeFieldOverflow
SETUP = ("SET TimeZone = 'UTC'", "CREATE TYPE nul_enum AS ENUM (SELECT 'x' || chr(0))")


@dataclass(frozen=True)
class Bad:
    """A line of docs/types.md, a value, what its error says, and what it is replaced by."""

    row: str
    kind: str
    value: str
    error: type[psycopg.Error]
    problem: str
    shown: str | None
    replaced: str
    null: str | None = None


CASES = {
    "nul": Bad("VARCHAR", "VARCHAR", "'goo' || chr(0) || 'se'", psycopg.errors.CharacterNotInRepertoire,
               "contains a NUL character, which text cannot hold", r'"goo\x00se"', "goo\N{REPLACEMENT CHARACTER}se"),
    "nul_in_array": Bad("VARCHAR", "VARCHAR[]", "['a', chr(0)]", psycopg.errors.CharacterNotInRepertoire,
                        "contains a NUL character, which text cannot hold", r'"\x00"',
                        "{a,\N{REPLACEMENT CHARACTER}}", "{a,NULL}"),
    "nul_in_struct": Bad("JSON", "STRUCT(a VARCHAR)", "{'a': chr(0)}", psycopg.errors.UntranslatableCharacter,
                         "cannot be read as type jsonb", r'"{"a":"\u0000"}": unsupported Unicode escape sequence',
                         '{"a": "\N{REPLACEMENT CHARACTER}"}'),
    "nul_in_json": Bad("JSON", "JSON", r"""'["\u0000", 1.10]'""", psycopg.errors.UntranslatableCharacter,
                       "cannot be read as type jsonb", r'"["\u0000", 1.10]": unsupported Unicode escape sequence',
                       '["\N{REPLACEMENT CHARACTER}", 1.10]'),
    "nan_in_json": Bad("JSON", "JSON", "'[NaN, -Infinity]'", psycopg.errors.InvalidTextRepresentation,
                       "cannot be read as type jsonb", '"[NaN, -Infinity]": invalid input syntax for type json',
                       '["NaN", "-Infinity"]'),
    "late_date": Bad("DATE", "DATE", "'5881580-07-10'", RANGE, "is out of range for type date", "5881580-07-10", "infinity"),
    "early_date": Bad("DATE", "DATE", "'5877642-06-25 (BC)'", RANGE, "is out of range for type date", "5877642-06-25 BC",
                      "-infinity"),
    "day_before": Bad("DATE", "DATE", "'4714-11-23 (BC)'", RANGE, "is out of range for type date", "4714-11-23 BC", "-infinity"),
    "early_timestamp": Bad("TIMESTAMP", "TIMESTAMP", "'290309-12-22 (BC) 00:00:00'", RANGE, "is out of range for type timestamp",
                           "290309-12-22 00:00:00.000000 BC", "-infinity"),
    "early_timestamptz": Bad("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "'4714-11-23 (BC) 23:59:59.5+00'", RANGE,
                             "is out of range for type timestamp", "4714-11-23 23:59:59.500000 BC", "-infinity"),
    "early_timestamp_s": Bad("TIMESTAMP_S", "TIMESTAMP_S", "'4714-11-23 (BC) 00:00:00'", RANGE,
                             "is out of range for type timestamp", "4714-11-23 00:00:00.000000 BC", "-infinity"),
    "early_timestamp_ms": Bad("TIMESTAMP_MS", "TIMESTAMP_MS", "'4714-11-23 (BC) 00:00:00'", RANGE,
                              "is out of range for type timestamp", "4714-11-23 00:00:00.000000 BC", "-infinity"),
    "nul_in_enum": Bad("ENUM", "nul_enum", "'x' || chr(0)", psycopg.errors.CharacterNotInRepertoire,
                       "contains a NUL character, which text cannot hold", r'"x\x00"', "x\N{REPLACEMENT CHARACTER}"),
    "infinite_interval": Bad("INTERVAL", "INTERVAL", f"to_months({2**31 - 1}) + to_days({2**31 - 1}) + to_microseconds({2**63 - 1})",
                             RANGE, "means an infinity in PostgreSQL, which it is not in DuckDB", "infinity",
                             "178956970 years 7 mons 2147483647 days 2562047788:00:54.775806"),
    "long_bignum": Bad("BIGNUM", "BIGNUM", "'-' || repeat('9', 131073)", psycopg.errors.NumericValueOutOfRange,
                       "cannot be read as type numeric", f'"-{"9" * 59}...": value overflows numeric format', "-Infinity"),
    "null_list": Bad("ARRAY", "INTEGER[2][2]", "[[1, 2], NULL]", psycopg.errors.ArraySubscriptError,
                     "has a null in place of an inner list, which an array cannot hold", None, "{{1,2},{NULL,NULL}}"),
}  # fmt: skip
