"""docs/types.md is what the type table says, and every line of it is tried out against a server."""

from pathlib import Path

from rvbbit_fdw.typemap import document
from tests.kit import type_cases, unrepresentable_cases

PAGE = Path(__file__).parents[2] / "docs" / "types.md"


def test_the_page_is_made_from_the_table() -> None:
    assert PAGE.read_text() == document.page(), "run: make docs"


def test_every_line_has_values_that_a_server_shows() -> None:
    assert {line.name for line in document.lines()} == {case.row for case in type_cases.CASES}


def test_so_has_every_line_of_what_cannot_be_held() -> None:
    guarded = {line.name for line in document.lines() if line.guard}
    assert guarded == {bad.row for bad in unrepresentable_cases.CASES.values()}
