"""How errors of the brain become errors of PostgreSQL: the one way to them that Multicorn2 survives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from logging import ERROR
from typing import NoReturn, ParamSpec, TypeVar

from multicorn.utils import MulticornException, log_to_postgres

from rvbbit_fdw import errors
from rvbbit_fdw.wrapper.session import session

P = ParamSpec("P")
T = TypeVar("T")

_NO_SUCH_TIME = "Multicorn2 cannot hand over a date or timestamp of a condition"
_SUCH_TIMES = "Compare with those of the years 1 to 9999, or with a timestamp with time zone."


def told(function: Callable[P, T]) -> Callable[P, T]:
    """Errors of the function as errors of PostgreSQL, with hint and detail."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except MulticornException:
            raise
        except SystemError:  # called while a ValueError of Multicorn2 was pending
            problem: errors.RvbbitError = errors.NotSupported(_NO_SUCH_TIME, hint=_SUCH_TIMES)
        except Exception as error:
            problem = _in_its_words(errors.translate(error))
        refuse(problem)

    return call


def _in_its_words(problem: errors.RvbbitError) -> errors.RvbbitError:
    """What stops a statement is told as PostgreSQL tells it."""
    if isinstance(problem, errors.Interrupted) and session().process.timed_out():
        return errors.Interrupted("canceling statement due to statement timeout")
    return problem


def refuse(problem: errors.RvbbitError) -> NoReturn:
    """End the statement with this error."""
    log_to_postgres(
        _writable(problem.message), ERROR, hint=_writable(problem.hint), detail=_writable(problem.detail)
    )
    raise problem  # not reached: the call above raises


def _writable(text: str | None) -> str | None:
    """A text that any database can write."""
    if text is None:
        return None
    encoding = "utf-8" if session().process.encoding() == "UTF8" else "ascii"
    return text.replace("\0", "?").encode(encoding, "backslashreplace").decode(encoding)
