"""Queries as trees of text: what is written, and how a failing one becomes smaller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import TypeAlias


@dataclass(frozen=True)
class Piece:
    """Text with pieces in it; `type` is that of the value it stands for, None for a part of a statement."""

    parts: tuple[Part, ...]
    type: str | None = None
    entry: str | None = None


@dataclass(frozen=True)
class Items:
    """A list of which any item may go; at least `minimum` stay."""

    items: tuple[Piece, ...]
    separator: str
    prefix: str = ""
    suffix: str = ""
    minimum: int = 0


Part: TypeAlias = "str | Piece | Items"


def text(part: Part) -> str:
    """The part as SQL."""
    if isinstance(part, str):
        return part
    if isinstance(part, Piece):
        return "".join(map(text, part.parts))
    written = [text(item) for item in part.items]
    return part.prefix + part.separator.join(written) + part.suffix if written else ""


def piece(type_: str | None, *parts: Part, entry: str | None = None) -> Piece:
    """A piece of these parts."""
    return Piece(parts, type_, entry)


def template(type_: str, pattern: str, arguments: Sequence[Piece], entry: str | None = None) -> Piece:
    """A piece whose text has {0}, {1}, ... where its arguments stand."""
    parts: list[Part] = []
    rest = pattern
    for number, argument in enumerate(arguments):
        before, _, rest = rest.partition("{" + str(number) + "}")
        parts += [before, argument]
    return Piece((*parts, rest), type_, entry)


def entries(part: Part) -> Iterator[str]:
    """The allow-list entries that the part was made from."""
    if isinstance(part, Piece) and part.entry:
        yield part.entry
    for child in _children(part):
        yield from entries(child)


def _children(part: Part) -> Sequence[Part]:
    if isinstance(part, str):
        return ()
    return part.parts if isinstance(part, Piece) else part.items


@dataclass(frozen=True)
class Query:
    """A statement, and what must hold when its results are compared.

    `order`: output columns by which it sorts. `by_value`: output columns of which PostgreSQL may give any of
    several equal values. `near`: output columns of float aggregates, each with the one that limits its error.
    `rows`: about how many rows an aggregate sees at most. `filters`: entries of the allow-list in the
    conditions on the table.
    """

    body: Piece
    settings: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    by_value: frozenset[str] = frozenset()
    near: tuple[tuple[str, str], ...] = ()
    rows: int = 0
    parameters: tuple[str, ...] = ()
    arguments: tuple[tuple[str, ...], ...] = ()
    features: frozenset[str] = field(default_factory=frozenset)
    filters: frozenset[str] = field(default_factory=frozenset)

    def statement(self) -> str:
        """The query's SQL, with parameters as $1, $2, ..."""
        return text(self.body)

    def calls(self) -> list[str]:
        """The statements that run it."""
        if not self.parameters:
            return [self.statement()]
        return [f"EXECUTE q({', '.join(values)})" for values in self.arguments]

    def preparation(self) -> list[str]:
        """The statements before."""
        settings = [f"SET LOCAL {setting}" for setting in self.settings]
        if not self.parameters:
            return settings
        return ["DEALLOCATE ALL", *settings, f"PREPARE q({', '.join(self.parameters)}) AS {self.statement()}"]

    def script(self) -> str:
        """All of it, for a person."""
        return ";\n".join([*self.preparation(), *self.calls()]) + ";"


def smaller(query: Query) -> Iterator[Query]:
    """Queries with something less, big cuts first."""
    for number in range(len(query.settings)):
        yield replace(query, settings=query.settings[:number] + query.settings[number + 1 :])
    if len(query.arguments) > 1:
        for values in query.arguments:
            yield replace(query, arguments=(values,))
    for body in sorted(_smaller(query.body), key=lambda part: len(text(part))):
        if isinstance(body, Piece):
            yield replace(query, body=body)


def reordered(query: Query) -> Iterator[Query]:
    """The same query, evaluated in another order: conditions of one WHERE or ON, or outputs after LIMIT."""
    others = [*_reordered(query.body), *_delayed(query.body), _late(query.body), _merged(query.body)]
    others += _alone(query.body)  # which row comes first is open, and so is whose output fails
    others += [_nulls_first(query.body, backwards) for backwards in (False, True)]
    for body in others:
        if isinstance(body, Piece):
            yield replace(query, body=body)


def _reordered(part: Part) -> Iterator[Part]:
    if isinstance(part, Items) and part.separator == " AND " and 1 < len(part.items) < 5:
        for items in permutations(part.items):
            yield replace(part, items=(_in_order(items),))
    for number, child in enumerate(_children(part)):
        for other in _reordered(child):
            if not isinstance(part, str):
                yield _with_child(part, number, other)


