"""Values at the edges of each type, and the constants for entries of the allow-list that want one.

Values are as PostgreSQL writes them; every pool begins with null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.kinds import Kind, decimal


@dataclass(frozen=True)
class Pool:
    """Values of one carrier; `declared` is the column's type in PostgreSQL."""

    kind: Kind
    declared: str
    values: tuple[str | None, ...]


NINES = "9" * 38
BOTTOM, TOP = str(-(1 << 127)), str((1 << 127) - 1)

_BY_NAME: Mapping[str, str] = {
    "bool": "t f",
    "int2": "-32768 -32767 -182 -7 -2 -1 0 1 2 3 7 10 181 182 16384 32766 32767",
    "int4": "-2147483648 -2147483647 -46341 -32769 -7 -2 -1 0 1 2 3 7 10 46340 46341 1073741824 2147483646"
    " 2147483647",
    "int8": "-9223372036854775808 -9223372036854775807 -2147483649 -3037000500 -7 -2 -1 0 1 2 3 7 10"
    " 3037000499 3037000500 4611686018427387904 9007199254740993 9223372036854775806 9223372036854775807",
    "float4": "NaN -Infinity -3.4028235e+38 -32768.5 -2.5 -1.5 -1 -0.5 -1e-45 -0 0 1e-45 1.1754944e-38 0.1"
    " 0.5 1 1.5 2 2.5 32767.5 16777216 16777217 2.1474836e+09 2.1474838e+09"
    " 9.223372e+18 3.4028235e+38 Infinity",
    "float8": "NaN -Infinity -1.7976931348623157e+308 -9.223372036854775808e+18 -2147483648.5 -32768.5 -2.5"
    " -1.5 -1 -0.5 -5e-324 -0 0 5e-324 2.2250738585072014e-308 0.1 0.49999999999999994 0.5 1 1.5 2 2.5 10"
    " 32767.5 2147483647.4 2147483647.5 9007199254740993 9223372036854774784 9.223372036854775808e+18"
    " 1e+154 3.4028235e+38 3.4028236e+38 1e-46 1.7976931348623157e+308 Infinity",
    "bytea": r"\x \x00 \x0000 \x01 \x61 \x6100 \x7f \x80 \xff \xff00 \xffff \xe4",
    "time": "00:00:00 00:00:00.000001 01:02:03.5 11:59:59.999999 12:00:00 23:59:59.999999 24:00:00",
    "uuid": "00000000-0000-0000-0000-000000000000 00000000-0000-0000-0000-000000000001"
    " 7fffffff-ffff-ffff-ffff-ffffffffffff 80000000-0000-0000-0000-000000000000"
    " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 ffffffff-ffff-ffff-ffff-ffffffffffff",
}

_DATES = (
    "-infinity|4714-11-24 BC|4713-01-01 BC|0044-03-15 BC|0001-12-31 BC|0001-01-01|1582-10-04|1582-10-15"
    "|1899-12-31|1969-12-31|1970-01-01|1999-12-31|2000-01-01|2000-02-29|2000-03-01|2001-02-28|2004-12-31"
    "|2005-01-01|2020-12-28|2021-01-03|2024-02-29|2026-11-22|9999-12-31|10000-01-01|294246-12-31|294247-01-10"
    "|294247-01-11|294276-12-31|294277-01-01|5874897-12-31|infinity"
)

_MOMENTS = (
    "-infinity|4714-11-24 00:00:00 BC|4714-12-31 23:59:59.999999 BC|4713-01-01 00:00:00 BC"
    "|0044-03-15 12:34:56.789 BC|0001-01-01 00:00:00|1582-10-04 23:59:59.999999|1582-10-15 00:00:00"
    "|1900-01-01 00:00:00|1969-12-31 23:59:59.999999|1970-01-01 00:00:00|1999-12-31 23:59:59.5"
    "|2000-01-01 00:00:00|2000-02-29 12:00:00|2001-02-28 00:00:00|2004-12-31 23:59:59.999999"
    "|2005-01-02 03:04:05.678901|2020-12-31 00:00:00|2021-01-03 01:00:00|2024-01-31 23:00:00"
    "|2024-02-29 00:00:00.000001|2024-03-10 02:30:00|2024-03-31 02:30:00"
    "|2024-10-27 02:30:00|2024-11-03 01:30:00|2026-11-22 19:00:00|9999-12-31 23:59:59.999999"
    "|10000-01-01 00:00:00|294246-12-31 23:59:59.999999|infinity"
)

