"""Each fault that `rvbbit-fdw doctor` knows is made, found, explained, and gone again when it is mended."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rvbbit_cli.doctor.checks import CHECKS
from rvbbit_demo import damage
from tests.kit.cli import Cli, dsn
from tests.kit.container import Server, container, serving, wait_until_healthy
from tests.kit.synced import Folder, opened

pytestmark = pytest.mark.server

RELEASED = Path(__file__).parent / "released"
EXTENSIONS = "/usr/share/postgresql/17/extension"
STORE_BYTES = 6 << 20
TABLE = "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b"
LARGE = "CREATE TABLE t AS SELECT md5(range::VARCHAR) || md5((-range)::VARCHAR) AS a FROM range(200000)"


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small snapshot store and released versions at hand, whose job is off."""
    folder = tmp_path_factory.mktemp("patient")
    folder.chmod(0o755)
    scripts = [(str(path), f"{EXTENSIONS}/{path.name}", "ro") for path in RELEASED.glob("*.sql")]
    store = {"Target": "/var/lib/rvbbit", "Type": "tmpfs", "TmpfsOptions": {"SizeBytes": STORE_BYTES}}
    with serving(
        folder, "postgres", "-c", "cron.launch_active_jobs=off", volumes=scripts, mounts=[store]
    ) as running:
        with running.connect(user="postgres") as admin:
            admin.execute("SELECT cron.alter_job(jobid, active => false) FROM cron.job")
        yield running


@pytest.fixture
def folder(patient: Server) -> Iterator[Folder]:
    """Its folder with one session, in step."""
    with opened(patient) as own:
        own.write("first", TABLE)
        own.sync()
        yield own


def look(
    folder: Folder, user: str = "rvbbit", dbname: str = "rvbbit", *more: str
) -> dict[str, dict[str, Any]]:
    """What the checks say, by name."""
    cli = Cli(dsn(folder.server, user, dbname=dbname))
    arguments = more or ("--folder", str(folder.server.session_dir))
    return {line["check"]: line for line in cli.json("doctor", *arguments)}


