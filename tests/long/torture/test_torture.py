"""Hostile ground at length, half an hour and more; COUNT=<n> multiplies each of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.kit.container import Server, serving
from tests.torture import corpus, hostile, load
from tests.torture.cancels import PHASES, Cancels
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
    cancels = Cancels(own, Random(SEED))
    cancels.prepare()
    cancels.run(int(60 * TIMES))
    print(cancels.summary())
    assert set(cancels.took) == set(PHASES)


def test_load(own: Server) -> None:
    load.prepare(own)
    clients = load.Load(own, clients=64, seconds=600 * TIMES)
    clients.run()
    print(clients.done, clients.expected, f"memory in kB: {clients.memory_kb}")
