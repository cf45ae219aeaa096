"""Where the server is, and what is said when it is not there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rvbbit_cli.connection import parameters
from rvbbit_cli.failures import Failure
from tests.kit.cli import Cli

DEFAULT = {"host": "127.0.0.1", "port": "5433", "dbname": "rvbbit", "user": "rvbbit", "password": "rvbbit"}
URL = "postgresql://me:mine@db:1234/other"

# The DSN, the environment, and what differs from the default; "-" is left to libpq.
SOURCES = [
    ("", {}, {}),
    (URL, {}, {"host": "db", "port": "1234", "dbname": "other", "user": "me", "password": "mine"}),
    ("", {"RVBBIT_DSN": "host=h dbname=d"}, {"host": "h", "dbname": "d", "port": "-", "password": "-"}),
    ("port=5544", {}, {"port": "5544"}),
    ("port=5544", {"RVBBIT_DSN": URL}, {"port": "5544"}),
    ("", {"RVBBIT_PORT": "5544", "RVBBIT_PASSWORD": "p"}, {"port": "5544", "password": "p"}),
    ("", {"PGPORT": "5544"}, {"port": "-"}),
    ("", {"PGHOST": "db"}, {"host": "-", "port": "-", "password": "-"}),
    ("host=db", {}, {"host": "db", "port": "-", "password": "-"}),
    ("user=me", {}, {"user": "me", "password": "-"}),
    ("", {"PGPASSWORD": "p"}, {"password": "-"}),
    ("", {"PGPASSFILE": "/p"}, {"password": "-"}),
    ("", {"PGDATABASE": "other", "PGUSER": "me"}, {"dbname": "-", "user": "-", "password": "-"}),
    ("service=x", {}, dict.fromkeys(DEFAULT, "-")),
    ("", {"PGSERVICE": "x"}, dict.fromkeys(DEFAULT, "-")),
]  # fmt: skip


@pytest.mark.parametrize(("dsn", "variables", "differs"), SOURCES)
def test_sources(dsn: str, variables: dict[str, str], differs: dict[str, str]) -> None:
    found = parameters(dsn, variables)
    expected = {name: value for name, value in (DEFAULT | differs).items() if value != "-"}
    assert {name: found[name] for name in DEFAULT if name in found} == expected


@pytest.mark.parametrize(
    "dsn",
    [
        "secret words",
        "password='secret",
        "postgresql://u:secret@h:port:port/",
        "postgresql://u:p@secret@127.0.0.1/db",
        "postgresql://u:p/secret@127.0.0.1/db",
        "postgresql://u:1/secret@127.0.0.1/db",
    ],
)
def test_a_dsn_that_is_none_is_not_shown(dsn: str) -> None:
    with pytest.raises(Failure) as caught:
        parameters(dsn, {})
    assert "secret" not in f"{caught.value.message} {caught.value.detail} {caught.value.hint}"
    assert caught.value.exit_code == 2


@contextmanager
def listening(answer: bytes) -> Iterator[int]:
    """A program that is no PostgreSQL, on a port of its own; it answers and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1024)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        said = Cli(f"postgresql://rvbbit:secret@127.0.0.1:{probe.getsockname()[1]}/rvbbit").fails(
            3, "sessions"
        )
    assert "no server listens there" in said
    assert 'hint: "make up" starts a server' in said
    assert "secret" not in said


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"SSH-2.0-x\r\n"])
def test_another_program_has_the_port(answer: bytes) -> None:
    with listening(answer) as port:
        said = Cli(f"postgresql://rvbbit:secret@127.0.0.1:{port}/rvbbit").fails(3, "sessions")
    assert f"could not connect to 127.0.0.1:{port}: what listens there" in said
    assert "hint: Another program has that port" in said
    assert "secret" not in said


def test_a_host_that_is_not_known() -> None:
    said = Cli("postgresql://rvbbit:secret@nowhere.invalid/rvbbit").fails(3, "sessions")
    assert said.startswith("error: could not connect to nowhere.invalid:5432: the host is not known")


def test_doctor_finds_that_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        cli = Cli(f"port={probe.getsockname()[1]}")
        lines = {line["check"]: line for line in cli.json("doctor")}
        assert cli("doctor").returncode == 1
    assert lines["port"]["status"] == "fault"
    assert "make up" in lines["port"]["fix"]
    assert {line["status"] for name, line in lines.items() if name != "port"} == {"unknown"}


def test_doctor_finds_another_program() -> None:
    with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        lines = {line["check"]: line for line in Cli(f"port={port}").json("doctor")}
    assert lines["port"]["status"] == "fault"
    assert "RVBBIT_PORT=" in lines["port"]["fix"]
