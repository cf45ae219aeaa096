"""psycopg 3: both protocols, row factories, cursors, COPY, pipelines, prepared statements, asyncio."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg
import pytest
from psycopg import errors, rows, sql
from psycopg.types.json import Jsonb

from tests.clients.served import ORDERS, Matrix
from tests.clients.values import FAILS_AT, NAMES, ROWS, STREAMED, TYPES
from tests.kit.host import ON_MULTICORN2
from tests.kit.synced import wait_for

pytestmark = pytest.mark.server

TYPED = "SELECT * FROM client_matrix._types ORDER BY id"
ORDER_IDS = list(range(100000, 103000))
COUNT = f'SELECT count(*) FROM "{ORDERS}"._extract_data WHERE quantity = %s'

CANCELED = psycopg.Error if ON_MULTICORN2 else errors.QueryCanceled
"""On Multicorn2 either PostgreSQL notices first or the wrapper, which has no SQLSTATEs."""


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_names_types_and_values(db: psycopg.Connection, binary: bool) -> None:
    cursor = db.cursor(binary=binary).execute(TYPED)
    assert cursor.description is not None
    assert [column.name for column in cursor.description] == NAMES
    assert cursor.fetchall() == ROWS
    oids = [column.type_code for column in cursor.description]
    named = db.execute("SELECT array_agg(format_type(oid, NULL) ORDER BY n) FROM unnest(%s::oid[])"
                       " WITH ORDINALITY AS t (oid, n)", [oids])  # fmt: skip
    assert named.fetchone() == ([kind.split("(")[0] for kind in TYPES],)


def test_the_precision_of_a_numeric(db: psycopg.Connection) -> None:
    description = db.execute("SELECT money, huge FROM client_matrix._types").description
    assert description is not None
    assert [(column.precision, column.scale) for column in description] == [(12, 2), (None, None)]


@dataclass
class Order:
    """A row as an object."""

    order_id: int
    region: str


FACTORIES: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
    "dict": (rows.dict_row, lambda row: (row["order_id"], row["region"])),
    "namedtuple": (rows.namedtuple_row, lambda row: (row.order_id, row.region)),
    "class": (rows.class_row(Order), lambda row: (row.order_id, row.region)),
    "args": (rows.args_row(Order), lambda row: (row.order_id, row.region)),
    "tuple": (rows.tuple_row, tuple),
}


@pytest.mark.parametrize(("factory", "pair"), FACTORIES.values(), ids=FACTORIES)
def test_row_factories(
    db: psycopg.Connection, factory: Callable[..., Any], pair: Callable[[Any], Any]
) -> None:
    query = f'SELECT order_id, region FROM "{ORDERS}"._extract_data WHERE order_id < %s ORDER BY 1'
    found = [pair(row) for row in db.cursor(row_factory=factory).execute(query, [100003])]
    assert found == db.execute(query, [100003]).fetchall()
    assert [row[0] for row in found] == [100000, 100001, 100002]
    assert all(isinstance(row[1], str) for row in found)


def test_a_cursor_of_the_servers(db: psycopg.Connection) -> None:
    """Rows come in portions, beside another cursor and another statement of the same connection."""
    query = f'SELECT order_id FROM "{ORDERS}"._extract_data ORDER BY order_id'
    with db.transaction(), db.cursor("one") as one, db.cursor("two", binary=True) as two:
        one.itersize = two.itersize = 100
        one.execute(query)
        two.execute(query + " DESC")
        pairs = [(a[0], b[0]) for a, b in zip(one, two, strict=True)]
        assert db.execute(COUNT, [1]).fetchone() is not None
    assert pairs == list(zip(ORDER_IDS, reversed(ORDER_IDS), strict=True))


def test_a_cursor_that_goes_back(db: psycopg.Connection) -> None:
    query = f'SELECT order_id FROM "{ORDERS}"._extract_data ORDER BY order_id'
    with db.transaction(), db.cursor("there_and_back", scrollable=True) as cursor:
        cursor.execute(query)
        cursor.scroll(2000, mode="absolute")
        assert cursor.fetchone() == (102000,)
        cursor.scroll(-1001)
        assert cursor.fetchmany(2) == [(101000,), (101001,)]


def test_a_cursor_that_outlives_its_transaction(db: psycopg.Connection) -> None:
    query = f'SELECT region, count(*) FROM "{ORDERS}"._extract_data GROUP BY 1 ORDER BY 1'
    expected = db.execute(query).fetchall()
    with db.cursor("held", withhold=True) as cursor:
        cursor.execute(query)
        assert cursor.fetchmany(2) == expected[:2]
        assert cursor.fetchall() == expected[2:]


@pytest.mark.parametrize("form", ["TEXT", "BINARY"])
def test_copy_of_a_query(db: psycopg.Connection, form: str) -> None:
    with db.cursor() as cursor, cursor.copy(f"COPY ({TYPED}) TO STDOUT (FORMAT {form})") as copy:
        copy.set_types([kind.split("(")[0] for kind in TYPES])
        assert list(copy.rows()) == ROWS


def copied(db: psycopg.Connection, command: str) -> bytes:
    """What a COPY gives."""
    with db.cursor() as cursor, cursor.copy(command) as copy:
        return b"".join(copy)


def test_copy_into_a_table_of_ones_own(db: psycopg.Connection) -> None:
    db.execute("CREATE TEMP TABLE mine AS SELECT * FROM client_matrix._types WITH NO DATA")
    given = copied(db, f"COPY ({TYPED}) TO STDOUT (FORMAT BINARY)")
    with db.cursor() as cursor, cursor.copy("COPY mine FROM STDIN (FORMAT BINARY)") as into:
        into.write(given)
    assert db.execute("TABLE mine ORDER BY id").fetchall() == ROWS


def test_copy_of_the_table_itself(db: psycopg.Connection, matrix: Matrix) -> None:
    with pytest.raises(errors.WrongObjectType) as caught:
        copied(db, "COPY client_matrix._types TO STDOUT")
    assert "COPY (SELECT ...) TO" in (caught.value.diag.message_hint or "")
    assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_pipeline(db: psycopg.Connection) -> None:
    with db.pipeline():
        cursors = [db.execute(COUNT, [quantity]) for quantity in range(1, 10)]
        assert sum(row[0] for cursor in cursors for row in cursor.fetchall()) == 3000


def test_an_error_in_a_pipeline(db: psycopg.Connection) -> None:
    """What was sent before it is answered, what was sent after it is not, and the connection goes on."""
    cursors: list[psycopg.Cursor] = []

    def send() -> None:
        with db.pipeline():
            cursors.append(db.execute(COUNT, [1]))
            cursors.append(db.execute("SELECT max(note || '') FROM client_matrix._fails_late"))
            cursors.append(db.execute(COUNT, [2]))

    with pytest.raises(errors.CharacterNotInRepertoire):
        send()
    before, _, after = cursors
    assert before.fetchone() == db.execute(COUNT, [1]).fetchone()
    with pytest.raises(psycopg.Error):
        after.fetchone()
    assert db.execute(COUNT, [2]).fetchone() is not None


@pytest.mark.parametrize("mode", ["auto", "force_generic_plan", "force_custom_plan"])
def test_prepared_statements(db: psycopg.Connection, mode: str) -> None:
    """A dozen runs of one plan with other values each time."""
    db.execute(f"SET plan_cache_mode = {mode}")
    expected: dict[int, int] = dict(
        db.execute(f'SELECT quantity, count(*) FROM "{ORDERS}"._extract_data GROUP BY 1').fetchall()
    )
    found = [(quantity, db.execute(COUNT, [quantity], prepare=True).fetchone()) for quantity in range(-1, 12)]
    assert found == [(quantity, (expected.get(quantity, 0),)) for quantity in range(-1, 12)]
    used = db.execute(
        "SELECT generic_plans > 0, custom_plans > 0 FROM pg_prepared_statements"
        " WHERE statement ~ 'quantity = '"
    ).fetchall()
    assert used == [(mode != "force_custom_plan", mode != "force_generic_plan")]


def test_parameters_of_each_type(db: psycopg.Connection) -> None:
    """Each value finds its row, in the binary form of its type too."""
    for name, kind, *values in zip(NAMES, TYPES, *ROWS[:2], strict=True):
        for number, value in enumerate(values, 1):
            given = Jsonb(value) if kind == "jsonb" else value
            for form in ("%s", "%b"):
                query = sql.SQL(f"SELECT id FROM client_matrix._types WHERE {{}} = {form}::{kind}")
                if form == "%b" and kind in ("jsonb", "interval", "numeric"):
                    continue
                found = db.execute(query.format(sql.Identifier(name)), [given]).fetchall()
                assert (number,) in found, (name, form)


def test_many_at_once_in_asyncio(matrix: Matrix) -> None:
    async def count(quantity: int) -> Any:
        async with await psycopg.AsyncConnection.connect(matrix.url(), autocommit=True) as connection:
            cursor = await connection.execute(COUNT, [quantity])
            return (await cursor.fetchone() or (0,))[0]

    async def stream() -> list[int]:
        async with (
            await psycopg.AsyncConnection.connect(matrix.url()) as connection,
            connection.cursor("streamed") as cursor,
        ):
            await cursor.execute(f'SELECT order_id FROM "{ORDERS}"._extract_data ORDER BY 1')
            return [row[0] async for row in cursor]

    async def all_of_it() -> tuple[list[Any], list[int]]:
        counts = asyncio.gather(*(count(quantity) for quantity in range(1, 10)))
        return await counts, await stream()

    counts, streamed = asyncio.run(all_of_it())
    assert sum(counts) == 3000
    assert streamed == ORDER_IDS


def test_a_stream_is_left_early(db: psycopg.Connection) -> None:
    with closing(db.cursor()) as cursor:
        stream = cursor.stream("SELECT id FROM client_matrix._stream")
        seen = [row[0] for row in islice(stream, 5)]
        del stream
    assert len(set(seen)) == 5
    assert db.execute("SELECT count(*) FROM client_matrix._stream").fetchone() == (STREAMED,)


def read_on(db: psycopg.Connection, query: str, read: list[Any]) -> None:
    """Add the rows of a query as they come."""
    with db.cursor("reader") as cursor:
        cursor.itersize = 5000
        for row in cursor.execute(query):
            read.append(row)  # noqa: PERF402  # what came before an error is to be there


def test_an_error_in_the_middle_of_a_stream(db: psycopg.Connection) -> None:
    """The rows before it were read; the transaction goes on from its savepoint."""
    with db.transaction():
        read: list[Any] = []
        with pytest.raises(errors.CharacterNotInRepertoire, match="note") as caught, db.transaction():
            read_on(db, "SELECT id, note FROM client_matrix._fails_late", read)
        assert read == [(n, "fine") for n in range(len(read))]
        assert 0 < len(read) <= FAILS_AT
        assert "on_unrepresentable" in (caught.value.diag.message_hint or "")
        assert db.execute(COUNT, [1]).fetchone() is not None


def test_a_query_is_cancelled_by_its_client(db: psycopg.Connection) -> None:
    timer = threading.Timer(0.2, db.cancel_safe)
    timer.start()
    with pytest.raises(CANCELED, match="user request"):
        db.execute("SELECT n FROM client_matrix._endless")
    timer.join()
    assert db.execute(TYPED).fetchall() == ROWS


def test_a_statement_timeout(db: psycopg.Connection) -> None:
    db.execute("SET statement_timeout = '200ms'")
    with pytest.raises(CANCELED, match="statement timeout"):
        db.execute("SELECT n FROM client_matrix._endless")
    db.execute("RESET statement_timeout")
    assert db.execute(TYPED).fetchall() == ROWS


_CLIENT = """
import sys, psycopg
connection = psycopg.connect(sys.argv[1])
cursor = connection.cursor("open")
cursor.execute("SELECT * FROM client_matrix._stream")
cursor.fetchmany(10)
print(connection.info.backend_pid, flush=True)
sys.stdin.read()
"""


def test_a_client_is_killed_with_a_cursor_open(matrix: Matrix, db: psycopg.Connection) -> None:
    """Its backend goes, and with it every lock on the session's tables."""
    client = subprocess.Popen(
        [sys.executable, "-c", _CLIENT, matrix.url()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout is not None
    pid = int(client.stdout.readline())
    held = "SELECT count(*) FROM pg_locks WHERE pid = %s AND relation IS NOT NULL"
    assert db.execute(held, [pid]).fetchall() > [(0,)]
    os.kill(client.pid, signal.SIGKILL)
    client.communicate()
    wait_for(lambda: db.execute(held, [pid]).fetchall() == [(0,)])
    wait_for(lambda: db.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchall() == [])


def test_a_pool_hands_a_connection_on(db: psycopg.Connection) -> None:
    """What pools send between two users leaves nothing of the first behind."""
    db.execute("SET rvbbit.max_staleness = '30s'")
    db.execute("DECLARE left_open CURSOR WITH HOLD FOR SELECT id FROM client_matrix._stream LIMIT 10")
    db.execute(COUNT, [1], prepare=True)
    db.execute("DISCARD ALL")
    db.prepare_threshold = None
    assert db.execute("SELECT count(*) FROM pg_cursors").fetchone() == (0,)
    assert db.execute("SHOW rvbbit.max_staleness").fetchone() == ("0",)
    started = time.monotonic()
    assert db.execute(TYPED).fetchall() == ROWS
    assert time.monotonic() - started < 5
