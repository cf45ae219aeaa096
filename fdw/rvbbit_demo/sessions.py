"""Write the demo sessions into an empty folder: `python -m rvbbit_demo.sessions <folder>`.

Needs Python 3.11 or later and duckdb 1.4.2, the version that RVBBIT writes with. `write_folder` takes the
duckdb that is installed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rvbbit_demo import damage
from rvbbit_demo.catalogue import SESSIONS, Session

DUCKDB_VERSION = "1.4.2"
WRITERS = 4


class DemoError(Exception):
    """Something that one sentence explains."""


def duckdb_version() -> str:
    """The version that writes; "none" if there is none."""
    try:
        return version("duckdb")
    except PackageNotFoundError:
        return "none"


def check_duckdb() -> None:
    """The files must be what RVBBIT's own DuckDB writes."""
    found = duckdb_version()
    if found != DUCKDB_VERSION:
        raise DemoError(
            f"The demo sessions are written with duckdb {DUCKDB_VERSION}, and this Python has {found}."
        )


def prepare(folder: Path) -> None:
    """Never write where files already are."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DemoError(f"{folder} already has files: name an empty or a new folder.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise DemoError(f"{folder} cannot be written by uid {os.getuid()}.")
    except OSError as error:
        raise DemoError(f"{folder} cannot be used: {error.strerror}.") from error


def files_of(folder: Path, session: Session) -> list[Path]:
    """The database file and, if the writer left one, its WAL."""
    database = folder / f"{session.id}.duckdb"
    return [path for path in (database, database.with_name(database.name + ".wal")) if path.exists()]


def run_writer(folder: Path, session: Session) -> None:
    """One process per session; a killed one must have died by its own hand."""
    command = [sys.executable, "-m", "rvbbit_demo.writer", str(folder), session.id]
    places = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode != (-signal.SIGKILL if session.killed else 0):
        raise DemoError(f"{session.id} could not be written: {result.stderr.strip()}")


def write(folder: Path, session: Session, now: float) -> tuple[Session, int]:
    """Write, damage and date one session; returns the bytes it takes."""
    run_writer(folder, session)
    if session.damage:
        damage.apply(folder / f"{session.id}.duckdb", session.damage)
    files = files_of(folder, session)
    modified = now - session.age_hours * 3600
    for path in files:
        os.utime(path, (modified, modified))
    return session, sum(path.stat().st_size for path in files)


def describe(session: Session) -> str:
    """What is special about a session, for the progress line."""
    killed = "killed writer, all data in its WAL" if session.killed else ""
    count = len(session.tables)
    tables = f"{count} table{'s' if count > 1 else ''}" if count else "empty"
    return session.damage or killed or tables


def remove_all(folder: Path) -> None:
    """Leave the folder empty as it was, so that the next try may write there."""
    for session in SESSIONS:
        for path in files_of(folder, session):
            path.unlink()


def write_all(folder: Path, wrote: Callable[[Session, int], None]) -> int:
    """Write every session, tell each with its bytes; returns the bytes of all."""
    now, total = time.time(), 0
    pool = ThreadPoolExecutor(WRITERS)
    try:
        for session, size in pool.map(lambda session: write(folder, session, now), SESSIONS):
            total += size
            wrote(session, size)
    finally:
        pool.shutdown(cancel_futures=True)
    return total


def write_folder(folder: Path, wrote: Callable[[Session, int], None]) -> int:
    """Write every session into an empty or a new folder, or leave it empty; returns the bytes of all."""
    prepare(folder)
    try:
        return write_all(folder, wrote)
    except BaseException:
        remove_all(folder)
        raise


def tell(session: Session, size: int) -> None:
    """A line for a session that was written."""
    print(f"  {session.id:<72} {size / 2**20:5.1f} MB  {describe(session)}", flush=True)


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m rvbbit_demo.sessions <folder>", file=sys.stderr)
        return 2
    folder, started = Path(arguments[0]), time.monotonic()
    try:
        check_duckdb()
        total = write_folder(folder, tell)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    seconds = time.monotonic() - started
    print(f"{len(SESSIONS)} demo sessions, {total / 2**20:.1f} MB, in {folder} ({seconds:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
