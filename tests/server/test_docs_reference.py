"""docs/reference.md is what the server says of itself, and says something of everything.

`python -m tests.server.test_docs_reference` writes the page.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from rvbbit_fdw.options import OPTIONS
from tests.kit.container import ROOT, Server, make_demo_sessions, serving
from tests.kit.reference import page

pytestmark = pytest.mark.server

PAGE = ROOT / "docs" / "reference.md"
OPERATIONS = ROOT / "docs" / "operations.md"


def test_the_page_is_what_the_server_says(server: Server) -> None:
    with server.connect(user="postgres") as admin:
        assert PAGE.read_text() == page(admin), "run: make docs"


def test_every_option_is_on_the_page() -> None:
    text = PAGE.read_text()
    assert [option.name for option in OPTIONS if f"| `{option.name}`" not in text] == []


def test_the_sizes_of_the_page_of_operations_are_the_images(server: Server) -> None:
    """Those that do not depend on the container's memory."""
    rows = re.findall(r"^\| `([\w.]+)` \| (\d+(?: [kMG]B)?) \|", OPERATIONS.read_text(), re.MULTILINE)
    assert {"rvbbit.temp_limit", "rvbbit.snapshot_limit", "rvbbit.threads", "max_connections"} <= {
        *dict(rows)
    }
    with server.connect() as db:
        for name, said in rows:
            shown = db.execute("SELECT current_setting(%s)", [name]).fetchone()
            assert shown == (said.replace(" ", ""),), name


def test_what_is_for_people_has_a_comment_that_is_none_of_internals(server: Server) -> None:
    """Names without an underscore are for people; all others say that they are internal."""
    query = """
        SELECT p.oid::regproc::text FROM pg_proc AS p
        WHERE p.pronamespace = 'rvbbit'::regnamespace
          AND (p.proname ~ '^_') <> (obj_description(p.oid, 'pg_proc') ~ '^internal')
          AND p.proname <> 'rvbbit_fdw_stats'"""
    with server.connect(user="postgres") as admin:
        assert admin.execute(query).fetchall() == []


def main() -> None:
    """Write the page."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(make_demo_sessions(Path(folder))) as server,
        server.connect(user="postgres") as admin,
    ):
        PAGE.write_text(page(admin))


if __name__ == "__main__":
    main()
