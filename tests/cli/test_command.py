"""The command itself: help, exit codes, what it imports, and what happens without its libraries."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rvbbit_cli.commands import main
from rvbbit_cli.doctor.checks import CHECKS
from rvbbit_cli.failures import EXIT_CODES
from rvbbit_demo.catalogue import SESSIONS
from rvbbit_fdw.inspection import inspect
from rvbbit_fdw.sessions import SessionFolder
from tests.kit.cli import ROOT, Cli

PACKAGES = ROOT / "fdw"
COMMANDS = {"sessions", "tables", "sample", "attach", "detach", "sync", "doctor", "demo"}


def imported(package: str) -> Iterator[tuple[str, str]]:
    """Each file of a package and a module that it imports, wherever in it."""
    for path in sorted((PACKAGES / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path.name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield path.name, str(node.module)


def test_the_brain_knows_nothing_of_it() -> None:
    strangers = {"click", "rich", "psycopg", "rvbbit_cli", "rvbbit_demo"}
    assert not [each for each in imported("rvbbit_fdw") if each[1].partition(".")[0] in strangers]


def test_only_doctor_looks_at_files_of_sessions() -> None:
    of_brain = {(name, module) for name, module in imported("rvbbit_cli") if module.startswith("rvbbit_fdw")}
    expected = {
        ("commands.py", "rvbbit_fdw"),
        ("patient.py", "rvbbit_fdw.errors"),
        ("patient.py", "rvbbit_fdw.sessions"),
    }
    assert of_brain == expected


def test_help_names_every_command_and_exit_code() -> None:
    assert set(main.commands) == COMMANDS
    text = Cli().out("--help")
    assert not [name for name in COMMANDS if f"\n  {name} " not in text]
    assert not [code for code in EXIT_CODES if f"\n    {code:<4}" not in text]
    assert "..." not in text.partition("Commands:")[2].partition("Exit codes:")[0]


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_each_command_has_help_and_takes_a_dsn(command: str) -> None:
    text = Cli(settings={"COLUMNS": "80"}).out(command, "--help")
    assert "--dsn DSN" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["session"], "Did you mean 'sessions'?"),
        (["sessions", "--jsn"], "--json"),
        (["sessions", "--json", "--csv"], "exclude each other"),
        (["sessions", "--watch", "--csv"], "exclude each other"),
        (["sessions", "--state", "red"], "'ready', 'live'"),
        (["sessions", "--since", "soon"], "neither a span"),
        (["sessions", "--limit", "-1"], "--limit"),
        (["attach"], "SESSIONS"),
        (["attach", "a", "b", "--as", "c"], "one session"),
        (["sample", "a"], "TABLE"),
        (["doctor", "--folder", "/no/such"], "does not exist"),
    ],
)
def test_what_is_not_understood(arguments: list[str], said: str) -> None:
    assert said in Cli().fails(2, *arguments)


def test_version() -> None:
    assert Cli().out("--version") == "rvbbit-fdw 0.2.0\n"


def test_without_its_libraries() -> None:
    """-S leaves the installed packages out."""
    command = [sys.executable, "-S", "-m", "rvbbit_cli", "sessions"]
    variables = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    result = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "pip install 'rvbbit-fdw[cli]'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    cli = Cli(settings={"_RVBBIT_FDW_COMPLETE": f"{shell}_source"})
    result = cli()
    assert "rvbbit-fdw" in result.stdout, result.stderr


def test_completion_without_a_server_is_silent() -> None:
    settings = {
        "_RVBBIT_FDW_COMPLETE": "bash_complete",
        "COMP_WORDS": "rvbbit-fdw attach a",
        "COMP_CWORD": "2",
    }
    result = Cli("port=1", settings=settings)()
    assert (result.stdout.strip(), result.stderr) == ("", "")


def test_the_table_of_checks_is_whole() -> None:
    assert len(CHECKS) == len({check.name for check in CHECKS}) == 10
    assert all(check.explanation.endswith(".") and check.fix for check in CHECKS)


# --- demo: written by the DuckDB that is installed here


def test_demo_writes_what_its_catalogue_says(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert Cli().out("demo", str(folder)).startswith(f"{len(SESSIONS)} demo sessions, ")
    states = {file.session_id: inspect(file).state for file in SessionFolder(str(folder)).list()}
    expected = {s.id: s.damage or ("ready" if s.tables else "empty") for s in SESSIONS}
    assert states == expected
    assert list(SessionFolder(str(folder)).orphans()) == []


def test_demo_writes_into_an_empty_folder_only(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert "already has files" in Cli().fails(1, "demo", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_demo_live_keeps_a_session_open_until_ctrl_c(tmp_path: Path) -> None:
    shown = Cli().on_terminal("demo", "--live", str(tmp_path), until=lambda text: "phase table" in text)
    assert shown.code == 0
    (file,) = SessionFolder(str(tmp_path)).list()
    assert inspect(file).state == "ready"
    assert f"session {file.session_id} is closed" in shown.text
