"""Demo sessions on this machine, written by the DuckDB that is installed."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from rvbbit_cli import screen
from rvbbit_cli.failures import FOUND, Failure
from rvbbit_demo import live as live_demo
from rvbbit_demo import sessions as demo
from rvbbit_demo.catalogue import SESSIONS


def write(folder: Path) -> None:
    """Write them into an empty or a new folder; a Failure says why not, and leaves nothing."""
    done = 0
    with screen.progress("writing", len(SESSIONS)) as set_done:

        def wrote(_session: object, _size: int) -> None:
            nonlocal done
            done += 1
            set_done(done)

        try:
            total = demo.write_folder(folder, wrote)
        except demo.DemoError as error:
            raise Failure(str(error).rstrip("."), code=FOUND) from None
    text = f"{screen.plural(len(SESSIONS), 'demo session')}, {screen.size(total)}, in {folder}"
    screen.say(Text(text))
    screen.remark(f'written by DuckDB {demo.duckdb_version()}; "make up SESSION_DIR={folder}" serves them')


def keep_writing(folder: Path) -> None:
    """Keep one more session open for a minute."""
    if not folder.is_dir():
        raise Failure(f'there is no folder "{folder}"', code=FOUND)
    live_demo.run(folder / f"{live_demo.session_id()}.duckdb", 60)
