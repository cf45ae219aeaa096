"""Expressions for nested types: JSON text with every number exact, and lists for PostgreSQL's arrays.

DuckDB's own to_json() is not exact: it loses the zeros of a DECIMAL, the digits of a FLOAT and of numbers
inside JSON, and writes NaN as it is. So the text is put together from the values themselves. In every
expression `{}` stands for the column.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from rvbbit_fdw.sqltext import literal
from rvbbit_fdw.typemap import scalars
from rvbbit_fdw.typemap.kinds import NESTED, Kind
from rvbbit_fdw.typemap.scalars import AS_IT_IS, PLAIN, QUOTED_INFINITIES, inside

# Looking for the two words first spares most values the regular expression.
_FINITE = (
    f"CASE WHEN contains({{}}, 'NaN') OR contains({{}}, 'Infinity') THEN {QUOTED_INFINITIES} ELSE {{}} END"
)

MAX_DIMENSIONS = 6
"""PostgreSQL's MAXDIM."""


def is_nested(kind: Kind) -> bool:
    """True if its values are made of others; those of a VARIANT may be."""
    return kind.name in NESTED or kind.name == "VARIANT"


def is_document(kind: Kind) -> bool:
    """True if an import declares jsonb for it: what is nested and no array of PostgreSQL."""
    return is_nested(kind) and dimensions(kind) == 0


def dimensions(kind: Kind) -> int:
    """How many dimensions the PostgreSQL array has that holds every such value; 0: there is none.

    Elements are scalars, and all lists inside the outermost one are of fixed length.
    """
    count, inner = 0, kind
    while inner.is_list and (count == 0 or inner.name == "ARRAY"):
        count, inner = count + 1, inner.element
    return 0 if is_nested(inner) or count > MAX_DIMENSIONS else count


def document(kind: Kind) -> str:
    """The column as JSON text."""
    text = _WRITERS[kind.name](kind, PLAIN, 1) if kind.name in NESTED else _json(kind, PLAIN)
    return f"CASE WHEN {{}} IS NOT NULL THEN {text} END"


def elements(kind: Kind, element: str, depth: int = 1) -> str:
    """The list with an expression in place of each element that is no list."""
    if element == PLAIN:
        return PLAIN
    inner = elements(kind.element, element, depth + 1) if kind.element.is_list else element
    return _mapped(PLAIN, lambda name: inside(inner, name), depth)


def without_null_lists(kind: Kind) -> str:
    """The list with lists of nulls in place of null lists."""
    return _filled(kind, PLAIN, 1)


def has_null_lists(kind: Kind, value: str = PLAIN, depth: int = 1) -> str:
    """True if a list inside the list is null."""
    here = f"list_count({value}) < len({value})"
    if not kind.element.element.is_list:
        return here
    inner = _mapped(value, lambda name: has_null_lists(kind.element, name, depth + 1), depth)
    return f"({here} OR coalesce(list_bool_or({inner}), false))"


def _filled(kind: Kind, value: str, depth: int) -> str:
    if not kind.is_list:
        return value
    if not kind.element.is_list:
        return _mapped(value, lambda name: name, depth)
    nulls = _nulls(kind.element, depth + 1)
    return _mapped(value, lambda name: f"coalesce({_filled(kind.element, name, depth + 1)}, {nulls})", depth)


def _nulls(kind: Kind, depth: int) -> str:
    if not kind.element.is_list:
        return f"list_resize([], {kind.size})"
    return _mapped(f"range({kind.size})", lambda _: _nulls(kind.element, depth + 1), depth)


def _mapped(value: str, change: Callable[[str], str], depth: int) -> str:
    name = f"e{depth}"
    return f"list_transform({value}, lambda {name}: {change(name)})"


def _json(kind: Kind, value: str, depth: int = 1) -> str:
    """An expression of JSON text that is not null."""
    if kind.name == "VARIANT":
        return inside(AS_IT_IS, inside(_FINITE, f"CAST(CAST({value} AS JSON) AS VARCHAR)"))
    if kind.name not in NESTED:
        return scalars.scalar(kind).as_json(value)
    return f"CASE WHEN {value} IS NULL THEN 'null' ELSE {_WRITERS[kind.name](kind, value, depth)} END"


def _list(kind: Kind, value: str, depth: int) -> str:
    return _joined("[", _mapped(value, lambda name: _json(kind.element, name, depth + 1), depth), "]")


def _struct(kind: Kind, value: str, depth: int) -> str:
    fields = (
        [_key(label), _json(inner, _at(value, number), depth)]
        for number, (label, inner) in enumerate(zip(kind.labels, kind.arguments, strict=True), 1)
    )
    return _concat("{", fields, "}")


def _tuple(kind: Kind, value: str, depth: int) -> str:
    parts = enumerate(kind.arguments, 1)
    fields = ([_json(inner, _at(value, number), depth)] for number, inner in parts)
    return _concat("[", fields, "]")


def _union(kind: Kind, value: str, depth: int) -> str:
    members = (
        f"WHEN {_literal(label)} THEN concat('{{', {_key(label)}, "
        f"{_json(inner, f'union_extract({value}, {_literal(label)})', depth)}, '}}')"
        for label, inner in zip(kind.labels, kind.arguments, strict=True)
    )
    return f"CASE CAST(union_tag({value}) AS VARCHAR) {' '.join(members)} END"


def _map(kind: Kind, value: str, depth: int) -> str:
    """An object if keys have a text of their own, else a list of entries."""
    key, inner = kind.arguments

    def entry(name: str) -> str:
        return f"concat({_map_key(key, _at(name, 1))}, ':', {_json(inner, _at(name, 2), depth + 1)})"

    def pair(name: str) -> str:
        both = [_json(key, _at(name, 1), depth + 1), _json(inner, _at(name, 2), depth + 1)]
        return _concat(
            "{", ([_key(label), text] for label, text in zip(("key", "value"), both, strict=True)), "}"
        )

    plain = not is_nested(key)
    entries = _mapped(f"map_entries({value})", entry if plain else pair, depth)
    return _joined("{", entries, "}") if plain else _joined("[", entries, "]")


def _map_key(kind: Kind, value: str) -> str:
    return inside(scalars.AS_STRING, inside(scalars.scalar(kind).text, value))


def _joined(opening: str, texts: str, closing: str) -> str:
    return f"concat('{opening}', array_to_string({texts}, ','), '{closing}')"


def _concat(opening: str, fields: Iterable[list[str]], closing: str) -> str:
    """One flat call: DuckDB limits how deep operators may nest."""
    pieces: list[str] = []
    for field in fields:
        pieces += [*(["','"] if pieces else []), *field]
    return f"concat({', '.join([_literal(opening), *pieces, _literal(closing)])})"


def _at(struct: str, number: int) -> str:
    return f"struct_extract_at({struct}, {number})"


def _key(label: str) -> str:
    return _literal(json.dumps(label, ensure_ascii=False) + ":")


def _literal(text: str) -> str:
    """A literal that does not look like the place of a column."""
    return literal(text).replace("{}", "{' || '}")


_WRITERS: dict[str, Callable[[Kind, str, int], str]] = {
    "LIST": _list,
    "ARRAY": _list,
    "STRUCT": _struct,
    "TUPLE": _tuple,
    "UNION": _union,
    "MAP": _map,
}
