"""How large the numbers of a session's table are, by the statistics that DuckDB keeps of each column.

By them what is computed of columns fits into the type it has, where the columns' types alone would not tell:
a product of decimals may be computed in 64 bits, and a sum of integers cannot overflow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import duckdb

from rvbbit_fdw.catalog import Relation
from rvbbit_fdw.errors import Interrupted, translate
from rvbbit_fdw.sqltext import Sql, comma, qualified, quote

_MOST_COLUMNS = 64
"""Of further columns it is not asked: to bind the question takes DuckDB some 20 microseconds for each."""

_NUMBERS = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(\d+,\d+\)")


def largest(
    cursor: duckdb.DuckDBPyConnection, database: str, relation: Relation, columns: Sequence[str]
) -> Mapping[str, int]:
    """For those of the columns of which it is known, a number than which no value is further from 0.

    It counts units of the last digit, and is one less than a power of 2: as a table grows, it stays for long.
    """
    numbers = {each.name for each in relation.columns if _NUMBERS.fullmatch(each.type)}
    names = [name for name in columns if name in numbers][:_MOST_COLUMNS]
    if relation.computed or not names:
        return {}
    asked = comma(Sql(f"stats({quote(name)})") for name in names)
    table = qualified(database, relation.schema, relation.name)
    try:
        found = cursor.execute(f"SELECT {asked} FROM {table} LIMIT 1").fetchall()
    except duckdb.Error as error:  # it is worth no error
        if isinstance(translate(error), Interrupted):
            raise
        return {}
    known = {name: _largest(each) for row in found for name, each in zip(names, row, strict=True)}
    return {name: number for name, number in known.items() if number is not None}


def _largest(statistics: object) -> int | None:
    if not isinstance(statistics, Mapping):
        return None
    least, greatest = (_units(statistics.get(end)) for end in ("min", "max"))
    if least is None or greatest is None:
        return None
    return (1 << max(least, greatest).bit_length()) - 1


def _units(end: object) -> int | None:
    """How far the number is from 0 in units of its last digit, as DuckDB stores it."""
    if isinstance(end, Decimal):
        return int("".join(map(str, end.as_tuple().digits)))
    return abs(end) if isinstance(end, int) else None
