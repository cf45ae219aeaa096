"""Which sessions attach by themselves: whose name a person chose, and what the server's policy takes.

Names, sizes and times alone decide, so that ranking a folder costs one stat a session. Files that are too
short to hold a table are left out; whether the others can be read only their headers tell, and who attaches
looks at the state of those chosen (`state` of rvbbit_sessions). An unreadable session keeps its place: the
choice is then the same whatever is wrong with a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice, takewhile
from typing import Literal, TypeAlias

from rvbbit_fdw.sessions import SessionFile
from rvbbit_fdw.storage import HEADER_BYTES

Kind: TypeAlias = Literal["named", "machine", "child"]

# People end names in a month or a day; of random digits less than one in 4,000 looks like one.
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_HEX6 = rf"(?!{_YEAR}{_MONTH}|2\d{_MONTH}{_DAY})[0-9a-f]{{6}}"
_HEX8 = rf"(?!{_YEAR}{_MONTH}{_DAY})[0-9a-f]{{8}}"
_HEX12 = "[0-9a-f]{12}"
_EPOCH = r"\d{9,}"
_GENERATED = rf"(?:[a-z]+-[a-z]+-{_HEX6}|nb_{_HEX12})"

MACHINE_IDS: Mapping[str, str] = {
    "the default style, or coolname": rf"[a-z]+-[a-z]+-{_HEX6}",
    "the style uuid": rf"nb_{_HEX12}",
    "UUIDs": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{32}",
    "rows of a SQL function": rf"cascade_udf_{_HEX8}",
    "notebooks and their cells": rf"(?:notebook|cell)_{_HEX8}",
    "workshops": rf"workshop_{_HEX12}",
    "cascades called as tools": rf"tool_.+_{_HEX6}",
    "discovery of SQL schemas": rf"sql_discovery_{_EPOCH}(?:\.\d+)?",
    "research": rf"research_{_EPOCH}",
    "spawned cascades": rf"spawned_{_EPOCH}_[0-9a-f]{{6}}",
    "SQL functions and aggregates": r"sql-(?:udf|agg)-.+",
    "jobs around a generated id": rf"(?:udf|batch|watch)-(?:.+-)?{_GENERATED}",
    "SQL functions by name": rf"sql_fn_.+_{_GENERATED}",
    "tests": rf"test-{_HEX8}|_tests_api_session",
    "servers": r"(?:pg_client|http_api|health_check)_.*",
}
"""The ids that programs make, as regular expressions of the whole id.

Families whose names a person may also choose are told by their digits: notebook_analysis and batch-nightly
are named. What cannot be told at all (`dim_...`) counts as named.
"""

CHILD_SUFFIXES: Mapping[str, str] = {
    "soundings": r"_sounding_\d+(?:_.+)?",
    "reforging": r"_reforge_?\d+(?:_\d+)?(?:_.+)?",
    "validators": r"_validator_.+_t\d+(?:_\d+)?",
    "validators of cells and soundings": r"_inline_validator_.+|_sounding_validator_\d+(?:_.+)?",
    "cells that ask a model": r"_llm_.+",
    "cascades within a cascade": r"_sub(?:_\d+)?",
    "rows of a mapping": r"_row_\d+",
    "wards": r"_ward(?:_\d+)?",
}
"""What a run appends to its own id to name its parts; also a named run's parts are not named.

So a person's `test_sub` counts as a part of `test`: nothing tells the two apart, and parts are many. The
option `include` brings it back. `<parent>_<phase>` is a part only if the parent is a machine id; after a name
that a person chose it is one more name.
"""

_CHILD = re.compile(rf"(?s)(?<=.)(?:{'|'.join(CHILD_SUFFIXES.values())})\Z")
_MACHINE = re.compile(rf"(?s)(?:{'|'.join(MACHINE_IDS.values())})(?P<part>_.+)?")

# A character of a LIKE pattern, with the backslash before it.
_PIECE = re.compile(r"(?s)\\.|.")
_HOUR_NS = 3_600_000_000_000


def kind_of(session_id: str) -> Kind:
    """`named` if a person chose the id, `machine` if a program did, `child` for a part of another run."""
    if _CHILD.search(session_id):
        return "child"
    machine = _MACHINE.fullmatch(session_id)
    if machine is None:
        return "named"
    return "child" if machine["part"] else "machine"


def is_named(session_id: str) -> bool:
    """True if a person chose the id."""
    return kind_of(session_id) == "named"


@dataclass(frozen=True)
class Group:
    """Sessions that a policy takes, newest first, up to the number that the server's option gives."""

    ids: Iterator[str]
    limit: int | None = None
    kind: str = "sessions"
    option: str = ""

    @property
    def limit_in_words(self) -> str:
        """What to tell of a session that is over the limit."""
        newest = f"only the newest {self.limit} {self.kind}"
        return f"over the limit: {newest} attach by themselves ({self.option})"


