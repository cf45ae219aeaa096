"""From foreign tables to ordinary ones and back: what people built on either survives or is named."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened

pytestmark = pytest.mark.server

WAYS = ("foreign", "table")
OTHER = {"foreign": "table", "table": "foreign"}
PARTITION = 'rvbbit_partitions."first.t"'


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """The folder with one session, "first", and nothing attached."""
    with opened(following) as own:
        own.write(
            "first",
            "CREATE TABLE t AS SELECT range AS a, 'x' AS b FROM range(5)",
            "CREATE TABLE u AS SELECT 1 AS c",
        )
        own.db.execute("SELECT rvbbit.set_policy('none')")
        yield own


@pytest.fixture
def admin(folder: Folder) -> Iterator[psycopg.Connection]:
    """A superuser."""
    with folder.server.connect(user="postgres") as connection:
        yield connection


def attach(folder: Folder, way: str | None = None) -> str:
    """Attach the session, or present it in another way; the answer."""
    row = folder.db.execute("SELECT rvbbit_attach_session('first', present_as => %s)", [way]).fetchone()
    assert row is not None
    return str(row[0])


def kinds(folder: Folder) -> dict[str, str]:
    """The relations of the schema by name."""
    query = "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'first'::regnamespace"
    return dict(folder.rows(query))


KIND = {"foreign": {"t": "f", "u": "f"}, "table": {"t": "p", "u": "p"}}


@pytest.mark.parametrize("way", WAYS)
def test_there_and_back(folder: Folder, admin: psycopg.Connection, way: str) -> None:
    """Grants, comments, names and row counts that people see stay as they are."""
    attach(folder, way)
    admin.execute(
        "GRANT SELECT ON first.t TO pg_monitor WITH GRANT OPTION; GRANT SELECT (c) ON first.u TO pg_monitor"
    )
    admin.execute("REVOKE SELECT ON first.u FROM rvbbit_reader; GRANT SELECT ON first.u TO PUBLIC")
    admin.execute("ALTER TABLE first.u RENAME COLUMN c TO own; COMMENT ON COLUMN first.t.a IS 'my words'")
    folder.comment(admin, "first.t", "of t")
    seen = """
        SELECT c.relname, c.reltuples, obj_description(c.oid), a.attname, col_description(c.oid, a.attnum),
               (SELECT array_agg(x::text ORDER BY x::text) FROM aclexplode(c.relacl) AS x),
               a.attacl::text
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE c.relnamespace = 'first'::regnamespace AND c.relkind IN ('f', 'p')
        ORDER BY c.relname, a.attnum"""
    before = folder.rows(seen)
    assert kinds(folder) == KIND[way]
    for now in (OTHER[way], way):
        assert attach(folder, now).startswith("SUCCESS: Presented 'first' as ")
        assert kinds(folder) == KIND[now]
        assert folder.rows(seen) == before
        assert folder.rows("SELECT sum(a) FROM first.t") == [(10,)]
        folder.sync()
        assert folder.plan() == set()
    assert attach(folder, way).startswith("SUCCESS: 'first' is attached already")
    folder.db.execute("SELECT rvbbit_detach_session('first')")
    assert folder.one("SELECT count(*) FROM pg_class WHERE relname LIKE 'first.%'") == 0


def test_a_view_over_a_foreign_table_survives_and_follows(folder: Folder, admin: psycopg.Connection) -> None:
    attach(folder, "foreign")
    folder.db.execute("CREATE VIEW mine.v AS SELECT a, b FROM first.t")
    attach(folder, "table")
    assert folder.rows("SELECT count(*), min(b) FROM mine.v") == [(5, "x")]
    folder.write("first", "ALTER TABLE t ADD COLUMN d INTEGER", "ALTER TABLE t DROP b")
    folder.sync()
    assert folder.columns("first.t") == {"a": "bigint", "b": "text", "d": "integer"}
    assert "other objects depend on" in folder.problems()["first"]
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match='schema "first" is kept') as kept:
        folder.db.execute("SELECT rvbbit_detach_session('first')")
    assert "view mine.v depends on" in str(kept.value.diag.message_detail)
    attach(folder, "foreign")
    assert folder.rows("SELECT count(*) FROM mine.v WHERE a > 2") == [(2,)]


def test_a_view_over_an_ordinary_table_holds_it(folder: Folder) -> None:
    attach(folder, "table")
    folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
    with pytest.raises(
        psycopg.errors.DependentObjectsStillExist, match='schema "first" is kept as it is'
    ) as kept:
        attach(folder, "foreign")
    assert "view mine.v depends on table first.t" in str(kept.value.diag.message_detail)
    assert kinds(folder) == KIND["table"]
    assert folder.rows("SELECT count(*) FROM mine.v") == [(5,)]
    folder.db.execute("DROP VIEW mine.v")
    attach(folder, "foreign")


@pytest.mark.parametrize(
    "work",
    [
        "ALTER TABLE first.t ADD CHECK (a >= 0)",
        "CREATE STATISTICS first.s ON a, b FROM first.t",
        "CREATE POLICY p ON first.t USING (a > 1)",
    ],
)
def test_what_only_a_table_has_is_not_lost(folder: Folder, admin: psycopg.Connection, work: str) -> None:
    attach(folder, "table")
    admin.execute(work)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        attach(folder, "foreign")
    assert kinds(folder)["t"] == "p"


def test_the_policy_presents_what_it_attached(folder: Folder) -> None:
    folder.copy("first", "second")
    folder.db.execute("SELECT rvbbit_attach_session('second', present_as => 'foreign')")
    shown = "SELECT session_id, present_as FROM _rvbbit_sessions WHERE is_attached ORDER BY 1"
    folder.db.execute("SELECT rvbbit.set_policy('all', present_as => 'foreign')")
    folder.sync()
    assert folder.rows(shown) == [("first", "foreign"), ("second", "foreign")]
    folder.db.execute("SELECT rvbbit.set_policy(present_as => 'table')")
    assert folder.plan() == {("present", "first")}
    folder.sync()
    assert folder.rows(shown) == [("first", "table"), ("second", "foreign")]
    assert folder.plan() == set()
    folder.db.execute("CREATE VIEW mine.v AS SELECT a FROM first.t")
    folder.db.execute("SELECT rvbbit.set_policy(present_as => 'foreign')")
    folder.sync()
    assert "view mine.v depends on table first.t" in folder.problems()["first"]
    assert folder.plan() == set()
    assert folder.rows(shown) == [("first", "table"), ("second", "foreign")]
    with pytest.raises(psycopg.Error, match="present_as"):
        folder.db.execute("SELECT rvbbit.set_policy(present_as => 'view')")


def prepared(folder: Folder) -> tuple[int, int | None, bool]:
    """The answer of the prepared statement p, and whether DuckDB runs it as a whole."""
    ((number, total),) = folder.rows("EXECUTE p")
    return number, total, "DuckDB Query" in str(folder.rows("EXPLAIN EXECUTE p"))


def test_prepared_plans_follow_what_changes(folder: Folder, admin: psycopg.Connection) -> None:
    """The options of the partition, another partition, its end, and the way back."""
    attach(folder, "table")
    folder.db.execute("SET plan_cache_mode = force_generic_plan")
    folder.db.execute("PREPARE p AS SELECT count(*), sum(a) FROM first.t")
    assert prepared(folder) == (5, 10, True)
    admin.execute(f"ALTER FOREIGN TABLE {PARTITION} OPTIONS (SET table_name 'u')")
    admin.execute(
        f"ALTER FOREIGN TABLE {PARTITION} ALTER a OPTIONS (SET column_name 'c', SET duckdb_type 'INTEGER')"
    )
    admin.execute("CREATE TABLE mine.own (b text, a bigint)")
    admin.execute(f"ALTER FOREIGN TABLE {PARTITION} OPTIONS (SET table_name 't')")
    admin.execute(
        f"ALTER FOREIGN TABLE {PARTITION} ALTER a OPTIONS (SET column_name 'a', SET duckdb_type 'BIGINT')"
    )
    assert prepared(folder) == (5, 10, True)
    admin.execute("INSERT INTO mine.own VALUES ('y', 100)")
    admin.execute("ALTER TABLE first.t ATTACH PARTITION mine.own FOR VALUES IN (NULL)")
    assert prepared(folder) == (6, 110, False)
    admin.execute("ALTER TABLE first.t DETACH PARTITION mine.own")
    assert prepared(folder) == (5, 10, True)
    admin.execute(f"ALTER TABLE first.t DETACH PARTITION {PARTITION}")
    assert prepared(folder) == (0, None, False)
    admin.execute(f"ALTER TABLE first.t ATTACH PARTITION {PARTITION} DEFAULT")
    assert prepared(folder) == (5, 10, True)
    attach(folder, "foreign")
    assert prepared(folder) == (5, 10, True)


def test_a_table_that_a_person_adds_rows_to_is_theirs(folder: Folder, admin: psycopg.Connection) -> None:
    """Another partition: neither sync nor detach touches the table any more."""
    attach(folder, "table")
    admin.execute("CREATE TABLE mine.own (a bigint, b text); INSERT INTO mine.own VALUES (9, 'mine')")
    admin.execute("ALTER TABLE first.t ATTACH PARTITION mine.own FOR VALUES IN (NULL)")
    folder.write("first", "ALTER TABLE t ADD COLUMN d INTEGER", "CREATE TABLE w AS SELECT 1 AS z")
    folder.sync()
    folder.sync()
    assert folder.columns("first.t") == {"a": "bigint", "b": "text"}
    assert kinds(folder) == {**KIND["table"], "w": "p"}
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match='schema "first" is kept'):
        folder.db.execute("SELECT rvbbit_detach_session('first')")
    assert admin.execute("SELECT * FROM mine.own").fetchall() == [(9, "mine")]
    assert folder.rows("SELECT count(*) FROM first.t") == [(6,)]


def test_columns_of_another_place_and_security(folder: Folder, admin: psycopg.Connection) -> None:
    """A person's own parent, its columns in another order: pushed; with a policy: not for whom it binds."""
    attach(folder, "foreign")
    admin.execute("CREATE TABLE mine.p (gone int, b text, a bigint) PARTITION BY LIST (a)")
    admin.execute("ALTER TABLE mine.p DROP COLUMN gone; GRANT SELECT ON mine.p TO rvbbit")
    admin.execute("ALTER TABLE mine.p ATTACH PARTITION first.t DEFAULT")
    query = "SELECT b, sum(a), count(*) FROM mine.p GROUP BY b"
    assert "DuckDB Query" in str(folder.rows(f"EXPLAIN {query}"))
    assert folder.rows(query) == [("x", 10, 5)]
    admin.execute("ALTER TABLE mine.p ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON mine.p USING (a > 3)")
    assert folder.rows(query) == [("x", 4, 1)]
    assert "DuckDB Query" not in str(folder.rows(f"EXPLAIN {query}"))
    attach(folder, "table")
    assert kinds(folder) == {"t": "f", "u": "p"}
    admin.execute("ALTER TABLE mine.p DETACH PARTITION first.t")
    folder.db.execute("CREATE VIEW mine.v AS SELECT count(*) FROM first.t")
    folder.write("first", "CREATE TABLE w AS SELECT 1 AS z")
    folder.sync()
    assert kinds(folder) == {"t": "f", "u": "p", "w": "p"}
    assert folder.rows("SELECT * FROM mine.v") == [(5,)]
    folder.db.execute("DROP VIEW mine.v")
    attach(folder, "foreign")
    attach(folder, "table")
    assert kinds(folder) == {**KIND["table"], "w": "p"}


