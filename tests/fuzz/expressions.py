"""Well-typed random expressions over columns, by weights."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.fuzz.signatures import Signature
from tests.fuzz.tree import Items, Piece, piece, template
from tests.fuzz.values import ARGUMENTS, KINDS

TAME = frozenset(
    {
        "id",
        "k",
        "p",
        "q",
        "s2",
        "s4",
        "s8",
        "n",
        "r4",
        "r8",
        "rr",
        "g",
        "w",
        "dt",
        "tt",
        "tu",
        "it",
        "ti",
        "uu",
        "bl",
        "bo",
    }
)
"""Columns on which functions seldom fail."""

ORDERED = frozenset(KINDS) - {"jsonb"}
_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_ARITHMETIC = frozenset(
    {"int2", "int4", "int8", "numeric", "float4", "float8", "date", "timestamp", "timestamptz", "interval"}
)
"""Types whose functions mostly fail at the edges of their range."""


@dataclass(frozen=True)
class Column:
    """A column that an expression may name: `sql` with its table's alias."""

    sql: str
    name: str
    type: str


@dataclass
class Parameters:
    """Parameters of the statement that is being made: a type and two values for each."""

    rng: random.Random
    types: list[str] = field(default_factory=list)
    values: list[tuple[str, str]] = field(default_factory=list)

    def add(self, kind: str, values: Sequence[str]) -> Piece:
        """A new parameter with two of these values, sometimes null."""
        self.types.append(KINDS[kind].sql)
        chosen = [self.rng.choice(values) if self.rng.random() < 0.95 else None for _ in range(2)]
        first, second = (literal_text(kind, value) for value in chosen)
        self.values.append((first, second))
        return piece(kind, f"${len(self.types)}")


class Grammar:
    """What expressions are made from: signatures by their result."""

    def __init__(self, inside: Sequence[Signature], outside: Sequence[Signature]) -> None:
        self.inside = _by_result(inside)
        self.outside = _by_result(outside)
        self.all = [*inside, *outside]
        self.targets = list(inside) or list(outside)

    def calls(self, kind: str, rng: random.Random, outside: float) -> Sequence[Signature]:
        """Signatures with that result, now and then those that are not on the list."""
        listed = self.inside.get(kind, [])
        return self.outside.get(kind, listed) if rng.random() < outside or not listed else listed


def _by_result(signatures: Sequence[Signature]) -> Mapping[str, list[Signature]]:
    found: dict[str, list[Signature]] = {}
    for one in signatures:
        found.setdefault(one.result, []).append(one)
    return found


def literal_text(kind: str, value: str | None) -> str:
    """A literal of exactly that type."""
    if value is None:
        return f"NULL::{KINDS[kind].sql}"
    if kind == "int4" and value.isdigit() and len(value) < 10:
        return value
    quoted = value.replace("'", "''")
    return f"'{quoted}'::{KINDS[kind].sql}"


def _comparison_name(operator: str, kind: str) -> str:
    operand = "anyarray" if kind.startswith("_") else "text" if kind == "varchar" else kind
    return f"pg_catalog.{operator}(pg_catalog.{operand},pg_catalog.{operand})"


