"""What calls the wrapper as Multicorn2 3.2 does: its order of calls, and what of its package they need.

Nothing here is Multicorn2, and what passes here has not been run on it.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from logging import ERROR
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

SERVER = "rvbbit"


@dataclass
class Definition:
    """A column as Multicorn2 describes it."""

    column_name: str
    type_oid: int
    typmod: int = -1
    base_type_name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Qual:
    """A condition as Multicorn2 gives it."""

    field_name: str
    operator: Any
    value: Any


@dataclass(frozen=True)
class SortKey:
    """A sort key as Multicorn2 gives it."""

    attname: str
    attnum: int
    is_reversed: bool
    nulls_first: bool
    collate: str | None = None


class Told(Exception):  # noqa: N818 - it becomes an error of PostgreSQL
    """What log_to_postgres raises for an error."""

    def __init__(self, message: str, hint: str | None, detail: str | None) -> None:
        super().__init__(message)
        self.message, self.hint, self.detail = message, hint, detail


class _Base:
    def __init__(self, fdw_options: Mapping[str, str], fdw_columns: Mapping[str, Definition]) -> None:
        """As the base class: nothing."""


def _log(message: str, level: int, hint: str | None = None, detail: str | None = None) -> NoReturn:
    assert level == ERROR, "anything less ends the process if a cancel is pending"
    raise Told(message, hint, detail)


def provide_package() -> None:
    """Let `import multicorn` find what calling the wrapper requires."""
    package, utils = ModuleType("multicorn"), ModuleType("multicorn.utils")
    vars(package).update(ForeignDataWrapper=_Base, utils=utils)
    vars(utils).update(log_to_postgres=_log, MulticornException=Told)
    sys.modules.update({"multicorn": package, "multicorn.utils": utils})


@dataclass
class Process:
    """A PostgreSQL process as far as the wrapper looks at it; tests change what it tells."""

    data: Path
    is_interrupted: bool = False
    has_timed_out: bool = False
    place: int = 1000
    statement: int = 1
    transaction: int = 1
    repeatable: bool = False
    database_encoding: str = "UTF8"

    def interrupted(self) -> bool:
        return self.is_interrupted

    def timed_out(self) -> bool:
        return self.has_timed_out

    def snapshot(self) -> int:
        return self.place

    def statement_time(self) -> int:
        return self.statement

    def transaction_time(self) -> int:
        return self.transaction

    def is_repeatable(self) -> bool:
        return self.repeatable

    def data_directory(self) -> str:
        return str(self.data)

    def encoding(self) -> str:
        return self.database_encoding

    def limit_memory(self) -> None:
        """The tests' own process stays as it is."""

    def leave_at_once(self) -> None:
        """The tests' own process ends as ever."""


def definitions(*columns: Definition) -> OrderedDict[str, Definition]:
    """Columns as Multicorn2 hands them over."""
    return OrderedDict((column.column_name, column) for column in columns)


def planned(table: Any, quals: Sequence[Qual], named: Sequence[str] = ()) -> tuple[int, int]:
    """The planner's calls, with the conditions whose values are constants."""
    size: tuple[int, int] = table.get_rel_size(list(quals), set(named))
    assert table.get_path_keys() == []
    return size


def rows(
    table: Any,
    quals: Sequence[Qual] = (),
    named: Sequence[str] = (),
    sortkeys: Sequence[SortKey] = (),
    at_start: Sequence[Qual] = (),
) -> list[tuple[Any, ...]]:
    """A statement: planning, then the executor; `at_start` are conditions whose values were no constants."""
    table.begin(0)
    planned(table, quals, named)
    keywords: dict[str, Any] = {"sortkeys": list(sortkeys)} if sortkeys else {}
    if sortkeys:
        assert table.can_sort(list(sortkeys)) == list(sortkeys)
    found = list(table.execute([*quals, *at_start], set(named), **keywords))
    table.pre_commit()
    table.commit()
    return found


def commands(wrapper: Any, schema: str, server: Mapping[str, str], kind: str | None = None,
             names: Sequence[str] = (), **options: str) -> list[str]:  # fmt: skip
    """IMPORT FOREIGN SCHEMA into "debug"."""
    made = wrapper.import_schema(schema, dict(server), options, kind, list(names))
    return [each.to_statement("debug", SERVER) for each in made]
