"""The page about pushdown says what the allow-list says."""

from pathlib import Path

from rvbbit_fdw.pushdown.document import render

PAGE = Path(__file__).parents[2] / "docs" / "pushdown.md"


def test_the_page_is_made_from_the_list() -> None:
    assert PAGE.read_text() == render(), "run: make docs"
