"""The oracle of the SELECT tests: the same rows in an ordinary table, loaded without our wrapper."""

import re
import shutil
from pathlib import Path

import duckdb
import psycopg
from psycopg import sql

# What DuckDB writes as text is what PostgreSQL reads, but for these and for nested types.
TEXT = {"BLOB": r"'\x' || hex({})", "TIMESTAMP_NS": "CAST(CAST({} AS TIMESTAMP) AS VARCHAR)"}
JSON = "CAST(to_json({}) AS VARCHAR)"
LIST = "CAST({} AS VARCHAR[])"


def private_copy(folder: Path, session: str, target: Path) -> Path:
    """The session's files in a folder where reading them disturbs nobody."""
    for path in folder.iterdir():
        if path.name in {f"{session}.duckdb", f"{session}.duckdb.wal"}:
            shutil.copy2(path, target)
    return target / f"{session}.duckdb"


def text_rows(database: Path, table: str) -> list[tuple[str | None, ...]]:
    """The table's rows as texts that PostgreSQL's input functions read."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        kinds = connection.sql(f'SELECT column_name, column_type FROM (DESCRIBE "{table}")').fetchall()
        quoted = [(kind, '"' + name.replace('"', '""') + '"') for name, kind in kinds]
        texts = [as_text(kind).replace("{}", name) for kind, name in quoted]
        rows = connection.sql(f'SELECT {", ".join(texts)} FROM "{table}"').fetchall()
        return [tuple(array(value) if isinstance(value, list) else value for value in row) for row in rows]


def as_text(kind: str) -> str:
    """An expression for the text of a type's values; for a list of scalars, for a list of texts."""
    if kind.startswith(("STRUCT", "MAP")):
        return JSON
    return LIST if kind.endswith("[]") else TEXT.get(kind, "CAST({} AS VARCHAR)")


def array(texts: list[str | None]) -> str:
    """The texts as PostgreSQL's array syntax has them."""
    quoted = ("NULL" if text is None else '"' + re.sub(r'(["\\])', r"\\\1", text) + '"' for text in texts)
    return "{" + ",".join(quoted) + "}"


def load(
    db: psycopg.Connection, heap: sql.Identifier, like: sql.Identifier, rows: list[tuple[str | None, ...]]
) -> None:
    """Make an ordinary table like the foreign one and fill it."""
    db.execute(sql.SQL("CREATE TABLE {} (LIKE {})").format(heap, like))
    with db.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(heap)) as copy:
        for row in rows:
            copy.write_row(row)


def differences(db: psycopg.Connection, one: sql.Identifier, other: sql.Identifier) -> list[tuple[str, ...]]:
    """Rows that are in one table and not in the other, written out as text, so that -0 and 0 differ."""
    query = sql.SQL("""
        WITH one AS (SELECT ROW(t.*)::text AS line FROM {} AS t),
            other AS (SELECT ROW(t.*)::text AS line FROM {} AS t)
        (SELECT 'only foreign', line FROM (SELECT * FROM one EXCEPT ALL SELECT * FROM other) AS x)
        UNION ALL (SELECT 'only heap', line FROM (SELECT * FROM other EXCEPT ALL SELECT * FROM one) AS x)
        LIMIT 10""")
    return db.execute(query.format(one, other)).fetchall()
