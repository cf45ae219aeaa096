"""pgAdmin 4 as a person sees it: the tree down to a session's columns, the grid; pictures of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.served import SESSION, Matrix, rows
from tests.clients.values import NAMES
from tests.long.clients.box import Box
from tests.long.clients.browser import Page, browsing

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def page(box: Box, matrix: Matrix) -> Iterator[Page]:
    """pgAdmin, connected."""
    with browsing(box, matrix) as opened:
        yield opened


def test_the_tree_and_the_grid(page: Page, matrix: Matrix) -> None:
    """One walk, from the database to the cells."""
    page.open("rvbbit")
    page.open("Schemas")
    page.node(SESSION)
    with matrix.server.connect() as db:
        attached = {row[0] for row in rows(db, "SELECT schema_name FROM _rvbbit_sessions WHERE is_attached")}
    shown = set(page.nodes())
    assert {name for name in attached if not name.startswith("pg_")} <= shown
    page.open(SESSION)
    folder = "Tables" if matrix.shown.is_plain else "Foreign Tables"
    page.open(folder)
    page.node("_types")
    assert {"_endless", "_fails_late", "_stream", "_types"} <= set(page.nodes())
    page.open("_types")
    page.open("Columns")
    page.node("Größe in cm")
    assert f"({len(NAMES)})" in page.node("Columns")
    assert len([name for name in page.nodes() if name in NAMES]) >= 10
    page.picture(f"pgadmin tree, {folder}")
    found = cells(page, "_types")
    page.picture(f"pgadmin grid, {folder}")
    assert {"1", "2", "3", "9007199254740993", str(2**127 - 1), "1234.50"} <= found


def cells(page: Page, table: str) -> set[str]:
    """What stands in the grid of a table."""
    page.select(table)
    page.press(", ".join(f"button[{name}^='All Rows']" for name in ("aria-label", "title", "data-label")))
    page.driver.switch_to.frame(page.find("iframe", "the grid's frame"))
    try:
        page.wait(lambda: "1234.50" in texts(page), "the grid's cells")
        return texts(page)
    finally:
        page.driver.switch_to.default_content()


def texts(page: Page) -> set[str]:
    """The cells that are on the screen."""
    return {str(cell.text) for cell in page.visible(".rdg-row .rdg-cell")}
