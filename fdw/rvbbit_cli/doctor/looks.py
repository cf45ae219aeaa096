"""How each fault is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from rvbbit_cli import contents
from rvbbit_cli.doctor.patient import Listed, Patient, Unknown
from rvbbit_cli.failures import Failure
from rvbbit_cli.screen import age, plural, size

_PATIENCE = timedelta(minutes=3)
_PROBED_BYTES = 256 << 20
_NAMED = 5
_DENIED = "ermission denied"
_STORE = "snapshot store"


@dataclass(frozen=True)
class Found:
    """What a check came to: `good` if all is well, else findings. `fix` replaces that of the table."""

    good: str = ""
    findings: Sequence[str] = ()
    fix: str | None = None


def port(patient: Patient) -> Found:
    """What answers there, if anything does."""
    failure = patient.failure
    if failure is None:
        version = str(patient.server.info.parameter_status("server_version")).partition(" ")[0]
        return Found(f"{patient.place} answers, PostgreSQL {version}")
    return Found(findings=[failure.message, *([failure.detail] if failure.detail else [])], fix=failure.hint)


def folder(patient: Patient) -> Found:
    """Whether the server sees sessions, and those that this machine sees."""
    listing = patient.listing
    if isinstance(listing, psycopg.Error):
        message = listing.diag.message_primary or str(listing)
        if _DENIED in message:
            raise Unknown("the server may not read it: see permissions")
        return Found(findings=[message])
    if not listing:
        return Found(findings=["the server lists no session", *_local_remarks(patient)])
    files = _files_here(patient)
    if files and not files & {session.session_id for session in listing}:
        return Found(
            findings=[f"the server serves another folder than {patient.folder}: no session is in both"]
        )
    return Found(f"{plural(len(listing), 'session')}")


def _local_remarks(patient: Patient) -> list[str]:
    files, folder = _files_here(patient), patient.folder
    if files:
        return [f"{folder} has {plural(len(files), 'session')}: it is not what the server has mounted"]
    if folder == Path("/sessions") and not folder.is_mount():
        return [f"nothing is mounted at {folder}"]
    return []


def _files_here(patient: Patient) -> set[str]:
    try:
        return set(patient.files)
    except Unknown:
        return set()


def permissions(patient: Patient) -> Found:
    """What the server may not read."""
    listing = patient.listing
    if isinstance(listing, psycopg.Error):
        message = listing.diag.message_primary or str(listing)
        if _DENIED not in message:
            raise Unknown("the server cannot read its folder")
        return Found(findings=[message + _owner(patient.folder)])
    denied = [session for session in listing if _DENIED in (session.error or "")]
    return Found("every file can be read", _told(denied, lambda session: _owner_of(patient, session)))


def _owner_of(patient: Patient, session: Listed) -> str:
    try:
        file = patient.files.get(session.session_id)
    except Unknown:
        return ""
    return "" if file is None else _owner(Path(file.path))


def _owner(path: Path | None) -> str:
    """Mode and owner, if this machine sees the file."""
    try:
        status = None if path is None else path.stat()
    except OSError:
        return ""
    return f" ({status.st_mode & 0o777:o} of uid {status.st_uid}, gid {status.st_gid})" if status else ""


def newer(patient: Patient) -> Found:
    """Sessions of a DuckDB that is newer than the server's."""
    listed = patient.listed()
    return Found("none", _told(session for session in listed if session.state == "newer"))


def damaged(patient: Patient) -> Found:
    """Sessions that nothing can read."""
    states = {"corrupt", "encrypted", "unreadable"}
    bad = [s for s in patient.listed() if s.state in states and _DENIED not in (s.error or "")]
    known = {session.session_id for session in bad}
    bad += [
        Listed(name, "ready", text)
        for name, text in _problems(patient).items()
        if "damaged" in text and name not in known
    ]
    return Found("none", _told(bad))


def _problems(patient: Patient) -> dict[str, str]:
    """What keeps sync from sessions."""
    found: dict[str, str] = patient.one("SELECT COALESCE(problems, '{}') FROM rvbbit.sync_status")[0]
    return found


def orphans(patient: Patient) -> Found:
    """Write-ahead logs that stand alone."""
    names = patient.orphans()
    return Found("none", _first(names, len(names)))


def sync(patient: Patient) -> Found:
    """When the last sync was, and what may keep the next from coming."""
    standby, uptime, ago, attached, has_cron = patient.one("""
        SELECT pg_is_in_recovery(), now() - pg_postmaster_start_time(), now() - last_run, attached,
               EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') FROM rvbbit.sync_status""")
    if standby:
        return Found("a standby: the primary syncs")
    if ago is not None and ago <= _PATIENCE:
        return Found(f"last seen {age(ago)} ago; {plural(attached, 'session')} attached")
    if ago is None and has_cron and uptime <= _PATIENCE:
        return Found(f"not yet: the server started {age(uptime)} ago")
    findings = ["no sync has ever run" if ago is None else f"the last sync was {age(ago)} ago"]
    findings += [] if has_cron else ["the extension pg_cron is not in this database"]
    return Found(findings=findings + (_job(patient) if has_cron else []))


