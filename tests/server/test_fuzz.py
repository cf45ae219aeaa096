"""Some thousand random statements give on session tables what they give on their heap copies (tests/fuzz)."""

import pytest

from tests.fuzz.run import fuzzing
from tests.kit.container import Server

pytestmark = pytest.mark.server

SEEDS = {"first": 1000, "second": 1000}
LEAST_SHARE = 0.6


def test_random_statements_give_what_the_heap_gives(server: Server) -> None:
    with fuzzing(server) as fuzz:
        for seed, count in SEEDS.items():
            report = fuzz.run(seed, range(count))
            assert not report.differences, "\n\n".join(report.differences)
            assert report.share() >= LEAST_SHARE, str(report)
