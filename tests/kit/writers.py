"""Real writer processes: DuckDB of a chosen version in a virtual environment of its own.

RVBBIT writes its sessions with DuckDB 1.4.2; the sessions of tests come from that version, in a separate
process that holds the file's lock as RVBBIT does.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

RVBBIT_VERSION = "1.4.2"
NEWEST_VERSION = "2.0.0"
CACHE = Path(__file__).parents[2] / ".cache"

_SERVER = """
import json, sys, duckdb
path, config = sys.argv[1], json.loads(sys.argv[2])
connection = duckdb.connect(path, config=config)
connection.execute("SET enable_progress_bar = false")  # it would go to stdout
print(json.dumps("open"), flush=True)
for line in sys.stdin:
    try:
        rows = connection.execute(json.loads(line)).fetchall()
        print(json.dumps({"rows": rows}, default=str), flush=True)
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
connection.close()
"""


def interpreter(version: str) -> str:
    """A Python that imports this version of duckdb; its environment is made at first use."""
    home = CACHE / f"writer-{version}-{sys.version_info[0]}.{sys.version_info[1]}"
    python = home / "bin" / "python"
    CACHE.mkdir(exist_ok=True)
    with Path(f"{home}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "ready").exists():
            _make(home, python, version)
    return str(python)


class Writer:
    """A process that holds a session open and runs SQL in it."""

    def __init__(self, path: Path, version: str = RVBBIT_VERSION, **config: str | int) -> None:
        command = [interpreter(version), "-c", _SERVER, str(path), json.dumps(config)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def run(self, sql: str) -> list[list[Any]]:
        """Run SQL and give its rows; RuntimeError with DuckDB's text if it fails."""
        stream = self._stream(self.process.stdin)
        stream.write(json.dumps(sql) + "\n")
        stream.flush()
        answer = self._answer()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        rows: list[list[Any]] = answer["rows"]
        return rows

    def close(self) -> None:
        """Close the session as RVBBIT does at the end of a run: a checkpoint, and the WAL goes."""
        self._end()

    def kill(self) -> None:
        """End the process at once; its WAL stays."""
        self.process.kill()
        self._end()

    def _end(self) -> None:
        self._stream(self.process.stdin).close()
        self.process.wait(timeout=120)
        self._stream(self.process.stdout).close()

    def _answer(self) -> Any:
        line = self._stream(self.process.stdout).readline()
        if not line:
            raise RuntimeError(f"the writer ended with {self.process.wait()}")
        return json.loads(line)

    @staticmethod
    def _stream(stream: IO[str] | None) -> IO[str]:
        assert stream is not None
        return stream


@contextmanager
def writing(path: Path, version: str = RVBBIT_VERSION, **config: str | int) -> Iterator[Writer]:
    """A writer for the length of a block; closed at its end unless it was killed."""
    writer = Writer(path, version, **config)
    try:
        yield writer
    finally:
        if writer.process.returncode is None:
            writer.close()


def make_session(path: Path, *statements: str, version: str = RVBBIT_VERSION) -> Path:
    """Write a closed session with these statements."""
    with writing(path, version) as writer:
        for statement in statements:
            writer.run(statement)
    return path


@contextmanager
def looping(path: Path, program: str, version: str = RVBBIT_VERSION) -> Iterator[Path]:
    """Run a program (its argument is the session's path) in a writer's Python until the block ends.

    The program appends a line to the file given as its second argument per commit, and ends when its third
    argument, a file, exists. An error of the program fails the block.
    """
    log, stop = path.with_suffix(".log"), path.with_suffix(".stop")
    command = [interpreter(version), "-c", program, str(path), str(log), str(stop)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(log, process)
        yield log
    finally:
        stop.touch()
        _, complaint = process.communicate(timeout=120)
    assert process.returncode == 0, complaint


def _make(home: Path, python: Path, version: str) -> None:
    shutil.rmtree(home, ignore_errors=True)
    environment = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, env=environment)
    install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", f"duckdb=={version}"]
    subprocess.run(install, check=True, env=environment)
    (home / "ready").touch()


def _wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not path.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
