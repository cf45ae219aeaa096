"""docs/types.md is what the type table says, and every line of it is tried out against a server."""

from collections.abc import Iterator
from pathlib import Path

from rvbbit_fdw.typemap import document, lookup
from tests.kit import type_cases, unrepresentable_cases

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "types.md"

WRITTEN_SHORT = {
    "ENUM": "ENUM('a')",
    "TIMETZ": "TIME WITH TIME ZONE",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "DECIMAL(p,s)": "DECIMAL(12,2)",
    "numeric(p,s)": "numeric(12,2)",
    "timestamp (microseconds)": "timestamp",
    "STRUCT": "STRUCT(a INTEGER)",
    "MAP": "MAP(VARCHAR, INTEGER)",
    "UNION": "UNION(a INTEGER)",
    "TUPLE": "TUPLE(INTEGER)",
    "lists of them and of lists": "INTEGER[][]",
    "LIST": "INTEGER[]",
    "ARRAY of any of these": "INTEGER[3]",
    "array": "integer[]",
    "jsonb, every number exact": "jsonb",
}
"""How the README writes types."""


def test_the_page_is_made_from_the_table() -> None:
    assert PAGE.read_text() == document.page(), "run: make docs"


def test_every_line_has_values_that_a_server_shows() -> None:
    assert {line.name for line in document.lines()} == {case.row for case in type_cases.CASES}


def test_so_has_every_line_of_what_cannot_be_held() -> None:
    guarded = {line.name for line in document.lines() if line.guard}
    assert guarded == {bad.row for bad in unrepresentable_cases.CASES.values()}


def in_short() -> Iterator[tuple[str, str]]:
    """Each type of the README's table, and what it says that becomes of it."""
    table = (ROOT / "README.md").read_text().partition("\n| DuckDB | PostgreSQL |\n|---|---|\n")[2]
    for row in table.partition("\n\n")[0].splitlines():
        theirs, ours = row.replace(" and ARRAY", ", ARRAY").strip("| ").split(" | ")
        if ours in WRITTEN_SHORT:
            yield from ((name, ours) for part in theirs.split("; ") for name in part.split(", "))
            continue
        for names, types in zip(theirs.split("; "), ours.split("; "), strict=True):
            parts, declared = names.split(", "), types.split(", ")
            yield from zip(parts, declared if len(declared) > 1 else declared * len(parts), strict=True)


def test_the_short_table_of_the_readme() -> None:
    said = dict(in_short())
    assert len(said) >= 35
    for name, ours in said.items():
        theirs = WRITTEN_SHORT.get(name, f"TIMESTAMP{name}" if name.startswith("_") else name)
        assert lookup(theirs).declared == WRITTEN_SHORT.get(ours, ours), name
