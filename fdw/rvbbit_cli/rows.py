"""Rows of any table on a screen: as a table where they fit, else one value a line."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from rvbbit_cli import screen
from rvbbit_cli.contents import Sample
from rvbbit_cli.screen import Column, shown

# smallint, integer, bigint, oid, real, double precision, numeric, money
_NUMBERS = frozenset({21, 23, 20, 26, 700, 701, 1700, 790})
_LONGEST = 300


def show(console: Console, sample: Sample, whole: bool) -> None:
    """Print the rows; on a terminal long values are cut unless `whole`."""
    cut = not whole and console.is_terminal
    rows = [[_cell(value, cut) for value in row] for row in sample.rows]
    if not console.is_terminal or _fits(sample, rows, console.width):
        columns = [
            Column(shown(name).plain, "right" if oid in _NUMBERS else "left")
            for name, oid in zip(sample.names, sample.oids, strict=True)
        ]
        screen.show(console, screen.table(columns, rows))
    else:
        screen.show(console, *_records(sample, rows))


def _cell(value: str | None, cut: bool) -> Text:
    if value is None:
        return Text("null", style="dim italic")
    return shown(f"{value[:_LONGEST]}…" if cut and len(value) > _LONGEST else value)


def _fits(sample: Sample, rows: list[list[Text]], width: int) -> bool:
    widths = [cell_len(shown(name).plain) for name in sample.names]
    for row in rows:
        widths = [max(known, cell.cell_len) for known, cell in zip(widths, row, strict=True)]
    return sum(widths) + 2 * max(0, len(widths) - 1) <= width


def _records(sample: Sample, rows: list[list[Text]]) -> Iterator[RenderableType]:
    """Each row by itself, as psql does in its expanded form."""
    for number, row in enumerate(rows, 1):
        if number > 1:
            yield Text()
        yield Text(f"row {number}", style="bold")
        pairs = ([shown(name, "cyan"), cell] for name, cell in zip(sample.names, row, strict=True))
        made = screen.table([Column("", folds="name"), Column("", folds="sentence")], pairs)
        made.show_header = False
        yield made
