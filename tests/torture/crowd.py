"""Many heavy statements at one moment: the memory that they need, and how each of them ends."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg

from tests.kit.container import Server
from tests.kit.writers import make_session

SESSION, ROWS = "crowded-crow-77aa03", 1_000_000
HEAVY = {
    "groups": (f'SELECT count(*) FROM (SELECT t, count(*) FROM "{SESSION}".texts GROUP BY t) AS g', ROWS),
    "sort": (f'SELECT count(*) FROM (SELECT t FROM "{SESSION}".texts ORDER BY t OFFSET 10) AS s', ROWS - 10),
}
"""Statements that want more than a connection's share, and spill; and what each of them gives."""


def prepare(server: Server) -> None:
    """The session of which all of them want everything."""
    texts = f"CREATE TABLE texts AS SELECT md5(range::VARCHAR) AS t FROM range({ROWS})"
    make_session(server.session_dir / f"{SESSION}.duckdb", texts)
    with server.connect() as db:
        db.execute("SELECT rvbbit_attach_session(%s)", [SESSION])


def run(server: Server, clients: int) -> tuple[Counter[str], int]:
    """How the statements of so many clients ended, who all begin together, and the most memory in kB."""
    together = threading.Barrier(clients)

    def heavy(number: int) -> str:
        name = list(HEAVY)[number % len(HEAVY)]
        query, right = HEAVY[name]
        with server.connect() as db:
            together.wait()
            try:
                row = db.execute(query.encode()).fetchone()
            except psycopg.Error as error:
                return f"{name} {error.sqlstate}"
            return f"{name} right" if row == (right,) else f"{name} {row}"

    with _watched(server) as most, ThreadPoolExecutor(clients) as pool:
        ended = Counter(pool.map(heavy, range(clients)))
    return ended, max(most)


@contextmanager
def _watched(server: Server) -> Iterator[list[int]]:
    """The memory of the container in kB, from time to time."""
    seen, over = [server.memory_kb()], threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            seen.append(server.memory_kb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
