"""PostgreSQL's regular expressions as RE2's."""

from __future__ import annotations

import pytest

from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.regex import translate

WRITTEN = [
    ("", ""),
    ("abc", "abc"),
    ("^a.c$", "^a.c$"),
    ("(a|b)+?", "(?:a|b)+"),
    ("a{2,3}", "a{2,3}"),
    ("\\d+", "[0-9]+"),
    ("\\.", "\\."),
    ("[]a-c-]", "[\\x{5D}a-c\\x{2D}]"),
    ("[^[:digit:]]", "[^0-9]"),
    ("}", "\\}"),
    ("a\nb", "a\\x{A}b"),
    ("é", "é"),
]

WITHOUT_CASE = [("aZ9", "[Aa][Zz]9"), ("[a-c]", "[ABCa-c]"), ("\\.", "\\.")]

REFUSED = [
    *("(?i)a", "***=a", "(a)\\1", "(?=a)", "\\w", "\\ma", "\\y", "[[:alpha:]]", "[[.a.]]", "[[=a=]]"),
    *("(a", "a)", "*a", "a**", "a{1", "a{2,1}", "a{999}", "a|", "()", "[b-a]", "[a", "\\", "^*", "x" * 501),
]


@pytest.mark.parametrize(("pattern", "written"), WRITTEN)
def test_what_means_the_same(pattern: str, written: str) -> None:
    assert translate(pattern) == written


@pytest.mark.parametrize(("pattern", "written"), WITHOUT_CASE)
def test_case_is_written_out(pattern: str, written: str) -> None:
    assert translate(pattern, ignore_case=True) == written


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_may_mean_something_else(pattern: str) -> None:
    with pytest.raises(Local):
        translate(pattern)


def test_the_case_of_other_letters_is_not_known() -> None:
    with pytest.raises(Local, match="other than ASCII"):
        translate("é", ignore_case=True)
