"""Division of numerics: PostgreSQL's quotient, digit for digit, by DuckDB's HUGEINT.

PostgreSQL rounds a quotient to a number of digits after the point that hangs on the values: such that it has
16 or more that count, in steps of 4 because its digits have the base 10,000. So the quotient comes with that
number (`written.Scales`), and is carried as a DECIMAL with room for as many as may come. Where that room does
not suffice for every value DuckDB gives an error for those for which it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED
from rvbbit_fdw.pushdown.kinds import MAX_DIGITS, Kind, decimal
from rvbbit_fdw.pushdown.quotient_short import BASE, COUNTING, FAR, STEP, Found, divided
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scales, Scope, Written, scales_of
from rvbbit_fdw.sqltext import Sql, comma

_ROOM, _LESS_ROOM, _SPARE = 24, 20, 3
"""Digits after the point that are carried where not all possible values fit: so many if that leaves some more
to compute with, else fewer."""


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
    found = divided(dividend, divisor, given, room) or _by_anything(dividend, divisor, given, room)
    fallible = not total or dividend.fallible or divisor.fallible
    tiny = f"CAST('0.{'1'.rjust(room, '0')}' AS DECIMAL({room},{room}))"
    sql = Sql(f"(CAST({found.quotient} AS DECIMAL({MAX_DIGITS},0)) * {tiny})")
    return Written(sql, decimal(MAX_DIGITS, room), fallible, same_scale=False, scales=found.scales)


def _room(whole: int) -> int:
    return _ROOM if whole + _ROOM + _SPARE <= MAX_DIGITS else _LESS_ROOM


def _known_scales(operand: Written) -> Scales:
    scales = scales_of(operand)
    if scales is None:
        raise Local("the digits after the point of a numeric may not be the same in DuckDB")
    return scales


def _possible(given: Sequence[Scales], room: int) -> frozenset[int]:
    steps = range(COUNTING % STEP, room + 1, STEP)
    one, other = given
    every = {max(step, a, b) for step in steps for a in one.possible for b in other.possible}
    return frozenset(each for each in every if each <= room)


def _bounds(dividend: Written, divisor: Written) -> _Bounds:
    """PostgreSQL's choice of scale (select_div_scale in numeric.c) for the extreme operands."""
    one, other = dividend.kind, divisor.kind
    smallest, largest = _exponents(divisor)
    whole = one.digits - one.scale - smallest
    weight = -one.scale // STEP - largest // STEP - 1
    return _Bounds(max(whole, 0), max(COUNTING - weight * STEP, one.scale, other.scale))


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
    counting = max(COUNTING + STEP + 1, whole + max(one.scale, other.scale))
    return counting + other.digits + 1 < MAX_DIGITS and one.digits <= MAX_DIGITS


def _unscaled(operand: Written) -> str:
    """All digits as an integer."""
    if operand.kind.scale == 0:
        return f"CAST({operand.sql} AS HUGEINT)"
    return f"CAST(replace(CAST({operand.sql} AS VARCHAR), '.', '') AS HUGEINT)"


def _by_anything(dividend: Written, divisor: Written, given: Sequence[Scales], room: int) -> Found:
    """The quotient with `room` digits after the point.

    DuckDB takes some 20 microseconds to bind each function, so few are written.
    """
    one, other = dividend.kind.scale, divisor.kind.scale
    numbers = comma([Sql(_unscaled(dividend)), Sql(_unscaled(divisor)), *_varying(given)])
    scale, rounded = _scale(one, other, given), _rounded(other - one, room)
    counted = f"list_transform([{scale}], lambda _r: [{rounded}, _r])[1]"
    found = f"list_transform([[{numbers}]], lambda _q: {counted})[1]"
    return Found(Sql(f"{found}[1]"), Scales(Sql(f"CAST({found}[2] AS INTEGER)"), _possible(given, room)))


def _varying(given: Sequence[Scales]) -> list[Sql]:
    return [Sql(f"CAST({each.sql} AS HUGEINT)") for each in given if len(each.possible) > 1]


def _scale(one: int, other: int, given: Sequence[Scales]) -> str:
    """The number of digits after the point (select_div_scale in numeric.c) for operands with so many.

    An operand's first digit to the base 10,000 and its weight are one number here, weight * 10,000 + digit:
    by the difference of two of them both weights are known, and which digit is larger. Those of 0 are 0.
    """
    first = f"(length(_d) - 1) // {STEP} * {BASE} + CAST(left(_d, (length(_d) - 1) % {STEP} + 1) AS INTEGER)"
    texts = f"[{_digits(1, one)}, {_digits(2, other)}]"
    difference = f"list_reduce(list_transform({texts}, lambda _d: {first}), lambda _a, _b: _a - _b)"
    floor = str(FAR * BASE - 1)
    if one > 0:
        floor = f"CASE WHEN _q[1] = 0 THEN {FAR * BASE - 1 + _weight(one) * BASE} ELSE {floor} END"
    most = COUNTING + STEP * (_weight(one) - _weight(other) + FAR)
    known = max(min(each.possible) for each in given)
    varying = [f"_q[{number}]" for number, _ in enumerate(_varying(given), 3)]
    least = comma(Sql(each) for each in (str(known), *varying))
    return f"greatest({most} - ({difference} + {floor}) // {BASE} * {STEP}, {least})"


def _weight(scale: int) -> int:
    """How many digits to the base 10,000 so many decimal ones after the point are."""
    return -(-scale // STEP)


def _digits(number: int, scale: int) -> str:
    """All decimal digits of an operand, those after its point filled up to digits to the base 10,000."""
    missing = _weight(scale) * STEP - scale
    text = f"CAST(abs(_q[{number}]) AS VARCHAR)"
    return f"{text} || '{'0' * missing}'" if missing else text


def _rounded(shift: int, room: int) -> str:
    """The quotient, away from zero where it is between two; DuckDB's // cuts off."""
    dividend = f"2 * _q[1] * {_power(f'_r + {shift}')} + sign(_q[1]) * abs(_q[2])"
    found = f"({dividend}) // (2 * _q[2]) * {_power(f'{room} - _r')}"
    return f"CASE WHEN _q[1] = 0 THEN _q[1] // _q[2] ELSE {found} END"


def _power(exponent: str) -> str:
    """A power of 10; an error below 1."""
    return f"CAST(rpad('1', CAST({exponent} + 1 AS INTEGER), '0') AS HUGEINT)"


def as_numeric(written: Written) -> Written:
    """An integer as a numeric."""
    if written.kind.type == kinds.NUMERIC:
        return written
    return Written(written.sql, decimal(19, 0), written.fallible, written.value)
