"""Random statements on session tables and on their heap copies: python -m tests.fuzz.run COUNT [SEED]."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from rvbbit_fdw.pushdown.allowed import IO_CASTS, TABLE
from tests.fuzz import signatures
from tests.fuzz.expressions import Grammar
from tests.fuzz.guarded import Guarded, guarded
from tests.fuzz.outcome import CANCELLED, Failure, Outcome, Rows, Side, difference, plan, without_modifiers
from tests.fuzz.pushed import Pushed, pushed
from tests.fuzz.queries import Scans, World
from tests.fuzz.report import WHOLE, Report
from tests.fuzz.tables import HEAP_SIDE, ORDERS, SESSION_SIDE, SHARED, prepare, remove
from tests.fuzz.tree import Query, entries, reordered, smaller
from tests.fuzz.whole import Wholes
from tests.kit.container import Server, serving

SHAPES = {"scan": 40, "prepared": 15, "nested": 10, WHOLE: 35}
OFF = "rvbbit.pushdown = off"
_METHODS = (
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "enable_nestloop = off",
    "enable_material = off",
)
SLOW, SLOWEST = "statement_timeout = '5s'", "statement_timeout = '60s'"
"""Statements that take the heap longer are dropped; those that take a session longer have failed."""

INTERNAL = ("", "XX", "57", "58")
"""Classes of errors that no statement of ours may meet."""

STEP = 500
MOST = 40
"""Of differences: more are not made small."""

PLANS = (
    (),
    ("plan_cache_mode = force_custom_plan",),
    ("plan_cache_mode = force_generic_plan",),
    *((method,) for method in _METHODS),
    _METHODS[:2],
    _METHODS[1:3],
    (_METHODS[0], _METHODS[2]),
)
"""Settings under which PostgreSQL plans the same statement otherwise."""


class Fuzz:
    """Both sides of one server."""

    def __init__(
        self, server: Server, shapes: Mapping[str, int] = SHAPES, settings: Sequence[str] = ()
    ) -> None:
        self.server, self.shapes, self.settings = server, shapes, settings
        self.session, self.heap = self._sides()
        self.others = [Side(server.connect, schema, SHARED, settings=[SLOW]) for schema in ORDERS]
        self.open = self.idle = 0
        inside, outside, self.unknown = signatures.load(self.heap.connection, TABLE, IO_CASTS)
        self.entries = {one.name for one in inside}
        self.world = World(_columns(self.heap.connection), Grammar(inside, outside), self.sample)

    def _sides(self) -> tuple[Side, Side]:
        connect = self.server.connect
        return Side(connect, SESSION_SIDE, SHARED, settings=[SLOWEST, *self.settings]), Side(
            connect, HEAP_SIDE, SHARED, settings=[SLOW]
        )

    def close(self) -> None:
        """End both connections."""
        for side in (self.session, self.heap, *self.others):
            side.connection.close()

    def sample(self, expression: str, table: str) -> list[str] | None:
        """Texts that an expression has over a heap table; None if it fails."""
        values = f"SELECT DISTINCT v::text FROM (SELECT {expression} AS v FROM {table} AS t OFFSET 0) AS s"
        query = f"SELECT v FROM ({values}) AS s (v) ORDER BY md5(v), v LIMIT 12"
        outcome = self.heap.run([query])[0]
        return (
            None
            if isinstance(outcome, Failure)
            else sorted(row[0] for row in outcome.rows if row[0] is not None)
        )

    def query(self, seed: str, number: int) -> Query:
        """The query of that number; the same for the same seed, tables and allow-list."""
        rng = random.Random(f"{seed}/{number}")
        targets = self.world.grammar.targets
        shape = rng.choices(list(self.shapes), list(self.shapes.values()))[0]
        maker = Wholes(rng, self.world) if shape == WHOLE else Scans(rng, self.world)
        made: Query = getattr(maker, shape)(targets[(number * 7919) % len(targets)])
        return replace(made, features=made.features | {shape})

    def compare(self, query: Query, *, explain: bool = True) -> tuple[str | None, Outcome, Any]:
        """How the session side is wrong, if it is, the heap's outcome, and the session side's plan."""
        before, calls = query.preparation(), query.calls()
        heap = self.heap.run([*before, *calls])
        if any(isinstance(one, Failure) and one.sqlstate == CANCELLED for one in heap):
            return None, heap, None
        shown: Any = None
        explained = [f"EXPLAIN (FORMAT JSON) {calls[0]}"] if explain else []
        session = self.session.run([*before, *explained, *calls])
        if explain and isinstance(session[0], Rows):
            shown, session = plan(session), session[1:]
        wrong = difference(query, session, heap)
        if wrong and _has_failed([*session, *heap]):
            if self.is_open(query, session):
                self.open += 1
                wrong = None
            elif not _has_failed(session) and self.decides_nothing(query, session):
                self.idle += 1
                wrong = None
            elif _has_failed(session) and self.fails_twice(query, session, heap):
                self.open += 1
                wrong = None
        return wrong, heap, shown

    def smallest(self, query: Query, patience: int = 400) -> Query:
        """A query that still differs and of which nothing can be taken away."""
        found = True
        while found and patience > 0:
            found = False
            for less in smaller(query):
                patience -= 1
                if patience <= 0:
                    break
                if len(less.script()) < len(query.script()) and self._differs(less):
                    query, found = less, True
                    break
        return query

    def _differs(self, query: Query) -> bool:
        return self.compare(query, explain=False)[0] is not None

    def run(self, seed: str, numbers: Sequence[int], report: Report | None = None) -> Report:
        """Compare the queries of these numbers."""
        report = report or Report()
        start = time.monotonic()
        for number in numbers:
            self._one(seed, number, report)
        report.seconds += time.monotonic() - start
        report.fallbacks = self.session.fallbacks()
        report.open, report.idle = self.open, self.idle
        return report

    def _one(self, seed: str, number: int, report: Report) -> None:
        query = self.query(seed, number)
        wrong, heap, shown = self.compare(query)
        if _is_cancelled(heap):
            report.dropped += 1
            return
        report.queries += 1
        report.failed += _has_failed(heap)
        self._count(query, pushed(shown), report)
        if wrong:
            described = self._describe(query) if len(report.differences) < MOST else query.script()
            report.differences.append(f"seed {seed}, query {number}: {wrong}\n{described}")

    def _count(self, query: Query, what: Pushed, report: Report) -> None:
        report.with_pushdown += what.anything
        report.whole += what.whole
        report.features.update(query.features)
        report.whole_features.update(query.features if what.whole else ())
        pushed_entries = what.entries(query)
        for name in set(entries(query.body)) & self.entries:
            report.made[name] += 1
            report.pushed[name] += name in pushed_entries

    def _describe(self, query: Query) -> str:
        small = self.smallest(query)
        wrong, _, shown = self.compare(small)
        if wrong is None:
            return f"{query.script()}\n  (not when it ran again)"
        sql = "\n    ".join(pushed(shown).statements)
        return f"{small.script()}\n  {wrong}\n    {sql}"

    def seldom(self, report: Report, least: int = 20) -> list[str]:
        """Entries of the allow-list that were pushed less often than that."""
        return sorted(
            f"{name}: made {report.made[name]}, pushed {report.pushed[name]}"
            for name in self.entries
            if report.pushed[name] < least
        ) + [f"{name}: never made" for name in sorted(self.unknown)]

    def is_open(self, query: Query, session: Outcome) -> bool:
        """Does PostgreSQL itself give that outcome, when it evaluates the same statement in another order?

        Asked only where one side failed: what is evaluated first, or not at all, hangs on the plan and on the
        order in which rows lie in a table.
        """
        if any(isinstance(one, Failure) and one.sqlstate[:2] in INTERNAL for one in session):
            return False
        for settings in PLANS:
            other = replace(query, settings=(*query.settings, *settings))
            statements = [*other.preparation(), *other.calls()]
            local = [f"SET LOCAL {OFF}", *statements]
            heaps = [self.heap, *self.others]
            if any(difference(query, session, heap.run(statements)) is None for heap in heaps):
                return True
            if difference(query, session, self.session.run(local)) is None:
                return True
        return any(
            difference(query, session, self.heap.run([*other.preparation(), *other.calls()])) is None
            for other in reordered(query)
        )

    def decides_nothing(self, query: Query, session: Outcome) -> bool:
        """Is the heap's error one of a value that the result does not hang on?"""
        return any(
            all(self._gives(other, session) for other in guarded(query, strict=strict))
            for strict in (False, True)
        )

    def fails_twice(self, query: Query, session: Outcome, heap: Outcome) -> bool:
        """Would the heap give the session's error, if what fails there gave any value instead?

        Which of several errors comes first hangs on the plan.
        """
        states = {one.sqlstate for one in heap if isinstance(one, Failure)}
        return len(states) == 1 and any(
            all(self._gives(other, session) for other in guarded(query, strict=strict, failure=failure))
            for strict in (False, True)
            for failure in [f"SQLSTATE '{state}'" for state in states]
        )

    def _gives(self, other: Guarded, session: Outcome) -> bool:
        statements = [*other.functions, *other.query.preparation(), *other.query.calls()]
        heap = without_modifiers(self.heap.run(statements))
        return difference(other.query, without_modifiers(session), heap) is None


