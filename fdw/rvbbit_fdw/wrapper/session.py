"""All that the wrapper keeps in one backend: open scans, and which of them share a state of the sessions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakSet

from rvbbit_fdw.backend import Backend
from rvbbit_fdw.tasks import Task
from rvbbit_fdw.waiting import Helper
from rvbbit_fdw.wrapper.process import Postgres, Process

T = TypeVar("T")


@dataclass
class Run:
    """One run of the executor, as far as it can be told: its pin, and the rows that it still reads."""

    pin: int
    statement_time: int
    rows: WeakSet[Iterator[Any]] = field(default_factory=WeakSet)


class Session:
    """A backend's brain, its helper thread, its runs and its open scans."""

    def __init__(self, process: Process) -> None:
        self.process = process
        process.limit_memory()
        self.backend = Backend()
        self.helper = Helper(
            process.interrupted, lambda task: self.backend.finish(task.number), process.leave_at_once
        )
        self._numbers = itertools.count(1)
        self._levels: dict[int, int] = {}
        self._runs: dict[int, Run] = {}
        self._transaction_time = 0

    def call(self, work: Callable[[Task], T]) -> T:
        """Run something that may block."""
        task = self.start(0)
        try:
            return self.helper.run(lambda: work(task), task)
        finally:
            self.finish(task)

    def start(self, level: int) -> Task:
        """A task for a scan that was begun in a transaction of that depth, 1 for the outermost."""
        number = next(self._numbers)
        self._levels[number] = level
        return self.backend.start(number)

    def finish(self, task: Task) -> None:
        """Close a scan; the helper does it if a call of it goes on."""
        self._levels.pop(task.number, None)
        task.interrupt()
        if not self.helper.holds(task):
            self.backend.finish(task.number)

    def is_open(self, task: Task) -> bool:
        """False if the end of a transaction has closed the scan."""
        return task.number in self._levels

    def run(self) -> Run:
        """The run of the executor that asks.

        PostgreSQL's own snapshot tells runs apart while they live. One at the same place is the same run if
        it still reads, or if the client's statement is the same.
        """
        now = self.process.transaction_time()
        if now != self._transaction_time:
            self.end_transaction()
            self._transaction_time = now
        repeatable = self.process.is_repeatable()
        place = 0 if repeatable else self.process.snapshot()
        statement_time = self.process.statement_time()
        if not repeatable:
            self._forget_before(statement_time)
        found = self._runs.setdefault(place, Run(next(self._numbers), statement_time))
        found.statement_time = statement_time
        return found

    def end_transaction(self) -> None:
        """Close and release everything: no scan outlives its transaction."""
        self._close(lambda _level: True)
        runs, self._runs = self._runs, {}
        for run in runs.values():
            self.backend.release(run.pin)

    def end_level(self, level: int, *, kept: bool) -> None:
        """A subtransaction of that depth has ended: its scans go over to the outer one, or are closed."""
        if kept:
            self._levels = {number: min(depth, level - 1) for number, depth in self._levels.items()}
        else:
            self._close(lambda depth: depth >= level)

    def _close(self, chosen: Callable[[int], bool]) -> None:
        for number in [number for number, level in self._levels.items() if chosen(level)]:
            del self._levels[number]
            self.backend.interrupt(number)
            self.backend.finish(number)

    def _forget_before(self, statement_time: int) -> None:
        """Release the runs of earlier statements, but for those that still read: cursors."""
        for place, run in list(self._runs.items()):
            if run.statement_time != statement_time and not run.rows:
                del self._runs[place]
                self.backend.release(run.pin)


class _Current:
    """The session of this process, made when it is first needed: a fork must not inherit its thread."""

    session: Session | None = None


def session() -> Session:
    """What this backend keeps."""
    if _Current.session is None:
        _Current.session = Session(Postgres())
    return _Current.session
