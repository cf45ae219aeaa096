"""The versions of docs/clients.md are those of the programs that ran here, which come from Debian."""

from __future__ import annotations

import pytest

from tests.brain.test_clients_page import PAGE
from tests.long.clients.box import Box

pytestmark = pytest.mark.server

PACKAGES = {
    "pgJDBC": ("libpostgresql-jdbc-java", ""),
    "psqlODBC": ("odbc-postgresql", ", unixODBC "),
    "node-postgres": ("node-pg", ", Node "),
}
"""Each client's package, and what stands between its version and that of what it needs."""
NEEDED = {"psqlODBC": "unixodbc", "node-postgres": "nodejs"}


def upstream(version: str) -> str:
    """A version of Debian's without what Debian added."""
    return version.partition("-")[0].partition("+")[0].partition("~")[0].rpartition(":")[2]


@pytest.mark.parametrize("client", PACKAGES)
def test_the_version_is_the_one_that_ran(box: Box, client: str) -> None:
    package, between = PACKAGES[client]
    said = f"| {client} | {upstream(box.version(package))}"
    if client in NEEDED:
        said += between + upstream(box.version(NEEDED[client]))
    assert f"{said} |" in PAGE
