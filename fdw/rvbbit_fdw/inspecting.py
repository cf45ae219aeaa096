"""Sessions as a folder is listed, with their states: each file is opened before it is asked for its status.

So a session takes four system calls (open, fstat, the lock, close); `sessions` and `inspection` one after the
other take a stat by name more, and that costs as much as opening.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TypeAlias

from rvbbit_fdw.inspection import JUDGEMENTS, Inspection, Judgements, inspect, open_with_status
from rvbbit_fdw.sessions import Check, Found, SessionFile, SessionFolder, Wanted

_Seen: TypeAlias = tuple[SessionFile, Inspection]


def inspected(
    folder: SessionFolder, place: int, wanted: Wanted, check: Check, judgements: Judgements = JUDGEMENTS
) -> Iterator[_Seen]:
    """The sessions wanted by their names, whatever their times; `place` is the folder's descriptor."""
    for found in folder.found(wanted, check):
        seen = _opened(folder, found, place, judgements) or _by_name(folder, found, place, judgements)
        if seen is not None:
            yield seen


def _opened(folder: SessionFolder, found: Found, place: int, judgements: Judgements) -> _Seen | None:
    """None if the one file does not tell all (a link, a WAL beside it, a name that is no text)."""
    session_id, entry, wals = found
    if wals is not None or not session_id.isascii():
        return None
    try:
        if not entry.is_file(follow_symlinks=False):  # to open a device might do something
            return None
        descriptor, status = open_with_status(entry.name, place)
    except OSError:
        return None
    try:
        return folder.plain(session_id, entry.name, status), judgements.look(descriptor, status, 0)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _by_name(folder: SessionFolder, found: Found, place: int, judgements: Judgements) -> _Seen | None:
    """None if there is no session of that name, or no longer."""
    file = folder.describe(found)
    return None if file is None else (file, inspect(file, place, judgements))
