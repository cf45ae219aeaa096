"""Many small scans in one backend, good ones and failing ones, leave nothing behind in it."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session

pytestmark = pytest.mark.server

SESSIONS = ("zz_memory_a", "zz_memory_b")
STATEMENTS = (
    "CREATE TABLE t AS SELECT n::INTEGER AS n, 'text ' || n AS s FROM range(5) AS r (n)",
    "CREATE TABLE many AS SELECT n::INTEGER AS n, repeat('x', 100) AS s FROM range(5000) AS r (n)",
    "CREATE VIEW failing AS SELECT CAST(CASE WHEN n = 4900 THEN 'x' ELSE '1' END AS INTEGER) AS n FROM many",
)

GOOD = """
DO $$
BEGIN
    FOR i IN 1..500 LOOP
        PERFORM n, s FROM zz_memory_a.t WHERE n = i % 5;
        PERFORM s FROM zz_memory_a.many LIMIT 1;
        PERFORM count(*) FROM zz_memory_a.t AS a;
        IF i % 25 = 0 THEN  -- another session: an ATTACH and a DETACH
            PERFORM count(*) FROM zz_memory_a.t AS a JOIN zz_memory_b.t AS b USING (n);
        END IF;
    END LOOP;
END $$"""

FAILING = """
DO $$
DECLARE
    told integer := 0;
BEGIN
    FOR i IN 1..100 LOOP
        BEGIN
            CASE i % 4
                WHEN 0 THEN PERFORM count(n) FROM zz_memory_a.failing;
                WHEN 1 THEN PERFORM 1 / (n - 4) FROM zz_memory_b.t;
                WHEN 2 THEN PERFORM no_such FROM zz_memory_a.lacking;
                ELSE PERFORM * FROM zz_memory_a.vanished;
            END CASE;
        EXCEPTION WHEN OTHERS THEN told := told + 1;
        END;
    END LOOP;
    ASSERT told = 100;
END $$"""

FAILING_ALONE = ["SELECT count(n) FROM zz_memory_a.failing", "SELECT no_such FROM zz_memory_a.lacking"]

BY_HAND = """
CREATE FOREIGN TABLE zz_memory_a.lacking (no_such integer) SERVER rvbbit
    OPTIONS (session 'zz_memory_a', table_name 't');
CREATE FOREIGN TABLE zz_memory_a.vanished (n integer) SERVER rvbbit OPTIONS (session 'zz_memory_a')
"""


@pytest.fixture(scope="module")
def db(server: Server) -> Iterator[psycopg.Connection]:
    """A superuser's connection that sees two sessions as schemas of their names."""
    for session in SESSIONS:
        make_session(server.session_dir / f"{session}.duckdb", *STATEMENTS)
    with server.connect(user="postgres") as connection:
        for session in SESSIONS:
            name = sql.Identifier(session)
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
            connection.execute(sql.SQL("IMPORT FOREIGN SCHEMA {0} FROM SERVER rvbbit INTO {0}").format(name))
        connection.execute(BY_HAND.encode())
        yield connection
        connection.execute("DROP SCHEMA zz_memory_a, zz_memory_b CASCADE")
    for session in SESSIONS:
        (server.session_dir / f"{session}.duckdb").unlink()


def resident(db: psycopg.Connection) -> int:
    """The backend's resident memory in kB."""
    row = db.execute("SELECT pg_read_file(format('/proc/%s/status', pg_backend_pid()))").fetchone()
    found = re.search(r"VmRSS:\s+(\d+) kB", row[0]) if row else None
    assert found
    return int(found[1])


def contexts(db: psycopg.Connection) -> int:
    """What PostgreSQL's own memory contexts hold, in kB."""
    row = db.execute("SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts").fetchone()
    assert row
    return int(row[0])


def assert_flat(figures: list[tuple[int, int]]) -> None:
    """After the first tenth nothing grows by more than what an allocator's fragments explain."""
    (resident_before, contexts_before), (resident_after, contexts_after) = figures[1], figures[-1]
    assert resident_after - resident_before < 8_000, figures
    assert contexts_after - contexts_before < 500, figures


def test_ten_thousand_small_scans(db: psycopg.Connection) -> None:
    figures = []
    for _ in range(6):
        db.execute(GOOD.encode())  # 1,540 scans
        for _ in range(130):
            db.execute("SELECT count(*) FROM zz_memory_a.t")
        figures.append((resident(db), contexts(db)))
    assert_flat(figures)


def test_a_thousand_that_fail(db: psycopg.Connection) -> None:
    figures = []
    for _ in range(8):
        db.execute(FAILING.encode())
        for statement in FAILING_ALONE * 13:
            with pytest.raises(psycopg.Error):
                db.execute(statement.encode())
        figures.append((resident(db), contexts(db)))
    assert_flat(figures)
