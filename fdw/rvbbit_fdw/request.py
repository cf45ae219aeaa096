"""The host's requests as frozen dataclasses (the JSON of the protocol, version 1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rvbbit_fdw import options, typemap
from rvbbit_fdw.errors import Internal, OptionMissing
from rvbbit_fdw.pushdown.nodes import Column, Node, Value, bind, parse_value
from rvbbit_fdw.pushdown.trees import parse
from rvbbit_fdw.sqltext import Sql, qualified, quote

VERSION = 1
STORE_NAME = "rvbbit"
"""The snapshot store's default directory inside PostgreSQL's data directory."""

_UNITS = {"b": 0, "": 0, "kb": 1, "mb": 2, "gb": 3, "tb": 4}
_SIZE = re.compile(r"\s*(\d+)\s*([a-zA-Z]*)\s*")


@dataclass(frozen=True)
class Settings:
    """Limits of a backend, sizes in bytes, and how many seconds old a snapshot may be."""

    memory_limit: int = 256 << 20
    temp_limit: int = 1 << 30
    snapshot_limit: int = 2 << 30
    threads: int = 1
    max_staleness: int = 0


@dataclass(frozen=True)
class Server:
    """Where sessions are read from, where snapshots are kept, and all that the server's options say."""

    name: str
    session_dir: str
    snapshot_dir: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Attribute:
    """A column of a foreign table; `type` as the host names it ("pg_catalog.int8").

    `unrepresentable` says what becomes of a value that PostgreSQL cannot hold.
    """

    number: int
    name: str
    type: str
    typmod: int
    options: Mapping[str, str]
    not_null: bool = False
    unrepresentable: str = typemap.ERROR

    @property
    def remote_name(self) -> str:
        """The column's name in the session."""
        return self.options.get("column_name", self.name)

    @property
    def duckdb_type(self) -> str | None:
        """Its DuckDB type at import, if it was imported."""
        return self.options.get("duckdb_type")


@dataclass(frozen=True)
class Table:
    """A foreign table as PostgreSQL knows it."""

    schema: str
    name: str
    options: Mapping[str, str]
    attributes: Mapping[int, Attribute]

    @property
    def local_name(self) -> Sql:
        """Its name in PostgreSQL, for messages; not every host tells the schema."""
        return qualified(self.schema, self.name) if self.schema else quote(self.name)

    @property
    def remote_schema(self) -> str:
        """The table's schema in the session."""
        return self.options.get("schema_name", options.DEFAULT_SCHEMA)

    @property
    def has_nulls_for_missing(self) -> bool:
        """True if a column that the session's table does not have is null in all rows."""
        return self.options.get("missing_columns") == "null"

    @property
    def remote_name(self) -> str:
        """The table's name in the session."""
        return self.options.get("table_name", self.name)


@dataclass(frozen=True)
class Database:
    """What of the database and the session decides how texts and times compare.

    `collation_is_c`: the default collation sorts by code point; `case_is_unicode`: it maps case as
    PostgreSQL's builtin C.UTF-8 does.
    """

    collation_is_c: bool = False
    case_is_unicode: bool = False
    time_zone: str | None = None


@dataclass(frozen=True)
class SortKey:
    """A column that the rows of a scan are wanted in the order of."""

    column: Column
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True)
class Scan:
    """One scan: which columns, under which conditions (parameters filled in), for which executor run.

    The first `decided` conditions are not checked again by PostgreSQL, the others are.
    """

    server: Server
    settings: Settings
    table: Table
    columns: tuple[Attribute, ...]
    conditions: tuple[Node, ...]
    pin: int | None
    may_see_paths: bool
    decided: int = 0
    database: Database = Database()
    sample: float | None = None
    """Percent of the rows to deliver, chosen by chance; None for all of them."""
    order: tuple[SortKey, ...] = ()
    unbound: tuple[Node, ...] = ()
    """The conditions with their parameters."""

    def with_values(self, parameters: Sequence[Value]) -> Scan:
        """The same scan with these values of its parameters."""
        return replace(self, conditions=tuple(bind(node, parameters) for node in self.unbound))


