"""Links between documents lead somewhere, and files that documents name are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("fdw/host/*.md"), *ROOT.glob("sql/**/*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
NAMED = re.compile(r"`((?:tests|fdw|sql|docs|docker)/[\w./-]*\w)`")
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """A page without its examples."""
    return FENCED.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have where it is shown."""
    return {anchor(heading) for heading in HEADING.findall(prose(page))}


def anchor(heading: str) -> str:
    """A heading in small letters, with hyphens for blanks and without punctuation."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def broken(page: Path, target: str) -> bool:
    """True if a link of the page leads nowhere; those to other sites are not followed."""
    if "://" in target:
        return False
    path, _, fragment = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.is_relative_to(ROOT) or not file.exists():
        return True
    return bool(fragment) and fragment not in anchors(file)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [target for target in LINK.findall(prose(page)) if broken(page, target)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_are_there(page: Path) -> None:
    assert [name for name in NAMED.findall(prose(page)) if not (ROOT / name).exists()] == []


def test_every_page_can_be_found_from_the_readme() -> None:
    seen: set[Path] = set()
    to_read = [ROOT / "README.md"]
    while to_read:
        page = to_read.pop()
        seen.add(page)
        targets = {target.partition("#")[0] for target in LINK.findall(prose(page)) if "://" not in target}
        linked = {(page.parent / target).resolve() for target in targets if target.endswith(".md")}
        to_read += linked - seen - set(to_read)
    assert {page for page in PAGES if page.parent != ROOT / "sql" / "upgrade"} - seen == set()


@pytest.mark.parametrize(
    ("target", "is_broken"),
    [
        ("docs/types.md", False),
        ("docs/types.md#arrays", False),
        ("#a-tour", False),
        ("docs/none.md", True),
        ("docs/types.md#none", True),
        ("#none", True),
        ("../elsewhere.md", True),
    ],
)
def test_which_links_are_broken(target: str, is_broken: bool) -> None:
    assert broken(ROOT / "README.md", target) is is_broken


def test_the_anchor_of_a_heading() -> None:
    assert anchor("What `rvbbit.stats` says (and not)") == "what-rvbbitstats-says-and-not"


def test_every_make_target_that_documents_name_is_real() -> None:
    result = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    targets = set(re.findall(r"^  make ([a-z-]+)", result.stdout, re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z][a-z-]*)", page.read_text())}
    assert named - targets == set()
