"""rvbbit.set_policy() and rvbbit.settings: what attaches by itself, who may change it, what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.kit.container import Server

pytestmark = pytest.mark.server

DEFAULTS = {
    "policy": "smart",
    "named_limit": "50",
    "unnamed_limit": "10",
    "unnamed_max_age_hours": "24",
    "recent_limit": "50",
    "recent_max_age_days": "7",
    "include": "",
    "exclude": "pg_client_%, health_check_%, http_api_%",
    "present_as": "table",
}

# arguments, what differs from the defaults afterwards
CHANGES = [
    ("", {}),
    ("'all'", {"policy": "all"}),
    ("policy => 'none', include => 'q4%'", {"policy": "none", "include": "q4%"}),
    ("named_limit => 0, unnamed_limit => 3", {"named_limit": "0", "unnamed_limit": "3"}),
    ("exclude => ''", {"exclude": ""}),
    ("recent_limit => NULL", {}),
    ("present_as => 'foreign'", {"present_as": "foreign"}),
]

# arguments, SQLSTATE, message
REFUSED = [
    ("'clever'", "HV024", "smart, recent, all, none"),
    ("''", "HV024", "smart, recent, all, none"),
    ("'Smart'", "HV024", "smart, recent, all, none"),
    ("named_limit => -1", "HV024", 'option "named_limit"'),
    ("unnamed_max_age_hours => 2147483647", "HV024", 'option "unnamed_max_age_hours"'),
    ("include => 'x\\'", "HV024", 'option "include"'),
    ("present_as => 'view'", "HV024", "foreign, table"),
    ("'all', named_limit => -1", "HV024", 'option "named_limit"'),
]

# policy, a condition that holds for the sessions that attach by themselves, and only for them
CHOICES = [
    ("'none'", "false"),
    ("'none', include => 'q4%,brave%'", "session_id LIKE 'q4%' OR session_id LIKE 'brave%'"),
    ("'smart', unnamed_limit => 0, exclude => '', named_limit => 1000", "is_named AND size_bytes > 12288"),
]


@pytest.fixture
def db(server: Server) -> Iterator[psycopg.Connection]:
    """A connection of the login rvbbit; the policy is the default again afterwards."""
    with server.connect() as connection:
        yield connection
    with server.connect(user="postgres") as admin:
        query = """
            SELECT format('ALTER SERVER rvbbit OPTIONS (DROP %I)', o.option_name)
            FROM pg_foreign_server, pg_options_to_table(srvoptions) AS o
            JOIN rvbbit._policy_options() AS p ON p.name = o.option_name WHERE srvname = 'rvbbit'"""
        for (statement,) in admin.execute(query).fetchall():
            admin.execute(statement)


def settings(db: psycopg.Connection) -> dict[str, str]:
    """The policy as rvbbit.settings shows it."""
    query = "SELECT name, value FROM rvbbit.settings WHERE kind = 'option of the server'"
    return dict(db.execute(query).fetchall())


@pytest.mark.parametrize(("arguments", "expected"), CHANGES)
def test_changes(db: psycopg.Connection, arguments: str, expected: dict[str, str]) -> None:
    answer: dict[str, str] = dict(db.execute(f"SELECT * FROM rvbbit.set_policy({arguments})").fetchall())
    assert answer == settings(db) == DEFAULTS | expected


@pytest.mark.parametrize(("arguments", "sqlstate", "message"), REFUSED)
def test_what_is_refused(db: psycopg.Connection, arguments: str, sqlstate: str, message: str) -> None:
    with pytest.raises(psycopg.Error, match=message) as caught:
        db.execute(f"SELECT * FROM rvbbit.set_policy({arguments})")
    assert caught.value.sqlstate == sqlstate
    assert settings(db) == DEFAULTS


@pytest.mark.parametrize(("arguments", "condition"), CHOICES)
def test_what_attaches_by_itself(db: psycopg.Connection, arguments: str, condition: str) -> None:
    db.execute(f"SELECT * FROM rvbbit.set_policy({arguments})")
    query = f"SELECT session_id FROM rvbbit_sessions WHERE auto_attach IS DISTINCT FROM ({condition})"
    assert db.execute(query).fetchall() == []


def test_settings_show_both_kinds_and_no_path(db: psycopg.Connection) -> None:
    rows = db.execute("SELECT * FROM rvbbit.settings").fetchall()
    assert {row[0] for row in rows} >= {"policy", "rvbbit.memory_limit", "rvbbit.threads"}
    assert not [row for row in rows if any("/" in str(value) for value in row)]


def test_a_policy_is_for_operators(server: Server) -> None:
    with server.connect(user="postgres") as admin, admin.transaction(force_rollback=True):
        admin.execute("SET LOCAL ROLE rvbbit_reader")
        assert admin.execute("SELECT count(*) > 8 FROM rvbbit.settings").fetchone() == (True,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            admin.execute("SELECT * FROM rvbbit.set_policy('all')")
