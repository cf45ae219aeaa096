"""Random statements over session tables alone: joins, groups, windows, set operations, CTEs, subqueries."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.fuzz.aggregates import Aggregate, Aggregates
from tests.fuzz.expressions import Column, Maker
from tests.fuzz.queries import World
from tests.fuzz.relations import EXACT, Relation, Relations
from tests.fuzz.signatures import Signature
from tests.fuzz.tree import Items, Part, Piece, Query, piece

_WAYS = ("", "", " DESC", " NULLS FIRST", " DESC NULLS LAST")
_LIMITS = (" LIMIT 1", " LIMIT 10", "", "", "")


class Wholes:
    """Statements that DuckDB may answer as a whole."""

    def __init__(self, rng: random.Random, world: World) -> None:
        self.rng, self.world = rng, world
        self.relations = Relations(rng, world)

    def any(self, target: Signature) -> Query:
        """A statement of any shape with the target somewhere in it."""
        shapes = {
            "plain": 4,
            "grouped": 6,
            "distinct": 2,
            "window": 2,
            "combined": 2,
            "cte": 2,
            "recursive": 0.5,
            "ties": 1,
            "lateral": 1,
        }
        shape = self.rng.choices(list(shapes), list(shapes.values()))[0]
        made: Query = getattr(self, shape)(target)
        return made

    def plain(self, target: Signature) -> Query:
        """Values of each row."""
        relation = self.relations.any(2)
        maker = self.relations.maker(relation)
        outputs = [
            maker.call(target, 1),
            *(maker.value(self.rng.choice(maker.types), 1) for _ in range(2)),
            *_keys(relation),
        ]
        return self._sorted(outputs, relation, self._where(maker), len(relation.keys), {"plain"})

    def distinct(self, target: Signature) -> Query:
        """DISTINCT values, or the first row of each."""
        relation = self.relations.any(1)
        maker = self.relations.maker(relation)
        outputs = [
            maker.call(target, 0),
            *(maker.value(self._exact(maker), 1) for _ in range(self.rng.choice([0, 1]))),
        ]
        if self.rng.random() < 0.4 and relation.keys:
            return self._distinct_on(outputs[0], relation, maker)
        body = piece(None, "SELECT DISTINCT ", _selected(outputs), " FROM ", relation.sql, self._where(maker))
        return Query(body, by_value=_unsure(outputs), features=frozenset({"distinct"}))

    def _distinct_on(self, call: Piece, relation: Relation, maker: Maker) -> Query:
        on = self.rng.choice([column for column in relation.columns if column.type in EXACT])
        outputs = [piece(on.type, on.sql), call, *_keys(relation)]
        start = piece(
            None,
            f"SELECT DISTINCT ON ({on.sql}) ",
            _selected(outputs),
            " FROM ",
            relation.sql,
            self._where(maker),
        )
        body = piece(None, start, f" ORDER BY {on.sql}{self.rng.choice(_WAYS)}, {', '.join(relation.keys)}")
        return Query(body, order=("c0",), features=frozenset({"distinct on"}))

    def grouped(self, target: Signature) -> Query:
        """GROUP BY with aggregates, HAVING, GROUPING SETS."""
        relation = self.relations.any(2)
        maker = self.relations.maker(relation)
        keys = self._group_keys(maker, relation, target)
        aggregates = [
            Aggregates(self.rng, maker, relation.keys).any() for _ in range(self.rng.choice([1, 2, 3]))
        ]
        if not keys or self.rng.random() < 0.5:
            aggregates.append(self._of_target(maker, target))
        features = {"grouped"}
        where, group, having = (
            self._where(maker),
            self._grouping(keys, features),
            self._having(keys, aggregates, features),
        )
        outputs = [*keys, *self._with_limits(aggregates)]
        if "grouping sets" in features:
            outputs.append(piece("int4", "grouping(", self.rng.choice(keys), ")"))
        order, names = self._group_order(keys, features)
        body = piece(None, "SELECT ", _selected(outputs), " FROM ", relation.sql, where, group, having, order)
        unsure = _unsure(keys) | {f"c{n}" for n, one in self._numbered(keys, aggregates) if one.unsure}
        near = tuple((f"c{n}", f"c{n + 1}") for n, one in self._numbered(keys, aggregates) if one.limit)
        kept = frozenset(features)
        return Query(body, order=names, by_value=unsure, near=near, rows=relation.rows, features=kept)

    def _of_target(self, maker: Maker, target: Signature) -> Aggregate:
        """An aggregate of the target's values."""
        call = maker.call(target, 1)
        if target.result in EXACT - {"bool", "uuid"}:
            name = self.rng.choice(["min", "max"])
            return Aggregate(piece(target.result, f"{name}(", call, ")"))
        return Aggregate(piece("int8", "count(", call, ")"))

    def _numbered(
        self, keys: Sequence[Piece], aggregates: Sequence[Aggregate]
    ) -> list[tuple[int, Aggregate]]:
        places, place = [], len(keys)
        for one in aggregates:
            places.append((place, one))
            place += 2 if one.limit else 1
        return places

    def _with_limits(self, aggregates: Sequence[Aggregate]) -> list[Piece]:
        return [call for one in aggregates for call in (one.call, one.limit) if call]

    def _group_keys(self, maker: Maker, relation: Relation, target: Signature) -> list[Piece]:
        few = [column for column in relation.columns if column.type in EXACT]
        keys = [
            piece(column.type, column.sql)
            for column in self.rng.sample(few, min(self.rng.choice([0, 1, 1, 2, 3]), len(few)))
        ]
        if target.result in EXACT and self.rng.random() < 0.5:
            keys.append(maker.call(target, 0))
        return keys

    def _grouping(self, keys: Sequence[Piece], features: set[str]) -> Part:
        if not keys:
            return ""
        if len(keys) > 1 and self.rng.random() < 0.25:
            features.add("grouping sets")
            word = self.rng.choice(["ROLLUP", "CUBE", "GROUPING SETS"])
            ending = ", ()" if word == "GROUPING SETS" else ""
            return Items(tuple(keys), ", ", f" GROUP BY {word} (", f"{ending})", minimum=len(keys))
        return Items(tuple(keys), ", ", " GROUP BY ", minimum=len(keys))

    def _having(self, keys: Sequence[Piece], aggregates: Sequence[Aggregate], features: set[str]) -> Part:
        known = [one for one in aggregates if not one.limit and not one.unsure]
        if self.rng.random() < 0.7 or not known:
            return ""
        features.add("having")
        one = self.rng.choice(known)
        maker = Maker(self.rng, self.world.grammar, [])
        return piece(
            None,
            " HAVING ",
            one.call,
            self.rng.choice([" > ", " <= ", " IS DISTINCT FROM "]),
            maker.constant(one.type),
        )

    def _group_order(self, keys: Sequence[Piece], features: set[str]) -> tuple[Part, tuple[str, ...]]:
        if not keys or "grouping sets" in features or self.rng.random() < 0.5:
            return "", ()
        items = tuple(piece(None, f"{n + 1}{self.rng.choice(_WAYS)}") for n in range(len(keys)))
        order = Items(items, ", ", " ORDER BY ", self.rng.choice(_LIMITS), minimum=len(items))
        return order, tuple(f"c{n}" for n in range(len(keys)))

    def window(self, target: Signature) -> Query:
        """Window functions in a total order."""
        relation = self._with_keys()
        maker = self.relations.maker(relation)
        windows = [
            Aggregates(self.rng, maker, relation.keys).window() for _ in range(self.rng.choice([1, 2]))
        ]
        outputs = [*windows, maker.call(target, 0), *_keys(relation)]
        return self._sorted(outputs, relation, self._where(maker), len(relation.keys), {"window"})

    def combined(self, target: Signature) -> Query:
        """UNION, INTERSECT and EXCEPT, with ALL and without."""
        sides = [self.relations.any(1), self.relations.any(1)]
        makers = [self.relations.maker(side) for side in sides]
        kinds = [self._exact(makers[0]) for _ in range(self.rng.choice([0, 1]))]
        outputs = [[maker.call(target, 0), *(maker.value(kind, 1) for kind in kinds)] for maker in makers]
        word = self.rng.choice(["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"])
        one, other = (
            piece(None, "SELECT ", _selected(output, fixed=True), " FROM ", side.sql, self._where(maker))
            for output, side, maker in zip(outputs, sides, makers, strict=True)
        )
        return Query(
            piece(None, one, f" {word} ", other), by_value=_unsure(outputs[0]), features=frozenset({"set"})
        )

    def cte(self, target: Signature) -> Query:
        """WITH, used once or twice."""
        inner = self._with_keys()
        maker = self.relations.maker(inner)
        outputs = [*_keys(inner), maker.value("int4", 1), maker.call(target, 1)]
        word = self.rng.choice(["", "MATERIALIZED ", "NOT MATERIALIZED "])
        start = piece(
            None,
            f"WITH w AS {word}(SELECT ",
            _selected(outputs, fixed=True),
            " FROM ",
            inner.sql,
            self._where(maker),
            ")",
        )
        count = len(inner.keys)
        kind = outputs[-1].type or "text"
        if self.rng.random() < 0.5:
            same = " AND ".join(f"a.c{n} = b.c{n}" for n in range(count))
            body = piece(
                None,
                start,
                f" SELECT a.c0, b.c{count} AS n, b.c{count + 1} AS v FROM w AS a JOIN w AS b ON {same}",
            )
        else:
            columns = [Column(f"w.c{count}", "c", "int4"), Column(f"w.c{count + 1}", "v", kind)]
            condition = Maker(self.rng, self.world.grammar, columns).condition(1)
            body = piece(
                None, start, f" SELECT count(*) AS n, count(w.c{count + 1}) AS m FROM w WHERE ", condition
            )
        return Query(body, features=frozenset({"cte"}))

    def recursive(self, target: Signature) -> Query:
        """A walk from row to row."""
        table = self.rng.choice(["t50", "u50"])
        maker = Maker(self.rng, self.world.grammar, self.world.columns(table, "t"))
        word = self.rng.choice(["UNION ALL", "UNION"])
        walk = f"SELECT t.id, t.w FROM r JOIN {table} AS t ON t.id = r.id + 1 WHERE "
        start = f"WITH RECURSIVE r (id, v) AS (SELECT 0, ''::text {word} {walk}"
        return Query(
            piece(None, start, maker.condition(1), ") SELECT id, v FROM r"), features=frozenset({"recursive"})
        )

    def ties(self, target: Signature) -> Query:
        """The first rows, with all that are equal to the last."""
        relation = self._with_keys()
        maker = self.relations.maker(relation)
        on = self.rng.choice([column for column in relation.columns if column.type in EXACT])
        outputs = [piece(on.type, on.sql), maker.call(target, 0), *_keys(relation)]
        count = self.rng.choice([0, 1, 3, 40])
        order = f" ORDER BY {on.sql}{self.rng.choice(_WAYS)} FETCH FIRST {count} ROWS WITH TIES"
        body = piece(None, "SELECT ", _selected(outputs), " FROM ", relation.sql, self._where(maker), order)
        return Query(body, order=("c0",), by_value=_unsure(outputs), features=frozenset({"ties"}))

    def lateral(self, target: Signature) -> Query:
        """What a part of FROM finds for each row of another one."""
        outer, inner = self._with_keys(), self.relations.table(50)
        maker, other = self.relations.maker(outer), self.relations.maker(inner)
        kind = self.rng.choice([t for t in maker.types if t in other.types and t in EXACT] or ["int4"])
        same = piece(
            "bool", other.value(kind, 0), self.rng.choice([" = ", " = ", " < "]), maker.value(kind, 0)
        )
        least = piece("int4", "min(", other.value("int4", 1), ")")
        found = piece(
            None,
            "LATERAL (SELECT count(*) AS n, ",
            least,
            " AS m FROM ",
            inner.sql,
            " WHERE ",
            same,
            ") AS l",
        )
        join = self.rng.choice([", ", " CROSS JOIN "])
        outputs = [maker.call(target, 0), piece("int8", "l.n"), piece("int4", "l.m"), *_keys(outer)]
        body = piece(
            None, "SELECT ", _selected(outputs), " FROM ", outer.sql, join, found, self._where(maker)
        )
        return Query(body, by_value=_unsure(outputs), features=frozenset({"lateral"}))

    def _with_keys(self) -> Relation:
        for _ in range(20):
            relation = self.relations.any(1)
            if relation.keys:
                return relation
        return self.relations.table()

    def _where(self, maker: Maker) -> Items:
        conditions = [
            maker.condition(self.rng.choice([0, 1, 2])) for _ in range(self.rng.choice([0, 0, 1, 1, 2]))
        ]
        if self.rng.random() < 0.15:
            conditions.append(self._sublink(maker))
        return Items(tuple(conditions), " AND ", " WHERE ")

    def _sublink(self, maker: Maker) -> Piece:
        """A condition with a subquery in it."""
        inner = self.relations.table()
        other = self.relations.maker(inner)
        kind = self.rng.choice([t for t in maker.types if t in other.types and t in EXACT] or ["int4"])
        where = (
            self._where(other)
            if self.rng.random() < 0.3
            else Items((other.condition(1),), " AND ", " WHERE ")
        )
        value, column = maker.value(kind, 0), other.value(kind, 0)
        way = self.rng.choice(["IN", "NOT IN", "EXISTS", "NOT EXISTS", "= ANY", "< ALL", "scalar", "row"])
        if "EXISTS" in way:
            outer = [c for c in maker.columns if c.name in {"k", "g", "id"}]
            same = [
                piece("bool", f"{inner.sql.parts[0]}".split(" AS ")[1] + f".{c.name} = {c.sql}")
                for c in outer[:1]
            ]
            full = Items((*same, *where.items), " AND ", " WHERE ")
            return piece("bool", f"{way} (SELECT 1 FROM ", inner.sql, full, ")")
        if way == "scalar":
            name = self.rng.choice(["min", "max"]) if kind not in {"bool", "uuid"} else "count"
            operator = self.rng.choice([" = ", " <> "]) if name != "count" else " IS NOT NULL AND 0 <> "
            return piece(
                "bool", value, operator, f"(SELECT {name}(", column, ") FROM ", inner.sql, where, ")"
            )
        if way == "row":
            own, its = (self._first_of(each) for each in (maker, other))
            start = piece(None, "(", value, f", {own}) IN (SELECT ", column, f", {its} FROM ")
            return piece("bool", start, inner.sql, where, ")")
        return piece("bool", value, f" {way} (SELECT ", column, " FROM ", inner.sql, where, ")")

    def _first_of(self, maker: Maker) -> str:
        """A column of small numbers."""
        return next((column.sql for column in maker.columns if column.name in {"k", "g", "id"}), "1")

    def _exact(self, maker: Maker) -> str:
        return self.rng.choice([kind for kind in maker.types if kind in EXACT] or ["int4"])

    def _sorted(
        self, outputs: Sequence[Piece], relation: Relation, where: Items, keys: int, features: set[str]
    ) -> Query:
        """The statement, in a total order now and then, with a limit if so."""
        body: tuple[Part, ...] = ("SELECT ", _selected(outputs), " FROM ", relation.sql, where)
        if not keys or self.rng.random() < 0.5:
            return Query(piece(None, *body), features=frozenset(features))
        first = [n for n, one in enumerate(outputs[:-keys]) if one.type in EXACT][:1]
        places = [*first, *range(len(outputs) - keys, len(outputs))]
        items = tuple(piece(None, f"{n + 1}{self.rng.choice(_WAYS)}") for n in places)
        order = Items(items, ", ", " ORDER BY ", self.rng.choice(_LIMITS), minimum=len(items))
        return Query(
            piece(None, *body, order),
            order=tuple(f"c{n}" for n in places),
            features=frozenset(features | {"sorted"}),
        )


def _keys(relation: Relation) -> list[Piece]:
    types = {column.sql: column.type for column in relation.columns}
    return [piece(types[key], key) for key in relation.keys]


def _selected(outputs: Sequence[Piece], *, fixed: bool = False) -> Items:
    items = tuple(piece(None, one, f" AS c{n}") for n, one in enumerate(outputs))
    return Items(items, ", ", minimum=len(items) if fixed else 1)


def _unsure(outputs: Sequence[Piece]) -> frozenset[str]:
    return frozenset(f"c{n}" for n, one in enumerate(outputs) if one.type not in EXACT)
