"""Transcripts in documents are read as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.transcript import PROMPT, SHELL, Step, rewrite, steps
from tests.server import test_docs, test_docs_cli, test_docs_recipes

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/recipes.md")
EVERY_PAGE = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
BLOCK = re.compile(r"^```(text|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

TEXT = """\
Some words.

```console
rvbbit=> SELECT 1
rvbbit-> AS one;
 one
-----
   1
(1 row)

rvbbit=> CALL rvbbit.sync();
CALL
```

```sql
SELECT 2;
```
"""


def test_statements_and_their_answers() -> None:
    first, second = steps(TEXT)
    assert first == Step("SELECT 1\nAS one;", " one\n-----\n   1\n(1 row)")
    assert second == Step("CALL rvbbit.sync();", "CALL")


def test_another_answer_is_another_text(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(TEXT)
    rewrite(page, lambda statement: "CALL" if statement.startswith("CALL") else "two")
    assert [step.output for step in steps(page.read_text())] == ["two", "CALL"]
    assert "rvbbit-> AS one;\ntwo\n" in page.read_text()
    assert "```sql\nSELECT 2;\n```" in page.read_text()


@pytest.mark.parametrize("name", PAGES)
def test_the_same_answers_leave_a_page_as_it_is(tmp_path: Path, name: str) -> None:
    text = (ROOT / name).read_text()
    known = iter(steps(text))
    page = tmp_path / "page.md"
    page.write_text(text)
    rewrite(page, lambda statement: next(known).output)
    assert page.read_text() == text


# --- What the checks of documents compare with the answers of a server. ---


def claimed_by_readme(text: str) -> object:
    """The tree and the tour."""
    return test_docs.TREE.findall(text), test_docs.claims(text)


CLAIMS: dict[str, tuple[Callable[[str], object], Callable[[str], str]]] = {
    "README.md": (claimed_by_readme, test_docs.dateless),
    "docs/cli.md": (test_docs_cli.claims, test_docs_cli.steady),
    "docs/recipes.md": (test_docs_recipes.dateless, test_docs_recipes.dateless),
}
"""What is compared of each page, and a line of it without its times."""


def altered(line: str, is_steady: bool) -> Iterator[str]:
    """A line with its first or last letter or number another; only the first where there are times in it."""
    places = [at for at, character in enumerate(line) if character.isalnum()]
    for at in (places[:1] + places[-1:]) if is_steady else places[:1]:
        yield line[:at] + ("2" if line[at] == "1" else "1") + line[at + 1 :]


def alterations(text: str, without_times: Callable[[str], str]) -> Iterator[str]:
    """The document with one line of an output altered, left out, or followed by one more."""
    for block in BLOCK.finditer(text):
        end = block.start(2)
        for line in block[2].splitlines(keepends=True):
            at, end = end, end + len(line)
            if not line.isspace() and not line.startswith((PROMPT, SHELL)):
                others = ["", f"{line}one row more\n", *altered(line, without_times(line) == line)]
                yield from (text[:at] + other + text[end:] for other in others)


@pytest.mark.parametrize("name", CLAIMS)
def test_no_altered_output_goes_unseen(name: str) -> None:
    compared, without_times = CLAIMS[name]
    text = (ROOT / name).read_text()
    made = list(alterations(text, without_times))
    assert len(made) >= 200
    assert [other for other in made if compared(other) == compared(text)] == []


@pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda page: str(page.relative_to(ROOT)))
def test_outputs_stand_where_they_are_compared(page: Path) -> None:
    """Each block of a console begins with a prompt; answers of a shell are compared in docs/cli.md alone."""
    for kind, block in BLOCK.findall(page.read_text()):
        if kind == "text":
            assert page.name == "README.md", "a block that nothing compares"
            continue
        assert block.startswith((PROMPT, SHELL))
        prompt = PROMPT if block.startswith(PROMPT) else SHELL
        if prompt == SHELL and page.name != "cli.md":
            assert all(line.startswith(SHELL) for line in block.splitlines())
        if prompt == PROMPT:
            assert page.name in {"README.md", "recipes.md"}
            assert f"\n{SHELL}" not in block
