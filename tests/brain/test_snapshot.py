"""Snapshots of sessions: what is copied and when, under a busy writer and with unusable files."""

import errno
import os
import shutil
import signal
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rvbbit_fdw import copying, errors, snapshot
from rvbbit_fdw.inspection import inspect
from tests.kit import processes
from tests.kit.writers import NEWEST_VERSION, RVBBIT_VERSION, make_session, writing
from tests.torture.busy import LOCKS, Locks, Place, Tally, committed, read_states, writing_for_ever


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("locks", LOCKS)
def test_every_snapshot_of_a_busy_writer_is_one_committed_state(place: Place, locks: Locks) -> None:
    """Also where the writer's lock cannot be seen, as through the mounts of a virtual machine."""
    with writing_for_ever(place, locks) as log:
        state = inspect(place.folder.find("s")).state
        start = time.monotonic()

        def goes_on(tally: Tally) -> bool:
            seconds = time.monotonic() - start
            return seconds < 5 or (len(tally.states) <= 30 and seconds < 60)

        tally = read_states(place, log, goes_on)
    assert state == {"seen": "live", "unseen": "ready"}[locks]
    assert len(tally.states) > 30


def until_a_checkpoint(log: Path) -> Callable[[], None]:
    """A check that slows the copy down: each time the writer makes a checkpoint meanwhile."""

    def check() -> None:
        before = committed(log)
        _wait_until(lambda: committed(log) > before + 8)

    return check


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_TRY_SECONDS", 0.5)
    monkeypatch.setattr(snapshot, "_LEAST_TRIES", 3)


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_never_pauses_leaves_the_earlier_state_with_its_age(place: Place) -> None:
    with writing_for_ever(place) as log:
        earlier = place.take()
        assert earlier.stale_seconds is None
        at_least = committed(log)
        while committed(log) < at_least + 20:
            time.sleep(0.01)
        asked_at = time.time()
        found = place.take(check=until_a_checkpoint(log))
        assert found.key == earlier.key
        assert found.stale_seconds is not None
        assert asked_at - earlier.taken_at <= found.stale_seconds <= time.time() - earlier.taken_at
        assert place.read(found, "SELECT sum(v) FROM a") == (0,)
        assert place.take().key != earlier.key
    assert place.building() == []


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_never_pauses_and_no_earlier_state_is_busy(place: Place) -> None:
    with writing_for_ever(place) as log, pytest.raises(errors.SnapshotBusy) as caught:
        place.take(check=until_a_checkpoint(log))
    assert caught.value.message == 'session "s" is being written too fast to be read'
    assert caught.value.hint == "Try again when the writer pauses."
    assert place.building() == place.published() == []


def test_an_unchanged_session_is_not_copied_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    make_session(place.root / "s.duckdb", "CREATE TABLE t AS SELECT 42 AS x")
    first = place.take()

    def never(*_: object) -> int:
        raise AssertionError

    with monkeypatch.context() as context:
        context.setattr(snapshot, "copy_session", never)
        assert place.take() == first
    assert place.read(first, "SELECT x FROM t") == (42,)


