"""From each released version to this one: the same objects as a new installation, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.kit.container import DATA, Server, docker_volume, serving
from tests.kit.synced import wait_for

pytestmark = pytest.mark.server

RELEASED = Path(__file__).parent / "released"
VERSIONS = sorted(path.stem.partition("--")[2] for path in RELEASED.glob("rvbbit--*.sql"))
EXTENSIONS = "/usr/share/postgresql/17/extension"

# All that an extension's script makes, without oids.
OBJECTS = """
    SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proacl::text,
           obj_description(p.oid, 'pg_proc')
    FROM pg_proc AS p WHERE p.pronamespace = 'rvbbit'::regnamespace
    UNION ALL
    SELECT c.oid::regclass::text, pg_get_viewdef(c.oid), c.relacl::text, obj_description(c.oid, 'pg_class')
    FROM pg_class AS c WHERE c.relnamespace = 'rvbbit'::regnamespace
    UNION ALL
    SELECT a.attrelid::regclass || '.' || a.attname,
           format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || a.attnum,
           pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'rvbbit'::regnamespace AND a.attnum > 0
    UNION ALL
    SELECT c.conname, pg_get_constraintdef(c.oid), NULL, NULL
    FROM pg_constraint AS c WHERE c.connamespace = 'rvbbit'::regnamespace
    UNION ALL
    SELECT e.extname, e.extversion,
           (SELECT array_agg(o::regclass ORDER BY 1)::text FROM unnest(e.extconfig) AS o),
           (SELECT array_agg(member ORDER BY member)::text
            FROM (SELECT pg_describe_object(classid, objid, 0)
                  FROM pg_depend WHERE refobjid = e.oid AND deptype = 'e') AS m (member))
    FROM pg_extension AS e WHERE e.extname LIKE 'rvbbit%'
    UNION ALL
    SELECT 'public._rvbbit_sessions', pg_get_viewdef('public._rvbbit_sessions'::regclass), NULL, NULL
    ORDER BY 1, 2"""


@pytest.fixture(scope="module")
def with_releases(demo_sessions: Path) -> Iterator[Server]:
    """A server where the released versions can be installed too."""
    scripts = [(str(path), f"{EXTENSIONS}/{path.name}", "ro") for path in RELEASED.glob("*.sql")]
    with serving(demo_sessions, volumes=scripts) as running:
        yield running


def install(server: Server, database: str, version: str | None) -> psycopg.Connection:
    """A superuser in a new database with both extensions, as setup() leaves it."""
    with server.connect(user="postgres") as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    connection = server.connect(user="postgres", dbname=database)
    for extension in ("rvbbit_fdw", "rvbbit"):
        clause = sql.SQL("VERSION {}").format(version) if version else sql.SQL("")
        connection.execute(sql.SQL("CREATE EXTENSION {} {}").format(sql.Identifier(extension), clause))
    connection.execute("CALL rvbbit.setup(session_dir => '/sessions')")
    return connection


def test_there_are_released_versions() -> None:
    assert VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_makes_what_a_new_installation_has(with_releases: Server, version: str) -> None:
    with (
        install(with_releases, f"new_{version}", None) as new,
        install(with_releases, f"old_{version}", version) as old,
    ):
        old.execute("CREATE VIEW mine AS SELECT session_id, rvbbit.version() FROM rvbbit_sessions")
        old.execute("CREATE SCHEMA debug")
        old.execute("IMPORT FOREIGN SCHEMA cascade_test FROM SERVER rvbbit INTO debug")
        old.execute("GRANT SELECT ON rvbbit_sessions TO pg_monitor")
        for extension in ("rvbbit_fdw", "rvbbit"):
            old.execute(sql.SQL("ALTER EXTENSION {} UPDATE").format(sql.Identifier(extension)))
        old.execute("CALL rvbbit.setup()")
        assert old.execute(OBJECTS).fetchall() == new.execute(OBJECTS).fetchall()
        assert old.execute("SELECT count(*) > 20 FROM mine").fetchone() == (True,)
        assert old.execute("SELECT count(*) > 0 FROM debug._output").fetchone() == (True,)
        granted = "SELECT has_table_privilege('pg_monitor', 'rvbbit_sessions', 'SELECT')"
        assert old.execute(granted).fetchone() == (True,)
        attached = old.execute("SELECT rvbbit_attach_session('cascade_test')").fetchone()
        assert attached is not None
        assert attached[0].startswith("SUCCESS")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_newer_image_over_the_volume_of_an_older_one(demo_sessions: Path, version: str) -> None:
    """What people made stays; the image's own start does the upgrade, and the job begins to attach."""
    scripts = [(str(path), f"{EXTENSIONS}/{path.name}", "ro") for path in RELEASED.glob("*.sql")]
    with docker_volume() as volume:
        data = (volume, DATA, "rw")
        with serving(demo_sessions, volumes=[data, *scripts]) as older, older.connect("postgres") as db:
            go_back(db, version)
        with serving(demo_sessions, volumes=[data]) as newer, newer.connect() as db:
            versions = db.execute("SELECT extversion FROM pg_extension WHERE extname ~ '^rvbbit'").fetchall()
            default = "SELECT default_version FROM pg_available_extensions WHERE name = 'rvbbit'"
            assert versions == db.execute(default).fetchall() * 2
            assert db.execute("SELECT n FROM kept").fetchall() == [(1,)]
            assert (
                db.execute("SELECT rows FROM mine").fetchone()
                == db.execute("SELECT count(*) FROM debug._output").fetchone()
            )
            wait_for(lambda: db.execute("SELECT attached > 10 FROM rvbbit.sync_status").fetchone() == (True,))
            assert "could not be set up" not in newer.log()
            assert not newer.disasters(newer.log())


def go_back(db: psycopg.Connection, version: str) -> None:
    """Make the database what the image of that version had made of it, with work of people in it."""
    db.execute("SELECT cron.unschedule('rvbbit sync')")
    db.execute("DROP EXTENSION pg_cron, rvbbit, rvbbit_fdw CASCADE; DROP SCHEMA IF EXISTS rvbbit")
    for extension in ("rvbbit_fdw", "rvbbit"):
        db.execute(sql.SQL("CREATE EXTENSION {} VERSION {}").format(sql.Identifier(extension), version))
    db.execute("CALL rvbbit.setup(session_dir => '/sessions', snapshot_dir => '/var/lib/rvbbit')")
    db.execute("CREATE TABLE kept AS SELECT 1 AS n; CREATE SCHEMA debug")
    db.execute("IMPORT FOREIGN SCHEMA cascade_test FROM SERVER rvbbit INTO debug")
    db.execute("CREATE VIEW mine AS SELECT count(*) AS rows FROM debug._output")
    db.execute("GRANT USAGE ON SCHEMA debug TO rvbbit; GRANT SELECT ON kept, mine, debug._output TO rvbbit")
