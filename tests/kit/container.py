"""The image as tests run it: hardened as in docker/compose.yaml, on a port of its own, gone afterwards."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq
from testcontainers.core.container import DockerContainer

from tests.kit.host import DEFAULT_IMAGE
from tests.kit.writers import RVBBIT_VERSION, interpreter

ROOT = Path(__file__).parents[2]
IMAGE = os.environ.get("RVBBIT_IMAGE") or DEFAULT_IMAGE
PASSWORD = "rvbbit"
DATA = "/var/lib/postgresql/data"

# What no statement may leave in the server's log.
DISASTER = re.compile(r"was terminated by signal|PANIC|Traceback")

HARDENED: Mapping[str, Any] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "cap_add": ["CHOWN", "FOWNER", "SETGID", "SETUID"],
    "security_opt": ["no-new-privileges:true"],
    "shm_size": "256m",
    # Tests run the image's check themselves; every ten seconds in each container it costs much.
    "healthcheck": {"test": ["NONE"]},
}
TMPFS = {"/run/postgresql": "uid=999,gid=999,mode=3777", "/tmp": "mode=1777"}


@dataclass
class Server:
    """A running server over a folder of sessions."""

    container: DockerContainer
    session_dir: Path
    allowed: list[str] = field(default_factory=list)
    _address: tuple[str, int] | None = None
    _read_until: str = ""

    def connect(
        self, user: str = "rvbbit", dbname: str = "rvbbit", password: str = PASSWORD, **options: Any
    ) -> psycopg.Connection:
        """A connection over TCP, in autocommit mode; options are those of libpq."""
        options |= {"user": user, "dbname": dbname, "password": password}
        known = self._address
        self._address = known or self._ask_address()
        try:
            return _connection(self._address, options)
        except psycopg.OperationalError:
            # A container that was started again has another port.
            self._address = self._ask_address()
            if self._address == known or known is None:
                raise
        return _connection(self._address, options)

    def _ask_address(self) -> tuple[str, int]:
        """Where the engine says that the server is: two questions to it, as long as a connection takes."""
        return self.container.get_container_host_ip(), int(self.container.get_exposed_port(5432))

    def run(self, *command: str, user: str = "root") -> str:
        """Run a command in the container and give its output; AssertionError if it fails."""
        code, output = self.container.get_wrapped_container().exec_run(list(command), user=user)
        text = str(output.decode())
        assert code == 0, text
        return text

    def feed(self, command: str, text: str) -> str:
        """Run a command in the container with this as its input; its output, AssertionError if it fails."""
        wrapped = self.container.get_wrapped_container()
        process = ["docker", "exec", "--interactive", str(wrapped.id), *command.split()]
        result = subprocess.run(process, input=text, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
        return result.stdout + result.stderr

    def memory_kb(self) -> int:
        """Memory of all processes in kB; what several share counts once."""
        script = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {s += $2} END {print s}'"
        return int(self.run("bash", "-c", script, user="postgres"))

    def log(self) -> str:
        """All that the server and the entrypoint wrote."""
        return str(self.container.get_wrapped_container().logs().decode())

    def whole_log(self, seconds: float = 60) -> str:
        """The log with all that was written until now: it comes to the engine a moment later."""
        mark, until = f"the log so far {secrets.token_hex(8)}", time.monotonic() + seconds
        with self.connect(user="postgres") as db:
            db.execute(f"DO $$ BEGIN RAISE LOG '{mark}'; END $$".encode())
        while mark not in (log := self.log()):
            assert time.monotonic() < until, log[-4000:]
            time.sleep(0.02)
        return log

    def news(self) -> str:
        """What they wrote since this was last asked; the engine need not read the log from its start."""
        since = _seconds(self._read_until)
        told = self.container.get_wrapped_container().logs(timestamps=True, since=since).decode()
        stamped = [line.partition(" ") for line in told.splitlines()]
        new = [(when, text) for when, _, text in stamped if when > self._read_until]
        self._read_until = max((when for when, _ in new), default=self._read_until)
        return "\n".join(text for _, text in new)

    def disasters(self, log: str) -> list[str]:
        """Lines of a log that tell of a crash, except those that the test announced by allow()."""
        told = [line for line in log.splitlines() if DISASTER.search(line)]
        return [line for line in told if not any(text in line for text in self.allowed)]

    def allow(self, *texts: str) -> None:
        """Announce lines of the log that this test provokes."""
        self.allowed.extend(texts)

    def restart(self) -> None:
        """As "docker restart" does."""
        self.container.get_wrapped_container().restart(timeout=60)
        wait_until_healthy(self.container)


def _connection(address: tuple[str, int], options: Mapping[str, Any]) -> psycopg.Connection:
    host, port = address
    return psycopg.connect(host=host, port=port, autocommit=True, **options)


def _seconds(stamp: str) -> float | None:
    """The moment of one of the engine's time stamps, in seconds since 1970."""
    return datetime.fromisoformat(stamp[:26] + "+00:00").timestamp() if stamp else None


