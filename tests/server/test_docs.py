"""The documents show what the server really answers.

`python -m tests.server.test_docs` writes today's answers into README.md.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.container import ROOT, Server, make_demo_sessions, serving
from tests.kit.synced import Folder, ticking, wait_for
from tests.kit.transcript import Step, rewrite, steps, tidy

pytestmark = pytest.mark.server

README = ROOT / "README.md"


def answer(server: Server, statement: str) -> str:
    """What psql prints, errors and notices included."""
    return server.run("bash", "-c", 'psql -X -U rvbbit -d rvbbit -c "$1" 2>&1 || true', "-", statement)


@contextmanager
def touring(demo_sessions: Path) -> Iterator[Server]:
    """A server where nothing was imported yet, and the first sync has just been."""
    with serving(demo_sessions) as running:
        with ticking(running), running.connect() as db:
            folder = Folder(running, db)
            wait_for(lambda: folder.attached() and folder.plan() == set())
        yield running


@pytest.fixture(scope="module")
def fresh(demo_sessions: Path) -> Iterator[Server]:
    """The server of the tour."""
    with touring(demo_sessions) as running:
        yield running


def dateless(text: str) -> str:
    """A text without the times that differ from run to run."""
    text = re.sub(r"taken \d+ (?:s|min) ago", "taken a moment ago", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD hh:mm", text)


def test_the_tour(fresh: Server) -> None:
    """Each statement of the README, in its order, gives the output that stands below it."""
    shown = [Step(step.statement, dateless(step.output)) for step in steps(README.read_text())]
    assert len(shown) >= 20
    assert [Step(step.statement, dateless(tidy(answer(fresh, step.statement)))) for step in shown] == shown


def test_every_make_target_is_real() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z][a-z-]*)", README.read_text())) | {"up", "test"}
    assert named <= targets


def test_every_column_of_the_listing_is_described(fresh: Server) -> None:
    names = answer(fresh, "SELECT string_agg(attname, ' ') FROM pg_attribute"
                          " WHERE attrelid = 'rvbbit_sessions'::regclass AND attnum > 0")  # fmt: skip
    columns = set(names.splitlines()[2].split())
    assert {name for name in columns if f"`{name}`" not in README.read_text()} == set()


def main() -> None:
    """Write today's answers into README.md."""
    with tempfile.TemporaryDirectory() as folder, touring(make_demo_sessions(Path(folder))) as server:
        rewrite(README, lambda statement: answer(server, statement))


if __name__ == "__main__":
    main()
