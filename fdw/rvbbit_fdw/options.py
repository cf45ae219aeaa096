"""The one table of the options that servers, foreign tables and their columns take."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from rvbbit_fdw.errors import OptionError, OptionMissing, OptionValueError

CONTEXTS = ("wrapper", "server", "user_mapping", "table", "column")
CATALOGS = ("sessions",)


@dataclass(frozen=True)
class Option:
    """One option: where it stands, who may set it, and what its value must be.

    `check` gives what is wrong with a value, or None. `privileged`: only a superuser may set it.
    """

    context: str
    name: str
    doc: str
    check: Callable[[str], str | None] | None = None
    privileged: bool = False
    required: bool = False


def _absolute_path(value: str) -> str | None:
    return None if PurePosixPath(value).is_absolute() and "\0" not in value else "an absolute path is needed"


def _not_empty(value: str) -> str | None:
    return None if value else "it must not be empty"


def _catalog(value: str) -> str | None:
    return None if value in CATALOGS else f"it must be one of: {', '.join(CATALOGS)}"


OPTIONS: tuple[Option, ...] = (
    Option(
        "server",
        "session_dir",
        "Directory that holds the session files, as the server sees it.",
        _absolute_path,
        privileged=True,
        required=True,
    ),
    Option(
        "server",
        "snapshot_dir",
        'Directory of the snapshot store; the default is "rvbbit" in the data directory.',
        _absolute_path,
        privileged=True,
    ),
    Option("table", "session", "Id of the session: its file's name without .duckdb.", _not_empty),
    Option("table", "schema_name", 'Schema inside the session; the default is "main".', _not_empty),
    Option(
        "table", "table_name", "Table or view inside the session; the default is its own name.", _not_empty
    ),
    Option("table", "catalog", "Makes the table a list of what the server has: sessions.", _catalog),
    Option("column", "column_name", "Column inside the session; the default is its own name.", _not_empty),
    Option("column", "duckdb_type", "The column's DuckDB type when it was imported.", _not_empty),
)

SESSION_DIR = "session_dir"
SNAPSHOT_DIR = "snapshot_dir"
DEFAULT_SCHEMA = "main"


def of_context(context: str) -> dict[str, Option]:
    """The options of one kind of object by name."""
    return {option.name: option for option in OPTIONS if option.context == context}


def validate(context: str, given: Mapping[str, str]) -> None:
    """Raise OptionError for an unknown option, a bad value, a missing or a contradicting option."""
    known = of_context(context)
    for name, value in given.items():
        if name not in known:
            message = f'invalid option "{name}"'
            raise OptionError(message, hint=_hint(context, name))
        _check_value(known[name], value)
    for option in known.values():
        if option.required and option.name not in given:
            message = f'option "{option.name}" is required'
            raise OptionMissing(message, hint=option.doc)
    if context == "table":
        _check_table(given)


def require_session_dir(given: Mapping[str, str]) -> str:
    """The session folder that a server's options name."""
    if not given.get(SESSION_DIR):
        message = f'the server has no option "{SESSION_DIR}"'
        raise OptionMissing(message, hint=of_context("server")[SESSION_DIR].doc)
    return given[SESSION_DIR]


def _check_value(option: Option, value: str) -> None:
    problem = option.check(value) if option.check else None
    if problem:  # The value itself is not repeated: it may be a path of the server.
        message = f'invalid value for option "{option.name}": {problem}'
        raise OptionValueError(message, hint=option.doc)


def _check_table(given: Mapping[str, str]) -> None:
    if "session" in given and "catalog" in given:
        raise OptionError('options "session" and "catalog" exclude each other')
    if "session" not in given and "catalog" not in given:
        raise OptionMissing(
            'option "session" is required',
            hint="IMPORT FOREIGN SCHEMA makes foreign tables with all their options.",
        )


def _hint(context: str, name: str) -> str:
    known = sorted(of_context(context))
    if not known:
        return "There are no valid options in this context."
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f'Perhaps you meant the option "{near[0]}".'
    return f"Valid options in this context are: {', '.join(known)}."
