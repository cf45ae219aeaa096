"""How figures are printed."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print at once, so that a long run shows where it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