def faults(lines: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What is found wrong, by check."""
    return {name: "; ".join(line["found"]) for name, line in lines.items() if line["status"] == "fault"}


# --- How faults are made. Each is mended when its block ends.

Make = Callable[[Folder], AbstractContextManager[None]]


@contextmanager
def no_session(folder: Folder) -> Iterator[None]:
    path = folder.server.session_dir / "first.duckdb"
    path.rename(path.with_suffix(".away"))
    yield
    path.with_suffix(".away").rename(path)


@contextmanager
def no_folder(folder: Folder) -> Iterator[None]:
    with folder.server.connect(user="postgres") as admin:
        admin.execute("ALTER SERVER rvbbit OPTIONS (SET session_dir '/nowhere')")
        yield
        admin.execute("ALTER SERVER rvbbit OPTIONS (SET session_dir '/sessions')")


@contextmanager
def closed_file(folder: Folder) -> Iterator[None]:
    path = folder.server.session_dir / "first.duckdb"
    path.chmod(0o600)
    yield
    path.chmod(0o644)


@contextmanager
def closed_folder(folder: Folder) -> Iterator[None]:
    folder.server.session_dir.chmod(0o700)
    yield
    folder.server.session_dir.chmod(0o755)


def damaged(kind: str) -> Make:
    """One more session, damaged in this way."""

    @contextmanager
    def made(folder: Folder) -> Iterator[None]:
        folder.copy("first", "bad")
        path = folder.server.session_dir / "bad.duckdb"
        damage.apply(path, kind)
        yield
        path.unlink()

    return made


@contextmanager
def torn(folder: Folder) -> Iterator[None]:
    """Its header is whole and what follows is not, which only reading it tells."""
    folder.copy("first", "bad")
    path = folder.server.session_dir / "bad.duckdb"
    good = path.read_bytes()
    path.write_bytes(good[:12288] + b"\x55" * (len(good) - 12288))
    folder.sync()
    yield
    path.unlink()
    folder.sync()
    folder.sync()


@contextmanager
def orphan(folder: Folder) -> Iterator[None]:
    path = folder.server.session_dir / "lost.duckdb.wal"
    path.write_bytes(b"\0" * 100)
    yield
    path.unlink()


@contextmanager
def no_sync(folder: Folder) -> Iterator[None]:
    """The trace that a sync leaves is of an hour ago."""
    with folder.server.connect(user="postgres") as admin:
        admin.execute("UPDATE rvbbit.sync_run SET last_run = now() - interval '1 hour'")
    yield
    folder.sync()


@contextmanager
def full_store(folder: Folder) -> Iterator[None]:
    folder.db.execute("SELECT rvbbit.set_policy('none')")
    path = folder.write("large", LARGE)
    assert path.stat().st_size > STORE_BYTES
    yield
    path.unlink()
    folder.db.execute("SELECT rvbbit.set_policy('smart')")


@dataclass(frozen=True)
class Fault:
    """A fault, how it is made, and what doctor says of it."""

    check: str
    make: Make
    found: str


FAULTS = [
    Fault("folder", no_session, "the server lists no session"),
    Fault("folder", no_folder, "could not read the session folder: No such file or directory"),
    Fault("permissions", closed_file, "first: permission denied (600 of uid"),
    Fault("permissions", closed_folder, "could not read the session folder: Permission denied (700 of uid"),
    Fault("newer", damaged("newer"), "bad: its storage version 4096 is too new"),
    Fault("damaged", damaged("corrupt"), "bad: the file is not a DuckDB database"),
    Fault("damaged", damaged("encrypted"), "bad: the file is encrypted"),
    Fault("damaged", torn, "bad: "),
    Fault("orphan-wal", orphan, "lost.duckdb.wal"),
    Fault("sync", no_sync, "the last sync was 60 min ago"),
    Fault("store", full_store, "large: could not copy the session: no space left in the snapshot store"),
]
ELSEWHERE = {"port", "locale", "version"}  # tests/cli/test_connection.py, and below


def test_every_check_has_a_fault_here() -> None:
    assert {fault.check for fault in FAULTS} | ELSEWHERE == {check.name for check in CHECKS}


def test_a_healthy_server(folder: Folder) -> None:
    lines = look(folder)
    assert faults(lines) == {}
    assert {line["status"] for line in lines.values()} == {"ok"}
    assert Cli(dsn(folder.server))("doctor").returncode == 0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.check}-{fault.found[:20]}")
def test_a_fault_is_found_and_nothing_else(folder: Folder, fault: Fault) -> None:
    with fault.make(folder):
        lines = look(folder)
        found = faults(lines)
        assert set(found) == {fault.check}
        assert fault.found in found[fault.check]
        assert lines[fault.check]["explanation"]
        assert lines[fault.check]["fix"]
    assert faults(look(folder)) == {}


def test_nothing_is_mounted() -> None:
    with container(environment={"RVBBIT_PASSWORD": "rvbbit"}) as made:
        wait_until_healthy(made)
        code, output = made.get_wrapped_container().exec_run(["rvbbit-fdw", "doctor"])
    assert code == 1
    assert b"nothing is mounted at /sessions" in output
    assert b"-v /path/session_dbs:/sessions:ro" in b" ".join(output.split())


def test_another_folder_is_served(folder: Folder, tmp_path: Path) -> None:
    shutil.copy(folder.server.session_dir / "first.duckdb", tmp_path / "other.duckdb")
    found = faults(look(folder, "rvbbit", "rvbbit", "--folder", str(tmp_path)))
    assert found == {"folder": f"the server serves another folder than {tmp_path}: no session is in both"}
    with no_session(folder):
        (text,) = faults(look(folder, "rvbbit", "rvbbit", "--folder", str(tmp_path))).values()
        assert f"{tmp_path} has 1 session: it is not what the server has mounted" in text


def test_a_superuser_is_told_of_the_job(folder: Folder) -> None:
    with no_sync(folder):
        assert "its job is switched off" in faults(look(folder, "postgres"))["sync"]


def test_many_of_a_kind_are_counted(folder: Folder) -> None:
    folder.copy("first", *(f"bad{number}" for number in range(8)))
    for path in folder.server.session_dir.glob("bad*"):
        damage.apply(path, "corrupt")
    (text,) = faults(look(folder)).values()
    assert text.startswith("bad0: ")
    assert text.endswith("; and 3 more")


@contextmanager
def database(server: Server, name: str, options: str, version: str | None) -> Iterator[psycopg.Connection]:
    """A database of its own with both extensions, as setup() leaves it."""
    with server.connect(user="postgres") as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} " + options).format(sql.Identifier(name)))
        with server.connect(user="postgres", dbname=name) as own:
            for extension in ("rvbbit_fdw", "rvbbit"):
                clause = sql.SQL("VERSION {}").format(version) if version else sql.SQL("")
                own.execute(sql.SQL("CREATE EXTENSION {} {}").format(sql.Identifier(extension), clause))
            own.execute("CALL rvbbit.setup(session_dir => '/sessions')")
            yield own
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("LOCALE_PROVIDER icu ICU_LOCALE 'de-DE' TEMPLATE template0", "icu de-DE"),
        ("LOCALE_PROVIDER libc LOCALE 'C.UTF-8' TEMPLATE template0", "libc C.UTF-8"),
        ("LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0", ""),
    ],
)
def test_a_locale_that_keeps_sorts_local(folder: Folder, options: str, name: str) -> None:
    """Doctor says so exactly where the server's own plan sorts text itself."""
    with database(folder.server, "local", options, None) as own:
        own.execute("CREATE SCHEMA s")
        own.execute("IMPORT FOREIGN SCHEMA first FROM SERVER rvbbit INTO s")
        own.execute(
            "CREATE FOREIGN TABLE s.u (a text) SERVER rvbbit OPTIONS (session 'first', table_name 't')"
        )
        found = faults(look(folder, "postgres", "local"))
    assert found.get("locale", "") == (f"the database's locale is {name}" if name else "")


def test_no_pg_cron(folder: Folder) -> None:
    """A second database has none."""
    with database(folder.server, "second", "", None):
        found = faults(look(folder, "postgres", "second"))
    assert found == {"sync": "no sync has ever run; the extension pg_cron is not in this database"}


def test_extensions_behind_the_library(folder: Folder) -> None:
    version = "0.1.0"
    with folder.server.connect(user="postgres") as admin:
        rows = admin.execute("SELECT name, default_version FROM pg_available_extensions")
        files: dict[str, str] = dict(rows.fetchall())
    with database(folder.server, "old", "", version) as own:
        own.execute("CREATE VIEW public._rvbbit_sessions AS SELECT 1")  # 0.1.0 has none
        lines = look(folder, "postgres", "old")
        wanted = [
            f"{name} is at {version}, the server's files are of {files[name]}"
            for name in ("rvbbit", "rvbbit_fdw")
        ]
        assert lines["version"]["found"] == wanted
        own.execute("DROP VIEW public._rvbbit_sessions")
        for statement in lines["version"]["fix"].partition(": ")[2].split("; "):
            own.execute(statement.encode())
        assert look(folder, "postgres", "old")["version"]["status"] == "ok"
