"""How backends and servers begin and end: kills, restarts, preloading, neighbours, memory."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.kit.container import Server, image_with, serving
from tests.kit.writers import make_session
from tests.torture.store import litter

pytestmark = pytest.mark.server

SESSION = "steady-heron-5d5d5d"
# Directories of backends and copies under way.
PLACES = ("work", "building")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one session: 300,000 rows, a view that takes long, one that fails in the middle."""
    folder = tmp_path_factory.mktemp("sessions")
    folder.chmod(0o755)
    make_session(
        folder / f"{SESSION}.duckdb",
        "CREATE TABLE numbers AS SELECT range AS n, 'value ' || range AS t FROM range(300000)",
        "CREATE VIEW endless AS SELECT range AS n FROM range(100000000000)",
        "CREATE VIEW failing AS SELECT if(range = 200000, error('no'), 'x') AS t FROM range(300000)",
    )
    return folder


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[Server]:
    """A server of this module's own: it is killed and restarted."""
    with serving(folder) as running:
        with admin(running) as db:
            db.execute(f'CREATE SCHEMA s; IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO s')
        yield running


def admin(server: Server) -> psycopg.Connection:
    """A superuser's connection."""
    return server.connect(user="postgres")


def answers(server: Server) -> bool:
    """Does a new connection get the right rows?"""
    with server.connect(user="postgres") as db:
        return db.execute("SELECT count(*), sum(n) FROM s.numbers").fetchone() == (300_000, 44_999_850_000)


def wait_until_it_answers(server: Server) -> None:
    """A crashed backend makes the postmaster restart all others."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if answers(server):
                return
        except psycopg.OperationalError:
            time.sleep(0.1)
    pytest.fail("the server does not answer")


def memory(db: psycopg.Connection) -> int:
    """The backend's resident memory in kB."""
    row = db.execute("SELECT pg_read_file(format('/proc/%s/status', pg_backend_pid()))").fetchone()
    assert row is not None
    found = re.search(r"VmRSS:\s+(\d+) kB", row[0])
    assert found is not None
    return int(found[1])


def test_a_backend_killed_in_mid_scan(own: Server) -> None:
    victim = admin(own)
    pid = victim.info.backend_pid
    with victim, victim.transaction():
        victim.execute("DECLARE c CURSOR FOR SELECT n FROM s.endless")
        victim.execute("FETCH 5 FROM c")
        assert litter(own, *PLACES, seconds=0)
        own.run("bash", "-c", f"kill -9 {pid}", user="postgres")
        with pytest.raises(psycopg.OperationalError):
            victim.execute("FETCH 5 FROM c")
        victim.close()
    wait_until_it_answers(own)
    with admin(own) as db:
        db.execute("SELECT count(*) FROM s.numbers")
        assert len(litter(own, *PLACES, seconds=0)) <= 1, "the directory of this backend alone"


def test_a_restart_of_the_container(own: Server) -> None:
    busy = admin(own)
    busy.execute("BEGIN; DECLARE c CURSOR FOR SELECT n FROM s.endless; FETCH 5 FROM c")
    own.restart()
    busy.close()
    assert answers(own)
    assert litter(own, *PLACES) == []


def test_a_full_stop_and_start(own: Server) -> None:
    container = own.container.get_wrapped_container()
    container.stop(timeout=60)
    container.start()
    wait_until_it_answers(own)
    assert litter(own, *PLACES) == []


def test_memory_stays_flat(own: Server) -> None:
    """50 scans of all rows, half of them given up early, and 50 that fail."""
    with admin(own) as db:
        figures = []
        for _ in range(50):
            db.execute("SELECT count(t) FROM s.numbers")
            db.execute("SELECT t FROM s.numbers LIMIT 1")
            with pytest.raises(psycopg.Error, match="no"):
                db.execute("SELECT count(t) FROM s.failing")
            figures.append(memory(db))
    assert figures[-1] - figures[9] < 16_000, figures


def test_python_is_preloaded(own: Server) -> None:
    """A backend has the interpreter from its start, not from its first query."""
    with admin(own) as db:
        row = db.execute("SELECT pg_read_file(format('/proc/%s/maps', pg_backend_pid())) LIKE '%%_duckdb%%'")
        assert row.fetchone() == (True,)
    assert "could not preload" not in own.log()


PRELOADS = ["rvbbit_fdw", "", "plpython3,rvbbit_fdw", "rvbbit_fdw,plpython3", "plpython3"]
SCAN = "SELECT count(*) AS n FROM s.numbers"
PYTHON = f"DO LANGUAGE plpython3u $$ assert plpy.execute('{SCAN}')[0]['n'] == 300000 $$"
ORDERS = {"scan first": [SCAN, PYTHON, SCAN, PYTHON], "python first": [PYTHON, SCAN, PYTHON, SCAN]}


@pytest.fixture(scope="module", params=PRELOADS)
def with_plpython(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    """A server that has plpython3u, with these libraries preloaded."""
    command = ("-c", f"shared_preload_libraries={request.param}")
    with serving(folder, *command, image=image_with("plpython")) as running:
        with admin(running) as db:
            db.execute("CREATE EXTENSION plpython3u")
            db.execute(f'CREATE SCHEMA s; IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO s')
        yield running


@pytest.mark.parametrize("statements", ORDERS.values(), ids=ORDERS)
def test_plpython_in_the_same_backend(with_plpython: Server, statements: list[str]) -> None:
    with admin(with_plpython) as db:
        for statement in statements:
            db.execute(statement)
        with pytest.raises(psycopg.errors.QueryCanceled):
            db.execute("SET statement_timeout = '100ms'; SELECT count(*) FROM s.endless")
        db.execute("SET statement_timeout = 0")
        for statement in statements:
            db.execute(statement)
    assert with_plpython.disasters(with_plpython.log()) == []
