"""LIKE, ILIKE and prefixes, with patterns that are known when planning."""

from __future__ import annotations

from collections.abc import Iterator

from rvbbit_fdw.pushdown.entry import Call, Collation, Entry, constant, special
from rvbbit_fdw.pushdown.logic import truth
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql, literal

ESCAPE = "\\"


def _pattern(call: Call) -> tuple[Sql, Sql]:
    """The pattern and the ESCAPE clause; PostgreSQL's escape is a backslash, DuckDB has none by itself."""
    pattern = constant(call, 1, "the pattern")
    escapes = len(pattern) - len(pattern.rstrip(ESCAPE))
    if escapes % 2:
        raise Local("the pattern ends with its escape character")
    return literal(pattern), Sql(f" ESCAPE {literal(ESCAPE)}") if ESCAPE in pattern else Sql("")


def _like(call: Call) -> Written:
    pattern, escape = _pattern(call)
    return truth(f"({call[0].sql} LIKE {pattern}{escape})", call[0])


def _not_like(call: Call) -> Written:
    pattern, escape = _pattern(call)
    return truth(f"({call[0].sql} NOT LIKE {pattern}{escape})", call[0])


def _ilike(call: Call) -> Written:
    pattern, escape = _pattern(call)
    return truth(f"(lower({call[0].sql}) LIKE lower({pattern}){escape})", call[0])


def _not_ilike(call: Call) -> Written:
    pattern, escape = _pattern(call)
    return truth(f"(lower({call[0].sql}) NOT LIKE lower({pattern}){escape})", call[0])


def _starts(call: Call) -> Written:
    return truth(f"starts_with({call[0].sql}, {call[1].sql})", *call.arguments)


_NOTE = "the pattern is a constant; \\ escapes"


def _patterns() -> Iterator[Entry]:
    for operator, name, speller, spelling in (
        ("~~", "like", _like, "a LIKE b ESCAPE '\\'"),
        ("!~~", "notlike", _not_like, "a NOT LIKE b ESCAPE '\\'"),
    ):
        for each in (operator, name):
            yield special(
                f"{each}(text,text)",
                "bool",
                speller,
                spelling,
                collation=Collation.ORDER,
                constants=[1],
                note=_NOTE,
            )
    for operator, name, speller, spelling in (
        ("~~*", "texticlike", _ilike, "lower(a) LIKE lower(b) ESCAPE '\\'"),
        ("!~~*", "texticnlike", _not_ilike, "lower(a) NOT LIKE lower(b) ESCAPE '\\'"),
    ):
        for each in (operator, name):
            yield special(
                f"{each}(text,text)",
                "bool",
                speller,
                spelling,
                collation=Collation.CASE,
                constants=[1],
                note=_NOTE,
            )
    for each in ("^@", "starts_with"):
        yield special(f"{each}(text,text)", "bool", _starts, "starts_with(a, b)", collation=Collation.ORDER)


ENTRIES = tuple(_patterns())
