"""Sessions that cannot be read, or changed since the import: a clear error for that statement alone."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.host import WRAPPER
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

GOOD = ("CREATE TABLE _output AS SELECT i AS id, 'row ' || i AS name FROM range(100000) AS r(i)",)


def cut(path: Path) -> None:
    """Lose the second half of the file."""
    os.truncate(path, path.stat().st_size // 2)


def scramble(path: Path) -> None:
    """Overwrite what follows the headers."""
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:12288] + os.urandom(size - 12288))


def replace(*statements: str) -> Callable[[Path], None]:
    """Write the session anew with other statements."""

    def change(path: Path) -> None:
        path.unlink()
        make_session(path, *statements)

    return change


def replace_by_fifo(path: Path) -> None:
    """Put a FIFO where the session was."""
    path.unlink()
    os.mkfifo(path)


def replace_by_directory(path: Path) -> None:
    """Put a directory where the session was."""
    path.unlink()
    path.mkdir()


def forbid(path: Path) -> None:
    """Take everybody's right to read the file."""
    path.chmod(0)


# What happens to a good session after its import, then SQLSTATE and part of the message of SELECT.
CHANGES: list[tuple[str, Callable[[Path], None], set[str], str]] = [
    ("vanished", Path.unlink, {"HV00Q"}, "does not exist"),
    ("emptied", lambda path: os.truncate(path, 0), {"HV00N"}, ""),
    ("cut", cut, {"HV00N"}, ""),
    ("scrambled", scramble, {"HV00N"}, ""),
    ("fifo", replace_by_fifo, {"HV00Q", "HV00N"}, ""),
    ("directory", replace_by_directory, {"HV00Q", "HV00N"}, ""),
    ("forbidden", forbid, {"HV00N", "58030", "42501"}, ""),
    ("dropped", replace("CREATE TABLE _other AS SELECT 1 AS id"), {"HV00R"}, 'no table "_output"'),
    ("renamed", replace("CREATE TABLE _output AS SELECT 1 AS number"), {"HV005"}, 'no column "id"'),
    ("retyped", replace("CREATE TABLE _output AS SELECT 'x' AS id"), {"HV004"}, "changed its type"),
]  # fmt: skip

DAMAGED = ["hollow-vole-6d1f08", "locked-newt-a7c350", "early-swift-f4419b"]

# A DuckDB value that PostgreSQL cannot hold.
UNREPRESENTABLE = [
    ("nul in text", "'a' || chr(0) || 'b'", {"22021", "22P05"}),
    ("nul in json", """('{"a": "' || chr(92) || 'u0000"}')::JSON""", {"22P05", "22P02"}),
    ("date too early", "DATE '4800-01-01 (BC)'", {"22008"}),
    ("date too late", "DATE '5881580-07-10'", {"22008"}),
    ("timestamp too early", "TIMESTAMP '4800-01-01 (BC) 00:00:00'", {"22008"}),
]


@dataclass
class Sandbox:
    """A session of a test's own, imported into a schema of its own."""

    db: psycopg.Connection
    schema: str
    path: Path

    def make(self, *statements: str) -> None:
        """Write the session and import it."""
        make_session(self.path, *statements)
        command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
        self.db.execute(command.format(sql.Identifier(self.path.stem), sql.Identifier(self.schema)))

    def select(self) -> list[tuple[object, ...]]:
        """Read its _output."""
        return self.db.execute(
            sql.SQL("SELECT * FROM {}").format(sql.Identifier(self.schema, "_output"))
        ).fetchall()

    def refused(self) -> psycopg.Error:
        """Read it and give the error, which must name no path and show no code; others must still work."""
        with pytest.raises(psycopg.Error) as caught:
            self.select()
        shown = " ".join(filter(None, (getattr(caught.value.diag, part) for part in SHOWN)))
        assert not [word for word in ("/sessions", "/var/lib", "Traceback", ".py") if word in shown], shown
        assert self.db.execute(
            "SELECT state FROM rvbbit_sessions WHERE session_id = 'my_test'"
        ).fetchone() == ("empty",)
        return caught.value


SHOWN = ("message_primary", "message_detail", "message_hint", "context")


@pytest.fixture
def sandbox(server: Server, db: psycopg.Connection, schema: str) -> Iterator[Sandbox]:
    path = server.session_dir / f"zz_{schema}.duckdb"
    yield Sandbox(db, schema, path)
    if path.is_dir():
        path.rmdir()
    for left in server.session_dir.glob(f"{path.name}*"):
        left.unlink()


@pytest.mark.parametrize(
    ("change", "sqlstates", "message"), [case[1:] for case in CHANGES], ids=[c[0] for c in CHANGES]
)
def test_a_session_that_changed_after_its_import(
    sandbox: Sandbox, change: Callable[[Path], None], sqlstates: set[str], message: str
) -> None:
    if change is forbid and os.geteuid() == 0 and not sandbox.path.parent.exists():
        pytest.skip("root reads everything")
    sandbox.make(*GOOD)
    change(sandbox.path)
    error = sandbox.refused()
    assert error.sqlstate in sqlstates, error
    assert message in (error.diag.message_primary or "")


def test_a_session_that_was_written_anew_is_read_anew(sandbox: Sandbox) -> None:
    sandbox.make(*GOOD)
    assert len(sandbox.select()) == 100000
    replace("CREATE TABLE _output AS SELECT 7::BIGINT AS id, 'seven' AS name")(sandbox.path)
    assert sandbox.select() == [(7, "seven")]


