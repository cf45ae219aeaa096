"""to_char() of timestamps, with formats of numbers and punctuation that are known when planning."""

from __future__ import annotations

import re

from rvbbit_fdw.pushdown import kinds
from rvbbit_fdw.pushdown.entry import Call, constant, fill, special
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import literal

FORMATS = "formats of YYYY, MM, DD, HH24, MI, SS and punctuation"

_FIELDS = {
    "YYYY": ("%04d", "CASE WHEN year({0}) > 0 THEN year({0}) ELSE 1 - year({0}) END"),
    "MM": ("%02d", "month({0})"),
    "DD": ("%02d", "day({0})"),
    "HH24": ("%02d", "hour({0})"),
    "MI": ("%02d", "minute({0})"),
    "SS": ("%02d", "second({0})"),
}
"""How a field is printed; DuckDB has a year 0, which PostgreSQL calls 1 BC and prints as 0001."""

_PARTS = re.compile(r"(YYYY|MM|DD|HH24|MI|SS)|([-/:., ]+)")
_LONGEST = 60


def in_words(call: Call) -> Written:
    """A timestamp in the format; null for infinity."""
    pattern = constant(call, 1, "the format")
    parts = list(_PARTS.finditer(pattern))
    fields = [match[1] for match in parts if match[1]]
    if not fields or len(pattern) > _LONGEST or "".join(match[0] for match in parts) != pattern:
        reason = f'the format "{pattern[:_LONGEST]}" is not known to be the same in DuckDB'
        raise Local(reason)
    printed = "".join(_FIELDS[match[1]][0] if match[1] else match[2] for match in parts)
    values = ", ".join(_FIELDS[field][1] for field in fields)
    spelling = f"CASE WHEN isfinite({{0}}) THEN printf({literal(printed)}, {values}) END"
    return fill(spelling, call, kinds.TEXT)


ENTRIES = (
    special(
        "to_char(timestamp,text)", "text", in_words, "printf(b, fields of a)", constants=[1], note=FORMATS
    ),
)
