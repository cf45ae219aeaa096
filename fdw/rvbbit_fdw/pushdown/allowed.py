"""The one allow-list: what DuckDB 2.0.0 computes exactly as PostgreSQL does, for every input.

It belongs to that version alone; each entry has been compared value by value (tests/server/test_edges.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rvbbit_fdw.pushdown import (
    allowed_casts,
    allowed_compare,
    allowed_dates,
    allowed_fields,
    allowed_floats,
    allowed_formats,
    allowed_integers,
    allowed_intervals,
    allowed_like,
    allowed_moments,
    allowed_numeric,
    allowed_regex,
    allowed_text,
    allowed_zoned,
)
from rvbbit_fdw.pushdown.allowed_compare import Comparison
from rvbbit_fdw.pushdown.entry import Entry
from rvbbit_fdw.pushdown.reasons import unknown_call

DUCKDB = "2.0.0"
"""The version of DuckDB that the entries were proven with."""


def _by_name(entries: Iterable[Entry]) -> Mapping[str, Entry]:
    table: dict[str, Entry] = {}
    for entry in entries:
        if entry.name in table:
            message = f"{entry.name} is on the allow-list twice"
            raise ValueError(message)
        table[entry.name] = entry
    return table


SECTIONS: Mapping[str, tuple[Entry, ...]] = {
    "Comparisons": allowed_compare.ENTRIES,
    "Integers": allowed_integers.ENTRIES,
    "Numeric": allowed_numeric.ENTRIES,
    "Floating point": allowed_floats.ENTRIES,
    "Casts": allowed_casts.ENTRIES,
    "Text": allowed_text.ENTRIES,
    "Dates and times": (
        *allowed_dates.ENTRIES,
        *allowed_moments.ENTRIES,
        *allowed_zoned.ENTRIES,
        *allowed_formats.ENTRIES,
    ),
    "Fields of dates and times": allowed_fields.ENTRIES,
    "Intervals": allowed_intervals.ENTRIES,
    "Patterns": (*allowed_like.ENTRIES, *allowed_regex.ENTRIES),
}
"""The allow-list by topic, as the documentation has it."""

TABLE = _by_name(entry for section in SECTIONS.values() for entry in section)
"""The allow-list by the protocol's names."""

COMPARISONS = frozenset(entry.name for entry in allowed_compare.ENTRIES)
"""Those to which all values are alike that PostgreSQL finds equal."""

IO_CASTS = _by_name(allowed_casts.IO_ENTRIES)
"""Casts by way of text, named `target(source)`."""


def equality(name: str) -> Comparison:
    """The comparison that an = operator belongs to; Local if it is not on the list."""
    comparison = allowed_compare.BY_EQUALITY.get(name)
    if comparison is None:
        raise unknown_call("operator", name)
    return comparison
