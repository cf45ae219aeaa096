"""A container with the clients that Debian has: Java and pgJDBC, psqlODBC, a browser and pgAdmin 4."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testcontainers.core.container import DockerContainer

from tests.clients.served import Matrix
from tests.kit.container import IMAGE, ROOT

HERE = Path(__file__).parent
CLIENTS_IMAGE = f"{IMAGE.partition(':')[0]}-clients:latest"
PGADMIN_PORT, DRIVER_PORT = 5050, 9515


@dataclass(frozen=True, eq=False)
class Box:
    """The running container."""

    container: DockerContainer

    def run(self, *command: str, **environment: str) -> str:
        """What a command prints; AssertionError with all of it if it fails."""
        wrapped = self.container.get_wrapped_container()
        code, output = wrapped.exec_run(list(command), environment=environment, demux=True)
        out, complaints = (part.decode() if part else "" for part in output)
        assert code == 0, out[-4000:] + complaints[-4000:]
        return str(out)

    def start(self, *command: str, **environment: str) -> None:
        """Start a command that goes on by itself."""
        self.container.get_wrapped_container().exec_run(list(command), environment=environment, detach=True)

    def version(self, package: str) -> str:
        """The version of a Debian package."""
        return self.run("dpkg-query", "--show", "--showformat", "${Version}", package)


@contextmanager
def box() -> Iterator[Box]:
    """The container, from an image that is made at first use."""
    build = [str(ROOT / "docker" / "build.sh"), "clients", CLIENTS_IMAGE, str(HERE / "Dockerfile")]
    subprocess.run(build, check=True)
    made = DockerContainer(CLIENTS_IMAGE).with_exposed_ports(PGADMIN_PORT, DRIVER_PORT)
    made.with_kwargs(init=True, shm_size="512m").with_volume_mapping(str(HERE / "inside"), "/clients", "ro")
    try:
        yield Box(made.start())
    finally:
        made.stop()


def address(matrix: Matrix) -> str:
    """Where other containers find the server."""
    wrapped = matrix.server.container.get_wrapped_container()
    wrapped.reload()
    networks = wrapped.attrs["NetworkSettings"]["Networks"]
    return str(next(iter(networks.values()))["IPAddress"])
