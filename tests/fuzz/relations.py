"""What stands in FROM: session tables, joins of them, and subqueries."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fuzz.expressions import Column, Maker
from tests.fuzz.queries import World
from tests.fuzz.tree import Items, Piece, piece

EXACT = frozenset(
    {"bool", "int2", "int4", "int8", "text", "date", "time", "timestamp", "timestamptz", "uuid", "bytea"}
)
"""Types whose equal values are written the same."""

_WEIGHTS = {"t50": 30, "u50": 20, "t3000": 20, "u3000": 8, "t1": 4, "t0": 4, "u1": 2, "v50": 12, "y3000": 8}
_SHARED = ("k", "g", "s4", "dt", "bo", "w", "en")


@dataclass(frozen=True)
class Relation:
    """A FROM item; `keys` are columns of which no two rows have the same values."""

    sql: Piece
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    rows: int

    def typed(self, *kinds: str) -> list[Column]:
        """Columns of these types."""
        return [column for column in self.columns if column.type in kinds]


class Relations:
    """Makes relations; every alias is given once."""

    def __init__(self, rng: random.Random, world: World) -> None:
        self.rng, self.world = rng, world
        self.aliases = 0

    def alias(self, start: str) -> str:
        """A name that nothing else in the statement has."""
        self.aliases += 1
        return f"{start}{self.aliases}"

    def maker(self, relation: Relation, *, tame: bool = True) -> Maker:
        """Expressions over a relation's columns."""
        return Maker(self.rng, self.world.grammar, relation.columns, tame=tame)

    def any(self, depth: int) -> Relation:
        """A relation of any kind."""
        kind = self.rng.choices(["table", "join", "subquery"], [5, 4, 2] if depth else [1, 0, 0])[0]
        if kind == "table":
            return self.table()
        return self.join(depth) if kind == "join" else self.subquery(depth)

    def table(self, most: int = 3000) -> Relation:
        """A session table."""
        fitting = {name: weight for name, weight in _WEIGHTS.items() if int(name[1:]) <= most}
        name = self.rng.choices(list(fitting), list(fitting.values()))[0]
        alias = self.alias("t")
        columns = tuple(self.world.columns(name, alias))
        return Relation(piece(None, f"{name} AS {alias}"), columns, (f"{alias}.id",), int(name[1:]))

    def join(self, depth: int) -> Relation:
        """Two relations, joined by an equality so that the result stays small."""
        left = self.any(depth - 1)
        right = self.table(most=50 if left.rows > 50 else 3000)
        kind = self.rng.choice(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        on = [self._equality(left, right)]
        both = Relation(piece(None), left.columns + right.columns, left.keys + right.keys, 0)
        if self.rng.random() < 0.4 and kind != "FULL JOIN":  # a full join takes equalities alone
            on.append(self.maker(both).condition(1))
        sql = piece(None, left.sql, f" {kind} ", right.sql, " ON ", Items(tuple(on), " AND ", minimum=1))
        keys = left.keys + right.keys if left.keys and right.keys else ()
        return Relation(
            sql, left.columns + right.columns, keys, max(left.rows, right.rows, left.rows * right.rows // 10)
        )

    def _equality(self, left: Relation, right: Relation) -> Piece:
        size = left.rows * right.rows
        names = (
            ("id",)
            if left.rows > 3000
            else (*_SHARED, "id", "id")
            if size < 10_000
            else ("k", "s4", "dt", "id")
        )
        pairs = [
            (one, other)
            for one in left.columns
            for other in right.columns
            if other.name in names
            and one.type == other.type
            and (one.name == other.name or one.sql.split(".")[1].startswith("c"))
        ]
        if not pairs:
            return piece("bool", f"{right.keys[0]} = 1")
        one, other = self.rng.choice(pairs)
        return piece("bool", f"{one.sql} = {other.sql}")

    def subquery(self, depth: int) -> Relation:
        """A SELECT in parentheses: some columns, filtered, or a group each, or the first few."""
        inner = self.any(depth - 1)
        alias = self.alias("s")
        if self.rng.random() < 0.4:
            return self._grouped(inner, alias)
        maker = self.maker(inner)
        outputs = [
            piece(column.type, column.sql)
            for column in self.rng.sample(inner.columns, min(6, len(inner.columns)))
        ]
        outputs += [maker.value(self.rng.choice(maker.types), 1)]
        keys = [piece(next(c.type for c in inner.columns if c.sql == key), key) for key in inner.keys]
        tail = self._first_few(inner) if keys and self.rng.random() < 0.5 else ""
        where = Items((maker.condition(1),), " AND ", " WHERE ")
        return self._derived([*keys, *outputs], (inner.sql, where, tail), alias, len(keys), inner.rows)

    def _first_few(self, inner: Relation) -> str:
        return f" ORDER BY {', '.join(inner.keys)} LIMIT {self.rng.choice([0, 1, 5, 40])}"

    def _grouped(self, inner: Relation, alias: str) -> Relation:
        maker = self.maker(inner)
        groups = self.rng.sample(
            inner.typed(*EXACT), min(self.rng.choice([1, 1, 2]), len(inner.typed(*EXACT)))
        )
        keys = [piece(column.type, column.sql) for column in groups]
        numbers = inner.typed("int4", "int2") or [Column("1", "one", "int4")]
        outputs = [
            piece("int8", "count(*)"),
            piece("int8", f"sum({self.rng.choice(numbers).sql})"),
            piece("int8", "count(", maker.value(self.rng.choice(maker.types), 1), ")"),
        ]
        group = f" GROUP BY {', '.join(column.sql for column in groups)}" if groups else ""
        return self._derived([*keys, *outputs], (inner.sql, group), alias, len(keys), inner.rows)

    def _derived(
        self,
        outputs: Sequence[Piece],
        source: tuple[Piece | Items | str, ...],
        alias: str,
        keys: int,
        rows: int,
    ) -> Relation:
        items = tuple(piece(None, one, f" AS c{n}") for n, one in enumerate(outputs))
        body = piece(None, "(SELECT ", Items(items, ", ", minimum=1), " FROM ", *source, f") AS {alias}")
        columns = tuple(Column(f"{alias}.c{n}", f"c{n}", one.type or "text") for n, one in enumerate(outputs))
        return Relation(body, columns, tuple(column.sql for column in columns[:keys]), rows)
