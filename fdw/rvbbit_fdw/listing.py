"""The rows of rvbbit_sessions: every session file, with as much work as the columns asked for need."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import duckdb

from rvbbit_fdw import typemap
from rvbbit_fdw.errors import ColumnNotFound, Interrupted, RvbbitError, translate
from rvbbit_fdw.inspection import Inspection, created_ns, inspect
from rvbbit_fdw.pushdown.prune import ColumnNames
from rvbbit_fdw.request import Attribute, Scan
from rvbbit_fdw.scan import COUNTING, Query
from rvbbit_fdw.sessions import Check, SessionFile, as_text
from rvbbit_fdw.sqltext import Sql, comma, literal, quote

Depth: TypeAlias = int
NAMES, HEADERS, SNAPSHOTS = 0, 1, 2
"""How deep a column makes us look: names and times, the file's header and lock, a snapshot."""

DEPTHS = ("names and times", "headers", "snapshots")

_MEBIBYTE = 1 << 20
_HOUR_NS = 3_600_000_000_000
_COUNTED_STATES = frozenset({"ready", "live"})


@dataclass
class Row:
    """One session while its row is made; what is costly is looked up at its first use."""

    file: SessionFile
    now_ns: int
    count_tables: Callable[[SessionFile], int]
    may_see_paths: bool
    _inspection: Inspection | None = None
    _count: tuple[int | None, str | None] | None = None

    @property
    def inspection(self) -> Inspection:
        """The session's state, from its header and lock."""
        if self._inspection is None:
            self._inspection = inspect(self.file)
        return self._inspection

    @property
    def table_count(self) -> int | None:
        """How many tables and views it has that may be read; None if that cannot be found out."""
        return self._counted()[0]

    @property
    def error(self) -> str | None:
        """What is wrong with the session, as far as the query's columns made us look."""
        return self.inspection.error or (self._count[1] if self._count else None)

    def _counted(self) -> tuple[int | None, str | None]:
        if self._count is None:
            self._count = self._try_count()
        return self._count

    def _try_count(self) -> tuple[int | None, str | None]:
        if self.inspection.state not in _COUNTED_STATES:
            return (0 if self.inspection.state == "empty" else None), None
        try:
            return self.count_tables(self.file), None
        except Interrupted:
            raise
        except (RvbbitError, duckdb.Error, OSError) as error:  # one bad session never hides the others
            problem = translate(error)
            if isinstance(problem, Interrupted):
                raise problem from None
            return None, problem.message


@dataclass(frozen=True)
class ListedColumn:
    """A column of rvbbit_sessions: its DuckDB type, how it is read from JSON, and its value."""

    duckdb_type: str
    depth: Depth
    value: Callable[[Row], Any]
    json_type: str = ""
    expression: str = "{}"


def _size_mb(row: Row) -> float:
    return round((row.file.size_bytes + row.file.wal_bytes) / _MEBIBYTE, 3)


def _age_hours(row: Row) -> float:
    return round((row.now_ns - row.file.modified_ns) / _HOUR_NS, 3)


