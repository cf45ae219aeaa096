"""Functions on text. Positions and lengths are counted in code points, as PostgreSQL counts characters."""

from __future__ import annotations

from collections.abc import Iterator

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import Call, Collation, Entry, constant, entry, failure, fill, special
from rvbbit_fdw.pushdown.literals import typed
from rvbbit_fdw.pushdown.reasons import Local, not_constant, unknown_type
from rvbbit_fdw.pushdown.written import UNKNOWN, Written
from rvbbit_fdw.sqltext import Sql, comma

LONGEST_MADE = 10_000
"""Characters up to which a constant length lets DuckDB make a text."""


def _lengths() -> Iterator[Entry]:
    for name in ("length", "char_length", "character_length"):
        yield entry(f"{name}(text)", "int4", "CAST(length({0}) AS INTEGER)")
    yield entry("octet_length(text)", "int4", "CAST(strlen({0}) AS INTEGER)")
    yield entry("bit_length(text)", "int4", "CAST(bit_length({0}) AS INTEGER)")
    for name in ("length", "octet_length"):
        yield entry(f"{name}(bytea)", "int4", "CAST(octet_length({0}) AS INTEGER)")
    yield entry("ascii(text)", "int4", "ascii({0})")


_UPPER = (
    "CASE WHEN contains({0}, 'ß')"
    " THEN array_to_string(list_transform(string_split({0}, 'ß'), lambda part: upper(part)), 'ß')"
    " ELSE upper({0}) END"
)


def _case() -> Iterator[Entry]:
    yield entry("lower(text)", "text", "lower({0})", collation=Collation.CASE)
    yield entry("upper(text)", "text", _UPPER, collation=Collation.CASE, note="DuckDB's upper() changes ß")


_NO_LENGTH = f"CAST({failure('negative substring length not allowed', 'SMALLINT')} AS VARCHAR)"
# greatest() leaves nulls out, and a function of PostgreSQL that is given a null looks at nothing else.
_START = "CASE WHEN {1} < 1 THEN 1 ELSE {1} END"
_END = "CAST({1} AS BIGINT) + {2}"
_COUNT = f"CASE WHEN {_END} < 1 THEN 0 WHEN {{1}} < 1 THEN {_END} - 1 ELSE {{2}} END"
_PART = (
    f"CASE WHEN {{2}} < 0 AND {{1}} IS NOT NULL AND {{0}} IS NOT NULL THEN {_NO_LENGTH}"
    f" ELSE substring({{0}}, {_START}, {_COUNT}) END"
)
_ZERO_FIELD = f"CAST({failure('field position must not be zero', 'SMALLINT')} AS VARCHAR)"
_FIELD = (
    f"CASE WHEN {{2}} = 0 AND {{0}} IS NOT NULL AND {{1}} IS NOT NULL THEN {_ZERO_FIELD} WHEN {{1}} = ''"
    " THEN CASE WHEN {2} IN (1, -1) THEN {0} WHEN {2} IS NOT NULL THEN left({0}, 0) END"
    " ELSE split_part({0}, {1}, {2}) END"
)


def _parts() -> Iterator[Entry]:
    for name in ("substr", "substring"):
        yield entry(f"{name}(text,int4)", "text", f"substring({{0}}, {_START})", shown="substring(a, b)")
        yield special(
            f"{name}(text,int4,int4)",
            "text",
            _part,
            "substring(a, b, c)",
            fallible=True,
            note="an error if c is negative; what lies before the text is counted",
        )
    yield entry("left(text,int4)", "text", "left({0}, {1})")
    yield entry("right(text,int4)", "text", "right({0}, {1})")
    for name in ("strpos", "position"):
        yield entry(
            f"{name}(text,text)", "int4", "CAST(strpos({0}, {1}) AS INTEGER)", collation=Collation.EQUALITY
        )
    yield special(
        "split_part(text,text,int4)",
        "text",
        _field,
        "split_part(a, b, c)",
        fallible=True,
        collation=Collation.EQUALITY,
        note="an error if c is 0",
    )


def _part(call: Call) -> Written:
    start, count = call[1].value, call[2].value
    if not isinstance(start, str) or not isinstance(count, str) or int(count) < 0:
        return fill(_PART, call, kinds.TEXT, fallible=True)
    first = max(int(start), 1)
    length = max(int(start) + int(count) - first, 0)
    return fill(f"substring({{0}}, {first}, {length})", call, kinds.TEXT)


def _field(call: Call) -> Written:
    delimiter, number = call[1].value, call[2].value
    if isinstance(delimiter, str) and delimiter and number not in {UNKNOWN, None, "0"}:
        return fill("split_part({0}, {1}, {2})", call, kinds.TEXT)
    return fill(_FIELD, call, kinds.TEXT, fallible=True)


