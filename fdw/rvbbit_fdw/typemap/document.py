"""The documentation page of the types, made from their table: python -m rvbbit_fdw.typemap.document."""

# The lines are those of the page.
# ruff: noqa: E501

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rvbbit_fdw.typemap.scalars import TABLE, Guard
from rvbbit_fdw.typemap.travel import NULL_LISTS, lookup

_INTRODUCTION = """\
# Types

<!-- Made from the type table by "make docs"; a test compares the two. -->

What IMPORT FOREIGN SCHEMA declares for each DuckDB type, and how its values get to PostgreSQL: *native* ones are
decoded from DuckDB's Arrow form as they are, *read* ones go through the type's input function as text. No value is
changed but as this page says.
"""

_GUARDED = """
## Values that PostgreSQL cannot hold

The option `on_unrepresentable` of the foreign table, else that of the server, says what becomes of them: `error`
(default) raises an error that names table, column and value; with `null` such a value, or the element of an array,
is null; with `replace` it is replaced as below. The mapping is part of the SQL that DuckDB runs, so conditions see the
same values.

| DuckDB | cannot be held | replaced by |
|---|---|---|
"""

_REST = """
What is inside `jsonb` follows the line of JSON, also where DuckDB has no JSON but a STRUCT or a MAP.

A value that is longer than 1 GB, or a list of more than 134,217,727 elements, is an error always; so is a number in
JSON that numeric cannot hold. Columns that were declared by hand as something else follow the option as far as text goes.

## Arrays

A LIST or ARRAY of a type that is not nested is a PostgreSQL array of that type; ARRAYs inside ARRAYs, or inside one
LIST, are further dimensions, six at most. What an array of PostgreSQL cannot be (lists inside lists, which may be of
different lengths; lists of structures) is `jsonb`. A column of lists of lists that all are of one length may be declared
by hand as an array.

## Documents

`jsonb` has what PostgreSQL's own `to_jsonb` would make of the value:

- Numbers keep every digit, zeros at the end of a DECIMAL too. NaN and the infinities are strings: `"NaN"`,
  `"Infinity"`, `"-Infinity"`.
- Any other value is a string that the input function of its PostgreSQL type in the table above reads: bytes in hex,
  times with all their digits, those with a time zone in UTC. Only inside a VARIANT bytes are as DuckDB writes them.
- A STRUCT is an object, a TUPLE an array, a UNION an object with the member's name as its one key.
- A MAP is an object whose keys are texts. If its keys are nested or VARIANT, it is an array of objects with `key` and `value`.
- Keys are in PostgreSQL's order. Of equal keys, which JSON columns may have, the last one counts. Declared by hand as
  `json`, a column keeps order and all keys.

## Options of the server

| option | values | meaning |
|---|---|---|
| `on_unrepresentable` | `error`, `null`, `replace` | see above; a foreign table may have its own |
| `json_as` | `jsonb`, `json`, `text` | how an import declares JSON columns, and arrays of them |
| `nanoseconds_as` | `microseconds`, `text` | how an import declares TIME_NS, TIMESTAMP_NS and TIMESTAMPTZ_NS |

`json_as` and `nanoseconds_as` act when a table is imported, or when sync next looks into an attached session.

## Columns declared by hand

CREATE FOREIGN TABLE and ALTER FOREIGN TABLE may declare another type where nothing is lost: a wider number, `numeric` for
any number, `text` for anything, `json` or `jsonb` for anything, arrays by their elements, a domain. A VARCHAR may be
anything whose input function reads it. Where the type could only show some values in part (a timestamp as `date`, a
DECIMAL with fewer digits, a number as `boolean`), reading the column is an error that says so; a value that is out of the declared
type's range is an error that names it.
"""


@dataclass(frozen=True)
class Line:
    """A line of the page: a DuckDB type, an example of it for the table, and what there is to say."""

    name: str
    example: str
    doc: str
    guard: Guard | None = None


def lines() -> Iterator[Line]:
    """All lines, in the page's order."""
    for name, row in TABLE.items():
        yield Line(name, '"NULL"' if name == "NULL" else name, row.doc, row.guard)
        if name == "DOUBLE":
            yield Line("DECIMAL", "DECIMAL(18,3)", "with its precision and scale")
    yield Line("LIST", "INTEGER[]", "an array of the element's type")
    yield Line(
        "ARRAY", "INTEGER[3][2]", "an array, with a dimension for each level", Guard("", "", *NULL_LISTS)
    )
    yield Line("nested LIST", "INTEGER[][]", "an array of JSON")
    yield Line("STRUCT", "STRUCT(a INTEGER)", "an object")
    yield Line("MAP", "MAP(VARCHAR, INTEGER)", "an object, or an array of entries")
    yield Line("UNION", "UNION(a INTEGER)", "an object of one key")
    yield Line("TUPLE", "TUPLE(INTEGER)", "an array of JSON")
    yield Line("VARIANT", "VARIANT", "whatever the value is")


def page() -> str:
    """The page as Markdown."""
    table = "".join(f"| {' | '.join(_cells(line))} |\n" for line in lines())
    guarded = "".join(_guarded(line) for line in lines())
    head = "\n| DuckDB | PostgreSQL | how | |\n|---|---|---|---|\n"
    return _INTRODUCTION + head + table + _GUARDED + guarded + _REST


def _cells(line: Line) -> tuple[str, str, str, str]:
    row = lookup(line.example)
    way = "read" if row.travel.decoder.startswith("input") else "native"
    return _shown(line), f"`{row.declared}`", way, line.doc


def _shown(line: Line) -> str:
    example = "" if line.example.strip('"') == line.name else f", as `{line.example}`"
    return f"{line.name}{example}"


def _guarded(line: Line) -> str:
    guard = line.guard
    return f"| {line.name} | {guard.bad_doc} | {guard.instead_doc} |\n" if guard else ""


if __name__ == "__main__":
    sys.stdout.write(page())
