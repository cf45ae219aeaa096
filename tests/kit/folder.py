"""A session folder made on the spot, and requests as the host would send them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from rvbbit_fdw import native
from rvbbit_fdw.listings import LISTINGS
from rvbbit_fdw.request import Scan, parse_scan
from tests.kit import arrow

LISTING_TYPES = {
    "JSON": "pg_catalog.jsonb",
    "BOOLEAN": "pg_catalog.bool",
    "VARCHAR": "pg_catalog.text",
    "BIGINT": "pg_catalog.int8",
    "INTEGER": "pg_catalog.int4",
    "DOUBLE": "pg_catalog.float8",
    "TIMESTAMP WITH TIME ZONE": "pg_catalog.timestamptz",
}


def column(number: int, name: str, kind: str, typmod: int = -1, **options: str) -> dict[str, Any]:
    """A column of a foreign table; `kind` without its schema means pg_catalog."""
    kind = kind if "." in kind else f"pg_catalog.{kind}"
    return {"number": number, "name": name, "type": kind, "typmod": typmod, "options": options}


@dataclass
class Folder:
    """A session folder and a snapshot store under one directory."""

    root: Path
    settings: dict[str, Any] = field(default_factory=lambda: {"memory_limit": "256MB", "threads": 1})
    options: dict[str, str] = field(default_factory=dict)
    tasks: int = 0

    def __post_init__(self) -> None:
        self.sessions.mkdir(exist_ok=True)

    @property
    def sessions(self) -> Path:
        """The folder with the session files."""
        return self.root / "sessions"

    @property
    def store(self) -> Path:
        """The snapshot store."""
        return self.root / "store"

    def write(self, session_id: str, *statements: str) -> Path:
        """Run statements in a session, made if it does not exist."""
        path = self.sessions / f"{session_id}.duckdb"
        with duckdb.connect(str(path)) as con:
            for statement in statements:
                con.execute(statement)
        return path

    def server(self) -> dict[str, Any]:
        """What every request starts with."""
        options = {"session_dir": str(self.sessions), "snapshot_dir": str(self.store)} | self.options
        return {"version": 1, "server": {"name": "rvbbit", "options": options}, "settings": self.settings}

    def request(
        self,
        session: str,
        table: str,
        columns: Sequence[dict[str, Any]],
        *,
        wanted: Sequence[int] | None = None,
        pin: int = 1,
        **options: str,
    ) -> dict[str, Any]:
        """A scan request for a session's table."""
        given = {"session": session, "table_name": table, **options}
        body = {"schema": "debug", "name": table, "options": given, "columns": list(columns)}
        numbers = [item["number"] for item in columns] if wanted is None else list(wanted)
        return self.server() | {"table": body, "columns": numbers, "pin": pin}

    def listing_request(
        self,
        *names: str,
        catalog: str = "sessions",
        conditions: Sequence[object] = (),
        may_see_paths: bool = False,
    ) -> dict[str, Any]:
        """A scan request for columns of a list: sessions, tables or columns."""
        listed = LISTINGS[catalog].columns
        columns = [
            column(number, name, LISTING_TYPES[column_.duckdb_type])
            for number, (name, column_) in enumerate(listed.items(), 1)
        ]
        body = {"schema": "public", "name": f"rvbbit_{catalog}", "options": {"catalog": catalog}}
        return self.server() | {
            "table": body | {"columns": columns},
            "columns": [list(listed).index(name) + 1 for name in names],
            "conditions": list(conditions),
            "privileges": {"read_server_files": may_see_paths},
            "pin": 1,
        }

    def run(self, request: dict[str, Any]) -> tuple[dict[str, Any], arrow.Result]:
        """Open a scan, read it to its end, close it and release its pin."""
        task = self.next_task()
        try:
            reply, stream = native.open_scan(task, json.dumps(request))
            return json.loads(reply), arrow.read(stream)
        finally:
            native.close_scan(task)
            self.call("release_pin", {"pin": request["pin"]})

    def rows(self, request: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The rows alone."""
        return self.run(request)[1].rows

    def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """One operation."""
        reply: dict[str, Any] = json.loads(native.call(self.next_task(), operation, json.dumps(body)))
        return reply

    def import_schema(
        self, remote_schema: str, restriction: str = "all", tables: Sequence[str] = (), **options: str
    ) -> dict[str, Any]:
        """IMPORT FOREIGN SCHEMA into "debug"."""
        wanted = {"restriction": restriction, "tables": list(tables), "options": options}
        names = {"remote_schema": remote_schema, "local_schema": "debug"}
        return self.call("import_schema", self.server() | names | wanted)

    def next_task(self) -> int:
        """A task number that no other call has."""
        Folder.tasks += 1
        return Folder.tasks


def session_is(value: str) -> dict[str, Any]:
    """The condition `session_id = value`."""
    return {
        "node": "call",
        "kind": "operator",
        "name": "pg_catalog.=(pg_catalog.text,pg_catalog.text)",
        "type": "pg_catalog.bool",
        "collation": "pg_catalog.default",
        "arguments": [
            {"node": "column", "number": 1, "name": "session_id", "type": "pg_catalog.text"},
            {"node": "constant", "type": "pg_catalog.text", "value": value},
        ],
    }


def scan_of(request: dict[str, Any]) -> Scan:
    """The request as the brain reads it."""
    return parse_scan(request)
