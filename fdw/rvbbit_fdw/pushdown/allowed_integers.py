"""Arithmetic of smallint, integer and bigint: exact, with an error where the result does not fit."""

from __future__ import annotations

from collections.abc import Iterator

from rvbbit_fdw.pushdown.entry import Call, Entry, Speller, entry, fill, special
from rvbbit_fdw.pushdown.kinds import FIXED
from rvbbit_fdw.pushdown.written import UNKNOWN, Written

_WIDTHS = ("int2", "int4", "int8")
_OVERFLOWS = "an error if the result does not fit"
_BY_ZERO = "an error if b is 0 or the result does not fit"
_REST = "the sign is that of a; an error if b is 0"


def _wider(left: str, right: str) -> str:
    return max(left, right, key=_WIDTHS.index)


_TYPES = {"int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT"}
_NEXT = {"int2": "INTEGER", "int4": "BIGINT", "int8": "HUGEINT"}


def _checked(operator: str, left: str, right: str, result: str) -> str:
    """Computed in the next wider type: of a + 5 > b DuckDB's optimizer makes a > b - 5, which cannot fail."""
    wide = _NEXT[result]
    return f"CAST((CAST({left} AS {wide}) {operator} CAST({right} AS {wide})) AS {_TYPES[result]})"


def _unless_safe(safe: str, spelling: str, result: str) -> Speller:
    """With a constant divisor that neither fails nor overflows, the call cannot fail."""
    kind = FIXED[f"pg_catalog.{result}"]

    def spell(call: Call) -> Written:
        if call[1].value not in {UNKNOWN, None, "0", "-1"}:
            return fill(safe, call, kind)
        return fill(spelling, call, kind, fallible=True)

    return spell


def _of_two() -> Iterator[Entry]:
    for left in _WIDTHS:
        for right in _WIDTHS:
            result, types = _wider(left, right), f"({left},{right})"
            for operator in "+-*":
                spelling = _checked(operator, "{0}", "{1}", result)
                shown = f"a {operator} b"
                yield entry(
                    f"{operator}{types}", result, spelling, fallible=True, note=_OVERFLOWS, shown=shown
                )
            yield special(
                f"/{types}",
                result,
                _unless_safe("({0} // {1})", "({0} // {1})", result),
                "a // b",
                fallible=True,
                note=_BY_ZERO,
            )


def _of_one_width() -> Iterator[Entry]:
    for width in _WIDTHS:
        zero = f"CAST(0 AS {_TYPES[width]})"
        yield from (
            # DuckDB's own rest of the least integer by -1 overflows.
            special(
                f"{name}({width},{width})",
                width,
                _unless_safe("({0} % {1})", _REMAINDER.format(zero=zero), width),
                "CASE WHEN b = -1 THEN 0 ELSE a % b END",
                fallible=True,
                note=_REST,
            )
            for name in ("%", "mod")
        )
        negative = _checked("-", zero, "{0}", width)
        yield entry(f"-({width})", width, negative, fallible=True, note=_OVERFLOWS, shown="0 - a")
        yield entry(f"+({width})", width, "{0}")
        for name in ("abs", "@"):
            yield entry(f"{name}({width})", width, "abs({0})", fallible=True, note=_OVERFLOWS)
        for operator, name in (("&", "&"), ("|", "|")):
            yield entry(f"{operator}({width},{width})", width, f"({{0}} {name} {{1}})")
        yield entry(f"#({width},{width})", width, "xor({0}, {1})")
        yield entry(f"~({width})", width, "(~{0})")


_REMAINDER = "CASE WHEN {{1}} = -1 AND {{0}} IS NOT NULL THEN {zero} ELSE ({{0}} % {{1}}) END"

ENTRIES = (*_of_two(), *_of_one_width())
