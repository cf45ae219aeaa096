"""The only place where names and values become SQL text.

SQL is put together from `Sql` pieces. A `Sql` comes from `quote`, `literal`, or from text written in this
package; never from a name or a value as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NewType

Sql = NewType("Sql", str)


def quote(name: str) -> Sql:
    """The name as a quoted identifier, valid in DuckDB and in PostgreSQL alike."""
    return Sql('"' + name.replace('"', '""') + '"')


@lru_cache(maxsize=4096)
def qualified(*names: str) -> Sql:
    """A dotted name, each part quoted."""
    return Sql(".".join([quote(name) for name in names]))


def literal(value: str) -> Sql:
    """The text as a DuckDB string literal (backslashes have no meaning there)."""
    return Sql("'" + value.replace("'", "''") + "'")


def pg_literal(value: str) -> Sql:
    """The text as a PostgreSQL string literal, right under either standard_conforming_strings."""
    text = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    return Sql(" E" + text) if "\\" in value else Sql(text)


def comma(pieces: Iterable[Sql]) -> Sql:
    """The pieces as a list."""
    return Sql(", ".join(pieces))


def pg_options(options: Iterable[tuple[str, str]]) -> Sql:
    """An OPTIONS clause of PostgreSQL, or nothing when there are no options."""
    pieces = [Sql(f"{quote(name)} {pg_literal(value)}") for name, value in options]
    return Sql(f"OPTIONS ({comma(pieces)})") if pieces else Sql("")