def test_a_partition_with_bounds_is_not_pushed_as_a_whole(folder: Folder, admin: psycopg.Connection) -> None:
    """PostgreSQL leaves it out where a condition is outside of them, whatever its rows are."""
    attach(folder, "foreign")
    admin.execute(
        "CREATE TABLE mine.p (a bigint, b text) PARTITION BY RANGE (a); GRANT SELECT ON mine.p TO rvbbit"
    )
    admin.execute("ALTER TABLE mine.p ATTACH PARTITION first.t FOR VALUES FROM (0) TO (3)")
    assert folder.rows("SELECT count(*) FROM mine.p WHERE a = 4") == [(0,)]
    assert folder.rows("SELECT count(*) FROM mine.p WHERE a = 2") == [(1,)]
    assert "DuckDB Query" not in str(folder.rows("EXPLAIN SELECT count(*) FROM mine.p"))
    admin.execute("ALTER TABLE mine.p DETACH PARTITION first.t")


def test_the_schema_of_partitions_is_ours_alone(folder: Folder, admin: psycopg.Connection) -> None:
    folder.db.execute("CREATE SCHEMA rvbbit_partitions")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="exists and belongs to"):
        attach(folder, "table")
    attach(folder, "foreign")
    folder.db.execute("DROP SCHEMA rvbbit_partitions")
    attach(folder, "table")
    assert kinds(folder) == KIND["table"]
    with pytest.raises(psycopg.errors.ReservedName):
        folder.db.execute("SELECT rvbbit_attach_session('first', 'rvbbit_partitions')")


