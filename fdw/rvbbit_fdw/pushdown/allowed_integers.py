"""Arithmetic of smallint, integer and bigint: exact, with an error where the result does not fit."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

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


def _checked(sign: str, left: str, right: str, result: str) -> str:
    """Computed in the next wider type: of a + 5 > b DuckDB's optimizer makes a > b - 5, which cannot fail."""
    wide = _NEXT[result]
    return f"CAST((CAST({left} AS {wide}) {sign} CAST({right} AS {wide})) AS {_TYPES[result]})"


_LARGEST: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.add,
    "*": operator.mul,
}
"""How far from 0 a result may be, of operands that may be as far as that."""


def _of_numbers(sign: str, result: str) -> Speller:
    """Unchecked where the numbers that there are cannot have a result that does not fit."""
    kind = FIXED[f"pg_catalog.{result}"]
    checked = _checked(sign, "{0}", "{1}", result)

    def spell(call: Call) -> Written:
        most = _LARGEST[sign](call[0].largest, call[1].largest)
        if most < kind.largest:
            return replace(fill(f"({{0}} {sign} {{1}})", call, kind), most=most)
        return fill(checked, call, kind, fallible=True)

    return spell


def _negative(width: str) -> Speller:
    kind = FIXED[f"pg_catalog.{width}"]
    checked = _checked("-", f"CAST(0 AS {_TYPES[width]})", "{0}", width)

    def spell(call: Call) -> Written:
        if call[0].largest < kind.largest:
            return replace(fill("(-{0})", call, kind), most=call[0].most)
        return fill(checked, call, kind, fallible=True)

    return spell


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
            for sign in _LARGEST:
                spell, shown = _of_numbers(sign, result), f"a {sign} b"
                yield special(f"{sign}{types}", result, spell, shown, fallible=True, note=_OVERFLOWS)
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
        yield special(f"-({width})", width, _negative(width), "-a", fallible=True, note=_OVERFLOWS)
        yield entry(f"+({width})", width, "{0}")
        for name in ("abs", "@"):
            yield entry(f"{name}({width})", width, "abs({0})", fallible=True, note=_OVERFLOWS)
        for name in "&|":
            yield entry(f"{name}({width},{width})", width, f"({{0}} {name} {{1}})")
        yield entry(f"#({width},{width})", width, "xor({0}, {1})")
        yield entry(f"~({width})", width, "(~{0})")


_REMAINDER = "CASE WHEN {{1}} = -1 AND {{0}} IS NOT NULL THEN {zero} ELSE ({{0}} % {{1}}) END"

ENTRIES = (*_of_two(), *_of_one_width())
