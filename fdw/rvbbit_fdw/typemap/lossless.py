"""Columns that a person declared otherwise than an import would: which casts lose nothing.

A cast may refuse a value (a number that is too large for the column), but it never changes one silently. What
is only a question of range goes through PostgreSQL's own input function, whose error names the value.
"""

from __future__ import annotations

from dataclasses import replace

from rvbbit_fdw.errors import NoLosslessCast
from rvbbit_fdw.typemap import nested, scalars
from rvbbit_fdw.typemap.kinds import Kind
from rvbbit_fdw.typemap.scalars import PLAIN, Scalar

_BYTE_INTEGERS = frozenset({"TINYINT", "UTINYINT"})
_SHORT_INTEGERS = _BYTE_INTEGERS | {"SMALLINT", "USMALLINT"}
_LONG_INTEGERS = _SHORT_INTEGERS | {"INTEGER", "UINTEGER"}
_INTEGERS = _LONG_INTEGERS | {"BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT", "BIGNUM"}
TEXTS = frozenset({"VARCHAR", "ENUM", "JSON"})
"""Types whose values are texts that may mean anything to a PostgreSQL type."""

_TIMESTAMPS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})

# Which types a DuckDB cast turns into one that the decoder takes: all of their values fit.
_WIDENED: dict[str, tuple[frozenset[str], str]] = {
    "int2": (_BYTE_INTEGERS, "SMALLINT"),
    "int4": (_SHORT_INTEGERS, "INTEGER"),
    "int8": (_LONG_INTEGERS, "BIGINT"),
    "float4": (_SHORT_INTEGERS, "FLOAT"),
    "float8": (_LONG_INTEGERS | {"FLOAT"}, "DOUBLE"),
}
# Which types PostgreSQL's input function reads from text without loss, whatever it then says of their range.
_READ: dict[str, frozenset[str]] = {
    "int2": _INTEGERS,
    "int4": _INTEGERS,
    "int8": _INTEGERS,
    "numeric": _INTEGERS | {"DECIMAL", "FLOAT", "DOUBLE"},
    "timestamp": _TIMESTAMPS | {"DATE"},
    "timestamptz": frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"}),
    "time": frozenset({"TIME", "TIME_NS"}),
    "bit": frozenset({"BIT"}),
    "varbit": frozenset({"BIT"}),
}
_TIMES = frozenset({"timestamp", "timestamptz", "time", "timetz"})
_ANY_TEXT = frozenset({"text", "varchar", "bpchar"})
_SUBSECONDS = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "DATE": 0}
_MICROSECOND_DIGITS = 6
_VARHDRSZ = 4


def scalar(kind: Kind, internal: str, typmod: int) -> Scalar:
    """How that DuckDB type reaches that PostgreSQL type; NoLosslessCast if it cannot."""
    # What is nested comes to text as DuckDB writes it.
    row = scalars.FALLBACK if nested.is_nested(kind) else scalars.scalar(kind)
    schema, _, name = internal.rpartition(".")
    if internal == row.internal and typmod in {-1, row.typmod, _all_digits(name)}:
        return row
    if not _keeps_digits(kind, name, typmod):
        raise _refused(kind, name)
    if internal == row.internal == "pg_catalog.interval":
        return row
    if kind.name in _WIDENED.get(name, ((), ""))[0] and typmod == -1:
        return replace(row, internal=internal, decoder=name, value=f"CAST({{}} AS {_WIDENED[name][1]})")
    if schema == "pg_catalog" and internal != row.internal and not _is_read(kind, name):
        raise _refused(kind, name)
    return through_text(row, internal)


def through_text(row: Scalar, internal: str) -> Scalar:
    """The same values through the text that the type's input function reads."""
    guard = scalars.FALLBACK.guard if internal.rpartition(".")[2] in _ANY_TEXT else None
    decoder = "text" if internal == "pg_catalog.text" else "input"
    return replace(row, internal=internal, decoder=decoder, value=row.text, transport=PLAIN, guard=guard)


def _is_read(kind: Kind, name: str) -> bool:
    if name in _ANY_TEXT:
        return True
    return kind.name in TEXTS or kind.name in _READ.get(name, ())


def _keeps_digits(kind: Kind, name: str, typmod: int) -> bool:
    """False if the declared precision makes PostgreSQL round."""
    if typmod == -1 or kind.name in TEXTS:
        return True
    if name in _TIMES:
        return typmod >= _SUBSECONDS.get(kind.name, _MICROSECOND_DIGITS)
    if name == "interval":
        return (typmod & 0xFFFF) >= _MICROSECOND_DIGITS and (typmod >> 16) in {0, 0x7FFF}
    if name == "numeric" and kind.name in {"FLOAT", "DOUBLE"}:
        return False
    return name != "numeric" or _scale(typmod) >= (kind.numbers[1] if kind.numbers else 0)


def _all_digits(name: str) -> int:
    return _MICROSECOND_DIGITS if name in _TIMES else -1


def _scale(typmod: int) -> int:
    """The scale of a numeric's typmod, 11 bits with a sign."""
    return (((typmod - _VARHDRSZ) & 0x7FF) ^ 1024) - 1024


def _refused(kind: Kind, name: str) -> NoLosslessCast:
    declared = f"{name[1:]}[]" if name.startswith("_") else name
    return NoLosslessCast(
        f"DuckDB type {kind.text} cannot be shown as {declared} without loss",
        hint="Declare the column as IMPORT FOREIGN SCHEMA does, or as text.",
    )
