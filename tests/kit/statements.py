"""Statements in files, run on foreign tables and on heap copies of them, and compared byte by byte.

A file of tests/server/statements/ has cases, separated by blank lines. A case is one statement or several,
each ended by a semicolon, that run in one transaction which is rolled back. The tables stand in the search
path, so the same text reads either kind. Keywords are in capitals, names are not: `shape` tells them apart.

Comment lines that begin a case mean:
`-- refused: SQLSTATE text`: its last statement is that error on foreign tables, whatever a heap does.
`-- fails: why`, and all of errors.sql: it may end in an error, the same one on either kind of table.
`-- close: why`: floating-point values are equal within 1e-12.
Other comments are for the reader.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

STATEMENTS = Path(__file__).parents[1] / "server" / "statements"

_TOKENS = r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | \$\$.*?\$\$"""
_STATEMENT = re.compile(rf"(?:{_TOKENS} | [^;])+;", re.VERBOSE | re.DOTALL)
_REFUSED = re.compile(r"^-- refused: (\w{5}) (.*)$", re.MULTILINE)
_CLOSE = re.compile(r"^-- close: ", re.MULTILINE)
_FAILS = re.compile(r"^-- fails: ", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n", re.MULTILINE)
_QUOTED = re.compile(_TOKENS, re.VERBOSE | re.DOTALL)
_PARENTHESES = re.compile(r"\([^()]*\)")
_FLOATS = {"float4", "float8"}


@dataclass(frozen=True)
class Case:
    """Statements of one transaction; `refused`: SQLSTATE and text of the error that ends them."""

    name: str
    statements: tuple[str, ...]
    refused: tuple[str, str] | None = None
    close: bool = False
    may_fail: bool = False

    @property
    def shape(self) -> str:
        """What is left without constants and names: two cases of one shape would test the same."""
        return " ; ".join(map(_shape, self.statements))


@dataclass(frozen=True)
class Outcome:
    """What one statement gave: columns as (name, type, type modifier), values as they came, or its error."""

    columns: tuple[tuple[str, str, int], ...] = ()
    rows: tuple[tuple[bytes | None, ...], ...] = ()
    status: str = ""
    sqlstate: str = ""
    message: str = ""
    notices: tuple[str, ...] = ()


@dataclass
class Runner:
    """Runs cases on one connection (autocommit, without automatic preparing) under a search path."""

    db: psycopg.Connection
    schemas: Sequence[str]
    binary: bool = False
    settings: Sequence[str] = ()
    """Statements that come first in each transaction, such as "SET LOCAL work_mem = '64kB'"."""
    _notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.db.add_notice_handler(lambda told: self._notices.append(told.message_primary or ""))

    def run(self, case: Case) -> list[Outcome]:
        """What each statement of the case gave; nothing of it stays."""
        path = sql.SQL("SET LOCAL search_path = {}")
        self.db.execute("BEGIN")
        try:
            self.db.execute(path.format(sql.SQL(", ").join(map(sql.Identifier, self.schemas))))
            for setting in self.settings:
                self.db.execute(setting.encode())
            return [self._outcome(statement) for statement in case.statements]
        finally:
            self.db.execute("ROLLBACK")
            self.db.execute("CLOSE ALL")
            self.db.execute("DEALLOCATE ALL")

    def _outcome(self, statement: str) -> Outcome:
        self._notices.clear()
        try:
            outcome = self._copied(statement) if statement.startswith("COPY") else self._executed(statement)
        except psycopg.Error as error:
            return Outcome(sqlstate=error.sqlstate or "", message=str(error))
        return outcome

    def _executed(self, statement: str) -> Outcome:
        with self.db.cursor(binary=self.binary) as cursor:
            cursor.execute(statement.encode(), binary=self.binary, prepare=False)
            result, status = cursor.pgresult, cursor.statusmessage or ""
            if result is None or not result.nfields:
                return Outcome(status=status, notices=tuple(self._notices))
            columns = [(result.fname(i), result.ftype(i), result.fmod(i)) for i in range(result.nfields)]
            rows = tuple(
                tuple(result.get_value(row, column) for column in range(result.nfields))
                for row in range(result.ntuples)
            )
        named = tuple(((name or b"").decode(), self._type(oid), typmod) for name, oid, typmod in columns)
        return Outcome(named, rows, status, notices=tuple(self._notices))

    def _copied(self, statement: str) -> Outcome:
        with self.db.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            return Outcome(rows=tuple((bytes(line),) for line in copy))

    def _type(self, oid: int) -> str:
        """The type's name: row types of the two kinds of table have not the same oid."""
        known = psycopg.adapters.types.get(oid)
        if known is not None:
            return known.name if known.oid == oid else f"{known.name}[]"
        row = self.db.execute("SELECT typname FROM pg_catalog.pg_type WHERE oid = %s", [oid]).fetchone()
        return str(row[0]) if row else str(oid)


def cases(folder: Path = STATEMENTS) -> list[Case]:
    """All cases of the files of a folder, named by file and line."""
    return [case for path in sorted(folder.glob("*.sql")) for case in _cases_of(path)]


def compare(case: Case, foreign: Sequence[Outcome], heap: Sequence[Outcome]) -> list[str]:
    """How the outcomes differ, statement by statement; nothing if they do not."""
    pairs = zip(case.statements, foreign, heap, strict=True)
    return [
        f"{statement}\n  foreign: {shown_one}\n  heap: {shown_other}"
        for statement, one, other in pairs
        for shown_one, shown_other in _differences(statement, one, other, close=case.close)
    ]


def complaint(case: Case, outcomes: Sequence[Outcome]) -> str | None:
    """What is wrong with the outcomes of a case that is refused."""
    assert case.refused is not None
    sqlstate, text = case.refused
    *before, last = outcomes
    if last.sqlstate == sqlstate and text in last.message and not any(outcome.sqlstate for outcome in before):
        return None
    return f"expected {sqlstate} {text}: {outcomes}"


def is_ordered(statement: str) -> bool:
    """True if the order of the rows counts: the statement itself has an ORDER BY, or reads a cursor."""
    text, changed = _QUOTED.sub("?", statement), 1
    while changed:
        text, changed = _PARENTHESES.subn("", text)
    return bool(re.search(r"\bORDER BY\b|^\s*(FETCH|MOVE|EXECUTE|COPY)\b", text))


def _cases_of(path: Path) -> Iterator[Case]:
    line = 1
    for block in re.split(r"\n[ \t]*\n", path.read_text()):
        body = _COMMENT.sub("", block.lstrip("\n") + "\n")
        if body.strip():
            refused = _REFUSED.search(block)
            statements = tuple(text.strip() for text in _STATEMENT.findall(body))
            assert not _STATEMENT.sub("", body).strip(), f"{path.name}:{line}: a semicolon is missing"
            expected = (refused[1], refused[2]) if refused else None
            may_fail = path.stem == "errors" or bool(_FAILS.search(block))
            yield Case(f"{path.stem}:{line}", statements, expected, bool(_CLOSE.search(block)), may_fail)
        line += block.count("\n") + 2


def _differences(
    statement: str, one: Outcome, other: Outcome, *, close: bool
) -> Iterator[tuple[object, object]]:
    if one.sqlstate != other.sqlstate:
        yield one.message or one.status, other.message or other.status
        return
    for attribute in ("columns", "status", "notices"):
        if getattr(one, attribute) != getattr(other, attribute):
            yield getattr(one, attribute), getattr(other, attribute)
    mine, theirs = _rows_of(statement, one), _rows_of(statement, other)
    if mine != theirs and not (close and _all_close(one, mine, theirs)):
        yield _only(mine, theirs), _only(theirs, mine)


def _rows_of(statement: str, outcome: Outcome) -> list[tuple[bytes | None, ...]]:
    rows = list(outcome.rows)
    if is_ordered(statement):
        return rows
    return sorted(rows, key=lambda row: [(value is not None, value or b"") for value in row])


def _only(rows: list[tuple[bytes | None, ...]], others: list[tuple[bytes | None, ...]]) -> str:
    extra = [row for row in rows if row not in others][:5]
    return f"{len(rows)} rows, among them {extra}" if extra else f"{len(rows)} rows: {rows[:5]}"


def _all_close(
    outcome: Outcome, rows: list[tuple[bytes | None, ...]], others: list[tuple[bytes | None, ...]]
) -> bool:
    floats = [kind in _FLOATS for _, kind, _ in outcome.columns]
    return len(rows) == len(others) and all(
        one == other or (is_float and _is_close(one, other))
        for row, other_row in zip(rows, others, strict=True)
        for is_float, one, other in zip(floats, row, other_row, strict=True)
    )


def _is_close(one: bytes | None, other: bytes | None) -> bool:
    if one is None or other is None:
        return False
    return math.isclose(float(one), float(other), rel_tol=1e-12)


def _shape(statement: str) -> str:
    text = re.sub(r"'(?:[^']|'')*'", "?", statement)
    text = re.sub(r'"(?:[^"]|"")*"', "n", text)
    text = re.sub(r"(?<![\w.])[0-9][0-9.e]*", "?", text)
    text = re.sub(r"(?<!::)(?<![A-Z])\b(?![A-Z])\w+\b(?!\s*\()", "n", text)
    text = re.sub(r"\bn(?:\.n)+\b", "n", text)
    text = re.sub(r"(?:\bAS )?\bn(?:, n)+\b", "n", text)
    return " ".join(text.split())
