"""Texts of DuckDB and of the system, worded as messages of PostgreSQL and without paths of the server."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

_SEE_ALSO = re.compile(r"\s*See also https?://\S+")
_QUOTED_PATH = re.compile(r"""(["'])((?:file:)?/[^"'\n]*)\1""")
_BARE_PATH = re.compile(r"""(?<![\w/:.<"'])/(?:[^\s/"':,;()]+/)+[^\s/"':,;()]*""")


def scrub(text: str, roots: Iterable[str] = ()) -> str:
    """The text with each absolute path shortened to its last part, without DuckDB's advice about locks."""
    for root in sorted((r.rstrip("/") for r in roots), key=len, reverse=True):
        if root:
            text = text.replace(root + "/", "").replace(root, os.path.basename(root))  # noqa: PTH119
    text = _SEE_ALSO.sub("", text)
    text = _QUOTED_PATH.sub(lambda match: match[1] + last_part(match[2]) + match[1], text)
    return _BARE_PATH.sub(lambda match: last_part(match[0]), text)


def one_line(text: str) -> str:
    """The first line of the text as a primary message: no capital at the start, no period at the end."""
    line = text.strip().split("\n", 1)[0].strip().rstrip(".!")
    if len(line) > 1 and line[0].isupper() and not line[1].isupper():
        line = line[0].lower() + line[1:]
    return line or "unknown error"


def sentence(text: str) -> str | None:
    """The text as a full sentence for a detail or hint; None if there is none."""
    text = text.strip()
    if not text:
        return None
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?^" else ".")


def last_part(path: str) -> str:
    """The last part of a path."""
    return path.rstrip("/").rsplit("/", 1)[-1]
