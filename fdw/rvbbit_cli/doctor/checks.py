"""The faults: how each is found, what it means and how it is mended, in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from rvbbit_cli.doctor import looks
from rvbbit_cli.doctor.looks import Found
from rvbbit_cli.doctor.patient import Patient, Unknown


@dataclass(frozen=True)
class Check:
    """A row of the table."""

    name: str
    look: Callable[[Patient], Found]
    explanation: str
    fix: str


CHECKS: Final[Sequence[Check]] = (
    Check(
        "port",
        looks.port,
        "No connection to a server of ours can be made, so nothing else can be asked.",
        '"make up" starts the server, "make up RVBBIT_PORT=5544" on another port; --dsn names one.',
    ),
    Check(
        "folder",
        looks.folder,
        "The server shows the files *.duckdb of one folder, which is mounted at /sessions in the container.",
        '"make up SESSION_DIR=/path/session_dbs" serves that folder; with docker run it is -v '
        "/path/session_dbs:/sessions:ro.",
    ),
    Check(
        "permissions",
        looks.permissions,
        "The server reads as uid 999 with the folder's group; files of mode 0600 or a folder of mode 0700"
        " are closed to it.",
        'Open them: "chmod o+rX FOLDER; chmod o+r FOLDER/*.duckdb*", or give them a group that may read '
        "and restart the server.",
    ),
    Check(
        "newer",
        looks.newer,
        "A DuckDB newer than the server's wrote these files; it cannot read their storage version.",
        "Use a newer image, or write them with an older storage version (ATTACH ... (STORAGE_VERSION "
        "'v1.4.0'), then COPY FROM DATABASE).",
    ),
    Check(
        "damaged",
        looks.damaged,
        "These files are no DuckDB databases, cut short, encrypted or otherwise unreadable. Other "
        "sessions are not affected.",
        "Run the workflow again or restore the file from a copy; an encrypted one can be written anew "
        "without a key.",
    ),
    Check(
        "orphan-wal",
        looks.orphans,
        "A write-ahead log whose session file is gone: nothing can read it, and a new session of that "
        "name would meet it.",
        "Put the session's file back, or move the log away.",
    ),
    Check(
        "sync",
        looks.sync,
        "Schemas follow the folder by CALL rvbbit.sync(), in the container every 10 seconds by pg_cron. A"
        " sync leaves a sign at least once a minute.",
        "SELECT cron.alter_job(jobid, active => true) FROM cron.job WHERE jobname = 'rvbbit sync' (as "
        "postgres); without pg_cron let any scheduler call it (docs/sessions.md).",
    ),
    Check(
        "locale",
        looks.locale,
        "DuckDB sorts text by code point. Under another locale PostgreSQL does not, so that ORDER BY, < "
        "and > of texts run in PostgreSQL, which is slower.",
        "Make the database with LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0; a "
        "database keeps the locale that it was made with.",
    ),
    Check(
        "store",
        looks.store,
        "Queries read copies of sessions, kept in the snapshot store. When its file system is full, the "
        "last good copy is read, or there is none.",
        "Give /var/lib/rvbbit more space, or lower rvbbit.snapshot_limit (ALTER SYSTEM SET "
        "rvbbit.snapshot_limit = ..., then SELECT pg_reload_conf()).",
    ),
    Check(
        "version",
        looks.version,
        "The extensions in the database are of another version than the library and scripts of the server.",
        "Restart the container, or as a superuser: ALTER EXTENSION rvbbit_fdw UPDATE; ALTER EXTENSION "
        "rvbbit UPDATE; CALL rvbbit.setup();",
    ),
)


def examine(patient: Patient, check: Check) -> Found | Unknown:
    """What a check comes to; Unknown also if a statement of it fails."""
    try:
        return check.look(patient)
    except Unknown as reason:
        return reason
    except psycopg.Error as error:
        return Unknown(error.diag.message_primary or str(error).strip())
