"""What the writer makes of an expression, and where it takes columns and parameters from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from rvbbit_fdw.pushdown.kinds import Kind
from rvbbit_fdw.pushdown.nodes import Column, Node, Parameter, Value
from rvbbit_fdw.sqltext import Sql


class Unknown(Enum):
    """The value of what is no constant."""

    VALUE = "not known when planning"


UNKNOWN = Unknown.VALUE


@dataclass(frozen=True)
class Scales:
    """How many digits after the point a numeric has in PostgreSQL, where that is not the same for every row.

    `sql` gives the number, which is one of `possible`; DuckDB's DECIMAL has at least as many.
    """

    sql: Sql
    possible: frozenset[int]


@dataclass(frozen=True)
class Written:
    """An expression as DuckDB SQL that needs no brackets around it.

    `fallible`: DuckDB gives an error for some rows, because PostgreSQL does. `value`: the value of a constant
    as the protocol writes it. `same_scale`: false if a numeric is equal to PostgreSQL's but may have
    another number of digits after the point, so that only its value may be used; unless `scales` tells it.
    `most`: none of the numbers that there are is further from 0, counted in units of its last digit, if that
    is less than its kind has room for.
    """

    sql: Sql
    kind: Kind
    fallible: bool = False
    value: Value | Unknown = UNKNOWN
    same_scale: bool = True
    scales: Scales | None = None
    most: int | None = None

    @property
    def largest(self) -> int:
        """No value of a number is further from 0, counted in units of its last digit."""
        return self.kind.largest if self.most is None else min(self.most, self.kind.largest)


def scales_of(written: Written) -> Scales | None:
    """The digits after the point of a numeric; None if they are not known."""
    if written.same_scale:
        return Scales(Sql(str(written.kind.scale)), frozenset({written.kind.scale}))
    return written.scales


@dataclass(frozen=True)
class Origin:
    """Whether a column is one of a relation (else it is computed here), and whether a table stores it so."""

    of_relation: bool
    stored: bool


def _stored(_column: Column) -> Origin:
    return Origin(of_relation=True, stored=True)


@dataclass(frozen=True)
class Scope:
    """Where an expression stands.

    `column` spells a column, or raises Local; `compared` one that is only compared. `parameter` spells a
    parameter whose value is not known yet; `values` are the parameters' values once they are known.
    `collation_is_c`: the database's default collation sorts by code point; `case_is_unicode`: it maps case as
    PostgreSQL's builtin C.UTF-8 does. `time_zone`: the session's TimeZone, None if it is not known. `origin`:
    where a column comes from. `unseen`: DuckDB sees no condition here, because columns are hidden (`hides`),
    or what is around. `is_key` tells what rows are grouped by, which is written alike everywhere, as
    `outside`. `divides`: quotients of numerics may be computed for which DuckDB does not have room for all
    values.
    """

    column: Callable[[Column], Written]
    parameter: Callable[[Parameter], Sql]
    values: Sequence[Value] | None = None
    collation_is_c: bool = False
    case_is_unicode: bool = False
    time_zone: str | None = None
    origin: Callable[[Column], Origin] = _stored
    unseen: bool = False
    divides: bool = False
    hides: bool = False
    is_key: Callable[[Node], bool] | None = None
    compared: Callable[[Column], Written] | None = None
    outside: Scope | None = None
