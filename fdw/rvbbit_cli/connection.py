"""Where the server is: --dsn, RVBBIT_DSN, libpq's environment, else what `make up` starts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

import click
import psycopg
from psycopg import conninfo, pq

from rvbbit_cli.failures import UNREACHABLE, USAGE, Failure, of_connecting, translated

DSN_VARIABLE: Final = "RVBBIT_DSN"
DEFAULT_DSN: Final = "postgresql://rvbbit:rvbbit@127.0.0.1:5433/rvbbit"

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]

_TIMEOUT_SECONDS = "10"
_APPLICATION = "rvbbit-fdw"


def parameters(dsn: str | None, environment: Mapping[str, str]) -> dict[str, str]:
    """What to connect with; a Failure says that the DSN is none, without showing it.

    What the DSN leaves open is libpq's environment, then the default. Host, port and password of the default
    belong together: who names a host gets neither its port nor its password.
    """
    given = _parse(dsn or environment.get(DSN_VARIABLE) or "")
    named = set(given) | {keyword for keyword, variable in _variables().items() if environment.get(variable)}
    result = {"connect_timeout": _TIMEOUT_SECONDS, "fallback_application_name": _APPLICATION} | given
    if "service" in named:
        return result
    wanted = {"user", "dbname"}
    if not named & {"host", "hostaddr"}:
        wanted |= {"host", "port"}
        if not named & {"user", "passfile"}:
            wanted.add("password")
    default = _default(environment)
    return result | {keyword: default[keyword] for keyword in wanted - named}


def place_of(given: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Host and port for messages."""
    host, port = (given.get(name) or environment.get(f"PG{name.upper()}") for name in ("host", "port"))
    if host and host.startswith("/"):
        return f"the socket in {host}"
    return f"{host or given.get('hostaddr') or 'the server'}:{port or 5432}"


def open_connection(dsn: str | None) -> Connection:
    """A connection in autocommit mode, whose times are in UTC; a Failure with a hint if there is none."""
    given = parameters(dsn, os.environ)
    names = {name: given.get(name) or os.environ.get(f"PG{name.upper()}", "") for name in ("user", "dbname")}
    names["dbname"] = names["dbname"] or os.environ.get("PGDATABASE", "")
    try:
        connection = psycopg.connect(**given, autocommit=True)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise of_connecting(error, place_of(given, os.environ), names) from None
    with translated():
        connection.execute("SET TimeZone = 'UTC'")
    return connection


def require_extension(connection: Connection) -> None:
    """A Failure if the database is not one of ours."""
    with translated():
        found = connection.execute("SELECT to_regclass('public._rvbbit_sessions') IS NOT NULL").fetchone()
    if found != (True,):
        name = connection.info.dbname
        raise Failure(
            f'the database "{name}" has no sessions: the extension rvbbit is not set up in it',
            code=UNREACHABLE,
            hint="Is it the right server? Else a superuser makes it so: CREATE EXTENSION rvbbit_fdw; "
            "CREATE EXTENSION rvbbit; CALL rvbbit.setup(session_dir => '/path/session_dbs');",
        )


@contextmanager
def connected(dsn: str | None) -> Iterator[Connection]:
    """A connection to a server of ours; errors of its statements are failures."""
    with open_connection(dsn) as connection, translated(connection.info.user):
        require_extension(connection)
        yield connection


def session_ids(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """For the shell's completion: ids that begin so; none where the server cannot be asked."""
    pattern = incomplete.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    with suppress(Failure, psycopg.Error), connected(dsn_of(ctx)) as connection:
        query = "SELECT session_id FROM public.rvbbit_sessions WHERE session_id LIKE %s ORDER BY 1 LIMIT 200"
        return [row[0] for row in connection.execute(query, [pattern])]
    return []


def dsn_of(ctx: click.Context) -> str | None:
    """What --dsn said, before or after the command's name."""
    dsn: str | None = ctx.find_root().meta.get(DSN_VARIABLE)
    return dsn


def _parse(dsn: str) -> dict[str, str]:
    try:
        found = {keyword: str(value) for keyword, value in conninfo.conninfo_to_dict(dsn).items()}
    except psycopg.Error:
        raise _not_understood() from None
    # What follows a plain @ or / within a password, and would be shown.
    misplaced = "@" in found.get("host", "") + found.get("dbname", "")
    if misplaced or not set(found.get("port", "")) <= set("0123456789,"):
        raise _not_understood()
    return found


def _not_understood() -> Failure:
    return Failure(
        "the connection string is not understood",
        code=USAGE,
        hint="Its forms are postgresql://user:password@host:port/database, where @ and / of a password are "
        f'%40 and %2F, and "host=... port=..."; it comes from --dsn or {DSN_VARIABLE}.',
    )


def _default(environment: Mapping[str, str]) -> dict[str, str]:
    """What `make up` starts, which has port and password from the same variables."""
    default = {keyword: str(value) for keyword, value in conninfo.conninfo_to_dict(DEFAULT_DSN).items()}
    for keyword, variable in (("port", "RVBBIT_PORT"), ("password", "RVBBIT_PASSWORD")):
        default[keyword] = environment.get(variable) or default[keyword]
    return default


def _variables() -> dict[str, str]:
    """libpq's own table: keyword and environment variable."""
    options = pq.Conninfo.get_defaults()
    return {item.keyword.decode(): item.envvar.decode() for item in options if item.envvar}
