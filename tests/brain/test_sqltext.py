"""Quoting, checked by DuckDB itself."""

import duckdb
import pytest

from rvbbit_fdw.sqltext import comma, literal, pg_literal, pg_options, qualified, quote

NASTY = ["a", 'a"b', "a'b", "a\\b", "a;b--c", "/*", "ü\n", "$1", "%s", "{}"]


@pytest.mark.parametrize("text", NASTY)
def test_duckdb_reads_back_what_was_quoted(text: str) -> None:
    relation = duckdb.connect().sql(f"SELECT {literal(text)} AS {quote(text)}")
    assert relation.columns == [text]
    assert relation.fetchall() == [(text,)]


def test_qualified_and_comma() -> None:
    assert qualified("a", 'b"', "c.d") == '"a"."b""""."c.d"'.replace('""""', '"""')
    assert comma([quote("a"), quote("b")]) == '"a", "b"'


def test_postgres_literals_hold_under_either_setting_of_standard_strings() -> None:
    assert pg_literal("it's") == "'it''s'"
    assert pg_literal("a\\'b") == " E'a\\\\''b'"


def test_postgres_options() -> None:
    assert pg_options([]) == ""
    assert pg_options([("a", "b"), ("c", "d'")]) == "OPTIONS (\"a\" 'b', \"c\" 'd''')"
