"""Broken sessions of every kind, made from good ones by chance that a seed repeats."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.kit.writers import NEWEST_VERSION, RVBBIT_VERSION, make_session, writing

CONTENT = (
    "CREATE TABLE _output AS SELECT i AS id, 'row ' || i AS name, i / 7 AS share FROM range(30000) AS r(i)",
    "CREATE TABLE nested AS SELECT [i, 2] AS l, {'a': i} AS s, DATE '2024-02-29' AS d FROM range(9) AS r(i)",
    "CREATE VIEW summary AS SELECT name, share FROM _output WHERE id % 10 = 0",
    "CREATE SCHEMA other",
    "CREATE TABLE other.t (e ENUM('x', 'y'), i INTEGER DEFAULT 4)",
)
LOGGED = (
    "CREATE TABLE _late AS SELECT range AS i FROM range(5000)",
    "INSERT INTO other.t VALUES ('x', 1), ('y', NULL)",
    "DELETE FROM _output WHERE id < 100",
)


@dataclass(frozen=True)
class Seeds:
    """Good sessions: closed ones, and ones whose writer was killed, so that they have a log."""

    closed: tuple[Path, ...]
    logged: tuple[Path, ...]

    @property
    def all(self) -> tuple[Path, ...]:
        """Every good session."""
        return self.closed + self.logged


def make_seeds(folder: Path) -> Seeds:
    """Write the good sessions with the versions that users have."""
    closed, logged = [], []
    for version in (RVBBIT_VERSION, NEWEST_VERSION):
        closed.append(make_session(folder / f"closed-{version}.duckdb", *CONTENT, version=version))
        path = make_session(folder / f"logged-{version}.duckdb", *CONTENT, version=version)
        with writing(path, version) as writer:
            for statement in LOGGED:
                writer.run(statement)
            writer.kill()
        logged.append(path)
    return Seeds(tuple(closed), tuple(logged))


def wal_of(path: Path) -> Path:
    """The log of a session."""
    return path.with_name(path.name + ".wal")


def _copy(seed: Path, path: Path) -> None:
    shutil.copyfile(seed, path)
    if wal_of(seed).exists():
        shutil.copyfile(wal_of(seed), wal_of(path))


def _edit(path: Path, change: Callable[[bytearray], None]) -> None:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)


def _flip(rng: Random, data: bytearray, first: int, count: int = 1) -> None:
    for _ in range(count):
        data[rng.randrange(first, len(data))] ^= 1 << rng.randrange(8)


def _overwrite(rng: Random, data: bytearray, piece: bytes) -> None:
    start = rng.randrange(len(data))
    data[start : start + len(piece)] = piece[: len(data) - start]


def _swap_headers(data: bytearray) -> None:
    data[4096:8192], data[8192:12288] = data[8192:12288], data[4096:8192]


def _truncate(rng: Random, path: Path) -> None:
    os.truncate(path, rng.randrange(path.stat().st_size))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _instead(path: Path, make: Callable[[Path], None]) -> None:
    path.unlink()
    make(path)


def _link_out(path: Path) -> None:
    path.symlink_to("/etc/passwd")


Damage = Callable[[Random, Path], None]

DAMAGES: Mapping[str, Damage] = {
    "one bit": lambda rng, path: _edit(path, lambda data: _flip(rng, data, 0)),
    "many bits": lambda rng, path: _edit(path, lambda data: _flip(rng, data, 0, 200)),
    "a bit of the headers": lambda rng, path: _edit(
        path, lambda data: data.__setitem__(at := rng.randrange(12288), data[at] ^ (1 << rng.randrange(8)))
    ),
    "a bit of the blocks": lambda rng, path: _edit(path, lambda data: _flip(rng, data, 12288)),
    "noise": lambda rng, path: _edit(path, lambda data: _overwrite(rng, data, rng.randbytes(5000))),
    "zeros": lambda rng, path: _edit(path, lambda data: _overwrite(rng, data, bytes(300_000))),
    "headers swapped": lambda _rng, path: _edit(path, _swap_headers),
    "cut anywhere": _truncate,
    "cut in the headers": lambda rng, path: os.truncate(path, rng.randrange(12289)),
    "longer": lambda rng, path: _edit(path, lambda data: data.extend(rng.randbytes(rng.randrange(600_000)))),
    "headers alone": lambda _rng, path: os.truncate(path, 12288),
    "no byte": lambda _rng, path: os.truncate(path, 0),
    "blocks moved": lambda _rng, path: _edit(path, lambda data: data.__setitem__(
        slice(12288, None), data[12288 + 262144 :] + data[12288 : 12288 + 262144])),
}  # fmt: skip

WAL_DAMAGES: Mapping[str, Damage] = {
    "one bit of the log": lambda rng, path: _edit(wal_of(path), lambda data: _flip(rng, data, 0)),
    "many bits of the log": lambda rng, path: _edit(wal_of(path), lambda data: _flip(rng, data, 0, 100)),
    "log cut": lambda rng, path: _truncate(rng, wal_of(path)),
    "log of noise": lambda rng, path: _write(wal_of(path), rng.randbytes(rng.randrange(1, 100_000))),
    "log of zeros": lambda rng, path: _write(wal_of(path), bytes(rng.randrange(1, 100_000))),
    "log twice": lambda _rng, path: _edit(wal_of(path), lambda data: data.extend(bytes(data))),
    "log and noise": lambda rng, path: _edit(wal_of(path), lambda data: data.extend(rng.randbytes(100))),
    "log is a directory": lambda _rng, path: _instead(wal_of(path), Path.mkdir),
    "log is a FIFO": lambda _rng, path: _instead(wal_of(path), os.mkfifo),
    "log is a link": lambda _rng, path: _instead(wal_of(path), _link_out),
    "log of a checkpoint": lambda rng, path: _write(path.with_name(path.name + ".wal.checkpoint"),
                                                    rng.randbytes(1000)),
    "log of a recovery": lambda rng, path: _write(path.with_name(path.name + ".wal.recovery"),
                                                  rng.randbytes(9)),
}  # fmt: skip


def damaged(rng: Random, seeds: Seeds, path: Path) -> str:
    """Make one broken session at the path, and say what is wrong with it."""
    if rng.random() < 0.4:
        name = rng.choice(list(WAL_DAMAGES))
        _copy(rng.choice(seeds.logged), path)
        if rng.random() < 0.2:
            name = "log of another session"
            shutil.copyfile(wal_of(rng.choice(seeds.logged)), wal_of(path))
        else:
            WAL_DAMAGES[name](rng, path)
        return name
    name = rng.choice(list(DAMAGES))
    _copy(rng.choice(seeds.all), path)
    DAMAGES[name](rng, path)
    return name


def _socket(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as made:
        here = Path.cwd()
        os.chdir(path.parent)
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


def _sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE t (i)")
        database.commit()


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


# What stands in a session's place but is none, or none that may be read.
IMPOSTORS: Mapping[str, Callable[[Path], None]] = {
    "FIFO": os.mkfifo,
    "directory": Path.mkdir,
    "socket": _socket,
    "link out": _link_out,
    "link in a loop": lambda path: path.symlink_to(path.name),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "sqlite": _sqlite,
    "sparse terabyte": _sparse,
    "text": lambda path: _write(path, b"no session at all\n" * 5000),
}
