"""The command rvbbit-fdw as a process: into a pipe, and on a terminal of a given size."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kit.container import PASSWORD, Server

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "rvbbit_cli")
_OURS = re.compile(r"^(?:PG|RVBBIT_|SESSION_DIR$|COLUMNS$|LINES$|NO_COLOR$|FORCE_COLOR$|TERM$)")
_STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def dsn(server: Server, user: str = "rvbbit", password: str = PASSWORD, dbname: str = "rvbbit") -> str:
    """How to reach a server of the tests."""
    made = server.container
    return f"postgresql://{user}:{password}@{made.get_container_host_ip()}:{made.get_exposed_port(5432)}/{dbname}"


def environment(**more: str) -> dict[str, str]:
    """The environment without what steers the command, and with this."""
    kept = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    return kept | {"PYTHONPATH": str(ROOT / "fdw"), "TERM": "xterm-256color"} | more


@dataclass(frozen=True)
class Shown:
    """What a terminal got, and the exit code."""

    raw: str
    code: int

    @property
    def text(self) -> str:
        """Without colours and movements."""
        return _STEERING.sub("", self.raw).replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """The lines, without blanks at their ends."""
        return [line.rstrip() for line in self.text.splitlines()]


@dataclass
class Cli:
    """The command with a server."""

    dsn: str = ""
    cwd: Path = ROOT / "tests"
    """Without session_dbs and demo_sessions, which the checkout has once its server was started."""
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Of each process."""
        return environment(**({"RVBBIT_DSN": self.dsn} if self.dsn else {}) | self.settings)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it into pipes."""
        return subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment(),
            cwd=self.cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def out(self, *arguments: str) -> str:
        """What it writes to stdout; AssertionError if it fails."""
        result = self(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """The value that it writes with --json, whatever its exit code."""
        result = self(*arguments, "--json")
        assert result.returncode in (0, 1), result.stderr
        return json.loads(result.stdout)

    def fails(self, code: int, *arguments: str) -> str:
        """What it says on stderr when it ends with this code."""
        result = self(*arguments)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stderr

    def on_terminal(
        self,
        *arguments: str,
        width: int = 80,
        height: int = 24,
        until: Callable[[str], object] | None = None,
    ) -> Shown:
        """Run it on a terminal; once `until` holds of what was shown, Ctrl-C is pressed."""
        return run_on_terminal([*COMMAND, *arguments], self.environment(), width, height, until)


def run_on_terminal(
    command: Sequence[str],
    variables: dict[str, str],
    width: int,
    height: int,
    until: Callable[[str], object] | None = None,
    seconds: float = 60,
) -> Shown:
    """Run a command on a pseudo terminal of this size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, start_new_session=True
    )
    os.close(theirs)
    received, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                received += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        if until is not None and until(received.decode("utf-8", "replace")):
            os.killpg(process.pid, signal.SIGINT)
            until = None
    else:
        process.kill()
    os.close(ours)
    return Shown(received.decode(), process.wait(timeout=60))
