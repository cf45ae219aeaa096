"""The one table of types: each DuckDB type, what an import declares for it, and how its values travel.

Arrow formats are those of https://arrow.apache.org/docs/format/CDataInterface.html as duckdb 2.0.0 writes
them with arrow_large_buffer_size; decoders are those of the host's protocol. In every expression `{}` stands
for the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rvbbit_fdw.typemap.kinds import Kind

PLAIN = "{}"
TEXT = "CAST({} AS VARCHAR)"
AS_STRING = "coalesce(CAST(to_json({}) AS VARCHAR), 'null')"
AS_IT_IS = "coalesce({}, 'null')"


def inside(template: str, inner: str) -> str:
    """The template with an expression in place of each `{}`."""
    return template.replace("{}", inner)


@dataclass(frozen=True)
class Guard:
    """Values that PostgreSQL cannot hold: where `bad` is true `instead` is the replacement; also in words."""

    bad: str
    instead: str
    bad_doc: str
    instead_doc: str


@dataclass(frozen=True)
class Scalar:
    """One DuckDB type.

    `declared` is for DDL, `internal` as the host names it. `value` is what PostgreSQL shall see, still typed,
    and `transport` what Arrow carries of that; `guard` is about `value`. `text` is what PostgreSQL's input
    function reads, and `json` makes JSON of that text.
    """

    declared: str
    internal: str
    decoder: str
    value: str = PLAIN
    transport: str = PLAIN
    text: str = TEXT
    json: str = AS_STRING
    guard: Guard | None = None
    typmod: int = -1
    doc: str = ""

    def as_json(self, column: str) -> str:
        """An expression that gives the value as JSON text, never null."""
        return inside(self.json, inside(self.text, column))


# A part of a UTF-8 text can be no other character, so looking for bytes is right.
_NUL = Guard(
    "contains({}, chr(0))",
    "replace({}, chr(0), '\N{REPLACEMENT CHARACTER}')",
    "a text with NUL characters",
    "U+FFFD for each of them",
)
_DATE = Guard(
    "isfinite({}) AND {} NOT BETWEEN DATE '4714-11-24 (BC)' AND DATE '5874897-12-31'",
    "CASE WHEN {} > DATE '2000-01-01' THEN DATE 'infinity' ELSE DATE '-infinity' END",
    "a date before 4714-11-24 BC or after 5874897-12-31",
    "-infinity or infinity",
)
_TIMESTAMP = Guard(
    "isfinite({}) AND {} < TIMESTAMP '4714-11-24 (BC) 00:00:00'",
    "TIMESTAMP '-infinity'",
    "a time before 4714-11-24 BC",
    "-infinity",
)
_TIMESTAMPTZ = Guard(
    "isfinite({}) AND {} < TIMESTAMP WITH TIME ZONE '4714-11-24 (BC) 00:00:00+00'",
    "TIMESTAMP WITH TIME ZONE '-infinity'",
    _TIMESTAMP.bad_doc,
    "-infinity",
)
_MOST = "178956970 years 7 months 2147483647 days 2562047788:00:54.775807"
_LEAST = "-178956970 years -8 months -2147483648 days -2562047788:00:54.775808"
_INTERVAL = Guard(
    f"CAST({{}} AS VARCHAR) IN ('{_MOST}', '{_LEAST}')",
    "{} - to_microseconds(CASE WHEN {} > INTERVAL 0 DAY THEN 1 ELSE -1 END)",
    "the greatest and the least one, which mean infinity in PostgreSQL",
    "a microsecond less, or more",
)
_DIGITS = Guard(
    "length(ltrim({}, '-')) > 131072",
    "CASE WHEN {} LIKE '-%' THEN '-Infinity' ELSE 'Infinity' END",
    "a number of more than 131,072 digits",
    "Infinity or -Infinity",
)

# Outside of strings, JSON text of DuckDB may have NaN, infinities and a comma too many. Control characters
# are in no JSON text, so they can mark what was found.
_STRING = r'("(?:[^"\\]|\\.)*")'
_NOT_FINITE = r"(-?(?i:nan|inf(?:inity)?))"
_ESCAPED = "replace({}, '\\\\', chr(1))"
_WITHOUT_NUL = f"replace(replace({_ESCAPED}, '\\u0000', '\\ufffd'), chr(1), '\\\\')"
_MARKED = f"regexp_replace({{}}, '{_STRING}|{_NOT_FINITE}', '\\1' || chr(1) || '\\2' || chr(1), 'g')"
QUOTED_INFINITIES = f"replace(replace({_MARKED}, chr(1) || chr(1), ''), chr(1), '\"')"
"""JSON text with NaN and infinities as strings, as PostgreSQL's to_jsonb writes them."""
_WITHOUT_COMMAS = rf"regexp_replace({{}}, '{_STRING}|,(\s*[\]}}])', '\1\2', 'g')"


