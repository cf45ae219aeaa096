"""SQLAlchemy 2: inspector, reflection, mapped classes, streaming; and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tests.clients.served import ORDERS, SESSION, Matrix
from tests.clients.values import FAILS_AT, NAMES, ROWS

pytestmark = pytest.mark.server

# As SQLAlchemy reflects them.
KINDS = {
    "id": sa.INTEGER,
    "flag": sa.BOOLEAN,
    "tiny": sa.SMALLINT,
    "int": sa.INTEGER,
    "big": sa.BIGINT,
    "huge": sa.NUMERIC,
    "money": sa.NUMERIC,
    "short": sa.REAL,
    "double": sa.DOUBLE_PRECISION,
    "words": sa.TEXT,
    "label": sa.TEXT,
    "bytes": pg.BYTEA,
    "uid": sa.UUID,
    "day": sa.DATE,
    "clock": pg.TIME,
    "zoned_clock": pg.TIME,
    "span": pg.INTERVAL,
    "moment": pg.TIMESTAMP,
    "instant": pg.TIMESTAMP,
    "numbers": pg.ARRAY,
    "names": pg.ARRAY,
    "record": pg.JSONB,
    "document": pg.JSONB,
    "constructor": sa.TEXT,
    "Größe in cm": sa.DOUBLE_PRECISION,
}


@pytest.fixture
def engine(matrix: Matrix) -> Iterator[sa.Engine]:
    """An engine on the server, with a pool of one connection."""
    made = sa.create_engine(matrix.url("postgresql+psycopg"), pool_size=1, max_overflow=0)
    yield made
    made.dispose()


def test_the_inspector_lists_sessions_and_tables(engine: sa.Engine, matrix: Matrix) -> None:
    inspector = sa.inspect(engine)
    assert {SESSION, ORDERS, "q4 revenue report", "übersicht_café_märz"} <= set(inspector.get_schema_names())
    tables = {"_types", "_stream", "_fails_late", "_endless"}
    foreign = inspector.get_foreign_table_names(schema=SESSION)  # type: ignore[attr-defined]
    assert set(foreign) == (set() if matrix.shown.is_plain else tables)
    assert set(inspector.get_table_names(schema=SESSION)) == (tables if matrix.shown.is_plain else set())
    assert inspector.has_table("_types", schema=SESSION)


def test_columns_as_the_inspector_gives_them(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)
    columns = inspector.get_columns("_types", schema=SESSION)
    assert [column["name"] for column in columns] == NAMES
    assert {column["name"]: type(column["type"]) for column in columns} == KINDS
    assert {column["name"]: column["comment"] for column in columns}["money"] == "in euros"
    assert "one column of each kind" in (inspector.get_table_comment("_types", schema=SESSION)["text"] or "")
    assert inspector.get_pk_constraint("_types", schema=SESSION)["constrained_columns"] == []
    assert inspector.get_foreign_keys("_types", schema=SESSION) == []
    assert inspector.get_indexes("_types", schema=SESSION) == []


def test_a_reflected_table_gives_values(engine: sa.Engine) -> None:
    types = sa.Table("_types", sa.MetaData(), schema=SESSION, autoload_with=engine)
    with engine.connect() as connection:
        found = connection.execute(sa.select(types).order_by(types.c.id)).all()
        assert [tuple(row) for row in found] == ROWS
        north = sa.Table("_extract_data", sa.MetaData(), schema=ORDERS, autoload_with=connection)
        query = sa.select(sa.func.count()).where(north.c.region == "north")
        assert connection.execute(query).scalar_one() == 625


def test_a_whole_schema_is_reflected_where_tables_are_ordinary(engine: sa.Engine, matrix: Matrix) -> None:
    metadata = sa.MetaData(schema=ORDERS)
    metadata.reflect(engine)
    names = {table.name for table in metadata.tables.values()}
    assert ("_extract_data" in names) == matrix.shown.is_plain


class Base(DeclarativeBase):
    """Of the mapped classes."""


class Order(Base):
    """No constraint of the database: what identifies a row is known to this class alone."""

    __tablename__ = "_extract_data"
    __table_args__ = {"schema": ORDERS}  # noqa: RUF012  # SQLAlchemy's own form

    order_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    region: Mapped[str]
    quantity: Mapped[int]


def test_mapped_classes(engine: sa.Engine) -> None:
    query = sa.select(Order).where(Order.region == "north").order_by(Order.order_id)
    with Session(engine) as session:
        north = session.scalars(query).all()
        assert len(north) == 625
        assert session.get(Order, north[0].order_id) is north[0]
        total = session.scalar(sa.select(sa.func.sum(Order.quantity)).where(Order.region == "north"))
        assert total == sum(order.quantity for order in north) == 3112


def test_a_mapped_class_cannot_be_written(engine: sa.Engine) -> None:
    with Session(engine) as session:
        session.add(Order(order_id=1, region="x", quantity=1))
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            session.flush()
        session.rollback()
        assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 3000


def test_rows_in_portions(engine: sa.Engine) -> None:
    query = sa.select(Order.order_id).order_by(Order.order_id)
    with engine.connect().execution_options(yield_per=100) as connection:
        portions = [len(part) for part in connection.execute(query).partitions()]
        assert portions == [100] * 30
        assert connection.scalars(query).all() == list(range(100000, 103000))
    with Session(engine) as session:
        assert sum(order.quantity for order in session.scalars(sa.select(Order)).yield_per(7)) == 15171


def test_the_pools_connection_goes_on_after_errors(engine: sa.Engine) -> None:
    late = sa.text("SELECT id, note FROM client_matrix._fails_late")
    read: list[str] = []
    with engine.connect().execution_options(yield_per=1000) as connection:
        result = connection.execute(late)
        with pytest.raises(sa.exc.DBAPIError, match="note"):
            read.extend(row.note for row in result)
    assert set(read) == {"fine"}
    assert len(read) <= FAILS_AT
    with engine.connect() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = '200ms'"))
        with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
            connection.execute(sa.text("SELECT n FROM client_matrix._endless"))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM client_matrix._types")).scalar_one() == 3
        assert engine.pool.checkedout() == 1  # type: ignore[attr-defined]
