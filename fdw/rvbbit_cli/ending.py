"""How the command ends: with the exit code of what happened, and without a traceback for what is foreseen."""

from __future__ import annotations

import sys

import click

from rvbbit_cli.commands import main
from rvbbit_cli.failures import INTERRUPTED


def finish() -> None:
    """Run the command line and exit."""
    try:
        code = main(prog_name="rvbbit-fdw", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
