"""ANALYZE: statistics of a foreign table resemble those of a heap copy, whatever its size."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.kit.writers import make_session
from tests.server.oracle import load, private_copy, text_rows

pytestmark = pytest.mark.server

SESSION = "zz_analyze"
MEASURED = """
CREATE TABLE measured AS SELECT n::INTEGER AS unique_number, (n % 7)::INTEGER AS few, n // 1000 AS thousands,
    CASE WHEN n % 4 = 0 THEN NULL ELSE 'text ' || n % 300 END AS with_nulls, 1 AS same,
    (n * 7919 % 10007) / 8 AS fraction, DATE '2020-01-01' + (n % 900)::INTEGER AS day, '' AS "Empty Text"
FROM range(90000) AS r (n)
"""
LARGE_VALUES = (
    "CREATE TABLE large AS SELECT n::INTEGER AS n, repeat('x', 40000) AS t FROM range(3000) AS r (n)"
)
STATISTICS = """
SELECT attname, null_frac, n_distinct, correlation, avg_width, histogram_bounds::text::text[],
    most_common_vals::text::text[], most_common_freqs
FROM pg_stats WHERE schemaname = %s AND tablename = %s
"""


@pytest.fixture(scope="module")
def folder(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = server.session_dir / f"{SESSION}.duckdb"
    view = "CREATE VIEW a_part AS SELECT * FROM measured WHERE few > 3"
    make_session(path, MEASURED, LARGE_VALUES, view, "CREATE TABLE nothing (i INTEGER)")
    yield private_copy(server.session_dir, SESSION, tmp_path_factory.mktemp("oracle"))
    path.unlink()


@pytest.fixture
def imported(db: psycopg.Connection, schema: str, folder: Path) -> str:
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(SESSION), sql.Identifier(schema)))
    return schema


def analyze(db: psycopg.Connection, schema: str, table: str, columns: str = "") -> None:
    db.execute(sql.SQL("ANALYZE {} " + columns).format(sql.Identifier(schema, table)))


def statistics(db: psycopg.Connection, schema: str, table: str) -> dict[str, tuple[object, ...]]:
    return {row[0]: row[1:] for row in db.execute(STATISTICS, [schema, table])}


def size(db: psycopg.Connection, schema: str, table: str) -> tuple[float, int]:
    query = "SELECT reltuples, relpages FROM pg_class WHERE oid = %s::regclass"
    row = db.execute(query, [f'"{schema}"."{table}"']).fetchone()
    assert row
    return row


def test_all_rows_in_the_sample_give_the_statistics_of_a_heap(
    db: psycopg.Connection, imported: str, folder: Path
) -> None:
    foreign, heap = sql.Identifier(imported, "measured"), sql.Identifier(imported, "heap")
    load(db, heap, foreign, text_rows(folder, "measured"))
    db.execute("SET default_statistics_target = 400")  # 120,000 rows
    for table in ("measured", "heap"):
        analyze(db, imported, table)
    assert statistics(db, imported, "measured") == statistics(db, imported, "heap")
    assert len(statistics(db, imported, "measured")) == 8
    assert size(db, imported, "measured")[0] == size(db, imported, "heap")[0] == 90000


def test_a_sample_is_spread_over_the_table(db: psycopg.Connection, imported: str) -> None:
    db.execute("SET default_statistics_target = 20")  # 6,000 rows
    analyze(db, imported, "measured")
    found = statistics(db, imported, "measured")
    nulls, distinct, correlation, _, bounds, *_ = found["unique_number"]
    numbers = [int(value) for value in bounds] if isinstance(bounds, list) else []
    assert (nulls, distinct) == (0, -1)
    assert correlation == pytest.approx(1)
    assert numbers == sorted(numbers)
    assert all(abs(number - position * 4500) < 2500 for position, number in enumerate(numbers)), numbers
    assert found["few"][1] == 7
    assert found["with_nulls"][0] == pytest.approx(0.25, abs=0.03)
    assert found["same"][1] == 1
    assert size(db, imported, "measured")[0] == 90000


def test_columns_by_name(db: psycopg.Connection, imported: str) -> None:
    analyze(db, imported, "measured", '(few, "Empty Text")')
    assert set(statistics(db, imported, "measured")) == {"few", "Empty Text"}


def test_views_and_empty_tables(db: psycopg.Connection, imported: str) -> None:
    for table, rows in (("a_part", 38571), ("nothing", 0)):
        analyze(db, imported, table)
        assert size(db, imported, table)[0] == rows


def test_large_values_are_thinned_out_to_the_memory_that_maintenance_may_take(
    db: psycopg.Connection, imported: str
) -> None:
    db.execute("SET maintenance_work_mem = '8MB'")
    told: list[str] = []
    db.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
    db.execute(sql.SQL("ANALYZE VERBOSE {}").format(sql.Identifier(imported, "large")))
    assert size(db, imported, "large")[0] == 3000
    assert '"large": 188 rows in sample, 3000 total rows' in told  # every 16th, of 40 kB each
    bounds = statistics(db, imported, "large")["n"][4]
    assert isinstance(bounds, list)
    assert int(bounds[0]) < 50
    assert int(bounds[-1]) > 2950


def test_estimates_follow(db: psycopg.Connection, imported: str) -> None:
    query = sql.SQL("EXPLAIN (FORMAT json) SELECT * FROM {} WHERE few = 3")
    analyze(db, imported, "measured")
    row = db.execute(query.format(sql.Identifier(imported, "measured"))).fetchone()
    assert row
    assert row[0][0]["Plan"]["Plan Rows"] == pytest.approx(90000 / 7, rel=0.1)


def test_dropped_columns_do_not_shift_the_others(db: psycopg.Connection, imported: str) -> None:
    table = sql.Identifier(imported, "measured")
    db.execute(sql.SQL("ALTER FOREIGN TABLE {} DROP COLUMN few").format(table))
    analyze(db, imported, "measured")
    assert statistics(db, imported, "measured")["with_nulls"][0] == pytest.approx(0.25, abs=0.02)


def test_a_partition_is_analyzed_with_its_parent(db: psycopg.Connection, imported: str) -> None:
    parent, table = sql.Identifier(imported, "parent"), sql.Identifier(imported, "measured")
    db.execute(sql.SQL("CREATE TABLE {} (LIKE {}) PARTITION BY LIST (same)").format(parent, table))
    db.execute(sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN (1)").format(parent, table))
    analyze(db, imported, "parent")
    assert statistics(db, imported, "parent")["few"][1] == 7


def test_in_a_transaction_and_of_several_tables(db: psycopg.Connection, imported: str) -> None:
    tables = sql.SQL(", ").join(sql.Identifier(imported, name) for name in ("measured", "nothing", "a_part"))
    db.execute(sql.SQL("ANALYZE {}").format(tables))
    with db.transaction():
        db.execute(sql.SQL("ANALYZE {}").format(tables))
    assert size(db, imported, "a_part")[0] == 38571


def test_vacuumdb(server: Server, db: psycopg.Connection, imported: str) -> None:
    command = [
        "vacuumdb",
        "-U",
        "postgres",
        "-d",
        "rvbbit",
        "--analyze-only",
        "-t",
        f"{imported}.measured(few)",
    ]
    server.run(*command, user="postgres")
    assert set(statistics(db, imported, "measured")) == {"few"}


def test_a_failing_scan_fails_as_a_query_does(server: Server, db: psycopg.Connection, imported: str) -> None:
    table = sql.Identifier(imported, "measured")
    db.execute(sql.SQL("ALTER FOREIGN TABLE {} ALTER few OPTIONS (SET duckdb_type 'DATE')").format(table))
    with pytest.raises(psycopg.Error) as caught:
        analyze(db, imported, "measured")
    assert caught.value.sqlstate == "HV004"
    assert db.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone() == (90000,)


def test_a_catalog_is_left_out_with_a_warning(server: Server) -> None:
    told: list[str] = []
    with server.connect(user="postgres") as admin:
        admin.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        admin.execute("ANALYZE public.rvbbit_sessions")
    assert told == ['skipping "rvbbit_sessions" --- cannot analyze this foreign table']
