"""How values look: sizes, ages, patterns, times, and text from files that anybody named."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import click
import pytest
from rich.cells import cell_len
from rich.console import Console

from rvbbit_cli import screen
from rvbbit_cli.listing import Since, like
from rvbbit_cli.screen import Column, shown


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, ""),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (12288, "12.0 kB"),
        (798720, "780 kB"),
        (1023 * 1024, "1.0 MB"),
        (5 << 30, "5.0 GB"),
        (2000 << 40, "2000 TB"),
    ],
)
def test_size(count: int | None, text: str) -> None:
    assert screen.size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172799, "47 h"),
        (172800, "2 d"),
    ],
)
def test_age(seconds: int, text: str) -> None:
    assert screen.age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("agile", "%agile%"), ("agile-*", "agile-%"), ("a?b", "a_b"), ("my_test", r"%my\_test%"),
     ("100%*", r"100\%%"), ("back\\*", r"back\\%")],
)  # fmt: skip
def test_pattern(pattern: str, expected: str) -> None:
    assert like(pattern) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90min", timedelta(minutes=90)),
        ("45s", timedelta(seconds=45)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("2026-11-22T14:00:00+00:00", datetime(2026, 11, 22, 14, tzinfo=UTC)),
    ],
)
def test_since(text: str, expected: object) -> None:
    assert Since().convert(text, None, None) == expected


def test_a_date_is_of_this_machine() -> None:
    found = Since().convert("2026-11-22", None, None)
    assert isinstance(found, datetime)
    assert (found.date().isoformat(), found.utcoffset() is not None) == ("2026-11-22", True)


@pytest.mark.parametrize("text", ["", "yesterday", "7", "7y", "d7", "99999999999999d", "2026-13-01"])
def test_no_time(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Since().convert(text, None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("Übersicht 東京 🐇", "Übersicht 東京 🐇"),
        ("[bold]no markup[/bold] :smile:", "[bold]no markup[/bold] :smile:"),
        ("two\nlines\tand\r", "two\\nlines\\tand\\r"),
        ("\x1b[31mred\x07\x9b", "\\u001b[31mred\\u0007\\u009b"),
        ("right\u202eto left", "right\\u202eto left"),
        (None, ""),
        (7, "7"),
    ],
)
def test_nothing_steers_the_terminal(value: object, text: str) -> None:
    assert shown(value).plain == text


def drawn(width: int, columns: list[Column], rows: list[list[str]]) -> list[str]:
    """The lines of a table on a console of this width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    made = screen.table(columns, [[shown(cell) for cell in row] for row in rows], console)
    with console.capture() as captured:
        console.print(made)
    lines = captured.get().splitlines()
    assert max(map(cell_len, lines)) <= width
    return lines


@pytest.mark.parametrize("width", [40, 80, 120])
def test_long_names_are_folded_and_nothing_is_lost(width: int) -> None:
    names = ["x" * 255, "名" * 60, "short"]
    lines = drawn(width, [Column("NAME", folds="name"), Column("STATE")], [[n, "ready"] for n in names])
    text = "".join(line.removesuffix("ready").strip().replace("ready", "").strip() for line in lines)
    assert all(name in text for name in names)


@pytest.mark.parametrize(("width", "is_whole"), [(40, False), (60, True), (80, True), (120, True)])
def test_a_sentence_makes_room_for_names(width: int, is_whole: bool) -> None:
    name, sentence = "_results_20251220.q_5f2c81aa", "it reads a table that is none of its session " * 3
    columns = [Column("TABLE", folds="name"), Column("KIND"), Column("LEFT OUT", folds="sentence")]
    lines = drawn(width, columns, [[name, "view", sentence.strip()]])
    assert any(name in line for line in lines) is is_whole


def test_json_has_a_line_for_each_object(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, object]] = [
        {"at": datetime(2026, 1, 2, tzinfo=UTC), "span": timedelta(seconds=1.5), "null": None},
        {"id": 'ü"\n'},
    ]
    screen.show_json(rows)
    written = capsys.readouterr().out
    assert len(written.splitlines()) == 4
    expected = [{"at": "2026-01-02T00:00:00+00:00", "span": 1.5, "null": None}, {"id": 'ü"\n'}]
    assert json.loads(written) == expected


def test_csv_of_everything(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show_csv(
        ["a", "b", "c"], [{"a": True, "b": None, "c": 'x,"y"\n'}, {"a": {"k": 1}, "b": 1.5, "c": ""}]
    )
    assert capsys.readouterr().out == 'a,b,c\ntrue,,"x,""y""\n"\n"{""k"": 1}",1.5,\n'
