"""The table of options and what validation says."""

from collections.abc import Mapping

import pytest

from rvbbit_fdw import options
from rvbbit_fdw.errors import OptionError, OptionMissing, OptionValueError


@pytest.mark.parametrize(
    ("context", "given"),
    [
        ("server", {"session_dir": "/sessions", "snapshot_dir": "/var/lib/x"}),
        ("table", {"session": "a", "schema_name": "s", "table_name": "t"}),
        ("table", {"catalog": "sessions"}),
        ("column", {"column_name": "c", "duckdb_type": "INTEGER"}),
        ("wrapper", {}),
        ("user_mapping", {}),
    ],
)
def test_valid(context: str, given: Mapping[str, str]) -> None:
    options.validate(context, given)


@pytest.mark.parametrize(
    ("context", "given", "error", "hint"),
    [
        ("server", {"sesion_dir": "/x"}, OptionError, 'Perhaps you meant the option "session_dir".'),
        ("column", {"zzz": "1"}, OptionError, "Valid options in this context are: column_name, duckdb_type."),
        ("user_mapping", {"user": "x"}, OptionError, "There are no valid options in this context."),
        ("server", {}, OptionMissing, "Directory that holds"),
        ("server", {"session_dir": "/x", "policy": "clever"}, OptionValueError, "Which sessions attach"),
        ("server", {"session_dir": "/x", "policy": ""}, OptionValueError, "Which sessions attach"),
        ("server", {"session_dir": "/x", "named_limit": "-1"}, OptionValueError, "most named sessions"),
        ("server", {"session_dir": "/x", "named_limit": "1.5"}, OptionValueError, "most named sessions"),
        ("server", {"session_dir": "/x", "recent_limit": "100001"}, OptionValueError, "most sessions"),
        ("server", {"session_dir": "/x", "recent_max_age_days": "\u0663"}, OptionValueError, "age of"),
        ("server", {"session_dir": "/x", "include": "a,,b"}, OptionValueError, "always attach"),
        ("server", {"session_dir": "/x", "exclude": "a\\"}, OptionValueError, "never attach"),
        ("server", {"session_dir": "relative/secret"}, OptionValueError, "Directory that holds"),
        ("table", {"session": ""}, OptionValueError, "Id of the session"),
        ("table", {"catalog": "other"}, OptionValueError, "Makes the table"),
        ("table", {}, OptionMissing, "IMPORT FOREIGN SCHEMA"),
    ],
)
def test_invalid(context: str, given: Mapping[str, str], error: type[OptionError], hint: str) -> None:
    with pytest.raises(error) as caught:
        options.validate(context, given)
    assert type(caught.value) is error
    assert hint in (caught.value.hint or "")
    assert "secret" not in caught.value.message


def test_an_unknown_option_has_the_standard_sqlstate() -> None:
    with pytest.raises(OptionError, match='invalid option "x"') as caught:
        options.validate("server", {"x": "1"})
    assert caught.value.sqlstate == "HV00D"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("policy", "x", "it must be one of: smart, recent, all, none"),
        ("unnamed_limit", "x", "a whole number from 0 to 100000 is needed"),
        ("include", "a,", "a pattern is empty"),
        ("exclude", "a\\", "a pattern ends in a backslash"),
    ],
)
def test_messages_say_what_is_valid(name: str, value: str, problem: str) -> None:
    with pytest.raises(OptionValueError) as caught:
        options.validate("server", {"session_dir": "/x", name: value})
    assert caught.value.message == f'invalid value for option "{name}": {problem}'


def test_session_and_catalog_exclude_each_other() -> None:
    with pytest.raises(OptionError, match="exclude"):
        options.validate("table", {"session": "a", "catalog": "sessions"})


def test_every_option_is_documented_and_paths_are_privileged() -> None:
    for option in options.OPTIONS:
        assert option.doc.endswith(".")
        assert option.privileged == option.name.endswith("_dir")
