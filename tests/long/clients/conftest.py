"""The matrix and the clients that are too heavy for every run; the server's log is watched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.conftest import _matrix, _watched_log, db, server
from tests.long.clients.box import Box, box

__all__ = ["_matrix", "_watched_log", "db", "server"]


@pytest.fixture(scope="session", name="box")
def _box() -> Iterator[Box]:
    """The container with the clients."""
    with box() as made:
        yield made
