"""The snapshot store: ownership, litter, eviction and a full disk."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from rvbbit_fdw import errors
from rvbbit_fdw.eviction import Evictor, describe
from rvbbit_fdw.sessions import SessionFolder
from rvbbit_fdw.snapshot import Snapshot, SnapshotStore
from tests.kit import processes
from tests.kit.writers import make_session


def linked(store: SnapshotStore, snapshot: Snapshot) -> str:
    return snapshot.link_into(store.workplace(), "x")


def content(path: str) -> object:
    with duckdb.connect(path, read_only=True) as connection:
        row = connection.execute("SELECT x FROM t").fetchone()
    return row and row[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SessionFolder:
    """Four sessions of one size; the table of each holds the session's id."""
    path = tmp_path_factory.mktemp("sessions")
    for name in "abcd":
        make_session(path / f"{name}.duckdb", f"CREATE TABLE t AS SELECT '{name}' AS x")
    return SessionFolder(str(path))


def kept(store: Path) -> set[object]:
    """The ids of the sessions with a snapshot in the store."""
    return {content(str(path)) for path in store.glob("sessions/*/*/db")}


@pytest.fixture
def size(folder: SessionFolder, tmp_path: Path) -> int:
    """What one of the snapshots needs on disk."""
    taken = SnapshotStore(str(tmp_path / "measure"), 1 << 30).take(folder.find("a"))
    stored = describe(taken.directory)
    assert stored is not None
    return stored.bytes_on_disk


