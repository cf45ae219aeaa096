"""What a statement gives on either side, and how two outcomes differ."""

from __future__ import annotations

import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import pq

from tests.fuzz.tree import Query

Row = tuple["str | None", ...]

TOLERANCE = 1e-12
"""Of the sum of absolute values: how far sums and averages of floats may be apart."""

REAL, REAL_TOLERANCE = 700, 1e-5
REAL_ROUNDING = 2.0**-22
"""PostgreSQL adds reals up as reals, in the order in which they come: half of 2^-23 may be lost at each."""

INTERVAL = 1186
_INTERVAL_TEXT = re.compile(
    r"(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?"
    r"(?:([+-]?)(\d+):(\d\d):(\d\d(?:\.\d+)?))?"
)

CANCELLED = "57014"


@dataclass(frozen=True)
class Rows:
    """One result: names, types and rows as texts."""

    names: tuple[str, ...]
    types: tuple[tuple[int, int], ...]
    rows: list[Row]


@dataclass(frozen=True)
class Failure:
    """One error."""

    sqlstate: str
    message: str


Outcome = list["Rows | Failure"]


def without_modifiers(outcome: Outcome) -> Outcome:
    """As if no type had a length or precision: what a function returns has none."""
    return [
        replace(one, types=tuple((kind, -1) for kind, _ in one.types)) if isinstance(one, Rows) else one
        for one in outcome
    ]


class Side:
    """A connection whose search path finds one side's tables."""

    def __init__(
        self, connect: Callable[[], psycopg.Connection], *schemas: str, settings: Sequence[str] = ()
    ) -> None:
        self._connect = connect
        self._settings = [f"search_path = {', '.join(schemas)}", *settings]
        self.crashes = 0
        self.connection = self._open()

    def _open(self) -> psycopg.Connection:
        connection = self._connect()
        connection.prepare_threshold = None  # statements of our own say DEALLOCATE ALL
        for setting in self._settings:
            connection.execute(f"SET {setting}")
        return connection

    def _reopen(self, seconds: float = 60) -> None:
        """A new connection, as soon as the server is back."""
        self.crashes += 1
        self.connection.close()
        until = time.monotonic() + seconds
        while self.connection.closed:
            try:
                self.connection = self._open()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def run(self, statements: Sequence[str]) -> Outcome:
        """Run statements as one message, in one transaction: results that have rows, and the error if any."""
        raw = self.connection.pgconn
        raw.send_query(";\n".join(statements).encode())
        outcome: Outcome = []
        while (result := raw.get_result()) is not None:
            if result.status == pq.ExecStatus.TUPLES_OK:
                outcome.append(_rows(result))
            elif result.status == pq.ExecStatus.FATAL_ERROR:
                outcome.append(_failure(result))
        if raw.status == pq.ConnStatus.BAD:
            self._reopen()
        return outcome

    def fallbacks(self) -> int:
        """How often this connection took PostgreSQL's own plan because DuckDB failed."""
        row = self.connection.execute("SELECT current_setting('rvbbit.fallbacks', true)").fetchone()
        return int(row[0]) if row and row[0] else 0


def _rows(result: pq.abc.PGresult) -> Rows:
    columns = range(result.nfields)
    rows = [tuple(_text(result.get_value(row, n)) for n in columns) for row in range(result.ntuples)]
    types = tuple((result.ftype(n), result.fmod(n)) for n in columns)
    return Rows(tuple(_text(result.fname(n)) or "" for n in columns), types, rows)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


def _failure(result: pq.abc.PGresult) -> Failure:
    state, message = (
        result.error_field(pq.DiagnosticField.SQLSTATE),
        result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY),
    )
    return Failure(_text(state) or "", _text(message) or "")


def difference(query: Query, session: Outcome, heap: Outcome) -> str | None:
    """How the session's outcome is wrong; None if it is the heap's, as far as PostgreSQL defines that."""
    if len(session) != len(heap):
        return f"{len(session)} results, the heap has {len(heap)}: {_summary(session)} / {_summary(heap)}"
    found = [_difference(query, one, other) for one, other in zip(session, heap, strict=True)]
    return next(filter(None, found), None)


def _summary(outcome: Outcome) -> str:
    return ", ".join(
        f"{len(one.rows)} rows" if isinstance(one, Rows) else f"{one.sqlstate} {one.message}"
        for one in outcome
    )


def _difference(query: Query, one: Rows | Failure, other: Rows | Failure) -> str | None:
    if isinstance(one, Failure) or isinstance(other, Failure):
        same = isinstance(one, Failure) and isinstance(other, Failure) and _is_same_failure(one, other)
        return None if same else f"{_summary([one])}; the heap: {_summary([other])}"
    if (one.names, one.types) != (other.names, other.types):
        return f"columns {one.names} {one.types}; the heap: {other.names} {other.types}"
    return _rows_differ(query, one, other)


def _is_same_failure(one: Failure, other: Failure) -> bool:
    """The same SQLSTATE; where DuckDB failed after rows were delivered, its class is enough."""
    is_late = one.sqlstate.startswith("22") and one.message.startswith(
        ("could not read table", "could not read view")
    )
    return one.sqlstate == other.sqlstate or (is_late and other.sqlstate.startswith("22"))


