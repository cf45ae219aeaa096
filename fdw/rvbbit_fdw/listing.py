"""How the lists of what a server has are made: sessions, tables, columns (`listings` has them all).

A list is a table of columns, each with its DuckDB type and how its value is found, and a function that gives
the rows. Only what a query names is found out; the values travel to DuckDB as one JSON document.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeAlias, TypeVar

import duckdb

from rvbbit_fdw import typemap
from rvbbit_fdw.catalog import Catalog
from rvbbit_fdw.errors import ColumnNotFound, Interrupted, RvbbitError, translate
from rvbbit_fdw.pushdown import prune
from rvbbit_fdw.pushdown.prune import ColumnNames
from rvbbit_fdw.request import Attribute, Scan
from rvbbit_fdw.scan import ARROW, COUNTING, Form, Query
from rvbbit_fdw.sessions import Check, SessionFile, SessionFolder, Wanted
from rvbbit_fdw.snapshot import SnapshotStore
from rvbbit_fdw.sqltext import Sql, comma, literal, quote

Depth: TypeAlias = int
NAMES, HEADERS, SNAPSHOTS = 0, 1, 2
"""How deep a column makes us look: names and times, the file's header and lock, a snapshot."""

DEPTHS = ("names and times", "headers", "snapshots")

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Look:
    """One scan of a list: where its rows come from. `describe` gives a session's tables, or raises."""

    scan: Scan
    folder: SessionFolder
    describe: Callable[[SessionFile], Catalog]
    store: SnapshotStore
    check: Check
    now_ns: int = field(default_factory=time.time_ns)

    def needs(self, name: str) -> bool:
        """True if the query names that column."""
        return any(attribute.remote_name == name for attribute in self.scan.columns)

    @cached_property
    def counts_tables(self) -> bool:
        """True if the query names the column for which snapshots are taken."""
        return self.needs("table_count")

    def try_describe(self, file: SessionFile) -> tuple[Catalog | None, RvbbitError | None]:
        """The session's tables, or None and why not: one bad session never hides the others."""
        try:
            return self.describe(file), None
        except Interrupted:
            raise
        except (RvbbitError, duckdb.Error, OSError) as error:
            problem = translate(error)
            if isinstance(problem, Interrupted):
                raise problem from None
            return None, problem


@dataclass(frozen=True)
class ListedColumn(Generic[RowT]):
    """A column of a list: its DuckDB type, how it is read from JSON, and its value."""

    duckdb_type: str
    depth: Depth
    value: Callable[[RowT], Any]
    json_type: str = ""
    expression: str = "{}"

    @property
    def read_as(self) -> str:
        """Its type in the JSON document."""
        return self.json_type or self.duckdb_type


def instant(depth: Depth, value: Callable[[RowT], int]) -> ListedColumn[RowT]:
    """A column of points in time, which are given in nanoseconds since 1970."""
    kind = "TIMESTAMP WITH TIME ZONE"
    return ListedColumn(kind, depth, lambda row: value(row) // 1_000, "BIGINT", "make_timestamptz({})")


@dataclass(frozen=True)
class Listing(Generic[RowT]):
    """One list; every list has the column `session_id`, and its rows are those of the sessions wanted."""

    title: str
    columns: Mapping[str, ListedColumn[RowT]]
    rows: Callable[[Look, Wanted], Iterator[RowT]]

    def wanted(self, scan: Scan) -> Wanted:
        """The sessions that can satisfy the scan's conditions."""
        return prune.choose(scan.conditions, self.prunable(scan))

    def prunable(self, scan: Scan) -> ColumnNames:
        """The attributes that conditions may be judged by: those of the type that the list gives them."""
        return {
            attribute.number: attribute.remote_name
            for attribute in scan.table.attributes.values()
            if attribute.remote_name in self.columns and self._arrives_unchanged(attribute)
        }

    def depth_of(self, scan: Scan) -> Depth:
        """How deep the scan has to look; to know which rows there are counts too."""
        names = [*self._names(scan), "session_id"]
        return max(self.columns[name].depth for name in names)

    def query(self, scan: Scan, form: Form = ARROW) -> Query:
        """The query that turns the one parameter, a JSON document of columns, into rows."""
        names = sorted({*self._names(scan), "session_id"})
        structure = ",".join(f'"{name}":["{self.columns[name].read_as}"]' for name in names)
        document = Sql(f"SELECT from_json(?, {literal('{' + structure + '}')}) AS document")
        columns = comma(Sql(f"unnest(document.{quote(name)}) AS {quote(name)}") for name in names)
        travels = [self._travel(attribute) for attribute in scan.columns]
        delivered = comma(
            form(travel, Sql(self.columns[name].expression.replace("{}", quote(name))))
            for travel, name in zip(travels, self._names(scan), strict=True)
        )
        sql = Sql(f"SELECT {delivered or COUNTING} FROM (SELECT {columns} FROM ({document}))")
        return Query(sql, tuple(travel.decoder for travel in travels))

    def document(self, look: Look) -> str:
        """The rows as one JSON document: an array of values for each column."""
        names = {*self._names(look.scan), "session_id"}
        columns: dict[str, list[Any]] = {name: [] for name in self.columns if name in names}
        values = [(columns[name].append, self.columns[name].value) for name in columns]
        wanted = self.wanted(look.scan)
        flags = [self.columns[flag].value for flag in wanted.flags]
        for row in self.rows(look, wanted):
            look.check()
            if not flags or all(flag(row) for flag in flags):
                for add, value in values:
                    add(value(row))
        look.check()
        return json.dumps(columns, separators=(",", ":"))

    def _names(self, scan: Scan) -> list[str]:
        return [self._name_of(attribute) for attribute in scan.columns]

    def _name_of(self, attribute: Attribute) -> str:
        name = attribute.remote_name
        if name not in self.columns:
            message = f'the {self.title} has no column "{name}"'
            raise ColumnNotFound(message, hint=f"It has: {', '.join(self.columns)}.")
        return name

    def _travel(self, attribute: Attribute) -> typemap.Travel:
        kind = self.columns[self._name_of(attribute)].duckdb_type
        return typemap.travel(kind, attribute.type, attribute.typmod)

    def _arrives_unchanged(self, attribute: Attribute) -> bool:
        row = typemap.lookup(self.columns[attribute.remote_name].duckdb_type)
        return self._travel(attribute) == row.travel