def parse_scan(body: Mapping[str, Any]) -> Scan:
    """The scan request of the protocol."""
    check_version(body)
    table = parse_table(body["table"], body["server"].get("options") or {})
    asked = Scan(
        server=parse_server(body),
        settings=parse_settings(body),
        table=table,
        columns=tuple(table.attributes[number] for number in body.get("columns") or ()),
        conditions=(),
        pin=body.get("pin"),
        may_see_paths=bool((body.get("privileges") or {}).get("read_server_files")),
        sample=body.get("sample"),
        decided=int(body.get("decided", 0)),
        database=parse_database(body),
        unbound=tuple(parse(tree) for tree in body.get("conditions") or ()),
    )
    return asked.with_values(parse_values(body.get("parameters")))


def check_version(body: Mapping[str, Any]) -> None:
    """Refuse a request of another protocol version: host and package would not understand each other."""
    if body.get("version", VERSION) != VERSION:
        message = f"protocol version {body['version']} of the host is not {VERSION}"
        raise Internal(message, hint="Install the extension and the Python package of the same release.")


def parse_server(body: Mapping[str, Any]) -> Server:
    """The server of any request that has one."""
    server = body["server"]
    given = server.get("options") or {}
    return Server(str(server["name"]), options.require_session_dir(given), _store_of(body, given), given)


def parse_settings(body: Mapping[str, Any]) -> Settings:
    """The settings of any request; what is absent has its default."""
    given = body.get("settings") or {}
    default = Settings()
    return Settings(
        memory_limit=_size(given.get("memory_limit"), default.memory_limit),
        temp_limit=_size(given.get("temp_limit"), default.temp_limit),
        snapshot_limit=_size(given.get("snapshot_limit"), default.snapshot_limit),
        threads=int(given.get("threads", default.threads)),
        max_staleness=int(given.get("max_staleness", default.max_staleness)),
    )


def parse_database(body: Mapping[str, Any]) -> Database:
    """The database of any request that has one; what is not said is taken as different from DuckDB."""
    given = body.get("database") or {}
    return Database(
        bool(given.get("collation_is_c")), bool(given.get("case_is_unicode")), given.get("time_zone")
    )


def parse_values(given: Sequence[object] | None) -> Sequence[Value]:
    """The values of a request's parameters."""
    return [parse_value(value) for value in given or ()]


def _store_of(body: Mapping[str, Any], given: Mapping[str, str]) -> str:
    if given.get(options.SNAPSHOT_DIR):
        return given[options.SNAPSHOT_DIR]
    data = (body.get("settings") or {}).get("data_directory")
    if not data:
        message = f'the server has no option "{options.SNAPSHOT_DIR}"'
        raise OptionMissing(message)
    return str(Path(data) / STORE_NAME)


def parse_table(body: Mapping[str, Any], server: Mapping[str, str]) -> Table:
    """A foreign table of any request that has one; `server` are the options of its server."""
    given = body.get("options") or {}
    policy = options.unrepresentable(server, given)
    attributes = [_parse_attribute(column, policy) for column in body["columns"]]
    by_number = {attribute.number: attribute for attribute in attributes}
    return Table(str(body["schema"]), str(body["name"]), given, by_number)


def _parse_attribute(column: Mapping[str, Any], unrepresentable: str) -> Attribute:
    typmod = int(column.get("typmod", -1))
    names = str(column["name"]), str(column["type"])
    not_null = bool(column.get("not_null"))
    given = column.get("options") or {}
    return Attribute(int(column["number"]), *names, typmod, given, not_null, unrepresentable)


def _size(text: object, default: int) -> int:
    """Bytes of a size as PostgreSQL writes it ("256MB"); a bare number is bytes."""
    if text is None:
        return default
    match = _SIZE.fullmatch(str(text))
    unit = match[2].lower() if match else None
    if match is None or unit not in _UNITS:
        message = f'invalid size "{text}"'
        raise Internal(message)
    return int(match[1]) << (10 * _UNITS[unit])
