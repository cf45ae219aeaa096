"""One line of the allow-list: what it says of a function, an operator or a cast, and how it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from rvbbit_fdw.pushdown import kinds, literals
from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.sqltext import Sql

LONGEST_REPEATED = 20_000
"""An argument longer than this, in characters, is not written more than once."""


class Collation(Enum):
    """What an entry needs of the collation it is called with."""

    IGNORED = "the collation does not matter"
    EQUALITY = "equal texts have equal bytes"
    ORDER = "texts are ordered by code point"
    CASE = "case as in PostgreSQL's builtin C.UTF-8"


@dataclass(frozen=True)
class Call:
    """A call to write: the arguments in order, and where it stands."""

    arguments: Sequence[Written]
    scope: Scope

    def __getitem__(self, position: int) -> Written:
        return self.arguments[position]


Speller: TypeAlias = Callable[[Call], Written]
"""Writes one call, or raises Local."""


@dataclass(frozen=True)
class Entry:
    """One function, operator or cast of PostgreSQL that DuckDB computes the same for every input.

    `name` is the protocol's. `spelling` says for people how it is written in DuckDB. `constants`: positions
    of arguments that have to be known when planning. `fallible`: it gives an error for some inputs.
    `narrower`: DuckDB also gives an error for values that it has no room for and PostgreSQL has.
    """

    name: str
    result: str
    spell: Speller
    spelling: str
    fallible: bool = False
    collation: Collation = Collation.IGNORED
    constants: frozenset[int] = frozenset()
    note: str = ""
    narrower: bool = False

    @property
    def argument_types(self) -> tuple[str, ...]:
        """The types of the arguments, as the host names them."""
        inside = self.name[self.name.index("(") + 1 : -1]
        return tuple(inside.split(",")) if inside else ()


_PLACE = re.compile(r"\{(\d)\}")


def template(spelling: str, result: str, *, fallible: bool = False) -> Speller:
    """A speller that fills `{0}`, `{1}`, ... with the arguments; the result has its type's one carrier."""
    kind = kinds.FIXED[f"pg_catalog.{result}"]
    return lambda call: fill(spelling, call, kind, fallible=fallible)


def fill(spelling: str, call: Call, kind: Kind, *, fallible: bool = False) -> Written:
    """The spelling with the call's arguments in their places."""
    places = [int(place) for place in _PLACE.findall(spelling)]
    for position in set(places):
        if places.count(position) > 1:
            _check_repeatable(call[position])
    sql = _PLACE.sub(lambda match: call[int(match[1])].sql, spelling)
    return Written(Sql(sql), kind, fallible or any(argument.fallible for argument in call.arguments))


def _check_repeatable(argument: Written) -> None:
    if len(argument.sql) > LONGEST_REPEATED:
        raise Local("the expression is too long to be written more than once")


def constant(call: Call, position: int, what: str) -> str:
    """The text of a constant argument that is not null; Local if it is not known when planning."""
    value = call[position].value
    if not isinstance(value, str):
        raise Local(f"{what} is null" if value is None else f"{what} is not a constant")
    return value


def failure(message: str, duckdb_type: str) -> str:
    """SQL that gives an error with this message where it is computed; unlike error() it is not volatile."""
    return f"CAST('{message}' AS {duckdb_type})"


def cast(argument: Written, kind: Kind) -> Sql:
    """The argument in another carrier of the same value."""
    return argument.sql if argument.kind.duckdb == kind.duckdb else literals.typed(argument.sql, kind)


def entry(
    name: str,
    result: str,
    spelling: str,
    *,
    fallible: bool = False,
    collation: Collation = Collation.IGNORED,
    note: str = "",
    shown: str = "",
) -> Entry:
    """An entry that is a template; `name` and `result` without "pg_catalog."; `shown` for long spellings."""
    speller = template(spelling, result, fallible=fallible)
    return Entry(
        qualified(name),
        f"pg_catalog.{result}",
        speller,
        shown or _core(spelling),
        fallible=fallible,
        collation=collation,
        note=note,
    )


def _core(spelling: str) -> str:
    """The spelling for people: without the guards of a CASE, which are what the notes say."""
    core = spelling.rpartition(" ELSE ")[2].removesuffix(" END")
    shown = core[1:-1] if core.startswith("({") and core.endswith("})") else core
    return _PLACE.sub(lambda match: "abc"[int(match[1])], shown)


def special(
    name: str,
    result: str,
    spell: Speller,
    spelling: str,
    *,
    fallible: bool = False,
    collation: Collation = Collation.IGNORED,
    constants: Sequence[int] = (),
    note: str = "",
    narrower: bool = False,
) -> Entry:
    """An entry that a function writes; `name` and `result` without "pg_catalog."."""
    return Entry(
        qualified(name),
        f"pg_catalog.{result}",
        spell,
        spelling,
        fallible,
        collation,
        frozenset(constants),
        note,
        narrower,
    )


def qualified(name: str) -> str:
    """The protocol's name of a function of pg_catalog written as "round(numeric,int4)"."""
    function, _, types = name.rpartition("(")
    inside = types.removesuffix(")")
    full = ",".join(f"pg_catalog.{each}" for each in inside.split(",")) if inside else ""
    return f"pg_catalog.{function}({full})"
