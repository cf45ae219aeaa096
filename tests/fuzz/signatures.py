"""Functions and operators that can be called on the generator's types, named as the host names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import psycopg

from rvbbit_fdw.pushdown.entry import Entry
from tests.fuzz.values import KINDS

MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "pg_catalog.numeric(pg_catalog.numeric,pg_catalog.int4)": (
        "numeric(10,2)",
        "numeric(5,0)",
        "numeric(3,1)",
        "numeric(38,10)",
        "numeric(4,-1)",
    ),
    "pg_catalog.varchar(pg_catalog.varchar,pg_catalog.int4,pg_catalog.bool)": ("varchar(3)", "varchar(20)"),
    "pg_catalog.bpchar(pg_catalog.bpchar,pg_catalog.int4,pg_catalog.bool)": ("char(3)", "char(20)"),
    "pg_catalog.timestamp(pg_catalog.timestamp,pg_catalog.int4)": ("timestamp(0)", "timestamp(3)"),
    "pg_catalog.timestamptz(pg_catalog.timestamptz,pg_catalog.int4)": ("timestamptz(0)", "timestamptz(3)"),
    "pg_catalog.time(pg_catalog.time,pg_catalog.int4)": ("time(0)", "time(3)"),
    "pg_catalog.interval(pg_catalog.interval,pg_catalog.int4)": ("interval(0)", "interval day"),
}
"""How casts are written that apply a type modifier."""

VARIADIC: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "pg_catalog.concat(pg_catalog.any)": (("text", "text"), ("int4", "text", "int8"), ("text", "int2")),
    "pg_catalog.concat_ws(pg_catalog.text,pg_catalog.any)": (
        ("text", "text", "text"),
        ("text", "int8", "text"),
    ),
}
"""Functions of any number of arguments, and with which they are called."""

POLYMORPHIC = ("int4", "text")
"""What anyelement and its kin stand for."""

_FUNCTIONS = """
    SELECT 'pg_catalog.' || proname || '(' || a.full_names || ')', quote_ident(proname), a.names, r.typname,
        provolatile, false
    FROM pg_proc AS p JOIN pg_type AS r ON r.oid = prorettype, LATERAL (
        SELECT coalesce(array_agg(typname::text ORDER BY n), '{}') AS names,
            coalesce(string_agg('pg_catalog.' || typname, ',' ORDER BY n), '') AS full_names
        FROM unnest(proargtypes::oid[]) WITH ORDINALITY AS u (t, n) JOIN pg_type ON pg_type.oid = t) AS a
    WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND provolatile <> 'v'
        AND provariadic = 0
    ORDER BY 1"""
_OPERATORS = """
    SELECT 'pg_catalog.' || oprname || '('
            || concat_ws(',', 'pg_catalog.' || l.typname, 'pg_catalog.' || r.typname) || ')',
        oprname, array_remove(ARRAY[l.typname::text, r.typname::text], NULL), t.typname, provolatile, true
    FROM pg_operator AS o LEFT JOIN pg_type AS l ON l.oid = oprleft JOIN pg_type AS r ON r.oid = oprright
        JOIN pg_type AS t ON t.oid = oprresult JOIN pg_proc ON pg_proc.oid = oprcode
    WHERE oprnamespace = 'pg_catalog'::regnamespace AND provolatile <> 'v'
    ORDER BY 1"""
_CASTS = """
    SELECT 'pg_catalog.' || proname || '(' || string_agg('pg_catalog.' || a.typname, ',' ORDER BY n) || ')',
        t.typname
    FROM pg_cast JOIN pg_proc AS p ON p.oid = castfunc
        JOIN pg_type AS t ON t.oid = casttarget AND t.oid = prorettype,
        unnest(proargtypes::oid[]) WITH ORDINALITY AS u (at, n) JOIN pg_type AS a ON a.oid = at
    GROUP BY p.oid, proname, t.typname, castsource, casttarget"""

# Not on the list and no use in a query: they look at the server, or eat time or memory.
_USELESS = re.compile(
    r"^(pg_|now|transaction_timestamp|statement_timestamp|has_|to_reg|txid|current_|session_|inet|obj_|col_|shobj_|set_config|version|row_security|ts_|to_ts|json|phrase|plainto|web"
    r"|hash|bt|like_escape|array_(larger|smaller)|num(eric)?_(un)?initcap|format_type|getdatabase|query_to|table_to|database_to|schema_to"
    r"|cursor_to|xml|gb|utf8|circle|path|box|poly|point|cash|money|int8_(avg|sum)|gin|gist|brin|satisfies|timetz|mac|text_to|"
    r"in_range|.*(in|out|recv|send|support|sel|_accum|_accum_inv|combine|sfunc)$)"
)
_KEPT = frozenset(
    {
        "min",
        "sin",
        "asin",
        "dsin",
        "dasin",
        "begin",
        "bin",
        "to_bin",
        "to_hex",
        "to_oct",
        "jsonb_array_length",
    }
)


@dataclass(frozen=True)
class Signature:
    """Something that can be called: `name` as in the expression tree, `pattern` with {0}, {1}, ... as SQL."""

    name: str
    function: str
    arguments: tuple[str, ...]
    result: str
    pattern: str
    cast: str | None = None
    constants: frozenset[int] = frozenset()


def load(
    db: psycopg.Connection, allowed: Mapping[str, Entry], io_casts: Iterable[str]
) -> tuple[list[Signature], list[Signature], set[str]]:
    """Signatures on the allow-list, those that are not, and names of the list that nothing here can call."""
    names = set(allowed)
    casts: Mapping[str, str] = dict(db.execute(_CASTS).fetchall())
    rows = [*db.execute(_OPERATORS).fetchall(), *db.execute(_FUNCTIONS).fetchall()]
    known = [made for row in rows for made in _instances(row, casts)] + _variadic()
    inside = [one for one in known if one.name in names]
    outside = [one for one in known if one.name not in names and _is_useful(one)]
    inside = [replace(one, constants=allowed[one.name].constants) for one in inside]
    inside = [better for one in inside for better in _with_modifiers(one)]
    return inside + _io_casts(io_casts), outside, names - {one.name for one in inside}


def _variadic() -> list[Signature]:
    made = []
    for name, calls in VARIADIC.items():
        function = name.partition("(")[0].removeprefix("pg_catalog.")
        for arguments in calls:
            pattern = _pattern(function, len(arguments), is_operator=False)
            made.append(Signature(name, function, arguments, "text", pattern))
    return made


def _with_modifiers(one: Signature) -> list[Signature]:
    """Casts that apply a type modifier, written as casts."""
    spelled = MODIFIERS.get(one.name)
    if spelled is None:
        return [one]
    return [
        replace(one, arguments=one.arguments[:1], pattern=f"CAST({{0}} AS {kind})", constants=frozenset())
        for kind in spelled
    ]


def _io_casts(names: Iterable[str]) -> list[Signature]:
    """Casts by way of text: `target(source)`."""
    made = []
    for name in sorted(names):
        target, source = (part.removeprefix("pg_catalog.") for part in name.removesuffix(")").split("("))
        if target in KINDS and source in KINDS and target != source:
            made.append(
                Signature(f"io {name}", "cast", (source,), target, f"CAST({{0}} AS {KINDS[target].sql})")
            )
    return made


def _is_useful(one: Signature) -> bool:
    return one.function in _KEPT or not _USELESS.match(one.function)


def _instances(row: tuple[str, str, list[str], str, str, bool], casts: Mapping[str, str]) -> list[Signature]:
    """The signature, or one for each type that its polymorphic arguments may have."""
    name, function, arguments, result, _, is_operator = row
    pattern = _pattern(function, len(arguments), is_operator=is_operator)
    cast = casts.get(name)
    made = []
    for base in POLYMORPHIC if any(kind.startswith("any") for kind in [*arguments, result]) else ("",):
        types = [_concrete(kind, base) for kind in arguments]
        if all(kind in KINDS for kind in [*types, _concrete(result, base)]):
            made.append(
                Signature(name, function.strip('"'), tuple(types), _concrete(result, base), pattern, cast)
            )
    return made


def _concrete(kind: str, base: str) -> str:
    if kind in {"anyelement", "anynonarray", "anycompatible", "anycompatiblenonarray"}:
        return base
    return f"_{base}" if kind in {"anyarray", "anycompatiblearray"} else kind


def _pattern(function: str, count: int, *, is_operator: bool) -> str:
    places = ["{" + str(n) + "}" for n in range(count)]
    if not is_operator:
        return f"pg_catalog.{function}({', '.join(places)})"
    return f"({function} {places[0]})" if count == 1 else f"({places[0]} {function} {places[1]})"
