"""Whole queries beside a writer and sync, at length; COUNT=<n> multiplies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.kit.container import serving
from tests.kit.synced import opened
from tests.torture import answers

pytestmark = pytest.mark.server

TIMES = float(os.environ.get("COUNT") or 1)


def test_each_answer_is_that_of_the_same_moment(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with (
        serving(tmp_path, "postgres", "-c", "cron.launch_active_jobs=off") as server,
        opened(server) as folder,
    ):
        work = answers.compare(folder, int(200 * TIMES))
        print(f"\n{work}, {answers.columns(folder)} columns came by sync")
        assert work.states > 150 * TIMES
        assert folder.errors() == []
        assert server.disasters(server.log()) == []
