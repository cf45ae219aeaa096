"""DuckDB's types as it writes them in duckdb_columns().data_type, parsed into a tree."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, TypeVar

from rvbbit_fdw.sqltext import quote

T = TypeVar("T")
Token: TypeAlias = tuple[str, str]
"""What it is ("word", "name" for a quoted one, "string" or "mark") and its text."""

NESTED = frozenset({"LIST", "ARRAY", "STRUCT", "MAP", "UNION", "TUPLE"})
_WITH_FIELDS = frozenset({"STRUCT", "UNION"})
_WITH_TYPES = frozenset({"MAP", "TUPLE"})

_TOKEN = re.compile(
    r"""\s*(?:"(?P<name>(?:[^"]|"")*)"|'(?P<string>(?:[^']|'')*)'|(?P<word>\w+)|(?P<mark>[(),\[\]]))"""
)
_PLAIN_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_END: Token = ("end", "")


@dataclass(frozen=True)
class Kind:
    """A type by its name, which is LIST for `[]` and ARRAY for `[n]`.

    `arguments` are inner types, `labels` the names of fields or members, `size` is that of an ARRAY, and
    `numbers` are what a DECIMAL has in parentheses.
    """

    name: str
    arguments: tuple[Kind, ...] = ()
    labels: tuple[str, ...] = ()
    size: int = 0
    numbers: tuple[int, ...] = ()

    @property
    def element(self) -> Kind:
        """The type of a LIST's or ARRAY's elements."""
        return self.arguments[0]

    @property
    def is_list(self) -> bool:
        """True for LIST and ARRAY."""
        return self.name in {"LIST", "ARRAY"}

    @property
    def innermost(self) -> Kind:
        """What a list of lists is made of in the end."""
        return self.element.innermost if self.is_list else self

    @property
    def text(self) -> str:
        """The type as DuckDB writes it, but an enum without its members."""
        if self.name == "LIST":
            return f"{self.element.text}[]"
        if self.name == "ARRAY":
            return f"{self.element.text}[{self.size}]"
        if self.name == "DECIMAL" and self.numbers:
            return f"DECIMAL({','.join(map(str, self.numbers))})"
        return self._name_text + (f"({self._arguments_text})" if self.arguments else "")

    @property
    def _name_text(self) -> str:
        return '"NULL"' if self.name == "NULL" else self.name

    @property
    def _arguments_text(self) -> str:
        texts = [kind.text for kind in self.arguments]
        if self.labels:
            texts = [f"{_label(label)} {text}" for label, text in zip(self.labels, texts, strict=True)]
        return ", ".join(texts)


def _label(label: str) -> str:
    return label if _PLAIN_LABEL.fullmatch(label) else quote(label)


@lru_cache(maxsize=4096)
def parse(text: str) -> Kind | None:
    """The type, or None if the text is not understood: a later DuckDB may have types of another form."""
    try:
        parser = _Parser(text)
        kind = parser.kind()
        parser.expect("end", "")
    except (ValueError, RecursionError):
        return None
    return kind


class _Parser:
    """A type's text, read from left to right; ValueError where it is not understood."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0

    def kind(self) -> Kind:
        kind = self._plain()
        while self._found("mark", "["):
            kind = self._suffixed(kind)
        return kind

    def expect(self, sort: str, text: str) -> None:
        if not self._found(sort, text):
            raise ValueError(self._tokens[self._at][1])

    def _plain(self) -> Kind:
        name = self._name()
        while name.split(" ")[0] in {"TIME", "TIMESTAMP"} and self._tokens[self._at][0] == "word":
            name += " " + self._take()[1]
        if not self._found("mark", "("):
            return Kind(name)
        kind = self._with_arguments(name)
        self.expect("mark", ")")
        return kind

    def _with_arguments(self, name: str) -> Kind:
        if name in _WITH_FIELDS:
            fields = self._separated(lambda: (self._name(), self.kind()))
            return Kind(name, tuple(kind for _, kind in fields), tuple(label for label, _ in fields))
        if name in _WITH_TYPES:
            return Kind(name, tuple(self._separated(self.kind)))
        texts = self._separated(lambda: self._take()[1])
        return Kind(name, numbers=tuple(map(int, texts))) if name == "DECIMAL" else Kind(name)

    def _suffixed(self, kind: Kind) -> Kind:
        if self._found("mark", "]"):
            return Kind("LIST", (kind,))
        size = int(self._take()[1])
        self.expect("mark", "]")
        return Kind("ARRAY", (kind,), size=size)

    def _separated(self, read: Callable[[], T]) -> list[T]:
        found = [read()]
        while self._found("mark", ","):
            found.append(read())
        return found

    def _name(self) -> str:
        sort, text = self._take()
        if sort not in {"word", "name"}:
            raise ValueError(text)
        return text

    def _found(self, sort: str, text: str) -> bool:
        found = self._tokens[self._at] == (sort, text)
        self._at += found and sort != "end"
        return found

    def _take(self) -> Token:
        token = self._tokens[self._at]
        if token is _END:
            raise ValueError("the text ends too early")
        self._at += 1
        return token


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(text[at:])
        sort = match.lastgroup or ""
        tokens.append((sort, _unquoted(sort, match[sort])))
        at = match.end()
    return [*tokens, _END]


def _unquoted(sort: str, text: str) -> str:
    return (
        text.replace('""', '"') if sort == "name" else text.replace("''", "'") if sort == "string" else text
    )
