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
from tests.kit.tree import picture

pytestmark = pytest.mark.server

README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
TREE = re.compile(r"(?<=^```text\nrvbbit\n).+?(?=^```$)", re.MULTILINE | re.DOTALL)
NAMES = r'"[^"]+"(?:, "[^"]+")*(?: and \d+ more)?'
CHECKED = r"last sync \d+ s ago"
LOGGED = rf"LOG:  rvbbit sync: attached {NAMES}(?:; changed {NAMES})? \(\d+ ms\)"
OPENED = ("agile-cardinal-490cb1", "agile-finch-4acdcc", "public")


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


def claims(text: str) -> list[Step]:
    """What a document says that statements answer, but for times."""
    return [Step(step.statement, dateless(step.output)) for step in steps(text)]


def tree(server: Server) -> str:
    """What a client's tree shows, without its first line."""
    with server.connect() as db:
        return picture(db, OPENED).partition("\n")[2] + "\n"


def test_the_tree(fresh: Server) -> None:
    """Before the tour, which changes what is attached."""
    assert TREE.findall(README.read_text()) == [tree(fresh)]


def test_the_tour(fresh: Server) -> None:
    """Each statement of the README, in its order, gives the output that stands below it."""
    shown = claims(README.read_text())
    assert len(shown) >= 20
    assert [Step(step.statement, dateless(tidy(answer(fresh, step.statement)))) for step in shown] == shown


def test_each_row_of_the_table_of_statements(fresh: Server) -> None:
    """After the tour, of which some need what it attached."""
    table = README.read_text().partition("\n| you type | you get |\n")[2].partition("\n\n")[0]
    typed = [code for row in table.splitlines()[1:] for code in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
    assert len(typed) >= 12
    with fresh.connect() as db:
        for statement in typed:
            db.execute(statement.replace("WHERE ...", "WHERE session_id = 'cascade_test'").encode())


@pytest.mark.parametrize("line", [CHECKED, LOGGED])
def test_what_operations_shows_of_health_and_log(fresh: Server, line: str) -> None:
    written = fresh.run("/opt/rvbbit/healthcheck.sh") + fresh.log()
    assert re.search(line + "$", written, re.MULTILINE)
    assert len(re.findall(f"^{line}$", OPERATIONS.read_text(), re.MULTILINE)) == 1


def main() -> None:
    """Write today's answers into README.md."""
    with tempfile.TemporaryDirectory() as folder, touring(make_demo_sessions(Path(folder))) as server:
        drawn = tree(server)
        README.write_text(TREE.sub(lambda _: drawn, README.read_text()))
        rewrite(README, lambda statement: answer(server, statement))


if __name__ == "__main__":
    main()
