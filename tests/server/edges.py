"""The same calls computed by PostgreSQL and by DuckDB, over all combinations of edge values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import duckdb
import psycopg

from rvbbit_fdw.pushdown import allowed, kinds, literals, zones
from rvbbit_fdw.pushdown.delivery import deliver
from rvbbit_fdw.pushdown.entry import Entry
from rvbbit_fdw.pushdown.nodes import Call, Column, Constant, IoCast, Node
from rvbbit_fdw.pushdown.reasons import Local
from rvbbit_fdw.pushdown.write import conjunction, expression
from rvbbit_fdw.pushdown.written import Scope, Written
from rvbbit_fdw.pushdown.zone_list import ZONE_FILES, digest
from rvbbit_fdw.sqltext import Sql, pg_literal
from tests.server.edge_values import CONSTANTS, POOLS, SHAPES, Pool

COLLATION = "pg_catalog.default"
BATCH = 500

ZONES = ("UTC", "Europe/Paris", "America/New_York")
zones.AGREED.update({name: digest(ZONE_FILES / name) for name in ZONES})

MOST_SAMPLES = 5
"""Samples of an entry that also go through the server, and are compared with constants."""

FEW = 20
"""Values of a column in place of a constant, and beside one."""

MOST_VALUES = 8
"""Constants that a sample is compared with."""

ENTRIES = [*allowed.TABLE.values(), *allowed.IO_CASTS.values()]
BY_TEXT = frozenset(map(id, allowed.IO_CASTS.values()))


@dataclass(frozen=True)
class Sample:
    """One entry with columns `c0`, `c1`, ... of these pools, and constants in the other places."""

    entry: Entry
    types: tuple[str, ...]
    pools: Mapping[int, Pool]
    known: Mapping[int, str]
    zone: str = "UTC"

    @property
    def table(self) -> tuple[Pool, ...]:
        """The columns of the table that it is computed over."""
        return tuple(self.pools.values())

    @property
    def columns(self) -> Mapping[int, str]:
        """The column for each place that has one."""
        return {place: f"c{number}" for number, place in enumerate(self.pools)}

    def postgres(self) -> str:
        """The call as PostgreSQL's SQL."""
        columns, types = self.columns, self.types
        arguments = [
            columns.get(place) or f"CAST({pg_literal(self.known[place])} AS pg_catalog.{types[place]})"
            for place in range(len(types))
        ]
        if id(self.entry) in BY_TEXT:
            return f"CAST({arguments[0]} AS {self.entry.result})"
        name = self.entry.name.removeprefix("pg_catalog.").rpartition("(")[0]
        if name[0].isalpha():
            return f'pg_catalog."{name}"({", ".join(arguments)})'
        return f"{name} {arguments[0]}" if len(arguments) == 1 else f" {name} ".join(arguments)

    def duckdb(self, *, divides: bool = True) -> Written:
        """The call as the writer writes it; Local if it does not."""
        return expression(self.node(), replace(self.scope(), divides=divides))

    @property
    def result(self) -> str:
        """The type of the call."""
        return "pg_catalog.text" if self.entry.result == "pg_catalog.varchar" else self.entry.result

    def compared(self, operator: str, value: str) -> Node:
        """The call compared with a constant."""
        name = f"pg_catalog.{operator}({self.result},{self.result})"
        constant = Constant(self.result, value, -1, COLLATION)
        return Call("operator", name, "pg_catalog.bool", (self.node(), constant), COLLATION)

    def is_written(self) -> bool:
        """True unless the writer refuses it in a scan."""
        try:
            self.duckdb(divides=False)
        except Local:
            return False
        return True

    def node(self) -> Node:
        """The call as a tree."""
        arguments: list[Node] = []
        for place, name in enumerate(self.types):
            if place in self.known:
                arguments.append(Constant(f"pg_catalog.{name}", self.known[place], -1, COLLATION))
            else:
                arguments.append(Column(place, self.columns[place], f"pg_catalog.{name}", -1, COLLATION))
        if id(self.entry) in BY_TEXT:
            return IoCast(self.entry.result, arguments[0], COLLATION)
        return Call("function", self.entry.name, self.entry.result, tuple(arguments), COLLATION)

    def scope(self) -> Scope:
        """Where the call stands in DuckDB."""
        return Scope(
            column=lambda column: Written(Sql(column.name), self.pools[column.number].kind),
            parameter=lambda parameter: Sql(f"${parameter.index + 1}"),
            collation_is_c=True,
            case_is_unicode=True,
            time_zone=self.zone,
        )


def samples(entry: Entry) -> Iterator[Sample]:
    """All that an entry is tried with."""
    short = entry.name.replace("pg_catalog.", "")
    constants = CONSTANTS.get(short, {})
    own = tuple(each.removeprefix("pg_catalog.") for each in entry.argument_types)
    for types in SHAPES.get(short, [own]):
        variable = [place for place in range(len(types)) if place not in constants]
        all_pools = product(*(POOLS[types[place]] for place in variable))
        all_fixed = list(product(*constants.values()))
        tried = ZONES if "TimeZone" in entry.note else ["UTC"]
        for pools, fixed, zone in product(all_pools, all_fixed, tried):
            known = dict(zip(constants, fixed, strict=True))
            yield Sample(entry, types, dict(zip(variable, pools, strict=True)), known, zone)
        if constants and not entry.constants and "numeric" not in types:
            yield Sample(entry, types, _few(types, constants), {})


