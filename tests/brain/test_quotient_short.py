"""Quotients in 64 bits have PostgreSQL's digits: compared with exact fractions at every limit there is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from itertools import product

import duckdb
import pytest

from rvbbit_fdw.pushdown.kinds import MAX_DIGITS, decimal
from rvbbit_fdw.pushdown.literals import literal
from rvbbit_fdw.pushdown.quotient_short import Found, divided
from rvbbit_fdw.pushdown.written import Written, scales_of
from rvbbit_fdw.sqltext import Sql

EXACT = Context(prec=200)
ROOM = 24


def first_digit(number: Fraction) -> tuple[int, int]:
    """The weight and the value of the first digit to the base 10,000."""
    weight = 0
    while number and abs(number) < Fraction(10000) ** weight:
        weight -= 1
    while abs(number) >= Fraction(10000) ** (weight + 1):
        weight += 1
    return weight, int(abs(number) / Fraction(10000) ** weight)


def scale_of_quotient(one: Decimal, other: Decimal) -> int:
    """select_div_scale in PostgreSQL's numeric.c."""
    (weight, digit), (weight_by, digit_by) = first_digit(Fraction(one)), first_digit(Fraction(other))
    higher = weight - weight_by - (digit <= digit_by)
    return max(16 - 4 * higher, *(-int(each.as_tuple().exponent) for each in (one, other)), 0)


def quotient(one: Decimal, other: Decimal) -> tuple[Decimal, int]:
    """PostgreSQL's quotient, and its digits after the point."""
    scale = scale_of_quotient(one, other)
    return EXACT.divide(one, other).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, EXACT), scale


def has_room(one: Decimal, other: Decimal) -> bool:
    value, scale = quotient(one, other)
    return scale <= ROOM and value.adjusted() + ROOM < MAX_DIGITS


def sizes(scale: int, digits: int) -> list[Decimal]:
    """0, the ends, and what is around each first digit to the base 10,000 that may be a limit."""
    limits = [each * 10**power for power in range(digits) for each in (1, 7, 8)]
    near = {limit + step for limit in limits for step in (-1, 0, 1)} | {0, 10**digits - 1}
    known = sorted(each for each in near if each < 10**digits)
    return [Decimal(sign * each).scaleb(-scale) for each in known for sign in (1, -1)]


def column(name: str, values: Sequence[Decimal], digits: int, scale: int) -> Written:
    most = max(abs(int(value.scaleb(scale))) for value in values)
    return Written(Sql(f'"{name}"'), decimal(digits, scale), most=most)


def computed(
    found: Found, one: Written, pairs: Sequence[tuple[Decimal, Decimal]], by: str
) -> Sequence[object]:
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t (n INTEGER, a {one.kind.duckdb}, b {by})")
        rows = ", ".join(f"({n}, {a:f}, {b:f})" for n, (a, b) in enumerate(pairs))
        db.execute(f"INSERT INTO t VALUES {rows}")
        return db.execute(f"SELECT {found.quotient}, {found.scales.sql} FROM t ORDER BY n").fetchall()


def expected(pairs: Sequence[tuple[Decimal, Decimal]]) -> Sequence[object]:
    made = (quotient(one, other) for one, other in pairs)
    return [(int(value.scaleb(ROOM, EXACT)), scale) for value, scale in made]


CONSTANTS = ["7", "-7", "0.007", "9999", "10000", "70000", "-0.3", "1000.0", "60", "12345678", "99990000.5"]
DIVIDENDS = [(0, 9), (0, 15), (2, 12), (2, 15), (3, 5), (6, 12), (4, 4)]


@pytest.mark.parametrize("divisor", CONSTANTS)
@pytest.mark.parametrize(("scale", "digits"), DIVIDENDS)
def test_by_a_constant(scale: int, digits: int, divisor: str) -> None:
    pairs = [(each, Decimal(divisor)) for each in sizes(scale, digits)]
    pairs = [each for each in pairs if has_room(*each)]
    one = column("a", [each for each, _ in pairs], digits, scale)
    sql, kind = literal("pg_catalog.numeric", divisor)
    other = Written(sql, kind, value=divisor)
    found = divided(one, other, [known for each in (one, other) if (known := scales_of(each))], ROOM)
    assert found is not None
    assert computed(found, one, pairs, "VARCHAR") == expected(pairs)


@pytest.mark.parametrize(("scale", "digits"), [(0, 9), (2, 9), (6, 9)])
@pytest.mark.parametrize(("scale_by", "digits_by"), [(0, 7), (2, 8), (5, 6)])
def test_by_a_column(scale: int, digits: int, scale_by: int, digits_by: int) -> None:
    some = random.Random(f"{scale}, {scale_by}")
    divisors = [each for each in sizes(scale_by, digits_by) if each]
    pairs = some.sample(list(product(sizes(scale, digits), divisors)), 2000)
    pairs = [each for each in pairs if has_room(*each)]
    one = column("a", [each for each, _ in pairs], digits, scale)
    other = column("b", [each for _, each in pairs], digits_by, scale_by)
    found = divided(one, other, [known for each in (one, other) if (known := scales_of(each))], ROOM)
    assert found is not None
    assert computed(found, one, pairs, other.kind.duckdb) == expected(pairs)


@pytest.mark.parametrize("most", [1, 100, 9999, 10000, 16383, 99999999])
@pytest.mark.parametrize(("scale", "scale_by"), [(0, 0), (0, 2), (2, 0), (2, 2), (4, 5)])
def test_zero_divides_nothing(most: int, scale: int, scale_by: int) -> None:
    units = [each for each in (0, 1, 99, 9999, 10000, most) if each <= most]
    values = [Decimal(each).scaleb(-scale) for each in units]
    one, other = column("a", values, 9, scale), column("b", [Decimal(127)], 6, scale_by)
    found = divided(one, other, [known for each in (one, other) if (known := scales_of(each))], ROOM)
    assert found is not None
    for value in values:
        with pytest.raises(duckdb.Error, match="Division by zero"):
            computed(found, one, [(value, Decimal(0))], other.kind.duckdb)


UNFIT = {
    "a dividend past 64 bits": (decimal(19, 0), decimal(9, 0)),
    "one that is when it has no point": (decimal(18, 2), decimal(9, 0)),
    "a divisor that leaves too little room": (decimal(9, 0), decimal(18, 0)),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_does_not_fit_is_left_to_others(name: str) -> None:
    one, other = (Written(Sql("a"), kind) for kind in UNFIT[name])
    assert divided(one, other, [known for each in (one, other) if (known := scales_of(each))], ROOM) is None


def test_more_digits_than_room_are_an_error() -> None:
    one, other = column("a", [Decimal("0.000001")], 12, 6), column("b", [Decimal(90000)], 9, 0)
    found = divided(one, other, [known for each in (one, other) if (known := scales_of(each))], ROOM)
    assert found is not None
    with pytest.raises(duckdb.ConversionException, match="too many digits"):
        computed(found, one, [(Decimal("0.000001"), Decimal(90000))], "INTEGER")
