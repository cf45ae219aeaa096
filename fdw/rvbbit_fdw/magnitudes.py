"""How large the decimals of a session's table are, by the statistics that DuckDB keeps of each column.

By them a product of two columns may be computed in 64 bits, where their types alone would ask for 128.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import duckdb

from rvbbit_fdw.catalog import Relation
from rvbbit_fdw.errors import Interrupted, translate
from rvbbit_fdw.sqltext import Sql, comma, qualified, quote

_MOST_COLUMNS = 64
"""Of further columns it is not asked: to bind the question takes DuckDB some 20 microseconds for each."""


def whole_digits(cursor: duckdb.DuckDBPyConnection, database: str, relation: Relation) -> Mapping[str, int]:
    """Digits before the point that suffice for all values of a column, by its name, where that is known."""
    names = [each.name for each in relation.columns if each.type.startswith("DECIMAL(")][:_MOST_COLUMNS]
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
    digits = {name: _digits(each) for row in found for name, each in zip(names, row, strict=True)}
    return {name: known for name, known in digits.items() if known is not None}


def _digits(statistics: object) -> int | None:
    if not isinstance(statistics, Mapping):
        return None
    ends = [statistics.get("min"), statistics.get("max")]
    if not all(isinstance(end, Decimal) and end.is_finite() for end in ends):
        return None
    return max(max(end.adjusted() + 1, 0) if end else 0 for end in ends)
