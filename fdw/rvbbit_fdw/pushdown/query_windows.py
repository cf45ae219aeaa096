"""Window functions, and aggregates over windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import kinds, literals
from rvbbit_fdw.pushdown.entry import Collation, qualified
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.nodes import Constant, Node, Parameter
from rvbbit_fdw.pushdown.query_nodes import Window, WindowCall
from rvbbit_fdw.pushdown.reasons import Local, unknown_call
from rvbbit_fdw.pushdown.written import UNKNOWN, Written
from rvbbit_fdw.sqltext import Sql, comma

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level

# PostgreSQL's FRAMEOPTION_* (nodes/parsenodes.h), as they are in every version from 11 on.
_MODES = {0x02: "RANGE", 0x04: "ROWS", 0x08: "GROUPS"}
_STARTS = {0x20: "UNBOUNDED PRECEDING", 0x200: "CURRENT ROW", 0x800: "PRECEDING", 0x2000: "FOLLOWING"}
_ENDS = {0x100: "UNBOUNDED FOLLOWING", 0x400: "CURRENT ROW", 0x1000: "PRECEDING", 0x4000: "FOLLOWING"}
_EXCLUDES = {0x8000: "EXCLUDE CURRENT ROW", 0x10000: "EXCLUDE GROUP", 0x20000: "EXCLUDE TIES"}
_NONDEFAULT = 0x01

_RANKS: Mapping[str, tuple[str, Kind]] = {
    qualified("row_number()"): ("row_number()", kinds.INT8),
    qualified("rank()"): ("rank()", kinds.INT8),
    qualified("dense_rank()"): ("dense_rank()", kinds.INT8),
    qualified("percent_rank()"): ("percent_rank()", kinds.FLOAT8),
    qualified("cume_dist()"): ("cume_dist()", kinds.FLOAT8),
}

_VALUES: Mapping[str, str] = {
    qualified("first_value(anyelement)"): "first_value",
    qualified("last_value(anyelement)"): "last_value",
    qualified("nth_value(anyelement,int4)"): "nth_value",
    qualified("lag(anyelement)"): "lag",
    qualified("lead(anyelement)"): "lead",
    qualified("lag(anyelement,int4)"): "lag",
    qualified("lead(anyelement,int4)"): "lead",
}

_INTEGERS = (kinds.INT2, kinds.INT4, kinds.INT8)

_NTILE = qualified("ntile(int4)")


def is_known(name: str) -> bool:
    """True for window functions that are no aggregates."""
    return name in _RANKS or name in _VALUES or name == _NTILE


def write(leaf: WindowCall, level: Level) -> Written:
    """A window function of this level that is no aggregate."""
    window = over(leaf, level)
    if leaf.name in _RANKS:
        call, kind = _RANKS[leaf.name]
        return Written(Sql(f"{call}{window}"), kind)
    if leaf.name == _NTILE:
        buckets = _positive(leaf.arguments[0])
        return Written(Sql(f"CAST(ntile({buckets}){window} AS INTEGER)"), kinds.INT4)
    function = _VALUES.get(leaf.name)
    if function is None:
        raise unknown_call("window function", leaf.name)
    value = level.expression(leaf.arguments[0])
    further = [Sql(_positive(argument)) for argument in leaf.arguments[1:]]
    return Written(
        Sql(f"{function}({comma([value.sql, *further])}){window}"),
        value.kind,
        value.fallible,
        same_scale=value.same_scale,
    )


def _positive(node: Node) -> str:
    value = node.value if isinstance(node, Constant) else None
    if not isinstance(value, str) or int(value) < 1:
        raise Local("an argument of a window function that is no positive constant")
    return value


def over(leaf: WindowCall, level: Level) -> str:
    """OVER with the window of the call."""
    window = next(each for each in level.query.windows if each.number == leaf.window)
    partition = [level.key(group, Collation.EQUALITY) for group in window.partition]
    order = [level.sort_key(group) for group in window.sort]
    parts = [
        f"PARTITION BY {comma(partition)}" if partition else "",
        f"ORDER BY {comma(order)}" if order else "",
        _frame(window, level),
    ]
    return f" OVER ({' '.join(part for part in parts if part)})"


def _frame(window: Window, level: Level) -> str:
    if not window.frame & _NONDEFAULT:
        return ""
    mode = _chosen(window.frame, _MODES)
    start = _bound(window, _chosen(window.frame, _STARTS), window.start, mode, level)
    end = _bound(window, _chosen(window.frame, _ENDS), window.end, mode, level)
    exclude = [words for bit, words in _EXCLUDES.items() if window.frame & bit]
    return " ".join([f"{mode} BETWEEN {start} AND {end}", *exclude])


def _chosen(frame: int, names: Mapping[int, str]) -> str:
    found = [name for bit, name in names.items() if frame & bit]
    if len(found) != 1:
        raise Local("a window frame of an unknown kind")
    return found[0]


def _bound(window: Window, words: str, offset: Node | None, mode: str, level: Level) -> str:
    if words not in {"PRECEDING", "FOLLOWING"}:
        return words
    if offset is None:
        raise Local("a window frame without a distance")
    if mode == "RANGE":
        return f"{_distance(window, offset, level)} {words}"
    written = level.expression(offset)
    if written.kind != kinds.INT8:
        raise Local("a window frame whose length is no bigint")
    if isinstance(written.value, str) and int(written.value) < 0:
        raise Local("a window frame of negative length")
    return f"{written.sql} {words}"


def _distance(window: Window, offset: Node, level: Level) -> Sql:
    """How far values of the one sort key may be apart: an integer, or an interval of what is no integer.

    A sum out of the key's range is an error of DuckDB, and the end of the window in PostgreSQL.
    """
    kind = level.sort_kind(window.sort[0])
    if not isinstance(offset, Constant | Parameter):
        raise Local("a window frame by a distance that is not computed when the query starts")
    is_integer = kind in _INTEGERS and offset.type in {each.type for each in _INTEGERS}
    if not is_integer and not (kind in {kinds.DATE, kinds.TIMESTAMP} and offset.type == kinds.INTERVAL.type):
        raise Local("a window frame by distance of values of this type")
    written = level.expression(offset)
    if written.value is not UNKNOWN:
        _check_length(written.value, is_integer=is_integer)
    if is_integer:
        return literals.typed(written.sql, max(kind, kinds.FIXED[offset.type], key=_INTEGERS.index))
    return written.sql


def _check_length(value: object, *, is_integer: bool) -> None:
    if not isinstance(value, str):
        raise Local("a window frame whose length is null")
    if (int(value) if is_integer else min(literals.parse_interval(value))) < 0:
        raise Local("a window frame of negative length")
