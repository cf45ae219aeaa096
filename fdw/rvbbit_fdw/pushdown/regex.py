"""Regular expressions of PostgreSQL as ones of RE2, which DuckDB uses.

Whether a text matches does not depend on greed or on which alternative is tried first, so what counts is
which texts a pattern describes. Only constructs that mean the same texts are written; any other raises Local:
back references, look-around, embedded options, words, equivalence and most named classes.
https://www.postgresql.org/docs/17/functions-matching.html#POSIX-SYNTAX-DETAILS
https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re

from rvbbit_fdw.pushdown.reasons import Local

LONGEST = 500
"""Characters of a pattern."""

MOST_REPEATED = 100
"""The largest bound of a repetition: RE2 writes bounded repetitions out."""

_SPACES = r"\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}"
_INSIDE = {"d": "0-9", "s": _SPACES}
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_NAMED = {"digit": "0-9", "space": _SPACES}


def translate(pattern: str, *, ignore_case: bool = False) -> str:
    """The pattern for RE2 with the option s; Local if it may describe other texts there."""
    if len(pattern) > LONGEST:
        raise Local("the regular expression is too long")
    if pattern.startswith("***"):
        raise Local("the regular expression begins with ***")
    return _Reader(pattern, ignore_case=ignore_case).all()


def with_one_group(pattern: str) -> str:
    """A pattern of a whole text with one group in it, for RE2 with the option s; Local for most patterns.

    What a group takes hangs on greed and on the order in which alternatives are tried, which are not the same
    in both. Written is what leaves no choice but one: `^`, then letters of which one or the other may be
    there or not, then perhaps `(?:letters)?`, which is taken wherever the rest then fits; then a group of any
    characters but one, as many as there are; then that one, if anything; then what may come, and `$`.
    """
    match = _WHOLE.fullmatch(pattern)
    if match is None or not _leaves_no_choice(match["letters"]) or not _ends_the_group(match):
        raise Local("a regular expression whose group may take something else in DuckDB")
    before = f"^{match['letters']}{match['optional'] or ''}"
    inside = f"[^{match['end']}]{match['repeated']}"
    rest = translate(f"{match['rest']}{match['more']}$")
    return f"{translate(before)}({translate(inside)}){rest}"


_LETTER = r"(?:\\[^\w\s]|[^\W_]|[-_/:;,=@!%&~ ])"
_WHOLE = re.compile(
    rf"\^(?P<letters>(?:{_LETTER}\??)*)(?P<optional>\(\?:{_LETTER}+\)\?)?"
    rf"\(\[\^(?P<end>{_LETTER})\](?P<repeated>[+*])\)(?P<rest>{_LETTER}?)(?P<more>[^|]*)\$"
)


def _ends_the_group(match: re.Match[str]) -> bool:
    """Is after the group nothing, or surely the letter that it cannot have?"""
    if not match["rest"]:
        return not match["more"]
    surely = match["more"][:1] not in {"*", "+", "?", "{"} and not match["more"].endswith("\\")
    return surely and _unescaped(match["rest"]) == _unescaped(match["end"])


def _leaves_no_choice(letters: str) -> bool:
    """True if each letter that may be missing is followed by another one that may not."""
    found = [(_unescaped(one), bool(mark)) for one, mark in re.findall(rf"({_LETTER})(\??)", letters)]
    following = [*found, ("", True)][1:]
    return all(
        not optional or (other != one and not other_optional)
        for (one, optional), (other, other_optional) in zip(found, following, strict=True)
    )


def _unescaped(letter: str) -> str:
    return letter.removeprefix("\\")


class _Reader:
    """Reads a pattern from left to right; `_at` is the next character's place."""

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        self._text, self._ignore_case, self._at = pattern, ignore_case, 0

    def all(self) -> str:
        """The whole pattern."""
        written = self._alternatives() if self._text else ""
        if self._at < len(self._text):
            raise self._unknown()
        return written

    def _peek(self, count: int = 1) -> str:
        return self._text[self._at : self._at + count]

    def _take(self, count: int = 1) -> str:
        taken = self._peek(count)
        if len(taken) < count:
            raise self._unknown()
        self._at += count
        return taken

    def _unknown(self) -> Local:
        rest = self._text[self._at : self._at + 10] or "its end"
        return Local(f"the regular expression is not known to be the same in DuckDB at {rest}")

    def _alternatives(self) -> str:
        branches = [self._branch()]
        while self._peek() == "|":
            self._take()
            branches.append(self._branch())
        return "|".join(branches)

    def _branch(self) -> str:
        parts = []
        while self._peek() and self._peek() not in "|)":
            parts.append(self._repeated())
        if not parts:
            raise self._unknown()
        return "".join(parts)

    def _repeated(self) -> str:
        if self._peek() in "^$":
            anchor = self._take()
            if self._peek() and self._peek() in "*+?{":
                raise self._unknown()
            return anchor
        return self._atom() + self._repetition()

    def _repetition(self) -> str:
        if not self._peek() or self._peek() not in "*+?{":
            return ""
        written = self._bounds() if self._peek() == "{" else self._take()
        if self._peek() == "?":  # without greed
            self._take()
        if self._peek() and self._peek() in "*+?{":
            raise self._unknown()
        return written

    def _bounds(self) -> str:
        end = self._text.find("}", self._at)
        lowest, comma, highest = self._text[self._at + 1 : end].partition(",")
        numbers = [lowest, *([highest] if highest else [])]
        if end < 0 or not all(
            each.isascii() and each.isdigit() and int(each) <= MOST_REPEATED for each in numbers
        ):
            raise self._unknown()
        if highest and int(highest) < int(lowest):
            raise self._unknown()
        self._at = end + 1
        return f"{{{lowest}{comma}{highest}}}"

    def _atom(self) -> str:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._bracket()
        if character == "\\":
            return self._escape()
        if character == ".":
            return "."
        if character in "*+?{)":
            self._at -= 1
            raise self._unknown()
        return self._one(character)

    def _group(self) -> str:
        if self._peek() == "?":
            if self._peek(2) != "?:":
                raise self._unknown()
            self._take(2)
        elif self._peek() == "*":
            raise self._unknown()
        inside = self._alternatives()
        if self._take() != ")":
            raise self._unknown()
        return f"(?:{inside})"

    def _escape(self) -> str:
        character = self._take()
        if character in _CONTROL:
            return _quoted(_CONTROL[character])
        if character.lower() in _INSIDE:
            return f"[{'^' if character.isupper() else ''}{_INSIDE[character.lower()]}]"
        if not character.isascii() or character.isalnum() or character == "_":
            self._at -= 1
            raise self._unknown()
        return _quoted(character)

    def _one(self, character: str) -> str:
        cases = self._cases(character)
        return _quoted(character) if len(cases) == 1 else f"[{''.join(cases)}]"

    def _cases(self, character: str) -> list[str]:
        """The character in both cases. Of other than ASCII letters not both are known here."""
        if not self._ignore_case:
            return [character]
        if not character.isascii():
            raise Local("upper and lower case of other than ASCII letters in a regular expression")
        return sorted({character.lower(), character.upper()})

    def _bracket(self) -> str:
        negated = self._peek() == "^"
        if negated:
            self._take()
        items: list[str] = []
        while not items or self._peek() != "]":
            items.append(self._item(first=not items))
        self._take()
        return f"[{'^' if negated else ''}{''.join(items)}]"

    def _item(self, *, first: bool) -> str:
        if self._peek(2) == "[:":
            return self._named_class()
        if self._peek() == "\\" and self._peek(2)[1:].lower() in _INSIDE:
            if self._peek(2)[1:].isupper():
                raise self._unknown()
            self._take()
            return _INSIDE[self._take()]
        start = self._member(first=first)
        if self._peek() != "-" or self._peek(2) == "-]":
            return self._span(start, start)
        self._take()
        return self._span(start, self._member(first=False))

    def _named_class(self) -> str:
        end = self._text.find(":]", self._at)
        name = self._text[self._at + 2 : max(end, self._at)]
        if name not in _NAMED:
            raise self._unknown()
        self._at = end + 2
        return _NAMED[name]

    def _member(self, *, first: bool) -> str:
        """One character of a bracket expression, which may be the end of a range."""
        character = self._take()
        if character == "\\":
            escaped = self._take()
            if escaped in _CONTROL:
                return _CONTROL[escaped]
            if escaped.isalnum() or not escaped.isascii():
                raise self._unknown()
            return escaped
        if character == "[" and self._peek() and self._peek() in ".=:":
            raise self._unknown()
        if character == "-" and not first and self._peek() != "]":
            raise self._unknown()
        if character == "]" and not first:
            raise self._unknown()
        return character

    def _span(self, start: str, end: str) -> str:
        if end < start:
            raise self._unknown()
        spans = {(start, end)}
        if self._ignore_case:
            if not (start + end).isascii():
                raise Local("upper and lower case of other than ASCII letters in a regular expression")
            inside = [chr(code) for code in range(ord(start), ord(end) + 1)]
            spans |= {(other, other) for each in inside for other in self._cases(each) if other not in inside}
        return "".join(
            _code(one) + ("" if one == other else f"-{_code(other)}") for one, other in sorted(spans)
        )


def _code(character: str) -> str:
    return character if character.isascii() and character.isalnum() else f"\\x{{{ord(character):X}}}"


def _quoted(character: str) -> str:
    if character.isalnum() or not character.isascii() or character in " _":
        return character
    return f"\\{character}" if character.isprintable() else _code(character)
