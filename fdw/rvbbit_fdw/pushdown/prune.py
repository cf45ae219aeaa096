"""Conditions on rvbbit_sessions as a choice of sessions.

PostgreSQL checks every condition again, so a choice may be too wide; it must never be too narrow. Whatever is
not understood here therefore chooses everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import takewhile
from typing import TypeAlias

from rvbbit_fdw.pushdown.nodes import AnyOf, Bool, Call, Column, Constant, Node, Relabel, Value
from rvbbit_fdw.sessions import Wanted

EVERYTHING = Wanted()
NOTHING = Wanted(ids=frozenset())

ColumnNames: TypeAlias = Mapping[int, str]
"""Which column of the listing an attribute number stands for; only those whose values arrive unchanged."""

_TEXT_TYPES = frozenset({"pg_catalog.text", "pg_catalog.varchar"})
_PLAIN_COLLATIONS = frozenset(
    {None, "pg_catalog.default", "pg_catalog.C", "pg_catalog.POSIX", "pg_catalog.ucs_basic"}
)
"""Collations under which equal texts have equal bytes."""

_TEXT_PAIR = "(pg_catalog.text,pg_catalog.text)"
_TIME_PAIR = "(pg_catalog.timestamptz,pg_catalog.timestamptz)"
_EQUAL_TEXT = f"pg_catalog.={_TEXT_PAIR}"

_FLAGS = frozenset({"is_named", "auto_attach"})
"""Columns whose truth is known from names and times."""

_MARGIN_NS = 1_000
"""Times are shown in microseconds, files have nanoseconds."""

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d{1,6})?([+-]\d\d)(?::?(\d\d))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def choose(conditions: Iterable[Node], columns: ColumnNames) -> Wanted:
    """The sessions that can satisfy all conditions."""
    return reduce(_both, (_choose(condition, columns) for condition in conditions), EVERYTHING)


def describe(wanted: Wanted) -> str | None:
    """What the choice goes by, for EXPLAIN; None if it chooses everything."""
    parts = []
    if wanted.ids is not None:
        parts.append("session_id")
    if wanted.prefix:
        parts.append("prefix of session_id")
    if wanted.modified_after_ns is not None or wanted.modified_before_ns is not None:
        parts.append("modified_at")
    return ", ".join([*parts, *sorted(wanted.flags)]) or None


def _choose(node: Node, columns: ColumnNames) -> Wanted:
    match node:
        case Column(number=number) if columns.get(number) in _FLAGS:
            return Wanted(flags=frozenset({columns[number]}))
        case Bool(kind="and", arguments=arguments):
            return choose(arguments, columns)
        case Bool(kind="or", arguments=arguments) if arguments:
            return reduce(_either, (_choose(argument, columns) for argument in arguments))
        case AnyOf(name=name, all=False, collation=collation) if name == _EQUAL_TEXT:
            if collation in _PLAIN_COLLATIONS and _is(node.scalar, "session_id", columns):
                return _one_of(node.array)
        case Call(arguments=(left, right)):
            return _compare(node, left, right, columns)
    return EVERYTHING


def _compare(call: Call, left: Node, right: Node, columns: ColumnNames) -> Wanted:
    if _is(left, "session_id", columns):
        make = _BY_TEXT.get(call.name)
        return make(_strip(right)) if make and call.collation in _PLAIN_COLLATIONS else EVERYTHING
    if _is(right, "session_id", columns) and call.name == _EQUAL_TEXT:
        return _compare(call, right, left, columns)
    if _is(left, "modified_at", columns) and call.name.endswith(_TIME_PAIR):
        return _range(call.name.removesuffix(_TIME_PAIR), _strip(right))
    if _is(right, "modified_at", columns) and call.name.endswith(_TIME_PAIR):
        operator = call.name.removesuffix(_TIME_PAIR)
        return _range(_COMMUTED.get(operator, ""), _strip(left))
    return EVERYTHING


def _is(node: Node, name: str, columns: ColumnNames) -> bool:
    node = _strip(node)
    return isinstance(node, Column) and columns.get(node.number) == name


def _strip(node: Node) -> Node:
    """The node without casts between text and varchar that change nothing."""
    while isinstance(node, Relabel) and node.type in _TEXT_TYPES:
        node = node.argument
    return node


def _equal(node: Node) -> Wanted:
    value = _text(node)
    if value is None:
        return EVERYTHING
    return Wanted(ids=frozenset({value})) if isinstance(value, str) else NOTHING


def _one_of(node: Node) -> Wanted:
    node = _strip_array(node)
    if not isinstance(node, Constant):
        return EVERYTHING
    if node.value is None:
        return NOTHING
    if isinstance(node.value, str):  # an array of several dimensions
        return EVERYTHING
    return Wanted(ids=frozenset(item for item in node.value if item is not None))


def _strip_array(node: Node) -> Node:
    while isinstance(node, Relabel) and node.type in {"pg_catalog._text", "pg_catalog._varchar"}:
        node = node.argument
    return node


def _prefix(node: Node) -> Wanted:
    value = _text(node)
    if value is None:
        return EVERYTHING
    return Wanted(prefix=value) if isinstance(value, str) else NOTHING


def _like(node: Node) -> Wanted:
    value = _text(node)
    if value is None:
        return EVERYTHING
    return Wanted(prefix=_literal_start(value)) if isinstance(value, str) else NOTHING


def _literal_start(pattern: str) -> str:
    """What every text that matches the LIKE pattern begins with."""
    start = []
    characters = iter(pattern)
    for character in characters:
        if character in "%_":
            break
        start.append(next(characters, "") if character == "\\" else character)
    return "".join(start)


def _text(node: Node) -> str | bool | None:
    """A constant's text; False for NULL, None if it is no constant of a text type."""
    if not isinstance(node, Constant) or node.type not in _TEXT_TYPES:
        return None
    if node.value is None:
        return False
    return node.value if isinstance(node.value, str) else None


