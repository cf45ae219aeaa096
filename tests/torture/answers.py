"""Whole queries over a session that changes: each is compared with PostgreSQL's own plan of the same moment.

A writer commits and checkpoints, makes tables and columns; sync runs in another connection and follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

import psycopg
from psycopg import sql

from tests.kit.synced import Folder
from tests.kit.writers import looping

SESSION = "busy-bison-4d4d01"
TOTAL = 50 * 100

# Each commit moves an amount from one account to another; what is read besides changes its shape, too.
_PROGRAM = """
import os, sys, time, duckdb
path, log, stop = sys.argv[1:]
connection = duckdb.connect(path)
connection.execute('''
    CREATE TABLE account AS SELECT range::INTEGER AS id, (range % 7)::INTEGER AS branch,
        CASE WHEN range % 5 > 0 THEN 'owner ' || range % 9 END AS owner, 100.00::DECIMAL(12, 2) AS balance
    FROM range(50);
    CREATE TABLE move (n INTEGER, source INTEGER, target INTEGER, amount DECIMAL(12, 2), day DATE,
        made TIMESTAMP, rate DOUBLE);
''')
n = 0
while not os.path.exists(stop):
    n += 1
    source, target, amount = n % 50, (n * 7 + 1) % 50, n % 13 / 4
    connection.begin()
    connection.execute("UPDATE account SET balance = balance - ? WHERE id = ?", [amount, source])
    connection.execute("UPDATE account SET balance = balance + ? WHERE id = ?", [amount, target])
    connection.execute("INSERT INTO move BY NAME"
                       " SELECT ?::INTEGER AS n, ? AS source, ? AS target, ? AS amount,"
                       " DATE '2024-01-30' + (? % 90)::INTEGER AS day,"
                       " TIMESTAMP '2024-01-30 12:00:00' + to_minutes(? * 17) AS made, ? / 3 AS rate",
                       [n, source, target, amount, n, n, n])
    connection.commit()
    if n % 20 == 0:
        connection.execute(f"CREATE TABLE made_{n} AS SELECT range AS i FROM range({n})")
        connection.execute(f"DROP TABLE IF EXISTS made_{max(n - 60, 0)}")
    if n % 30 == 0 and n <= 600:
        connection.execute(f"ALTER TABLE move ADD COLUMN later_{n} INTEGER")
    if n % 4 == 0:
        connection.execute("CHECKPOINT")
    with open(log, "a") as lines:
        lines.write(f"{n}\\n")
    time.sleep(0.005)
connection.close()
"""

QUERIES = (
    "SELECT sum(balance), count(*) FROM account",
    "SELECT max(n) - count(*) FROM move",
    "SELECT branch, count(*), sum(balance), avg(balance), min(owner) FROM account GROUP BY branch",
    "SELECT day, count(*), sum(amount), stddev(amount) FROM move GROUP BY day ORDER BY day",
    "SELECT a.owner, sum(m.amount), count(DISTINCT m.day) FROM move AS m JOIN account AS a ON a.id = m.source"
    " GROUP BY a.owner HAVING count(*) > 1",
    "SELECT a.id, a.balance - 100 + coalesce(o.amount, 0) - coalesce(i.amount, 0) FROM account AS a"
    " LEFT JOIN (SELECT source, sum(amount) AS amount FROM move GROUP BY source) AS o ON o.source = a.id"
    " LEFT JOIN (SELECT target, sum(amount) AS amount FROM move GROUP BY target) AS i ON i.target = a.id",
    "SELECT n, sum(amount) OVER (PARTITION BY source ORDER BY n), lag(made) OVER (ORDER BY n) FROM move",
    "SELECT source FROM move EXCEPT SELECT id FROM account WHERE balance > 100",
    "SELECT id FROM account AS a WHERE EXISTS (SELECT FROM move AS m WHERE m.target = a.id AND m.amount > 2)",
    "SELECT n, rate FROM move ORDER BY n DESC LIMIT 20",
    "WITH d AS (SELECT day, sum(rate) AS rate FROM move GROUP BY day)"
    " SELECT count(*), max(x.rate), min(y.rate) FROM d AS x JOIN d AS y USING (day)",
    "SELECT branch, string_agg(owner, ',' ORDER BY owner, id) FROM account GROUP BY ROLLUP (branch)",
)


@dataclass(frozen=True)
class Work:
    """What was done: queries compared, different states of the session among them, runs of sync."""

    queries: int
    states: int
    syncs: int


def compare(folder: Folder, rounds: int) -> Work:
    """All queries, so many times; an error if any is not what PostgreSQL computes, or fails."""
    path = folder.server.session_dir / f"{SESSION}.duckdb"
    with looping(path, _PROGRAM), _syncing(folder) as syncs, folder.server.connect() as db:
        _prepare(db)
        before = db.execute("SHOW rvbbit.fallbacks").fetchone()
        states = {_one_round(db) for _ in range(rounds)}
        assert db.execute("SHOW rvbbit.fallbacks").fetchone() == before
        return Work(rounds * len(QUERIES), len(states), len(syncs))


def columns(folder: Folder) -> int:
    """How many columns of the writer's table sync has brought."""
    query = "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attname LIKE 'later%%'"
    row = folder.db.execute(query, [f'"{SESSION}".move']).fetchone()
    return row[0] if row else 0


def _prepare(db: psycopg.Connection) -> None:
    db.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(SESSION)))
    for query in QUERIES:
        plan = [row[0] for row in db.execute(sql.SQL("EXPLAIN " + query))]
        assert "Foreign Scan" not in str(plan), plan
    db.execute("SET rvbbit.verify = on")


def _one_round(db: psycopg.Connection) -> int:
    """The last commit that was seen."""
    total, progress = (db.execute(sql.SQL(query)).fetchone() for query in QUERIES[:2])
    assert total == (TOTAL, 50)
    assert progress == (0,)
    for query in QUERIES[2:]:
        db.execute(sql.SQL(query)).fetchall()
    row = db.execute("SELECT max(n) FROM move").fetchone()
    return row[0] if row else 0


@contextmanager
def _syncing(folder: Folder) -> Iterator[list[int]]:
    """Sync runs again and again until the block ends; its argument grows with each run."""
    folder.db.execute("SELECT rvbbit_attach_session(%s)", [SESSION])
    done = Event()
    runs: list[int] = []

    def run() -> None:
        with folder.server.connect() as db:
            while not done.wait(0.05):
                db.execute("CALL rvbbit.sync()")
                runs.append(len(runs))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield runs
        finally:
            done.set()
        running.result()
