"""Whole queries while a writer and sync are at work: DuckDB gives what PostgreSQL's own plan gives."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.container import Server
from tests.kit.synced import Folder, opened
from tests.torture import answers

pytestmark = pytest.mark.server


@pytest.fixture
def folder(following: Server) -> Iterator[Folder]:
    """An empty folder that its server follows."""
    with opened(following) as made:
        yield made


def test_each_answer_is_that_of_the_same_moment(folder: Folder) -> None:
    work = answers.compare(folder, 8)
    assert work.states > 3
    assert work.syncs > 1
    assert answers.columns(folder) > 0
    assert folder.problems() == {}
