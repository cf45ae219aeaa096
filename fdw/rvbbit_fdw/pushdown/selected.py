"""A query inside another one, as the other one sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rvbbit_fdw.pushdown.delivery import Value
from rvbbit_fdw.sqltext import Sql


@dataclass(frozen=True)
class Selected:
    """A query as SQL, and its columns by name. `positional`: the SQL itself does not name them.

    `scales`: for columns of numerics the name of a further one that has their digits after the point.
    """

    sql: Sql
    columns: tuple[tuple[str, Value], ...]
    positional: bool = False
    scales: Mapping[str, str] = field(default_factory=dict)


def unique_names(wanted: Iterable[str]) -> list[str]:
    """The names, each of them once whatever its case, as DuckDB tells them apart."""
    used: set[str] = set()
    names = []
    for each in wanted:
        base = each or "column"
        name, number = base, 1
        while name.casefold() in used:
            number += 1
            name = f"{base}_{number}"
        used.add(name.casefold())
        names.append(name)
    return names
