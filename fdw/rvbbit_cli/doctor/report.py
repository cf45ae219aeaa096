"""What the checks found, for people and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from rvbbit_cli import screen
from rvbbit_cli.doctor.checks import CHECKS, Check, examine
from rvbbit_cli.doctor.looks import Found
from rvbbit_cli.doctor.patient import Patient
from rvbbit_cli.screen import shown

Status = Literal["ok", "fault", "unknown"]

_STYLES = {"ok": "green", "fault": "bold red", "unknown": "yellow"}
_INDENT = " " * 9
_WIDTH = 110


@dataclass(frozen=True)
class Line:
    """What one check came to."""

    check: Check
    status: Status
    found: Sequence[str]
    fix: str

    def as_dict(self) -> dict[str, Any]:
        """For --json; explanation and fix are null unless there is a fault."""
        is_fault = self.status == "fault"
        return {
            "check": self.check.name,
            "status": self.status,
            "found": list(self.found),
            "explanation": self.check.explanation if is_fault else None,
            "fix": self.fix if is_fault else None,
        }


def run(patient: Patient) -> Iterator[Line]:
    """All checks, one after another."""
    for check in CHECKS:
        found = examine(patient, check)
        if not isinstance(found, Found):
            yield Line(check, "unknown", [str(found)], "")
        elif found.findings:
            yield Line(check, "fault", found.findings, found.fix or check.fix)
        else:
            yield Line(check, "ok", [found.good], "")


def show(console: Console, line: Line) -> None:
    """A line for the check, and for a fault what it is and how it is mended."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for width in (7, 11, None):
        grid.add_column(width=width, overflow="fold")
    for number, text in enumerate(line.found):
        first = number == 0
        status = Text(line.status, style=_STYLES[line.status])
        grid.add_row(status if first else "", line.check.name if first else "", shown(text))
    parts: list[RenderableType] = [grid]
    if line.status == "fault":
        parts += [*_paragraph(console, "why", line.check.explanation), *_paragraph(console, "fix", line.fix)]
    screen.show(console, *parts)


def _paragraph(console: Console, title: str, text: str) -> Iterator[Text]:
    """Wrapped by words, also where there is no terminal: it is to be read."""
    width = min(_WIDTH, console.width) - len(_INDENT) - 5
    for number, part in enumerate(textwrap.wrap(text, width, break_on_hyphens=False)):
        yield Text(f"{_INDENT}{title if number == 0 else '':<5}", style="dim") + Text(part, style="not dim")


def summary(lines: Sequence[Line]) -> str:
    """The last line."""
    faults, unknown = (sum(line.status == status for line in lines) for status in ("fault", "unknown"))
    text = screen.plural(faults, "fault") if faults else "no fault found"
    return text + (f", {screen.plural(unknown, 'check')} not possible" if unknown else "")