def test_names_that_are_too_long_or_taken(folder: Folder) -> None:
    long = "s" * 40
    folder.write(
        long, f"CREATE TABLE {'t' * 30} AS SELECT 1 AS a", f"CREATE TABLE {'t' * 31} AS SELECT 2 AS a"
    )
    folder.write("a.b", "CREATE TABLE c AS SELECT 3 AS a")
    folder.write("a", 'CREATE TABLE "b.c" AS SELECT 4 AS a')
    for session in (long, "a.b", "a"):
        folder.db.execute("SELECT rvbbit_attach_session(%s, present_as => 'table')", [session])
    query = f'SELECT x.a, y.a, z.a, w.a FROM {long}.{"t" * 30} x, {long}.{"t" * 31} y, "a.b".c z, a."b.c" w'
    assert folder.rows(query) == [(1, 2, 3, 4)]
    folder.db.execute("SELECT rvbbit_attach_session('a', 'other')")
    assert folder.rows('SELECT a FROM other."b.c"') == [(4,)]


def test_tables_that_are_called_like_partitions(folder: Folder) -> None:
    names = ["g", "other.g", "other.other.g"]
    folder.write("other", *(f'CREATE TABLE "{name}" AS SELECT {len(name)} AS n' for name in names))
    for way in ("table", "foreign", "table", "foreign"):
        folder.db.execute("SELECT rvbbit_attach_session('other', present_as => %s)", [way])
        assert [folder.rows(f'SELECT n FROM other."{name}"') for name in names] == [
            [(len(name),)] for name in names
        ]


