"""The allow-list as a page of the documentation.

Made by `python -m rvbbit_fdw.pushdown.document > docs/pushdown.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rvbbit_fdw.pushdown import aggregates, allowed, query_ordered, query_pairs
from rvbbit_fdw.pushdown.entry import Collation, Entry
from rvbbit_fdw.pushdown.reasons import type_words

_BEGINNING = f"""# What DuckDB computes

A condition, an expression or an aggregate of a query runs in DuckDB only if DuckDB's answer is PostgreSQL's
for every input: the same value, the same type, the same number of digits, an error where PostgreSQL has
one. What may be computed there is one list, below. Anything else is computed by PostgreSQL, and EXPLAIN
says why (`Local: ...`). `SET rvbbit.pushdown = off` lets PostgreSQL compute everything.

The list belongs to DuckDB {allowed.DUCKDB}. Each entry is compared with PostgreSQL over all combinations of
edge values (`tests/server/test_edges.py`); this page is made from the list.

## How to read it

- `a`, `b`, `c` are the arguments. The DuckDB spelling stands for the idea; EXPLAIN shows the whole SQL.
- **E**: gives an error for some values in both. As soon as a part of a condition can fail, its parts are
  computed in PostgreSQL's order. DuckDB's error is never shown before the first row: PostgreSQL then
  computes the condition itself.
- **N**: DuckDB has no room for some values that PostgreSQL has (more than 38 digits, timestamps after the
  year 294246, infinity as a number). It gives an error then, and PostgreSQL computes the condition.
- **K**: an argument has to be known when the query is planned.
- **T**: texts are compared by code point: only under the collations `C`, `POSIX`, `ucs_basic`, `pg_c_utf8`,
  and under `default` if the database's own sorts like that. Equality of texts needs a deterministic
  collation only.
- **U**: upper and lower case: only under `pg_c_utf8`, and under `default` if the database's locale is the
  builtin `C.UTF-8`.

## Expressions

AND, OR, NOT, IS NULL, IS TRUE and the like, CASE, COALESCE, NULLIF, GREATEST, LEAST, IS DISTINCT FROM, IN,
ANY and ALL over arrays whose elements are known or computed, casts that change only the type's name,
constants and parameters. Arrays that are columns and values of types that are not below stay local.

Columns of the types BOOLEAN, integers up to HUGEINT, FLOAT, DOUBLE, DECIMAL, VARCHAR, ENUM, BLOB, DATE,
TIME, TIMESTAMP of every precision, TIMESTAMP WITH TIME ZONE, INTERVAL and UUID can be computed with, as
long as the foreign table declares them as an import does. UHUGEINT, lists, structs, maps, JSON and columns
of another declared type are only delivered.
"""

_MARKS = {Collation.ORDER: "T", Collation.CASE: "U", Collation.EQUALITY: "", Collation.IGNORED: ""}


_WHOLE = """
## Whole queries

A query, or a part of one, that reads sessions alone is one query of DuckDB: joins of all kinds, GROUP BY with
grouping sets, HAVING, DISTINCT (ON), window functions, subqueries, LATERAL, WITH, set operations, ORDER BY,
LIMIT and FETCH FIRST ... WITH TIES. What the outermost target list or HAVING has beyond the lists here
PostgreSQL computes above it. EXPLAIN says why a query does not run whole (`Query Not Whole: ...`).

| aggregates | of | |
|---|---|---|
{aggregates}
{further}

Sums and averages of floating-point numbers depend on the order of the rows in PostgreSQL itself. They are
within 1e-12 of the sum of the absolute values, variances within 1e-12 of the sum of the squares; a sum of
`real` is nearer to the exact one than PostgreSQL's, which rounds after every row. Correlation and regression
are within 1e-9; where the numbers of one side are so much alike that their variance is less than 1e-8 of the
square of the largest, all digits hang on the order of the rows, and PostgreSQL computes the query. NaN,
infinities and errors are PostgreSQL's. `SET rvbbit.float_aggregates = off` keeps all of them with PostgreSQL.

Quotients of numerics (and averages) have as many digits after the point as PostgreSQL gives them. A DECIMAL
has 38 digits; where that may not do for all values, DuckDB computes a quotient only if all rows are computed
before the first is delivered, so that PostgreSQL can still compute the query itself.

A subquery that groups, beside tables of PostgreSQL's own, is computed for all rows that conditions of
DuckDB's leave. PostgreSQL applies any condition of the outer query on what it groups by first, and so
may not compute a row that gives an error: `(SELECT b, sum(10 / b) ... GROUP BY b) ... WHERE
my_function(b)` then ends in that error. Rows never differ. The condition inside of the subquery, or `SET
rvbbit.pushdown = scans`, keeps such rows away.

A value that decides nothing of the result may be an error in PostgreSQL, which computes some of these, and
none in DuckDB: of rows that LIMIT leaves out behind an ORDER BY, of rows that find no partner in a join or
that another condition leaves out, of an argument beside one that is null. Rows never differ.

