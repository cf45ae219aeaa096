"""Header bytes of real files, and of bytes that are none."""

from pathlib import Path

import pytest

from rvbbit_fdw.storage import HEADER_BYTES, CorruptHeader, read_header
from tests.kit.writers import NEWEST_VERSION, RVBBIT_VERSION, make_session


@pytest.mark.parametrize(("version", "storage"), [(RVBBIT_VERSION, 64), (NEWEST_VERSION, 69)])
def test_a_real_header_tells_the_versions(tmp_path: Path, version: str, storage: int) -> None:
    path = make_session(tmp_path / "a.duckdb", "CREATE TABLE t AS SELECT 1", version=version)
    header = read_header(path.read_bytes()[:HEADER_BYTES])
    assert (header.storage_version, header.library_version) == (storage, f"v{version}")
    assert not header.encrypted
    assert not header.newer
    assert header.iteration > 0
    assert header.block_bytes == 262144


@pytest.mark.parametrize("data", [b"", b"DUCK", b"\0" * HEADER_BYTES, b"SQLite format 3\0" * 1000])
def test_other_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(CorruptHeader, match="the file"):
        read_header(data)


def test_a_cut_header_is_refused(tmp_path: Path) -> None:
    data = make_session(tmp_path / "a.duckdb").read_bytes()
    with pytest.raises(CorruptHeader, match="ends after 5000 bytes"):
        read_header(data[:5000])
