"""asyncpg: binary values alone, prepared statements, portals with a row limit, COPY, time limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import asyncpg
import pytest

from tests.clients.served import ORDERS, Matrix
from tests.clients.values import FAILS_AT, NAMES, ROWS, STREAMED, TYPES

pytestmark = pytest.mark.server

TYPED = "SELECT * FROM client_matrix._types ORDER BY id"
COUNT = f'SELECT count(*) FROM "{ORDERS}"._extract_data WHERE quantity = $1'

Act = Callable[["asyncpg.Connection[Any]"], Awaitable[Any]]


def run(matrix: Matrix, act: Act) -> Any:
    """Do something on a connection, which must be usable afterwards."""

    async def connected() -> Any:
        connection = await asyncpg.connect(matrix.url())
        try:
            answer = await act(connection)
            assert await connection.fetchval(COUNT, 1) > 0
            return answer
        finally:
            await connection.close()

    return asyncio.run(connected())


def expected(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row as asyncpg gives it: jsonb is text."""
    return tuple(value if kind != "jsonb" else _Json(value) for kind, value in zip(TYPES, row, strict=True))


class _Json:
    """Equal to the JSON text of a value."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return bool((None if other is None else json.loads(str(other))) == self.value)

    __hash__ = None  # type: ignore[assignment]


def test_names_types_and_values(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> None:
        statement = await connection.prepare(TYPED)
        attributes = statement.get_attributes()
        assert [attribute.name for attribute in attributes] == NAMES
        found = await connection.fetch(
            "SELECT format_type(oid, NULL) FROM unnest($1::oid[]) WITH ORDINALITY AS t (oid, n) ORDER BY n",
            [attribute.type.oid for attribute in attributes],
        )
        assert [row[0] for row in found] == [kind.split("(")[0] for kind in TYPES]
        assert [expected(row) for row in ROWS] == [tuple(row) for row in await statement.fetch()]

    run(matrix, act)


def test_a_prepared_statement_again_and_again(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> list[int]:
        statement = await connection.prepare(COUNT)
        return [await statement.fetchval(quantity) for quantity in range(-2, 12)]

    counts = run(matrix, act)
    assert sum(counts) == 3000
    assert counts[:3] == [0, 0, 0]


def test_parameters_are_typed_by_the_server(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> None:
        for name, kind, value in zip(NAMES, TYPES, ROWS[0], strict=True):
            given = json.dumps(value) if kind == "jsonb" else value
            query = f'SELECT id FROM client_matrix._types WHERE "{name}" = $1'
            assert [row["id"] for row in await connection.fetch(query, given)] == [1], name

    run(matrix, act)


def test_a_cursor_in_portions(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> list[int]:
        async with connection.transaction():
            cursor = await connection.cursor("SELECT id FROM client_matrix._stream ORDER BY id")
            first = await cursor.fetch(200)
            await cursor.forward(1000)
            return [row["id"] for row in first + await cursor.fetch(3)]

    assert run(matrix, act) == [*range(200), 1200, 1201, 1202]


def test_two_cursors_at_a_time(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> list[tuple[int, int]]:
        query = "SELECT id FROM client_matrix._stream ORDER BY id"
        async with connection.transaction():
            one, two = await connection.cursor(query), await connection.cursor(query + " DESC")
            return [((await one.fetchrow())["id"], (await two.fetchrow())["id"]) for _ in range(50)]

    assert run(matrix, act) == [(n, STREAMED - 1 - n) for n in range(50)]


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_copy_from_a_query(matrix: Matrix, form: str) -> None:
    """What COPY gives, a table of the reader's own takes: the rows are the same."""

    async def act(connection: asyncpg.Connection[Any]) -> list[Any]:
        kept = BytesIO()
        assert await connection.copy_from_query(TYPED, output=kept, format=form) == "COPY 3"
        await connection.execute("CREATE TEMP TABLE mine AS SELECT * FROM client_matrix._types LIMIT 0")
        kept.seek(0)
        await connection.copy_to_table("mine", source=kept, format=form)
        return [tuple(row) for row in await connection.fetch("TABLE mine ORDER BY id")]

    assert [expected(row) for row in ROWS] == run(matrix, act)


def test_a_time_limit_of_the_clients(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> None:
        with pytest.raises(TimeoutError):
            await connection.fetch("SELECT n FROM client_matrix._endless", timeout=0.3)

    run(matrix, act)


def test_a_task_is_cancelled(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> None:
        task = asyncio.create_task(connection.fetch("SELECT n FROM client_matrix._endless"))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(matrix, act)


def test_an_error_in_the_middle_of_a_stream(matrix: Matrix) -> None:
    async def act(connection: asyncpg.Connection[Any]) -> int:
        read = 0

        async def until_it_fails() -> None:
            nonlocal read
            query = "SELECT id, note FROM client_matrix._fails_late"
            async with connection.transaction():
                async for row in connection.cursor(query, prefetch=1000):
                    assert tuple(row) == (read, "fine")
                    read += 1

        with pytest.raises(asyncpg.CharacterNotInRepertoireError, match="note"):
            await until_it_fails()
        return read

    assert 0 < run(matrix, act) <= FAILS_AT
