"""One server for all tests here, a connection and a schema for each of them, and its log watched."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server, make_demo_sessions, serving
from tests.kit.host import ON_MULTICORN2
from tests.kit.synced import ticking
from tests.server.multicorn2 import SURFACE

_ALL = {path.name for path in Path(__file__).parent.glob("test_*.py")}
collect_ignore = sorted(_ALL - SURFACE) if ON_MULTICORN2 else []


@pytest.fixture(scope="session")
def demo_sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo sessions."""
    return make_demo_sessions(tmp_path_factory.mktemp("session_dbs"))


@pytest.fixture(scope="session")
def server(demo_sessions: Path) -> Iterator[Server]:
    """The server that tests share; tests may add sessions of their own to its folder and take them away."""
    # Tests attach sessions themselves.
    with serving(demo_sessions, "postgres", "-c", "cron.launch_active_jobs=off") as running:
        yield running


@pytest.fixture(scope="session")
def following(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a folder of its own, in which tests tick, or let the image's job do so (ticking)."""
    folder = tmp_path_factory.mktemp("following")
    folder.chmod(0o755)
    # Tests count transactions: no others than theirs.
    with serving(folder, "postgres", "-c", "autovacuum=off") as running:
        with ticking(running):
            pass
        yield running


@pytest.fixture
def db(server: Server) -> Iterator[psycopg.Connection]:
    """A connection of the login rvbbit, in autocommit mode."""
    with server.connect() as connection:
        yield connection


@pytest.fixture
def schema(server: Server) -> Iterator[str]:
    """A schema of the test's own, owned by rvbbit."""
    name = f"test_{secrets.token_hex(4)}"
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    yield name
    with server.connect() as connection:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


@pytest.fixture(autouse=True)
def _watched_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that used a shared server its log tells of no crash and no Python error."""
    name = next((name for name in ("server", "following") if name in request.fixturenames), None)
    if name is None:
        yield
        return
    server: Server = request.getfixturevalue(name)
    server.news()
    yield
    disasters = server.disasters(server.news())
    server.allowed.clear()
    assert not disasters, "\n".join(disasters)
