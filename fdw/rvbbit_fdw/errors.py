"""The one hierarchy of errors, and the one translation of any other error into it.

Messages follow PostgreSQL's style guide: the primary message is one line in lower case without a final
period, detail and hint are full sentences. No text names a directory of the server: sessions are named by
their ids and files by their base names.
"""

# The names say what happened (SessionNotFound); the common base says that they are errors.
# ruff: noqa: N818

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

from rvbbit_fdw.wording import last_part, one_line, scrub, sentence


class RvbbitError(Exception):
    """Base of all errors that a user sees: SQLSTATE, message, detail and hint."""

    sqlstate: str = "HV000"  # fdw_error
    passes: ClassVar[bool] = False
    """True if the same may well succeed a moment later: it says nothing of the session itself."""

    def __init__(self, message: str, *, detail: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint


class SessionNotFound(RvbbitError):
    """No session of that id is in the session folder."""

    sqlstate = "HV00Q"  # fdw_schema_not_found: a session is a remote schema


class FolderUnusable(RvbbitError):
    """The session folder or the snapshot store is missing or cannot be read."""

    sqlstate = "58030"  # io_error
    passes = True


class SessionUnusable(RvbbitError):
    """The session's file exists but cannot be read as a DuckDB database; `state` says why."""

    sqlstate = "HV00N"  # fdw_unable_to_establish_connection

    def __init__(
        self, message: str, *, state: str = "corrupt", detail: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.state = state


class SnapshotBusy(RvbbitError):
    """The session changed during every attempt to copy it, and no earlier snapshot exists."""

    sqlstate = "55006"  # object_in_use
    passes = True


class SnapshotGone(RvbbitError):
    """The snapshot was evicted before it could be used; whoever sees this takes another one."""

    sqlstate = "55006"  # object_in_use
    passes = True


class StoreFull(RvbbitError):
    """The snapshot store has no room for a copy."""

    sqlstate = "53100"  # disk_full
    passes = True


class SchemaNotFound(RvbbitError):
    """The session has no schema of that name."""

    sqlstate = "HV00Q"  # fdw_schema_not_found


class TableNotFound(RvbbitError):
    """The session has no table or view of that name."""

    sqlstate = "HV00R"  # fdw_table_not_found


class ColumnMismatch(RvbbitError):
    """A column of the session's table is not what the foreign table says."""

    sqlstate = "HV021"  # fdw_inconsistent_descriptor_information


class ColumnNotFound(ColumnMismatch):
    """The session's table has no column of that name any more."""

    sqlstate = "HV005"  # fdw_column_name_not_found


class ColumnTypeChanged(ColumnMismatch):
    """The session's column has another type than at import."""

    sqlstate = "HV004"  # fdw_invalid_data_type


class NoLosslessCast(ColumnMismatch):
    """The foreign table declares a type that cannot show the session's column without loss."""

    sqlstate = "HV004"  # fdw_invalid_data_type


class OptionError(RvbbitError):
    """An option of that name does not exist there."""

    sqlstate = "HV00D"  # fdw_invalid_option_name


class OptionValueError(OptionError):
    """The option exists, its value is not valid."""

    sqlstate = "HV024"  # fdw_invalid_attribute_value


class OptionMissing(OptionError):
    """An option without which the object cannot work was not given."""

    sqlstate = "HV00J"  # fdw_option_name_not_found


class NotSupported(RvbbitError):
    """Something that this version does not do."""

    sqlstate = "0A000"  # feature_not_supported


class NotPushable(NotSupported):
    """A value that DuckDB does not have; the host then lets PostgreSQL decide."""


class AccessDenied(RvbbitError):
    """The role or the sealed engine may not do that."""

    sqlstate = "42501"  # insufficient_privilege


class OutOfMemory(RvbbitError):
    """DuckDB reached its memory or spill limit."""

    sqlstate = "53200"  # out_of_memory
    passes = True


class Interrupted(RvbbitError):
    """The user, a timeout or the end of the backend stopped the work."""

    sqlstate = "57014"  # query_canceled
    passes = True

    def __init__(
        self,
        message: str = "canceling statement due to user request",
        *,
        detail: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, detail=detail, hint=hint)


class InvalidValue(RvbbitError):
    """DuckDB could not compute or convert a value."""

    sqlstate = "22000"  # data_exception


class ValueOutOfRange(InvalidValue):
    """A value does not fit its type."""

    sqlstate = "22003"  # numeric_value_out_of_range


class DivisionByZero(InvalidValue):
    """Something was divided by zero."""

    sqlstate = "22012"  # division_by_zero


class MomentOutOfRange(InvalidValue):
    """A date, a time or an interval does not fit its type."""

    sqlstate = "22008"  # datetime_field_overflow


class InvalidText(InvalidValue):
    """A text cannot be read as a value of a type."""

    sqlstate = "22P02"  # invalid_text_representation


class InvalidMoment(InvalidValue):
    """A text cannot be read as a date or a time."""

    sqlstate = "22007"  # invalid_datetime_format


class NegativeLength(InvalidValue):
    """A part of a text of less than no characters."""

    sqlstate = "22011"  # substring_error


class InvalidArgument(InvalidValue):
    """An argument that its function does not take."""

    sqlstate = "22023"  # invalid_parameter_value


class TooManyRows(InvalidValue):
    """A subquery gave more than the one row that it may give."""

    sqlstate = "21000"  # cardinality_violation


class QueryFailed(RvbbitError):
    """DuckDB could not prepare or run the query."""

    sqlstate = "HV00L"  # fdw_unable_to_create_execution


class ReadFailed(RvbbitError):
    """A file could not be read or written."""

    sqlstate = "58030"  # io_error
    passes = True


class TooComplex(RvbbitError):
    """The expression is nested too deeply."""

    sqlstate = "54001"  # statement_too_complex


class Internal(RvbbitError):
    """A fault of ours."""

    sqlstate = "XX000"  # internal_error


def translate(error: BaseException, *, roots: Iterable[str] = ()) -> RvbbitError:
    """One of our errors for any exception; `roots` are directories whose names must not be shown."""
    if isinstance(error, RvbbitError):
        return error
    if type(error).__module__.split(".")[0] in {"duckdb", "_duckdb"}:
        return translate_text(str(error), roots=roots)
    if isinstance(error, OSError):
        return _from_os(error, roots)
    return _from_python(error, roots)


def translate_text(text: str, *, roots: Iterable[str] = ()) -> RvbbitError:
    """One of our errors for an error text of DuckDB, such as "INTERRUPT Error: Interrupted!"."""
    kind, body = _split_kind(scrub(text, roots))
    for pattern, make in _BY_CONTENT:
        if pattern.search(body):
            return make(body)
    make_kind = _BY_KIND.get(kind.lower())
    if make_kind in _OF_VALUES:
        return _of_value(make_kind, body)
    return make_kind(body) if make_kind else _plain(QueryFailed, body)


def named(error: RvbbitError, what: str) -> RvbbitError:
    """The error of a query with what it reads in its message, and without the query's text."""
    if not what or not isinstance(error, InvalidValue | QueryFailed | TableNotFound | NotSupported):
        return error
    hint = (
        "Its table was dropped or renamed in the session." if isinstance(error, TableNotFound) else error.hint
    )
    return type(error)(f"could not read {what}: {error.message}", hint=hint)


def of_session(error: RvbbitError, session_id: str) -> RvbbitError:
    """The error of opening a session, with the session's name if its files are to blame."""
    if not isinstance(error, SessionUnusable):
        return error
    message = f'could not read session "{session_id}": its file or its log is damaged'
    return SessionUnusable(message, state=error.state, detail=error.detail, hint=error.hint)


_KIND = re.compile(r"^(?:Error: )?((?:[A-Za-z]+[ -]){0,4}Error): (.*)$", re.DOTALL)


def _split_kind(text: str) -> tuple[str, str]:
    """DuckDB's kind of error ("IO Error") and the rest; an exception's own prefix may stand before it."""
    match = _KIND.match(text.strip())
    return (match[1], match[2].strip()) if match else ("", text.strip())


_QUOTED_QUERY = re.compile(r"^LINE \d+:", re.MULTILINE)


def _plain(kind: type[RvbbitError], body: str) -> RvbbitError:
    first, _, rest = body.partition("\n")
    return kind(one_line(first), detail=sentence(_QUOTED_QUERY.split(rest)[0]))


def _from_os(error: OSError, roots: Iterable[str]) -> RvbbitError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return store_full()
    name = last_part(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else ""
    reason = error.strerror or one_line(scrub(str(error), roots))
    return ReadFailed(
        f'could not access "{name}": {reason}' if name else f"could not access a file: {reason}"
    )


def _from_python(error: BaseException, roots: Iterable[str]) -> RvbbitError:
    text = one_line(scrub(str(error), roots))
    if isinstance(error, MemoryError):
        return OutOfMemory("out of memory")
    if isinstance(error, KeyboardInterrupt) or text == "query interrupted":
        return Interrupted()
    if isinstance(error, RecursionError):
        return TooComplex("expression is nested too deeply")
    return Internal(f"internal error of rvbbit_fdw: {type(error).__name__}: {text}")


def store_full() -> StoreFull:
    """The error for a snapshot store whose file system is full."""
    return StoreFull(
        "could not copy the session: no space left in the snapshot store",
        hint="Free some disk space, or lower rvbbit.snapshot_limit.",
    )


def _interrupted(_body: str) -> RvbbitError:
    return Interrupted()


def _memory(body: str) -> RvbbitError:
    return OutOfMemory(
        "out of memory while reading a session",
        detail=sentence(body.split("\n", 1)[0]),
        hint="Raise rvbbit.memory_limit or rvbbit.temp_limit, or let the query read less.",
    )


def _corrupt(body: str) -> RvbbitError:
    return SessionUnusable(
        "could not read the session: its file or its log is damaged",
        detail=sentence(body.split("\n", 1)[0]),
        hint="Run the workflow again, or restore the file from a copy.",
    )


def _denied(body: str) -> RvbbitError:
    return AccessDenied(
        "the session tried to reach something outside its own file",
        detail=sentence(body.split("\n", 1)[0]),
        hint="Views of a session may read tables of the same session only.",
    )


def _table(body: str) -> RvbbitError:
    return TableNotFound(one_line(body), hint="Import the session's schema again.")


class _Kind:
    """Makes an error of one class from DuckDB's text."""

    def __init__(self, kind: type[RvbbitError]) -> None:
        self._kind = kind

    def __call__(self, body: str) -> RvbbitError:
        return _plain(self._kind, body)


def _full(_body: str) -> RvbbitError:
    return store_full()


_Maker = Callable[[str], RvbbitError]

# What the text says weighs more than the kind that DuckDB gives it.
_BY_CONTENT: Sequence[tuple[re.Pattern[str], _Maker]] = (
    (re.compile(r"No space left on device|Disk quota exceeded", re.IGNORECASE), _full),
    (
        re.compile(
            r"not a valid DuckDB database file|Could not read enough bytes|Corrupt (database|WAL) file"
            r"|Failure while replaying WAL|does not match stored checksum"
        ),
        _corrupt,
    ),
    (re.compile(r"disabled by configuration|external extensions is disabled"), _denied),
    (re.compile(r"^Table with name .* does not exist"), _table),
)

_INVALID, _TOO_LARGE = _Kind(InvalidValue), _Kind(ValueOutOfRange)
_OF_VALUES = (_INVALID, _TOO_LARGE)

# Conditions of ours fail by casting a text that says why (pushdown/entry.py).
_OF_OURS = re.compile(
    r"^(?:Could not convert string '|invalid \w+ field format: \")"
    r"([a-z][a-z: ]+)(?:' to [A-Z0-9]+(?=\n|$)|\")"
)

_BY_VALUE: Sequence[tuple[re.Pattern[str], type[RvbbitError]]] = (
    (re.compile(r"^division by zero", re.IGNORECASE), DivisionByZero),
    (
        re.compile(
            r"^(date|timestamp|interval) out of range|not in (timestamp|date) range|infinite dates",
            re.IGNORECASE,
        ),
        MomentOutOfRange,
    ),
    (
        re.compile(r"^value out of range: |out of range for the destination type|is out of range!"),
        ValueOutOfRange,
    ),
    (re.compile(r"^Could not (cast value .* to DECIMAL|convert string '-?\d+' to U?INT)"), ValueOutOfRange),
    (re.compile(r"^Could not convert string "), InvalidText),
    (re.compile(r"^invalid (date|time|timestamp) field format", re.IGNORECASE), InvalidMoment),
    (re.compile(r"^negative substring length"), NegativeLength),
    (re.compile(r"^field position must not be zero"), InvalidArgument),
    (re.compile(r"^More than one row returned by a subquery"), TooManyRows),
)


def _of_value(make: _Maker, body: str) -> RvbbitError:
    """The error of a value, of PostgreSQL's kind where the text tells it."""
    ours = _OF_OURS.match(body)
    text = ours[1] if ours else body
    kind = next((kind for pattern, kind in _BY_VALUE if pattern.search(text)), None)
    return _plain(kind, text) if kind else make(body)


_BY_KIND: Mapping[str, _Maker] = {
    "interrupt error": _interrupted,
    "out of memory error": _memory,
    "permission error": _denied,
    "conversion error": _INVALID,
    "invalid input error": _INVALID,
    "out of range error": _TOO_LARGE,
    "decimal error": _TOO_LARGE,
    "io error": _Kind(ReadFailed),
    "serialization error": _corrupt,
    "not implemented error": _Kind(NotSupported),
    "internal error": _Kind(Internal),
    "fatal error": _Kind(Internal),
}
