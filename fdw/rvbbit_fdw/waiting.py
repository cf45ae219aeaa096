"""Calls that may block, for a host that has no threads of its own.

They run in a helper thread with all signals blocked, which DuckDB's threads inherit; so the host's signal
handlers run in its main thread alone. The caller meanwhile looks whether it was interrupted.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from rvbbit_fdw.errors import Interrupted
from rvbbit_fdw.tasks import Task

T = TypeVar("T")

_LOOK_SECONDS = 0.02
_GRACE_SECONDS = 0.1
"""How long an interrupted call may take to end before it is abandoned."""

_MOST_ABANDONED = 2


class _Call(Generic[T]):
    """One call: it ends with a result or with an error."""

    def __init__(self, work: Callable[[], T], task: Task, finish: Callable[[Task], None]) -> None:
        self.work = work
        self.task = task
        self.finish = finish
        self.ended = threading.Event()
        self.abandoned = False
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """In the helper's thread."""
        try:
            self._result.append(self.work())
        except BaseException as error:  # the caller raises it
            self._error = error
        self.ended.set()
        if self.abandoned:
            self.finish(self.task)

    def result(self) -> T:
        """What it gave; raises what it raised."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return self._result[0]


class Helper:
    """The helper thread of a process. One that is stuck in an abandoned call is replaced.

    `finish` closes a task; that of an abandoned call is closed by the thread when the call has ended, because
    to close it earlier would wait for that. `abandon` is told before: the process may end before the call.
    """

    def __init__(
        self, interrupted: Callable[[], bool], finish: Callable[[Task], None], abandon: Callable[[], None]
    ) -> None:
        self._interrupted = interrupted
        self._finish = finish
        self._abandon = abandon
        self._calls: SimpleQueue[_Call[object]] | None = None
        self._abandoned: list[_Call[object]] = []

    def run(self, work: Callable[[], T], task: Task) -> T:
        """The result of the work, which can be interrupted by way of its task; Interrupted if it was."""
        self._wait_for_room()
        call = _Call(work, task, self._finish)
        self._queue().put(call)  # type: ignore[arg-type]  # its result comes from `call` itself
        while not call.ended.wait(_LOOK_SECONDS):
            if self._interrupted():
                self._stop(call)
                raise Interrupted
        return call.result()

    def holds(self, task: Task) -> bool:
        """True while an abandoned call of the task runs."""
        return any(call.task is task and not call.ended.is_set() for call in self._abandoned)

    def _queue(self) -> SimpleQueue[_Call[object]]:
        if self._calls is None:
            self._calls = SimpleQueue()
            _start(self._calls)
        return self._calls

    def _stop(self, call: _Call[T]) -> None:
        until = time.monotonic() + _GRACE_SECONDS
        while time.monotonic() < until:
            call.task.interrupt()
            if call.ended.wait(_LOOK_SECONDS):
                return
        self._abandon()
        self._calls = None  # the thread leaves when this call ends
        call.abandoned = True
        if call.ended.is_set():
            self._finish(call.task)
        self._abandoned.append(call)  # type: ignore[arg-type]

    def _wait_for_room(self) -> None:
        """Until no more than so many abandoned calls run; they are interrupted all the time."""
        while True:
            self._abandoned = [call for call in self._abandoned if not call.ended.is_set()]
            for call in self._abandoned:
                call.task.interrupt()
            if len(self._abandoned) < _MOST_ABANDONED:
                return
            if self._interrupted():
                raise Interrupted
            self._abandoned[0].ended.wait(_LOOK_SECONDS)


def _start(calls: SimpleQueue[_Call[object]]) -> None:
    """A thread inherits the signals that are blocked where it is started."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        threading.Thread(target=_work, args=(calls,), name="rvbbit_fdw helper", daemon=True).start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _work(calls: SimpleQueue[_Call[object]]) -> None:
    while True:
        call = calls.get()
        call.run()
        if call.abandoned:
            return
        del call
