"""Console transcripts in documents: what a reader types after the prompt, and what he gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROMPT = "rvbbit=> "
CONTINUED = "rvbbit-> "
SHELL = "$ "
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A statement and the output that follows it, without trailing blanks."""

    statement: str
    output: str


def steps(text: str, prompt: str = PROMPT) -> list[Step]:
    """All statements of a document that stand behind this prompt, in order."""
    return [step for block in _BLOCK.findall(text) for step in _steps_of(block, prompt)]


def rewrite(path: Path, run: Callable[[str], str], prompt: str = PROMPT) -> None:
    """Put the output that statements have now into the document."""

    def fresh(block: re.Match[str]) -> str:
        parts = list(_steps_of(block[0], prompt))
        if not parts:
            return block[0]
        return "\n\n".join(written(part.statement, run(part.statement), prompt) for part in parts) + "\n"

    path.write_text(_BLOCK.sub(fresh, path.read_text()))


def tidy(output: str) -> str:
    """Output as documents hold it: no trailing blanks, no empty lines at its end."""
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")


def _steps_of(block: str, prompt: str) -> Iterator[Step]:
    for part in re.split(rf"^{re.escape(prompt)}", block, flags=re.MULTILINE)[1:]:
        statement, _, output = part.partition("\n")
        while output.startswith(CONTINUED):
            line, _, output = output.removeprefix(CONTINUED).partition("\n")
            statement += "\n" + line
        yield Step(statement, tidy(output))


def written(statement: str, output: str, prompt: str = PROMPT) -> str:
    """A statement and its output as documents show them."""
    shown = statement.replace("\n", "\n" + CONTINUED)
    return f"{prompt}{shown}\n{tidy(output)}".rstrip("\n")
