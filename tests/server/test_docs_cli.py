"""docs/cli.md shows what the command really says; its tables are those of the code.

`python -m tests.server.test_docs_cli` writes today's answers and tables into it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rvbbit_cli.commands import main as command
from rvbbit_cli.doctor.checks import CHECKS
from rvbbit_cli.failures import EXIT_CODES
from rvbbit_cli.listing import COLUMNS
from tests.kit.cli import Cli, dsn
from tests.kit.container import ROOT, Server, make_demo_sessions, serving
from tests.kit.transcript import SHELL, Step, rewrite, steps, tidy

pytestmark = pytest.mark.server

PAGE = ROOT / "docs" / "cli.md"
README = ROOT / "README.md"


def check_table() -> str:
    """The checks of doctor, as rows of a table."""
    return "".join(f"| `{check.name}` | {check.explanation} | {check.fix} |\n" for check in CHECKS)


def exit_table() -> str:
    """The exit codes, as rows of a table."""
    return "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())


TABLES = {"| check | what it is | how it is mended |\n|---|---|---|\n": check_table,
          "| exit code | meaning |\n|---|---|\n": exit_table}  # fmt: skip


def with_tables(text: str) -> str:
    """The page with the tables of the code."""
    for head, rows in TABLES.items():
        before, found, after = text.partition(head)
        assert found, head
        text = before + found + rows() + re.sub(r"\A(?:\|.*\n)*", "", after)
    return text


@contextmanager
def shell(server: Server, folder: Path) -> Iterator[Cli]:
    """The command with a server that attaches one session by itself, in a folder that has demo_sessions."""
    (folder / "demo_sessions").symlink_to(server.session_dir)
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    program = bin_folder / "rvbbit-fdw"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rvbbit_cli "$@"\n')
    program.chmod(0o755)
    with server.connect() as db:
        db.execute("SELECT rvbbit.set_policy('none', include => 'cascade_test')")
    cli = Cli(dsn(server), cwd=folder)
    yield Cli(cli.dsn, folder, {"PATH": f"{bin_folder}:{cli.environment()['PATH']}"})
    with server.connect() as db:
        db.execute("SELECT rvbbit.set_policy('smart', include => '')")
        db.execute("SELECT rvbbit_detach_session(session_id) FROM _rvbbit_sessions WHERE is_attached")
    with server.connect(user="postgres") as admin:
        admin.execute("DELETE FROM rvbbit.detachment")


def answer(cli: Cli, line: str) -> str:
    """What a shell shows."""
    result = subprocess.run(
        ["bash", "-c", f"{line} 2>&1"],
        env=cli.environment(),
        cwd=cli.cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout.replace(cli.dsn.rpartition("@")[2].partition("/")[0], "127.0.0.1:5433")


@pytest.fixture(scope="module")
def cli(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The command, as the page assumes it."""
    with shell(server, tmp_path_factory.mktemp("reader")) as made:
        yield made


def steady(text: str) -> str:
    """A text without ages, times and ports."""
    text = re.sub(r" +\d+ (?:s|min|h|d)\b", " N ago", text)
    text = re.sub(r"\d+ copies, [\d.]+ \w+", "N copies", text)
    text = re.sub(r"\d+\.\d+ s;", "N s;", text)
    text = re.sub(r"PostgreSQL [\d.]+", "PostgreSQL", text)
    text = re.sub(r'"age_hours": [\d.]+', '"age_hours": N', text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ][\d:.]+\+00:00", "TIME", text)


def claims(text: str) -> list[Step]:
    """What a document says that commands answer, but for times."""
    return [Step(step.statement, steady(step.output)) for step in steps(text, SHELL)]


def test_each_command_says_what_stands_there(cli: Cli) -> None:
    shown = claims(PAGE.read_text())
    assert len(shown) >= 10
    assert [Step(step.statement, steady(tidy(answer(cli, step.statement)))) for step in shown] == shown


def test_the_tables_are_those_of_the_code() -> None:
    assert with_tables(PAGE.read_text()) == PAGE.read_text()


def test_every_command_and_option_is_described() -> None:
    text = PAGE.read_text()
    titles = {name for line in re.findall(r"^## (.*)$", text, re.MULTILINE) for name in line.split(", ")}
    assert set(command.commands) <= titles
    options = {
        max(parameter.opts, key=len) for each in command.commands.values() for parameter in each.params
    }
    names = {name for name in options if name.startswith("--")}
    assert {name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)} == set()
    assert [name for name in COLUMNS if f"`{name}`" not in text] == []


def test_the_lines_of_the_readme_work(cli: Cli) -> None:
    lines = [
        step.statement for step in steps(README.read_text(), SHELL) if step.statement.startswith("rvbbit-fdw")
    ]
    assert len(lines) == 3
    for line in lines:
        said = answer(cli, line)
        assert "error" not in said.lower(), said


def main() -> None:
    """Write today's answers and tables into the page."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as sessions,
        serving(
            make_demo_sessions(Path(sessions)), "postgres", "-c", "cron.launch_active_jobs=off"
        ) as server,
        shell(server, Path(folder)) as cli,
    ):
        rewrite(PAGE, lambda line: answer(cli, line), SHELL)
    PAGE.write_text(with_tables(PAGE.read_text()))


if __name__ == "__main__":
    main()
