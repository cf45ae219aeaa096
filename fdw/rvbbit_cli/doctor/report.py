"""What the checks found, for people and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
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
    head = Text(f"{line.status:<9}", style=_STYLES[line.status]) + Text(f"{line.check.name:<13}")
    screen.show(console, head + shown(line.found[0]))
    for text in line.found[1:]:
        screen.show(console, Text(" " * 22) + shown(text))
    if line.status == "fault":
        screen.show(
            console,
            *_paragraph(console, "why", line.check.explanation),
            *_paragraph(console, "fix", line.fix),
        )


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
