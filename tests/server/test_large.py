"""A session that takes a moment to copy; tests/long/torture has one of several GB."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.kit.container import serving
from tests.torture.large import Large, copies, signal
from tests.torture.store import copied_bytes

pytestmark = pytest.mark.server

# Generous beside the 200 ms that are promised: the machine that runs the tests may be busy.
SOON = 1.0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    """A session of 160 MB on a server of its own, whose store the tests empty."""
    folder = tmp_path_factory.mktemp("large")
    folder.chmod(0o755)
    with serving(folder, "postgres", "-c", "cron.launch_active_jobs=off") as own:
        made = Large(own, pieces=4)
        made.prepare()
        yield made
        assert own.disasters(own.log()) == []


@pytest.fixture
def superuser(large: Large) -> Iterator[psycopg.Connection]:
    with large.server.connect(user="postgres") as connection:
        yield connection


@pytest.fixture
def db(large: Large) -> Iterator[psycopg.Connection]:
    with large.server.connect() as connection:
        yield connection


def test_others_go_on_while_it_is_copied(
    large: Large, db: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    """The process that copies is stopped meanwhile, so that the copy cannot be done before they are."""
    assert any(others_went_on(large, db, superuser) for _ in range(10))


def others_went_on(large: Large, db: psycopg.Connection, superuser: psycopg.Connection) -> bool:
    """False if the copy was done before its process could be stopped."""
    with large.copying(db, superuser) as under_way:
        signal(superuser, "STOP", under_way.pid)
        try:
            stopped_in_time = copied_bytes(superuser) > 0
            if stopped_in_time:
                large.others()
                assert copied_bytes(superuser) > 0
        finally:
            signal(superuser, "CONT", under_way.pid)
    assert under_way.ended == [None]
    return stopped_in_time


def test_a_cancelled_copy_leaves_nothing(
    large: Large, db: psycopg.Connection, superuser: psycopg.Connection
) -> None:
    with large.copying(db, superuser) as under_way:
        asked = time.monotonic()
        superuser.execute("SELECT pg_cancel_backend(%s)", [under_way.pid])
    assert isinstance(under_way.ended[0], psycopg.errors.QueryCanceled)
    assert under_way.ended_at - asked < SOON
    large.assert_nothing_is_left(superuser)


def test_it_is_copied_once(large: Large, db: psycopg.Connection) -> None:
    large.forget()
    before = copies(db)
    large.assert_copied_once(db)
    assert copies(db) == before + 1


def test_a_limit_below_its_size_keeps_what_one_statement_needs(
    large: Large, superuser: psycopg.Connection
) -> None:
    """Nothing else stays in the store then."""
    with limited(large, superuser, "64MB"):
        large.forget()
        with large.server.connect() as db:
            large.assert_copied_once(db)
            assert db.execute("SELECT count(*) FROM rvbbit.snapshots").fetchone() == (1,)


@contextmanager
def limited(large: Large, superuser: psycopg.Connection, size: str) -> Iterator[None]:
    """New connections give the store that limit."""
    superuser.execute(f"ALTER SYSTEM SET rvbbit.snapshot_limit = '{size}'".encode())
    superuser.execute("SELECT pg_reload_conf()")
    while limit_of_a_new_connection(large) != size:
        pass
    yield
    superuser.execute("ALTER SYSTEM RESET rvbbit.snapshot_limit")
    superuser.execute("SELECT pg_reload_conf()")


def limit_of_a_new_connection(large: Large) -> str:
    with large.server.connect() as db:
        row = db.execute("SHOW rvbbit.snapshot_limit").fetchone()
        return row[0] if row else ""