_WITHOUT_STRINGS = f"""regexp_replace({{}}, '{_STRING}', '""', 'g')"""
_NOT_JSON = f"regexp_matches({_WITHOUT_STRINGS}, " + r"'(?i)nan|inf|,\s*[\]}]')"
_JSON = Guard(
    _NOT_JSON,
    inside(_WITHOUT_COMMAS, QUOTED_INFINITIES),
    "NaN and infinities; a comma before a closing bracket",
    "strings; nothing",
)
_JSONB = Guard(
    f"contains({_ESCAPED}, '\\u0000') OR {_NOT_JSON}",
    inside(_JSON.instead, _WITHOUT_NUL),
    f"`\\u0000` in a string; {_JSON.bad_doc}",
    f"`\\ufffd`; {_JSON.instead_doc}",
)

# Months, days and microseconds in 32, 32 and 64 bits: the Arrow form of an interval overflows without an
# error beyond 292 years of microseconds, and PostgreSQL does not read the text of the least microseconds.
_MONTHS = "datepart('year', {}) * 12 + datepart('month', {})"
_TIME = "datepart('hour', {}) * 3600000000 + datepart('minute', {}) * 60000000 + datepart('microsecond', {})"
_PACKED_INTERVAL = (
    f"CAST(CAST({_MONTHS} AS BIGINT) & 4294967295 AS UHUGEINT) * CAST({2**96} AS UHUGEINT)"
    f" + CAST(CAST(datepart('day', {{}}) AS BIGINT) & 4294967295 AS UHUGEINT) * CAST({2**64} AS UHUGEINT)"
    f" + CAST(CASE WHEN {_TIME} < 0 THEN CAST({_TIME} AS HUGEINT) + {2**64} ELSE {_TIME} END AS UHUGEINT)"
)
_MICROSECONDS = (
    "CASE WHEN isfinite({}) THEN make_timestamp(epoch_ns({}) // 1000) ELSE CAST({} AS TIMESTAMP) END"
)
_MICROSECONDS_TZ = (
    "CASE WHEN isfinite(CAST({} AS TIMESTAMP WITH TIME ZONE))"
    " THEN CAST(make_timestamp(epoch_ns({}) // 1000) AS TIMESTAMP WITH TIME ZONE)"
    " ELSE CAST({} AS TIMESTAMP WITH TIME ZONE) END"
)
_MICROSECONDS_OF_DAY = "CAST(left(CAST({} AS VARCHAR), 15) AS TIME)"
_CUT_OFF = "nanoseconds are cut off towards 1970; with `nanoseconds_as` = `text` all nine digits come as text"
_HEX = r"'\x' || hex({})"
_JSON_FLOAT = """CASE {} WHEN 'nan' THEN '"NaN"' WHEN 'inf' THEN '"Infinity"' WHEN '-inf' THEN '"-Infinity"'
ELSE coalesce({}, 'null') END"""


def _integer(declared: str, internal: str, value: str = PLAIN) -> Scalar:
    return Scalar(declared, f"pg_catalog.{internal}", internal, value, json=AS_IT_IS)


def _numeric(decoder: str, value: str = PLAIN) -> Scalar:
    return Scalar("numeric", "pg_catalog.numeric", decoder, value, json=AS_IT_IS)


def _float(declared: str, internal: str) -> Scalar:
    return Scalar(declared, f"pg_catalog.{internal}", internal, json=_JSON_FLOAT)


def _time(internal: str, value: str, guard: Guard | None, doc: str = "") -> Scalar:
    return Scalar(internal, f"pg_catalog.{internal}", internal, value, guard=guard, doc=doc)


def _text(doc: str = "", value: str = TEXT, guard: Guard | None = _NUL) -> Scalar:
    return Scalar("text", "pg_catalog.text", "text", value, guard=guard, doc=doc)


def _read(declared: str, internal: str, doc: str = "") -> Scalar:
    """A type whose values are read by PostgreSQL's input function."""
    return Scalar(declared, f"pg_catalog.{internal}", "input", PLAIN, TEXT, doc=doc)


