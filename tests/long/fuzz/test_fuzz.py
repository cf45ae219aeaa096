"""Random statements, as many as COUNT says, from the seed SEED: make test-long KIND=fuzz COUNT=100000.

SHAPES, as in `SHAPES=any`, are those of tests/fuzz/run.py, all if it is not set.
"""

import os

import pytest

from tests.fuzz.report import WHOLE, Report
from tests.fuzz.run import SHAPES, STEP, fuzzing, own_server, say

pytestmark = pytest.mark.server

COUNT = int(os.environ.get("COUNT") or 100_000)
SEED = os.environ.get("SEED") or "long"
CHOSEN = {shape: SHAPES[shape] for shape in os.environ.get("SHAPES", "").split()} or SHAPES
LEAST_SHARE = 0.6
"""Of all with something pushed, and of those over session tables alone as a whole."""

LEAST_PUSHED = 20
"""How often each entry of the allow-list must have been pushed."""


def test_random_statements_give_what_the_heap_gives() -> None:
    report = Report()
    with own_server() as server, fuzzing(server, CHOSEN) as fuzz:
        for start in range(0, COUNT, STEP):
            known = len(report.differences)
            fuzz.run(SEED, range(start, min(start + STEP, COUNT)), report)
            say(f"seed {SEED}: {report}", *report.differences[known:])
        seldom = fuzz.seldom(report, LEAST_PUSHED)
    say(*report.counts())
    assert not report.differences
    assert report.share() >= LEAST_SHARE
    assert WHOLE not in CHOSEN or report.share_of_whole() >= LEAST_SHARE
    assert not seldom, "\n".join(seldom)
