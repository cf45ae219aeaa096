"""What Multicorn2 3.2 does wrong before our wrapper is asked: "Faults that remain" in docs/multicorn2.md.

Where one of these fails, Multicorn2 has become better, and the page says too much.
These run where an image with Multicorn2 is named; elsewhere they are not run.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server, serving, wait_until_healthy
from tests.kit.host import MULTICORN2_IMAGE, NO_MULTICORN2, ON_MULTICORN2
from tests.kit.writers import make_session

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not (ON_MULTICORN2 and MULTICORN2_IMAGE), reason=NO_MULTICORN2),
]

SESSION = "zz_faults"
MADE = "CREATE TABLE t AS SELECT range::INTEGER AS i, 'n' || range AS s, DATE '2025-01-01' AS d FROM range(9)"

FATAL = [
    "COPY mc.t FROM PROGRAM 'true'",
    "CREATE TABLE mc.own (LIKE mc.t) PARTITION BY LIST (i); ALTER TABLE mc.own ATTACH PARTITION mc.t DEFAULT;"
    " INSERT INTO mc.own VALUES (1)",
    "SELECT count(*) FROM mc.t WHERE s = current_schema()",
    "SELECT count(*) FROM rvbbit_sessions WHERE session_id = current_schema()",
]
ERRORS = [
    ("SELECT count(*) FROM mc.t WHERE d = current_date", "lookup failed for type"),
    ("SELECT count(*) FROM mc.t WHERE s = current_user", "lookup failed for type"),
    ("SELECT count(*) FROM mc.t WHERE s = now()::text", "lookup failed for type"),
]


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that nobody else uses."""
    folder = tmp_path_factory.mktemp("doomed")
    folder.chmod(0o755)
    make_session(folder / f"{SESSION}.duckdb", MADE).chmod(0o644)
    with serving(folder) as running:
        with running.connect(user="postgres") as admin:
            admin.execute(f"CREATE SCHEMA mc; IMPORT FOREIGN SCHEMA {SESSION} FROM SERVER rvbbit INTO mc")
        yield running


@pytest.mark.parametrize("statement", FATAL)
def test_what_ends_the_server_still_does(doomed: Server, statement: str) -> None:
    with doomed.connect(user="postgres") as admin, pytest.raises(psycopg.OperationalError):
        admin.execute(statement.encode())
    wait_until_healthy(doomed.container)


@pytest.mark.parametrize(("statement", "message"), ERRORS)
def test_what_is_an_error_still_is(doomed: Server, statement: str, message: str) -> None:
    with doomed.connect(user="postgres") as admin:
        with pytest.raises(psycopg.Error, match=message):
            admin.execute(statement.encode())
        subquery = statement.replace("= ", "= (SELECT ") + ")"
        assert admin.execute(subquery.encode()).fetchone() is not None
