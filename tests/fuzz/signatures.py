"""Functions and operators that can be called on the generator's types, named as the host names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg

from tests.fuzz.values import KINDS

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


def load(db: psycopg.Connection, allowed: Iterable[str]) -> tuple[list[Signature], list[Signature], set[str]]:
    """Signatures on the allow-list, those that are not, and names of the list that nothing here can call."""
    names = set(allowed)
    casts: Mapping[str, str] = dict(db.execute(_CASTS).fetchall())
    rows = [*db.execute(_OPERATORS).fetchall(), *db.execute(_FUNCTIONS).fetchall()]
    known = [made for row in rows for made in _instances(row, casts)]
    inside = [one for one in known if one.name in names]
    outside = [one for one in known if one.name not in names and _is_useful(one)]
    return inside, outside, names - {one.name for one in inside}


def _is_useful(one: Signature) -> bool:
    return one.function in _KEPT or not _USELESS.match(one.function)


def _instances(row: tuple[str, str, list[str], str, str, bool], casts: Mapping[str, str]) -> list[Signature]:
    """The signature, or one for each type that its polymorphic arguments may have."""
    name, function, arguments, result, _, is_operator = row
    pattern = _pattern(function, len(arguments), is_operator)
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


def _pattern(function: str, count: int, is_operator: bool) -> str:
    places = ["{" + str(n) + "}" for n in range(count)]
    if not is_operator:
        return f"pg_catalog.{function}({', '.join(places)})"
    return f"({function} {places[0]})" if count == 1 else f"({places[0]} {function} {places[1]})"
