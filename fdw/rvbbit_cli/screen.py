"""What is shown: tables for people, JSON and CSV for programs, progress on stderr.

Colours and folding to the window's width are for terminals only; a file or a pipe gets every value whole.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_ENDLESS = 100_000
_UNITS = ("bytes", "kB", "MB", "GB", "TB")

STATE_STYLES: Mapping[str, str] = {
    "ready": "green",
    "live": "bold cyan",
    "empty": "dim",
    "corrupt": "red",
    "unreadable": "red",
    "encrypted": "yellow",
    "newer": "yellow",
}


def out() -> Console:
    """The console of stdout; as wide as it must be where that is no terminal."""
    width = None if sys.stdout.isatty() else _ENDLESS
    return Console(file=sys.stdout, width=width, markup=False, emoji=False, highlight=False)


def err() -> Console:
    """The console of stderr, for progress and remarks."""
    return Console(file=sys.stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


def show(console: Console, *parts: RenderableType) -> None:
    """Print, without blanks at line ends where that is not a terminal."""
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    for part in parts:
        lines = part.lines() if isinstance(part, Sheet) else _drawn(console, part)
        console.file.writelines(f"{line.rstrip()}\n" for line in lines)


def _drawn(console: Console, part: RenderableType) -> list[str]:
    with console.capture() as captured:
        console.print(part)
    return captured.get().splitlines()


def say(text: Text) -> None:
    """A sentence on stdout, which the terminal itself wraps, so that it can be copied whole."""
    out().print(text, soft_wrap=True)


def remark(text: str) -> None:
    """A line on stderr, for what is not the answer itself."""
    err().print(Text(text, style="dim"))


# --- Tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column of a table; one that folds takes the room that the others leave.

    A name is to be copied whole: beside a sentence it folds only where that would have no room.
    """

    title: str
    align: Literal["left", "right"] = "left"
    folds: Literal["", "name", "sentence"] = ""


_GAP = 2
_ROOM = 20  # characters that a sentence needs beside names


class Sheet(Table):
    """A table without lines, each cell of which is one line."""

    def lines(self) -> Iterator[str]:
        """As it is drawn where there is room enough; rich itself takes half a second for 1,000 rows."""
        widths: list[int] = []
        columns: list[list[str]] = []
        for column in self.columns:
            cells = [*([column.header] if self.show_header else []), *column.cells]
            columns.append([cell.plain if isinstance(cell, Text) else str(cell) for cell in cells])
            widths.append(max(map(cell_len, columns[-1]), default=0))
        aligned = [column.justify == "right" for column in self.columns]
        for row in zip(*columns, strict=True):
            yield (" " * _GAP).join(map(_padded, row, widths, aligned))


def _padded(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def table(columns: Sequence[Column], rows: Iterable[Sequence[Text]], console: Console | None = None) -> Sheet:
    """A table of these rows for a console (that of stdout), its titles in bold."""
    made = Sheet(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    cells = list(rows)
    whole = _names_fit(columns, cells, (console or out()).width)
    for column in columns:
        is_sentence = column.folds == "sentence"
        made.add_column(
            column.title,
            justify=column.align,
            no_wrap=not (is_sentence or (column.folds and not whole)),
            overflow="fold" if column.folds else "ellipsis",
            max_width=_ROOM if is_sentence and not whole else None,
        )
    for row in cells:
        made.add_row(*row)
    return made


def _names_fit(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int) -> bool:
    """True if all but the sentences can be shown whole beside what those need."""
    needed = _GAP * (len(columns) - 1)
    for number, column in enumerate(columns):
        widest = max((row[number].cell_len for row in rows), default=0)
        natural = max(cell_len(column.title), widest)
        needed += min(natural, _ROOM) if column.folds == "sentence" else natural
    return needed <= width


def shown(value: object, style: str = "") -> Text:
    """A value as one line without anything that steers a terminal."""
    text = "" if value is None else str(value)
    if not text.isprintable():
        text = "".join(map(_visible, text))
    return Text(text, style=style)


def _visible(character: str) -> str:
    if unicodedata.category(character)[0] != "C":
        return " " if unicodedata.category(character) in {"Zl", "Zp"} else character
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\u{ord(character):04x}")


def state(name: str | None) -> Text:
    """A session's state in its colour."""
    return shown(name, STATE_STYLES.get(name or "", ""))


def size(count: int | None) -> str:
    """Bytes in three digits or so, of units of 1,024."""
    if count is None:
        return ""
    amount, unit = float(count), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{count} {_UNITS[0]}" if unit == 0 else f"{amount:.{0 if amount >= 99.5 else 1}f} {_UNITS[unit]}"


def age(span: timedelta | None) -> str:
    """How long ago, in its largest unit."""
    if span is None:
        return ""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length * (2 if unit != "min" else 1):
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def plural(count: int, noun: str) -> str:
    """`1 session`, `2 sessions`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


# --- For programs ---------------------------------------------------------------------------------


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else str(value)


def to_json(value: object) -> str:
    """JSON in one line; times as ISO 8601, spans in seconds."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def show_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """A JSON array with an object a line, so that it can be read by line too."""
    opened = False
    for row in rows:
        sys.stdout.write(("," if opened else "[") + "\n  " + to_json(row))
        opened = True
    sys.stdout.write("\n]\n" if opened else "[]\n")
    sys.stdout.flush()


def show_csv(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """CSV with a line of names; nothing for null."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        values = (row[name] for name in names)
        writer.writerow("" if value is None else _csv(value) for value in values)


def _csv(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return to_json(value)
    return _plain(value) if isinstance(value, datetime | date | timedelta) else value


# --- Progress -------------------------------------------------------------------------------------


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, if that is a terminal, that the function given sets to a number done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    console = err()
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden, redirect_stdout=False) as bar:
        task = bar.add_task(what, total=total, count="")

        def set_done(done: int) -> None:
            bar.update(task, completed=done, count=f"{done} of {total}" if total else f"{done} done")

        set_done(0)
        yield set_done


def window_height() -> int:
    """Lines of the terminal."""
    return os.get_terminal_size(sys.stdout.fileno()).lines if sys.stdout.isatty() else 24