def _rows_differ(query: Query, one: Rows, other: Rows) -> str | None:
    if one.rows == other.rows:
        return None
    if query.near or query.by_value:
        one, other = _settled(query, one, other)
    left, right = Counter(one.rows), Counter(other.rows)
    if left != right:
        only, missing = list((left - right).elements())[:3], list((right - left).elements())[:3]
        return f"{len(one.rows)} rows, the heap has {len(other.rows)}; only here {only}; only there {missing}"
    keys = [other.names.index(name) for name in query.order if name in other.names]
    wrong = [
        n
        for n, (a, b) in enumerate(zip(one.rows, other.rows, strict=True))
        if any(_key(a[k]) != _key(b[k]) for k in keys)
    ]
    return (
        f"order differs at row {wrong[0]}: {one.rows[wrong[0]]}; the heap: {other.rows[wrong[0]]}"
        if wrong
        else None
    )


def _key(text: str | None) -> str | None:
    return "0" if text == "-0" else text


def _settled(query: Query, one: Rows, other: Rows) -> tuple[Rows, Rows]:
    """Both without what PostgreSQL leaves open: which of equal values, and the last digits of float sums."""
    free = {n: other.types[n][0] for n, name in enumerate(other.names) if name in query.by_value}
    near = {name: limit for name, limit in query.near if name in other.names and limit in other.names}
    places = {other.names.index(name): other.names.index(limit) for name, limit in near.items()}
    of_reals = max(REAL_TOLERANCE, query.rows * REAL_ROUNDING)
    tolerances = {place: of_reals if other.types[place][0] == REAL else TOLERANCE for place in places}
    settle = _settle(free)
    one, other = (Rows(side.names, side.types, [settle(row) for row in side.rows]) for side in (one, other))
    if not places or len(one.rows) != len(other.rows):
        return one, other
    pairs = list(_paired(one.rows, other.rows, _Nearness(places, tolerances)))
    return Rows(one.names, one.types, [a for a, _ in pairs]), Rows(
        other.names, other.types, [b for _, b in pairs]
    )


@dataclass(frozen=True)
class _Nearness:
    """Which float aggregates may be how far apart: for the column of each, that of its size, and the part."""

    limits: Mapping[int, int]
    tolerances: Mapping[int, float]

    def exact(self, row: Row) -> Row:
        """What has to be the same."""
        inexact = {*self.limits, *self.limits.values()}
        return tuple(value for n, value in enumerate(row) if n not in inexact)

    def numbers(self, row: Row) -> list[float]:
        """What may be apart; NULL and NaN come last."""
        values = [float(row[n] or "nan") for n in sorted(self.limits)]
        return [math.inf if math.isnan(value) else value for value in values]

    def moved(self, one: Row, other: Row) -> Row:
        """The row with each aggregate that is near enough replaced by the heap's."""
        row = list(one)
        for place, limit in self.limits.items():
            if _is_near(one[place], other[place], other[limit], self.tolerances[place]):
                row[place] = other[place]
            if _is_near(one[limit], other[limit], other[limit], TOLERANCE):
                row[limit] = other[limit]
        return tuple(row)


def _paired(one: Sequence[Row], other: Sequence[Row], nearness: _Nearness) -> Iterator[tuple[Row, Row]]:
    """Rows side by side, by their exact columns; those near enough to the heap's are the heap's."""
    groups: dict[Row, tuple[list[Row], list[Row]]] = {}
    for side, rows in enumerate((one, other)):
        for row in rows:
            groups.setdefault(nearness.exact(row), ([], []))[side].append(row)
    lost: tuple[list[Row], list[Row]] = ([], [])
    for ours, theirs in groups.values():
        # In their order the first that is left is nearly always the one.
        left = sorted(theirs, key=nearness.numbers)
        for row in sorted(ours, key=nearness.numbers):
            found = next((each for each in left if nearness.moved(row, each) == each), None)
            if found is None:
                lost[0].append(row)
            else:
                left.remove(found)
                yield found, found
        lost[1].extend(left)
    yield from zip(*lost, strict=True)


def _is_near(one: str | None, other: str | None, size: str | None, tolerance: float) -> bool:
    if one is None or other is None or size is None:
        return one == other
    a, b, limit = float(one), float(other), float(size)
    if not (math.isfinite(a) and math.isfinite(b)):
        return one == other
    return abs(a - b) <= tolerance * limit


def _settle(columns: Mapping[int, int]) -> Callable[[Row], Row]:
    def settle(row: Row) -> Row:
        return tuple(
            canonical(value, columns[n]) if n in columns and value is not None else value
            for n, value in enumerate(row)
        )

    return settle


def canonical(value: str, kind: int) -> str:
    """One text for values of a type (its OID) that are equal in PostgreSQL.

    -0 and 0, 1.0 and 1.00, bpchar with blanks, and intervals: a month is 30 days, a day 24 hours.
    """
    if kind == INTERVAL:
        return _microseconds(value)
    value = value.rstrip(" ")
    try:
        number = float(value)
    except ValueError:
        return value
    if number == 0:
        return "0"
    return value.rstrip("0").rstrip(".") if "." in value and "e" not in value.lower() else value


def _microseconds(value: str) -> str:
    """The length of an interval in style postgres; in other styles the text as it is."""
    match = _INTERVAL_TEXT.fullmatch(value)
    if match is None:
        return value
    years, months, days = (int(match[n] or 0) for n in (1, 2, 3))
    hours, minutes, seconds = (Decimal(match[n] or 0) for n in (5, 6, 7))
    time = ((hours * 60 + minutes) * 60 + seconds) * (-1 if match[4] == "-" else 1)
    length = ((years * 12 + months) * 30 + days) * 86400 + time
    return f"{int(length * 1_000_000)} us"


def plan(outcome: Outcome) -> Any:
    """The plan of the first result, which is an EXPLAIN (FORMAT JSON); None if it failed."""
    first = outcome[0]
    return json.loads(first.rows[0][0] or "")[0]["Plan"] if isinstance(first, Rows) else None
