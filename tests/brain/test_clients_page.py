"""docs/clients.md names the versions that the tests install, and every file of tests that it has."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text()
ROW = re.compile(r"^\| ([^|]+) \| ([\d.]+) \|.*\| `([\w/]+\.py)` \|$", re.MULTILINE)

PACKAGES = {
    "psycopg": "psycopg[binary]",
    "asyncpg": "asyncpg",
    "psycopg2": "psycopg2-binary",
    "pg8000": "pg8000",
    "SQLAlchemy": "sqlalchemy",
    "pandas": "pandas",
    "polars": "polars",
    "ADBC (PostgreSQL driver)": "adbc-driver-postgresql",
    "Ibis": "ibis-framework[postgres]",
    "pgcli": "pgcli",
    "pgAdmin 4": "pgadmin4",
}


def pinned() -> dict[str, str]:
    """The version of each package that the tests install."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    recipe = (ROOT / "tests" / "long" / "clients" / "Dockerfile").read_text()
    names = [*extras["cli"], *extras["test"], *extras["clients"], *re.findall(r"\S+==\S+", recipe)]
    return {name: version for name, _, version in (text.partition("==") for text in names)}


def test_the_versions_are_those_that_are_installed() -> None:
    said = {client: version for client, version, _ in ROW.findall(PAGE)}
    versions = pinned()
    assert {client: said.get(client) for client in PACKAGES} == {
        client: versions[package] for client, package in PACKAGES.items()
    }


def test_every_file_of_the_matrix_is_named() -> None:
    folders = (ROOT / "tests" / "clients", ROOT / "tests" / "long" / "clients")
    files = {str(path.relative_to(ROOT)) for folder in folders for path in folder.glob("test_*.py")}
    about_versions = "tests/long/clients/test_versions.py"
    assert {name for name in files if f"`{name}`" not in PAGE} == {about_versions}
