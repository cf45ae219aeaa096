"""Whatever is passed to the functions of sessions as schemas: a clear error, and nothing half done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened

pytestmark = pytest.mark.server

ATTACH = "SELECT rvbbit_attach_session(%s, %s)"
DETACH = "SELECT rvbbit_detach_session(%s)"

# No session is called so.
NO_ID: list[Any] = [
    None, "", " ", "first ", "FIRST", "first.duckdb", "first.main", "*", "%", "first%", "_irst", "~",
    "%s", "%I", "/sessions/first.duckdb", "../sessions/first", "first/../first", "..", ".", "/",
    '"first"', "'first'", "$$first$$", "first'; DROP SCHEMA mine; --",
    "first\n", "first\tsecond", "\x01", "\ufb01rst", "f\u0336irst", "\U0001f60e",
    "x" * 255, "x" * 256, "ü" * 128, "x" * 1_000_000,
]  # fmt: skip

# alias, SQLSTATE
NO_ALIAS = [
    ("", "42602"),
    ("x" * 64, "42622"),
    ("x" * 1_000_000, "42622"),
    ("ü" * 32, "42622"),
    ("pg_", "42939"),
    ("pg_mine", "42939"),
    ("pg_catalog", "42939"),
    ("information_schema", "42939"),
    ("public", "42939"),
    ("rvbbit", "42939"),
    ("cron", "42939"),
    ("mine", "42P06"),
    ("second", "42P06"),
]

# arguments of rvbbit.set_policy, SQLSTATE
NO_POLICY = [
    ("'clever'", "HV024"),
    ("''", "HV024"),
    ("' smart'", "HV024"),
    ("'SMART'", "HV024"),
    ("'all; DROP SCHEMA mine'", "HV024"),
    ("repeat('x', 1000000)", "HV024"),
    ("named_limit => -1", "HV024"),
    ("unnamed_limit => -1", "HV024"),
    ("unnamed_max_age_hours => -1", "HV024"),
    ("recent_limit => -2147483648", "HV024"),
    ("recent_max_age_days => -1", "HV024"),
    ("recent_max_age_days => 2147483647", "HV024"),
    ("named_limit => 2147483648", "42883"),
    ("named_limit => 'many'", "22P02"),
    ("named_limit => 1.5", "42883"),
    ("include => 'a,,b'", "HV024"),
    ("include => 'a\\'", "HV024"),
    ("exclude => ','", "HV024"),
    ("'all', exclude => 'x,'", "HV024"),
    ("'all', named_limit => 5, unnamed_limit => -5", "HV024"),
    ("session_dir => '/etc'", "42883"),
]


@pytest.fixture(scope="module")
def folder(following: Server) -> Iterator[Folder]:
    """Two attached sessions, and a third that a person took away."""
    with opened(following) as own:
        own.write("first", "CREATE TABLE t AS SELECT 1 AS a")
        own.copy("first", "second", "third")
        own.sync()
        own.db.execute(DETACH, ["third"])
        assert set(own.attached()) == {"first", "second"}
        yield own


def state(folder: Folder) -> list[Any]:
    """All that these functions could change."""
    queries = (
        "SELECT array_agg((oid, xmin)::text ORDER BY oid) FROM pg_namespace",
        "SELECT array_agg((oid, xmin)::text ORDER BY oid) FROM pg_class",
        "SELECT array_agg(a::text ORDER BY schema_name) FROM rvbbit.attachment AS a",
        "SELECT array_agg(d::text ORDER BY session_id) FROM rvbbit.detachment AS d",
        "SELECT array_agg(s::text ORDER BY name) FROM rvbbit.settings AS s",
    )
    return [folder.one(query) for query in queries]


def refused(folder: Folder, statement: str, arguments: list[Any] | None = None) -> psycopg.Error:
    """The error that a statement ends with: one that a person can read; nothing has changed."""
    before = state(folder)
    with pytest.raises(psycopg.Error) as caught:
        folder.db.execute(statement, arguments)
    assert state(folder) == before
    told = caught.value.diag
    assert not (told.sqlstate or "XX").startswith("XX")
    shown = [told.message_primary or "", told.message_detail or "", told.message_hint or ""]
    assert max(len(text) for text in shown) < 300
    given = [str(argument)[:100] for argument in arguments or []]
    assert [text for text in shown if "/sessions" in text and not any(g in text for g in given)] == []
    return caught.value


@pytest.mark.parametrize("session", NO_ID, ids=lambda session: ascii(session)[:30])
def test_no_session(folder: Folder, session: str | None) -> None:
    expected = {None: "22004", "": "22023"}.get(session, "HV00Q")
    assert refused(folder, ATTACH, [session, None]).sqlstate == expected
    assert refused(folder, ATTACH, [session, "alias"]).sqlstate == expected
    assert refused(folder, DETACH, [session]).sqlstate == expected


def test_no_text_at_all(folder: Folder) -> None:
    assert refused(folder, "SELECT rvbbit_attach_session(E'first\\x80')").sqlstate == "22021"
    assert refused(folder, "SELECT rvbbit_attach_session(1)").sqlstate == "42883"
    assert refused(folder, "SELECT rvbbit_attach_session()").sqlstate == "42883"


@pytest.mark.parametrize(("alias", "sqlstate"), NO_ALIAS, ids=lambda value: ascii(value)[:30])
def test_no_alias(folder: Folder, alias: str, sqlstate: str) -> None:
    """Neither for a session that is attached (it would be renamed) nor for one that is not."""
    for session in ("first", "third"):
        error = refused(folder, ATTACH, [session, alias])
        assert error.sqlstate == sqlstate
        assert error.diag.message_hint


@pytest.mark.parametrize(("arguments", "sqlstate"), NO_POLICY, ids=lambda value: ascii(value)[:40])
def test_no_policy(folder: Folder, arguments: str, sqlstate: str) -> None:
    assert refused(folder, f"SELECT * FROM rvbbit.set_policy({arguments})").sqlstate == sqlstate


def test_one_bad_id_among_many(folder: Folder) -> None:
    """A query over many ids does all or nothing."""
    ids = "unnest(ARRAY['third', 'first', 'no such session']) AS id"
    assert refused(folder, f"SELECT rvbbit_attach_session(id) FROM {ids}").sqlstate == "HV00Q"
    assert refused(folder, f"SELECT rvbbit_detach_session(id) FROM {ids}").sqlstate == "HV00Q"


def test_all_is_as_it_was(folder: Folder) -> None:
    assert folder.plan() == set()
    assert folder.rows("SELECT a FROM first.t") == [(1,)]