def wait_until_healthy(container: DockerContainer, seconds: float = 300) -> None:
    """Wait until the image's own health check passes; TimeoutError with the log if it does not."""
    wrapped, until = container.get_wrapped_container(), time.monotonic() + seconds
    while time.monotonic() < until:
        wrapped.reload()
        if wrapped.status != "running":
            break
        with suppress(OSError):  # its end came in between
            if _answers(container, wrapped.attrs) and _is_healthy(wrapped):
                return
        time.sleep(0.1)
    message = f"the server is not healthy, its container is {wrapped.status}:\n{wrapped.logs().decode()}"
    raise TimeoutError(message)


def _answers(container: DockerContainer, attributes: Mapping[str, Any]) -> bool:
    """Does the server take connections? That is cheaper to ask than its health."""
    published = (attributes["NetworkSettings"]["Ports"] or {}).get("5432/tcp")
    if not published:
        return True
    address = f"host={container.get_container_host_ip()} port={published[0]['HostPort']} connect_timeout=2"
    return pq.PGconn.ping(address.encode()) == pq.Ping.OK


def _is_healthy(wrapped: Any) -> bool:
    return bool(wrapped.exec_run(["/opt/rvbbit/healthcheck.sh"]).exit_code == 0)


@contextmanager
def container(
    *command: str,
    image: str = IMAGE,
    environment: Mapping[str, str] | None = None,
    volumes: Sequence[tuple[str, str, str]] = (),
    **options: Any,
) -> Iterator[DockerContainer]:
    """A container of the image that is started and, whatever happens, removed with its volumes."""
    made = DockerContainer(image, env=dict(environment or {}))
    if command:
        made.with_command(list(command))
    made.with_kwargs(**{**HARDENED, **options}).with_exposed_ports(5432)
    made.tmpfs.update(TMPFS)
    for host, inside, mode in volumes:
        made.with_volume_mapping(host, inside, mode)
    try:
        yield made.start()
    finally:
        made.stop()


@contextmanager
def serving(
    session_dir: Path,
    *command: str,
    image: str = IMAGE,
    environment: Mapping[str, str] | None = None,
    volumes: Sequence[tuple[str, str, str]] = (),
    **options: Any,
) -> Iterator[Server]:
    """A server over a folder, ready for its first query."""
    mounts = [(str(session_dir), "/sessions", "ro"), *volumes]
    settings = {"RVBBIT_PASSWORD": PASSWORD, **(environment or {})}
    with container(*command, image=image, environment=settings, volumes=mounts, **options) as made:
        wait_until_healthy(made)
        yield Server(made, session_dir)


@contextmanager
def docker_volume() -> Iterator[str]:
    """A volume that outlives containers, for the length of a block."""
    name = f"rvbbit-test-{secrets.token_hex(4)}"
    subprocess.run(["docker", "volume", "create", name], check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "volume", "rm", "--force", name], check=False, capture_output=True)


def make_certificate(folder: Path) -> Path:
    """Write server.crt for 127.0.0.1 and server.key, which only root may read, by the image's openssl."""
    files = "-keyout /f/server.key -out /f/server.crt"
    names = "-subj /CN=rvbbit -addext subjectAltName=IP:127.0.0.1"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 {names} {files} && chmod 644 /f/server.crt"
    run = ["docker", "run", "--rm", "--volume", f"{folder}:/f", "--entrypoint", "sh", IMAGE, "-c", command]
    subprocess.run(run, check=True, capture_output=True)
    folder.chmod(0o755)
    return folder


def make_demo_sessions(folder: Path) -> Path:
    """Write the demo sessions, as "make demo" does, readable by the server's user."""
    command = [interpreter(RVBBIT_VERSION), "-m", "rvbbit_demo.sessions", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT / "fdw")
    folder.chmod(0o755)
    return folder


def image_with(addition: str) -> str:
    """The image with what a recipe of this folder adds; from the second time on Docker's cache has it."""
    recipe = ROOT / "tests" / "kit" / f"{addition}.Dockerfile"
    tag = f"{IMAGE.partition(':')[0]}-{addition.replace('_', '-')}:latest"
    arguments = ["--build-arg", f"IMAGE={IMAGE}"]
    for name in ("DEBIAN_MIRROR", "DEBIAN_SECURITY_MIRROR"):
        arguments += ["--build-arg", name] if name in os.environ else []
    command = ["docker", "build", *arguments, "--file", str(recipe), "--tag", tag, str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return tag
