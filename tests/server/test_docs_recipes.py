"""docs/recipes.md works as it stands: a run writes meanwhile, statements answer so, the picture is drawn.

`python -m tests.server.test_docs_recipes` writes today's answers and the picture.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.container import ROOT, Server, make_demo_sessions, serving
from tests.kit.transcript import steps, written
from tests.kit.writers import Writer, writing

pytestmark = pytest.mark.server

PAGE = ROOT / "docs" / "recipes.md"
PICTURE = ROOT / "docs" / "revenue.svg"
RUN = "nightly_totals"
BLOCK = re.compile(r"^```(sql run|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
README_URL = "postgresql://rvbbit:rvbbit@127.0.0.1:5433/rvbbit"

# The same picture each time: no random ids, letters as letters.
STYLE = "backend: Agg\nsvg.hashsalt: rvbbit\nsvg.fonttype: none\n"


def answer(server: Server, statement: str) -> str:
    """What psql prints, errors and notices included."""
    return server.run("bash", "-c", 'psql -X -U rvbbit -d rvbbit -c "$1" 2>&1 || true', "-", statement)


def draw(server: Server, program: str, folder: Path) -> str:
    """Run a program of the page; the picture that it makes."""
    assert README_URL in program
    with server.connect() as db:
        url = f"postgresql://rvbbit:{db.info.password}@{db.info.host}:{db.info.port}/rvbbit"
    (folder / "matplotlibrc").write_text(STYLE)
    environment = os.environ | {"MATPLOTLIBRC": str(folder), "SOURCE_DATE_EPOCH": "0"}
    command = [sys.executable, "-c", program.replace(README_URL, url)]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return "".join(line.rstrip() + "\n" for line in (folder / "revenue.svg").read_text().splitlines())


def replay(server: Server, text: str, folder: Path) -> tuple[str, str]:
    """The page with today's answers, and the picture."""
    pictures: list[str] = []
    with writing(server.session_dir / f"{RUN}.duckdb") as run:

        def block(match: re.Match[str]) -> str:
            kind, content = match.groups()
            return f"```{kind}\n{_DO[kind](server, run, content, pictures, folder)}```"

        return BLOCK.sub(block, text), "".join(pictures)


def _run(server: Server, run: Writer, content: str, pictures: list[str], folder: Path) -> str:
    run.run(content)
    (server.session_dir / f"{RUN}.duckdb.wal").chmod(0o644)
    (server.session_dir / f"{RUN}.duckdb").chmod(0o644)
    return content


def _ask(server: Server, run: Writer, content: str, pictures: list[str], folder: Path) -> str:
    parts = steps(f"```console\n{content}```")
    return "\n\n".join(written(part.statement, answer(server, part.statement)) for part in parts) + "\n"


def _draw(server: Server, run: Writer, content: str, pictures: list[str], folder: Path) -> str:
    pictures.append(draw(server, content, folder))
    return content


_DO: dict[str, Callable[[Server, Writer, str, list[str], Path], str]] = {
    "sql run": _run,
    "console": _ask,
    "python": _draw,
}


@contextmanager
def cooking(folder: Path) -> Iterator[Server]:
    """A server over demo sessions where the first sync has been, and no job runs."""
    with serving(folder, "postgres", "-c", "cron.launch_active_jobs=off") as server:
        with server.connect() as db:
            db.execute("CALL rvbbit.sync()")
        yield server


def dateless(text: str) -> str:
    """A text without what differs from run to run."""
    return re.sub(r"\d+ s ago", "a moment ago", text)


def test_the_recipes(demo_sessions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "session_dbs"
    shutil.copytree(demo_sessions, folder)
    for made in (tmp_path, folder):
        made.chmod(0o755)
    text = PAGE.read_text()
    with cooking(folder) as server:
        page, picture = replay(server, text, tmp_path)
        plan = answer(server, "EXPLAIN SELECT region, avg(revenue) FROM revenue GROUP BY region")
        assert not server.disasters(server.log())
    assert dateless(page) == dateless(text), "run: make docs"
    assert len(BLOCK.findall(text)) >= 12
    assert "ERROR" not in text
    assert "`EXPLAIN` shows that this is one query of DuckDB" in text
    assert plan.count("DuckDB SQL") == 1, plan
    assert "Foreign Scan" not in plan
    assert picture == PICTURE.read_text(), "run: make docs"
    assert f"]({PICTURE.name})" in text


def main() -> None:
    """Write today's answers and the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = make_demo_sessions(Path(name) / "session_dbs")
        Path(name).chmod(0o755)
        with cooking(folder) as server:
            page, picture = replay(server, PAGE.read_text(), Path(name))
    PAGE.write_text(page)
    PICTURE.write_text(picture)


if __name__ == "__main__":
    main()