_BY_TEXT: Mapping[str, Callable[[Node], Wanted]] = {
    _EQUAL_TEXT: _equal,
    f"pg_catalog.~~{_TEXT_PAIR}": _like,
    f"pg_catalog.like{_TEXT_PAIR}": _like,
    f"pg_catalog.^@{_TEXT_PAIR}": _prefix,
    f"pg_catalog.starts_with{_TEXT_PAIR}": _prefix,
}

_COMMUTED = {
    "pg_catalog.=": "pg_catalog.=",
    "pg_catalog.<": "pg_catalog.>",
    "pg_catalog.<=": "pg_catalog.>=",
    "pg_catalog.>": "pg_catalog.<",
    "pg_catalog.>=": "pg_catalog.<=",
}


def _range(operator: str, node: Node) -> Wanted:
    if operator not in _COMMUTED or not isinstance(node, Constant):
        return EVERYTHING
    if node.value is None:
        return NOTHING
    instant = _nanoseconds(node.value)
    if instant is None:
        return EVERYTHING
    is_lower, is_upper = "<" not in operator, ">" not in operator
    return Wanted(
        modified_after_ns=instant - _MARGIN_NS if is_lower else None,
        modified_before_ns=instant + _MARGIN_NS if is_upper else None,
    )


def _nanoseconds(value: Value) -> int | None:
    """Nanoseconds since 1970 of a timestamptz in ISO output; None for infinities, BC and far years."""
    match = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    except ValueError:
        return None
    hours, minutes = int(match[3]), int(match[4] or 0)
    offset = timedelta(hours=hours, minutes=-minutes if match[3][0] == "-" else minutes)
    microseconds = int((match[2] or ".0")[1:].ljust(6, "0"))
    return ((moment - _EPOCH - offset) // timedelta(microseconds=1) + microseconds) * 1_000


def _both(one: Wanted, other: Wanted) -> Wanted:
    ids = one.ids if other.ids is None else other.ids if one.ids is None else one.ids & other.ids
    longer, shorter = sorted((one.prefix, other.prefix), key=len, reverse=True)
    if not longer.startswith(shorter):
        return NOTHING
    return Wanted(
        ids=ids,
        prefix=longer,
        modified_after_ns=_known(max, one.modified_after_ns, other.modified_after_ns),
        modified_before_ns=_known(min, one.modified_before_ns, other.modified_before_ns),
        flags=one.flags | other.flags,
    )


def _known(pick: Callable[[int, int], int], one: int | None, other: int | None) -> int | None:
    """The pick of two limits where one may be absent."""
    if one is None or other is None:
        return other if one is None else one
    return pick(one, other)


def _either(one: Wanted, other: Wanted) -> Wanted:
    if NOTHING in {one, other}:
        return one if other == NOTHING else other
    return Wanted(
        ids=None if one.ids is None or other.ids is None else one.ids | other.ids,
        prefix=_common_start(one.prefix, other.prefix),
        modified_after_ns=_wider(min, one.modified_after_ns, other.modified_after_ns),
        modified_before_ns=_wider(max, one.modified_before_ns, other.modified_before_ns),
        flags=one.flags & other.flags,
    )


def _wider(pick: Callable[[int, int], int], one: int | None, other: int | None) -> int | None:
    """The limit that holds for both, if both have one."""
    return None if one is None or other is None else pick(one, other)


def _common_start(one: str, other: str) -> str:
    pairs = zip(one, other, strict=False)
    return "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