def _nulls_first(part: Part, backwards: bool) -> Part:
    """With calls that are null as soon as one of their arguments, from the left or the right, is."""
    if isinstance(part, str):
        return part
    if isinstance(part, Items):
        items = (_nulls_first(item, backwards) for item in part.items)
        return replace(part, items=tuple(item for item in items if isinstance(item, Piece)))
    made = replace(part, parts=tuple(_nulls_first(each, backwards) for each in part.parts))
    arguments = [each for each in made.parts if isinstance(each, Piece) and each.type]
    if len(arguments) < 2 or not (part.entry or "").startswith("pg_catalog."):
        return made
    tests = [piece(None, " WHEN ", each, " IS NULL THEN NULL") for each in arguments]
    return piece(part.type, "(CASE", *(reversed(tests) if backwards else tests), " ELSE ", made, " END)")


def _alone(body: Piece) -> Iterator[Part]:
    """With one output only, or with nulls in place of the others."""
    for number, child in enumerate(body.parts):
        if isinstance(child, Items) and child.separator == ", " and len(child.items) > 1:
            for item in child.items:
                yield _with_child(body, number, replace(child, items=(item,)))
                others = tuple(each if each is item else _null_output(each) for each in child.items)
                yield _with_child(body, number, replace(child, items=others))


def _null_output(output: Piece) -> Piece:
    first, *rest = output.parts
    if not isinstance(first, Piece) or first.type is None:
        return output
    return replace(output, parts=(f"NULL::{first.type}", *rest))


def _delayed(part: Part) -> Iterator[Part]:
    """With one condition that costs much: PostgreSQL evaluates it last, after those of outer queries too."""
    if isinstance(part, Items) and part.separator == " AND ":
        for number, item in enumerate(part.items):
            late = piece("bool", "late(", item, ")")  # tables.py makes the function
            yield replace(part, items=(*part.items[:number], late, *part.items[number + 1 :]))
    for number, child in enumerate(_children(part)):
        for other in _delayed(child):
            if not isinstance(part, str):
                yield _with_child(part, number, other)


def _late(part: Part) -> Part:
    """With outputs that PostgreSQL computes as late as it can, because they seem volatile."""
    if isinstance(part, Items) and part.separator == ", ":
        return replace(part, items=tuple(map(_late_output, part.items)))
    return replace(part, parts=tuple(map(_late, part.parts))) if isinstance(part, Piece) else part


def _merged(part: Part) -> Part:
    """With conditions moved into a WITH query, from which MATERIALIZED keeps PostgreSQL."""
    if isinstance(part, str):
        return part.replace(" AS MATERIALIZED ", " AS NOT MATERIALIZED ")
    if isinstance(part, Items):
        return replace(part, items=tuple(replace(item, parts=_merged_all(item.parts)) for item in part.items))
    return replace(part, parts=_merged_all(part.parts))


def _merged_all(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(map(_merged, parts))


def _late_output(output: Piece) -> Piece:
    first, *rest = output.parts
    if (
        not isinstance(first, Piece)
        or len(first.parts) == 1
        or not (rest and str(rest[0]).startswith(" AS c"))
    ):
        return output
    return replace(output, parts=("CASE WHEN random() >= 0 THEN ", first, " END", *rest))


def _in_order(items: Sequence[Piece]) -> Piece:
    """A conjunction that is evaluated from left to right."""
    first, *rest = items
    return piece("bool", "CASE WHEN ", first, " THEN ", _in_order(rest), " ELSE false END") if rest else first


def _smaller(part: Part) -> Iterator[Part]:
    if isinstance(part, str):
        return
    if isinstance(part, Items):
        if len(part.items) > part.minimum:
            for number in range(len(part.items)):
                yield replace(part, items=part.items[:number] + part.items[number + 1 :])
    elif part.type:
        yield from _replacements(part)
    for number, child in enumerate(_children(part)):
        for less in _smaller(child):
            yield _with_child(part, number, less)


def _replacements(part: Piece) -> Iterator[Part]:
    if len(part.parts) > 1:
        yield from (inner for inner in _inside(part) if inner.type == part.type)
    if part.type == "bool" and text(part) not in {"true", "NULL::boolean"}:
        yield Piece(("true",), "bool")


def _inside(part: Part) -> Iterator[Piece]:
    for child in _children(part):
        if isinstance(child, Piece) and child.type:
            yield child
        yield from _inside(child)


def _with_child(part: Piece | Items, number: int, child: Part) -> Part:
    if isinstance(part, Items):
        assert isinstance(child, Piece)
        return replace(part, items=(*part.items[:number], child, *part.items[number + 1 :]))
    return replace(part, parts=(*part.parts[:number], child, *part.parts[number + 1 :]))
