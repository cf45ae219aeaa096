"""psql: its lists, its own commands, its completion, and what it does when something goes wrong."""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Iterator

import pytest

from tests.clients.served import ORDERS, SESSION, Matrix
from tests.clients.values import FAILS_AT, NAMES, ROWS, TYPES
from tests.kit.terminal import Terminal, terminal

pytestmark = pytest.mark.server


def table(text: str) -> list[list[str]]:
    """The cells of an unaligned output."""
    return [line.split("|") for line in text.splitlines()]


def test_d_shows_names_and_types(matrix: Matrix) -> None:
    shown = table(matrix.psql(r"\pset format unaligned", r"\pset tuples_only", rf"\d {SESSION}._types"))
    assert [row[:2] for row in shown if len(row) > 2] == [
        list(pair) for pair in zip(NAMES, TYPES, strict=True)
    ]


def test_the_list_of_tables(matrix: Matrix) -> None:
    shown = table(
        matrix.psql(r"\pset format unaligned", r"\pset tuples_only", rf"{matrix.shown.psql_list} {SESSION}.*")
    )
    assert [row[:3] for row in shown] == [
        [SESSION, name, matrix.shown.psql_type] for name in ("_endless", "_fails_late", "_stream", "_types")
    ]


def test_dt_lists_ordinary_tables_alone(matrix: Matrix) -> None:
    answer = matrix.psql(rf"\dt {SESSION}.*")
    assert ("_types" in answer) == matrix.shown.is_plain


def test_dn_tells_what_each_schema_shows(matrix: Matrix) -> None:
    shown = table(matrix.psql(r"\pset format unaligned", r"\pset tuples_only", rf'\dn+ "{ORDERS}"'))
    assert shown[0][0] == ORDERS
    assert f'RVBBIT session "{ORDERS}", ready when attached' in shown[0][-1] + shown[1][-1]


def test_comments_in_d_plus(matrix: Matrix) -> None:
    answer = matrix.psql(rf"\d+ {SESSION}._types")
    assert any("money" in line and "in euros" in line for line in answer.splitlines())
    assert "one column of each kind" in matrix.psql(rf"\dd {SESSION}._types") + matrix.psql(
        rf"{matrix.shown.psql_list}+ {SESSION}._types"
    )


def test_gdesc_tells_the_types_of_a_result(matrix: Matrix) -> None:
    answer = matrix.psql(
        r"\pset format unaligned", r"\pset tuples_only", rf"SELECT * FROM {SESSION}._types \gdesc"
    )
    assert table(answer) == [list(pair) for pair in zip(NAMES, TYPES, strict=True)]


def test_copy_to_a_file_of_the_clients(matrix: Matrix) -> None:
    query = "SELECT id, words, huge, numbers FROM client_matrix._types ORDER BY id"
    answer = matrix.psql(rf"\copy ({query}) TO STDOUT WITH (FORMAT csv, HEADER)")
    read = list(csv.reader(io.StringIO(answer.replace("\r\n", "\n"))))
    assert read[0] == ["id", "words", "huge", "numbers"]
    words, huge = NAMES.index("words"), NAMES.index("huge")
    assert [row[:3] for row in read[1:]] == [
        [str(row[0]), row[words] or "", "" if row[huge] is None else str(row[huge])] for row in ROWS
    ]
    assert [row[3] for row in read[1:]] == ["{1,NULL,3}", "{}", ""]


def test_watch_sees_what_a_run_writes(matrix: Matrix) -> None:
    answer = matrix.psql(
        r"\pset format unaligned", r"\pset tuples_only",
        rf'SELECT count(*) FROM "{ORDERS}"._extract_data \watch i=0.1 c=3',
    )  # fmt: skip
    assert [line for line in answer.splitlines() if line.isdigit()] == ["3000"] * 3


def test_rows_in_portions(matrix: Matrix) -> None:
    answer = matrix.psql(
        r"\set FETCH_COUNT 700", r"\pset format unaligned", r"\pset tuples_only",
        f'SELECT order_id, region FROM "{ORDERS}"._extract_data ORDER BY order_id;',
    )  # fmt: skip
    shown = table(answer)
    assert [int(row[0]) for row in shown] == list(range(100000, 103000))
    assert sum(row[1] == "north" for row in shown) == 625


def typed(matrix: Matrix, *lines: str) -> str:
    """What psql prints for lines that a person types, errors included and in their place.

    Docker carries the two streams one beside the other: they are joined before.
    """
    command = ["docker", "exec", "--interactive", str(matrix.server.container.get_wrapped_container().id)]
    command += ["sh", "-c", "exec psql -X -q -A -t -U rvbbit -d rvbbit 2>&1"]
    result = subprocess.run(command, input="\n".join(lines) + "\n", text=True, check=True, stdout=-1)
    return result.stdout


def test_an_error_in_the_middle_of_a_stream(matrix: Matrix) -> None:
    """The rows before it stand there, the error has a name, and the connection goes on."""
    answer = typed(
        matrix,
        r"\set FETCH_COUNT 1000",
        "SELECT id, note FROM client_matrix._fails_late;",
        f'SELECT count(*) FROM "{ORDERS}"._extract_data;',
    )
    shown = [line.split("|")[0] for line in answer.splitlines() if line[:1].isdigit()]
    assert shown[:-1] == [str(n) for n in range(len(shown) - 1)]
    assert 1000 <= len(shown) - 1 <= FAILS_AT
    assert shown[-1] == "3000"
    assert 'ERROR:  value of column "note"' in answer


def test_a_statement_that_takes_too_long(matrix: Matrix) -> None:
    answer = typed(
        matrix,
        "SET statement_timeout = '200ms';",
        "SELECT n FROM client_matrix._endless;",
        "SELECT 'still here';",
    )
    assert answer.splitlines() == [
        "ERROR:  canceling statement due to statement timeout",
        "still here",
    ]


@pytest.fixture
def shell(matrix: Matrix) -> Iterator[Terminal]:
    """psql as a person has it before them."""
    container = str(matrix.server.container.get_wrapped_container().id)
    inside = ["psql", "-X", "-U", "rvbbit", "-d", "rvbbit", "-P", "pager=off"]
    with terminal(["docker", "exec", "--interactive", "--tty", container, *inside]) as opened:
        opened.wait_for("rvbbit=> ")
        yield opened


# What is typed before the tab, and what psql makes of it.
COMPLETED = [
    ("SELECT * FROM client_m\t", r"FROM client_matrix\."),
    ("SELECT * FROM client_matrix._st\t", r"client_matrix\._stream "),
    ('SELECT * FROM "agile-c\t', r'"agile-cardinal-490cb1"\.'),
    ("\\d client_matrix._ty\t", r"client_matrix\._types "),
]


@pytest.mark.parametrize(("keys", "completed"), COMPLETED)
def test_completion(shell: Terminal, keys: str, completed: str) -> None:
    shell.type(keys)
    shell.wait_for(completed)


def test_ctrl_c_ends_a_query_and_not_the_connection(shell: Terminal) -> None:
    shell.type("SELECT pg_backend_pid(), n FROM client_matrix._endless;\n")
    with pytest.raises(AssertionError, match="no 'never'"):
        shell.wait_for("never", seconds=0.5)
    shell.type("\x03")
    shell.wait_for("canceling statement due to user request")
    shell.type(f'SELECT count(*) FROM "{ORDERS}"._extract_data;\n')
    shell.wait_for("3000")
