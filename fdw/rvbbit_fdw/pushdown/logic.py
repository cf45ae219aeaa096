"""AND, OR, NOT and tests of truth, in PostgreSQL's order of evaluation where a part can fail."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import LONGEST_REPEATED
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql

_TESTS = {
    "true": "IS TRUE",
    "not_true": "IS NOT TRUE",
    "false": "IS FALSE",
    "not_false": "IS NOT FALSE",
    "unknown": "IS NULL",
    "not_unknown": "IS NOT NULL",
}


def truth(sql: str, *parts: Written) -> Written:
    """A boolean made of parts."""
    return Written(Sql(sql), kinds.BOOL, any(part.fallible for part in parts))


def negated(argument: Written) -> Written:
    """NOT."""
    return truth(f"(NOT {argument.sql})", argument)


def tested(test: str, argument: Written) -> Written:
    """IS TRUE, IS NOT FALSE and so on; `test` is that of the node."""
    return truth(f"({argument.sql} {_TESTS[test]})", argument)


def chain(kind: str, parts: Sequence[Written], *, value: bool = False) -> Written:
    """The parts under "and" or "or"; only their truth counts unless `value`, then null is kept apart.

    As soon as one part can fail, each is computed only for rows that those before it leave undecided.
    """
    if not any(part.fallible for part in parts) or len(parts) == 1:
        return plain(kind, parts)
    return _ordered_value(kind, parts) if value else _ordered_truth(kind, parts)


def plain(kind: str, parts: Sequence[Written]) -> Written:
    """The parts in no particular order."""
    if len(parts) == 1:
        return parts[0]
    return truth("(" + f" {kind.upper()} ".join(part.sql for part in parts) + ")", *parts)


def both(conditions: Sequence[Written], alone: Sequence[Written] | None = None) -> Written:
    """All conditions of a WHERE or ON.

    Those of `alone` stand alone as well, so that DuckDB can skip data and join by them; if it is not given,
    those before the first that can fail.
    """
    if not any(part.fallible for part in conditions) or len(conditions) == 1:
        return plain("and", conditions)
    early = _leading(conditions) if alone is None else alone
    if len(early) == len(conditions):
        return plain("and", early)
    ordered = chain("and", conditions)
    short = sum(len(part.sql) for part in early) <= LONGEST_REPEATED
    return plain("and", [*early, ordered]) if short else ordered


def _leading(conditions: Sequence[Written]) -> Sequence[Written]:
    return list(takewhile(lambda part: not part.fallible, conditions))


def _ordered_truth(kind: str, parts: Sequence[Written]) -> Written:
    """One CASE with an arm for all parts but the last: the first that decides ends it."""
    test, decided = ("IS NOT TRUE", "false") if kind == "and" else ("IS TRUE", "true")
    arms = " ".join(f"WHEN {part.sql} {test} THEN {decided}" for part in parts[:-1])
    return truth(f"CASE {arms} ELSE {parts[-1].sql} END", *parts)


def _ordered_value(kind: str, parts: Sequence[Written]) -> Written:
    """As above, but a null among the undecided makes the whole null, so these are written twice."""
    test, decided = ("IS FALSE", "false") if kind == "and" else ("IS TRUE", "true")
    if sum(len(part.sql) for part in parts) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")
    arms = " ".join(f"WHEN {part.sql} {test} THEN {decided}" for part in parts[:-1])
    return truth(f"CASE {arms} ELSE {plain(kind, parts).sql} END", *parts)
