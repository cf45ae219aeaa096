"""Values of every DuckDB type, and what each is in PostgreSQL: a table to be read.

A value is DuckDB's text of it, and PostgreSQL's text where that is another one. NULL comes along by itself.
"""

# Tables are read by their lines.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tests.kit.writers import NEWEST_VERSION, RVBBIT_VERSION

Value: TypeAlias = str | tuple[str, str]

BOTH = (RVBBIT_VERSION, NEWEST_VERSION)
NEWEST = (NEWEST_VERSION,)


@dataclass(frozen=True)
class Case:
    """A DuckDB type, the row of docs/types.md that it is an example of, what it is declared as, and values.

    The values of an `expression` are SQL, those of others are texts that are cast to the type. Some types are
    never `stored` in a TABLE.
    """

    row: str
    kind: str
    declared: str
    values: Sequence[Value]
    versions: Sequence[str] = BOTH
    expression: bool = False
    stored: str = "TABLE"

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """DuckDB's SQL and PostgreSQL's text of each value."""
        pairs = [(value, value) if isinstance(value, str) else value for value in self.values]
        return [(self._sql(given), expected) for given, expected in pairs]

    def _sql(self, given: str) -> str:
        text = given if self.expression else "'" + given.replace("'", "''") + "'"
        return f"CAST({text} AS {self.kind})"


TINY, SMALL, INT, BIG = (2**7, 2**15, 2**31, 2**63)
HUGE = 2**127
BC = ("0044-03-15 (BC)", "0044-03-15 BC")


def interval(months: int, days: int, microseconds: int) -> str:
    """SQL for an interval; its literals do not reach its ends."""
    return f"to_months({months}) + to_days({days}) + to_microseconds({microseconds})"


