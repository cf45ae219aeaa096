"""Aggregates that make JSON: the text that PostgreSQL writes, or one that it reads as the same jsonb."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rvbbit_fdw.pushdown import allowed, kinds
from rvbbit_fdw.pushdown.delivery import Carried
from rvbbit_fdw.pushdown.entry import Call, failure, qualified
from rvbbit_fdw.pushdown.query_nodes import Aggregate, Target
from rvbbit_fdw.pushdown.query_ordered import Ordered
from rvbbit_fdw.pushdown.reasons import Local, type_words
from rvbbit_fdw.pushdown.written import Written
from rvbbit_fdw.sqltext import Sql

if TYPE_CHECKING:
    from rvbbit_fdw.pushdown.query import Level

_LISTS = {qualified("json_agg(anyelement)"), qualified("jsonb_agg(anyelement)")}
_OBJECTS = {qualified("json_object_agg(any,any)"), qualified("jsonb_object_agg(any,any)")}

_JSONB = "pg_catalog.jsonb"

_INTEGERS = (kinds.INT2, kinds.INT4, kinds.INT8)
_STRINGS = (kinds.TEXT, kinds.VARCHAR)

_TWICE = "a key of an object comes twice"
_ESCAPED = "a text has characters whose escapes differ"

_CAPITALS = "[\\x0B\\x0E\\x0F\\x1A-\\x1F]"
"""Characters of which DuckDB writes the escape with capital letters, as in \\u001F."""


def is_known(leaf: Aggregate) -> bool:
    """True if the aggregate is one of these."""
    return leaf.name in _LISTS | _OBJECTS and not leaf.variadic


def write(leaf: Aggregate, level: Level) -> Carried:
    """A call of one of these; Local if its order is not known."""
    if leaf.distinct:
        raise Local("an aggregate of distinct values in JSON")
    if not leaf.sort and not (leaf.name in _OBJECTS and leaf.type == _JSONB):
        raise Local("an aggregate whose result depends on the order of the rows")
    return _Json(leaf, level).json()


class _Json(Ordered):
    """One call while it is written; what it collects are JSON texts."""

    def json(self) -> Carried:
        """The whole text, null if there are no rows."""
        texts = self._call("list", f"{self._value.sql} {self._order() if self._leaf.sort else ''}")
        opening, closing = ("{ ", " }") if self._is_object() else ("[", "]")
        text = f"('{opening}' || array_to_string({texts}, ', ') || '{closing}')"
        made = self._total(text, "VARCHAR") if self._leaf.sort else self._of_single_keys(text)
        return Carried(made, "input", "JSON is not computed with")

    def _is_object(self) -> bool:
        return self._leaf.name in _OBJECTS

    def _is_sorted_by_itself(self) -> bool:
        return not self._is_object() and super()._is_sorted_by_itself()

    def _collected(self) -> Written:
        if not self._is_object():
            return self._text(self._targets[0])
        key, value = self._name(), self._text(self._targets[1])
        return Written(
            Sql(f"({key.sql} || ' : ' || {value.sql})"), kinds.TEXT, key.fallible or value.fallible
        )

    def _text(self, target: Target) -> Written:
        """A value as JSON."""
        value = self._level.value(target.expression)
        if isinstance(value, Carried):
            if target.type != _JSONB or self._leaf.type != _JSONB or value.decoder != "input":
                raise Local(value.reason)
            return Written(Sql(f"coalesce({value.sql}, 'null')"), kinds.TEXT)
        return Written(Sql(f"coalesce({self._scalar(value)}, 'null')"), kinds.TEXT, value.fallible)

    def _scalar(self, value: Written) -> str:
        if value.kind in _STRINGS:
            return self._quoted(value.sql)
        if value.kind.type == kinds.NUMERIC and value.same_scale:
            text = allowed.IO_CASTS[f"{kinds.TEXT.type}({kinds.NUMERIC})"]
            return text.spell(Call([value], self._level.scope)).sql
        if value.kind not in (*_INTEGERS, kinds.BOOL):
            reason = f"a value of type {type_words(value.kind.type)} in JSON"
            raise Local(reason)
        return f"CAST({value.sql} AS VARCHAR)"

    def _quoted(self, text: str) -> str:
        quoted = f"CAST(to_json({text}) AS VARCHAR)"
        if self._leaf.type == _JSONB:
            return quoted
        error = f"CAST({failure(_ESCAPED, 'INTEGER')} AS VARCHAR)"
        return f"CASE WHEN regexp_matches({text}, '{_CAPITALS}') THEN {error} ELSE {quoted} END"

    def _name(self) -> Written:
        """The name of a member; null is an error in PostgreSQL."""
        key = self._level.expression(self._targets[0].expression)
        if key.kind not in (*_INTEGERS, *_STRINGS):
            reason = f"a value of type {type_words(key.kind.type)} as a key in JSON"
            raise Local(reason)
        text = key.sql if key.kind in _STRINGS else f"CAST({key.sql} AS VARCHAR)"
        error = f"CAST({failure('field name must not be null', 'INTEGER')} AS VARCHAR)"
        return Written(
            Sql(f"CASE WHEN {key.sql} IS NULL THEN {error} ELSE {self._quoted(text)} END"),
            kinds.TEXT,
            key.fallible,
        )

    def _of_single_keys(self, text: str) -> Sql:
        """The object, whose order is of no account unless a key comes twice."""
        name = self._name().sql
        error = f"CAST({failure(_TWICE, 'INTEGER')} AS VARCHAR)"
        all_of_them, different = self._call("count", "*"), self._call("count", f"DISTINCT {name}")
        return Sql(f"CASE WHEN {all_of_them} > {different} THEN {error} ELSE {text} END")
