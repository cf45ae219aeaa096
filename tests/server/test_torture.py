"""Hostile ground, in short: what `make test-long KIND=torture` does at length."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.kit.container import Server, serving
from tests.torture import corpus, hostile, load
from tests.torture.kills import Killer

pytestmark = pytest.mark.server


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> corpus.Seeds:
    """Good sessions to be broken."""
    return corpus.make_seeds(tmp_path_factory.mktemp("seeds"))


def test_broken_sessions_are_listed_and_refused_or_read(server: Server, seeds: corpus.Seeds) -> None:
    outcome = hostile.try_corpus(server, seeds, 150, seed=1)
    assert outcome.tried == 150
    assert outcome.read > 0
    assert sum(outcome.refused.values()) > 0


def test_everything_answers_again_after_kills(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with serving(tmp_path) as own:
        killer = Killer(own, Random(2))
        killer.prepare()
        killer.run(10)
        assert own.disasters(own.log()) == []
    assert killer.killed.total() >= 5


def test_many_clients_at_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with serving(tmp_path) as own:
        load.prepare(own)
        clients = load.Load(own, clients=10, seconds=10)
        clients.run()
        assert own.disasters(own.log()) == []
    assert all(clients.done[name] for name in ("_list", "_scan", "_live"))
