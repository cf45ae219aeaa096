"""A program on a terminal: keys go in, and what stands on its screen comes out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?=>]*[a-zA-Z]|\][^\x07]*\x07|[=>()][0-9A-Z]?)")
_LAUNCH = "import os, sys; os.login_tty(0); os.execvp(sys.argv[1], sys.argv[1:])"
"""Runs a command whose standard input becomes the terminal from which Ctrl-C reaches it."""
SIZE = struct.pack("HHHH", 50, 200, 0, 0)
"""50 lines of 200 characters."""


class Terminal:
    """What a program wrote since it was started, without the sequences that move the cursor."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self._raw = b""
        self._seen = 0

    def type(self, keys: str) -> None:
        """Press keys."""
        self._seen = len(self._raw)
        os.write(self._master, keys.encode())

    def text(self) -> str:
        """What it wrote since the last keys."""
        return _ESCAPES.sub("", self._raw[self._seen :].decode(errors="replace")).replace("\r", "")

    def wait_for(self, pattern: str, seconds: float = 20) -> str:
        """Wait until this appears, and give the text so far; AssertionError with it if it does not."""
        until = time.monotonic() + seconds
        while not re.search(pattern, self.text()):
            assert time.monotonic() < until, f"no {pattern!r} in {self.text()!r}"
            self._read(0.05)
        return self.text()

    def _read(self, seconds: float) -> None:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return
        try:
            self._raw += os.read(self._master, 65536)
        except OSError as error:  # the other side is gone
            message = f"the program ended with {self.process.wait()}: {self.text()!r}"
            raise AssertionError(message) from error


@contextmanager
def terminal(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run a command on a terminal of its own; it is killed at the end of the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, SIZE)
    settings = {**os.environ, "TERM": "xterm", **(environment or {})}
    launched = [sys.executable, "-c", _LAUNCH, *command]
    process = subprocess.Popen(launched, stdin=slave, stdout=slave, stderr=slave, env=settings)
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
