"""What can go wrong, as a person reads it: an error in one line, detail, hint and an exit code."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
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
        self, message: str, *, code: int, detail: str | None = None, hint: str | None = None, kind: str = ""
    ) -> None:
        super().__init__(message)
        self.exit_code = code  # type: ignore[misc]  # as the base's own documentation does
        self.detail = detail
        self.hint = hint
        self.kind = kind

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
    "PGPASSWORD, ~/.pgpass or --dsn give it."
)
_NOT_OURS = (
    'Another program has that port. "docker ps" shows the server\'s; '
    '"make up RVBBIT_PORT=5544" starts one on another port, and --dsn names it.'
)
_ANOTHER = "It may be another PostgreSQL than this project's. " + _START_IT

# What libpq says, the first that fits: kind, our message and the hint.
_REASONS: Final = (
    (r"password authentication|no password supplied", "password", "wrong password for {user}", _LOGIN),
    (r'role "[^"]*" does not exist', "other", "the login {user} does not exist", _ANOTHER),
    (r'database "[^"]*" does not exist', "other", "the database {dbname} does not exist", _ANOTHER),
    (r"no pg_hba.conf entry", "other", "the server does not let {user} in from here", _ANOTHER),
    (r"starting up|shutting down|recovery mode", "wait", "the server is starting or stopping",
     "Try again in a moment."),
    (
        r"invalid response|expected authentication request|unsupported frontend protocol|SSL negotiation",
        "foreign",
        "what listens there is not PostgreSQL",
        _NOT_OURS,
    ),
    (r"server closed the connection", "foreign", "what listens there hung up", _NOT_OURS),
    (r"[Cc]onnection refused|No such file or directory", "absent", "no server listens there", _START_IT),
    (r"timeout expired|timed out", "absent", "the server does not answer", _START_IT),
    (r"translate host name|resolve host|Name or service", "absent", "the host is not known", _START_IT),
    (r"too many (clients|connections)|connection slots", "other", "the server has no connection free",
     "Close some, or raise max_connections."),
)  # fmt: skip


def of_connecting(error: psycopg.Error, place: str, names: dict[str, str]) -> Failure:
    """The failure for a connection that was not made; `place` says where, without a password."""
    text = str(error)
    for pattern, kind, message, hint in _REASONS:
        if re.search(pattern, text):
            shown = {name: f'"{value}"' for name, value in names.items()}
            return Failure(
                f"could not connect to {place}: {message.format(**shown)}",
                code=UNREACHABLE,
                hint=hint,
                kind=kind,
            )
    return Failure(f"could not connect to {place}", code=UNREACHABLE, detail=_one_line(text), kind="other")
