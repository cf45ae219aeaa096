"""Conditions on rvbbit_sessions: what they choose, and that nothing wanted is ever left out."""

from __future__ import annotations

import pytest

from rvbbit_fdw.pushdown.nodes import (
    AnyOf,
    Bool,
    Call,
    Column,
    Constant,
    Node,
    NullTest,
    Other,
    Relabel,
    Value,
)
from rvbbit_fdw.pushdown.prune import EVERYTHING, NOTHING, choose, describe
from rvbbit_fdw.sessions import Wanted

COLUMNS = {1: "session_id", 3: "is_named", 4: "auto_attach", 5: "state", 7: "modified_at"}
ID = Column(1, "session_id", "pg_catalog.text")
MODIFIED = Column(7, "modified_at", "pg_catalog.timestamptz")
TEXTS = "(pg_catalog.text,pg_catalog.text)"
TIMES = "(pg_catalog.timestamptz,pg_catalog.timestamptz)"
NAMED = Column(3, "is_named", "pg_catalog.bool")
ATTACHING = Column(4, "auto_attach", "pg_catalog.bool")
SECOND = 1_000_000_000
MARGIN = 1_000


def text(value: Value) -> Constant:
    return Constant("pg_catalog.text", value)


def call(operator: str, left: Node, right: Node, collation: str | None = "pg_catalog.default") -> Call:
    pair = TIMES if MODIFIED in {left, right} else TEXTS
    return Call("operator", f"pg_catalog.{operator}{pair}", "pg_catalog.bool", (left, right), collation)


def moment(value: Value) -> Constant:
    return Constant("pg_catalog.timestamptz", value)


def some(values: Value, name: str = f"pg_catalog.={TEXTS}", *, every: bool = False) -> AnyOf:
    return AnyOf(name, ID, Constant("pg_catalog._text", values), every, "pg_catalog.default")


def pruned(*conditions: Node) -> Wanted:
    return choose(conditions, COLUMNS)


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        (call("=", ID, text("a")), {"a"}),
        (call("=", text("a"), ID), {"a"}),
        (call("=", ID, text(None)), set()),
        (call("=", Relabel("pg_catalog.text", ID), text("a"), "pg_catalog.C"), {"a"}),
        (call("=", ID, Relabel("pg_catalog.text", Constant("pg_catalog.varchar", "a"))), {"a"}),
        (some(("a", None, "b")), {"a", "b"}),
        (some(()), set()),
        (some(None), set()),
        (Bool("or", (call("=", ID, text("a")), some(("b", "c")))), {"a", "b", "c"}),
        (Bool("and", (some(("a", "b")), call("=", ID, text("b")))), {"b"}),
    ],
)
def test_ids(condition: Node, ids: set[str]) -> None:
    assert pruned(condition) == Wanted(ids=frozenset(ids))


@pytest.mark.parametrize(
    ("operator", "pattern", "prefix"),
    [
        ("~~", "agile-%", "agile-"),
        ("~~", "a_b%", "a"),
        ("~~", r"a\_b%", "a_b"),
        ("~~", r"a\%\\%", "a%\\"),
        ("~~", "%a", ""),
        ("~~", "exact", "exact"),
        ("~~", "a\\", "a"),
        ("^@", "a%b", "a%b"),
        ("starts_with", "a_", "a_"),
    ],
)
def test_prefixes(operator: str, pattern: str, prefix: str) -> None:
    assert pruned(call(operator, ID, text(pattern))) == Wanted(prefix=prefix)


def test_times() -> None:
    instant = moment("1970-01-01 00:00:01+00")
    lower, upper = Wanted(modified_after_ns=SECOND - MARGIN), Wanted(modified_before_ns=SECOND + MARGIN)
    assert pruned(call(">=", MODIFIED, instant)) == pruned(call(">", MODIFIED, instant)) == lower
    assert pruned(call("<", MODIFIED, instant)) == pruned(call("<=", MODIFIED, instant)) == upper
    assert pruned(call("<", instant, MODIFIED)) == lower
    assert pruned(call("=", MODIFIED, instant)) == Wanted(
        modified_after_ns=SECOND - MARGIN, modified_before_ns=SECOND + MARGIN
    )
    both = pruned(call(">=", MODIFIED, instant), call("<", MODIFIED, moment("1970-01-01 00:00:02.5+00")))
    assert both == Wanted(modified_after_ns=SECOND - MARGIN, modified_before_ns=2_500_000_000 + MARGIN)
    assert pruned(call("<", MODIFIED, moment(None))) == NOTHING


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1970-01-01 00:00:00.25+00", 0.25),
        ("1970-01-01 01:00:00+01", 0),
        ("1969-12-31 18:30:00-05:30", 0),
        ("1970-01-01 05:30:00+05:30", 0),
        ("1969-12-31 23:59:59.999999+00", -0.000001),
    ],
)
def test_how_postgres_writes_times(written: str, seconds: float) -> None:
    expected = round(seconds * 1_000_000) * 1_000 - MARGIN
    assert pruned(call(">", MODIFIED, moment(written))).modified_after_ns == expected