def _instant(depth: Depth, value: Callable[[Row], int]) -> ListedColumn:
    kind = "TIMESTAMP WITH TIME ZONE"
    return ListedColumn(kind, depth, lambda row: value(row) // 1_000, "BIGINT", "make_timestamptz({})")


COLUMNS: dict[str, ListedColumn] = {
    "session_id": ListedColumn("VARCHAR", NAMES, lambda row: row.file.session_id),
    "state": ListedColumn("VARCHAR", HEADERS, lambda row: row.inspection.state),
    # The database file alone; size_mb counts its WAL files too.
    "size_bytes": ListedColumn("BIGINT", NAMES, lambda row: row.file.size_bytes),
    "size_mb": ListedColumn("DOUBLE", NAMES, _size_mb),
    "wal_bytes": ListedColumn("BIGINT", NAMES, lambda row: row.file.wal_bytes),
    "created_at": _instant(NAMES, lambda row: created_ns(row.file)),
    "modified_at": _instant(NAMES, lambda row: row.file.modified_ns),
    "age_hours": ListedColumn("DOUBLE", NAMES, _age_hours),
    "table_count": ListedColumn("INTEGER", SNAPSHOTS, lambda row: row.table_count),
    "duckdb_version": ListedColumn("VARCHAR", HEADERS, lambda row: row.inspection.duckdb_version),
    "storage_version": ListedColumn("INTEGER", HEADERS, lambda row: row.inspection.storage_version),
    "file_path": ListedColumn(
        "VARCHAR", NAMES, lambda row: as_text(row.file.path) if row.may_see_paths else None
    ),
    # Last, so that it tells what making the other columns brought to light.
    "error": ListedColumn("VARCHAR", HEADERS, lambda row: row.error),
}


def names_of(scan: Scan) -> list[str]:
    """The columns of the listing that a scan delivers, in order; ColumnNotFound for an unknown one."""
    return [_name_of(attribute) for attribute in scan.columns]


def depth_of(scan: Scan) -> Depth:
    """How deep the scan has to look."""
    return max((COLUMNS[name].depth for name in names_of(scan)), default=NAMES)


def prunable(scan: Scan) -> ColumnNames:
    """The attributes that conditions may be judged by: those of the type that the listing gives them."""
    return {
        attribute.number: attribute.remote_name
        for attribute in scan.table.attributes.values()
        if attribute.remote_name in COLUMNS and _travel(attribute) == _row(attribute).travel
    }


def query(scan: Scan) -> Query:
    """The query that turns the one parameter, a JSON document of columns, into rows."""
    names = sorted(set(names_of(scan)) | {"session_id"})
    structure = ",".join(f'"{name}":["{_json_type(name)}"]' for name in names)
    document = Sql(f"SELECT from_json(?, {literal('{' + structure + '}')}) AS document")
    columns = comma(Sql(f"unnest(document.{quote(name)}) AS {quote(name)}") for name in names)
    travels = [_travel(attribute) for attribute in scan.columns]
    delivered = comma(
        travel.select(Sql(COLUMNS[name].expression.replace("{}", quote(name))))
        for travel, name in zip(travels, names_of(scan), strict=True)
    )
    sql = Sql(f"SELECT {delivered or COUNTING} FROM (SELECT {columns} FROM ({document}))")
    return Query(sql, tuple(travel.decoder for travel in travels))


def document(
    scan: Scan, files: Iterable[SessionFile], count_tables: Callable[[SessionFile], int], check: Check
) -> str:
    """The rows as one JSON document: an array of values for each column."""
    wanted = set(names_of(scan)) | {"session_id"}
    values = [(COLUMNS[name].value, name) for name in COLUMNS if name in wanted]
    columns: dict[str, list[Any]] = {name: [] for _, name in values}
    now = time.time_ns()
    for file in files:
        check()
        row = Row(file, now, count_tables, scan.may_see_paths)
        for value, name in values:
            columns[name].append(value(row))
    check()
    return json.dumps(columns, separators=(",", ":"))


def _name_of(attribute: Attribute) -> str:
    name = attribute.remote_name
    if name not in COLUMNS:
        message = f'the list of sessions has no column "{name}"'
        raise ColumnNotFound(message, hint=f"It has: {', '.join(COLUMNS)}.")
    return name


def _json_type(name: str) -> str:
    return COLUMNS[name].json_type or COLUMNS[name].duckdb_type


def _row(attribute: Attribute) -> typemap.TypeRow:
    return typemap.lookup(COLUMNS[attribute.remote_name].duckdb_type)


def _travel(attribute: Attribute) -> typemap.Travel:
    kind = COLUMNS[_name_of(attribute)].duckdb_type
    return typemap.travel(kind, attribute.type, attribute.typmod)
