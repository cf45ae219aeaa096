"""What a value of each type costs on its way from DuckDB into a tuple, in nanoseconds: a part of make bench.

A figure is the time of a scan of one column less that of a scan of none, by the number of rows. DuckDB's
part, which reads the values and may cast them, is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from tests.kit.type_cases import CASES, Case
from tests.kit.writers import NEWEST_VERSION, make_session

SESSION = "bench-types-b4b4b4"
ROWS = 200_000
ROUNDS = 3
SCAN = "EXPLAIN (ANALYZE, TIMING OFF) SELECT {} FROM types.{}"


def examples() -> Iterator[tuple[str, Case]]:
    """A table for each DuckDB type, by its first case."""
    kinds = {case.kind: case for case in reversed(CASES) if case.stored == "TABLE"}
    return ((f"t{number}", case) for number, case in enumerate(reversed(kinds.values())))


def write(folder: Path) -> None:
    """A session with the values of every type, each a table of many rows."""
    statements = [create(table, case) for table, case in examples()]
    make_session(folder / f"{SESSION}.duckdb", "SET TimeZone = 'UTC'", *statements, version=NEWEST_VERSION)


def create(table: str, case: Case) -> str:
    """The case's values again and again; texts of 100,000 letters are left out."""
    values = ", ".join(f"({given})" for given, _ in case.pairs if len(given) < 10_000)
    count = len([given for given, _ in case.pairs if len(given) < 10_000])
    source = f"(SELECT CAST(v AS {case.kind}) AS v FROM (VALUES {values}) AS t (v)), range({ROWS // count})"
    return f"CREATE TABLE {table} AS SELECT v FROM {source}"


def report(db: psycopg.Connection, measure: Callable[[str], float], say: Callable[[str], None]) -> None:
    """Print a line per type; `measure` gives the milliseconds of a statement."""
    db.execute("CREATE SCHEMA types")
    db.execute(f'IMPORT FOREIGN SCHEMA "{SESSION}" FROM SERVER rvbbit INTO types')
    say(f"{'DuckDB type':60}{'ns per value':>14}")
    for table, case in examples():
        rounds = [[measure(SCAN.format(what, table)) for what in ("v", "")] for _ in range(ROUNDS)]
        column, nothing = (min(times) for times in zip(*rounds, strict=True))
        say(f"{case.kind[:58]:60}{(column - nothing) * 1e6 / ROWS:14.0f}")