@dataclass(frozen=True)
class Policy:
    """What attaches by itself; each field is the server's option of that name.

    `include` and `exclude` are lists as `parse_patterns` reads them. What `include` names attaches whatever
    its number, age and kind; what `exclude` names never does.
    """

    policy: str = "smart"
    named_limit: int = 50
    unnamed_limit: int = 10
    unnamed_max_age_hours: int = 24
    recent_limit: int = 50
    recent_max_age_days: int = 7
    include: str = ""
    exclude: str = "pg_client_%, health_check_%, http_api_%"

    def choose(self, files: Iterable[SessionFile], now_ns: int) -> frozenset[str]:
        """The ids of those sessions of the whole folder that attach by themselves."""
        included, groups = self._groups(files, now_ns)
        return included.union(*(islice(group.ids, group.limit) for group in groups))

    def over_limit(self, files: Iterable[SessionFile], now_ns: int) -> dict[str, str]:
        """The ids that only newer ones keep from attaching by themselves, and what to tell of each."""
        _, groups = self._groups(files, now_ns)
        return {
            session_id: group.limit_in_words
            for group in groups
            if group.limit is not None
            for session_id in islice(group.ids, group.limit, None)
        }

    def _groups(self, files: Iterable[SessionFile], now_ns: int) -> tuple[frozenset[str], list[Group]]:
        """What is included by name, and what the policy makes of the others."""
        excluded, includes = matcher(self.exclude), matcher(self.include)
        possible = [file for file in files if _may_attach(file) and not excluded(file.session_id)]
        included = frozenset(file.session_id for file in possible if includes(file.session_id))
        newest = sorted((file for file in possible if file.session_id not in included), key=_newest_first)
        return included, POLICIES[self.policy](self, newest, now_ns)


def parse(options: Mapping[str, str]) -> Policy:
    """The policy that a server's options ask for; they were checked when they were set."""
    given = {field.name: field.default for field in fields(Policy)}
    for name, default in given.items():
        if name in options:
            given[name] = int(options[name]) if isinstance(default, int) else options[name]
    return Policy(**given)  # type: ignore[arg-type]


def parse_patterns(text: str) -> list[str]:
    """The regular expressions of a comma-separated list of LIKE patterns; ValueError says what is wrong.

    As in LIKE, % is any text, _ any character, and a backslash makes the next character (also a comma) plain.
    """
    if not text.strip():
        return []
    patterns = [""]
    for piece in _PIECE.findall(text):
        if piece == ",":
            patterns.append("")
        else:
            patterns[-1] += piece
    return [_regex(pattern.strip()) for pattern in patterns]


def matcher(patterns: str) -> Callable[[str], bool]:
    """Tells whether an id matches one of the patterns."""
    expressions = parse_patterns(patterns)
    if not expressions:
        return lambda _session_id: False
    compiled = re.compile(f"(?s){'|'.join(expressions)}")
    return lambda session_id: compiled.fullmatch(session_id) is not None


def _regex(pattern: str) -> str:
    if not pattern:
        raise ValueError("a pattern is empty")
    pieces = _PIECE.findall(pattern)
    if pieces[-1] == "\\":
        raise ValueError("a pattern ends in a backslash")
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(piece) or re.escape(piece[-1]) for piece in pieces)


def _may_attach(file: SessionFile) -> bool:
    """False where there is no table to show, and for a file name that is no UTF-8, so no id that finds it."""
    has_tables = file.size_bytes > HEADER_BYTES or file.wal_bytes > 0
    return has_tables and "\ufffd" not in file.session_id


def _newest_first(file: SessionFile) -> tuple[int, str]:
    return -file.modified_ns, file.session_id


def _of_kind(kinds: str, newest: Iterable[SessionFile]) -> Iterator[str]:
    return (file.session_id for file in newest if kind_of(file.session_id) in kinds.split())


def _not_older(newest: Sequence[SessionFile], hours: int, now_ns: int) -> Iterator[SessionFile]:
    return takewhile(lambda file: now_ns - file.modified_ns <= hours * _HOUR_NS, newest)


def _smart(policy: Policy, newest: Sequence[SessionFile], now_ns: int) -> list[Group]:
    young = _not_older(newest, policy.unnamed_max_age_hours, now_ns)
    named, unnamed = _of_kind("named", newest), _of_kind("machine", young)
    return [
        Group(named, policy.named_limit, "named sessions", "named_limit"),
        Group(unnamed, policy.unnamed_limit, "unnamed sessions", "unnamed_limit"),
    ]


def _recent(policy: Policy, newest: Sequence[SessionFile], now_ns: int) -> list[Group]:
    young = _not_older(newest, 24 * policy.recent_max_age_days, now_ns)
    return [Group(_of_kind("named machine", young), policy.recent_limit, "sessions", "recent_limit")]


def _all(_policy: Policy, newest: Sequence[SessionFile], _now_ns: int) -> list[Group]:
    return [Group(file.session_id for file in newest)]


def _none(_policy: Policy, _newest: Sequence[SessionFile], _now_ns: int) -> list[Group]:
    return []


POLICIES: Mapping[str, Callable[[Policy, Sequence[SessionFile], int], list[Group]]] = {
    "smart": _smart,
    "recent": _recent,
    "all": _all,
    "none": _none,
}
"""The policies by name; children attach under `all` alone."""
