"""What a server must do with broken sessions: list each, read or refuse each, and go on."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psycopg
from psycopg import sql

from tests.kit.container import Server
from tests.torture.corpus import IMPOSTORS, Seeds, damaged

STATES = {"ready", "live", "empty", "corrupt", "encrypted", "newer", "unreadable"}
REFUSALS = {"HV00N", "HV00Q"}
GOOD = "zz-good"
_BATCH = 50
_TABLES = "SELECT foreign_table_name FROM information_schema.foreign_tables WHERE foreign_table_schema = %s"
# A statement over one broken session ends within this time or hangs.
_TIMEOUT = "20s"


@dataclass
class Outcome:
    """How many files were tried, what was wrong with them, and how the server took it."""

    tried: int = 0
    damages: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    read: int = 0


def try_corpus(server: Server, seeds: Seeds, count: int, seed: int) -> Outcome:
    """Put `count` broken sessions into the server's folder, batch by batch; AssertionError on any fault."""
    outcome, rng = Outcome(), Random(seed)
    shutil.copyfile(seeds.closed[0], server.session_dir / f"{GOOD}.duckdb")
    while outcome.tried < count:
        made = [
            _make(rng, seeds, server.session_dir, outcome) for _ in range(min(_BATCH, count - outcome.tried))
        ]
        with server.connect() as db:
            db.execute(sql.SQL("SET statement_timeout = {}").format(_TIMEOUT))
            pid = db.info.backend_pid
            _list(db, made, outcome)
            for path in made:
                _read(db, path.name.removesuffix(".duckdb"), outcome)
            row = db.execute("SELECT pg_backend_pid()").fetchone()
            assert row == (pid,)
        for path in server.session_dir.glob("zz-bad-*"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return outcome


def _make(rng: Random, seeds: Seeds, folder: Path, outcome: Outcome) -> Path:
    outcome.tried += 1
    path = folder / f"zz-bad-{outcome.tried}.duckdb"
    if rng.random() < 0.1:
        name = rng.choice(list(IMPOSTORS))
        IMPOSTORS[name](path)
    else:
        name = damaged(rng, seeds, path)
    outcome.damages[name] += 1
    return path


def _list(db: psycopg.Connection, made: list[Path], outcome: Outcome) -> None:
    """All are listed, or not at all if they are no files; none hides the good one."""
    query = "SELECT session_id, state, table_count, error FROM rvbbit_sessions WHERE session_id LIKE 'zz-%'"
    rows = {row[0]: row[1:] for row in db.execute(query)}
    assert rows.pop(GOOD) == ("ready", 4, None)
    files = {path.name.removesuffix(".duckdb") for path in made if path.is_file() and not path.is_symlink()}
    assert files <= set(rows)
    for session, (state, tables, error) in rows.items():
        outcome.states[state] += 1
        assert state in STATES, session
        assert tables is not None or error, (session, state)
        assert "/" not in (error or ""), (session, error)


def _read(db: psycopg.Connection, session: str, outcome: Outcome) -> None:
    schema = sql.Identifier(f"torture {session}")
    started = time.monotonic()
    try:
        with db.transaction():
            db.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
            remote = sql.Identifier(session)
            db.execute(sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}").format(remote, schema))
            for (table,) in db.execute(_TABLES, [f"torture {session}"]).fetchall():
                db.execute(sql.SQL("SELECT * FROM {}.{}").format(schema, sql.Identifier(table))).fetchall()
            raise psycopg.Rollback
    except psycopg.Rollback:
        outcome.read += 1
    except psycopg.Error as error:
        _judge(session, error, outcome)
    else:
        outcome.read += 1
    assert time.monotonic() - started < 20, session


def _judge(session: str, error: psycopg.Error, outcome: Outcome) -> None:
    assert error.sqlstate in REFUSALS, (session, error.sqlstate, error)
    outcome.refused[error.sqlstate or ""] += 1
    shown = f"{error.diag.message_primary} {error.diag.message_detail} {error.diag.message_hint}"
    assert not [word for word in ("/sessions", "/var/lib", "Traceback", ".py", "0x") if word in shown], shown