WITH RECURSIVE runs in DuckDB if the query has no LIMIT and no subquery in an expression: PostgreSQL stops as
soon as it has enough rows, DuckDB when there are no more. A cursor on a recursion without end gets no row;
`SET rvbbit.pushdown = off` lets PostgreSQL run it. RANGE frames with a distance: over integers, dates and
timestamps without time zone. GROUP BY DISTINCT, grouping sets in grouping sets, frames of a length that is no
bigint, `(a, b) IN (SELECT ...)` and `NOT IN` other than as a condition of WHERE, and ARRAY (SELECT ...)
without an order that leaves nothing open stay with PostgreSQL. So does a subquery that computes with an
interval, a floating-point number or a nested value of a query around it: DuckDB computes it once for all that
are equal, and 30 days equal a month. Comparing them is no such computing.
"""


def _further() -> Iterator[tuple[str, str, str]]:
    exact = "smallint, integer, bigint, numeric"
    arrays = sorted(type_words(kind.type) for kind in query_ordered.IN_ARRAYS)
    spreads = "`stddev` `stddev_samp` `stddev_pop` `variance` `var_samp` `var_pop`"
    yield "`avg`", exact, "the quotient of sum and count"
    yield spreads, exact, "made of sums by PostgreSQL: in the outermost target list and in HAVING"
    yield "`string_agg`", "text", "in an order that leaves nothing open"
    yield "`array_agg`", ", ".join(arrays), "in an order that leaves nothing open"
    lists, objects = "`json_agg` `jsonb_agg`", "`json_object_agg` `jsonb_object_agg`"
    of = f"{exact}, text, boolean; jsonb in jsonb"
    yield lists, of, "in an order that leaves nothing open"
    yield (
        objects,
        of,
        "keys: text and integers; in an order that leaves nothing open, or in jsonb if no key comes twice",
    )
    yield "`percentile_cont`", "double precision", "the share is known when the query starts"
    yield "`percentile_disc`", "any that can be sorted", "the share is known when the query starts"
    yield "`mode`", "any that can be sorted, but for floating-point numbers and interval", ""
    pairs = " ".join(f"`{name}`" for name in query_pairs.NAMES)
    yield (
        pairs,
        "double precision",
        "not of numbers that are alike, or not finite",
    )


def render() -> str:
    """The whole page, in Markdown."""
    sections = [*allowed.SECTIONS.items(), ("Casts by way of text", tuple(allowed.IO_CASTS.values()))]
    lists = "".join(_section(title, entries) for title, entries in sections)
    return _BEGINNING + lists + _whole()


def _whole() -> str:
    names_of: dict[tuple[str, ...], list[str]] = {}
    types_of: dict[str, list[str]] = {}
    for name in aggregates.TABLE:
        function, _, types = name.removeprefix("pg_catalog.").rpartition("(")
        types_of.setdefault(function, []).append(type_words(types.removesuffix(")")) or "*")
    for function, listed in types_of.items():
        names_of.setdefault(tuple(listed), []).append(function)
    lines = [f"| {' '.join(map(_code, names))} | {', '.join(types)} | |" for types, names in names_of.items()]
    return _WHOLE.format(
        aggregates="\n".join(lines),
        further="\n".join(f"| {names} | {types} | {note} |" for names, types, note in _further()),
    )


def _section(title: str, entries: Iterable[Entry]) -> str:
    head = f"\n## {title}\n\n| PostgreSQL | types | DuckDB | | |\n|---|---|---|---|---|\n"
    return head + "".join(f"{line}\n" for line in _lines(entries))


def _lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A line for what is alike: first all types of a name, then all names with these types."""
    types_of: dict[tuple[str, str, str, str], list[str]] = {}
    for entry in entries:
        name, _, types = entry.name.removeprefix("pg_catalog.").rpartition("(")
        words = ", ".join(type_words(each) for each in types.removesuffix(")").split(",") if each)
        types_of.setdefault((name, entry.spelling, _marks(entry), entry.note), []).append(words)
    names_of: dict[tuple[str, str, str, str], list[str]] = {}
    for (name, spelling, marks, note), types_list in types_of.items():
        names_of.setdefault(("; ".join(types_list), spelling, marks, note), []).append(name)
    for (types, spelling, marks, note), names in names_of.items():
        shown = " ".join(_code(name) for name in names)
        yield f"| {shown} | {types} | {_code(spelling)} | {marks} | {_escaped(note)} |"


def _marks(entry: Entry) -> str:
    marks = [_MARKS[entry.collation]]
    marks += [
        mark
        for mark, holds in (("E", entry.fallible), ("N", entry.narrower), ("K", entry.constants))
        if holds
    ]
    return " ".join(mark for mark in marks if mark)


def _code(text: str) -> str:
    return f"`{_escaped(text)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201
