"""Errors of DuckDB and of the system become messages without paths or tracebacks."""

import errno

import duckdb
import pytest

from rvbbit_fdw import errors


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("INTERRUPT Error: Interrupted!", errors.Interrupted, "canceling statement due to user request"),
        ("Out of Memory Error: failed to allocate", errors.OutOfMemory, "out of memory while"),
        ("Conversion Error: Could not convert x", errors.InvalidValue, "could not convert x"),
        ("Out of Range Error: Overflow!", errors.ValueOutOfRange, "overflow"),
        ("Catalog Error: Table with name t does not exist!", errors.TableNotFound, "table with name t does"),
        ("Permission Error: Cannot access it - disabled by configuration", errors.AccessDenied, "the"),
        ('IO Error: The file "/a/b.duckdb" exists, but it is not a valid DuckDB database file!',
         errors.SessionUnusable, "could not read the session"),
        ("what is this", errors.QueryFailed, "what is this"),
    ],
)  # fmt: skip
def test_text_of_duckdb(text: str, kind: type[errors.RvbbitError], message: str) -> None:
    found = errors.translate_text(text)
    assert type(found) is kind
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("Out of Memory Error: failed to allocate", True),
        ("IO Error: No space left on device", True),
        ("IO Error: Could not read from file", True),
        ("INTERRUPT Error: Interrupted!", True),
        ("Catalog Error: Table with name t does not exist!", False),
        ("Binder Error: Referenced column x not found", False),
        ("IO Error: Corrupt database file: computed checksum", False),
    ],
)
def test_what_says_nothing_of_the_session_itself(text: str, passes: bool) -> None:
    assert errors.translate_text(text).passes is passes


@pytest.mark.parametrize(
    "text",
    [
        'IO Error: Cannot open file "/secret/dir/x.duckdb": Permission denied',
        "IO Error: Failure in /secret/dir/x.duckdb: bad",
        "IO Error: Could not set lock on file '/secret/dir/x.duckdb'",
    ],
)
def test_no_directory_is_shown(text: str) -> None:
    found = errors.translate_text(text)
    assert "secret" not in f"{found.message} {found.detail} {found.hint}"


def test_a_real_error_of_duckdb() -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute("SELECT nonsense")
    found = errors.translate(caught.value)
    assert isinstance(found, errors.QueryFailed)
    assert found.message.startswith("referenced column")
    assert "LINE" not in str(found.detail)


def test_system_errors() -> None:
    assert isinstance(errors.translate(OSError(errno.ENOSPC, "full")), errors.StoreFull)
    found = errors.translate(PermissionError(errno.EACCES, "Permission denied", "/secret/x"))
    assert found.message == 'could not access "x": Permission denied'


def test_anything_else_is_internal() -> None:
    found = errors.translate(KeyError("x"))
    assert (found.sqlstate, found.message) == ("XX000", "internal error of rvbbit_fdw: KeyError: 'x'")
