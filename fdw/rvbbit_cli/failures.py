"""What can go wrong, as a person reads it: an error in one line, detail, hint and an exit code."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final

import click
import psycopg

from rvbbit_cli.screen import shown

FOUND: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
UNKNOWN: Final = 4
REFUSED: Final = 5
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    0: "done",
    FOUND: "`doctor` found a fault; `demo` could not write",
    USAGE: "the command line is not understood",
    UNREACHABLE: "the server cannot be reached, does not let one in or is not ours",
    UNKNOWN: "there is no such session, schema or table",
    REFUSED: "the server cannot or may not do it",
    INTERRUPTED: "interrupted by Ctrl-C",
}
"""Every exit code of the command and its meaning."""

SHOWN: Final = "rvbbit-fdw sessions shows what there is."
_NO_SUCH = frozenset({"HV00Q", "HV00R", "3F000", "42P01"})
_OPERATOR = "A superuser allows it by: GRANT rvbbit_operator TO {user};"


class Failure(click.ClickException):
    """An error of ours; its text never holds a password."""

    def __init__(
        self, message: str, *, code: int, detail: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # as the base's own documentation does
        self.detail = detail
        self.hint = hint

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to stderr, in PostgreSQL's order."""
        lines = [f"error: {self.message}"]
        lines += [f"detail: {self.detail}"] if self.detail else []
        lines += [f"hint: {self.hint}"] if self.hint else []
        print(*(shown(line).plain for line in lines), sep="\n", file=file or sys.stderr)


@contextmanager
def translated(user: str = "") -> Iterator[None]:
    """Errors of the server within the block as failures; `user` is who asked."""
    try:
        yield
    except psycopg.Error as error:
        raise of_server(error, user) from None


def of_server(error: psycopg.Error, user: str) -> Failure:
    """The failure for an error of a statement."""
    diag = error.diag
    if error.sqlstate is None or error.sqlstate.startswith("57P"):
        return Failure("the server closed the connection", code=UNREACHABLE, detail=_one_line(str(error)))
    message = diag.message_primary or _one_line(str(error))
    hint = diag.message_hint
    if error.sqlstate == "42501" and hint is None:
        hint = _OPERATOR.format(user=user or "...")
    code = UNKNOWN if error.sqlstate in _NO_SUCH else REFUSED
    if code == UNKNOWN and hint is None:
        hint = SHOWN
    return Failure(message, code=code, detail=diag.message_detail, hint=hint)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


_START_IT = '"make up" starts a server; --dsn, RVBBIT_DSN or PGHOST and PGPORT name another.'
_LOGIN = (
    'The login\'s password is what RVBBIT_PASSWORD was when the server started ("rvbbit" by default). '
    "PGPASSWORD, ~/.pgpass or --dsn give it. Or another PostgreSQL has the port."
)
_NOT_OURS = (
    'Another program has that port. "docker ps" shows the server\'s; '
    '"make up RVBBIT_PORT=5544" starts one on another port, and --dsn names it.'
)
_ANOTHER = "It may be another PostgreSQL than this project's. " + _START_IT

# What libpq says, the first that fits: our message and the hint.
_REASONS: Final = (
    ("password authentication|no password supplied", "wrong password for {user}", _LOGIN),
    ('role "[^"]*" does not exist', "the login {user} does not exist", _ANOTHER),
    ('database "[^"]*" does not exist', "the database {dbname} does not exist", _ANOTHER),
    ("no pg_hba.conf entry", "the server does not let {user} in from here", _ANOTHER),
    (
        "starting up|shutting down|recovery mode",
        "the server is starting or stopping",
        "Try again in a moment.",
    ),
    (
        "invalid response|expected authentication request|unsupported frontend protocol|SSL negotiation",
        "what listens there is not PostgreSQL",
        _NOT_OURS,
    ),
    ("server closed the connection", "what listens there hung up", _NOT_OURS),
    ("[Cc]onnection refused|No such file or directory", "no server listens there", _START_IT),
    ("timeout expired|timed out", "the server does not answer", _START_IT),
    ("translate host name|resolve host|Name or service", "the host is not known", _START_IT),
    (
        "too many (?:clients|connections)|connection slots",
        "the server has no connection free",
        "Close some, or raise max_connections.",
    ),
)


def of_connecting(error: psycopg.Error, place: str, names: Mapping[str, str]) -> Failure:
    """The failure for a connection that was not made; `place` says where, without a password."""
    text = str(error)
    quoted = {name: f'"{value}"' for name, value in names.items()}
    for pattern, message, hint in _REASONS:
        if re.search(pattern, text):
            whole = f"could not connect to {place}: {message.format(**quoted)}"
            return Failure(whole, code=UNREACHABLE, hint=hint)
    return Failure(f"could not connect to {place}", code=UNREACHABLE, detail=_one_line(text))
