"""Arithmetic of numeric: exact values with PostgreSQL's number of digits after the point.

PostgreSQL's numeric knows no bounds that matter here, DuckDB's DECIMAL ends at 38 digits. Where a result may
need more, DuckDB gives an error. The scale of a quotient depends on the values (`quotient`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import (
    LONGEST_REPEATED,
    Call,
    Entry,
    Speller,
    cast,
    constant,
    fill,
    special,
)
from rvbbit_fdw.pushdown.kinds import HUGEINT, MAX_DIGITS, Kind, decimal
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.quotient import divide
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scales, Written, scales_of
from rvbbit_fdw.sqltext import Sql

_TOO_MANY = "the numeric result may need more than 38 digits"

_SHORT = 18
"""Digits of a DECIMAL that DuckDB keeps in 64 bits, also as a product of two such with fewer after the point;
a value that does not fit is an error."""


def _sum(operator: str) -> Speller:
    def spell(call: Call) -> Written:
        left, right = call[0].kind, call[1].kind
        if _whole(left, right):
            return _of_hugeints(call, operator)
        _check_decimals(left, right)
        scale = max(left.scale, right.scale)
        digits = max(left.digits - left.scale, right.digits - right.scale) + 1 + scale
        sql = Sql(f"({call[0].sql} {operator} {call[1].sql})")
        made = _made(sql, decimal(min(digits, MAX_DIGITS), scale), call, fallible=digits > MAX_DIGITS)
        return replace(made, most=sum(_units(each, scale) for each in call.arguments))

    return spell


def _units(number: Written, scale: int) -> int:
    """How far from 0 a number may be, in units of a digit so far after the point."""
    shift: int = 10 ** (scale - number.kind.scale)
    return number.largest * shift


def _product(call: Call) -> Written:
    """DuckDB keeps the product of two short numbers short; so one is made long where it might not fit."""
    left, right = call[0].kind, call[1].kind
    if _whole(left, right):
        return _of_hugeints(call, "*")
    _check_decimals(left, right)
    if left.scale + right.scale > MAX_DIGITS:
        raise Local(_TOO_MANY)
    digits, scale = left.digits + right.digits, left.scale + right.scale
    most = call[0].largest * call[1].largest
    if digits > _SHORT >= max(left.digits, right.digits):
        if most < 10**_SHORT and scale < _SHORT:
            digits = _SHORT
        else:
            left = decimal(_SHORT + 1, left.scale)
            digits = left.digits + right.digits
    sql = Sql(f"({cast(call[0], left)} * {call[1].sql})")
    made = _made(sql, decimal(min(digits, MAX_DIGITS), scale), call, fallible=digits > MAX_DIGITS)
    return replace(made, scales=_combined(call, " + ", sum), most=most)


def _of_hugeints(call: Call, operator: str) -> Written:
    sql = Sql(f"({cast(call[0], HUGEINT)} {operator} {cast(call[1], HUGEINT)})")
    return _made(sql, HUGEINT, call, fallible=True)


def _whole(left: Kind, right: Kind) -> bool:
    return HUGEINT in {left, right} and left.scale == right.scale == 0


def _check_decimals(*operands: Kind) -> None:
    if HUGEINT in operands:
        raise Local(_TOO_MANY)


def _made(sql: Sql, kind: Kind, call: Call, *, fallible: bool = False) -> Written:
    fallible = fallible or any(argument.fallible for argument in call.arguments)
    same = all(argument.same_scale for argument in call.arguments)
    return Written(sql, kind, fallible, same_scale=same, scales=_combined(call, ", ", max))


def _combined(call: Call, between: str, combine: Callable[[tuple[int, ...]], int]) -> Scales | None:
    """The digits after the point of a result that has the most, or the sum, of what the arguments have."""
    given = [scales_of(argument) for argument in call.arguments]
    known = [each for each in given if each is not None]
    if len(known) < len(given) or all(argument.same_scale for argument in call.arguments):
        return None
    possible = frozenset(combine(each) for each in product(*(each.possible for each in known)))
    listed = between.join(each.sql for each in known)
    if len(listed) > LONGEST_REPEATED:
        return None
    return Scales(Sql(f"({listed})" if combine is sum else f"greatest({listed})"), possible)


def _remainder(call: Call) -> Written:
    left, right = call[0], call[1]
    kind = kinds.common(left.kind, right.kind)
    if kind is None:
        raise Local(_TOO_MANY)
    one, other = cast(left, kind), cast(right, kind)
    rest = f"({one} % {other})"
    if kind == HUGEINT:  # DuckDB's rest of the least one by -1 overflows
        rest = fill(
            f"CASE WHEN {{1}} = -1 AND {{0}} IS NOT NULL THEN {typed('0', HUGEINT)} ELSE {rest} END",
            call,
            kind,
        ).sql
    return _made(Sql(rest), kind, call, fallible=True)


def _quotient(call: Call) -> Written:
    return divide(call[0], call[1], call.scope)


def _negative(call: Call) -> Written:
    negative = Sql(f"(-{call[0].sql})")
    return replace(_made(negative, call[0].kind, call, fallible=call[0].kind == HUGEINT), most=call[0].most)


def _absolute(call: Call) -> Written:
    return _made(Sql(f"abs({call[0].sql})"), call[0].kind, call, fallible=call[0].kind == HUGEINT)


def _itself(call: Call) -> Written:
    return call[0]


def _sign(call: Call) -> Written:
    return fill("CAST(sign({0}) AS DECIMAL(1,0))", call, decimal(1, 0))


def _to_whole(function: str) -> Speller:
    def spell(call: Call) -> Written:
        kind = call[0].kind
        if kind.scale == 0:
            return call[0]
        return fill(f"{function}({{0}})", call, decimal(kind.digits, 0))

    return spell


def _places(call: Call) -> int:
    return int(constant(call, 1, "the number of digits"))


def _rounded(call: Call) -> Written:
    """To a number of places: as far as the value has them by a cast, else by round()."""
    kind, places = call[0].kind, _places(call)
    if places >= kind.scale:
        return _longer(call[0], places)
    if places < 0:
        return _rounded_to_tens(call[0], -places)
    whole = kind.digits - kind.scale + 1
    target = decimal(min(whole + places, MAX_DIGITS), places)
    return fill(f"CAST({{0}} AS {target.duckdb})", call, target)


def _truncated(call: Call) -> Written:
    kind, places = call[0].kind, _places(call)
    if places >= kind.scale:
        return _longer(call[0], places)
    if places < 0:
        raise Local("digits before the point are not cut off in DuckDB")
    return fill(f"trunc({{0}}, {places})", call, decimal(kind.digits, places))


def _longer(argument: Written, places: int) -> Written:
    digits = argument.kind.digits - argument.kind.scale + places
    if places == argument.kind.scale:
        return argument
    if digits > MAX_DIGITS:
        raise Local(_TOO_MANY)
    kind = decimal(digits, places)
    return Written(cast(argument, kind), kind, argument.fallible)


def _rounded_to_tens(argument: Written, places: int) -> Written:
    """DuckDB rounds no more digits before the point than the type has."""
    kind = argument.kind
    _check_decimals(kind)
    needed = decimal(min(max(kind.digits, kind.scale + places), MAX_DIGITS), kind.scale)
    if places > needed.digits - needed.scale:
        raise Local("more digits are rounded than there are")
    target = decimal(min(max(needed.digits, 1 + places), MAX_DIGITS), 0)
    fallible = argument.fallible or needed.digits == MAX_DIGITS
    return Written(Sql(f"round({cast(argument, needed)}, {-places})"), target, fallible)


def _with_modifier(call: Call) -> Written:
    """The cast to numeric(p,s), whose typmod comes as a constant."""
    modifier = int(constant(call, 1, "the type modifier"))
    if modifier < 0:
        return call[0]
    digits, scale = (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF
    if digits > MAX_DIGITS or scale > digits:
        reason = f"DuckDB has no numeric of {digits} digits with {scale} after the point"
        raise Local(reason)
    target = decimal(digits, scale)
    whole = call[0].kind.digits - call[0].kind.scale
    rounds = call[0].kind.scale > scale
    fits = whole + rounds <= digits - scale
    return fill(f"CAST({{0}} AS {target.duckdb})", call, target, fallible=not fits)


_WIDE = "an error beyond 38 digits"

ENTRIES: tuple[Entry, ...] = (
    special("+(numeric,numeric)", "numeric", _sum("+"), "a + b", narrower=True, note=_WIDE),
    special("-(numeric,numeric)", "numeric", _sum("-"), "a - b", narrower=True, note=_WIDE),
    special("*(numeric,numeric)", "numeric", _product, "a * b", narrower=True, note=_WIDE),
    special("%(numeric,numeric)", "numeric", _remainder, "a % b", fallible=True, note="an error if b is 0"),
    special("mod(numeric,numeric)", "numeric", _remainder, "a % b", fallible=True, note="an error if b is 0"),
    special(
        "/(numeric,numeric)",
        "numeric",
        _quotient,
        "a / b",
        fallible=True,
        narrower=True,
        note="as many digits as PostgreSQL gives; an error if b is 0, or beyond 38 digits; where that"
        " error might come late PostgreSQL divides",
    ),
    special("-(numeric)", "numeric", _negative, "-a", narrower=True),
    special("+(numeric)", "numeric", _itself, "a"),
    special("abs(numeric)", "numeric", _absolute, "abs(a)", narrower=True),
    special("@(numeric)", "numeric", _absolute, "abs(a)", narrower=True),
    special("sign(numeric)", "numeric", _sign, "sign(a)"),
    special("ceil(numeric)", "numeric", _to_whole("ceil"), "ceil(a)"),
    special("ceiling(numeric)", "numeric", _to_whole("ceil"), "ceil(a)"),
    special("floor(numeric)", "numeric", _to_whole("floor"), "floor(a)"),
    special("round(numeric)", "numeric", _to_whole("round"), "round(a)"),
    special("trunc(numeric)", "numeric", _to_whole("trunc"), "trunc(a)"),
    special(
        "round(numeric,int4)", "numeric", _rounded, "CAST(a AS DECIMAL(..., b))", narrower=True, constants=[1]
    ),
    special("trunc(numeric,int4)", "numeric", _truncated, "trunc(a, b)", constants=[1]),
    special(
        "numeric(numeric,int4)",
        "numeric",
        _with_modifier,
        "CAST(a AS DECIMAL(p,s))",
        fallible=True,
        constants=[1],
        note="the cast to numeric(p,s); an error if the value does not fit",
    ),
)
