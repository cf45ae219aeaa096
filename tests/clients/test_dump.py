"""pg_dump and restore of a database with attached sessions."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.clients.served import ORDERS, SESSION, Matrix, rows
from tests.clients.values import NAMES, ROWS, TYPES

pytestmark = pytest.mark.server

# pg_cron lives in one database of a server only.
DUMP = "pg_dump -U postgres --exclude-extension=pg_cron --exclude-schema=cron"
FORMS = {
    "plain": f"{DUMP} rvbbit | psql -X -q -v ON_ERROR_STOP=1 -U postgres restored",
    "custom": f"{DUMP} -Fc rvbbit | pg_restore -U postgres --exit-on-error -d restored",
    "directory": f"{DUMP} -Fd -j 2 -f /tmp/dump rvbbit && pg_restore -U postgres -j 2 --exit-on-error"
    " -d restored /tmp/dump && rm -r /tmp/dump",
}
CATALOG = """
    SELECT c.oid::regclass::text, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod),
           obj_description(c.oid, 'pg_class'), col_description(c.oid, a.attnum),
           has_table_privilege('rvbbit_reader', c.oid, 'SELECT')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_foreign_table f ON f.ftrelid = c.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum"""


@pytest.fixture(params=FORMS)
def restored(request: pytest.FixtureRequest, matrix: Matrix) -> Iterator[psycopg.Connection]:
    """The database once more, from a dump."""
    with matrix.server.connect(user="postgres") as admin:
        admin.execute("DROP DATABASE IF EXISTS restored")
        admin.execute("CREATE DATABASE restored")
        try:
            matrix.server.run("bash", "-c", f"set -o pipefail; {FORMS[request.param]}")
            with matrix.server.connect(dbname="restored") as connection:
                yield connection
        finally:
            admin.execute("DROP DATABASE restored")


def test_a_dump_is_restored(restored: psycopg.Connection, db: psycopg.Connection) -> None:
    """Tables, types, comments, grants, values and what is attached are the same."""
    assert rows(restored, CATALOG) == rows(db, CATALOG)
    attached = (
        "SELECT session_id, schema_name, attached_by FROM _rvbbit_sessions WHERE is_attached ORDER BY 1"
    )
    assert rows(restored, attached) == rows(db, attached)
    assert len(rows(restored, attached)) >= 10
    assert rows(restored, f"SELECT * FROM {SESSION}._types ORDER BY id") == ROWS
    assert rows(restored, f'SELECT count(*) FROM "{ORDERS}"._extract_data') == [(3000,)]
    assert rows(restored, "SELECT action FROM rvbbit.sync_plan() WHERE action IN ('attach', 'detach')") == []
    described = restored.execute(f"SELECT * FROM {SESSION}._types").description or []
    assert [column.name for column in described] == NAMES
    assert len(described) == len(TYPES)


def test_the_dump_of_one_schema(matrix: Matrix) -> None:
    """Its tables as statements, and none of the sessions' rows."""
    text = matrix.server.run("bash", "-c", f"pg_dump -U postgres --schema={SESSION} rvbbit")
    kind = "TABLE" if matrix.shown.is_plain else "FOREIGN TABLE"
    assert f"CREATE {kind} {SESSION}._types" in text
    assert "COPY " not in text
    assert "/sessions" not in text
