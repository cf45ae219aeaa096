"""Multicorn2's quals as conditions, but only where they cannot leave out a row that PostgreSQL wants.

PostgreSQL checks every condition again, so one that says less is as good. A qual has the name of an operator
and a value of which the type was lost on the way, so each is read in the widest way that its text may mean.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Protocol, TypeAlias

from rvbbit_fdw.pushdown.nodes import AnyOf, Bool, Call, Column, Constant, Node, NullTest
from rvbbit_fdw.request import Attribute, Table

_BOOL, _TEXT = "pg_catalog.bool", "pg_catalog.text"
_DEFAULT = "pg_catalog.default"
_RANGES = frozenset({"<", "<=", ">", ">="})
_COMPARISONS = _RANGES | {"="}
_SECOND = timedelta(seconds=1)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(\.\d{1,6})?([+-]\d\d)(?::?(\d\d))?")

Key: TypeAlias = "tuple[str, str, str]"


class Qual(Protocol):
    """A condition as Multicorn2 gives it; `operator` is a pair for IN and its kin."""

    field_name: str
    operator: Any
    value: Any


class Planned:
    """The quals whose values were constants when a statement of this transaction was planned.

    Other values arrive when a scan starts. Multicorn2 reads the value of a function as if it had the column's
    type, and an array as one of its elements: such a value is not to be believed.
    """

    def __init__(self) -> None:
        self._known: set[Key] = set()

    def note(self, quals: Iterable[Qual]) -> None:
        """What the planner is given are constants."""
        self._known.update(map(_key, quals))

    def clear(self) -> None:
        """Forget them, at the end of the transaction."""
        self._known.clear()

    def __contains__(self, qual: Qual) -> bool:
        return _key(qual) in self._known


def _key(qual: Qual) -> Key:
    return qual.field_name, repr(qual.operator), repr(qual.value)


def conditions(quals: Sequence[Qual], table: Table, planned: Planned) -> tuple[Node, ...]:
    """What may be made of the quals."""
    by_name = {attribute.name: attribute for attribute in table.attributes.values()}
    known = ((by_name[qual.field_name], qual) for qual in quals if qual.field_name in by_name)
    # A text may be compared as character(n), as citext or under any collation: it looks the same. A list of
    # sessions has to be looked up by their ids nevertheless.
    is_list = "catalog" in table.options
    found = (
        _condition(attribute, qual, planned)
        for attribute, qual in known
        if is_list or attribute.type != _TEXT or qual.value is None
    )
    return tuple(node for node in found if node is not None)


def column_of(attribute: Attribute) -> Column:
    """The attribute in a condition."""
    collation = _DEFAULT if attribute.type == _TEXT else None
    return Column(attribute.number, attribute.name, attribute.type, attribute.typmod, collation)


def _condition(attribute: Attribute, qual: Qual, planned: Planned) -> Node | None:
    column = column_of(attribute)
    if qual.value is None:  # IS NULL; "= NULL" looks the same, and has no rows
        return NullTest(column, qual.operator == "<>") if qual.operator in {"=", "<>"} else None
    if qual not in planned and attribute.type not in _TOLD_APART:
        return None
    if isinstance(qual.operator, tuple):
        return _one_of(attribute, qual)
    if not isinstance(qual.operator, str) or qual.operator not in _COMPARISONS:
        return None
    compare = _COMPARE.get(attribute.type)
    return compare(attribute, qual.operator, qual.value) if compare else None


def _one_of(attribute: Attribute, qual: Qual) -> Node | None:
    """IN; an operator with ALL, and a value that is no list, say nothing."""
    exact = _EXACT.get(attribute.type)
    if exact is None or qual.operator != ("=", True) or not isinstance(qual.value, list):
        return None
    kind, text = exact
    texts = [text(item) for item in qual.value if item is not None]
    if any(each is None for each in texts):
        return None
    array = Constant(kind.replace(".", "._", 1), tuple(texts))
    return AnyOf(_name("=", attribute, kind), column_of(attribute), array, False, _DEFAULT)


def _name(operator: str, attribute: Attribute, kind: str) -> str:
    return f"pg_catalog.{operator}({attribute.type},{kind})"


def _call(attribute: Attribute, operator: str, kind: str, value: str) -> Node:
    arguments = (column_of(attribute), Constant(kind, value, collation=_DEFAULT))
    return Call("operator", _name(operator, attribute, kind), _BOOL, arguments, _DEFAULT)


def _all(nodes: Iterator[Node]) -> Node | None:
    found = tuple(nodes)
    return Bool("and", found) if len(found) > 1 else next(iter(found), None)


def _exactly(attribute: Attribute, operator: str, value: object) -> Node | None:
    """Comparisons of a type whose values arrive as they are."""
    kind, text = _EXACT[attribute.type]
    written = text(value)
    return None if written is None else _call(attribute, operator, kind, written)


def _equal(attribute: Attribute, operator: str, value: object) -> Node | None:
    """Equality alone: the order of texts depends on a collation that is not told."""
    return _exactly(attribute, operator, value) if operator == "=" else None


def _bool(attribute: Attribute, operator: str, value: object) -> Node | None:
    return column_of(attribute) if (operator, value) == ("=", "t") else None


def _between(attribute: Attribute, operator: str, low: str, high: str, kind: str) -> Node | None:
    """A comparison with a value that lies somewhere from `low` to `high`."""
    parts = {
        "=": ((">=", low), ("<=", high)),
        "<": (("<=", high),),
        "<=": (("<=", high),),
        ">": ((">=", low),),
        ">=": ((">=", low),),
    }
    return _all(_call(attribute, each, kind, text) for each, text in parts[operator])


def _float(attribute: Attribute, operator: str, value: object) -> Node | None:
    """The text may be that of a real or of a double precision."""
    number = _number(value)
    if number is None:
        return None
    try:
        single = float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        single = number
    low, high = sorted((number, single))
    return _between(attribute, operator, repr(low), repr(high), "pg_catalog.float8")


def _numeric(attribute: Attribute, operator: str, value: object) -> Node | None:
    """A numeric arrives as a float, which may be a little more or less."""
    number = _number(value)
    if number is None:
        return None
    scale = Decimal(1).scaleb(-_scale(attribute))
    try:
        low = Decimal(math.nextafter(number, -math.inf)).quantize(scale, ROUND_FLOOR)
        high = Decimal(math.nextafter(number, math.inf)).quantize(scale, ROUND_CEILING)
    except ArithmeticError:  # more digits than any column here has
        return None
    return _between(attribute, operator, f"{low:f}", f"{high:f}", "pg_catalog.numeric")


def _scale(attribute: Attribute) -> int:
    """Digits after the point that the column's values have at most."""
    declared = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", attribute.duckdb_type or "")
    return int(declared[2]) if declared else 0


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, str | float) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _timestamp(attribute: Attribute, operator: str, value: object) -> Node | None:
    """A timestamp arrives without what is less than a second."""
    if not isinstance(value, datetime) or value.tzinfo is not None:
        return None
    first, kind = value.replace(microsecond=0), "pg_catalog.timestamp"
    if first > datetime.max - _SECOND:
        return None
    after = _call(attribute, "<", kind, f"{first + _SECOND:%Y-%m-%d %H:%M:%S}".zfill(19))
    since = _call(attribute, ">=", kind, f"{first:%Y-%m-%d %H:%M:%S}".zfill(19))
    parts = {"=": (since, after), "<": (after,), "<=": (after,), ">": (since,), ">=": (since,)}
    return _all(iter(parts[operator]))


