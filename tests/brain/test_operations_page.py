"""docs/operations.md names every variable of the container and of make, and every state of a session."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from rvbbit_fdw.inspection import State

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
READERS = [*ROOT.glob("docker/*.sh"), ROOT / "docker" / "compose.yaml", ROOT / ".env.example"]
VARIABLE = re.compile(
    r"\b(?:RVBBIT|POSTGRES|DEBIAN|PIP|TLS)_[A-Z_]+\b|\bPGDATA\b|\bSESSION_DIR\b|\bBASE_IMAGE\b"
)
DEFAULT = re.compile(r"(?:\$\{|file_env )([A-Z_]+)(?::-| )([\w.:-]+)\b")

# Those that the builder's own tools read; "_FILE" of any; what only the page's own example has.
OTHERS = {"PIP_CERT", "PIP_CONFIG_FILE", "DEBIAN_FRONTEND", "RVBBIT_PASSWORD_FILE", "TLS_DIR"}


def test_every_variable_is_on_the_page() -> None:
    read = {name for path in READERS for name in VARIABLE.findall(path.read_text())}
    assert "RVBBIT_TLS_KEY_FILE" in read
    assert read - set(VARIABLE.findall(PAGE)) - OTHERS == set()
    assert set(VARIABLE.findall(PAGE)) - read - OTHERS == set()


def cells(row: str) -> tuple[list[str], list[str]]:
    """The variables of a row, and their defaults as far as they are written as code."""
    first, second, *_ = row.strip("| ").split(" | ")
    return re.findall(r"`([^`]+)`", first), re.findall(r"`([^`]+)`", second)


def test_the_defaults_are_those_of_the_scripts() -> None:
    used: dict[str, set[str]] = {}
    for path in READERS:
        for name, value in DEFAULT.findall(path.read_text()):
            used.setdefault(name, set()).add(value)
    rows = [cells(row) for row in PAGE.splitlines() if row.startswith("| `") and row.count(" | ") == 2]
    said = {
        name: value for row in rows if len(row[0]) == len(row[1]) for name, value in zip(*row, strict=True)
    }
    compared = {name: {said[name]} for name in used.keys() & said.keys()}
    assert compared == {name: used[name] for name in compared}
    assert {"RVBBIT_PORT", "RVBBIT_ADDRESS", "POSTGRES_USER", "POSTGRES_HOST_AUTH_METHOD"} <= compared.keys()


def test_the_example_of_settings_has_all_of_make() -> None:
    example = set(VARIABLE.findall((ROOT / ".env.example").read_text()))
    assert {
        "SESSION_DIR",
        "RVBBIT_PORT",
        "RVBBIT_ADDRESS",
        "RVBBIT_PASSWORD",
        "RVBBIT_COMPOSE_FILE",
    } <= example


def test_every_state_is_on_the_page() -> None:
    assert {state for state in get_args(State) if f"| `{state}` |" not in PAGE} == set()