SCALARS: Sequence[Case] = (
    Case("BOOLEAN", "BOOLEAN", "boolean", ["true", "false"]),
    Case("TINYINT", "TINYINT", "smallint", [str(-TINY), "-1", "7", str(TINY - 1)]),
    Case("UTINYINT", "UTINYINT", "smallint", ["0", "200", str(2 * TINY - 1)]),
    Case("SMALLINT", "SMALLINT", "smallint", [str(-SMALL), "12", str(SMALL - 1)]),
    Case("USMALLINT", "USMALLINT", "integer", ["0", "40000", str(2 * SMALL - 1)]),
    Case("INTEGER", "INTEGER", "integer", [str(-INT), "12", str(INT - 1)]),
    Case("UINTEGER", "UINTEGER", "bigint", ["0", "3000000000", str(2 * INT - 1)]),
    Case("BIGINT", "BIGINT", "bigint", [str(-BIG), "12", str(BIG - 1)]),
    Case("UBIGINT", "UBIGINT", "numeric", ["0", str(BIG), str(2 * BIG - 1)]),
    Case("HUGEINT", "HUGEINT", "numeric", [str(-HUGE), str(-BIG - 1), "-1", "0", str(BIG), str(HUGE - 1)]),
    Case("UHUGEINT", "UHUGEINT", "numeric", ["0", str(BIG), str(HUGE), str(2 * HUGE - 1)]),
    Case("BIGNUM", "BIGNUM", "numeric", ["-" + "9" * 400, "0", "-1", str(HUGE), "1" + "0" * 1000]),
    Case("DECIMAL", "DECIMAL(4,1)", "numeric(4,1)", ["-999.9", "0.0", "1.5", "999.9"]),
    Case("DECIMAL", "DECIMAL(4,4)", "numeric(4,4)", ["-0.9999", "0.0001"]),
    Case("DECIMAL", "DECIMAL(9,0)", "numeric(9,0)", ["-999999999", "1", "999999999"]),
    Case("DECIMAL", "DECIMAL(9,4)", "numeric(9,4)", ["-99999.9999", "0.5000", "99999.9999"]),
    Case("DECIMAL", "DECIMAL(18,6)", "numeric(18,6)", ["-999999999999.999999", "1.100000"]),
    Case("DECIMAL", "DECIMAL(18,18)", "numeric(18,18)", ["0.000000000000000001"]),
    Case("DECIMAL", "DECIMAL(38,0)", "numeric(38,0)", ["-" + "9" * 38, "10", "9" * 38]),
    Case("DECIMAL", "DECIMAL(38,10)", "numeric(38,10)", [f"-{'9' * 28}.{'9' * 10}", "0.0000000001"]),
    Case("DECIMAL", "DECIMAL(38,38)", "numeric(38,38)", ["-0." + "9" * 38, "0." + "0" * 37 + "1"]),
    Case("FLOAT", "FLOAT", "real",
         ["-3.4028235e+38", "3.4028235e+38", "1e-45", "0.1", "12345678.9", ("-0.0", "-0"),
          ("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")]),
    Case("DOUBLE", "DOUBLE", "double precision",
         ["-1.7976931348623157e+308", "1.7976931348623157e+308", "5e-324", "0.1", "0.30000000000000004",
          ("-0.0", "-0"), ("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")]),
    Case("VARCHAR", "VARCHAR", "text",
         ["", "NULL", "\\N", "a\tb\nc\r", "crème 💚", "'\"{},", "x" * 100_000, "\U0010ffff\x01\x7f"]),
    Case("ENUM", "ENUM ('', 'b', 'ä', 'NULL', 'it''s')", "text", ["", "b", "ä", "NULL", "it's"]),
    Case("JSON", "JSON", "jsonb",
         ["null", "{}", "[]", '"text"', " [ 1 , 1.10, -0, 1e2 ] ", '{"b": 1, "a": 2, "b": 3}',
          '{"x": 123456789012345678901234567890.12, "y": 1e400}', r'"\u00e4\n\\u0000\"/"', '"crème 💚"']),
    Case("DATE", "DATE", "date",
         ["1970-01-01", "0001-01-01", "9999-12-31", "2024-02-29", "290000-01-01", "5874897-12-31",
          ("4714-11-24 (BC)", "4714-11-24 BC"), BC, "infinity", "-infinity"]),
    Case("TIME", "TIME", "time without time zone", ["00:00:00", "12:34:56.789", "23:59:59.999999", "24:00:00"]),
    Case("TIME_NS", "TIME_NS", "time without time zone",
         ["00:00:00", "24:00:00", ("12:34:56.999999999", "12:34:56.999999"), ("00:00:00.000000999", "00:00:00")]),
    Case("TIME WITH TIME ZONE", "TIME WITH TIME ZONE", "time with time zone",
         ["00:00:00+15:59:59", "24:00:00-15:59:59", "12:34:56.789012+02", "01:02:03-00:30"]),
    Case("TIMESTAMP", "TIMESTAMP", "timestamp without time zone",
         ["1970-01-01 00:00:00", "1969-12-31 23:59:59.999999", "294246-12-31 23:59:59.999999",
          ("4714-11-24 (BC) 00:00:00", "4714-11-24 00:00:00 BC"), "294247-01-10 04:00:54.775806",
          ("0044-03-15 (BC) 01:02:03.5", "0044-03-15 01:02:03.5 BC"), "infinity", "-infinity"]),
    Case("TIMESTAMP_S", "TIMESTAMP_S", "timestamp without time zone",
         ["1969-12-31 23:59:59", "294247-01-10 04:00:54", "infinity", "-infinity"]),
    Case("TIMESTAMP_MS", "TIMESTAMP_MS", "timestamp without time zone",
         ["1969-12-31 23:59:59.999", "294247-01-10 04:00:54.775", "infinity", "-infinity"]),
    Case("TIMESTAMP_NS", "TIMESTAMP_NS", "timestamp without time zone",
         [("1677-09-22 00:00:00", "1677-09-22 00:00:00"),
          ("2262-04-11 23:47:16.854775806", "2262-04-11 23:47:16.854775"),
          ("2000-01-01 00:00:00.000001999", "2000-01-01 00:00:00.000001"),
          ("1969-12-31 23:59:59.999998001", "1969-12-31 23:59:59.999999"), "infinity", "-infinity"]),
    Case("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE", "timestamp with time zone",
         ["1969-12-31 23:59:59.999999+00", "2024-03-31 02:30:00+02", "294247-01-10 04:00:54.775806+00",
          ("4714-11-24 (BC) 00:00:00+00", "4714-11-24 00:00:00+00 BC"), "infinity", "-infinity"]),
    Case("TIMESTAMPTZ_NS", "TIMESTAMPTZ_NS", "timestamp with time zone",
         [("1969-12-31 23:59:59.999998001+00", "1969-12-31 23:59:59.999999+00"),
          ("2262-04-11 23:47:16.854775806+00", "2262-04-11 23:47:16.854775+00"), "infinity", "-infinity"],
         NEWEST),
    Case("INTERVAL", "INTERVAL", "interval",
         ["00:00:00", "1 year 2 months -3 days 04:05:06.7", "-1 months 1 day -00:00:00.000001", "-1 days",
          "83 years 3 months 999 days 00:16:39.999999"]),
    Case("INTERVAL", "INTERVAL", "interval",
         [(interval(INT - 1, INT - 2, BIG - 1), "178956970 years 7 mons 2147483646 days 2562047788:00:54.775807"),
          (interval(-INT, -INT, -BIG + 1), "-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807"),
          (interval(0, 0, -BIG), "-9223372036854775808 microseconds"), (interval(-INT, 0, 0), "-178956970 years -8 mons"),
          (interval(0, -INT, 1), "-2147483648 days +00:00:00.000001")], expression=True),
    Case("UUID", "UUID", "uuid",
         ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
          "00112233-4455-6677-8899-aabbccddeeff", "80000000-0000-0000-0000-000000000001"]),
    Case("BLOB", "BLOB", "bytea",
         [("", r"\x"), (r"\x00\xFF", r"\x00ff"), (r"abc\x5C", r"\x6162635c"), (r"\xAA41", r"\xaa3431")]),
    Case("BIT", "BIT", "bit varying",
         ["0", "1", "10101", "0010001001011100010101011010111", "01" * 4, "1" * 1000]),
    Case("GEOMETRY", "GEOMETRY", "text", ["POINT (1 2)", "POINT EMPTY", "LINESTRING (0 0, 1.5 1)"], NEWEST),
    Case("TYPE", "TYPE", "text",
         [("get_type(1)", "INTEGER"), ("get_type([1.5])", "DECIMAL(2,1)[]")], NEWEST, True, "VIEW"),
    Case("NULL", '"NULL"', "text", [("NULL", "\\N")], NEWEST, True, "VIEW"),
)  # fmt: skip