def _has_failed(outcome: Outcome) -> bool:
    return any(isinstance(one, Failure) for one in outcome)


def _is_cancelled(outcome: Outcome) -> bool:
    return any(isinstance(one, Failure) and one.sqlstate == CANCELLED for one in outcome)


def _columns(db: psycopg.Connection) -> dict[str, list[tuple[str, str]]]:
    query = """SELECT relname::text, attname::text, typname::text
        FROM pg_class AS c JOIN pg_attribute AS a ON attrelid = c.oid JOIN pg_type AS t ON t.oid = atttypid
        WHERE relnamespace = ANY (ARRAY[%s, %s]::regnamespace[]) AND attnum > 0
        ORDER BY 1, attnum"""
    found: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in db.execute(query, [HEAP_SIDE, SHARED]):
        found.setdefault(table, []).append((column, kind))
    return found


@contextmanager
def fuzzing(
    server: Server, shapes: Mapping[str, int] = SHAPES, settings: Sequence[str] = ()
) -> Iterator[Fuzz]:
    """Tables on a server, ready to be compared. `settings`: of the session side, as `name = value`."""
    with server.connect() as db:
        prepare(server.session_dir, db)
        made = Fuzz(server, shapes, settings)
        try:
            yield made
        finally:
            made.close()
            remove(server.session_dir, db)


def main(arguments: Sequence[str]) -> int:
    """Run so many queries on a server of our own: COUNT, SEED, shapes, settings; how many differ."""
    count, seed = int(arguments[0]), arguments[1] if len(arguments) > 1 else str(int(time.time()))
    shapes = {shape: SHAPES[shape] for shape in arguments[2:] if "=" not in shape} or SHAPES
    settings = [setting for setting in arguments[2:] if "=" in setting]
    report = Report()
    with own_server() as server, fuzzing(server, shapes, settings) as fuzz:
        for start in range(0, count, STEP):
            known = len(report.differences)
            fuzz.run(seed, range(start, min(start + STEP, count)), report)
            say(f"seed {seed}: {report}", *report.differences[known:])
        say(*fuzz.seldom(report))
    return len(report.differences)


@contextmanager
def own_server() -> Iterator[Server]:
    """A server over an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        with serving(Path(name), "postgres", "-c", "cron.launch_active_jobs=off") as server:
            yield server


def say(*texts: str) -> None:
    """Print at once, so that a long run shows where it is."""
    for text in texts:
        sys.stdout.write(text + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 100))
