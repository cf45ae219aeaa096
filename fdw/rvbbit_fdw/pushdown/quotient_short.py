"""Division of numerics in 64 bits, where that is room enough.

DuckDB divides 128-bit integers bit by bit, which takes it a hundred times as long as 64-bit ones. So the
quotient is put together as on paper: as many digits at a time as the remainder leaves room for. How many
digits after the point PostgreSQL gives it is `select_div_scale` in numeric.c: 16, and 4 fewer for each digit
to the base 10,000 before the point; whether there is one more is told by the operands' first digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rvbbit_fdw.pushdown.entry import cast, failure
from rvbbit_fdw.pushdown.kinds import HUGEINT, INT8, decimal
from rvbbit_fdw.pushdown.literals import typed, units
from rvbbit_fdw.pushdown.written import Scales, Written
from rvbbit_fdw.sqltext import Sql

COUNTING = 16
"""Digits of a quotient that count (NUMERIC_MIN_SIG_DIGITS)."""

STEP = 4
"""Decimal digits in one digit of PostgreSQL's numeric (DEC_DIGITS)."""

BASE = 10_000
FAR = 1 << 10
"""More digits to that base than a quotient has: with it all numbers are positive, where // is a floor."""

_LARGEST = 2**63 - 1
_SHORT = 18
"""Digits of a DECIMAL that DuckDB keeps in 64 bits, also as a product of two of them that fits."""

_DIGITS = 5
"""Digits to that base that 64 bits hold."""

_LONGEST = 200
"""A longer dividend, in characters, is computed once and named."""

_TOO_MANY = failure("the quotient has too many digits", HUGEINT.duckdb)


@dataclass(frozen=True)
class Found:
    """A quotient as an integer, in units of its last digit, and how many digits after the point count."""

    quotient: Sql
    scales: Scales


@dataclass(frozen=True)
class _Task:
    """A division: `fewest` digits after the point are given, `room` are carried, `size` come in each step.

    With these factors the operands have equally many digits after the point.
    """

    dividend: Written
    divisor: Written
    fewest: int
    room: int
    size: int
    wide: int
    wide_by: int

    def found(self, quotient: str, scale: str, possible: Iterable[int]) -> Found:
        """What is told of the quotient; DuckDB gives an error where there are more digits than room."""
        return Found(
            Sql(quotient), Scales(Sql(scale), frozenset(each for each in possible if each <= self.room))
        )


@dataclass(frozen=True)
class _Division:
    """A long division of SQL by SQL, of which each step gives `size` digits after the point."""

    number: str
    by: str
    twice: str
    magnitude: str
    size: int

    def rounded(self, scale: int, room: int) -> str:
        """The quotient with so many digits, in units of `room`; away from zero where it is between two."""
        if scale > room:
            return _TOO_MANY
        quotient, rest, missing = f"CAST({self.number} // {self.by} AS HUGEINT)", self.number, scale
        while missing > self.size:
            missing -= self.size
            rest = f"({rest} % {self.by} * {10**self.size})"
            quotient = f"({quotient} * {10**self.size} + {rest} // {self.by})"
        half = f"sign({self.number}) * {self.magnitude}"
        last = f"({rest} % {self.by} * {2 * 10**missing} + {half}) // {self.twice}"
        power = typed(f"'{10 ** (room - scale)}'", HUGEINT)
        return f"({quotient} * {10**missing} + {last}) * {power}"


def divided(dividend: Written, divisor: Written, given: Sequence[Scales], room: int) -> Found | None:
    """The quotient with `room` digits after the point; an error where it has more.

    None if 64 bits do not suffice. `given` are the operands' own digits after the point.
    """
    constant = units(divisor.kind, divisor.value) if isinstance(divisor.value, str) else None
    shift = divisor.kind.scale - dividend.kind.scale
    wide, wide_by = 10 ** max(shift, 0), 10 ** max(-shift, 0)
    size = _digits_at_once((constant or divisor.largest) * wide_by)
    is_short = _is_short(dividend) and (constant is not None or _is_short(divisor))
    if constant == 0 or size < STEP or not is_short or dividend.largest * wide > _LARGEST:
        return None
    if any(len(each.possible) > 1 for each in given):
        return None
    fewest = max(min(each.possible) for each in given)
    task = _Task(dividend, divisor, fewest, room, size, wide, wide_by)
    found = _by_anything(task) if constant is None else _by_constant(task, constant)
    return found if found.scales.possible else None


def _digits_at_once(by: int) -> int:
    """How many digits of the quotient there may be for one step: twice the remainder has to fit."""
    return next((size for size in range(_SHORT, 0, -1) if by * (2 * 10**size + 1) <= _LARGEST), 0)


def _is_short(number: Written) -> bool:
    """Has a 64-bit DECIMAL room for it as many times as its last digit goes into 1?"""
    return number.kind.scale == 0 or number.largest * 10**number.kind.scale < 10**_SHORT


def _unscaled(number: Written) -> Sql:
    """All its digits as a BIGINT."""
    scale = number.kind.scale
    if scale == 0:
        return typed(number.sql, INT8)
    short = number.sql if number.kind.digits <= _SHORT else cast(number, decimal(_SHORT, scale))
    return Sql(f"CAST({short} * CAST({10**scale} AS DECIMAL({scale + 1},0)) AS BIGINT)")