ARRAYS: Sequence[Case] = (
    Case("LIST", "BOOLEAN[]", "boolean[]", [("[true, NULL, false]", "{t,NULL,f}"), ("[]", "{}")]),
    Case("LIST", "TINYINT[]", "smallint[]", [("[-128, 127]", "{-128,127}"), ("[NULL]", "{NULL}")]),
    Case("LIST", "INTEGER[]", "integer[]",
         [("[]", "{}"), ("[42, 999, NULL, NULL, -42]", "{42,999,NULL,NULL,-42}"), ("[1]", "{1}")]),
    Case("LIST", "BIGINT[]", "bigint[]", [(f"[{-BIG}, {BIG - 1}]", f"{{{-BIG},{BIG - 1}}}")]),
    Case("LIST", "UBIGINT[]", "numeric[]", [(f"[{2 * BIG - 1}, NULL]", f"{{{2 * BIG - 1},NULL}}")]),
    Case("LIST", "DECIMAL(9,2)[]", "numeric(9,2)[]", [("[1.50, -9999999.99]", "{1.50,-9999999.99}")]),
    Case("LIST", "FLOAT[]", "real[]", [("[0.1, nan, -inf]", "{0.1,NaN,-Infinity}")]),
    Case("LIST", "DOUBLE[]", "double precision[]",
         [("[42.0, nan, inf, -inf, NULL, -42.0]", "{42,NaN,Infinity,-Infinity,NULL,-42}"), ("[-0.0]", "{-0}")]),
    Case("LIST", "VARCHAR[]", "text[]",
         [("['a', NULL, '', 'NULL', '\"', '\\', 'x,y', '{', '💚']", '{a,NULL,"","NULL","\\"","\\\\","x,y","{",💚}')],
         expression=True),
    Case("LIST", "BLOB[]", "bytea[]", [("['\\x00'::BLOB, NULL]", '{"\\\\x00",NULL}')], expression=True),
    Case("LIST", "DATE[]", "date[]",
         [("[1970-01-01, infinity, -infinity, NULL]", "{1970-01-01,infinity,-infinity,NULL}")]),
    Case("LIST", "TIMESTAMP[]", "timestamp without time zone[]",
         [("['1970-01-01 00:00:00', infinity, NULL]", '{"1970-01-01 00:00:00",infinity,NULL}')]),
    Case("LIST", "TIMESTAMP_NS[]", "timestamp without time zone[]",
         [("['1970-01-01 00:00:00.000001999']", '{"1970-01-01 00:00:00.000001"}')]),
    Case("LIST", "TIMESTAMP WITH TIME ZONE[]", "timestamp with time zone[]",
         [("['2022-05-12 23:23:45+00', -infinity]", '{"2022-05-12 23:23:45+00",-infinity}')]),
    Case("LIST", "TIME WITH TIME ZONE[]", "time with time zone[]", [("['01:02:03+02']", "{01:02:03+02}")]),
    Case("LIST", "INTERVAL[]", "interval[]", [("['-1 days', NULL]", '{"-1 days",NULL}')]),
    Case("LIST", "UUID[]", "uuid[]",
         [("[00112233-4455-6677-8899-aabbccddeeff, NULL]", "{00112233-4455-6677-8899-aabbccddeeff,NULL}")]),
    Case("LIST", "BIT[]", "bit varying[]", [("['101'::BIT]", "{101}")], expression=True),
    Case("LIST", "ENUM ('a', 'b c')[]", "text[]", [("['b c', NULL]", '{"b c",NULL}')], expression=True),
    Case("LIST", "JSON[]", "jsonb[]", [("""['{"a":1}'::JSON, NULL]""", r'{"{\"a\": 1}",NULL}')], expression=True),
    Case("ARRAY", "INTEGER[3]", "integer[]", [("[NULL, 2, 3]", "{NULL,2,3}"), ("[4, 5, 6]", "{4,5,6}")]),
    Case("ARRAY", "FLOAT[4]", "real[]", [("[0.5, -1, inf, 2]", "{0.5,-1,Infinity,2}")]),
    Case("ARRAY", "VARCHAR[2]", "text[]", [("['a', NULL]", "{a,NULL}")], expression=True),
    Case("ARRAY", "INTEGER[3][2]", "integer[]", [("[[4, 5, 6], [NULL, 2, 3]]", "{{4,5,6},{NULL,2,3}}")]),
    Case("ARRAY", "UTINYINT[1][2][3]", "smallint[]",
         [("[[[1], [2]], [[3], [4]], [[5], [255]]]", "{{{1},{2}},{{3},{4}},{{5},{255}}}")]),
    Case("ARRAY", "DOUBLE[2][]", "double precision[]",
         [("[[1, 2], [3, 4], [5, NULL]]", "{{1,2},{3,4},{5,NULL}}"), ("[]", "{}")]),
)  # fmt: skip

