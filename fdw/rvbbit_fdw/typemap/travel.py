"""How the values of a column reach PostgreSQL: as an import declares it, or as a person did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from rvbbit_fdw.sqltext import Sql
from rvbbit_fdw.typemap import lossless, nested, scalars, texts
from rvbbit_fdw.typemap.kinds import Kind, parse
from rvbbit_fdw.typemap.scalars import PLAIN, Guard, Scalar, inside

ERROR, NULL, REPLACE = "error", "null", "replace"
UNREPRESENTABLE = (ERROR, NULL, REPLACE)
"""What becomes of a value that PostgreSQL cannot hold."""

_JSON_TYPES = {"pg_catalog.jsonb": "jsonb", "pg_catalog.json": "json"}
NULL_LISTS = ("a null in place of an inner list", "a list of nulls")
"""What an array cannot hold, and what it is replaced by."""


@dataclass(frozen=True)
class Travel:
    """How a column's values reach PostgreSQL; in all expressions `{}` stands for the column.

    `expression` is what Arrow carries for the decoder. `value` has the same value in the DuckDB type that is
    nearest to PostgreSQL's, `text` is what PostgreSQL's input function reads.
    """

    expression: str
    decoder: str
    value: str = PLAIN
    text: str = PLAIN

    def select(self, column: Sql) -> Sql:
        """The SQL expression that delivers the column."""
        return Sql(self.expression.replace("{}", column))

    def select_text(self, column: Sql) -> Sql:
        """The SQL expression that delivers the column to a host that reads texts."""
        return Sql(self.text.replace("{}", column))

    def typed(self, column: Sql) -> Sql:
        """The SQL expression that has the column's value as PostgreSQL sees it."""
        return Sql(self.value.replace("{}", column))


@dataclass(frozen=True)
class TypeRow:
    """What an import makes of a DuckDB type; `internal` as the host names the declared type."""

    declared: str
    internal: str
    travel: Travel
    typmod: int = -1


@dataclass(frozen=True)
class Shown:
    """How an import declares what may be declared in more than one way."""

    json: str = "jsonb"
    nanoseconds: str = "microseconds"


DEFAULT = Shown()
JSON_AS = tuple(scalars.SHOWN_JSON)
NANOSECONDS_AS = ("microseconds", "text")


_ALIKE = frozenset(
    {
        ("VARCHAR", "text"),
        ("DOUBLE", "double precision"),
        ("FLOAT", "real"),
        ("BLOB", "bytea"),
        ("TIMESTAMP WITH TIME ZONE", "timestamptz"),
        ("JSON", "jsonb"),
    }
)


def is_alike(duckdb_type: str, declared: str) -> bool:
    """True if every user of PostgreSQL takes the two types for the same."""
    return duckdb_type.replace("DECIMAL", "numeric").lower() == declared or (duckdb_type, declared) in _ALIKE


def canonical(duckdb_type: str) -> str:
    """The type's text as options keep it: enums without their members, since they travel as text."""
    kind = parse(duckdb_type)
    text = duckdb_type if kind is None else kind.text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # a field's name may have one, an option may not


@lru_cache(maxsize=1024)
def lookup(duckdb_type: str, shown: Shown = DEFAULT) -> TypeRow:
    """What an import makes of a DuckDB type, given as duckdb_columns().data_type writes it."""
    kind = parse(duckdb_type)
    row = scalars.FALLBACK if kind is None else _declared(kind, shown)
    return TypeRow(row.declared, row.internal, travel(duckdb_type, row.internal, row.typmod), row.typmod)


@lru_cache(maxsize=1024)
def travel(duckdb_type: str, internal: str, typmod: int, unrepresentable: str = ERROR) -> Travel:
    """How a column of that DuckDB type reaches a column of that PostgreSQL type.

    errors.NoLosslessCast if it cannot without loss. A DuckDB type that is not known ("") is taken as text.
    """
    kind = parse(duckdb_type)
    if kind is None:
        row = lossless.through_text(scalars.FALLBACK, internal)
        return _scalar(row, internal, typmod, unrepresentable)
    if internal in _JSON_TYPES and kind.name not in lossless.TEXTS:
        return _document(kind, _JSON_TYPES[internal], unrepresentable)
    if internal in _JSON_TYPES and kind.name == "JSON":
        return _scalar(scalars.SHOWN_JSON[_JSON_TYPES[internal]], internal, typmod, unrepresentable)
    if kind.is_list and internal.rpartition(".")[2].startswith("_"):
        return _array(kind, internal, typmod, unrepresentable)
    return _scalar(lossless.scalar(kind, internal, typmod), internal, typmod, unrepresentable)


def _declared(kind: Kind, shown: Shown) -> Scalar:
    if nested.is_document(kind):
        return scalars.SHOWN_JSON["jsonb"]
    if kind.is_list:
        element = _declared(kind.innermost, shown)
        schema, name = element.internal.split(".")
        return replace(element, declared=f"{element.declared}[]", internal=f"{schema}._{name}")
    if kind.name == "JSON":
        return scalars.SHOWN_JSON[shown.json]
    if kind.name in scalars.NANOSECONDS and shown.nanoseconds == "text":
        return scalars.NANOSECONDS_AS_TEXT
    return scalars.scalar(kind)


def _scalar(row: Scalar, internal: str, typmod: int, unrepresentable: str) -> Travel:
    value = _guarded(row.value, row.guard, unrepresentable)
    carried = inside(row.transport, value)
    text = texts.scalar(row.decoder, carried if row.decoder == "input" else value, internal, typmod)
    return Travel(carried, row.decoder, value, text)


def _document(kind: Kind, declared: str, unrepresentable: str) -> Travel:
    value = _guarded(nested.document(kind), scalars.SHOWN_JSON[declared].guard, unrepresentable)
    return Travel(value, "input", value, value)


def _array(kind: Kind, internal: str, typmod: int, unrepresentable: str) -> Travel:
    schema, _, name = internal.rpartition(".")
    element = travel(kind.innermost.text, f"{schema}.{name[1:]}", typmod, unrepresentable)
    value = _guarded(PLAIN, _list_guard(kind), unrepresentable)
    carried = inside(nested.elements(kind, element.expression), value)
    typed = inside(nested.elements(kind, element.value), value)
    text = texts.array(kind, element.decoder, value, element.value)
    return Travel(carried, f"{element.decoder}[]", typed, text)


def _list_guard(kind: Kind) -> Guard | None:
    if not kind.element.is_list:
        return None
    return Guard(nested.has_null_lists(kind), nested.without_null_lists(kind), *NULL_LISTS)


def _guarded(value: str, guard: Guard | None, unrepresentable: str) -> str:
    if guard is None or unrepresentable == ERROR:
        return value
    bad, instead = (
        inside(guard.bad, value),
        "NULL" if unrepresentable == NULL else inside(guard.instead, value),
    )
    return f"CASE WHEN {bad} THEN {instead} ELSE {value} END"
