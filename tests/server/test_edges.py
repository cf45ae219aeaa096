"""Every entry of the allow-list, at the edges of its types, gives what PostgreSQL gives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
from psycopg import sql

from rvbbit_fdw.pushdown.entry import Entry
from tests.kit.container import Server
from tests.server.edge_values import CONSTANTS, POOLS, SHAPES
from tests.server.edges import ENTRIES, Laboratory, Sample, samples, spread

pytestmark = pytest.mark.server

SESSION = "edges of types"
SCHEMA = "edges"
MOST_ANSWERS = 2
"""Values for which each sample is searched there."""


def name_of(entry: Entry) -> str:
    return entry.name.replace("pg_catalog.", "")


@pytest.fixture(scope="module")
def laboratory(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    """Both engines; what DuckDB holds is also a session of the server's, once `served` is asked for."""
    path = tmp_path_factory.mktemp("edges") / "edges.duckdb"
    with server.connect() as db, duckdb.connect(str(path)) as duck:
        yield Laboratory(db, duck)


@pytest.fixture(scope="module")
def served(server: Server, laboratory: Laboratory) -> Iterator[psycopg.Connection]:
    """The connection that has the tables in heaps, with the same tables of a session in a schema."""
    for entry in ENTRIES:
        for sample in samples(entry):
            laboratory.table(sample.table)
    laboratory.duck.execute("CHECKPOINT")
    (path,) = laboratory.duck.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()[0]
    session = server.session_dir / f"{SESSION}.duckdb"
    shutil.copy(path, session)
    session.chmod(0o644)
    db = laboratory.db
    db.execute(f"CREATE SCHEMA {SCHEMA}")
    db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO {SCHEMA}')
    db.execute("SET rvbbit.pushdown = scans")
    yield db
    db.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    Path(session).unlink()


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_an_entry_has_edges(entry: Entry) -> None:
    name = name_of(entry)
    types = SHAPES.get(name, [tuple(each.removeprefix("pg_catalog.") for each in entry.argument_types)])
    assert all(each in POOLS for shape in types for each in shape)
    assert entry.constants <= CONSTANTS.get(name, {}).keys()


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_values_and_errors(laboratory: Laboratory, entry: Entry) -> None:
    outcome = laboratory.check(entry)
    assert not outcome.differences, "\n".join(outcome.differences[:5])
    assert outcome.agreed
    # An entry that can fail does so for some of the values, and no other does.
    assert bool(outcome.failed) == entry.fallible


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_compared_with_a_constant(laboratory: Laboratory, entry: Entry) -> None:
    """DuckDB's optimizer rewrites conditions: it moves constants and drops casts."""
    compared = 0
    for sample in spread(entry):
        for condition, right, found in laboratory.comparisons(sample):
            assert found == right, condition
            compared += 1
    assert compared


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_in_a_scan(laboratory: Laboratory, served: psycopg.Connection, entry: Entry) -> None:
    for sample in spread(entry):
        laboratory.set_zone(sample)
        table = laboratory.table(sample.table)
        every = f"({sample.postgres()}) IS NOT NULL"
        plan = served.execute(f"EXPLAIN SELECT n FROM {SCHEMA}.{table} WHERE {every}").fetchall()
        assert "Local:" not in str(plan), plan
        for condition in (every, *_conditions(laboratory, sample)):
            foreign, heap = (
                f"SELECT n FROM {place}.{table} WHERE {condition}" for place in (SCHEMA, "pg_temp")
            )
            assert _answer(served, foreign) == _answer(served, heap), condition


def _conditions(laboratory: Laboratory, sample: Sample) -> Iterator[str]:
    """Conditions that hold for the rows of one answer and are computed only for rows that do not fail."""
    call, answers = sample.postgres(), laboratory.expected(sample)
    good = [number for number, text in answers.items() if text is None or text.startswith("v")]
    failing = len(good) < len(answers)
    if failing and len(good) > 100:
        good = good[:: len(good) // 100]
    safe = f"CASE WHEN n = ANY ('{{{','.join(map(str, good))}}}') THEN {call} END" if failing else f"({call})"
    values = sorted({text[1:] for number in good if (text := answers[number])}, key=str)
    for value in values[:: max(1, len(values) // MOST_ANSWERS)]:
        constant = sql.Literal(value).as_string(laboratory.db)
        yield f"{safe} = CAST({constant} AS {sample.entry.result})"


def _answer(db: psycopg.Connection, query: str) -> list[int] | str | None:
    """The numbers of the rows, or the SQLSTATE."""
    try:
        return sorted(number for (number,) in db.execute(query).fetchall())
    except psycopg.Error as error:
        return error.sqlstate
