"""The server of the matrix: all demo sessions, one with every type, each attached as people would find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.clients.presentation import PRESENTATIONS, Presentation
from tests.clients.values import statements
from tests.kit.container import PASSWORD, Server, make_demo_sessions, serving
from tests.kit.writers import make_session

SESSION = "client_matrix"
ORDERS = "agile-cardinal-490cb1"
"""A session with 3,000 orders of random but fixed content, whose name needs quotes."""
LEAST_ATTACHED = 10


@dataclass(frozen=True, eq=False)
class Matrix:
    """A server whose sessions are attached, in one presentation."""

    server: Server
    shown: Presentation

    @property
    def port(self) -> int:
        """On which it listens on this machine."""
        return int(self.server.container.get_exposed_port(5432))

    @property
    def host(self) -> str:
        """Where it listens."""
        return str(self.server.container.get_container_host_ip())

    def url(self, scheme: str = "postgresql", user: str = "rvbbit") -> str:
        """A connection string."""
        return f"{scheme}://{user}:{PASSWORD}@{self.host}:{self.port}/rvbbit"

    def psql(self, *commands: str, user: str = "rvbbit") -> str:
        """What psql in the container prints for lines that a person types."""
        text = "\n".join(commands) + "\n"
        return self.server.feed(f"psql -X -q -v ON_ERROR_STOP=1 -U {user} -d rvbbit", text)


@contextmanager
def matrix(folder: Path, presentation: str) -> Iterator[Matrix]:
    """A server over real sessions, at least ten of them attached by its own policy."""
    make_demo_sessions(folder)
    make_session(folder / f"{SESSION}.duckdb", *statements())
    # What a client left unread shows in the log's plans; nothing of it is on but for a test that says so.
    command = ("-c", "cron.launch_active_jobs=off", "-c", "session_preload_libraries=auto_explain")
    with serving(folder, "postgres", *command) as server:
        with server.connect() as db:
            db.execute("SELECT rvbbit.set_policy(present_as => %s)", [presentation])
            db.execute("CALL rvbbit.sync()")
            attached = rows(db, "SELECT count(*) FROM _rvbbit_sessions WHERE is_attached")[0][0]
            assert attached >= LEAST_ATTACHED
        yield Matrix(server, PRESENTATIONS[presentation])


def rows(connection: psycopg.Connection, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(query).fetchall()
