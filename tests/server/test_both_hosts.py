"""Our own host and Multicorn2 in one backend, whichever of them comes first.

These run where an image with Multicorn2 is named; elsewhere they are not run.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server, image_with, serving
from tests.kit.host import MULTICORN2_IMAGE, NO_MULTICORN2, ON_MULTICORN2
from tests.kit.writers import make_session

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not (ON_MULTICORN2 and MULTICORN2_IMAGE), reason=NO_MULTICORN2),
]

SESSION = "both-heron-1a2b3c"
MADE = (
    "CREATE TABLE t AS SELECT range AS a, 'n' || range AS s, range / 8.0::DOUBLE AS f FROM range(5000)",
    "CREATE VIEW slow AS SELECT max(hash(a.i, b.i)) AS m FROM range(1000000) a(i), range(100000) b(i)",
)

# The schemas, each with the server that it is imported from.
SERVERS = {"own": "own", "multicorn2": "rvbbit"}
ORDERS = [("own", "multicorn2"), ("multicorn2", "own")]

# {one} and {two} are the schemas in their order; with "heap" for both the answer is the same.
STATEMENTS = [
    "SELECT count(*), sum(a), max(s), sum(f) FROM {one}.t",
    "SELECT count(*), sum(a), max(s), sum(f) FROM {two}.t",
    "SELECT x::text FROM {one}.t AS x WHERE a = 7 UNION ALL SELECT x::text FROM {two}.t AS x WHERE a = 8",
    "SELECT count(*), sum(b.f) FROM {one}.t AS a JOIN {two}.t AS b USING (a) WHERE b.a % 7 = 0",
    "SELECT a, (SELECT s FROM {two}.t AS i WHERE i.a = o.a + 1) FROM {one}.t AS o WHERE a < 3 ORDER BY a",
]


@pytest.fixture(scope="module", params=["", "rvbbit_fdw"], ids=["not preloaded", "preloaded"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with both hosts over one folder and one store, its session imported by each and copied."""
    folder = tmp_path_factory.mktemp("both")
    folder.chmod(0o755)
    make_session(folder / f"{SESSION}.duckdb", *MADE).chmod(0o644)
    command = ("postgres", "-c", f"shared_preload_libraries={request.param}")
    with serving(folder, *command, image=image_with("both_hosts")) as running:
        with running.connect(user="postgres") as admin:
            admin.execute("CREATE EXTENSION rvbbit_fdw")
            admin.execute("CREATE SERVER own FOREIGN DATA WRAPPER rvbbit_fdw"
                          " OPTIONS (session_dir '/sessions', snapshot_dir '/var/lib/rvbbit')")  # fmt: skip
            for schema, server in SERVERS.items():
                admin.execute(f"CREATE SCHEMA {schema}")
                admin.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER {server} INTO {schema}')
            admin.execute("CREATE SCHEMA heap; CREATE TABLE heap.t AS TABLE own.t")
        yield running


@pytest.fixture(params=ORDERS, ids=[f"{one} first" for one, _ in ORDERS])
def order(request: pytest.FixtureRequest, both: Server) -> Iterator[tuple[str, str]]:
    """Which schema is read first; afterwards the server has met no crash."""
    before = len(both.log())
    yield request.param
    assert both.disasters(both.log()[before:]) == []


@pytest.fixture
def admin(both: Server) -> Iterator[psycopg.Connection]:
    """A superuser's connection that has read nothing yet."""
    with both.connect(user="postgres") as connection:
        yield connection


def check(db: psycopg.Connection, order: tuple[str, str]) -> None:
    """All statements have the answers of the copy."""
    for statement in STATEMENTS:
        answer = db.execute(statement.format(one=order[0], two=order[1])).fetchall()
        assert answer == db.execute(statement.format(one="heap", two="heap")).fetchall()


def test_both_answer(admin: psycopg.Connection, order: tuple[str, str]) -> None:
    check(admin, order)
    check(admin, order)


def test_both_are_what_they_are_said_to_be(admin: psycopg.Connection, order: tuple[str, str]) -> None:
    query = "SELECT s FROM {}.t WHERE a = 7"
    plans = {
        schema: str(admin.execute(f"EXPLAIN (FORMAT json) {query.format(schema)}").fetchone())
        for schema in order
    }
    assert "Multicorn" in plans["multicorn2"]
    assert "Multicorn" not in plans["own"]


def test_cursors_of_both_move_side_by_side(admin: psycopg.Connection, order: tuple[str, str]) -> None:
    with admin.transaction(), admin.cursor("one") as one, admin.cursor("two") as two:
        for cursor, schema in ((one, order[0]), (two, order[1])):
            cursor.execute(f"SELECT a FROM {schema}.t ORDER BY a")
        assert [one.fetchmany(2), two.fetchmany(2), one.fetchmany(1)] == [[(0,), (1,)], [(0,), (1,)], [(2,)]]
        with pytest.raises(psycopg.errors.DivisionByZero), admin.transaction():
            admin.execute(f"SELECT sum(1 / (a - 4000)) FROM {order[1]}.t")
        assert len(one.fetchall()) == 4997
        assert len(two.fetchall()) == 4998


@pytest.mark.parametrize("failing", [0, 1])
def test_a_failure_of_one_leaves_the_other_alone(
    admin: psycopg.Connection, order: tuple[str, str], failing: int
) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.DivisionByZero):
            admin.execute(f"SELECT sum(1 / (a - 4000)) FROM {order[failing]}.t")
        check(admin, order)
        admin.execute("SET statement_timeout = '200ms'")
        with pytest.raises(psycopg.Error, match="canceling statement"):
            admin.execute(f"SELECT * FROM {order[failing]}.slow")
        admin.execute("SET statement_timeout = 0")
        check(admin, order)
