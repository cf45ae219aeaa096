"""Casts between numbers, booleans and texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import Call, Entry, Speller, cast, entry, fill, special
from rvbbit_fdw.pushdown.kinds import FIXED, MAX_DIGITS, Kind, decimal
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written

_INTEGERS = {"int2": 5, "int4": 10, "int8": 19}
"""The types and how many digits they have."""

_RANGE = "an error if the value is out of range"


def _fixed(name: str) -> Kind:
    return FIXED[f"pg_catalog.{name}"]


def _cast(target: str, source: str, note: str = "", *, fallible: bool = False) -> Entry:
    spelling = f"CAST({{0}} AS {_fixed(target).duckdb})"
    return entry(f"{target}({source})", target, spelling, fallible=fallible, note=note)


def _of_integer(kind: Kind) -> Speller:
    def spell(call: Call) -> Written:
        number = call[0]
        made = fill(f"CAST({{0}} AS {kind.duckdb})", call, kind, fallible=number.largest >= kind.largest)
        return replace(made, most=number.largest)

    return spell


def _between_integers() -> Iterator[Entry]:
    for source, digits in _INTEGERS.items():
        for target, most in _INTEGERS.items():
            if source != target:
                kind, narrows = _fixed(target), digits > most
                note, shown = _RANGE if narrows else "", f"CAST(a AS {kind.duckdb})"
                spell = _of_integer(kind)
                yield special(f"{target}({source})", target, spell, shown, fallible=narrows, note=note)


def _floats() -> Iterator[Entry]:
    for number in _INTEGERS:
        for real in ("float4", "float8"):
            yield _cast(real, number)
            yield _cast(number, real, f"halves to the even neighbour; {_RANGE}", fallible=True)
    yield _cast("float8", "float4")
    yield entry("float4(float8)", "float4", _NARROW, fallible=True, note=f"{_RANGE}, or too near to 0")


_NARROW = (
    "CASE WHEN {0} <> 0 AND CAST({0} AS FLOAT) = 0 THEN CAST('value out of range: underflow' AS FLOAT)"
    " ELSE CAST({0} AS FLOAT) END"
)


def _to_integer(name: str) -> Speller:
    def spell(call: Call) -> Written:
        kind = _fixed(name)
        fits = call[0].kind.digits - call[0].kind.scale < _INTEGERS[name] - 1
        return fill(f"CAST({{0}} AS {kind.duckdb})", call, kind, fallible=not fits)

    return spell


def _to_float(name: str) -> Speller:
    """Through text, because DuckDB's own way divides by a power of ten and so rounds twice."""
    kind = _fixed(name)
    return lambda call: fill(f"CAST(CAST({{0}} AS VARCHAR) AS {kind.duckdb})", call, kind)


def _numerics() -> Iterator[Entry]:
    for name, digits in _INTEGERS.items():
        kind = decimal(digits, 0)
        yield special(f"numeric({name})", "numeric", _of_integer(kind), f"CAST(a AS {kind.duckdb})")
        yield special(
            f"{name}(numeric)",
            name,
            _to_integer(name),
            f"CAST(a AS {_fixed(name).duckdb})",
            fallible=True,
            note=f"halves away from 0; {_RANGE}",
        )
    for name in ("float4", "float8"):
        spelling = f"CAST(CAST(a AS VARCHAR) AS {_fixed(name).duckdb})"
        yield special(f"{name}(numeric)", name, _to_float(name), spelling)


def _booleans() -> Iterator[Entry]:
    yield entry("int4(bool)", "int4", "CAST({0} AS INTEGER)")
    yield entry("bool(int4)", "bool", "({0} <> 0)")
    yield entry("text(bool)", "text", "CAST({0} AS VARCHAR)")


ENTRIES = (*_between_integers(), *_floats(), *_numerics(), *_booleans())


def _numeric_text(call: Call) -> Written:
    """PostgreSQL writes a 0 before the point, DuckDB only if the type has a digit there."""
    kind = call[0].kind
    if not call[0].same_scale:
        raise Local("the digits after the point are not known")
    value = call[0].sql
    if kind.digits == kind.scale:
        if kind.digits == MAX_DIGITS:
            raise Local("the numeric result may need more than 38 digits")
        value = cast(call[0], decimal(kind.digits + 1, kind.scale))
    return Written(typed(value, kinds.TEXT), kinds.TEXT, call[0].fallible)


def _by_text() -> Iterator[Entry]:
    for name in (*_INTEGERS, "uuid"):
        yield entry(f"text({name})", "text", "CAST({0} AS VARCHAR)")
    yield special("text(numeric)", "text", _numeric_text, "CAST(a AS VARCHAR)")
    yield entry("text(text)", "text", "{0}")
    for name in _INTEGERS:
        number = f"CAST(trim({{0}}, {_BLANKS}) AS {_fixed(name).duckdb})"
        spelling = f"CASE WHEN regexp_full_match({{0}}, {_NUMBER}) THEN {number} ELSE {_NO_NUMBER} END"
        yield entry(
            f"{name}(text)",
            name,
            spelling,
            fallible=True,
            note="an error for other than digits",
            shown=f"CAST(a AS {_fixed(name).duckdb})",
        )


_BLANKS = r"E' \t\n\r\f\013'"
_NUMBER = r"'[ \t\n\r\f\x0B]*[+-]?[0-9]+[ \t\n\r\f\x0B]*'"
_NO_NUMBER = "CASE WHEN {0} IS NULL THEN NULL ELSE CAST('invalid input syntax' AS SMALLINT) END"

IO_ENTRIES = tuple(_by_text())
"""Casts by way of the types' output and input functions, named target(source)."""