def _int4_text(value: object) -> str | None:
    """Values of other types come as text: also an oid, with which a column may be compared as an oid."""
    return _integer_text(value) if isinstance(value, int) else None


def _integer_text(value: object) -> str | None:
    """All that fits an int8; as such it compares with columns of each width."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    good = re.fullmatch(r"-?\d{1,19}", text) and -(2**63) <= int(text) < 2**63
    return text if good else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and "\0" not in value else None


def _uuid_text(value: object) -> str | None:
    return value if isinstance(value, str) and _UUID.fullmatch(value) else None


def _date_text(value: object) -> str | None:
    """A value of another type on the right arrives as one of another class."""
    plain = isinstance(value, date) and not isinstance(value, datetime)
    return value.isoformat() if plain and isinstance(value, date) else None


def _instant_text(value: object) -> str | None:
    """A timestamptz arrives as text, in the session's time zone; only the ISO style is read."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    second, fraction, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{second}{hours}:{minutes or '00'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%d %H:%M:%S}".zfill(19) + (fraction or "") + "+00"


_Exact: TypeAlias = "tuple[str, Callable[[object], str | None]]"

_EXACT: Mapping[str, _Exact] = {
    "pg_catalog.int2": ("pg_catalog.int8", _integer_text),
    "pg_catalog.int4": ("pg_catalog.int8", _int4_text),
    "pg_catalog.int8": ("pg_catalog.int8", _integer_text),
    _TEXT: (_TEXT, _text),
    "pg_catalog.uuid": ("pg_catalog.uuid", _uuid_text),
    "pg_catalog.date": ("pg_catalog.date", _date_text),
    "pg_catalog.timestamptz": ("pg_catalog.timestamptz", _instant_text),
}
"""Types whose values arrive as they are: what they are compared as, and how they are written."""

_COMPARE: Mapping[str, Callable[[Attribute, str, object], Node | None]] = {
    **dict.fromkeys(_EXACT, _exactly),
    _TEXT: _equal,
    "pg_catalog.bool": _bool,
    "pg_catalog.float4": _float,
    "pg_catalog.float8": _float,
    "pg_catalog.numeric": _numeric,
    "pg_catalog.timestamp": _timestamp,
}

_TOLD_APART = frozenset({"pg_catalog.int8", "pg_catalog.uuid", "pg_catalog.bool"})
"""Types that compare with no wider one, so that every value of theirs arrives as it is."""
