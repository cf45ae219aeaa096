"""What else tells of Multicorn2: the page of differences, and the SQL that judges options."""

import re
from pathlib import Path

from rvbbit_fdw import options
from tests.server.multicorn2 import EXPECTED, SURFACE

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"


def test_each_expected_failure_names_a_line_of_the_page() -> None:
    page = (ROOT / "docs" / "multicorn2.md").read_text()
    lines = set(re.findall(r"^\| ([A-Z][^|]*?) \|", page, re.MULTILINE))
    assert {line for _, line in EXPECTED} <= lines
    assert "Faults that remain" in lines


def test_each_expected_failure_is_a_test_of_the_surface() -> None:
    files = {path.name: path for path in TESTS.glob("clients/test_*.py")}
    files |= {name: TESTS / "server" / name for name in SURFACE}
    for start, _ in EXPECTED:
        name, _, test = start.partition("::")
        assert f"def {test.partition('[')[0]}(" in files[name].read_text()


def test_all_files_of_the_surface_are_there() -> None:
    assert {path.name for path in (TESTS / "server").glob("test_*.py")} >= SURFACE


def test_sql_knows_the_options_of_tables() -> None:
    text = (ROOT / "sql" / "rvbbit" / "checked.sql").read_text()
    found = re.search(r"RETURN '\{(.*)\}'::text\[\]", text)
    assert found
    assert found[1].split(",") == list(options.of_context("table"))
