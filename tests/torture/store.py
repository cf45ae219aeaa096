"""What the snapshot store of a server holds that is no snapshot, and how a copy in the making is seen."""

from __future__ import annotations

import time
from typing import Final

import psycopg

from tests.kit.container import Server

STORE: Final = "/var/lib/rvbbit"
_BUILDING: Final = f"{STORE}/building"

COPIED: Final = f"""
    SELECT COALESCE(max((pg_stat_file('{_BUILDING}/' || name || '/db', true)).size), 0)
    FROM pg_ls_dir('{_BUILDING}', true, false) AS name"""
"""Bytes that the largest copy in the making has of its database, for a superuser; 0 if there is none."""


def copied_bytes(superuser: psycopg.Connection) -> int:
    """How far the largest copy in the making has come."""
    row = superuser.execute(COPIED.encode()).fetchone()
    assert row is not None
    return int(row[0])


def litter(server: Server, *parts: str, seconds: float = 10) -> list[str]:
    """What lies in these parts of the store; waits a while for it to go."""
    places = [f"{STORE}/{part}" for part in parts]
    until = time.monotonic() + seconds
    while True:
        found = server.run("find", *places, "-mindepth", "1", user="postgres").split()
        if not found or time.monotonic() > until:
            return found
        time.sleep(0.2)