def _document(internal: str, doc: str, guard: Guard) -> Scalar:
    return Scalar(internal, f"pg_catalog.{internal}", "input", TEXT, json=AS_IT_IS, guard=guard, doc=doc)


_CAST = "CAST({} AS TIMESTAMP)"

TABLE: Mapping[str, Scalar] = {
    "BOOLEAN": _integer("boolean", "bool"),
    "TINYINT": _integer("smallint", "int2", "CAST({} AS SMALLINT)"),
    "UTINYINT": _integer("smallint", "int2", "CAST({} AS SMALLINT)"),
    "SMALLINT": _integer("smallint", "int2"),
    "USMALLINT": _integer("integer", "int4", "CAST({} AS INTEGER)"),
    "INTEGER": _integer("integer", "int4"),
    "UINTEGER": _integer("bigint", "int8", "CAST({} AS BIGINT)"),
    "BIGINT": _integer("bigint", "int8"),
    "UBIGINT": _numeric("hugeint", "CAST({} AS HUGEINT)"),
    "HUGEINT": _numeric("hugeint"),
    "UHUGEINT": _numeric("uhugeint"),
    "BIGNUM": Scalar("numeric", "pg_catalog.numeric", "input", TEXT, json=AS_IT_IS, guard=_DIGITS),
    "FLOAT": _float("real", "float4"),
    "DOUBLE": _float("double precision", "float8"),
    "VARCHAR": _text(value=PLAIN),
    "ENUM": _text("its label"),
    "JSON": _document("jsonb", "PostgreSQL's order of keys, the last of equal keys; `json_as`", _JSONB),
    "DATE": _time("date", PLAIN, _DATE),
    "TIME": _time("time", PLAIN, None),
    "TIME_NS": _time("time", _MICROSECONDS_OF_DAY, None, _CUT_OFF),
    "TIME WITH TIME ZONE": _read("timetz", "timetz", "with its offset"),
    "TIMESTAMP": _time("timestamp", PLAIN, _TIMESTAMP),
    "TIMESTAMP_S": _time("timestamp", _CAST, _TIMESTAMP),
    "TIMESTAMP_MS": _time("timestamp", _CAST, _TIMESTAMP),
    # Cut off as in DuckDB 1.4, which writes the sessions; a cast of DuckDB 2.0 rounds.
    "TIMESTAMP_NS": _time("timestamp", _MICROSECONDS, None, _CUT_OFF),
    "TIMESTAMP WITH TIME ZONE": _time("timestamptz", PLAIN, _TIMESTAMPTZ),
    "TIMESTAMPTZ_NS": _time("timestamptz", _MICROSECONDS_TZ, None, _CUT_OFF),
    "INTERVAL": Scalar(
        "interval", "pg_catalog.interval", "interval", PLAIN, _PACKED_INTERVAL, guard=_INTERVAL
    ),
    "UUID": Scalar("uuid", "pg_catalog.uuid", "uuid", PLAIN, "CAST({} AS UHUGEINT)"),
    "BLOB": Scalar("bytea", "pg_catalog.bytea", "bytea", text=_HEX),
    "BIT": _read("bit varying", "varbit"),
    "GEOMETRY": _text("WKT", guard=None),
    "TYPE": _text("the type's name", guard=None),
    "NULL": _text("always null", guard=None),
}
"""The types by the names that DuckDB gives them; DECIMAL is made by `scalar`."""

FALLBACK = _text("the text that DuckDB makes of it")
"""Any type that is not known here."""

SHOWN_JSON = {
    "jsonb": TABLE["JSON"],
    "json": _document("json", "", _JSON),
    "text": _text(),
}
NANOSECONDS = frozenset({"TIME_NS", "TIMESTAMP_NS", "TIMESTAMPTZ_NS"})
NANOSECONDS_AS_TEXT = _text("all nine digits")

_VARHDRSZ = 4


def scalar(kind: Kind) -> Scalar:
    """The row of a type that is no nested one."""
    if kind.name == "DECIMAL" and len(kind.numbers) == 2:
        return _decimal(*kind.numbers)
    return TABLE.get(kind.name, FALLBACK)


def _decimal(precision: int, scale: int) -> Scalar:
    typmod = ((precision << 16) | scale) + _VARHDRSZ
    declared = f"numeric({precision},{scale})"
    return Scalar(declared, "pg_catalog.numeric", "decimal", json=AS_IT_IS, typmod=typmod)
