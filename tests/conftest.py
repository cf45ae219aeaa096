"""What holds for all tests: settings, and what becomes of them on Multicorn2."""

import os
import signal

import pytest

from tests.kit.host import MULTICORN2_IMAGE, NO_MULTICORN2, ON_MULTICORN2
from tests.server.multicorn2 import expected_failure

# Before anything imports testcontainers. Its reaper is an image that must be fetched; containers are removed
# by context managers instead.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"

# Shells start what they do not wait for with Ctrl-C ignored, which all programs of the tests would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On Multicorn2 some tests of servers have to fail; without an image that has it none is run."""
    for item in items if ON_MULTICORN2 else ():
        if item.get_closest_marker("server") is None:
            continue
        line = expected_failure(item.nodeid)
        if not MULTICORN2_IMAGE:
            item.add_marker(pytest.mark.skip(reason=NO_MULTICORN2))
        elif line is not None:
            reason = f'docs/multicorn2.md, "{line}"'
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