def _few(types: Sequence[str], constants: Mapping[int, Sequence[str]]) -> Mapping[int, Pool]:
    """Columns in all places, with few values, so that all combinations are not too many; null is one."""
    pools = {place: POOLS[name][0] for place, name in enumerate(types)}
    fewer = {place: pool.values[1 :: -(-len(pool.values) // FEW)] for place, pool in pools.items()}
    return {
        place: replace(pool, values=(None, *constants.get(place, fewer[place])))
        for place, pool in pools.items()
    }


def spread(entry: Entry) -> list[Sample]:
    """A few of the samples that are written, spread over all."""
    written = [sample for sample in samples(entry) if sample.is_written()]
    return written[:: -(-len(written) // MOST_SAMPLES)]


Answer = tuple[int, bool, "str | None"]
"""The number of a row, if it failed, and its value."""


@dataclass
class Outcome:
    """What came out for an entry.

    Rows that are equal, of them those with an error in both, and those where DuckDB has no room; why some
    samples were not written; what differs.
    """

    agreed: int = 0
    failed: int = 0
    narrower: int = 0
    reasons: set[str] = field(default_factory=set)
    differences: list[str] = field(default_factory=list)


class Laboratory:
    """Tables of edge values in both engines, made when first asked for."""

    def __init__(self, db: psycopg.Connection, duck: duckdb.DuckDBPyConnection) -> None:
        self.db, self.duck = db, duck
        self.tables: dict[tuple[Pool, ...], str] = {}
        self.answers: dict[str, list[Answer]] = {}  # of queries that took many
        duck.execute("SET GLOBAL TimeZone = 'UTC'")
        db.execute("SET TimeZone = 'UTC'; SET search_path = pg_temp, pg_catalog")
        db.execute("""CREATE FUNCTION pg_temp.attempt(query text) RETURNS text LANGUAGE plpgsql AS $$
            DECLARE result text;
            BEGIN EXECUTE query INTO result; RETURN 'v' || result;
            EXCEPTION WHEN OTHERS THEN RETURN 'e' || SQLSTATE; END $$""")

    def check(self, entry: Entry) -> Outcome:
        """The entry over all its samples."""
        outcome = Outcome()
        for sample in samples(entry):
            self.set_zone(sample)
            try:
                made = sample.duckdb()
            except Local as local:
                outcome.reasons.add(local.reason)
                continue
            self._compare(sample, made, outcome)
        return outcome

    def set_zone(self, sample: Sample) -> None:
        """Let PostgreSQL be in the sample's time zone."""
        self.db.execute(f"SET TimeZone = {pg_literal(sample.zone)}")

    def table(self, pools: tuple[Pool, ...]) -> str:
        """The name of the table of all combinations, numbered by `n`."""
        if pools not in self.tables:
            self.tables[pools] = f"edge{len(self.tables)}"
            self._fill(self.tables[pools], pools)
        return self.tables[pools]

    def expected(self, sample: Sample) -> dict[int, str | None]:
        """For each row PostgreSQL's answer: null, v and the value, or e and the SQLSTATE."""
        table = self.table(sample.table)
        query = pg_literal(f"SELECT ({sample.postgres()})::text FROM {table} WHERE n = ")
        rows = self.db.execute(f"SELECT n, pg_temp.attempt({query} || n) FROM {table}").fetchall()
        return {int(number): None if text is None else str(text) for number, text in rows}

    def comparisons(self, sample: Sample) -> Iterator[tuple[str, list[int], list[int]]]:
        """The call compared with some of its values: the condition, the rows PostgreSQL and DuckDB find.

        Rows that fail in either are left out.
        """
        self.set_zone(sample)
        answers, actual = self.expected(sample), self._actual(sample.duckdb(), self.table(sample.table))
        good = [number for number, text in answers.items() if text == actual[number]]
        values = sorted({text[1:] for number in good if (text := answers[number])})
        for place, engine in (("pg_temp.good", self.db), ("good", self.duck)):
            engine.execute(f"DROP TABLE IF EXISTS {place}")
            engine.execute(
                f"CREATE TEMP TABLE good AS SELECT * FROM {self.table(sample.table)}"
                f" WHERE n IN ({', '.join(map(str, good)) or 'NULL'})"
            )
        for value in values[:: -(-len(values) // MOST_VALUES) or 1]:
            for operator in ("=", "<>", "<", ">="):
                try:
                    made = conjunction([sample.compared(operator, value)], sample.scope())
                except Local:  # a value for which DuckDB has no room
                    continue
                constant = f"CAST({pg_literal(value)} AS {sample.result})"
                condition = f"({sample.postgres()}) {operator} {constant}"
                query = "SELECT n FROM good WHERE {} ORDER BY n"
                right = [n for (n,) in self.db.execute(query.format(condition)).fetchall()]
                yield condition, right, [n for (n,) in self.duck.execute(query.format(made.sql)).fetchall()]

    def _compare(self, sample: Sample, made: Written, outcome: Outcome) -> None:
        actual = self._actual(made, self.table(sample.table))
        for number, right in self.expected(sample).items():
            failed = right is not None and right.startswith("e")
            if ("e" if failed else right) == actual[number]:
                outcome.agreed += 1
                outcome.failed += failed
            elif actual[number] == "e" and made.fallible and _may_be_narrower(sample.entry, right):
                outcome.narrower += 1
            else:
                outcome.differences.append(self._difference(sample, made, number, right, actual[number]))

    def _difference(
        self, sample: Sample, made: Written, number: int, right: str | None, wrong: str | None
    ) -> str:
        query = f"SELECT COLUMNS(*)::VARCHAR FROM {self.table(sample.table)} WHERE n = {number}"
        values = (self.duck.execute(query).fetchone() or ())[1:]
        return f"{sample.postgres()} of {values}: {right!r} is {wrong!r} in DuckDB by {made.sql}"

    def _actual(self, made: Written, table: str) -> dict[int, str | None]:
        kind = str(self.duck.sql(f"SELECT {made.sql} FROM {table} LIMIT 0").types[0])
        assert kind.replace(" WITH TIME ZONE", "TZ") == made.kind.duckdb, made.sql
        text = r"'\x' || hex(r.v)" if kind == "BLOB" else "CAST(r.v AS VARCHAR)"
        value = made.sql if made.same_scale else deliver(made, kinds.NUMERIC).sql
        query = f"SELECT n, r IS NULL, {text} FROM (SELECT n, TRY({{'v': {value}}}) AS r FROM {table})"
        rows = self._rows(query, table)
        values = self._as_postgres_writes({n: text for n, _, text in rows if text is not None}, made)
        return {n: "e" if failed else values.get(n) for n, failed, _ in rows}

    def _as_postgres_writes(self, values: dict[int, str], made: Written) -> dict[int, str]:
        name = made.kind.type
        query = f"""SELECT n, 'v' || CASE WHEN pg_input_is_valid(v, '{name}') THEN v::{name}::text ELSE v END
            FROM unnest(%s::int[], %s::text[]) AS t(n, v)"""
        rows = self.db.execute(query, (list(values), list(values.values()))).fetchall()
        return {int(n): str(text) for n, text in rows}

    def _rows(self, query: str, table: str) -> list[Answer]:
        """TRY does not catch what the condition of a CASE throws; then the rows are asked for in halves."""
        try:
            return self.answers.get(query) or self.duck.execute(query).fetchall()
        except duckdb.Error:
            ((rows,),) = self.duck.execute(f"SELECT count(*) FROM {table}").fetchall()
            self.answers[query] = list(self._between(query, 0, rows))
        return self.answers[query]

    def _between(self, query: str, first: int, end: int) -> Iterator[Answer]:
        """Rows with these numbers, the last one excluded."""
        try:
            yield from self.duck.execute(f"{query} WHERE n >= {first} AND n < {end}").fetchall()
        except duckdb.Error:
            if end - first == 1:
                yield first, True, None
                return
            middle = (first + end) // 2
            yield from self._between(query, first, middle)
            yield from self._between(query, middle, end)

    def _fill(self, name: str, pools: Sequence[Pool]) -> None:
        declared = "".join(f", c{number} {pool.declared}" for number, pool in enumerate(pools))
        self.db.execute(f"CREATE TEMP TABLE {name} (n int PRIMARY KEY{declared})")
        rows = list(enumerate(product(*(pool.values for pool in pools))))
        with self.db.cursor() as cursor, cursor.copy(f"COPY {name} FROM STDIN") as copy:
            for number, row in rows:
                copy.write_row([str(number), *row])
        carried = "".join(f", c{number} {pool.kind.duckdb}" for number, pool in enumerate(pools))
        self.duck.execute(f"CREATE TABLE {name} (n INTEGER{carried})")
        cells = [{value: _cell(pool, value) for value in pool.values} for pool in pools]
        for start in range(0, len(rows), BATCH):
            lines = [
                f"({number}, {', '.join(cell[value] for cell, value in zip(cells, row, strict=True))})"
                for number, row in rows[start : start + BATCH]
            ]
            self.duck.execute(f"INSERT INTO {name} VALUES {', '.join(lines)}")


def _may_be_narrower(entry: Entry, right: str | None) -> bool:
    """Null stays null, but a numeric beside it or a time near the ends of time may have failed before."""
    before = entry.result == kinds.NUMERIC or "TimeZone" in entry.note
    return entry.narrower and (right is not None or before)


def _cell(pool: Pool, value: str | None) -> str:
    sql, _ = literals.literal(pool.kind.type, value)
    return f"CAST({sql} AS {pool.kind.duckdb})"
