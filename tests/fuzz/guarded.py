"""Statements in which what fails gives a value instead.

Which values PostgreSQL computes besides those that the result needs hangs on its plan, and so do errors of
these. That a value decides nothing is known by this: whatever stands in its place, the result is the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tests.fuzz.expressions import literal_text
from tests.fuzz.tables import SHARED
from tests.fuzz.tree import Items, Part, Piece, Query, text
from tests.fuzz.values import KINDS

_INPUT = re.compile(r"[a-z]\w*\.\w+|\$\d+")
_NO_SCALAR = re.compile(
    r"\b(?:SELECT|OVER|FILTER|WITHIN)\b"
    r"|\b(?:count|sum|avg|min|max|every|bool_and|bool_or|bit_and|bit_or|bit_xor|stddev\w*|variance|var_\w+"
    r"|string_agg|array_agg|jsonb?_\w*agg|percentile_\w+|grouping)\("
)


@dataclass(frozen=True)
class Guarded:
    """A query, and the functions it calls."""

    query: Query
    functions: tuple[str, ...]


def guarded(query: Query, *, strict: bool, failure: str = "OTHERS") -> Iterator[Guarded]:
    """The query with other values in place of each expression that fails: one, another, and null.

    `strict`: an expression with a null in it is null, by which PostgreSQL knows outer joins that are none.
    `failure`: the condition that is meant, as PL/pgSQL has it.
    """
    for way in range(3):
        guard = _Guard(way, " STRICT" if strict else "", failure)
        body = guard.part(query.body)
        assert isinstance(body, Piece)
        yield Guarded(replace(query, body=body), tuple(guard.functions))


@dataclass
class _Guard:
    """Puts each expression of rows, as long as it may be, into a function that cannot fail."""

    way: int
    strict: str
    failure: str
    functions: dict[str, None] = field(default_factory=dict)

    def part(self, part: Part) -> Part:
        if isinstance(part, str):
            return part
        if isinstance(part, Items):
            return replace(part, items=tuple(self._piece(item) for item in part.items))
        return self._piece(part)

    def _piece(self, piece: Piece) -> Piece:
        kind = piece.type
        if kind is not None and kind in KINDS and len(piece.parts) > 1 and not _NO_SCALAR.search(text(piece)):
            return self._called(piece, kind)
        return replace(piece, parts=tuple(map(self.part, piece.parts)))

    def _called(self, piece: Piece, kind: str) -> Piece:
        inputs: dict[str, str] = {}
        inside = _named(piece, inputs)
        declared = ", ".join(f"a{n} {KINDS[each].sql}" for n, each in enumerate(inputs.values()))
        returned = f"RETURNS {KINDS[kind].sql} LANGUAGE plpgsql IMMUTABLE{self.strict}"
        body = f"BEGIN RETURN {inside}; EXCEPTION WHEN {self.failure} THEN RETURN {self._instead(kind)}; END"
        digest = hashlib.md5(f"{declared} {returned} {body}".encode(), usedforsecurity=False).hexdigest()
        name = f"{SHARED}.guarded_{digest}"
        self.functions[
            f"CREATE OR REPLACE FUNCTION {name}({declared}) {returned} AS $guard${body}$guard$"
        ] = None
        return replace(piece, parts=(f"{name}({', '.join(inputs)})",))

    def _instead(self, kind: str) -> str:
        values = ("true", "false") if kind == "bool" else (KINDS[kind].tame[0], KINDS[kind].edge[-1])
        return literal_text(kind, (*values, None)[self.way])


def _named(part: Part, inputs: dict[str, str]) -> str:
    """The part's text with names of arguments in place of columns and parameters."""
    if isinstance(part, str):
        return part
    if isinstance(part, Items):
        items = (Piece((_named(item, inputs),)) for item in part.items)
        return text(replace(part, items=tuple(items)))
    if part.type is not None and part.type in KINDS and _INPUT.fullmatch(text(part)):
        inputs.setdefault(text(part), part.type)
        return f"a{list(inputs).index(text(part))}"
    return "".join(_named(each, inputs) for each in part.parts)