def test_a_dump_is_restored(folder: Folder, admin: psycopg.Connection) -> None:
    """Both kinds come back as they were, and sync finds nothing to do but row counts."""
    folder.copy("first", "second")
    attach(folder, "table")
    folder.db.execute("SELECT rvbbit_attach_session('second', present_as => 'foreign')")
    dump = "pg_dump -U postgres --exclude-extension=pg_cron --exclude-schema=cron rvbbit"
    admin.execute("CREATE DATABASE restored")
    try:
        folder.server.run(
            "bash", "-c", f"set -o pipefail; {dump} | psql -X -q -v ON_ERROR_STOP=1 -U postgres restored"
        )
        with folder.server.connect(user="postgres", dbname="restored") as db:
            db.execute("CALL rvbbit.setup()")
            copy = Folder(folder.server, db)
            assert kinds(copy) == KIND["table"]
            copy.sync()
            assert copy.rows("SELECT reltuples FROM pg_class WHERE oid = 'first.t'::regclass") == [(5,)]
            assert copy.rows("SELECT sum(a) FROM first.t") == [(10,)]
            assert "DuckDB Query" in str(copy.rows("EXPLAIN SELECT sum(a) FROM first.t"))
            assert copy.plan() == set()
            db.execute("DROP EXTENSION rvbbit CASCADE")
            assert copy.rows("SELECT sum(a) FROM first.t") == [(10,)]
    finally:
        admin.execute("DROP DATABASE restored WITH (FORCE)")


def test_analyze_fills_the_statistics(folder: Folder, admin: psycopg.Connection) -> None:
    attach(folder, "table")
    admin.execute("ANALYZE first.t")
    query = """
        SELECT schemaname, inherited, n_distinct FROM pg_stats
        WHERE attname = 'b' AND tablename LIKE '%t' ORDER BY 1"""
    assert admin.execute(query).fetchall() == [("first", True, -0.2), ("rvbbit_partitions", False, -0.2)]
