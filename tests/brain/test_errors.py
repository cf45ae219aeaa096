"""Errors of DuckDB and of the system become messages without paths or tracebacks."""

import errno

import duckdb
import pytest

from rvbbit_fdw import errors
from rvbbit_fdw.pushdown.entry import failure


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


@pytest.mark.parametrize(
    ("expression", "sqlstate", "message"),
    [
        ("1 // (i - 1)", "22012", "division by zero"),
        ("1 % (i - 1)", "22012", "division by zero"),
        (failure("division by zero", "FLOAT"), "22012", "division by zero"),
        ("2147483646::INTEGER + i::INTEGER + i::INTEGER", "22003", "overflow in addition"),
        ("(i * 100000)::SMALLINT", "22003", "type INT64 with value 100000"),
        ("(i * 1e300)::FLOAT", "22003", "type DOUBLE with value 1e+300"),
        ("(i * 1000.5)::DECIMAL(4,1)", "22003", "casting value"),
        (failure("value out of range: overflow", "DOUBLE"), "22003", "value out of range: overflow"),
        ("(i || '99999999999')::INTEGER", "22003", "could not convert string"),
        ("('x' || i)::INTEGER", "22P02", "could not convert string 'x1' to INT32"),
        ("('x' || i)::BOOLEAN", "22P02", "could not convert string 'x1' to BOOL"),
        ("('x' || i)::DATE", "22007", "invalid date field format"),
        ("('x' || i)::TIMESTAMP", "22007", "invalid timestamp field format"),
        ("TIMESTAMP '290000-01-01' + INTERVAL (i * 200000000) DAYS", "22008", "date and time not in"),
        ("make_date(2000, 13 * i::INTEGER, 1)", "22008", "date out of range"),
        (failure("timestamp out of range", "TIMESTAMP"), "22008", "timestamp out of range"),
        (failure("negative substring length not allowed", "SMALLINT"), "22011", "negative substring length"),
        (failure("field position must not be zero", "SMALLINT"), "22023", "field position must not be zero"),
        ("(SELECT x FROM range(2) AS r(x))", "21000", "more than one row returned by a subquery"),
    ],
)
def test_an_error_of_a_value_has_the_sqlstate_that_postgresql_gives(
    expression: str, sqlstate: str, message: str
) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as caught:
        connection.execute(f"SELECT {expression} FROM range(1, 2) AS t(i)").fetchall()
    found = errors.translate(caught.value)
    assert (found.sqlstate, isinstance(found, errors.InvalidValue)) == (sqlstate, True)
    assert found.message.startswith(message)


def test_system_errors() -> None:
    assert isinstance(errors.translate(OSError(errno.ENOSPC, "full")), errors.StoreFull)
    found = errors.translate(PermissionError(errno.EACCES, "Permission denied", "/secret/x"))
    assert found.message == 'could not access "x": Permission denied'


def test_anything_else_is_internal() -> None:
    found = errors.translate(KeyError("x"))
    assert (found.sqlstate, found.message) == ("XX000", "internal error of rvbbit_fdw: KeyError: 'x'")