_INTERVALS = (
    "00:00:00|00:00:00.000001|-00:00:00.000001|23:59:59.999999|24:00:00|1 day|-1 days|1 day -24:00:00|29 days"
    "|30 days|31 days|1 mon|-1 mons|1 mon -30 days|11 mons 30 days|12 mons|1 year"
    "|1 year 2 mons 3 days 04:05:06.7|-1 years -2 mons +3 days -04:05:06.7|100 years"
    "|2562047788:00:54.775807|-2562047788:00:54.775807|178956970 years 7 mons|-178956970 years -8 mons"
    "|2147483647 days|-2147483648 days"
)

# Blanks, escapes, composed and decomposed letters, letters whose other case is odd, joined and flag emoji.
_TEXTS = (
    *("", " ", "  ", "a", "A", "a ", " a", "b", "ab", "aB", "abc", "ABC", "abcabc", "%", "_", "a%", "a_c"),
    *("a\\", "\\", "a\\b", "a\nb", "\u00df", "\u1e9e", "\u00e9", "\u00c9", "e\u0301", "\u0130", "\u0131"),
    *("\u03a3", "\u0391\u03a3", "\u03c2", "\u017f", "\u212a", "\u01c6", "\u01c5", "\ufb01", "\U0001f600"),
    *("a\U0001f600b", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\uffff", "\U0010ffff", "\x01", "\x7f"),
    *(
        "\u00e4\u00f6\u00fc",
        "x,y,z",
        ",",
        "a,,b",
        "'",
        '"',
        "0",
        "12",
        " 12 ",
        "-5",
        "1.5",
        "1e3",
        "NaN",
        "true",
    ),
    *("\t", "\u00a0", "\u3000", "za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105", "\u65e5\u672c\u8a9e"),
    "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
)


def _zoned(moment: str) -> str:
    return moment if "infinity" in moment else re.sub(r"( BC)?$", r"+00\1", moment, count=1)


def _pool(kind: Kind, values: Sequence[str]) -> Pool:
    return Pool(kind, kind.type, (None, *values))


def _numbers(kind: Kind, values: str) -> Pool:
    declared = "numeric" if kind is kinds.HUGEINT else f"numeric({kind.digits},{kind.scale})"
    return Pool(kind, declared, (None, *values.split()))


POOLS: Mapping[str, Sequence[Pool]] = {
    **{
        name: (_pool(kinds.FIXED[f"pg_catalog.{name}"], values.split()),) for name, values in _BY_NAME.items()
    },
    "numeric": (
        _numbers(
            decimal(5, 2), "-999.99 -2.50 -1.50 -1.00 -0.51 -0.50 -0.01 0 0.01 0.49 0.50 1 2.5 10 999.99"
        ),
        _numbers(
            decimal(18, 4),
            "-99999999999999.9999 -2147483648.5 -32768.5 -3 -0.0001 0 0.0001 1 7.5 10 32767.5 2147483647.5"
            " 99999999999999.9999",
        ),
        _numbers(decimal(38, 0), f"-{NINES} -9223372036854775809 -1 0 1 3 10 9223372036854775808 {NINES}"),
        _numbers(kinds.HUGEINT, f"{BOTTOM} -{NINES} -1 0 1 2 10 9223372036854775807 {NINES} {TOP}"),
    ),
    "text": (_pool(kinds.TEXT, _TEXTS),),
    "varchar": (_pool(kinds.VARCHAR, _TEXTS),),
    "date": (_pool(kinds.DATE, _DATES.split("|")),),
    "timestamp": (_pool(kinds.TIMESTAMP, _MOMENTS.split("|")),),
    "timestamptz": (_pool(kinds.TIMESTAMPTZ, [_zoned(moment) for moment in _MOMENTS.split("|")]),),
    "interval": (_pool(kinds.INTERVAL, _INTERVALS.split("|")),),
}
"""By PostgreSQL's name of the type; a numeric has several carriers."""

PATTERNS = (
    *(
        "",
        "%",
        "_",
        "a",
        "a%",
        "%a",
        "%a%",
        "a_c",
        "_%",
        "%_",
        "__",
        "%b%c%",
        "a\\%",
        "a\\_c",
        "a\\\\",
        "\\\\%",
    ),
    *(
        "A%",
        "%\u00c9%",
        "\u00df",
        "%\u00df%",
        "_\U0001f600%",
        "%\\\\b",
        "\u0391\u03a3",
        "%\u017f%",
        "\u0130%",
    ),
    *("% ", "a\nb", "'", "\\a", "\u212a", "%,%,%"),
)
REGULAR_EXPRESSIONS = (
    *(
        "",
        "a",
        "^a",
        "a$",
        "^a$",
        "a|b",
        "^(a|b)$",
        ".",
        "^.$",
        "^..$",
        "a.c",
        "a.b",
        "[ab]",
        "[^a]",
        "^[^a]*$",
    ),
    *(
        "[a-c]+",
        "[]a]",
        "[^]a]",
        "[a-]",
        "[-a]",
        "a*",
        "^a*$",
        "(ab)+",
        "^(?:abc){2}$",
        "a{1,2}b",
        "^[0-9]+$",
    ),
    *("^\\d+$", "\\s", "^\\S+$", "^\\D*$", "[[:digit:]]", "[[:space:]]", "\\.", "\\\\", "%", "_", "\u00e9"),
    *("^\U0001f600", "a\U0001f600b", "\u00df", "\u212a", "\u017f", "[\u00e0-\u00ff]", "a\nb", "\\n", "a\\tb"),
    *(
        "a+?b",
        "x,y",
        ",{2}",
        "[,.]",
        "\\$",
        "[$^]",
        "^-?[0-9]*\\.?[0-9]+$",
        "^\\s*[+-]?\\d+\\s*$",
        "true|false",
    ),
    # Refused, because RE2's would mean something else or PostgreSQL has none:
    *(
        "\\w",
        "(a",
        "a)",
        "*a",
        "a**",
        "(?i)a",
        "***=a",
        "(a)\\1",
        "(?=a)",
        "\\ma",
        "[[.a.]]",
        "a{1",
        "a|",
        "()",
    ),
)
LENGTHS = ("-2147483648", "-1", "0", "1", "2", "3", "5", "10")
FILLINGS = ("", " ", "x", "xy", "\u00e9", "e\u0301", "\U0001f600a")
DIGITS = ("-3", "-2", "-1", "0", "1", "2", "3", "5", "30")
MODIFIERS = tuple(
    str(((digits << 16) | scale) + 4)
    for digits, scale in ((1, 0), (5, 2), (4, 2), (10, 4), (38, 0), (38, 10), (18, 18))
)
FIELDS = (
    *(
        "year",
        "isoyear",
        "decade",
        "century",
        "millennium",
        "quarter",
        "month",
        "week",
        "day",
        "dow",
        "isodow",
    ),
    *("doy", "hour", "minute", "second", "milliseconds", "microseconds", "epoch", "julian", "YEAR"),
)
FORMATS = (
    *("YYYY-MM-DD", "YYYY-MM", "YYYY", "YYYYMMDD", "HH24:MI:SS", "DD/MM/YYYY HH24:MI", "MM.DD, YYYY"),
    *("YYYY Mon", "Day", "yyyy", "", "FMMM", '"x"YYYY', "YYYY%MM"),
)
INDEXES = ("-2147483648", "-3", "-2", "-1", "0", "1", "2", "3", "2147483647")

WHOLE_PATTERNS = (
    *(
        "^([^b]+)$",
        "^([^b]*)b.*$",
        "^a?b([^c]*)c.*$",
        "^(?:ab)?([^b]+)$",
        "^(?:a)?([^ ]*) .*$",
        "^([^,]+),[0-9]*$",
    ),
    *("^([^\u00e9]+)\u00e9.*$", "^x([^/]*)$", "^-?([^-]+)$", "^([^\\.]+)\\..*$", "^a([^a]+)a?$"),
    # Refused, because a group may take something else:
    *("([^b]+)", "^(a|ab)(c|bcd)$", "^(.*)$", "^a?([^b]+)$", "^([^b]+)c$", "^a*([^b]+)b$", "^([^b]+)|c$"),
)
DIVISORS = (
    *(
        "1",
        "-1",
        "3",
        "7.0",
        "300",
        "-0.5",
        "9999",
        "10000",
        "10000.5",
        "0.0001",
        "12345678901234",
        "0",
        "0.00",
    ),
    "99999999999999999999",
)
REPLACEMENTS = ("\\1", "<\\1>", "", "\\1\\1\u00e9", "\\&", "x\\2", "\\\\1")

Constants = dict[int, Sequence[str]]

_PATTERN_NAMES = ("~~", "!~~", "~~*", "!~~*", "like", "notlike", "texticlike", "texticnlike")
_REGEX_NAMES = (
    "~",
    "!~",
    "~*",
    "!~*",
    "textregexeq",
    "textregexne",
    "texticregexeq",
    "texticregexne",
    "regexp_like",
)


def _constants() -> Iterator[tuple[str, Constants]]:
    for name in _PATTERN_NAMES:
        yield f"{name}(text,text)", {1: PATTERNS}
    for name in _REGEX_NAMES:
        yield f"{name}(text,text)", {1: REGULAR_EXPRESSIONS}
    yield "regexp_replace(text,text,text)", {1: WHOLE_PATTERNS, 2: REPLACEMENTS}
    yield "/(numeric,numeric)", {1: DIVISORS}
    for name in ("round", "trunc"):
        yield f"{name}(numeric,int4)", {1: DIGITS}
    yield "numeric(numeric,int4)", {1: (*MODIFIERS, "-1")}
    for name in ("lpad", "rpad"):
        yield f"{name}(text,int4)", {1: LENGTHS}
        yield f"{name}(text,int4,text)", {1: LENGTHS, 2: FILLINGS}
    yield "repeat(text,int4)", {1: LENGTHS}
    yield "varchar(varchar,int4,bool)", {1: ("5", "6", "8"), 2: ("t", "f")}
    yield "encode(bytea,text)", {1: ("hex", "base64")}
    for type_name in ("date", "time", "timestamp", "timestamptz", "interval"):
        for name in ("extract", "date_part", "date_trunc"):
            yield f"{name}(text,{type_name})", {0: FIELDS}
        yield (
            f"timezone(text,{type_name})",
            {0: ("UTC", "Europe/Paris", "America/New_York", "America/Sao_Paulo")},
        )
    for type_name in ("timestamp", "timestamptz"):
        yield f"to_char({type_name},text)", {1: FORMATS}
    # With three arguments all combinations would be too many.
    yield "replace(text,text,text)", {2: ("", "a", "\u00e9", "abc")}
    yield (
        "translate(text,text,text)",
        {1: ("", "a", "abc", "aba", "\u00e9", "\U0001f600a"), 2: ("", "x", "\u00e9b", "\U0001f600")},
    )
    for name in ("substr", "substring"):
        yield f"{name}(text,int4,int4)", {2: ("-2147483648", "-1", "0", "1", "2", "5", "2147483647")}
    yield "split_part(text,text,int4)", {2: INDEXES}
    yield "make_date(int4,int4,int4)", {2: ("-1", "0", "1", "28", "29", "31", "32")}


CONSTANTS: Mapping[str, Constants] = dict(_constants())
"""By the entry's name: for an argument's place the values it is given as a constant."""

SHAPES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "concat(any)": [("text", "text"), ("text", "int4"), ("int8", "text")],
    "concat_ws(text,any)": [("text", "text"), ("text", "int4")],
}
"""Types of the arguments for entries that take any."""
