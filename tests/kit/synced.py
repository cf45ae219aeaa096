"""A server whose schemas follow its folder, as an operator sees it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape as glob_escape
from pathlib import Path
from typing import Any

import psycopg

from tests.kit.container import Server
from tests.kit.writers import RVBBIT_VERSION, Writer, interpreter

_WRITE = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
for statement in sys.argv[2:]:
    con.execute(statement)
"""


@dataclass
class Folder:
    """A server over a folder of the test's own, with an operator's connection."""

    server: Server
    db: psycopg.Connection
    log_length: int = 0

    def write(self, session: str, *statements: str) -> Path:
        """Run statements in a session, made if it does not exist."""
        path = self.server.session_dir / f"{session}.duckdb"
        command = [interpreter(RVBBIT_VERSION), "-c", _WRITE, str(path), *statements]
        subprocess.run(command, check=True)
        path.chmod(0o644)
        return path

    def unfinished(self, session: str, *statements: str) -> Path:
        """A session whose writer was killed: 12 KB, and all that it holds in its write-ahead log."""
        path = self.server.session_dir / f"{session}.duckdb"
        writer = Writer(path)
        for statement in statements:
            writer.run(statement)
        writer.kill()
        return path

    def copy(self, session: str, *names: str) -> None:
        """The same session under other names, or in the place of others; the server may read each at once."""
        source = self.server.session_dir / f"{session}.duckdb"
        for name in names:
            # The log first: a database without it would be an empty session.
            for ending in (".duckdb.wal", ".duckdb"):
                with suppress(FileNotFoundError):
                    copied = Path(shutil.copy(source.with_suffix(ending), source.with_suffix(".copied")))
                    copied.chmod(0o644)
                    copied.replace(source.with_name(name + ending))

    def age(self, session: str, hours: float) -> None:
        """Let a session be as old as this."""
        then = time.time() - hours * 3600
        for path in self.server.session_dir.glob(f"{glob_escape(session)}.duckdb*"):
            os.utime(path, (then, then))

    def sync(self) -> None:
        """One tick."""
        self.db.execute("CALL rvbbit.sync()")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.db.execute(query).fetchall()

    def one(self, query: str) -> Any:
        """The one value of a query."""
        return self.rows(query)[0][0]

    def attached(self) -> dict[str, str]:
        """Session and schema of all that is attached."""
        return dict(self.rows("SELECT session_id, schema_name FROM _rvbbit_sessions WHERE is_attached"))

    def plan(self) -> set[tuple[str, ...]]:
        """What the next sync would do: action, session, table, column."""
        query = """
            SELECT array_remove(ARRAY[action, session_id, table_name::text, column_name::text], NULL)
            FROM rvbbit.sync_plan()"""
        return {tuple(row[0]) for row in self.rows(query)}

    def problems(self) -> dict[str, str]:
        """What keeps sessions from being in step."""
        return self.one("SELECT problems FROM rvbbit.sync_status") or {}

    def errors(self) -> list[str]:
        """Errors that the server logged since the folder was opened."""
        new = self.server.whole_log()[self.log_length :]
        return [line for line in new.splitlines() if " ERROR: " in line]

    def comment(self, admin: psycopg.Connection, table: str, text: str) -> None:
        """A comment on a table, whatever kind it is of."""
        found = "SELECT relkind = 'f' FROM pg_class WHERE oid = %s::regclass"
        kind = "FOREIGN TABLE" if admin.execute(found, [table]).fetchone() == (True,) else "TABLE"
        admin.execute(f"COMMENT ON {kind} {table} IS '{text}'")

    def columns(self, table: str) -> dict[str, str]:
        """Names and types of a table's columns."""
        return dict(
            self.rows(f"""
                SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
                WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped""")
        )


@contextmanager
def ticking(server: Server, every: str = "1 second") -> Iterator[None]:
    """The container's own job runs as often as this until the block ends."""
    alter = "SELECT cron.alter_job(jobid, schedule => %s, active => %s) FROM cron.job"
    with server.connect(user="postgres") as admin:
        admin.execute(alter, [every, True])
        try:
            yield
        finally:
            admin.execute(alter, ["10 seconds", False])
            # What runs still ends; one begun this second might be yet to come.
            time.sleep(1.2)
            running = (
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pg_cron' AND state = 'active'"
            )
            wait_for(lambda: admin.execute(running).fetchall() == [(0,)])


@contextmanager
def opened(server: Server) -> Iterator[Folder]:
    """The empty folder of a server, with a schema "mine"; afterwards all is as if nothing had been."""
    with server.connect() as db, server.connect(user="postgres") as admin:
        admin.execute("CREATE SCHEMA mine AUTHORIZATION rvbbit")
        yield Folder(server, db, len(server.whole_log()))
        for path in server.session_dir.iterdir():
            path.unlink()
        for (name,) in admin.execute(
            "SELECT quote_ident(nspname) FROM pg_namespace"
            " WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'rvbbit', 'cron', 'information_schema')"
        ).fetchall():
            admin.execute(f"DROP SCHEMA {name} CASCADE")
        admin.execute(
            "TRUNCATE rvbbit.attachment, rvbbit.detachment,"
            " rvbbit.sync_problem, rvbbit.sync_run, rvbbit.sync_seen"
        )
        admin.execute(
            "SELECT rvbbit.set_policy('smart', 50, present_as => 'table', include => '',"
            " exclude => 'pg_client_%%, health_check_%%, http_api_%%')",
            [],
        )


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> None:
    """Wait until it holds; AssertionError if it does not."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
