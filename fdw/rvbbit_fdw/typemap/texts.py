"""Values as the text that PostgreSQL's input functions read, for a host that does not read Arrow.

Whole numbers and truth values stay as they are: their text is made fastest by whoever reads them. In every
expression `{}` stands for the value in the DuckDB type that is nearest to PostgreSQL's.
"""

from __future__ import annotations

from rvbbit_fdw.typemap.kinds import Kind
from rvbbit_fdw.typemap.scalars import PLAIN, TABLE, TEXT, inside

NUL_TEXT = "a text has a NUL character, which PostgreSQL cannot hold"
LIKE_INFINITY = "an interval is one that PostgreSQL takes for infinity"
TOO_LONG = "value too long for type character varying"

_AS_THEY_ARE = frozenset({"bool", "int2", "int4", "int8", "bytea"})
_VARHDRSZ = 4

# DuckDB writes "0044-03-15 (BC)".
_DATED = f"replace({TEXT}, '(BC)', 'BC')"

# Signs on all parts: a sign on the first alone stands for all under IntervalStyle sql_standard.
_SIGNED = "printf('%+d', {})"
_MONTHS = "datepart('year', {}) * 12 + datepart('month', {})"
_TIME = "datepart('hour', {}) * 3600000000 + datepart('minute', {}) * 60000000 + datepart('microsecond', {})"
_PARTS = " || ".join(
    f"{inside(_SIGNED, part)} || ' {unit}'"
    for part, unit in (
        (f"CAST({_MONTHS} AS BIGINT)", "mons "),
        ("CAST(datepart('day', {}) AS BIGINT)", "days "),
        (f"CAST({_TIME} AS BIGINT)", "microseconds"),
    )
)

_INFINITE = TABLE["INTERVAL"].guard
_INTERVAL = (
    f"CASE WHEN {_INFINITE.bad} THEN error('{LIKE_INFINITY}') ELSE {_PARTS} END" if _INFINITE else _PARTS
)

_BY_DECODER = {
    **dict.fromkeys(_AS_THEY_ARE, PLAIN),
    **dict.fromkeys(("date", "timestamp", "timestamptz"), _DATED),
    "interval": _INTERVAL,
}
_WITHIN_ARRAY = {"bool": TEXT, "bytea": r"'\x' || hex({})"}
_STRINGS = frozenset({"text", "input"})


def scalar(decoder: str, value: str, internal: str, typmod: int) -> str:
    """The expression for a value that is no array; `value` is its typed expression."""
    text = inside(_BY_DECODER.get(decoder, TEXT), value)
    if decoder not in _STRINGS:
        return text
    return _fitting(_without_nul(text), internal, typmod)


def array(kind: Kind, decoder: str, value: str, element: str, depth: int = 1) -> str:
    """The literal of an array; `element` is the typed expression of one, `value` the list's."""
    name = f"t{depth}"
    if kind.element.is_list:
        one = array(kind.element, decoder, name, element, depth + 1)
    else:
        one = _quoted(decoder, inside(element, name))
    listed = f"list_transform({value}, lambda {name}: coalesce({one}, 'NULL'))"
    return f"CASE WHEN {value} IS NOT NULL THEN concat('{{', array_to_string({listed}, ','), '}}') END"


def _quoted(decoder: str, value: str) -> str:
    """An element of an array: in quotes unless no text of its type needs them."""
    if decoder in _STRINGS:
        escaped = rf"""replace(replace({_without_nul(inside(TEXT, value))}, '\', '\\'), '"', '\"')"""
        return f"""'"' || {escaped} || '"'"""
    template = _WITHIN_ARRAY.get(decoder) or _BY_DECODER.get(decoder, TEXT)
    if decoder == "bytea":
        return rf"""'"\' || {inside(template, value)} || '"'"""
    text = inside(TEXT, value) if template == PLAIN else inside(template, value)
    return f"""'"' || {text} || '"'"""


def _without_nul(text: str) -> str:
    return f"CASE WHEN contains({text}, chr(0)) THEN error('{NUL_TEXT}') ELSE {text} END"


def _fitting(text: str, internal: str, typmod: int) -> str:
    """A text within the length of its type, which a host may not check; spaces at its end may go."""
    if internal != "pg_catalog.varchar" or typmod < _VARHDRSZ:
        return text
    most = typmod - _VARHDRSZ
    long = f"length(rtrim({text}, ' ')) > {most}"
    return f"CASE WHEN {long} THEN error('{TOO_LONG}({most})') ELSE left({text}, {most}) END"