@pytest.mark.parametrize(
    "condition",
    [
        Other(),
        ID,
        NullTest(ID, negated=False),
        Bool("not", (call("=", ID, text("a")),)),
        Bool("or", (call("=", ID, text("a")), Other())),
        Bool("or", (call("=", ID, text("a")), call("<", MODIFIED, moment("1970-01-01 00:00:01+00")))),
        call("<>", ID, text("a")),
        call("<", ID, text("a")),
        call("~~*", ID, text("a%")),
        call("!~~", ID, text("a%")),
        call("~~", text("a"), ID),
        call("=", ID, text("a"), "public.case_insensitive"),
        call("=", ID, ID),
        call("=", Column(2, "state", "pg_catalog.text"), text("live")),
        Call(
            "operator",
            "pg_catalog.=(pg_catalog.bpchar,pg_catalog.bpchar)",
            "pg_catalog.bool",
            (ID, text("a")),
        ),
        Call("operator", f"public.={TEXTS}", "pg_catalog.bool", (ID, text("a"))),
        call("=", Relabel("pg_catalog.bpchar", ID), text("a")),
        some(("a",), every=True),
        some(("a",), name=f"pg_catalog.<>{TEXTS}"),
        some("{{a},{b}}"),
        call("<>", MODIFIED, moment("1970-01-01 00:00:01+00")),
        call("<", MODIFIED, moment("infinity")),
        call(">", MODIFIED, moment("-infinity")),
        call(">", MODIFIED, moment("0044-03-15 00:00:00+00 BC")),
        call("<", MODIFIED, moment("12026-01-01 00:00:00+00")),
        call("<", MODIFIED, moment("2026-02-30 00:00:00+00")),
        call("=", ID, Constant("pg_catalog.name", "a")),
    ],
)
def test_what_says_nothing_chooses_everything(condition: Node) -> None:
    assert pruned(condition) == EVERYTHING


def test_a_column_whose_values_may_be_changed_is_not_used() -> None:
    assert choose([call("=", ID, text("a"))], {}) == EVERYTHING


def test_prefixes_are_combined() -> None:
    ab, abc, x = (call("~~", ID, text(pattern)) for pattern in ("ab%", "abc%", "x%"))
    assert pruned(ab, abc) == Wanted(prefix="abc")
    assert pruned(ab, x) == NOTHING
    assert pruned(Bool("or", (ab, abc))) == Wanted(prefix="ab")
    assert pruned(Bool("or", (ab, call("=", ID, text(None))))) == Wanted(prefix="ab")
    assert pruned(call("=", ID, text("a")), x) == Wanted(ids=frozenset({"a"}), prefix="x")


def test_description() -> None:
    assert describe(EVERYTHING) is None
    limits = pruned(call("=", ID, text("a")), call("<", MODIFIED, moment("1970-01-01 00:00:01+00")))
    assert describe(limits) == "session_id, modified_at"
    assert describe(Wanted(prefix="a")) == "prefix of session_id"


def test_flags() -> None:
    a = call("=", ID, text("a"))
    assert pruned(ATTACHING) == Wanted(flags=frozenset({"auto_attach"}))
    assert pruned(ATTACHING, NAMED) == Wanted(flags=frozenset({"auto_attach", "is_named"}))
    assert pruned(ATTACHING, a) == Wanted(ids=frozenset({"a"}), flags=frozenset({"auto_attach"}))
    assert pruned(Bool("or", (ATTACHING, Bool("and", (ATTACHING, NAMED))))) == pruned(ATTACHING)
    assert pruned(Bool("or", (ATTACHING, NAMED))) == EVERYTHING
    assert pruned(Bool("or", (ATTACHING, call("=", ID, text(None))))) == pruned(ATTACHING)
    assert pruned(Bool("not", (ATTACHING,))) == EVERYTHING
    assert pruned(Column(5, "state", "pg_catalog.bool")) == EVERYTHING
    assert describe(pruned(ATTACHING, a)) == "session_id, auto_attach"
