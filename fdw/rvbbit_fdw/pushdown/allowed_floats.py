"""Arithmetic of real and double precision.

Both engines compute in IEEE 754 and call the same library for what the processor does not have; but
PostgreSQL gives errors where a result overflows, underflows or does not exist, and DuckDB infinity, 0 or NaN.
"""

from __future__ import annotations

from collections.abc import Iterator

from rvbbit_fdw.pushdown.entry import Entry, entry, failure

_OVERFLOW = failure("value out of range: overflow", "FLOAT")
_UNDERFLOW = failure("value out of range: underflow", "FLOAT")
_BY_ZERO = failure("division by zero", "FLOAT")

_RANGE = "an error if the result overflows or underflows"

_SUM = (
    f"CASE WHEN isinf({{a}} {{o}} {{b}}) AND NOT isinf({{a}}) AND NOT isinf({{b}}) THEN {_OVERFLOW}"
    " ELSE ({a} {o} {b}) END"
)
_PRODUCT = (
    f"CASE WHEN isinf({{a}} * {{b}}) AND NOT isinf({{a}}) AND NOT isinf({{b}}) THEN {_OVERFLOW}"
    f" WHEN ({{a}} * {{b}}) = 0 AND {{a}} <> 0 AND {{b}} <> 0 THEN {_UNDERFLOW} ELSE ({{a}} * {{b}}) END"
)
_QUOTIENT = (
    f"CASE WHEN {{b}} = 0 AND NOT isnan({{a}}) THEN {_BY_ZERO}"
    f" WHEN isinf({{a}} / {{b}}) AND NOT isinf({{a}}) THEN {_OVERFLOW}"
    f" WHEN ({{a}} / {{b}}) = 0 AND {{a}} <> 0 AND NOT isinf({{b}}) THEN {_UNDERFLOW}"
    " ELSE ({a} / {b}) END"
)


def _spelled(form: str, operator: str, left: str, right: str) -> str:
    return form.replace("{a}", left).replace("{b}", right).replace("{o}", operator)


def _operators() -> Iterator[Entry]:
    double = "CAST({} AS DOUBLE)"
    for left, right in (
        ("float4", "float4"),
        ("float8", "float8"),
        ("float4", "float8"),
        ("float8", "float4"),
    ):
        a = "{0}" if left == right or left == "float8" else double.replace("{}", "{0}")
        b = "{1}" if left == right or right == "float8" else double.replace("{}", "{1}")
        result = "float4" if left == right == "float4" else "float8"
        for operator, form, note in (("*", _PRODUCT, _RANGE), ("/", _QUOTIENT, f"{_RANGE}, or if b is 0")):
            name = f"{operator}({left},{right})"
            yield entry(name, result, _spelled(form, operator, a, b), fallible=True, note=note)
        for operator in "+-":
            # No real is large enough to carry a double precision over its edge.
            fallible = left == right
            spelling = _spelled(_SUM if fallible else "({a} {o} {b})", operator, a, b)
            note = "an error if the result overflows" if fallible else ""
            yield entry(f"{operator}({left},{right})", result, spelling, fallible=fallible, note=note)


def _of_one() -> Iterator[Entry]:
    for name, carrier in (("float4", "FLOAT"), ("float8", "DOUBLE")):
        # DuckDB turns `-a < b` into `a > -b`, which is wrong for NaN.
        yield entry(f"-({name})", name, f"({{0}} * CAST(-1 AS {carrier}))")
        yield entry(f"+({name})", name, "{0}")
        for function in ("abs", "@"):
            yield entry(f"{function}({name})", name, "abs({0})")
    for function in ("ceil", "ceiling"):
        yield entry(f"{function}(float8)", "float8", "ceil({0})")
    yield entry("floor(float8)", "float8", "floor({0})")
    yield entry("trunc(float8)", "float8", "trunc({0})")
    for function in ("round", "rint"):
        note = "halves to the even neighbour"
        if function == "round":
            yield entry("round(float8)", "float8", "round_even({0}, 0)", note=note)
    yield entry("sign(float8)", "float8", "CAST(sign({0}) AS DOUBLE)")


def _of_analysis() -> Iterator[Entry]:
    root = f"CASE WHEN {{0}} < 0 THEN {_SQRT} ELSE sqrt({{0}}) END"
    for function in ("sqrt", "dsqrt"):
        yield entry(f"{function}(float8)", "float8", root, fallible=True, note="an error below 0")
    for function in ("exp", "dexp"):
        yield entry(f"{function}(float8)", "float8", _EXP, fallible=True, note=_RANGE)
    for function, name in (
        ("ln", "ln"),
        ("dlog1", "ln"),
        ("log", "log10"),
        ("log10", "log10"),
        ("dlog10", "log10"),
    ):
        spelling = f"CASE WHEN {{0}} <= 0 THEN {_LOG} ELSE {name}({{0}}) END"
        yield entry(f"{function}(float8)", "float8", spelling, fallible=True, note="an error for 0 and below")
    for function in ("power", "pow", "^", "dpow"):
        yield entry(f"{function}(float8,float8)", "float8", _POWER, fallible=True, note=_RANGE)


_SQRT = "CAST('cannot take square root of a negative number' AS DOUBLE)"
_LOG = "CAST('cannot take logarithm of zero or of a negative number' AS DOUBLE)"
_EXP = (
    f"CASE WHEN isfinite({{0}}) AND isinf(exp({{0}})) THEN {_OVERFLOW}"
    f" WHEN isfinite({{0}}) AND exp({{0}}) = 0 THEN {_UNDERFLOW} ELSE exp({{0}}) END"
)
_POWER = (
    "CASE WHEN isnan({0}) OR isnan({1}) THEN pow({0}, {1})"
    " WHEN {0} = 0 AND {1} < 0 THEN CAST('zero raised to a negative power is undefined' AS DOUBLE)"
    " WHEN {0} < 0 AND floor({1}) <> {1}"
    " THEN CAST('a negative number raised to a non-integer power yields a complex result' AS DOUBLE)"
    f" WHEN isfinite({{0}}) AND isfinite({{1}}) AND isinf(pow({{0}}, {{1}})) THEN {_OVERFLOW}"
    f" WHEN isfinite({{0}}) AND isfinite({{1}}) AND {{0}} <> 0 AND pow({{0}}, {{1}}) = 0 THEN {_UNDERFLOW}"
    " ELSE pow({0}, {1}) END"
)

ENTRIES = (*_operators(), *_of_one(), *_of_analysis())