def test_above_the_limit_the_least_recently_used_goes(
    folder: SessionFolder, tmp_path: Path, size: int
) -> None:
    store = SnapshotStore(str(tmp_path / "store"), size * 7 // 2)
    for name in "abcabd":
        store.take(folder.find(name))
    assert kept(tmp_path / "store") == {"a", "b", "d"}


def test_a_lower_limit_holds_before_the_next_copy(
    folder: SessionFolder, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "store")
    store = SnapshotStore(path, 1 << 30)
    for name in "abcd":
        store.take(folder.find(name))
    SnapshotStore(path, size * 5 // 2).take(folder.find("d"))
    assert kept(tmp_path / "store") == {"c", "d"}
    monkeypatch.setattr(Evictor, "shrink", None)  # measured once for all who have the same limit
    SnapshotStore(path, size * 5 // 2).take(folder.find("d"))


def test_a_snapshot_larger_than_the_limit_stays_until_the_next(folder: SessionFolder, tmp_path: Path) -> None:
    store = SnapshotStore(str(tmp_path / "store"), 1)
    for name in "abc":
        store.take(folder.find(name))
        assert kept(tmp_path / "store") == {name}


def test_an_evicted_snapshot_stays_readable_where_it_is_linked(folder: SessionFolder, tmp_path: Path) -> None:
    store = SnapshotStore(str(tmp_path / "store"), 1)
    first = store.take(folder.find("a"))
    path = linked(store, first)
    store.take(folder.find("b"))
    with pytest.raises(errors.SnapshotGone):
        linked(store, first)
    assert content(path) == "a"
    assert content(linked(store, store.take(folder.find("a")))) == "a"


# Each process evicts what the others have just made; whoever loses its snapshot takes another.
_RACE = """
folder, store, session_id = sys.argv[1:]
sessions, mine = SessionFolder(folder), SnapshotStore(store, 1)
place = mine.workplace()
until = time.monotonic() + 2
done = lost = 0
while time.monotonic() < until:
    snapshot = mine.take(sessions.find(session_id))
    try:
        linked = snapshot.link_into(place, f"x{done}")
    except errors.SnapshotGone:
        lost += 1
        continue
    done += 1
    os.unlink(linked)
print(done, lost)
"""


def test_processes_that_evict_each_other_all_go_on(folder: SessionFolder, tmp_path: Path) -> None:
    store = tmp_path / "store"
    racers = [processes.start(_RACE, folder.path, store, name) for name in "abcd"]
    counts = [tuple(map(int, processes.finish(racer).split())) for racer in racers]
    assert all(done > 0 for done, _ in counts)
    SnapshotStore(str(store), 1).take(folder.find("a"))
    assert list((store / "building").iterdir()) == []
    assert len(list((store / "sessions").glob("*/*"))) == 1


def test_directories_of_sessions_without_snapshots_go(folder: SessionFolder, tmp_path: Path) -> None:
    store = SnapshotStore(str(tmp_path / "store"), 1)
    vanished = tmp_path / "store" / "sessions" / ("0" * 32)
    vanished.mkdir(parents=True)
    store.take(folder.find("a"))
    store.take(folder.find("b"))
    assert len(list((tmp_path / "store" / "sessions").iterdir())) == 1
    assert kept(tmp_path / "store") == {"b"}


def test_the_directory_of_a_session_that_is_being_copied_stays(folder: SessionFolder, tmp_path: Path) -> None:
    store, other = (SnapshotStore(str(tmp_path / "store"), 1) for _ in range(2))
    seen: list[Snapshot] = []

    def check() -> None:
        if not seen and list((tmp_path / "store" / "building").glob("*/db")):
            seen.append(other.take(folder.find("b")))

    assert content(linked(store, store.take(folder.find("a"), check))) == "a"
    assert seen


_HANG = """
folder, store = sys.argv[1:]

def check():
    if list(Path(store, "building").glob("*/db")):
        print("copying", flush=True)
        time.sleep(60)

SnapshotStore(store, 1 << 30).take(SessionFolder(folder).find("a"), check)
"""


def test_a_killed_taker_locks_nothing_and_its_litter_goes(folder: SessionFolder, tmp_path: Path) -> None:
    store = tmp_path / "store"
    taker = processes.start(_HANG, folder.path, store)
    assert taker.stdout is not None
    assert taker.stdout.readline() == "copying\n"
    assert len(list((store / "building").iterdir())) == 1
    _kill(taker)
    assert len(list((store / "building").iterdir())) == 1
    SnapshotStore(str(store), 1 << 30).take(folder.find("a"))
    assert list((store / "building").iterdir()) == []


_WORK = """
place = SnapshotStore(sys.argv[1], 1 << 30).workplace()
Path(place, "spill").mkdir()
Path(place, "spill", "file").write_text("x")
print(place, flush=True)
sys.stdin.readline()
"""


def test_the_workplace_of_a_killed_process_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    workers = [processes.start(_WORK, tmp_path / "store") for _ in range(2)]
    places = [Path(each.stdout.readline().strip()) for each in workers if each.stdout]
    assert all((place / "spill" / "file").exists() for place in places)
    _kill(workers[0])
    store = SnapshotStore(str(tmp_path / "store"), 1 << 30)
    mine = Path(store.workplace())
    assert set(mine.parent.iterdir()) == {mine, places[1]}
    assert (places[1] / "spill" / "file").exists()
    processes.finish(workers[1])
    store.leave(str(mine))
    assert not mine.exists()


def _kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


_NO_DESCRIPTORS = """
import resource
store = SnapshotStore(sys.argv[1], 1 << 30)
store.workplace()
used = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used - 1, used - 1))
try:
    store.workplace()
except errors.FolderUnusable as error:
    print(error.message)
"""


def test_without_file_descriptors_the_store_says_so(tmp_path: Path) -> None:
    output = processes.run(_NO_DESCRIPTORS, tmp_path / "store")
    assert output == "could not use the snapshot store: Too many open files\n"
    assert len(list((tmp_path / "store" / "work").iterdir())) <= 2


def test_a_store_that_cannot_be_written_is_a_clear_error(folder: SessionFolder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.FolderUnusable) as caught:
        SnapshotStore(str(tmp_path / "file" / "store"), 1 << 30).take(folder.find("a"))
    assert caught.value.message == "could not use the snapshot store: Not a directory"
    assert caught.value.hint is not None


def test_a_copy_over_the_file_size_limit_is_a_full_store_and_leaves_nothing(
    folder: SessionFolder, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with pytest.raises(errors.StoreFull):
            SnapshotStore(str(tmp_path / "store"), 1 << 30).take(folder.find("a"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "store" / "building").iterdir()) == []


def test_a_full_store_gives_the_earlier_state_and_says_so(folder: SessionFolder, tmp_path: Path) -> None:
    store = SnapshotStore(str(tmp_path / "store"), 1 << 30)
    earlier = store.take(folder.find("a"))
    with duckdb.connect(folder.find("a").path) as connection:
        connection.execute("CREATE TABLE wide AS SELECT range AS i, random() AS r FROM range(20000)")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        found = store.take(folder.find("a"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert found.key == earlier.key
    assert found.stale_seconds is not None
    assert found.stale_because == "The snapshot store is full, so no newer copy can be made."
    assert content(linked(store, found)) == "a"
    assert store.take(folder.find("a")).key != earlier.key


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for three of the sessions."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small file system can be mounted by root only")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_makes_room_by_itself(folder: SessionFolder, small_disk: Path) -> None:
    store = SnapshotStore(str(small_disk / "store"), 1 << 30)
    for name in "abcdab":
        taken = store.take(folder.find(name))
        assert name in kept(small_disk / "store")
    assert content(linked(store, taken)) == "b"


def test_a_disk_that_others_filled_is_a_clear_error(folder: SessionFolder, small_disk: Path) -> None:
    (small_disk / "other").write_bytes(b"x" * (900 << 10))
    store = SnapshotStore(str(small_disk / "store"), 1 << 30)
    with pytest.raises(errors.StoreFull) as caught:
        store.take(folder.find("a"))
    assert caught.value.hint == "Free some disk space, or lower rvbbit.snapshot_limit."
    assert list((small_disk / "store" / "building").iterdir()) == []
    (small_disk / "other").unlink()
    assert content(linked(store, store.take(folder.find("a")))) == "a"
