"""Division of numerics: PostgreSQL's quotient, digit for digit, by DuckDB's HUGEINT.

PostgreSQL rounds a quotient to a number of digits after the point that hangs on the values: such that it has
16 or more that count, in steps of 4 because its digits have the base 10,000. So the quotient comes with that
number (`written.Scales`), and is carried as a DECIMAL with room for as many as may come. Where that room does
not suffice for every value DuckDB gives an error for those for which it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED
from rvbbit_fdw.pushdown.kinds import MAX_DIGITS, Kind, decimal
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scales, Scope, Written, scales_of
from rvbbit_fdw.sqltext import Sql, comma

_COUNTING = 16
"""Digits that count (NUMERIC_MIN_SIG_DIGITS)."""

_STEP = 4
"""Decimal digits in one digit of PostgreSQL's numeric (DEC_DIGITS)."""

_ROOM, _LESS_ROOM, _SPARE = 24, 20, 3
"""Digits after the point that are carried where not all possible values fit: so many if that leaves some more
to compute with, else fewer."""

_Body = Callable[[str], str]


@dataclass(frozen=True)
class _Bounds:
    """What is known of all quotients: digits before the point, and at most so many after it."""

    whole: int
    scale: int


def divide(dividend: Written, divisor: Written, scope: Scope, whole: int | None = None) -> Written:
    """The quotient; `whole`: digits before its point, if more is known than the operands' types tell.

    Local if no DECIMAL may hold it, or only some values where nothing but all will do.
    """
    bounds = _bounds(dividend, divisor)
    whole = bounds.whole if whole is None else whole
    total = (
        bounds.scale <= MAX_DIGITS - whole
        and _never_zero(divisor)
        and _fits(dividend.kind, divisor.kind, whole)
    )
    room = bounds.scale if total else _room(whole)
    if not total and not scope.divides:
        raise Local("operator numeric / numeric is not known to be the same in DuckDB")
    if max(dividend.kind.scale, divisor.kind.scale) > room:
        raise Local("the numeric result may need more than 38 digits")
    if len(dividend.sql) + len(divisor.sql) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")
    given = _known_scales(dividend), _known_scales(divisor)
    pair = _let([_unscaled(dividend), _unscaled(divisor), *(f"{each.sql}::HUGEINT" for each in given)], 1)
    found = pair(lambda q: _with_exponents(q, dividend.kind.scale, divisor.kind.scale, room))
    fallible = not total or dividend.fallible or divisor.fallible
    tiny = f"CAST('0.{'1'.rjust(room, '0')}' AS DECIMAL({room},{room}))"
    return Written(
        Sql(f"(CAST({found}[1] AS DECIMAL({MAX_DIGITS},0)) * {tiny})"),
        decimal(MAX_DIGITS, room),
        fallible,
        same_scale=False,
        scales=Scales(Sql(f"CAST({found}[2] AS INTEGER)"), _possible(given, room)),
    )


def _room(whole: int) -> int:
    return _ROOM if whole + _ROOM + _SPARE <= MAX_DIGITS else _LESS_ROOM


def _known_scales(operand: Written) -> Scales:
    scales = scales_of(operand)
    if scales is None:
        raise Local("the digits after the point of a numeric may not be the same in DuckDB")
    return scales


def _possible(given: Sequence[Scales], room: int) -> frozenset[int]:
    steps = range(_COUNTING % _STEP, room + 1, _STEP)
    one, other = given
    every = {max(step, a, b) for step in steps for a in one.possible for b in other.possible}
    return frozenset(each for each in every if each <= room)


def _bounds(dividend: Written, divisor: Written) -> _Bounds:
    """PostgreSQL's choice of scale (select_div_scale in numeric.c) for the extreme operands."""
    one, other = dividend.kind, divisor.kind
    smallest, largest = _exponents(divisor)
    whole = one.digits - one.scale - smallest
    weight = -one.scale // _STEP - largest // _STEP - 1
    return _Bounds(max(whole, 0), max(_COUNTING - weight * _STEP, one.scale, other.scale))


def _exponents(operand: Written) -> tuple[int, int]:
    """The decimal exponents of the smallest and the largest value but 0."""
    if isinstance(operand.value, str) and not _is_zero(operand.value):
        digits = operand.value.lstrip("-").replace(".", "").lstrip("0")
        exponent = len(digits) - 1 - operand.kind.scale
        return exponent, exponent
    return -operand.kind.scale, operand.kind.digits - operand.kind.scale - 1