DOCUMENTS: Sequence[Case] = (
    Case("nested LIST", "INTEGER[][]", "jsonb", [("[]", "[]"), ("[[], [42, NULL], NULL]", "[[], [42, null], null]")]),
    Case("nested LIST", "INTEGER[][2]", "jsonb", [("[[1], []]", "[[1], []]")]),
    Case("nested LIST", "STRUCT(a INTEGER)[]", "jsonb",
         [("[{'a': 1}, NULL, {'a': NULL}]", '[{"a": 1}, null, {"a": null}]')]),
    Case("STRUCT", "STRUCT(b INTEGER, a VARCHAR)", "jsonb",
         [("{'b': 42, 'a': x}", '{"a": "x", "b": 42}'), ("{'b': NULL, 'a': NULL}", '{"a": null, "b": null}')]),
    Case("STRUCT", 'STRUCT("a b" INTEGER, "x""{}y\\" INTEGER[], "ä" BOOLEAN)', "jsonb",
         [("row(1, [2, NULL], true)", r'{"a b": 1, "x\"{}y\\": [2, null], "ä": true}')], expression=True),
    Case("STRUCT", "STRUCT(d DECIMAL(38,10), h HUGEINT, u UHUGEINT, n BIGNUM, f FLOAT, g DOUBLE)", "jsonb",
         [(f"row({'9' * 28}.{'1' * 10}, {-HUGE}, {2 * HUGE - 1}, '{'7' * 50}', 0.1, 1e300)",
           f'{{"d": {"9" * 28}.{"1" * 10}, "h": {-HUGE}, "u": {2 * HUGE - 1}, "n": {"7" * 50}, "f": 0.1, "g": 1e300}}'),
          ("row(1.5, 1, 2, '3', 'nan'::FLOAT, '-inf'::DOUBLE)",
           '{"d": 1.5000000000, "h": 1, "u": 2, "n": 3, "f": "NaN", "g": "-Infinity"}')], expression=True),
    Case("STRUCT", "STRUCT(d DATE, t TIMESTAMP, n TIMESTAMP_NS, z TIMESTAMP WITH TIME ZONE, o TIME WITH TIME ZONE)",
         "jsonb",
         [("row('infinity', '2020-01-02 03:04:05.6', '2020-01-02 03:04:05.123456789', "
           "'2020-01-02 03:04:05+02', '01:02:03+02')",
           '{"d": "infinity", "t": "2020-01-02 03:04:05.6", "n": "2020-01-02 03:04:05.123456789", '
           '"z": "2020-01-02 01:04:05+00", "o": "01:02:03+02"}')], expression=True),
    Case("STRUCT", "STRUCT(b BLOB, i INTERVAL, u UUID, t BIT, e ENUM ('x', 'y'))", "jsonb",
         [("row('\\x00a'::BLOB, '1 year', '00112233-4455-6677-8899-aabbccddeeff', '01', 'y')",
           r'{"b": "\\x0061", "i": "1 year", "u": "00112233-4455-6677-8899-aabbccddeeff", "t": "01", "e": "y"}')],
         expression=True),
    Case("STRUCT", "STRUCT(j JSON, v VARCHAR)", "jsonb",
         [("""row('{"a": 1.10, "a": 2.50}', '"\\{')""", r'{"j": {"a": 2.50}, "v": "\"\\{"}')], expression=True),
    Case("STRUCT", "STRUCT(a STRUCT(b STRUCT(c INTEGER[])[]))", "jsonb",
         [("row(row([row([1, NULL]), NULL]))", '{"a": {"b": [{"c": [1, null]}, null]}}')], expression=True),
    Case("MAP", "MAP(VARCHAR, VARCHAR)", "jsonb",
         [("{}", "{}"), ("{key2=💚, key1=goose}", '{"key1": "goose", "key2": "💚"}')]),
    Case("MAP", "MAP(INTEGER, DECIMAL(9,2)[])", "jsonb", [("{1=[1.50], -2=NULL}", '{"-2": null, "1": [1.50]}')]),
    Case("MAP", "MAP(DATE, INTEGER)", "jsonb", [("{2020-01-01=1}", '{"2020-01-01": 1}')]),
    Case("MAP", "MAP(STRUCT(a INTEGER), INTEGER)", "jsonb",
         [("map {row(1): 2, row(3): NULL}",
           '[{"key": {"a": 1}, "value": 2}, {"key": {"a": 3}, "value": null}]')], expression=True),
    Case("UNION", 'UNION("name" VARCHAR, age SMALLINT)', "jsonb",
         [("'Frank'", '{"name": "Frank"}'), ("5::SMALLINT", '{"age": 5}'),
          ("union_value(age := NULL::SMALLINT)", '{"age": null}')], expression=True),
    Case("TUPLE", "TUPLE(INTEGER, VARCHAR)", "jsonb",
         [("row(42, 'x')", '[42, "x"]'), ("row(NULL, NULL)", "[null, null]")], NEWEST, expression=True),
    Case("VARIANT", "VARIANT", "jsonb",
         [("1", "1"), ("'a\"b'", r'"a\"b"'), ("{'b': [1.50, NULL], 'a': 'NaN'}", '{"a": "NaN", "b": [1.50, null]}'),
          ("'nan'::DOUBLE", '"NaN"'), ("['-inf'::DOUBLE, 'inf'::DOUBLE]", '["-Infinity", "Infinity"]'),
          (f"{HUGE - 1}::HUGEINT", f"{HUGE - 1}"),
          ("TIMESTAMP_NS '2020-01-01 00:00:00.123456789'", '"2020-01-01 00:00:00.123456789"')],
         NEWEST, expression=True),
)  # fmt: skip

CASES: Sequence[Case] = (*SCALARS, *ARRAYS, *DOCUMENTS)