def _made() -> Iterator[Entry]:
    yield entry("||(text,text)", "text", "({0} || {1})")
    yield entry("textcat(text,text)", "text", "({0} || {1})")
    yield entry("replace(text,text,text)", "text", "replace({0}, {1}, {2})", collation=Collation.EQUALITY)
    yield entry("reverse(text)", "text", "array_to_string(list_reverse(string_split({0}, '')), '')")
    yield entry("md5(text)", "text", "md5({0})")
    for name, function in (("btrim", "trim"), ("ltrim", "ltrim"), ("rtrim", "rtrim")):
        yield entry(f"{name}(text)", "text", f"{function}({{0}}, ' ')")
        yield entry(f"{name}(text,text)", "text", f"{function}({{0}}, {{1}})")
    yield special("concat(any)", "text", _concat, "concat(a, ...)", note="texts and integers")
    yield special(
        "concat_ws(text,any)", "text", _concat_with, "concat_ws(a, b, ...)", note="texts and integers"
    )
    for name in ("lpad", "rpad"):
        yield special(f"{name}(text,int4)", "text", _padded(name), f"{name}(a, b, ' ')", constants=[1])
        yield special(f"{name}(text,int4,text)", "text", _padded(name), f"{name}(a, b, c)", constants=[1, 2])
    yield special("repeat(text,int4)", "text", _repeated, "repeat(a, b)", constants=[1])
    yield special(
        "varchar(varchar,int4,bool)",
        "varchar",
        _shortened,
        "left(a, b)",
        constants=[1, 2],
        note="the cast to varchar(n)",
    )


_LISTED = frozenset({kinds.TEXT, kinds.VARCHAR, kinds.INT2, kinds.INT4, kinds.INT8})


def _concat(call: Call) -> Written:
    return _joined("concat", call)


def _concat_with(call: Call) -> Written:
    return _joined("concat_ws", call)


def _joined(function: str, call: Call) -> Written:
    """Nulls are left out; types whose text depends on settings are not taken."""
    for argument in call.arguments:
        if argument.kind not in _LISTED:
            raise unknown_type(argument.kind.type)
    texts = comma(typed(argument.sql, kinds.TEXT) for argument in call.arguments)
    return Written(Sql(f"{function}({texts})"), kinds.TEXT, any(each.fallible for each in call.arguments))


def _count(call: Call, what: str) -> int:
    count = int(constant(call, 1, what))
    if count > LONGEST_MADE:
        reason = f"{what} is more than {LONGEST_MADE}"
        raise Local(reason)
    return count


class _padded:  # noqa: N801
    """A speller of lpad or rpad."""

    def __init__(self, function: str) -> None:
        self._function = function

    def __call__(self, call: Call) -> Written:
        length = _count(call, "the length")
        filling = constant(call, 2, "the filling") if len(call.arguments) > 2 else " "
        if not filling:
            return fill(f"left({{0}}, {max(length, 0)})", call, kinds.TEXT)
        added = call[2].sql if len(call.arguments) > 2 else Sql("' '")
        sql = Sql(f"{self._function}({call[0].sql}, {length}, {added})")
        return Written(sql, kinds.TEXT, call[0].fallible)


def _repeated(call: Call) -> Written:
    _count(call, "the number of repetitions")
    return fill("repeat({0}, {1})", call, kinds.TEXT)


def _shortened(call: Call) -> Written:
    """An explicit cast cuts off; an implicit one is an error for longer texts."""
    modifier = int(constant(call, 1, "the type modifier"))
    if call[2].value is UNKNOWN:
        raise not_constant("the kind of the cast")
    if not str(call[2].value).startswith("t"):
        raise Local("an implicit cast to a shorter text is an error for some texts")
    return Written(Sql(f"left({call[0].sql}, {modifier - 4})"), kinds.VARCHAR, call[0].fallible)


def _codes() -> Iterator[Entry]:
    for number, duckdb in (("int4", "UINTEGER"), ("int8", "UBIGINT")):
        wrap = 1 << (32 if number == "int4" else 64)
        positive = f"CASE WHEN {{0}} < 0 THEN CAST({{0}} AS HUGEINT) + {wrap} ELSE {{0}} END"
        yield entry(
            f"to_hex({number})",
            "text",
            f"lower(to_hex(CAST({positive} AS {duckdb})))",
            shown="lower(to_hex(a))",
        )
    yield entry("chr(int4)", "text", _CHR, fallible=True, note="an error for what is no character")
    yield entry("translate(text,text,text)", "text", "translate({0}, {1}, {2})")
    yield entry("md5(bytea)", "text", "md5({0})")
    yield special("encode(bytea,text)", "text", _encoded, "lower(hex(a))", constants=[1], note="'hex' only")


_CHR = (
    "CASE WHEN {0} = 0 THEN " + f"CAST({failure('null character not permitted', 'SMALLINT')} AS VARCHAR)"
    " ELSE chr({0}) END"
)


def _encoded(call: Call) -> Written:
    if constant(call, 1, "the format") != "hex":
        raise Local("only the format hex is known to be the same in DuckDB")
    return fill("lower(hex({0}))", call, kinds.TEXT)


ENTRIES = (*_lengths(), *_case(), *_parts(), *_made(), *_codes())
