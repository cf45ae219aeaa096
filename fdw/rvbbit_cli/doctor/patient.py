"""What the checks look at: the server, if it can be reached, and the folder, if this machine has it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from rvbbit_cli.connection import Connection, open_connection, place_of, require_extension
from rvbbit_cli.failures import Failure
from rvbbit_fdw.errors import RvbbitError
from rvbbit_fdw.sessions import SessionFile, SessionFolder


class Unknown(Exception):  # noqa: N818 - what a check came to
    """Something cannot be checked; the text says why."""


class Listed(NamedTuple):
    """A session as the server lists it."""

    session_id: str
    state: str
    error: str | None


@dataclass
class Patient:
    """The server by its connection, or why there is none; the folder by its path here, or None."""

    place: str
    connection: Connection | None
    failure: Failure | None
    folder: Path | None

    @property
    def server(self) -> Connection:
        """The connection; Unknown without one."""
        if self.connection is None:
            raise Unknown("the server cannot be asked")
        return self.connection

    def one(self, query: str) -> tuple[Any, ...]:
        """The only row of a query."""
        row = self.server.execute(query.encode()).fetchone()
        assert row is not None, query  # noqa: S101 - each of them has one
        return row

    @cached_property
    def listing(self) -> list[Listed] | psycopg.Error:
        """What the server lists, or its error."""
        try:
            rows = self.server.execute(
                "SELECT session_id, state, error FROM public.rvbbit_sessions ORDER BY 1"
            )
            return [Listed(*row) for row in rows]
        except psycopg.Error as error:
            return error

    def listed(self) -> list[Listed]:
        """The sessions that the server lists; Unknown if it cannot read its folder."""
        if isinstance(self.listing, psycopg.Error):
            raise Unknown("the server cannot read its folder")
        return self.listing

    @cached_property
    def files(self) -> dict[str, SessionFile]:
        """The sessions of the folder as this machine sees it; Unknown if it cannot."""
        try:
            return {file.session_id: file for file in self._session_folder().list()}
        except RvbbitError as error:
            raise Unknown(f"{self.folder}: {error.message}") from None

    def orphans(self) -> Sequence[str]:
        """Write-ahead logs without a session; Unknown if this machine cannot see the folder."""
        try:
            return self._session_folder().orphans()
        except RvbbitError as error:
            raise Unknown(f"{self.folder}: {error.message}") from None

    def _session_folder(self) -> SessionFolder:
        if self.folder is None:
            raise Unknown("no session folder is known on this machine; --folder names it")
        return SessionFolder(str(self.folder))


@contextmanager
def examined(dsn: str | None, folder: Path | None) -> Iterator[Patient]:
    """The patient, with a connection if one can be made."""
    environment = os.environ
    folder = folder or find_folder(environment)
    try:
        connection = open_connection(dsn)
    except Failure as failure:
        yield Patient("", None, failure, folder)
        return
    with connection:
        info = connection.info
        place = place_of({"host": info.host, "port": str(info.port)}, environment)
        try:
            require_extension(connection)
        except Failure as failure:
            yield Patient(place, None, failure, folder)
        else:
            yield Patient(place, connection, None, folder)


def find_folder(environment: Mapping[str, str]) -> Path | None:
    """The folder that `make up` would serve, if it is there."""
    root = environment.get("RVBBIT_ROOT")
    named = [environment.get("SESSION_DIR"), root and f"{root}/session_dbs", "session_dbs", "demo_sessions"]
    return next((Path(name) for name in named if name and Path(name).is_dir()), None)
