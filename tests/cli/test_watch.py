"""What --watch takes for a change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rvbbit_cli.watch import changes

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=2)


def row(**differs: Any) -> dict[str, Any]:
    """A session as it is listed."""
    usual = {"session_id": "a", "state": "ready", "size_bytes": 12288, "wal_bytes": 0, "modified_at": NOON,
             "is_attached": False, "schema_name": None}  # fmt: skip
    return usual | differs


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (row(), row(), []),
        (None, row(state="live"), [("new", "new, live, 12.0 kB")]),
        (None, row(state=None), [("new", "new, not looked into, 12.0 kB")]),
        (row(), None, [("gone", "gone")]),
        (row(state="live"), row(), [("state", "live -> ready")]),
        (row(state=None), row(), []),
        (row(), row(is_attached=True, schema_name="x"), [("attached", "attached as x")]),
        (row(is_attached=True, schema_name="x"), row(is_attached=True, schema_name="y"),
         [("attached", "attached as y")]),
        (row(is_attached=True, schema_name="x"), row(), [("detached", "detached")]),
        (row(), row(modified_at=LATER, wal_bytes=8192), [("written", "written, 12.0 kB -> 20.0 kB")]),
        (row(modified_at=None, size_bytes=None), row(), [("written", "written,  -> 12.0 kB")]),
    ],
)  # fmt: skip
def test_changes(
    before: dict[str, Any] | None, after: dict[str, Any] | None, told: list[tuple[str, str]]
) -> None:
    old, new = ({"a": each} if each else {} for each in (before, after))
    assert [(change.what, change.text) for change in changes(old, new, LATER)] == told
