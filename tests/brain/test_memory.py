"""What a backend keeps in memory between statements: as much after many of them as after a few."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from rvbbit_fdw import native
from rvbbit_fdw.backend import Backend
from rvbbit_fdw.catalog import Catalog
from rvbbit_fdw.errors import RvbbitError
from tests.brain.test_query import ID, constant, planned, query, target, variable
from tests.kit.folder import Folder, column

SESSION = "agile-cardinal-490cb1"
N = column(1, "n", "int8", duckdb_type="BIGINT")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(native, "_backend", Backend())
    made = Folder(tmp_path)
    made.write(SESSION, "CREATE TABLE t AS SELECT 1::BIGINT AS n")
    return made


def catalogs() -> int:
    gc.collect()
    return sum(isinstance(each, Catalog) for each in gc.get_objects())


def test_a_session_that_is_written_has_one_catalog_in_memory(folder: Folder) -> None:
    before = catalogs()
    for number in range(10):
        folder.write(SESSION, f"INSERT INTO t VALUES ({number})")
        request = folder.request(SESSION, "t", [N], pin=number)
        assert len(folder.rows(request)) == number + 2
        folder.call("plan_scan", request | {"conditions": []})
        assert catalogs() == before + 1


def traced(act: Callable[[int], object]) -> int:
    """Bytes that Python holds more after 100 calls than after 10."""
    held = []
    tracemalloc.start()
    for number in range(100):
        act(number)
        if number in {9, 99}:
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return held[1] - held[0]


def test_small_scans_and_errors_leave_nothing(folder: Folder) -> None:
    def scan(number: int) -> None:
        folder.rows(folder.request(SESSION, "t", [N], pin=number))
        with pytest.raises(RvbbitError):
            folder.rows(folder.request(SESSION, "missing", [N], pin=number))

    assert traced(scan) < 20_000


def test_long_texts_of_queries_are_not_remembered() -> None:
    def plan(number: int) -> None:
        long = constant("text", f"{number}{'x' * 200_000}")
        planned(query([target(ID, "id")], [variable("id")], where=long))

    assert traced(plan) < 1_000_000


SORTED = "SELECT count(DISTINCT s) FROM (SELECT md5(range::VARCHAR) AS s FROM range(2000000))"
KEPT = f"""
import rvbbit_fdw, duckdb, threading
engine = duckdb.connect(config={{"threads": 2, "memory_limit": "400MB"}})
for _ in range(6):
    thread = threading.Thread(target=lambda: engine.cursor().execute("{SORTED}").fetchall())
    thread.start()
    thread.join()
with open("/proc/self/status") as status:
    sizes = {{line.split(":")[0]: line.split()[1] for line in status if line.endswith("kB\\n")}}
print(int(sizes["VmData"]) - int(sizes["RssAnon"]))
"""


def test_address_space_goes_back() -> None:
    """What was used once must not count against the limit of the process for ever."""
    inherited = {name: value for name, value in os.environ.items() if name != "DUCKDB_JE_MALLOC_CONF"}
    command = [sys.executable, "-c", KEPT]
    kept = subprocess.run(command, env=inherited, capture_output=True, text=True, check=True)
    assert int(kept.stdout) < 300_000
