"""Random statements over one table, with filters, orders, limits and parameters, and over nested loops."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.fuzz.expressions import ORDERED, Column, Grammar, Maker, Parameters, literal_text
from tests.fuzz.signatures import Signature
from tests.fuzz.tree import Items, Piece, Query, entries, piece, text
from tests.fuzz.values import KINDS, ZONES

Sample = Callable[[str, str], "list[str] | None"]
"""Texts that an expression has over a table of the heap, without NULLs; None if it fails there."""

TABLE_WEIGHTS = {
    "t50": 30,
    "u50": 10,
    "h50": 8,
    "t3000": 20,
    "u3000": 5,
    "t1": 4,
    "t0": 3,
    "u1": 1,
    "u0": 1,
    "v50": 8,
    "y3000": 6,
}
UNSURE = frozenset({"float4", "float8", "numeric", "interval", "jsonb", "bpchar", "_numeric", "_float8"})
"""Types with equal values that are written differently."""

_ZONE_TYPES = frozenset({"timestamptz"})


@dataclass(frozen=True)
class World:
    """What statements are made from: columns of every table, and the grammar."""

    tables: Mapping[str, Sequence[tuple[str, str]]]
    grammar: Grammar
    sample: Sample

    def columns(self, table: str, alias: str) -> list[Column]:
        """A table's columns under an alias."""
        return [Column(f"{alias}.{name}", name, kind) for name, kind in self.tables[table]]


