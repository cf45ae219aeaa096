"""Types of the generator and the values that its tables and literals have.

Texts are those that both engines read. `tame` values let arithmetic succeed, at `edge` values engines differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A PostgreSQL type: how a cast spells it, and its values as texts."""

    sql: str
    edge: tuple[str, ...]
    tame: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every value."""
        return self.edge + self.tame


_SMALL = ("0", "1", "2", "3", "4", "5", "7", "10", "12", "13", "-1", "-2", "-7")
_DECIMALS = ("0", "1", "0.5", "1.5", "2.5", "-0.5", "-1.5", "-2.5", "3.25", "10", "99.99", "-7.125", "0.01")
_WORDS = ("", "a", "A", "b", "EU", "US", "north", "Südost", "late", "test", "ab", "abc", "7", "10", "x@y.z")
_TIMES_OF_DAY = ("00:00:00", "01:02:03", "12:34:56.5", "23:59:59", "09:30:00")

KINDS: Mapping[str, Kind] = {
    "bool": Kind("boolean", ("true", "false"), ("true", "false")),
    "int2": Kind("smallint", ("-32768", "32767", "-32767", "127", "-128", "255"), _SMALL),
    "int4": Kind("integer", ("-2147483648", "2147483647", "-2147483647", "65536", "16777217"), _SMALL),
    "int8": Kind(
        "bigint",
        ("-9223372036854775808", "9223372036854775807", "-9223372036854775807", "9007199254740993",
            "2147483648"),
        _SMALL,
    ),
    "numeric": Kind(
        "numeric",
        ("99999999999999.99", "-99999999999999.99", "0.005", "-0.005", "0.00", "123456789012345.675",
            "1000000"),
        _DECIMALS,
    ),
    "float4": Kind(
        "real",
        ("NaN", "Infinity", "-Infinity", "-0", "3.4028235e38", "1e-45", "0.1", "16777216", "1e10"),
        ("0", "1", "0.5", "1.5", "2.5", "-0.5", "-2.5", "3.25", "100", "-7.125"),
    ),
    "float8": Kind(
        "double precision",
        ("NaN", "Infinity", "-Infinity", "-0", "1.7976931348623157e308", "5e-324", "0.1", "0.3", "1e15",
            "9007199254740993", "-1e-7"),
        ("0", "1", "0.5", "1.5", "2.5", "-0.5", "-2.5", "3.25", "100", "-7.125", "12345.678"),
    ),
    "text": Kind(
        "text",
        ("a ", " a", "a  b", "ä", "Ä", "ß", "ẞ", "ﬁ", "İ", "\u0131", "Σ", "ς", "é", "e\u0301", "💚", "日本",
         "100%", "a_b", "a\\b",
         "\t", "a\nb", "it's", '"q"', "NULL", "\\N",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
         "2024-02-29", "1.5", "true", " 12 ", "[1,2]", "{}"),
        _WORDS,
    ),
    "date": Kind(
        "date",
        ("infinity", "-infinity", "4713-01-01 (BC)", "0044-03-15 (BC)", "0001-01-01", "0001-12-31 (BC)",
            "9999-12-31",
         "290000-01-01", "1582-10-10", "1900-02-28"),
        ("2024-02-29", "2023-02-28", "2000-01-01", "1999-12-31", "1970-01-01", "1969-12-31", "2026-01-04",
            "2026-01-05",
         "2020-12-31", "2021-01-03"),
    ),
    "time": Kind("time", ("24:00:00", "23:59:59.999999", "00:00:00.000001"), _TIMES_OF_DAY),
    "timestamp": Kind(
        "timestamp",
        ("infinity", "-infinity", "4713-01-01 (BC) 00:00:00", "0044-03-15 (BC) 01:02:03",
            "294246-12-31 23:59:59.999999",
         "0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59.5"),
        ("2024-02-29 12:00:00", "2024-03-31 02:30:00", "2023-12-31 23:59:59.5", "2000-01-01 00:00:00",
         "1970-01-01 00:00:00", "2026-01-04 23:30:00", "2026-01-05 00:00:00", "2020-12-31 10:11:12.131415"),
    ),
    "timestamptz": Kind(
        "timestamptz",
        ("infinity", "-infinity", "0044-03-15 (BC) 01:02:03+00", "0001-01-01 00:00:00+00",
            "1883-11-18 17:00:00+00",
         "1969-12-31 23:59:59.999999+00", "9999-12-31 23:59:59.5+00", "294246-12-31 23:59:59+00"),
        ("2024-02-29 12:00:00+00", "2024-03-31 00:59:59+00", "2024-03-31 01:00:00+00",
            "2024-10-27 00:30:00+00",
         "2024-10-27 01:30:00+00", "2024-11-03 05:30:00+00", "1970-01-01 00:00:00+00",
         "2026-01-04 23:30:00+00",
         "2000-12-31 23:59:59.5+00"),
    ),
    "interval": Kind(
        "interval",
        ("178956970 years", "-178956970 years", "30 days", "1 month", "24:00:00", "1 day",
            "-1 months 1 day -00:00:00.000001",
         "1 year 2 months -3 days 04:05:06.7", "2147483647 days", "-2147483648 days", "99999:00:00"),
        ("0 days", "1 day", "-1 day", "1 month", "1 year", "01:00:00", "-00:30:00",
            "1 mon 2 days 03:04:05.5", "7 days"),
    ),
    "uuid": Kind(
        "uuid",
        ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
         "80000000-0000-0000-0000-000000000000", "7fffffff-ffff-ffff-ffff-ffffffffffff"),
        ("0f0e0d0c-0b0a-4908-8706-050403020100", "123e4567-e89b-42d3-a456-426614174000"),
    ),
    "bytea": Kind("bytea", ("\\x", "\\x00", "\\x00ff", "\\xff", "\\x61005c", "\\xc3a4"), ("\\x61",
    "\\x6162", "\\x62")),
    "jsonb": Kind(
        "jsonb",
        ("null", "{}", "[]", '"text"', "1.50", "1e20",
            '{"b": [1, 2.50, null], "a": "ä\\""}', '{"a": null}', "true"),
        ('{"a": 1}', '{"a": "x", "b": 2}', '{"a": {"b": 5}}', "[1, 2, 3]", '[{"a": 1}, "x"]', "7"),
    ),
    "_int4": Kind("integer[]", ("{}", "{NULL}", "{1,NULL,3}", "{-2147483648,2147483647}"), ("{1}",
    "{1,2,3}", "{3,2,1}", "{5,7}")),
    "_int8": Kind("bigint[]", ("{}", "{NULL}", "{-9223372036854775808}"), ("{1}", "{1,2,3}", "{5,7}")),
    "_text": Kind("text[]", ("{}", "{NULL}", '{"","NULL",NULL}', '{"a b","c,d","ä"}'), ("{a}", "{a,b}",
    "{EU,US}")),
    "_numeric": Kind("numeric[]", ("{}", "{NULL,0.00}"), ("{1,1.5}", "{0.5}")),
    "_float8": Kind("float8[]", ("{}", "{NaN,NULL,-0}"), ("{1,1.5}", "{0.5}")),
    "_bool": Kind("boolean[]", ("{}", "{NULL}"), ("{t}", "{t,f}")),
    "_date": Kind("date[]", ("{}", "{infinity,NULL}"), ("{2024-02-29}", "{2000-01-01,1999-12-31}")),
    "bpchar": Kind("bpchar", ("a ", " a", "ä", "a\tb", ""), ("a", "A", "b", "ab", "EU", "north")),
    "varchar": Kind("varchar", ("a ", " a", "ä", "a\tb", ""), ("a", "A", "b", "ab", "EU", "north")),
}  # fmt: skip
"""By pg_type.typname."""

UNITS = ("microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter",
    "year", "decade",
         "century", "millennium", "dow", "isodow", "doy", "epoch", "isoyear", "julian")  # fmt: skip
ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Los_Angeles",
    "Etc/GMT+3",
)
PATTERNS = ("%", "a%", "%a", "%b%", "_", "a_b", "a\\_b", "%ä%", "", "A%", "%\\%", "nor__", "%t_", "E%U")
REGULAR = (
    "a",
    "^a",
    "b$",
    "^[a-z]+$",
    "[0-9]+",
    "a|b",
    "(a)(b)?",
    "^$",
    "ä",
    "\\d",
    "a.c",
    "A",
    "x*",
    "\\mab\\M",
    "[[:alpha:]]+",
)
FORMATS = (
    "YYYY-MM-DD",
    "YYYY-MM-DD HH24:MI:SS",
    "HH12:MI AM",
    "IYYY-IW",
    "Day",
    "Mon DD, YYYY",
    "Q",
    "US",
    "D ID DDD",
    "999.99",
)
_INDEXES = ("0", "1", "2", "3", "5", "-1", "-2", "-5", "100")
_LENGTHS = ("0", "1", "2", "5", "20", "-1")
_DIGITS = ("0", "1", "2", "3", "5", "-1", "-2", "20")
_POWERS = ("0", "1", "2", "3", "0.5", "-1", "-2", "10")
_NONZERO = ("1", "2", "3", "7", "-1", "-3", "10")
_POSITIVE = ("1", "2", "3", "7", "10", "100")

ARGUMENTS: Mapping[tuple[str, int], tuple[str, ...]] = {
    **{(name, 0): UNITS for name in ("date_trunc", "date_part", "extract")},
    **{(name, 0): ZONES for name in ("timezone",)},
    ("date_trunc", 2): ZONES,
    **{(name, 1): FORMATS for name in ("to_char", "to_date", "to_timestamp", "to_number")},
    **{(name, 1): PATTERNS for name in ("~~", "!~~", "~~*", "!~~*", "like", "notlike", "^@", "starts_with")},
    **{(name, 1): REGULAR for name in ("~", "!~", "~*", "!~*", "regexp_replace", "regexp_like",
        "regexp_match", "regexp_count",
                                       "regexp_substr", "regexp_instr", "substring",
                                       "regexp_split_to_array")},
    **{(name, 1): _LENGTHS for name in ("repeat", "lpad", "rpad")},
    **{(name, 1): _INDEXES for name in ("left", "right", "substr", "get_byte", "get_bit")},
    **{(name, 2): _INDEXES for name in ("substr", "split_part", "substring", "overlay")},
    **{(name, 1): _DIGITS for name in ("round", "trunc")},
    **{(name, 1): _POWERS for name in ("^", "power", "pow")},
    **{(name, 1): _NONZERO for name in ("/", "%", "mod", "div")},
    **{(name, 0): _POSITIVE for name in ("ln", "log", "log10", "sqrt", "dlog1", "|/", "numeric_ln",
        "factorial", "make_date")},
    **{(name, 1): _POSITIVE for name in ("log", "<<", ">>", "make_date")},
    ("make_date", 2): _POSITIVE,
    ("exp", 0): ("0", "1", "2", "-1", "0.5", "10"),
    ("dexp", 0): ("0", "1", "2", "-1", "0.5", "10"),
    ("numeric_exp", 0): ("0", "1", "2", "-1", "0.5", "10"),
    ("factorial", 0): ("0", "1", "5", "20", "25"),
    **{(name, 0): ("0", "1", "-1", "0.5") for name in ("asin", "acos", "atanh", "dasin", "dacos")},
    ("acosh", 0): ("1", "2", "10"),
    ("chr", 0): ("32", "65", "233", "8364", "128154"),
    ("encode", 1): ("hex", "base64", "escape"),
    ("decode", 1): ("hex", "base64", "escape"),
    ("to_timestamp", 0): ("0", "1", "1700000000", "1700000000.5", "-1"),
    ("translate", 1): ("ab", "a", "äb", ""),
    ("split_part", 1): ("@", "a", " ", ".", ""),
    ("normalize", 1): ("NFC", "NFD"),
}  # fmt: skip
"""Values that make sense as an argument of a function, by its name and the argument's place."""
