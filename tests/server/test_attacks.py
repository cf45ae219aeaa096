"""What a session stores, against a real server: nothing of it shows the server, a setting or a neighbour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest
from psycopg import sql

from tests.kit.container import Server
from tests.torture.attacks import NEIGHBOUR, OTHERS, OWN, SECRET, VIEWS

pytestmark = pytest.mark.server

ALL_VIEWS = "attacks_of_views"
LEAKS = (SECRET, "/sessions", "/secrets", "/var/lib", "root:")
ATTACKS = [(ALL_VIEWS, name) for name in VIEWS] + [(f"attack_{name}", "v") for name in OTHERS]


@pytest.fixture(scope="module")
def attackers(server: Server) -> Iterator[Server]:
    """Their sessions, and the neighbour's."""
    folder = server.session_dir
    with duckdb.connect(str(folder / "neighbour.duckdb")) as con:
        for statement in NEIGHBOUR:
            con.execute(statement)
    views = [f'CREATE VIEW "{name}" AS {text}' for name, text in VIEWS.items()]
    write(folder, ALL_VIEWS, [OWN, *views])
    for name, statements in OTHERS.items():
        write(folder, f"attack_{name}", [OWN, *statements])
    yield server
    for path in (folder / "neighbour.duckdb", *folder.glob("attack*_*.duckdb")):
        path.unlink()


def write(folder: Path, session: str, statements: list[str]) -> None:
    """Make a session while the neighbour is attached, as whoever attacks would."""
    with duckdb.connect(str(folder / f"{session}.duckdb")) as con:
        con.execute(f"ATTACH '{folder / 'neighbour.duckdb'}' AS neighbour (READ_ONLY)")
        for statement in statements:
            con.execute(statement.replace("attacker.", f"{session}."))


def leaks(seen: object) -> list[str]:
    """What of the server shows in what was seen."""
    return [secret for secret in LEAKS if secret in str(seen)]


@pytest.mark.parametrize("session", [ALL_VIEWS, *(f"attack_{name}" for name in OTHERS)])
def test_an_import_leaves_the_attack_out(
    attackers: Server, db: psycopg.Connection, schema: str, session: str
) -> None:
    notices: list[str] = []
    db.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
    command = sql.SQL("IMPORT FOREIGN SCHEMA {} FROM SERVER rvbbit INTO {}")
    db.execute(command.format(sql.Identifier(session), sql.Identifier(schema)))
    query = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace ORDER BY 1"
    imported = {name for (name,) in db.execute(query, [f'"{schema}"'])}
    attacks = {name for of, name in ATTACKS if of == session}
    assert imported & attacks == set()
    assert "t" in imported
    assert {
        name for name in attacks if any(f'"{name}" of session' in notice for notice in notices)
    } == attacks
    assert leaks(notices) == []


@pytest.mark.parametrize(("session", "relation"), ATTACKS)
def test_a_table_declared_by_hand_shows_nothing(
    attackers: Server, db: psycopg.Connection, schema: str, session: str, relation: str
) -> None:
    """The neighbour is read by the same statement, so it is attached meanwhile."""
    name = {"s": sql.Identifier(schema)}
    for table, column, of, remote in [("v", "k", session, relation), ("n", "i", "neighbour", "t")]:
        declaration = (
            "CREATE FOREIGN TABLE {s}.{t} ({c} text) SERVER rvbbit OPTIONS (session {of}, table_name {r})"
        )
        db.execute(
            sql.SQL(declaration).format(
                t=sql.Identifier(table), c=sql.Identifier(column), of=of, r=remote, **name
            )
        )
    with pytest.raises(psycopg.Error) as caught:
        db.execute(sql.SQL("SELECT i FROM {s}.n UNION ALL SELECT k FROM {s}.v").format(**name)).fetchall()
    assert caught.value.sqlstate == "42501"
    diagnosis = caught.value.diag
    assert leaks([diagnosis.message_primary, diagnosis.message_detail, diagnosis.message_hint]) == []
