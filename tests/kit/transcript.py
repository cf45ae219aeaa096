"""Console transcripts in documents: what a reader types after the prompt, and what he gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROMPT = "rvbbit=> "
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
        return "\n\n".join(_written(prompt, part.statement, run(part.statement)) for part in parts) + "\n"

    path.write_text(_BLOCK.sub(fresh, path.read_text()))


def tidy(output: str) -> str:
    """Output as documents hold it: no trailing blanks, no empty lines at its end."""
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")


def _steps_of(block: str, prompt: str) -> Iterator[Step]:
    for part in re.split(rf"^{re.escape(prompt)}", block, flags=re.MULTILINE)[1:]:
        statement, _, output = part.partition("\n")
        yield Step(statement, tidy(output))


def _written(prompt: str, statement: str, output: str) -> str:
    return f"{prompt}{statement}\n{tidy(output)}".rstrip("\n")
