"""Hostile ground at length, half an hour and more; COUNT=<n> multiplies each of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.kit.container import Server, serving
from tests.torture import cancels, corpus, crowd, hostile, load
from tests.torture.cancels import PHASES, Barriers, Cancels
from tests.torture.kills import Killer

pytestmark = pytest.mark.server

TIMES = float(os.environ.get("COUNT") or 1)
SEED = int(os.environ.get("SEED") or time.time())


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own over an empty folder; its log holds nothing unexpected in the end."""
    print(f"\nSEED={SEED}")
    tmp_path.chmod(0o755)
    with serving(tmp_path, "postgres", "-c", "max_connections=120") as running:
        yield running
        assert running.disasters(running.log()) == []


def test_broken_sessions(own: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    seeds = corpus.make_seeds(tmp_path_factory.mktemp("seeds"))
    print(hostile.try_corpus(own, seeds, int(2000 * TIMES), SEED))


def test_kills(own: Server) -> None:
    killer = Killer(own, Random(SEED))
    killer.prepare()
    killer.run(int(120 * TIMES))
    print(killer.killed, f"answers again after {killer.longest:.1f} s at most")
    assert killer.killed.total() >= 100 * TIMES


def test_cancels(own: Server) -> None:
    cancels.prepare(own)
    cancelled = Cancels(own, Random(SEED))
    cancelled.run(int(60 * TIMES))
    print(cancelled.summary())
    waited = Barriers(own, Random(SEED))
    waited.run(int(10 * TIMES))
    print("while DROP DATABASE waits for it", waited.summary(), sep="\n")
    assert set(cancelled.took) == set(waited.took) == set(PHASES)
    assert all(len(took) >= 50 * TIMES for took in cancelled.took.values())


def test_load(own: Server) -> None:
    load.prepare(own)
    clients = load.Load(own, clients=64, seconds=600 * TIMES)
    clients.run()
    print(clients.done, clients.expected, f"memory in kB: {clients.memory_kb}")


def test_a_crowd_of_heavy_statements(tmp_path: Path) -> None:
    """Each of 64 backends spills within its share of what the container has; the kernel ends none."""
    tmp_path.chmod(0o755)
    with serving(tmp_path, mem_limit="8g", memswap_limit="8g") as server:
        crowd.prepare(server)
        ended, memory_kb = crowd.run(server, clients=64)
        print(ended, f"{memory_kb / 1024:.0f} MB")
        assert server.disasters(server.log()) == []
    assert ended == {"groups right": 32, "sort right": 32}
    assert memory_kb < 8 << 20
