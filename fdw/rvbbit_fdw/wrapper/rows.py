"""The rows of a scan: in batches from DuckDB, as tuples in the order of the table's columns."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from typing import Any

import duckdb

from rvbbit_fdw import errors, opening, scan
from rvbbit_fdw.listing import SNAPSHOTS
from rvbbit_fdw.listings import LISTINGS
from rvbbit_fdw.opening import Opened
from rvbbit_fdw.request import Attribute, Scan, Table
from rvbbit_fdw.tasks import Task
from rvbbit_fdw.wrapper.session import session
from rvbbit_fdw.wrapper.telling import told

# Each batch costs a change of threads, which takes long on a busy machine.
_FIRST_ROWS, _MOST_ROWS, _MOST_BYTES = 100, 10_000, 8 << 20
_OBJECT_BYTES = 50


def delivered(table: Table, named: Collection[str]) -> tuple[Attribute, ...]:
    """All columns: a reference to whole rows names none, and is told from no other query.

    Only what takes a snapshot of every session is left out of a list that can be had without.
    """
    listing = LISTINGS.get(table.options.get("catalog", ""))
    attributes = tuple(table.attributes.values())
    if listing is None or listing.columns["session_id"].depth >= SNAPSHOTS:
        return attributes
    return tuple(
        attribute
        for attribute in attributes
        if attribute.name in named
        or attribute.remote_name not in listing.columns
        or listing.columns[attribute.remote_name].depth < SNAPSHOTS
    )


def start(asked: Scan, task: Task) -> Generator[Sequence[Any], None, None]:
    """Open the scan, and give its rows."""
    positions = _positions(asked)
    session().helper.run(lambda: _open(asked, task), task)
    return _rows(task, positions)


def _positions(asked: Scan) -> list[int | None]:
    """For each column of the table where a row of the query has it; None for those left out."""
    places = {attribute.number: place for place, attribute in enumerate(asked.columns)}
    return [places.get(number) for number in asked.table.attributes]


def _open(asked: Scan, task: Task) -> Opened:
    """Start the scan; in the helper's thread."""
    opened = opening.open_scan(session().backend, asked, task, scan.TEXTS)
    try:
        task.cursor.execute(opened.query.sql, opened.parameters)
    except duckdb.Error as error:
        raise errors.named(errors.translate(error), task.reads) from None
    return opened


@told
def _fetch(task: Task, count: int) -> list[Any]:
    """The next rows, so many at most; none at the end."""
    if not session().is_open(task):
        raise errors.SnapshotGone(
            "the scan has ended with the subtransaction that it was begun in",
            hint="Fetch from the cursor before the savepoint, or declare it after.",
        )

    def fetch() -> list[Any]:
        try:
            return task.cursor.fetchmany(count)
        except duckdb.Error as error:
            raise errors.named(errors.translate(error), task.reads) from None

    return session().helper.run(fetch, task)


def _rows(task: Task, positions: Sequence[int | None]) -> Generator[Sequence[Any], None, None]:
    """Tuples in the order of the table's columns."""
    as_they_are = list(positions) == list(range(len(positions)))
    count = _FIRST_ROWS
    try:
        while rows := _fetch(task, count):
            count = _fitting(rows)
            yield from rows if as_they_are else (_placed(row, positions) for row in rows)
    finally:
        session().finish(task)


def _fitting(rows: Sequence[Sequence[Any]]) -> int:
    """How many rows like these a batch may have."""
    sample = rows[:50]
    size = sum(_OBJECT_BYTES + (len(v) if isinstance(v, str | bytes) else 0) for row in sample for v in row)
    return max(1, min(_MOST_ROWS, _MOST_BYTES * len(sample) // max(1, size)))


def _placed(row: Sequence[Any], positions: Sequence[int | None]) -> tuple[Any, ...]:
    return tuple(None if place is None else row[place] for place in positions)
