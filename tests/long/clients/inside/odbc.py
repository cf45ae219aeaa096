"""What psqlODBC makes of a session, as JSON: `odbc.py <connection string> <session's schema>`."""

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import pyodbc


def lists(cursor: Any, schema: str) -> dict[str, Any]:
    """What a tool with an ODBC connection shows in its tree."""
    kinds = ("TABLE", "TABLE,VIEW", "FOREIGN TABLE", None)
    return {
        "driver": [
            cursor.connection.getinfo(number) for number in (pyodbc.SQL_DRIVER_NAME, pyodbc.SQL_DRIVER_VER)
        ],
        "tables": {
            str(kind): [
                [row.table_name, row.table_type, row.remarks]
                for row in cursor.tables(schema=schema, tableType=kind)
            ]
            for kind in kinds
        },
        "columns": [
            [row.column_name, row.type_name, row.column_size, row.decimal_digits, row.nullable]
            for row in cursor.columns(table="_types", schema=schema)
        ],
        "keys": [len(cursor.primaryKeys("_types", schema=schema).fetchall())],
    }


def values(cursor: Any, schema: str) -> dict[str, Any]:
    """Rows, with the Python types that the driver's types become."""
    rows = cursor.execute(f"SELECT * FROM {schema}._types ORDER BY id").fetchall()
    names = [column[0] for column in cursor.description]
    return {"names": names, "rows": [[[type(value).__name__, str(value)] for value in row] for row in rows]}


def parameters(cursor: Any, schema: str) -> list[int]:
    """Counts by a condition with two parameters."""
    query = f"SELECT count(*) FROM {schema}._stream WHERE region = ? AND price >= ?"
    return [cursor.execute(query, region, 95.0).fetchval() for region in ("north", "south", "x")]


def portions(cursor: Any, schema: str) -> list[int]:
    """All rows in portions: how many there are, and the sum of their ids."""
    cursor.execute(f"SELECT id FROM {schema}._stream")
    count = total = 0
    while part := cursor.fetchmany(5000):
        count += len(part)
        total += sum(row[0] for row in part)
    return [count, total]


def failure(act: Callable[[], object]) -> list[str]:
    """SQLSTATE and text of an error."""
    try:
        act()
    except pyodbc.Error as error:
        return [str(part) for part in error.args]
    return []


def trouble(connection: Any, schema: str) -> dict[str, Any]:
    """Cancelled, out of time, stumbling, writing; and a count after each."""
    cursor = connection.cursor()
    endless = f"SELECT n FROM {schema}._endless"

    def cancelled() -> None:
        timer = threading.Timer(0.5, cursor.cancel)
        timer.start()
        cursor.execute(endless)

    def out_of_time() -> None:
        cursor.execute("SET statement_timeout = '300ms'")
        cursor.execute(endless)

    steps: dict[str, Callable[[], object]] = {
        "cancel": cancelled,
        "timeout": out_of_time,
        "late": lambda: cursor.execute(f"SELECT id, note FROM {schema}._fails_late").fetchall(),
        "write": lambda: cursor.execute(f"DELETE FROM {schema}._types"),
    }
    found: dict[str, Any] = {}
    for name, step in steps.items():
        found[name] = failure(step)
        connection.rollback()
        cursor.execute("RESET statement_timeout")
        found[name].append(cursor.execute(f"SELECT count(*) FROM {schema}._types").fetchval())
    return found


def main(target: str, schema: str) -> None:
    """All of it."""
    connection = pyodbc.connect(target)
    cursor = connection.cursor()
    found = {
        **lists(cursor, schema),
        **values(cursor, schema),
        "parameters": parameters(cursor, schema),
        "portions": portions(cursor, schema),
        "trouble": trouble(connection, schema),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