def _is_zero(value: str) -> bool:
    return not value.lstrip("-").replace(".", "").lstrip("0")


def _never_zero(operand: Written) -> bool:
    return isinstance(operand.value, str) and not _is_zero(operand.value)


def _fits(one: Kind, other: Kind, whole: int) -> bool:
    """Has a HUGEINT room for twice the dividend with as many digits as the quotient is to have?"""
    counting = max(_COUNTING + _STEP + 1, whole + max(one.scale, other.scale))
    return counting + other.digits + 1 < MAX_DIGITS and one.digits <= MAX_DIGITS


def _unscaled(operand: Written) -> str:
    """All digits as an integer."""
    if operand.kind.scale == 0:
        return f"CAST({operand.sql} AS HUGEINT)"
    return f"CAST(replace(CAST({operand.sql} AS VARCHAR), '.', '') AS HUGEINT)"


def _let(values: Sequence[str], depth: int) -> Callable[[_Body], str]:
    """Computes the values once, as elements of a list whose name the body is given."""
    name = f"_q{depth}"
    return lambda body: (
        f"list_transform([[{comma(Sql(value) for value in values)}]], lambda {name}: {body(name)})[1]"
    )


def _with_exponents(q: str, one: int, other: int, room: int) -> str:
    """`q`: both operands as integers, and their digits after the point as PostgreSQL counts them."""
    exponents = [
        f"length(CAST(abs({q}[{n}]) AS VARCHAR)) - {1 + scale}" for n, scale in ((1, one), (2, other))
    ]
    shift = other - one
    return _let(exponents, 2)(lambda e: _with_weights(q, e, shift, room))


def _with_weights(q: str, e: str, shift: int, room: int) -> str:
    """The weights to the base 10,000; that of 0 is 0."""
    floor = f"{1 << 10} * {_STEP}"
    weights = [
        f"CASE WHEN {q}[{n}] = 0 THEN 0 ELSE ({e}[{n}] + {floor}) // {_STEP} - {1 << 10} END" for n in (1, 2)
    ]
    return _let(weights, 3)(lambda w: _with_scale(q, e, w, shift, room))


def _with_scale(q: str, e: str, w: str, shift: int, room: int) -> str:
    """The number of digits after the point."""
    one, other = (_first_digit(q, e, w, n) for n in (1, 2))
    weight = f"{w}[1] - {w}[2] - CASE WHEN {one} <= {other} THEN 1 ELSE 0 END"
    scale = f"CAST(greatest({_COUNTING} - {_STEP} * ({weight}), {q}[3], {q}[4], 0) AS INTEGER)"
    return _let([scale], 4)(lambda r: _rounded(q, f"{r}[1]", shift, room))


def _first_digit(q: str, e: str, w: str, n: int) -> str:
    """The first digit to the base 10,000."""
    count = f"CAST({e}[{n}] - {_STEP} * {w}[{n}] + 1 AS INTEGER)"
    text = f"CAST(abs({q}[{n}]) AS VARCHAR)"
    digits = f"rpad(left({text}, {count}), {count}, '0')"
    return f"CASE WHEN {q}[{n}] = 0 THEN 0 ELSE CAST({digits} AS INTEGER) END"


def _rounded(q: str, scale: str, shift: int, room: int) -> str:
    """The quotient with `room` digits after the point, as an integer, and how many of them count."""
    one, other = f"(2 * abs({q}[1]) * {_power(f'{scale} + {shift}')} + abs({q}[2]))", f"(2 * abs({q}[2]))"
    sign = f"CASE WHEN ({q}[1] < 0) <> ({q}[2] < 0) THEN -1 ELSE 1 END"
    found = f"{sign} * ({one} // {other}) * {_power(f'{room} - {scale}')}"
    zero = f"CAST({q}[1] // {q}[2] AS HUGEINT)"
    return f"[CASE WHEN {q}[1] = 0 THEN {zero} ELSE {found} END, CAST({scale} AS HUGEINT)]"


def _power(exponent: str) -> str:
    """A power of 10; an error below 1."""
    return f"CAST(rpad('1', {exponent} + 1, '0') AS HUGEINT)"


def as_numeric(written: Written) -> Written:
    """An integer as a numeric."""
    if written.kind.type == kinds.NUMERIC:
        return written
    return Written(written.sql, decimal(19, 0), written.fallible, written.value)
