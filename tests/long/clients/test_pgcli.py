"""pgcli on a terminal: it lists what it knows, completes it, shows rows, and outlives a cancelled query."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.served import ORDERS, Matrix
from tests.kit.terminal import Terminal, terminal

pytestmark = pytest.mark.server

CONFIG = """
[main]
multi_line = False
less_chatty = True
enable_pager = False
wider_completion_menu = True
prompt = 'ready> '
keyring = False
on_error = RESUME
"""


@pytest.fixture
def pgcli(matrix: Matrix, tmp_path: Path) -> Iterator[Terminal]:
    """pgcli, connected, with its lists read."""
    program = shutil.which("pgcli", path=str(Path(sys.executable).parent))
    assert program is not None
    config = tmp_path / "config"
    config.write_text(CONFIG)
    with terminal(
        [program, "--pgclirc", str(config), matrix.url()],
        {"HOME": str(tmp_path), "PROMPT_TOOLKIT_NO_CPR": "1"},
    ) as opened:
        opened.wait_for("ready>", seconds=60)
        yield opened


def test_it_shows_rows(pgcli: Terminal) -> None:
    pgcli.type(f'SELECT region, count(*) FROM "{ORDERS}"._extract_data GROUP BY 1 ORDER BY 1;\r')
    shown = pgcli.wait_for("SELECT 5")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines() if "|" in line]
    assert [row for row in rows if len(row) == 2 and row[1].isdigit()] == [
        ["east", "608"], ["north", "625"], ["overseas", "590"], ["south", "600"], ["west", "577"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "completed"),
    [
        ("SELECT * FROM client_matrix._str\t", r"_stream"),
        ("SELECT zoned_c FROM client_matrix._types" + "\x1b[D" * 26 + "\t", r"zoned_clock"),
        ("SELECT * FROM client_mat\t", r"client_matrix"),
    ],
)
def test_it_completes(pgcli: Terminal, keys: str, completed: str) -> None:
    """Schemas, tables and columns, once it has read them in the background."""
    pgcli.type("SELECT pg_sleep(3);\r")
    pgcli.wait_for("SELECT 1", seconds=30)
    pgcli.type(keys)
    pgcli.wait_for(completed)


def test_d_shows_columns(pgcli: Terminal) -> None:
    pgcli.type("\\d client_matrix._types\r")
    shown = pgcli.wait_for("Größe in cm")
    assert "numeric(12,2)" in shown


def test_ctrl_c_ends_a_query_and_not_the_connection(pgcli: Terminal) -> None:
    pgcli.type("SELECT n FROM client_matrix._endless;\r")
    with pytest.raises(AssertionError, match="no 'never'"):
        pgcli.wait_for("never", seconds=1)
    pgcli.type("\x03")
    pgcli.wait_for("cancel")
    pgcli.type(f'SELECT count(*) FROM "{ORDERS}"._extract_data;\r')
    pgcli.wait_for("3000")
