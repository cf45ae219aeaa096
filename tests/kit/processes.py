"""Other processes that use the brain: started anew, because DuckDB's threads do not survive a fork."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BEGIN = """
import os, signal, sys, time
from pathlib import Path
from rvbbit_fdw import errors
from rvbbit_fdw.sessions import SessionFolder
from rvbbit_fdw.snapshot import SnapshotStore
"""


def start(program: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a Python program with the brain's usual names imported; `arguments` are its sys.argv[1:]."""
    command = [sys.executable, "-P", "-c", _BEGIN + program, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "fdw"), str(ROOT)])}
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], seconds: float = 30.0) -> str:
    """What the program printed; its complaint as an assertion unless it ended well."""
    try:
        output, complaint = process.communicate(timeout=seconds)
    finally:
        process.kill()
    assert process.returncode == 0, complaint
    return output


def run(program: str, *arguments: str | Path) -> str:
    """Run a program to its end; what it printed."""
    return finish(start(program, *arguments))
