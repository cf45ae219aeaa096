"""The matrix and the clients that are too heavy for every run; the server's log is watched."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.clients.conftest import SHOWN
from tests.clients.served import Matrix, matrix
from tests.kit.container import Server
from tests.long.clients.box import Box, box


@pytest.fixture(scope="session", params=SHOWN, name="matrix")
def _matrix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """The sessions, attached."""
    with matrix(tmp_path_factory.mktemp(f"clients_{request.param}"), request.param) as made:
        yield made


@pytest.fixture(scope="session")
def server(matrix: Matrix) -> Server:
    """Its server."""
    return matrix.server


@pytest.fixture
def db(server: Server) -> Iterator[psycopg.Connection]:
    """A connection of the login rvbbit, in autocommit mode."""
    with server.connect() as connection:
        yield connection


@pytest.fixture(autouse=True)
def _watched_log(server: Server) -> Iterator[None]:
    """After each test the server's log tells of no crash and no Python error."""
    before = len(server.log())
    yield
    disasters = server.disasters(server.log()[before:])
    server.allowed.clear()
    assert not disasters, "\n".join(disasters)


@pytest.fixture(scope="session", name="box")
def _box() -> Iterator[Box]:
    """The container with the clients."""
    with box() as made:
        yield made