def _job(patient: Patient) -> list[str]:
    """What is wrong with the job, as far as this login may see it."""
    see_all = patient.one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")[0]
    if not see_all:
        return []
    (active,) = patient.one("SELECT bool_or(active) FROM cron.job WHERE command ILIKE '%rvbbit.sync%'")
    return {None: ["pg_cron has no job that calls it"], False: ["its job is switched off"]}.get(active, [])


def locale(patient: Patient) -> Found:
    """How the database sorts text."""
    provider, name = patient.one("""
        SELECT datlocprovider::text, CASE datlocprovider WHEN 'c' THEN datcollate
               ELSE COALESCE(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') END
        FROM pg_database AS d WHERE datname = current_database()""")
    kind = {"b": "builtin", "c": "libc", "i": "icu"}.get(provider, provider)
    if provider == "b" or (provider == "c" and name in {"C", "POSIX"}):
        return Found(f"{kind} {name}")
    return Found(findings=[f"the database's locale is {kind} {name}"])


def store(patient: Patient) -> Found:
    """Whether copies of sessions find room."""
    (count, held) = patient.one("SELECT count(*), COALESCE(sum(size_bytes), 0)::bigint FROM rvbbit.snapshots")
    findings = [f"{name}: {text}" for name, text in _problems(patient).items() if _STORE in text]
    findings = findings or _probe(patient)
    return Found(f"{plural(count, 'copy').replace('copys', 'copies')}, {size(held)}", findings)


def _probe(patient: Patient) -> list[str]:
    """Copy the largest session up to 256 MB that has no copy now, by reading a row of it."""
    row = patient.server.execute(
        """
        SELECT s.session_id FROM public.rvbbit_sessions AS s
        WHERE s.state IN ('ready', 'live') AND s.size_bytes + s.wal_bytes <= %s
          AND NOT EXISTS (SELECT FROM rvbbit.snapshots AS c
                          WHERE c.session_id = s.session_id AND c.is_current)
        ORDER BY s.size_bytes + s.wal_bytes DESC LIMIT 1""",
        [_PROBED_BYTES],
    ).fetchone()
    return [] if row is None else _read_one(patient.server, row[0])


def _read_one(connection: psycopg.Connection[tuple[object, ...]], session_id: str) -> list[str]:
    told: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        told.append(f"{notice.message_primary} {notice.message_detail or ''}")

    connection.add_notice_handler(hear)
    try:
        query = "SELECT error FROM public.rvbbit_sessions WHERE session_id = %s AND table_count IS NULL"
        told += [str(row[0]) for row in connection.execute(query, [session_id])]
        query = """SELECT table_name FROM public.rvbbit_tables
                   WHERE session_id = %s AND schema_name = 'main' AND kind = 'table' LIMIT 1"""
        for (table,) in connection.execute(query, [session_id]).fetchall():
            with contents.visible(connection, session_id, str(table)) as relation:
                connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(relation))
    except psycopg.Error as error:
        told.append(error.diag.message_primary or "")
    except Failure as failure:
        told.append(failure.message)
    finally:
        connection.remove_notice_handler(hear)
    return [f"{session_id}: {text.strip()}" for text in told if _STORE in text]


def version(patient: Patient) -> Found:
    """The extensions and the files that they come from."""
    rows = patient.server.execute("""
        SELECT e.extname, e.extversion, a.default_version
        FROM pg_extension AS e JOIN pg_available_extensions AS a ON a.name = e.extname
        WHERE e.extname IN ('rvbbit_fdw', 'rvbbit') ORDER BY 1""").fetchall()
    behind = [
        f"{name} is at {has}, the server's files are of {wants}" for name, has, wants in rows if has != wants
    ]
    return Found(f"{', '.join(f'{name} {has}' for name, has, _ in rows)}", behind)


def _told(sessions: Iterable[Listed], more: Callable[[Listed], str] = lambda _: "") -> list[str]:
    bad = list(sessions)
    return _first([f"{s.session_id}: {s.error or s.state}{more(s)}" for s in bad[:_NAMED]], len(bad))


def _first(texts: Sequence[str], count: int) -> list[str]:
    """The first few, and how many more there are."""
    few = list(texts[:_NAMED])
    return [*few, f"and {count - len(few):,} more"] if count > len(few) else few
