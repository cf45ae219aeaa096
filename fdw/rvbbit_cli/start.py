"""The entry point, which says something useful also where the libraries of the command are missing."""

from __future__ import annotations

import signal
import sys

_EXTRA = frozenset({"click", "rich", "psycopg"})
_MISSING = """\
error: the command line needs the Python package "{name}"
hint: Install it with its libraries: pip install 'rvbbit-fdw[cli]'.
"""


def run() -> None:
    """Run the command and exit with its code."""
    # As any filter of a shell: who closes the pipe (head, less) ends it without a word.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        from rvbbit_cli.ending import finish
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _EXTRA:
            raise
        sys.stderr.write(_MISSING.format(name=name))
        sys.exit(2)
    finish()
