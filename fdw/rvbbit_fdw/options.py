"""The one table of the options that servers, foreign tables and their columns take."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from rvbbit_fdw import identifiers, policy, typemap
from rvbbit_fdw.errors import OptionError, OptionMissing, OptionValueError

CONTEXTS = ("wrapper", "server", "user_mapping", "table", "column")
IMPORT = "import"
"""Context of the options of IMPORT FOREIGN SCHEMA, which no object keeps."""

CATALOGS = ("sessions", "tables", "columns", "snapshots", "imports")


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

    @property
    def is_text(self) -> bool:
        """True if every text that is not empty will do: an import sets hundreds of these."""
        return self.check is _not_empty


def _absolute_path(value: str) -> str | None:
    return None if PurePosixPath(value).is_absolute() and "\0" not in value else "an absolute path is needed"


def _not_empty(value: str) -> str | None:
    return None if value else "it must not be empty"


def _one_of(values: Collection[str]) -> Callable[[str], str | None]:
    return lambda value: None if value in values else f"it must be one of: {', '.join(values)}"


def _whole(most: int) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        good = re.fullmatch(r"[0-9]{1,9}", value) and int(value) <= most
        return None if good else f"a whole number from 0 to {most} is needed"

    return check


def _boolean(value: str) -> str | None:
    return None if value.lower() in {*_TRUE, *_FALSE} else "true or false is needed"


def _names(value: str) -> str | None:
    try:
        pairs = json.loads(value, object_pairs_hook=list)
    except (ValueError, RecursionError):
        pairs = None
    if not value.lstrip().startswith("{") or pairs is None or not all(isinstance(to, str) for _, to in pairs):
        return "a JSON object of names is needed"
    if not all(_is_name(to) for _, to in pairs):
        return f"a name has from 1 to {identifiers.MAX_BYTES} bytes, none of them zero"
    alike = [len({pair[side] for pair in pairs}) < len(pairs) for side in (0, 1)]
    return "no two tables may have the same name" if any(alike) else None


def _is_name(text: str) -> bool:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return 0 < size <= identifiers.MAX_BYTES and "\0" not in text


def _patterns(value: str) -> str | None:
    try:
        policy.parse_patterns(value)
    except ValueError as error:
        return str(error)
    return None


_TRUE, _FALSE = ("true", "on", "yes", "1"), ("false", "off", "no", "0")
MISSING_COLUMNS = ("error", "null")
PRESENT_AS = ("foreign", "table")

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
    Option(
        "server",
        "policy",
        'Which sessions attach by themselves: "smart" (default), "recent", "all" or "none".',
        _one_of(policy.POLICIES),
    ),
    Option("server", "named_limit", "smart: the most named sessions, newest first; 50.", _whole(100_000)),
    Option("server", "unnamed_limit", "smart: the most unnamed sessions, newest first; 10.", _whole(100_000)),
    Option(
        "server", "unnamed_max_age_hours", "smart: the age of the oldest unnamed one; 24.", _whole(1_000_000)
    ),
    Option("server", "recent_limit", "recent: the most sessions, newest first; 50.", _whole(100_000)),
    Option("server", "recent_max_age_days", "recent: the age of the oldest one in days; 7.", _whole(40_000)),
    Option(
        "server",
        "include",
        "LIKE patterns, separated by commas, of ids that always attach by themselves.",
        _patterns,
    ),
    Option(
        "server",
        "exclude",
        "LIKE patterns, separated by commas, of ids that never attach by themselves; "
        f'"{policy.Policy.exclude}".',
        _patterns,
    ),
    Option(
        "server",
        "present_as",
        'How attached sessions are shown: "table" (default), as ordinary tables, or "foreign".',
        _one_of(PRESENT_AS),
    ),
    *(
        Option(
            context,
            "on_unrepresentable",
            'What becomes of a value that PostgreSQL cannot hold: "error" (default), "null" or "replace".',
            _one_of(typemap.UNREPRESENTABLE),
        )
        for context in ("server", "table")
    ),
    Option(
        "server",
        "json_as",
        'How an import declares JSON: "jsonb" (default), "json" or "text".',
        _one_of(typemap.JSON_AS),
    ),
    Option(
        "server",
        "nanoseconds_as",
        'How an import declares times of nanoseconds: "microseconds" (default), or "text" with all digits.',
        _one_of(typemap.NANOSECONDS_AS),
    ),
    Option("table", "session", "Id of the session: its file's name without .duckdb.", _not_empty),
    Option("table", "schema_name", 'Schema inside the session; the default is "main".', _not_empty),
    Option(
        "table", "table_name", "Table or view inside the session; the default is its own name.", _not_empty
    ),
    Option(
        "table",
        "catalog",
        "Makes the table a list: sessions, tables, columns, snapshots or imports.",
        _one_of(CATALOGS),
    ),
    Option(
        "table",
        "missing_columns",
        'What a column is that the session\'s table does not have: an "error" (default) or "null".',
        _one_of(MISSING_COLUMNS),
    ),
    Option("column", "column_name", "Column inside the session; the default is its own name.", _not_empty),
    Option("column", "duckdb_type", "The column's DuckDB type when it was imported.", _not_empty),
    Option(
        IMPORT,
        "session",
        "Id of the session, of any length; the remote schema is then one of it.",
        _not_empty,
    ),
    Option(
        IMPORT,
        "import_as",
        "Which tables come and what each is called: a JSON object, from its name without this option to the "
        "other one; all come, under their own.",
        _names,
    ),
    Option(IMPORT, "import_comments", "Whether comments come along; true.", _boolean),
    Option(IMPORT, "import_not_null", "Whether NOT NULL comes along; true.", _boolean),
    Option(IMPORT, "import_views", "Whether views come along; true.", _boolean),
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


def shown(server: Mapping[str, str]) -> typemap.Shown:
    """How an import declares what may be declared in more than one way."""
    default = typemap.Shown()
    return typemap.Shown(
        json=server.get("json_as", default.json),
        nanoseconds=server.get("nanoseconds_as", default.nanoseconds),
    )


def unrepresentable(server: Mapping[str, str], table: Mapping[str, str]) -> str:
    """What becomes of a value that PostgreSQL cannot hold; the table's option weighs more."""
    return table.get("on_unrepresentable") or server.get("on_unrepresentable") or typemap.ERROR


def is_true(given: Mapping[str, str], name: str) -> bool:
    """The value of an option that is true unless something else is said."""
    return given.get(name, "true").lower() in _TRUE


def import_as(given: Mapping[str, str]) -> dict[str, str] | None:
    """What the tables of an import are called; None if all come under their own names."""
    return json.loads(given["import_as"]) if "import_as" in given else None


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
    # By names alone: the host does not ask again for the same names.
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
