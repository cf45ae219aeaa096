"""Write one demo session: `python -m rvbbit_demo.writer <folder> <session_id>`.

A process of its own, as every RVBBIT run is.
"""

import os
import signal
import sys
import zlib
from pathlib import Path

import duckdb

from rvbbit_demo.catalogue import BY_ID, Session, Table
from rvbbit_demo.data import MACROS, RECIPES

# What RVBBIT's DuckDB writes by default, whichever DuckDB writes here.
STORAGE: dict[str, str | bool | int | float | list[str]] = {"storage_compatibility_version": "v0.10.2"}


def connect(path: Path, seed: str) -> duckdb.DuckDBPyConnection:
    """Open a session as RVBBIT does, and lay out the dice."""
    connection = duckdb.connect(path, config=STORAGE)
    connection.execute("SET threads TO 4")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET VARIABLE seed = ?", [zlib.crc32(seed.encode())])
    for macro in MACROS:
        connection.execute(macro)
    return connection


def create_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """RVBBIT's own statement: CREATE OR REPLACE TABLE ... AS SELECT."""
    select = RECIPES[table.recipe].format(rows=table.rows, source=table.source)
    connection.execute(f'CREATE OR REPLACE TABLE "{table.name}" AS {select}')


def write(folder: Path, session: Session) -> None:
    """Write the session and end as it says: closed, or killed with everything still in the WAL."""
    connection = connect(folder / f"{session.id}.duckdb", session.id)
    for table in session.tables:
        create_table(connection, table)
    for statement in session.statements:
        connection.execute(statement)
    if session.killed:
        os.kill(os.getpid(), signal.SIGKILL)
    connection.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]), BY_ID[sys.argv[2]])