class Scans:
    """Statements that read one session table, or one session table per row of another."""

    def __init__(self, rng: random.Random, world: World) -> None:
        self.rng, self.world = rng, world

    def scan(self, target: Signature) -> Query:
        """A filter with the target in it, and more around it."""
        table, maker = self._table()
        return self._finish(table, maker, self.filters(table, maker, target), frozenset({"scan"}))

    def prepared(self, target: Signature) -> Query:
        """The same with parameters, as a custom or a generic plan, run twice."""
        table, maker = self._table(Parameters(self.rng))
        query = self._finish(table, maker, self.filters(table, maker, target), frozenset({"prepared"}))
        assert maker.parameters
        mode = self.rng.choice(["force_custom_plan", "force_generic_plan"])
        arguments = tuple(zip(*maker.parameters.values, strict=True))
        settings = (*query.settings, f"plan_cache_mode = {mode}")
        return replace(
            query, parameters=tuple(maker.parameters.types), arguments=arguments, settings=settings
        )

    def nested(self, target: Signature) -> Query:
        """A table of PostgreSQL's own outside, a session table inside, whose filter names columns of both."""
        table = self.rng.choice(["t50", "u50", "t3000", "t1", "t0"])
        inner, outer = self.world.columns(table, "i"), self.world.columns("local50", "o")
        both = self._maker([*inner, *self.rng.sample(outer, 12)])
        on = [
            piece("bool", f"i.{name} = o.{name}") for name in self.rng.sample(["k", "g", "id", "s4", "dt"], 1)
        ]
        on += [self.about(table, both, target, sample=False)] if self.rng.random() < 0.9 else []
        where = Items(tuple(on), " AND ", minimum=1)
        kind = self.rng.choice(["JOIN", "JOIN", "LEFT JOIN", "exists", "scalar", "LATERAL"])
        body = self._nested_body(kind, table, where)
        off = ("enable_hashjoin = off", "enable_mergejoin = off", "enable_material = off")
        return Query(
            body,
            settings=off[: self.rng.choice([0, 2, 3])],
            features=frozenset({"nested", kind}),
            filters=frozenset(entries(where)),
        )

    def _nested_body(self, kind: str, table: str, where: Items) -> Piece:
        few = f"o.id < {self.rng.choice([5, 12, 50])}"
        if kind == "exists":
            word = self.rng.choice(["", "NOT "])
            start = f"SELECT o.id, o.k FROM local50 AS o WHERE {few} AND "
            return piece(None, start, f"{word}EXISTS (SELECT FROM {table} AS i WHERE ", where, ")")
        if kind == "scalar":
            start = f"SELECT o.id, (SELECT count(*) FROM {table} AS i WHERE "
            return piece(None, start, where, f") AS n FROM local50 AS o WHERE {few}")
        if kind == "LATERAL":
            start = "SELECT o.id, l.id AS i, l.w FROM local50 AS o, "
            return piece(
                None,
                start,
                f"LATERAL (SELECT id, w FROM {table} AS i WHERE ",
                where,
                f" ORDER BY id LIMIT 3) AS l WHERE {few}",
            )
        start = f"SELECT o.id, i.id AS i, i.tx, i.f8 FROM local50 AS o {kind} {table} AS i ON "
        return piece(None, start, where, f" WHERE {few}")

    def _table(self, parameters: Parameters | None = None) -> tuple[str, Maker]:
        table = self.rng.choices(list(TABLE_WEIGHTS), list(TABLE_WEIGHTS.values()))[0]
        return table, self._maker(self.world.columns(table, "t"), parameters)

    def _maker(self, columns: Sequence[Column], parameters: Parameters | None = None) -> Maker:
        outside = 0.15 if self.rng.random() < 0.15 else 0.0
        tame = self.rng.random() < 0.8
        return Maker(self.rng, self.world.grammar, columns, tame=tame, outside=outside, parameters=parameters)

    def filters(self, table: str, maker: Maker, target: Signature) -> Items:
        """A WHERE clause with the target in one of its conditions."""
        conditions = [self.about(table, maker, target)]
        more = range(self.rng.choice([0, 0, 1, 1, 2]))
        conditions += [maker.condition(self.rng.choice([0, 1, 2])) for _ in more]
        if self.rng.random() < 0.1 and self.world.grammar.outside.get("bool"):
            stranger = self.rng.choice(self.world.grammar.outside["bool"])
            conditions.append(maker.call(stranger, 0))
        self.rng.shuffle(conditions)
        return Items(tuple(conditions), " AND ", prefix=" WHERE ")

    def about(self, table: str, maker: Maker, target: Signature, *, sample: bool = True) -> Piece:
        """A condition that hangs on the target's value."""
        for _ in range(3):
            call = maker.call(target, self.rng.choice([0, 0, 1, 2]))
            known = self.world.sample(text(call), table) if sample and maker.parameters is None else []
            if known is not None:
                break
        condition = call if target.result == "bool" else self._compared(maker, call, known or [])
        if self.rng.random() < 0.12:
            word = self.rng.choice(["OR", "AND"])
            return piece("bool", "(", Items((condition, maker.condition(1)), f" {word} ", minimum=1), ")")
        return piece("bool", "(NOT ", condition, ")") if self.rng.random() < 0.1 else condition

    def _compared(self, maker: Maker, call: Piece, known: Sequence[str]) -> Piece:
        """The call's value beside values that it really has somewhere."""
        kind = call.type or "int4"
        values = [*known] * 3 + list(KINDS[kind].all)
        way = self.rng.choice(
            ["=", "<>", "<", ">=", "in", "null", "distinct"] if kind in ORDERED else ["=", "null", "distinct"]
        )
        if way == "null":
            return piece("bool", "(", call, self.rng.choice([" IS NULL)", " IS NOT NULL)"]))
        if way == "in":
            items = tuple(maker.constant(kind, values) for _ in range(3))
            return piece("bool", "(", call, " IN (", Items(items, ", ", minimum=1), "))")
        operator = "IS DISTINCT FROM" if way == "distinct" else way
        return piece("bool", "(", call, f" {operator} ", maker.constant(kind, values), ")")

    def _finish(self, table: str, maker: Maker, where: Items, features: frozenset[str]) -> Query:
        """The SELECT around the filter."""
        settings, filters = self._settings(text(where)), frozenset(entries(where))
        if self.rng.random() < 0.06:
            return Query(
                piece(None, f"SELECT count(*) FROM {table} AS t", where), settings, features=features
            )
        if self.rng.random() < 0.06:
            return Query(
                piece(None, f"SELECT * FROM {table} AS t", where),
                settings,
                features=features,
                filters=filters,
            )
        outputs = [piece("int8" if table == "h50" else "int4", "t.id"), *self._outputs(maker)]
        selected = Items(
            tuple(piece(None, one, f" AS c{n}") for n, one in enumerate(outputs)), ", ", minimum=1
        )
        order, names = self._order(outputs)
        body = piece(None, "SELECT ", selected, f" FROM {table} AS t", where, order)
        return Query(body, settings, order=names, features=features, filters=filters)

    def _outputs(self, maker: Maker) -> list[Piece]:
        made = []
        for _ in range(self.rng.choice([0, 1, 2, 3, 4])):
            kind = self.rng.choice(maker.types)
            made.append(maker.value(kind, self.rng.choice([0, 0, 0, 1])))
        return [self._typed(one) for one in made]

    def _typed(self, one: Piece) -> Piece:
        return one

    def _order(self, outputs: Sequence[Piece]) -> tuple[Piece, tuple[str, ...]]:
        """ORDER BY in a total order, now and then with LIMIT and OFFSET."""
        if self.rng.random() < 0.6:
            return piece(None, ""), ()
        usable = [n for n, one in enumerate(outputs) if n and one.type in ORDERED]
        keys = [*self.rng.sample(usable, min(len(usable), self.rng.choice([0, 1, 2]))), 0]
        ways = [self.rng.choice(["", " DESC", " ASC NULLS FIRST", " DESC NULLS LAST"]) for _ in keys]
        items = tuple(piece(None, f"c{n}{way}") for n, way in zip(keys, ways, strict=True))
        limits = ["", " LIMIT 1", " LIMIT 10", " LIMIT 0", " LIMIT NULL"]
        if all(len(one.parts) == 1 for one in outputs):  # else it matters whether skipped rows' are computed
            limits += [" LIMIT 7 OFFSET 3", " OFFSET 5"]
        limit = self.rng.choice(limits)
        return piece(None, Items(items, ", ", prefix=" ORDER BY ", suffix=limit, minimum=len(items))), tuple(
            f"c{n}" for n in keys
        )

    def _settings(self, where: str) -> tuple[str, ...]:
        made = []
        if self.rng.random() < 0.25:
            made.append(f"TimeZone = {literal_text('text', self.rng.choice(ZONES)).removesuffix('::text')}")
        if self.rng.random() < 0.05:
            made.append(f"DateStyle = '{self.rng.choice(['SQL, DMY', 'German', 'Postgres, MDY'])}'")
        if self.rng.random() < 0.03:
            made.append(f"IntervalStyle = '{self.rng.choice(['sql_standard', 'iso_8601'])}'")
        if self.rng.random() < 0.03:
            made.append("extra_float_digits = 0")
        return tuple(made)
