"""What drivers and tools do beyond plain statements."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from tests.kit.container import PASSWORD, Server

pytestmark = pytest.mark.server

SESSION = "agile-cardinal-490cb1"


@pytest.fixture
def imported(db: psycopg.Connection, schema: str) -> str:
    """A schema with the session's tables."""
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
    return schema


@pytest.fixture
def engine(server: Server) -> Iterator[sa.Engine]:
    """SQLAlchemy's engine on the server."""
    url = sa.URL.create(
        "postgresql+psycopg",
        username="rvbbit",
        password=PASSWORD,
        host=server.container.get_container_host_ip(),
        port=int(server.container.get_exposed_port(5432)),
        database="rvbbit",
    )
    made = sa.create_engine(url)
    yield made
    made.dispose()


def test_sqlalchemy_reflects_and_selects(engine: sa.Engine, imported: str) -> None:
    names = sa.inspect(engine).get_foreign_table_names(schema=imported)  # type: ignore[attr-defined]
    assert "_output" in names
    orders = sa.Table("_extract_data", sa.MetaData(), schema=imported, autoload_with=engine)
    assert isinstance(orders.c.order_id.type, sa.BIGINT)
    query = sa.select(sa.func.count()).where(orders.c.region == "north")
    with engine.connect() as connection:
        assert connection.execute(query).scalar_one() == 625


def test_sqlalchemy_streams(engine: sa.Engine, imported: str) -> None:
    orders = sa.Table("_extract_data", sa.MetaData(), schema=imported, autoload_with=engine)
    with engine.connect().execution_options(yield_per=100) as connection:
        ids = [row.order_id for row in connection.execute(sa.select(orders.c.order_id))]
    assert len(ids) == len(set(ids)) == 3000


def test_text_and_binary_protocol_agree(db: psycopg.Connection, imported: str) -> None:
    query = sql.SQL("SELECT * FROM {} ORDER BY order_id LIMIT 200").format(
        sql.Identifier(imported, "_extract_data")
    )
    text, binary = (db.cursor(binary=binary).execute(query).fetchall() for binary in (False, True))
    assert text == binary


def test_a_pipeline_of_statements(db: psycopg.Connection, imported: str) -> None:
    query = sql.SQL("SELECT count(*) FROM {} WHERE quantity = %s").format(
        sql.Identifier(imported, "_extract_data")
    )
    with db.pipeline():
        cursors = [db.execute(query, [quantity]) for quantity in range(1, 10)]
        assert sum(row[0] for cursor in cursors for row in cursor.fetchall()) == 3000


def test_a_dump_is_restored(server: Server, db: psycopg.Connection, imported: str) -> None:
    """pg_dump carries server, roles' grants and foreign tables into another database."""
    with server.connect(user="postgres") as admin:
        admin.execute("DROP DATABASE IF EXISTS restored")
        admin.execute("CREATE DATABASE restored")
        # pg_cron lives in one database of a server only.
        dump = "pg_dump -U postgres --exclude-extension=pg_cron --exclude-schema=cron rvbbit"
        try:
            server.run(
                "bash", "-c", f"set -o pipefail; {dump} | psql -X -q -v ON_ERROR_STOP=1 -U postgres restored"
            )
            with server.connect(dbname="restored") as copy:
                query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(imported, "_extract_data"))
                assert copy.execute(query).fetchone() == (3000,)
                assert copy.execute("SELECT count(*) > 20 FROM rvbbit_sessions").fetchone() == (True,)
        finally:
            admin.execute("DROP DATABASE restored")