def test_taking_an_unchanged_session_opens_nothing_but_the_session(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_session(place.root / "s.duckdb", "CREATE TABLE t AS SELECT 42 AS x")
    file = place.folder.find("s")
    place.store.take(file)
    opened: list[str] = []
    real_open = os.open

    def open_and_note(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        opened.append(path)
        return real_open(path, flags, dir_fd=dir_fd)

    def never(*_: object, **__: object) -> str:
        raise AssertionError

    monkeypatch.setattr(os, "open", open_and_note)
    monkeypatch.setattr(Path, "read_text", never)
    place.store.take(file)
    assert opened == [str(path)]


def test_a_changed_session_has_a_new_snapshot_beside_the_old(place: Place) -> None:
    with writing(place.root / "s.duckdb") as writer:
        writer.run("CREATE TABLE t AS SELECT 1 AS x")
        first = place.take()
        writer.run("UPDATE t SET x = 2")
        second = place.take()
        assert place.read(first, "SELECT x FROM t") == (1,)
        assert place.read(second, "SELECT x FROM t") == (2,)
        writer.run("UPDATE t SET x = 3")
        place.take()
    with pytest.raises(errors.SnapshotGone):
        first.link_into(place.store.workplace(), "x")


_TAKE_AND_COUNT = """
from rvbbit_fdw import snapshot
copies = []
real = snapshot.copy_session
snapshot.copy_session = lambda *given: copies.append(1) or real(*given)
folder, store = sys.argv[1:]
file = SessionFolder(folder).find("s")
print("ready", flush=True)
sys.stdin.readline()
SnapshotStore(store, 1 << 30).take(file)
print(len(copies))
"""


def test_many_takers_at_once_copy_once_in_all(place: Place) -> None:
    make_session(place.root / "s.duckdb", "CREATE TABLE t AS SELECT hash(range) x FROM range(2000000)")
    takers = [processes.start(_TAKE_AND_COUNT, place.root, place.root / "store") for _ in range(6)]
    for taker in takers:
        assert taker.stdout is not None
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write("go\n")
        taker.stdin.flush()
    counts = [int(processes.finish(taker)) for taker in takers]
    assert sorted(counts) == [0, 0, 0, 0, 0, 1]
    assert len(place.published()) == 1
    assert place.building() == []


def test_a_wal_above_the_limit_is_folded_in(place: Place) -> None:
    path = place.root / "s.duckdb"
    with writing(path, checkpoint_threshold="1TB") as writer:
        _write_a_large_wal(writer.run)
        before = path.read_bytes(), path.with_name("s.duckdb.wal").read_bytes()
        found = place.take()
        assert place.read(found, "SELECT count(*) FROM t") == (480000,)
        assert (path.read_bytes(), path.with_name("s.duckdb.wal").read_bytes()) == before
    assert found.files == ("db",)


def _write_a_large_wal(run: Callable[[str], object]) -> None:
    run("CREATE TABLE t (x BIGINT, y VARCHAR)")
    for _ in range(8):
        run("INSERT INTO t SELECT range, md5(range::VARCHAR) FROM range(60000)")


def _abandoned(place: Place) -> None:
    """A session with a WAL above the limit whose writer is dead."""
    with writing(place.root / "s.duckdb", checkpoint_threshold="1TB") as writer:
        _write_a_large_wal(writer.run)
        writer.kill()
    assert place.folder.find("s").wal_bytes > 16 << 20


def _children() -> list[int]:
    task = threading.get_native_id()
    return [int(pid) for pid in Path(f"/proc/self/task/{task}/children").read_text().split()]


def test_an_interrupted_fold_leaves_nothing(place: Place) -> None:
    _abandoned(place)
    assert _children() == []

    def interrupt() -> None:
        for child in _children():
            os.kill(child, signal.SIGSTOP)  # so that it cannot end by itself
            raise errors.Interrupted

    with pytest.raises(errors.Interrupted):
        place.take(check=interrupt)
    assert _children() == []
    assert place.building() == place.published() == []
    assert place.read(place.take(), "SELECT count(*) FROM t") == (480000,)


_DIE_WHILE_FOLDING = """
import threading

def check():
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
    if children:
        child = int(children)
        while until_open and not has_opened(child, "db"):
            pass
        os.kill(child, signal.SIGSTOP)
        print(child, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

def has_opened(child, name):
    try:
        return any(os.readlink(path).endswith("/" + name) for path in Path(f"/proc/{child}/fd").iterdir())
    except OSError:  # one was closed meanwhile
        return False

folder, store, until_open = sys.argv[1:]
SnapshotStore(store, 1 << 30).take(SessionFolder(folder).find("s"), check)
"""


@pytest.mark.parametrize("until_open", ["", "until open"], ids=["as it starts", "at work"])
def test_a_fold_ends_with_the_process_that_wanted_it(place: Place, until_open: str) -> None:
    _abandoned(place)
    taker = processes.start(_DIE_WHILE_FOLDING, place.root, place.root / "store", until_open)
    output, complaint = taker.communicate(timeout=120)
    assert taker.returncode == -signal.SIGKILL, complaint
    child = int(output)
    try:
        if not until_open:  # it cannot know yet, and asks when it goes on
            os.kill(child, signal.SIGCONT)
        _wait_until(lambda: not _text(Path(f"/proc/{child}/cmdline")))
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    (litter,) = place.building()
    assert (litter / "db.wal").exists()
    assert place.read(place.take(), "SELECT count(*) FROM t") == (480000,)
    assert place.building() == []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)


def _encrypted(path: Path) -> None:
    with writing(path.with_name("other.duckdb"), NEWEST_VERSION) as writer:
        writer.run("SET force_mbedtls_unsafe = 'true'")
        writer.run(f"ATTACH '{path}' AS e (ENCRYPTION_KEY 'secret')")
        writer.run("CREATE TABLE e.t AS SELECT 1 AS x")
        writer.run("DETACH e")


def _newer(path: Path) -> None:
    make_session(path, version=RVBBIT_VERSION)
    _patch(path, 12, 70)


def _newer_than_2(path: Path) -> None:
    make_session(path, version=NEWEST_VERSION)
    _patch(path, 4096 + 56, 70)
    _patch(path, 8192 + 56, 70)


def _patch(path: Path, offset: int, number: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(struct.pack("<Q", number))


def _cut(path: Path) -> None:
    make_session(path, "CREATE TABLE t AS SELECT hash(range) x FROM range(1000000)")
    os.truncate(path, 12288 + 262144)


def _foreign(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" * 5000)


@pytest.mark.parametrize(
    ("make", "state", "reason", "hint"),
    [
        (_encrypted, "encrypted", "the file is encrypted", "Encrypted sessions are not supported."),
        (_newer, "newer", "its storage version 70 is too new", "Update rvbbit_fdw to a version with a"),
        (_newer_than_2, "newer", "its storage version 70 is too new", "Update rvbbit_fdw to a version"),
        (_foreign, "corrupt", "the file is not a DuckDB database", "Run the workflow again, or restore"),
        (_cut, "corrupt", "the file was cut short: it ends after 274432 bytes", "Run the workflow again"),
        (Path.touch, "corrupt", "the file has no bytes", "Run the workflow again, or restore"),
    ],
)  # fmt: skip
def test_an_unusable_session_is_refused_with_reason_and_hint(
    place: Place, make: Callable[[Path], None], state: str, reason: str, hint: str
) -> None:
    make(place.root / "s.duckdb")
    with pytest.raises(errors.SessionUnusable) as caught:
        place.take()
    assert caught.value.state == state
    assert caught.value.message == f'could not read session "s": {reason}'
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)
    assert place.published() == []


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that another user can use."""
    path = Path(tempfile.mkdtemp(prefix="rvbbit-test-"))
    path.chmod(0o777)
    yield path
    shutil.rmtree(path)


_TAKE_UNPRIVILEGED = """
import json
from rvbbit_fdw.inspection import inspect
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
folder, store = sys.argv[1:]
file = SessionFolder(folder).find("s")
state = inspect(file).state
try:
    SnapshotStore(store, 1 << 30).take(file)
except errors.SessionUnusable as error:
    print(json.dumps([state, error.state, error.message, error.hint]))
"""


def test_an_unreadable_session_is_refused_with_reason_and_hint(public: Path) -> None:
    make_session(public / "s.duckdb").chmod(0)
    output = processes.run(_TAKE_UNPRIVILEGED, public, public / "store")
    assert output == (
        '["unreadable", "unreadable", "could not read session \\"s\\": permission denied", '
        '"Check that the server\'s operating system user may read it, and that its disk works."]\n'
    )


def test_a_session_that_cannot_be_read_is_not_the_stores_fault(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_session(place.root / "s.duckdb", "CREATE TABLE t AS SELECT 1 AS x")
    file = place.folder.find("s")

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    real = os.pread
    monkeypatch.setattr(os, "copy_file_range", broken)
    monkeypatch.setattr(os, "pread", lambda fd, size, at: real(fd, size, at) if size <= 12288 else broken())
    with pytest.raises(errors.SessionUnusable) as caught:
        place.store.take(file)
    assert (caught.value.state, caught.value.message) == (
        "unreadable", 'could not read session "s": input/output error',
    )  # fmt: skip
    assert place.building() == place.published() == []


def test_what_cannot_be_read_and_what_cannot_be_written_are_told_apart(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    file = os.open(make_session(tmp_path / "s.duckdb"), os.O_RDONLY)
    try:
        with pytest.raises(copying.SourceError) as caught:
            copying.copy_file(directory, str(tmp_path / "copy"), lambda: None)
        assert caught.value.error.errno == errno.EISDIR
        with pytest.raises(FileNotFoundError):
            copying.copy_file(file, str(tmp_path / "nowhere" / "copy"), lambda: None)
    finally:
        os.close(directory)
        os.close(file)


def test_a_session_that_vanishes_while_it_is_copied_is_not_found(place: Place) -> None:
    path = make_session(place.root / "s.duckdb", "CREATE TABLE t AS SELECT 1 AS x")

    def remove() -> None:
        if place.building():
            path.unlink(missing_ok=True)

    with pytest.raises(errors.SessionNotFound) as caught:
        place.take(check=remove)
    assert caught.value.detail == "Its file was removed."
    assert place.building() == place.published() == []
