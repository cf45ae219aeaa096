"""Transcripts in documents are read as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.transcript import Step, rewrite, steps

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/recipes.md")

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
