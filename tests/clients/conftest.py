"""One server for the matrix; its log is watched."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest

from tests.clients.served import Matrix, matrix
from tests.kit.container import Server

# How sessions are shown by default; PRESENTATIONS="foreign table" tries both.
SHOWN = os.environ.get("PRESENTATIONS", "table").split()


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
    server.news()
    yield
    disasters = server.disasters(server.news())
    server.allowed.clear()
    assert not disasters, "\n".join(disasters)