@pytest.mark.parametrize("session", DAMAGED)
def test_a_damaged_session_cannot_be_imported(db: psycopg.Connection, schema: str, session: str) -> None:
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    with pytest.raises(psycopg.Error) as caught:
        db.execute(command.format(sql.Identifier(session), sql.Identifier(schema)))
    assert caught.value.sqlstate == "HV00N"
    assert f'"{session}"' in (caught.value.diag.message_primary or "")


@pytest.mark.parametrize(
    ("value", "sqlstates"), [c[1:] for c in UNREPRESENTABLE], ids=[c[0] for c in UNREPRESENTABLE]
)
def test_a_value_that_postgresql_cannot_hold(sandbox: Sandbox, value: str, sqlstates: set[str]) -> None:
    sandbox.make(
        f"CREATE TABLE _output AS SELECT i AS id, CASE WHEN i = 60000 THEN {value} END AS v"
        " FROM range(100000) AS r(i)"
    )
    error = sandbox.refused()
    assert error.sqlstate in sqlstates, error
    ids = sql.SQL("SELECT count(id) FROM {}").format(sql.Identifier(sandbox.schema, "_output"))
    assert sandbox.db.execute(ids).fetchone() == (100000,)


def test_a_view_that_breaks_after_its_import(sandbox: Sandbox) -> None:
    table = "CREATE TABLE t AS SELECT 1 AS id"
    sandbox.make(table, "CREATE VIEW _output AS SELECT id FROM t")
    replace(table, "CREATE VIEW _output AS SELECT id FROM t", "DROP TABLE t")(sandbox.path)
    assert (sandbox.refused().sqlstate or "").startswith("HV")


@pytest.mark.parametrize(
    "view",
    [
        "SELECT content AS id FROM read_text('/etc/passwd')",
        "FROM read_csv('/etc/passwd')",
    ],
)
def test_a_view_reaches_nothing_outside_its_session(sandbox: Sandbox, view: str) -> None:
    sandbox.make("CREATE TABLE t AS SELECT 1 AS id", "CREATE VIEW _output AS SELECT id FROM t")
    path = sandbox.path
    replace(
        "CREATE TABLE t AS SELECT 1 AS id",
        f"CREATE VIEW _output AS SELECT id FROM (SELECT 1 AS id FROM ({view}))",
    )(path)
    assert sandbox.refused().sqlstate in {"42501", "HV00L"}


OPTIONS = [
    ("CREATE FOREIGN TABLE {t} (a int) SERVER rvbbit", "HV00J", "session"),
    ("CREATE FOREIGN TABLE {t} (a int) SERVER rvbbit OPTIONS (sesion 'x')", "HV00D", "sesion"),
    ("CREATE FOREIGN TABLE {t} (a int) SERVER rvbbit OPTIONS (session '')", "HV024", "session"),
    (
        "CREATE FOREIGN TABLE {t} (a int) SERVER rvbbit OPTIONS (session 'x', catalog 'sessions')",
        "HV00D",
        "exclude",
    ),
    ("CREATE FOREIGN TABLE {t} (a int) SERVER rvbbit OPTIONS (catalog 'phases')", "HV024", "catalog"),
    (
        "CREATE FOREIGN TABLE {t} (a int OPTIONS (colour 'x')) SERVER rvbbit OPTIONS (session 'x')",
        "HV00D",
        "colour",
    ),
]


@pytest.mark.parametrize(("statement", "sqlstate", "message"), OPTIONS)
def test_options_are_checked_at_once(
    db: psycopg.Connection, schema: str, statement: str, sqlstate: str, message: str
) -> None:
    text = sql.SQL(statement).format(t=sql.Identifier(schema, "bad"))
    with pytest.raises(psycopg.Error, match=message) as caught:
        db.execute(text)
    assert caught.value.sqlstate == sqlstate


OWN_SERVER = f"CREATE SERVER own FOREIGN DATA WRAPPER {WRAPPER} OPTIONS (session_dir '/etc')"


def test_an_ordinary_role_may_not_make_a_server(db: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="foreign-data wrapper"):
        db.execute(OWN_SERVER)


@pytest.mark.parametrize("option", ["session_dir", "snapshot_dir"])
def test_not_even_the_owner_of_a_server_chooses_a_folder(server: Server, option: str) -> None:
    with server.connect(user="postgres") as db, db.transaction(force_rollback=True):
        db.execute("GRANT USAGE ON FOREIGN DATA WRAPPER rvbbit_fdw TO rvbbit")
        db.execute("CREATE SERVER own FOREIGN DATA WRAPPER rvbbit_fdw OPTIONS (session_dir '/sessions')")
        db.execute("ALTER SERVER own OWNER TO rvbbit; SET LOCAL ROLE rvbbit")
        verb = "SET" if option == "session_dir" else "ADD"
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            db.execute(f"ALTER SERVER own OPTIONS ({verb} {option} '/etc')")
    assert (caught.value.diag.message_primary or "").startswith("permission denied to set option")


def test_a_table_made_by_hand_of_a_session_that_never_was(db: psycopg.Connection, schema: str) -> None:
    table = sql.Identifier(schema, "by_hand")
    make = sql.SQL("CREATE FOREIGN TABLE {} (id int) SERVER rvbbit OPTIONS (session 'cascade_tset')")
    db.execute(make.format(table))
    with pytest.raises(psycopg.Error) as caught:
        db.execute(sql.SQL("SELECT * FROM {}").format(table))
    assert caught.value.sqlstate == "HV00Q"
    assert "cascade_test" in (caught.value.diag.message_hint or "")