def _times(number: str, factor: int) -> str:
    return f"({number} * {factor})" if factor > 1 else number


def _key_of(number: int, scale: int) -> int:
    """The weight of its first digit to the base 10,000, times that base, and the digit; 0 for 0."""
    missing = -scale % STEP
    left, weight = number * 10**missing, -(scale + missing) // STEP
    while left >= BASE:
        left, weight = left // BASE, weight + 1
    return weight * BASE + left if number else 0


def _scale(one: int, other: int) -> int:
    """The digits after the point for operands with these keys, if they have no more themselves."""
    return COUNTING - STEP * ((one - other - 1) // BASE)


def _by_constant(task: _Task, constant: int) -> Found:
    """From some sizes of the dividend on there are fewer digits."""
    number = _unscaled(task.dividend)
    name = number if len(number) <= _LONGEST else "_x"
    sign = "-" if str(task.divisor.value).startswith("-") else ""
    by = constant * task.wide_by
    long = _Division(_times(name, task.wide), f"({sign}{by})", f"({sign}{2 * by})", str(by), task.size)
    limits = _limits(task, _key_of(constant, task.divisor.kind.scale))
    quotient = _chosen(name, [(least, long.rounded(scale, task.room)) for least, scale in limits])
    digits = _chosen(name, [(least, str(scale)) for least, scale in limits])
    if name != number:
        quotient, digits = (
            f"list_transform([{number}], lambda {name}: {each})[1]" for each in (quotient, digits)
        )
    return task.found(quotient, digits, (scale for _, scale in limits))


def _limits(task: _Task, key: int) -> list[tuple[int, int]]:
    """How many digits there are from so many units of the dividend on; the largest first, 0 is the last."""
    scale = task.dividend.kind.scale
    found: list[tuple[int, int]] = []
    for weight in range(_DIGITS, -_DIGITS - 2, -1):
        least = _in_units(key % BASE + 1, weight, scale)
        if least <= task.dividend.largest:
            found.append((least, max(_scale(weight * BASE + key % BASE + 1, key), task.fewest)))
        if least == 1:
            break
    found.append((0, max(_scale(0, key), task.fewest)))
    return [one for one, below in zip(found, [*found[1:], (0, -1)], strict=True) if one[1] != below[1]]


def _in_units(digit: int, weight: int, scale: int) -> int:
    """So many units a number with that first digit has at least, if not none at all."""
    power = STEP * weight + scale
    above: int = 10 ** max(power, 0)
    below: int = 10 ** max(-power, 0)
    return -(-digit * above // below)


def _chosen(name: str, arms: Sequence[tuple[int, str]]) -> str:
    """What belongs to the number's size; null if it is null."""
    return f"CASE {' '.join(f'WHEN abs({name}) >= {least} THEN {sql}' for least, sql in arms)} END"


def _by_anything(task: _Task) -> Found:
    numbers = f"[[{_unscaled(task.dividend)}, {_unscaled(task.divisor)}]]"
    by = _times("_q[2]", task.wide_by)
    long = _Division(_times("_q[1]", task.wide), by, f"(2 * {by})", f"abs({by})", task.size)
    one, other = task.dividend.kind.scale, task.divisor.kind.scale
    keys_of_one = (0, _key_of(1, one), _key_of(task.dividend.largest, one))
    keys_of_other = (_key_of(1, other), _key_of(task.divisor.largest, other))
    ends = _scale(max(keys_of_one), min(keys_of_other)), _scale(min(keys_of_one), max(keys_of_other))
    possible = sorted({max(scale, task.fewest) for scale in range(ends[0], ends[1] + 1, STEP)})
    keys = f"{_key('_q[1]', task.dividend)} - {_key('_q[2]', task.divisor)}"
    digits = (
        f"greatest({COUNTING + STEP * FAR} - ({keys} + {FAR * BASE - 1}) // {BASE} * {STEP}, {task.fewest})"
    )
    arms = " ".join(f"WHEN _r = {scale} THEN {long.rounded(scale, task.room)}" for scale in possible)
    by_zero = f"CAST({long.number} // {long.by} AS HUGEINT)"  # an error; 0 is of no size that the arms know
    quotient = f"list_transform([{digits}], lambda _r: CASE {arms} ELSE {by_zero} END)[1]"
    quotient, digits = (f"list_transform({numbers}, lambda _q: {each})[1]" for each in (quotient, digits))
    return task.found(quotient, f"CAST({digits} AS INTEGER)", possible)


def _key(name: str, number: Written) -> str:
    """As _key_of."""
    missing = -number.kind.scale % STEP
    weight, size = -(number.kind.scale + missing) // STEP, f"abs({name})"
    limits = [(each, 10 ** (STEP * each - missing)) for each in range(_DIGITS, 0, -1)]
    arms = [
        f"WHEN {size} >= {limit} THEN {(weight + each) * BASE} + {size} // {limit}"
        for each, limit in limits
        if limit <= number.largest
    ]
    arms += [f"WHEN {name} = 0 THEN 0"] if weight else []
    lowest = f"{weight * BASE} + {size} * {10**missing}"
    return f"CASE {' '.join(arms)} ELSE {lowest} END" if arms else f"({lowest})"