class Maker:
    """Expressions over some columns.

    `tame`: prefer values that let functions succeed. `outside`: how often to leave the list.
    """

    def __init__(
        self,
        rng: random.Random,
        grammar: Grammar,
        columns: Sequence[Column],
        *,
        tame: bool = True,
        outside: float = 0.0,
        parameters: Parameters | None = None,
    ) -> None:
        self.rng, self.grammar, self.columns = rng, grammar, [c for c in columns if c.type in KINDS]
        self.tame, self.outside, self.parameters = tame, outside, parameters
        self.types = sorted({column.type for column in self.columns})

    def value(self, kind: str, depth: int, *, tame: bool = False) -> Piece:
        """An expression of exactly that type."""
        choices: list[tuple[float, Callable[[], Piece]]] = [(1.0, lambda: self.constant(kind, tame=tame))]
        if self.has(kind):
            choices.append((6.0, lambda: self.column(kind, tame=tame)))
        if depth > 0:
            choices.append((1.0, lambda: self.special(kind, depth - 1)))
            if kind == "bool":
                choices.append((4.0, lambda: self.condition(depth)))
            elif self.grammar.calls(kind, self.rng, 0.0):
                choices.append((4.0, lambda: self.any_call(kind, depth - 1)))
        return self._one_of(choices)()

    def has(self, kind: str) -> bool:
        """Is there a column of that type?"""
        return any(column.type == kind for column in self.columns)

    def column(self, kind: str, *, tame: bool = False) -> Piece:
        """A column of that type."""
        found = [column for column in self.columns if column.type == kind]
        preferred = [column for column in found if column.name in TAME] if tame else []
        return piece(kind, self.rng.choice(preferred or found).sql)

    def constant(self, kind: str, values: Sequence[str] = (), *, tame: bool = False) -> Piece:
        """A literal, or a parameter where the statement may have them."""
        pool = values or (KINDS[kind].tame if tame else KINDS[kind].all)
        if self.parameters is not None and self.rng.random() < 0.6 and len(self.parameters.types) < 8:
            return self.parameters.add(kind, pool)
        value = None if self.rng.random() < 0.03 else self.rng.choice(pool)
        return piece(kind, literal_text(kind, value))

    def any_call(self, kind: str, depth: int) -> Piece:
        """A call with that result."""
        return self.call(self.rng.choice(self.grammar.calls(kind, self.rng, self.outside)), depth)

    def call(self, one: Signature, depth: int) -> Piece:
        """A call of that signature."""
        arguments = [self.argument(one, place, depth) for place in range(len(one.arguments))]
        pattern = one.pattern
        if one.cast and len(one.arguments) == 1 and self.rng.random() < 0.8:
            pattern = f"CAST({{0}} AS {KINDS[one.cast].sql})"
        return template(one.result, pattern, arguments, one.name)

    def argument(self, one: Signature, place: int, depth: int) -> Piece:
        """An argument: values that make sense there, or anything of the type."""
        kind = one.arguments[place]
        values = ARGUMENTS.get((one.function, place))
        if place in one.constants and self.rng.random() < 0.9:
            return piece(kind, literal_text(kind, self.rng.choice(values or KINDS[kind].tame)))
        if values and kind in KINDS and self.rng.random() < 0.85:
            return self._sensible(kind, values)
        tame = self.tame and (kind in _ARITHMETIC and one.function not in _COMPARISONS)
        return self.value(kind, depth, tame=tame)

    def _sensible(self, kind: str, values: Sequence[str]) -> Piece:
        smooth = [c for c in self.columns if c.type == kind and c.name == "rr"]
        if smooth and self.rng.random() < 0.5:
            return piece(kind, smooth[0].sql)
        positive = [c for c in self.columns if c.type == kind and c.name in {"p", "q"}]
        if positive and all(value.isdigit() and value != "0" for value in values) and self.rng.random() < 0.6:
            return piece(kind, self.rng.choice(positive).sql)
        if kind in {"int2", "int4", "int8"}:
            values = [value for value in values if value.lstrip("-").isdigit()] or KINDS[kind].tame
        return self.constant(kind, values)

    def special(self, kind: str, depth: int) -> Piece:
        """CASE, COALESCE, NULLIF, GREATEST, LEAST, casts through text."""
        one, other = self.value(kind, depth), self.value(kind, depth)
        ways: list[tuple[float, Callable[[], Piece]]] = [
            (2.0, lambda: self.case(kind, depth)),
            (2.0, lambda: piece(kind, "COALESCE(", one, ", ", other, ")", entry="coalesce")),
        ]
        if kind in ORDERED:
            ways.append((1.0, lambda: piece(kind, "NULLIF(", one, ", ", other, ")", entry="nullif")))
            ways.append((0.7, lambda: piece(kind, "GREATEST(", one, ", ", other, ")", entry="greatest")))
            ways.append((0.7, lambda: piece(kind, "LEAST(", one, ", ", other, ")", entry="least")))
        if kind == "text":
            ways.append((1.0, lambda: self._as_text(depth)))
        return self._one_of(ways)()

    def _as_text(self, depth: int) -> Piece:
        source = self.rng.choice(self.types or ["int4"])
        return piece("text", "CAST(", self.value(source, depth), " AS text)", entry=f"io_cast({source},text)")

    def case(self, kind: str, depth: int) -> Piece:
        """CASE with a condition, or over a value."""
        result, other = self.value(kind, depth), self.value(kind, depth)
        if self.rng.random() < 0.6:
            condition = self.condition(depth)
            return piece(
                kind, "CASE WHEN ", condition, " THEN ", result, " ELSE ", other, " END", entry="case"
            )
        over = self.rng.choice([t for t in self.types if t in ORDERED] or ["int4"])
        value, when = self.value(over, depth), self.constant(over)
        last = piece(None, " ELSE ", other) if self.rng.random() < 0.7 else piece(None, "")
        return piece(kind, "CASE ", value, " WHEN ", when, " THEN ", result, last, " END", entry="case")

    def condition(self, depth: int) -> Piece:
        """A boolean expression."""
        ways: list[tuple[float, Callable[[], Piece]]] = [
            (5.0, lambda: self.comparison(depth - 1)),
            (1.0, lambda: self.null_test(depth - 1)),
            (1.0, lambda: self.listed(depth - 1)),
            (0.8, lambda: self.between(depth - 1)),
            (0.8, lambda: self.distinct(depth - 1)),
        ]
        if self.grammar.calls("bool", self.rng, 0.0):
            ways.append((3.0, lambda: self.any_call("bool", depth - 1)))
        if depth > 0:
            ways += [(2.0, lambda: self.connected(depth - 1)), (0.5, lambda: self.boolean_test(depth - 1))]
        return self._one_of(ways)()

    def comparison(self, depth: int) -> Piece:
        """Two values of one type, compared."""
        kind = self._comparable()
        operator = self.rng.choice(_COMPARISONS)
        left, right = self.value(kind, depth), self.value(kind, max(depth - 1, 0))
        return piece("bool", "(", left, f" {operator} ", right, ")", entry=_comparison_name(operator, kind))

    def _comparable(self) -> str:
        return self.rng.choice([kind for kind in self.types if kind in ORDERED] or ["int4"])

    def null_test(self, depth: int) -> Piece:
        """IS [NOT] NULL."""
        kind = self.rng.choice(self.types or ["int4"])
        test = self.rng.choice(["IS NULL", "IS NOT NULL"])
        return piece("bool", "(", self.value(kind, depth), f" {test})", entry="null_test")

    def listed(self, depth: int) -> Piece:
        """[NOT] IN a list, or a comparison with ANY or ALL of an array."""
        kind = self._comparable()
        items = tuple(self.constant(kind) for _ in range(self.rng.choice([1, 2, 3, 5])))
        value = self.value(kind, depth)
        if f"_{kind}" in KINDS and self.rng.random() < 0.4:
            operator, which = self.rng.choice(_COMPARISONS), self.rng.choice(["ANY", "ALL"])
            return piece(
                "bool", "(", value, f" {operator} {which} (", self.value(f"_{kind}", 0), "))", entry="any"
            )
        word = self.rng.choice(["IN", "IN", "NOT IN"])
        return piece("bool", "(", value, f" {word} (", Items(items, ", ", minimum=1), "))", entry="any")

    def between(self, depth: int) -> Piece:
        """[NOT] BETWEEN."""
        kind = self._comparable()
        word = self.rng.choice(["BETWEEN", "BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC"])
        low, high = self.value(kind, 0), self.value(kind, 0)
        return piece(
            "bool", "(", self.value(kind, depth), f" {word} ", low, " AND ", high, ")", entry="between"
        )

    def distinct(self, depth: int) -> Piece:
        """IS [NOT] DISTINCT FROM."""
        kind = self._comparable()
        word = self.rng.choice(["IS DISTINCT FROM", "IS NOT DISTINCT FROM"])
        return piece(
            "bool", "(", self.value(kind, depth), f" {word} ", self.value(kind, 0), ")", entry="distinct"
        )

    def connected(self, depth: int) -> Piece:
        """AND, OR, NOT."""
        word = self.rng.choice(["AND", "OR", "OR", "NOT"])
        if word == "NOT":
            return piece("bool", "(NOT ", self.condition(depth), ")", entry="not")
        items = tuple(self.condition(depth) for _ in range(self.rng.choice([2, 2, 3])))
        return piece("bool", "(", Items(items, f" {word} ", minimum=1), ")", entry=word.lower())

    def boolean_test(self, depth: int) -> Piece:
        """IS [NOT] TRUE, FALSE, UNKNOWN."""
        word = self.rng.choice(["", "NOT "]) + self.rng.choice(["TRUE", "FALSE", "UNKNOWN"])
        return piece("bool", "(", self.condition(depth), f" IS {word})", entry="boolean_test")

    def _one_of(self, choices: Sequence[tuple[float, Callable[[], Piece]]]) -> Callable[[], Piece]:
        return self.rng.choices([make for _, make in choices], [weight for weight, _ in choices])[0]
