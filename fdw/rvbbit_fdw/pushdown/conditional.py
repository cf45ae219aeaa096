"""CASE, COALESCE, NULLIF, GREATEST and LEAST: expressions that choose one of several values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from rvbbit_fdw.pushdown import allowed, kinds
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED, Collation, cast
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.logic import truth
from rvbbit_fdw.pushdown.nodes import Extreme, NullIf
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.texts import check_collation
from rvbbit_fdw.pushdown.written import Scales, Scope, Written, scales_of
from rvbbit_fdw.sqltext import Sql, comma


def unify(values: Sequence[Written]) -> tuple[list[Sql], Kind, bool]:
    """The values in one carrier, and whether each keeps its number of digits after the point."""
    known = [value for value in values if value.value is not None] or list(values)
    kind: Kind | None = known[0].kind
    for value in known[1:]:
        kind = None if kind is None else kinds.common(kind, value.kind)
    if kind is None:
        raise Local("no numeric of DuckDB holds all these values")
    same = all(value.same_scale and value.kind.scale == kind.scale for value in known)
    return [cast(value, kind) for value in values], kind, same


def write_case(whens: Sequence[tuple[Written, Written]], default: Written | None) -> Written:
    """CASE; without ELSE the result is null."""
    results = [result for _, result in whens] + ([default] if default else [])
    if not results:
        raise Local("CASE without any result")
    sqls, kind, same = unify(results)
    arms = " ".join(
        f"WHEN {condition.sql} THEN {sql}" for (condition, _), sql in zip(whens, sqls, strict=False)
    )
    otherwise = f" ELSE {sqls[-1]}" if default else ""
    sql = Sql(f"CASE {arms}{otherwise} END") if whens else sqls[-1]
    fallible = any(part.fallible for when in whens for part in when) or bool(default and default.fallible)
    scales = None if same else _scales_of_case([condition for condition, _ in whens], results)
    return Written(sql, kind, fallible, same_scale=same, scales=scales)


def _scales_of_case(conditions: Sequence[Written], results: Sequence[Written]) -> Scales | None:
    """The digits after the point of the numeric that is chosen."""
    known = [scales for result in results if (scales := scales_of(result)) is not None]
    if len(known) < len(results) or sum(len(each.sql) for each in conditions) > LONGEST_REPEATED:
        return None
    arms = " ".join(
        f"WHEN {condition.sql} THEN {scales.sql}"
        for condition, scales in zip(conditions, known, strict=False)
    )
    otherwise = f" ELSE {known[-1].sql}" if len(known) > len(conditions) else ""
    sql = f"CASE {arms}{otherwise} END" if conditions else known[-1].sql
    return Scales(Sql(sql), frozenset().union(*(each.possible for each in known)))


def write_coalesce(values: Sequence[Written]) -> Written:
    """COALESCE, which computes no further than to the first value that is not null."""
    sqls, kind, same = unify(values)
    fallible = any(value.fallible for value in values)
    sql = _coalesce_in_order(sqls) if fallible else Sql(f"coalesce({comma(sqls)})")
    return Written(sql, kind, fallible, same_scale=same, scales=None if same else _scales_of_coalesce(values))


def _scales_of_coalesce(values: Sequence[Written]) -> Scales | None:
    if sum(len(value.sql) for value in values) > LONGEST_REPEATED:
        return None
    there = [truth(f"{value.sql} IS NOT NULL", value) for value in values[:-1]]
    return _scales_of_case(there, values)


def _coalesce_in_order(sqls: Sequence[Sql]) -> Sql:
    if sum(len(sql) for sql in sqls) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")
    arms = " ".join(f"WHEN {sql} IS NOT NULL THEN {sql}" for sql in sqls[:-1])
    return Sql(f"CASE {arms} ELSE {sqls[-1]} END") if arms else sqls[-1]


def write_nullif(node: NullIf, values: Sequence[Written], scope: Scope) -> Written:
    """NULLIF: the first value, unless it equals the second."""
    equality = allowed.equality(node.name)
    check_collation(equality.collation, node.collation, scope)
    equal = equality.compare("=", values[0], values[1])
    if len(values[0].sql) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")
    sql = Sql(f"CASE WHEN {equal.sql} THEN NULL ELSE {values[0].sql} END")
    first = values[0]
    return Written(sql, first.kind, equal.fallible, same_scale=first.same_scale, scales=first.scales)


def _greater(one: Sql, other: Sql) -> Sql:
    return _step(one, other, ">")


def _less(one: Sql, other: Sql) -> Sql:
    return _step(one, other, "<")


def _step(one: Sql, other: Sql, operator: str) -> Sql:
    """The other only if it is beyond the one: of equal values that are not alike the first comes out."""
    if len(one) + len(other) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")
    return Sql(
        f"CASE WHEN {one} IS NULL OR {other} {operator} {one} THEN coalesce({other}, {one}) ELSE {one} END"
    )


_STEPS = {"greatest": _greater, "least": _less}


def write_extreme(node: Extreme, values: Sequence[Written], scope: Scope) -> Written:
    """GREATEST or LEAST, which leave nulls out."""
    sqls, kind, same = unify(values)
    if kind.duckdb == "VARCHAR":
        check_collation(Collation.ORDER, node.collation, scope)
    fallible = any(value.fallible for value in values)
    if kind in {kinds.INTERVAL, kinds.FLOAT4, kinds.FLOAT8}:
        return Written(reduce(_STEPS[node.kind], sqls), kind, fallible)
    return Written(Sql(f"{node.kind}({comma(sqls)})"), kind, fallible, same_scale=same)
