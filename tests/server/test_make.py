"""What a newcomer meets with "make up": each failure is one sentence, and nothing is started."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.kit.container import IMAGE, ROOT, make_certificate

pytestmark = pytest.mark.server

SETTINGS = (
    "SESSION_DIR",
    "RVBBIT_ROOT",
    "RVBBIT_PORT",
    "RVBBIT_ADDRESS",
    "RVBBIT_PASSWORD",
    "RVBBIT_PROJECT",
    "RVBBIT_IMAGE",
    "RVBBIT_COMPOSE_FILE",
)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make in this checkout, with none of the caller's settings."""
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = ["make", "--no-print-directory", *arguments, f"RVBBIT_IMAGE={IMAGE}"]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def refusal(*arguments: str, **environment: str) -> str:
    """What "make up" says when it does not work: one line."""
    result = make("up", *arguments, **environment)
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture
def project() -> Iterator[str]:
    """A project of the test's own, of which nothing stays."""
    name = f"rvbbit-test-{secrets.token_hex(4)}"
    yield name
    make("down", f"RVBBIT_PROJECT={name}")
    for volume in ("data", "snapshots"):
        subprocess.run(["docker", "volume", "rm", "-f", f"{name}_{volume}"], check=False, capture_output=True)


@pytest.fixture
def tools_without_docker(tmp_path: Path) -> Path:
    """A folder with every command of the PATH but docker."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in reversed(os.get_exec_path()):
        for tool in Path(place).glob("*"):
            if not tool.name.startswith("docker"):
                link = folder / tool.name
                link.unlink(missing_ok=True)
                link.symlink_to(tool)
    return folder


def test_help_is_the_default() -> None:
    result = make()
    assert result.returncode == 0
    for target in (
        "up",
        "down",
        "psql",
        "logs",
        "demo",
        "demo-live",
        "test",
        "test-fast",
        "lint",
        "format",
        "clean",
    ):
        assert f"  make {target} " in result.stdout


def test_docker_is_not_installed(tools_without_docker: Path) -> None:
    assert "install Docker Engine" in refusal(PATH=str(tools_without_docker))


def test_the_daemon_does_not_run(tmp_path: Path) -> None:
    message = refusal(DOCKER_HOST=f"unix://{tmp_path}/docker.sock")
    assert "the Docker daemon does not answer" in message
    assert "start it" in message


def test_compose_is_missing(tools_without_docker: Path) -> None:
    if subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode == 0:
        pytest.skip("the client of this machine brings compose along")
    docker = shutil.which("docker")
    assert docker is not None
    (tools_without_docker / "docker").symlink_to(docker)
    assert "docker-compose-plugin" in refusal(PATH=str(tools_without_docker))


def test_a_named_folder_does_not_exist(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert f"the session folder {folder} does not exist" in refusal(f"SESSION_DIR={folder}")
    assert not folder.exists()


def test_a_folder_that_the_server_may_not_read(tmp_path: Path, project: str) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    message = refusal(f"SESSION_DIR={folder}", f"RVBBIT_PROJECT={project}", f"RVBBIT_PORT={free_port()}")
    assert f"the server may not read {folder}" in message
    assert "chmod o+rX" in message


def test_the_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        message = refusal(f"SESSION_DIR={tmp_path}", f"RVBBIT_PORT={port}")
    assert f"port {port} is taken" in message
    assert f"make up RVBBIT_PORT={port + 1}" in message


def test_the_port_is_no_number() -> None:
    assert "no port number" in refusal("RVBBIT_PORT=many")


def test_other_machines_need_a_password_of_ones_own(tmp_path: Path) -> None:
    message = refusal("RVBBIT_ADDRESS=0.0.0.0", f"RVBBIT_PORT={free_port()}", f"SESSION_DIR={tmp_path}")
    assert "lets other machines in" in message
    assert "RVBBIT_PASSWORD=..." in message


def test_demo_sessions_go_to_an_empty_folder_only(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = make("demo", f"DEMO_DIR={tmp_path}")
    assert result.returncode != 0
    assert "is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_tls_as_the_page_about_operations_has_it(tmp_path: Path, demo_sessions: Path, project: str) -> None:
    """Its compose file, laid over that of the project."""
    page = (ROOT / "docs" / "operations.md").read_text()
    examples = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(examples) == 1
    (tmp_path / "tls.yaml").write_text(examples[0])
    port, tls = free_port(), tmp_path / "tls"
    tls.mkdir()
    make_certificate(tls)
    settings = (f"RVBBIT_PROJECT={project}", f"RVBBIT_PORT={port}", f"TLS_DIR={tls}")
    over = f"RVBBIT_COMPOSE_FILE={tmp_path}/tls.yaml"
    result = make("up", f"SESSION_DIR={demo_sessions}", over, *settings)
    assert result.returncode == 0, result.stdout + result.stderr
    url = f"postgresql://rvbbit:rvbbit@127.0.0.1:{port}/rvbbit"
    with psycopg.connect(url, sslmode="verify-full", sslrootcert=str(tls / "server.crt")) as db:
        assert db.execute("SELECT count(*) > 30 FROM rvbbit_sessions").fetchone() == (True,)
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(url, sslmode="disable")


def test_up_again_with_another_folder(tmp_path: Path, demo_sessions: Path, project: str) -> None:
    """One server, then the same one over another folder; what it says is how to connect."""
    port, other = free_port(), tmp_path / "other sessions"
    other.mkdir()
    other.chmod(0o755)
    shutil.copy(demo_sessions / "cascade_test.duckdb", other)
    settings = (f"RVBBIT_PROJECT={project}", f"RVBBIT_PORT={port}", "RVBBIT_PASSWORD=p@ss word")
    url = f"postgresql://rvbbit:p%40ss%20word@127.0.0.1:{port}/rvbbit"
    for folder, count in ((demo_sessions, 34), (other, 1)):
        result = make("up", f"SESSION_DIR={folder}", *settings)
        assert result.returncode == 0, result.stdout + result.stderr
        assert url in result.stdout
        assert "cascade_test" in result.stdout or folder == demo_sessions
        with psycopg.connect(url) as db:
            assert db.execute("SELECT count(*) FROM rvbbit_sessions").fetchone() == (count,)
    assert make("down", *settings).returncode == 0
    volumes = subprocess.run(
        ["docker", "volume", "ls", "-q"], check=True, capture_output=True, text=True
    ).stdout
    assert f"{project}_data" in volumes.split()
